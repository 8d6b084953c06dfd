"""The command line from outside: real processes, a real server on loopback."""

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests import loopback

EDIT = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"


def test_version(wattson):
    assert wattson("--version")[:2] == (0, "wattson 0.1.0\n")


def test_a_question_without_options_is_read_as_one_with_them(wattson, repo, tmp_path):
    plain, full = wattson("context", "the kettle"), wattson("context", "--root", ".", "--", "the kettle")
    assert plain == full
    assert plain[0] == 0
    assert wattson("context", "the", "kettle")[0] == 2
    assert wattson("context", "--no-such")[0] == 2


def test_a_turn_over_chat_completions_with_known_usage(wattson, repo):
    with loopback.Server(loopback.openai("I change it.\n\n" + EDIT)) as server:
        code, lines, _ = wattson(
            "ask", "-m", "openai/gpt-6.1-sol", "--json", "--apply", "set joules in kettle/meter.py", lines=True,
            OPENAI_BASE_URL=server.url + "/v1", OPENAI_API_KEY="sk-test-0123456789abcdef",
        )  # fmt: skip
        path, headers, body = server.asked[0]
    end = lines[-1]
    assert code == 0
    assert (path, headers["authorization"], body["model"]) == (
        "/v1/chat/completions",
        "Bearer sk-test-0123456789abcdef",
        "gpt-6.1-sol",
    )
    assert end["event"] == "turn_ended"
    assert (end["stop"], end["served_model"], end["text"]) == ("end", "served-model", "I change it.\n\n" + EDIT)
    assert end["usage"] == {
        "fresh_input": 60,
        "cache_read": 40,
        "cache_write": 0,
        "output": 20,
        "reasoning": 0,
        "exact": True,
    }
    assert end["cost"] == {"amount": "0.000324", "currency": "USD", "status": "metered"}
    assert "+    joules: float = 1.0" in end["patch"]
    assert "joules: float = 1.0" in (repo / "kettle/meter.py").read_text()
    assert len(server.asked) == 1
    assert wattson("undo")[0] == 0
    assert "joules: float = 0.0" in (repo / "kettle/meter.py").read_text()
    assert wattson("redo")[0] == 0
    assert "joules: float = 1.0" in (repo / "kettle/meter.py").read_text()
    code, usage, _ = wattson("usage", "--json", lines=True)
    assert usage[0]["usage"][0]["fresh_input"] == 60


def test_a_turn_over_messages(wattson):
    with loopback.Server(loopback.anthropic("Hello there")) as server:
        code, lines, _ = wattson(
            "ask", "-m", "anthropic/claude-sonnet-5-5", "--json", "hi", lines=True,
            ANTHROPIC_BASE_URL=server.url, ANTHROPIC_API_KEY="sk-ant-0123456789abcdef",
        )  # fmt: skip
        path, headers, body = server.asked[0]
    end = lines[-1]
    assert (code, path, end["text"], end["served_model"]) == (0, "/v1/messages", "Hello there", "served-claude")
    assert {name.lower(): value for name, value in headers.items()}["x-api-key"] == "sk-ant-0123456789abcdef"
    assert body["system"][-1]["cache_control"] == {"type": "ephemeral"}
    assert end["usage"] == {
        "fresh_input": 50,
        "cache_read": 30,
        "cache_write": 10,
        "output": 25,
        "reasoning": 0,
        "exact": True,
    }
    assert end["cost"]["amount"] == "0.000378"


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, {"error": {"message": "Incorrect API key provided"}}, "auth", 1),
        (404, {"error": {"message": "The model `x` does not exist", "code": "model_not_found"}}, "unknown_model", 1),
        (402, {"error": {"message": "Insufficient Balance"}}, "out_of_funds", 1),
        (
            429,
            {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}},
            "out_of_funds",
            1,
        ),
        (
            400,
            {"error": {"message": "maximum context length is 10", "code": "context_length_exceeded"}},
            "context_overflow",
            1,
        ),
        (403, {"error": {"message": "not for you"}}, "permission", 1),
        (400, {"error": {"message": "temperature is wrong"}}, "bad_request", 1),
    ],
)
def test_errors_say_what_they_mean(wattson, status, body, kind, code):
    with loopback.Server((status, {"content-type": "application/json"}, json.dumps(body).encode())) as server:
        found, lines, _ = wattson(
            "ask",
            "-m",
            "openai/gpt-6.1-sol",
            "--json",
            "hi",
            lines=True,
            OPENAI_BASE_URL=server.url,
            OPENAI_API_KEY="k" * 20,
        )
        assert len(server.asked) == 1
    assert (found, lines[-1]["error"]["class"], lines[-1]["stop"]) == (code, kind, "error")
    assert lines[-1]["error"]["hint"]
    assert "k" * 20 not in json.dumps(lines)


def test_a_turn_goes_on_with_the_last_conversation_where_that_is_asked_for(wattson):
    with loopback.Server(loopback.openai("Mice.")) as server:
        env = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k" * 20}
        for more in ([], ["--continue"], []):
            assert wattson("ask", "-m", "openai/gpt-6.1-sol", *more, "what eats cheese?", **env)[0] == 0
        said = [[each["role"] for each in asked[2]["messages"]] for asked in server.asked]
    assert said[0] == said[2]
    assert said[1] == [*said[0], "assistant", "user"]


def test_a_rate_limit_is_waited_for_and_tried_again(wattson):
    busy = (
        429,
        {"content-type": "application/json", "retry-after": "0"},
        b'{"error":{"message":"Rate limit reached"}}',
    )
    with loopback.Server(busy, loopback.openai("fine")) as server:
        code, lines, _ = wattson(
            "ask",
            "-m",
            "openai/gpt-6.1-sol",
            "--json",
            "hi",
            lines=True,
            OPENAI_BASE_URL=server.url,
            OPENAI_API_KEY="k" * 20,
        )
        assert len(server.asked) == 2
    assert (code, lines[-1]["text"]) == (0, "fine")
    assert any(line["event"] == "retrying" for line in lines)


def test_a_stream_cut_half_way_keeps_the_text_and_applies_nothing(wattson, repo):
    before = (repo / "kettle/meter.py").read_text()
    with loopback.Server(loopback.openai(EDIT, cut=True)) as server:
        code, lines, _ = wattson(
            "ask",
            "-m",
            "openai/gpt-6.1-sol",
            "--json",
            "--apply",
            "hi",
            lines=True,
            OPENAI_BASE_URL=server.url,
            OPENAI_API_KEY="k" * 20,
        )
    end = lines[-1]
    assert (code, end["stop"], end["error"]["class"], end["patch"]) == (75, "error", "stream_broken", None)
    assert end["text"] == EDIT
    assert end["usage"]["output"] > 0
    assert end["usage"]["exact"] is False
    assert (repo / "kettle/meter.py").read_text() == before


@pytest.mark.parametrize("how", [[], ["--diff"], ["--apply"], ["--json"], ["--apply", "--json"]])
def test_an_empty_answer_has_failed_and_says_what_it_cost(wattson, how):
    usage = {"prompt_tokens": 2100, "completion_tokens": 0}
    with loopback.Server(loopback.openai("", usage=usage)) as server:
        code, out, err = wattson(
            "ask", "-m", "openai/gpt-6.1-sol", *how, "hi", OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20
        )
        assert len(server.asked) == 1
    assert code == 1
    assert "openai/gpt-6.1-sol answered nothing." in err
    if "--json" in how:
        events = [json.loads(line) for line in out.splitlines()]
        assert (events[-1]["stop"], events[-1]["text"], events[-1]["usage"]["fresh_input"]) == ("end", "", 2100)
        assert ("not_written" in [each["event"] for each in events]) == ("--apply" in how)
    else:
        assert out == ""
        assert "2,100 in, 0 out, $" in err


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["ask", "-m", "openai/gpt-6.1-sol", "hi"], 1, "OPENAI_API_KEY"),
        (["ask", "-m", "nobody/nothing", "hi"], 1, "no model called"),
        (["ask", "hi"], 1, "model"),
        (["undo"], 3, "nothing to undo"),
        (["plans", "show", "claude-pro"], 2, "`plans show` takes no words: 'claude-pro'"),
        (["plans", "replay", "mine.toml", "--plan", "practice"], 2, "A plan is named by --plan"),
        (["usage", "--line", "--json"], 2, "Choose one of them"),
        (["usage", "--csv", "--json"], 2, "Choose one of them"),
        (["nonsense-folder-that-is-not-there/x", "-m"], 2, "usage"),
    ],
)
def test_bad_input_says_what_to_do(wattson, args, code, words):
    found, _, err = wattson(*args)
    assert found == code
    assert words in err


def test_a_dead_server_is_named(wattson):
    code, lines, _ = wattson(
        "ask",
        "-m",
        "openai/gpt-6.1-sol",
        "--json",
        "hi",
        lines=True,
        OPENAI_BASE_URL="http://127.0.0.1:9",
        OPENAI_API_KEY="k" * 20,
    )
    assert (code, lines[-1]["error"]["class"]) == (75, "unreachable")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupt_keeps_what_came(repo, env, wattson, number):
    with loopback.Server(loopback.openai("word " * 200), pause_s=0.02) as server:
        child = subprocess.Popen(
            [sys.executable, "-m", "assistant", "ask", "--root", str(repo), "-m", "openai/gpt-6.1-sol", "--json", "hi"],
            env={**env, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k" * 20}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert child.stdout
        lines = []
        for line in child.stdout:
            lines.append(json.loads(line))
            if lines[-1]["event"] == "text_arrived":
                time.sleep(0.2)
                child.send_signal(number)
                break
        lines += [json.loads(line) for line in child.stdout]
        child.stdout.close()
        assert child.wait(20) == 130
    assert (lines[-1]["event"], lines[-1]["stop"]) == ("turn_ended", "cancelled")
    assert lines[-1]["text"].startswith("word")
    (row,) = wattson("usage", "--by", "model", "--json", lines=True)[1][0]["usage"]
    assert row["output"] == lines[-1]["usage"]["output"] > 0  # and the book has what came, not what was guessed before


def test_what_is_piped_in_goes_below_the_words(wattson):
    with loopback.Server(loopback.openai("Fine.")) as server:
        env = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k" * 20}

        def said(*words, stdin):
            code, _, err = wattson("ask", "-m", "openai/gpt-6.1-sol", *words, stdin=stdin, **env)
            assert code == 0, err
            return server.asked[-1][2]["messages"][-1]["content"], err

        text, err = said("why does", "this fail?", stdin="E   assert 1 == 2\n")
        assert text.endswith("why does this fail?\n\nE   assert 1 == 2\n")
        assert "standard input: 1 line goes with the question" in err
        text, err = said("why?", stdin="")
        assert text.endswith("why?")
        assert "standard input" not in err
        assert said("-", stdin="only this")[0].endswith("only this")
        assert said("look:", "-", stdin="at this")[0].endswith("look:\n\nat this")
        many = len(server.asked)
        for odd, words in (("a\0b", "no text"), ("long line\n" * 900_000, "more than 8 MB")):
            code, _, err = wattson("ask", "-m", "openai/gpt-6.1-sol", "why?", stdin=odd, **env)
            assert (code != 0, words in err) == (True, True)
        assert len(server.asked) == many


def test_a_pipe_that_stays_silent_is_not_waited_for(repo, env):
    with loopback.Server(loopback.openai("Fine.")) as server:
        child = subprocess.Popen(
            [sys.executable, "-m", "assistant", "ask", "--root", str(repo), "-m", "openai/gpt-6.1-sol", "hello"],
            env={**env, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k" * 20},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert child.stdout
        assert child.stderr
        assert (child.stdout.read(), child.wait(60)) == ("Fine.\n", 0)
        assert "Nothing came on standard input" in child.stderr.read()
        child.communicate()


def test_a_diff_that_is_not_all_that_was_proposed_is_no_success(wattson):
    wrong = EDIT.replace("0.0", "7.0").replace("1.0", "8.0")
    warm = "It is warm: /status returns the /usage of a user."
    for reply, code, words in ((EDIT + wrong, 3, "does not fit: "), (warm, 0, "There is no diff")):
        with loopback.Server(loopback.openai(reply)) as server:
            env = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k" * 20, "WATTSON_REPAIRS": "0"}
            found, out, err = wattson("ask", "-m", "openai/gpt-6.1-sol", "--diff", "set joules", **env)
        assert (found, words in err, "+    joules: float = 1.0" in out) == (code, True, code == 3)
        assert (warm in err) == (code == 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_still_types_the_question_can_leave(repo, env, number):
    with loopback.Server(loopback.openai("It is warm.")) as server:
        child = subprocess.Popen(
            [sys.executable, "-v", "-m", "assistant", "ask", "--root", str(repo), "-m", "openai/gpt-6.1-sol", "-"],
            env={**env, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k" * 20},
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509 - a shell lets what runs behind it ignore Ctrl+C
        )  # fmt: skip
        assert child.stdin
        assert child.stderr
        for line in child.stderr:  # Python says what it loads
            if "assistant.headless.commands.ask" in line:
                break
        drain = threading.Thread(target=child.stderr.read, daemon=True)
        drain.start()
        time.sleep(1)
        child.send_signal(number)
        assert child.wait(20) in {130, -signal.SIGTERM}
        child.stdin.close()
        drain.join()
        assert server.asked == []


def test_a_book_that_cannot_be_read_is_told_of(wattson, env):
    assert wattson("ask", "-m", "scripted/lesson", "hi")[0] == 0
    book = next(Path(env["WATTSON_HOME"]).rglob("ledger.sqlite"))
    with sqlite3.connect(book) as base:
        base.execute("PRAGMA user_version = 999")
    assert wattson("ask", "-m", "scripted/lesson", "hi")[0] == 0  # counted in memory, beside what nobody can read
    assert wattson("usage", "--line") == (0, "lesson · ? today · 5 hours ?\n", "")
    for command in (["usage"], ["usage", "--json"], ["plans"], ["yield"], ["doctor", "--offline"]):
        _, out, said = wattson(*command)
        assert (out + said).count("it was written by a newer Wattson") >= 1, command
    histories = [["usage"], ["usage", "--json"], ["usage", "--csv"], ["usage", "--by", "client"], ["yield"]]
    for command in (*histories, ["plans", "advise"], ["plans", "replay", "--plan", "glm-lite"]):
        code, out, said = wattson(*command)
        assert (code, out, "Nothing" in said, "No edits" in said) == (1, "", False, False), command
        assert f"{book} cannot be read" in said
    for each in book.parent.glob("ledger.sqlite-*"):
        each.unlink()
    book.write_bytes(b"no book at all " * 1000)
    said = wattson("usage")[2]
    assert str(book) in said
    assert "damaged" in said
    book.unlink()
    book.mkdir()  # nothing can be opened there
    for command in (["usage"], ["plans"], ["yield"]):
        assert "unable to open database file" in wattson(*command)[2], command


def test_doctor_reads_the_whole_book_for_damage(wattson, env):
    assert wattson("ask", "-m", "scripted/lesson", "hi")[0] == 0
    assert "damaged" not in wattson("doctor", "--offline")[1]
    book = next(Path(env["WATTSON_HOME"]).rglob("ledger.sqlite"))
    with sqlite3.connect(book) as base:  # large enough that a start looks at its ends only
        rows = [(f"x{number}", "s" * 900) for number in range(2000)]
        base.executemany("INSERT INTO outcomes (session, project) VALUES (?, ?)", rows)
    base.close()
    data = bytearray(book.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 40960] = b"\xa5" * 40960
    book.write_bytes(data)
    code, said, _ = wattson("doctor", "--json", "--offline")
    assert code == 0
    assert [each for each in json.loads(said)["problems"] if f"{book} is damaged (" in each]
    assert "is damaged (" in wattson("doctor", "--offline")[1]
    assert book.read_bytes()[: len(data)] == data  # it is looked at, not changed


@pytest.mark.parametrize("days", ["0", "-1", "3650000", "9" * 40, "x"])
def test_a_number_of_days_that_means_nothing_is_refused(wattson, days):
    for command in ("usage", "yield"):
        code, _, said = wattson(command, f"--days={days}")
        assert (code, "Traceback" in said) == (2, False)
        assert "no number of days" in said
    code, _, said = (
        wattson("context", f"--budget={days}", "hello") if days != "3650000" else (2, "", "no number of tokens")
    )
    assert (code, "no number of tokens" in said) == (2, True)


def test_apply_is_all_or_nothing(wattson, repo):
    wrong = EDIT.replace("0.0", "7.7", 1)
    code, lines, _ = wattson("apply", "--json", stdin=EDIT + wrong, lines=True)
    assert (code, lines[0]["written"], lines[0]["misfits"][0]["reason"]) == (3, False, "already")
    assert "joules: float = 0.0" in (repo / "kettle/meter.py").read_text()
    code, lines, _ = wattson("apply", "--check", "--json", stdin=EDIT, lines=True)
    assert (code, lines[0]["written"], lines[0]["hunks"]) == (0, False, 1)
    code, lines, _ = wattson("apply", "--json", stdin=EDIT, lines=True)
    assert (code, lines[0]["written"], lines[0]["files"]) == (0, True, ["kettle/meter.py"])
    assert wattson("apply", stdin="Nothing to change here.")[0] == 0


def test_one_file_of_a_step_is_undone_and_redone(wattson, repo):
    new = "notes.md\n```\n<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n```\n"
    assert wattson("apply", stdin=EDIT + new)[0] == 0
    code, _, wrong = wattson("undo", "boil.py", cwd=repo / "kettle")
    assert (code, wrong.count("Nothing in boil.py can be undone")) == (3, 1)
    assert wattson("undo", "meter.py", cwd=repo / "kettle")[0] == 0
    assert "joules: float = 0.0" in (repo / "kettle/meter.py").read_text()
    assert (repo / "notes.md").exists()
    assert wattson("redo", "./kettle/meter.py")[0] == 0
    assert "joules: float = 1.0" in (repo / "kettle/meter.py").read_text()


@pytest.mark.parametrize("path", ["../out.txt", "/tmp/out.txt", ".git/config", "link/out.txt"])
def test_apply_never_leaves_the_root(wattson, repo, tmp_path, path):
    (repo / "link").symlink_to(tmp_path)
    code, lines, _ = wattson(
        "apply", "--json", stdin=f"{path}\n```\n<<<<<<< SEARCH\n=======\nx\n>>>>>>> REPLACE\n```\n", lines=True
    )
    assert (code, lines[0]["written"], lines[0]["misfits"][0]["reason"]) == (3, False, "outside")
    assert not (tmp_path / "out.txt").exists()


def test_a_folder_stays_out_of_a_context_that_is_not_to_be_in_it(wattson):
    for folder in ("kettle/", "kettle", "./kettle/"):
        code, lines, told = wattson("context", "--json", "--drop", folder, "what does Meter do?", lines=True)
        assert (code, told) == (0, "")
        assert not [each for each in lines[0]["sections"] if each["path"].startswith("kettle/")]
    code, _, told = wattson("context", "--drop", "nowhere/", "what does Meter do?")
    assert code == 3
    assert "There is no file 'nowhere/' here." in told


def test_context_shows_what_would_be_sent(wattson, repo):
    (repo / ".env").write_text("TOKEN=abc\n")
    (repo / "keys.py").write_text('API_KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz"\n')
    code, lines, _ = wattson(
        "context", "--json", "what do keys.py and .env and Meter in kettle/meter.py do?", lines=True
    )
    text = wattson("context", "what do keys.py and .env and Meter in kettle/meter.py do?")[1]
    assert code == 0
    assert {"kettle/meter.py", "keys.py"} <= {each["path"] for each in lines[0]["sections"]}
    assert "\nkettle/meter.py" in "\n" + text
    assert "sk-proj-abc" not in text
    assert "TOKEN=abc" not in text
    assert {each["path"] for each in lines[0]["masked"]} == {"keys.py", ".env"}


def test_models_plans_doctor(wattson):
    assert wattson("models")[0] == 0
    names = {each["name"] for each in wattson("models", "--json", lines=True)[1][0]["models"]}
    assert {"anthropic/claude-sonnet-5-5", "openai/gpt-6.1-sol", "deepseek/deepseek-flash", "scripted/lesson"} <= names
    assert wattson("plans", "--json", lines=True)[1][0]["meters"][0]["state"]
    code, lines, _ = wattson("doctor", "--json", "--offline", lines=True, OPENAI_API_KEY="sk-proj-0123456789abcdef")
    assert code == 0
    assert lines[0]["keys"] == [
        {"provider": "openai", "source": "OPENAI_API_KEY", "key": "sk-…cdef", "payer": "metered"}
    ]


def test_events_are_run_through_a_plan(wattson, repo):
    (repo / "plan.toml").write_text(
        'name = "mine"\n[[meters]]\nname = "5 hours"\nunit = "requests"\nwindow = "first_use"\nhours = 5\nlimit = 2\n'
    )
    times = ("10:07:31", "12:00:00", "15:07:30", "15:07:31")
    (repo / "events.jsonl").write_text("".join(f'{{"at": "2026-11-23T{at}Z", "requests": 1}}\n' for at in times))
    code, lines, _ = wattson("plans", "replay", "--plan", "plan.toml", "--events", "events.jsonl", "--json", lines=True)
    assert code == 0
    meter = lines[0]["meters"][0]
    assert (meter["used"], meter["window"]["start"]) == (1, "2026-11-23T15:07:31+00:00")
    assert [each["at"] for each in lines[0]["blocked"]] == ["2026-11-23T15:07:30+00:00"]
    assert wattson("plans", "replay")[0] == 2
    assert wattson("plans", "replay", "--plan", "plan.toml", "--at", "soon")[0] == 2


def test_a_line_for_a_shell_prompt_says_what_a_turn_left(wattson):
    assert wattson("usage", "--line")[:2] == (0, "\n")
    assert wattson("ask", "-m", "scripted/lesson", "who are you?")[0] == 0
    code, line, _ = wattson("usage", "--line")
    assert code == 0
    assert line.startswith("lesson")
    assert "day,provider" in wattson("usage", "--csv")[1]


@pytest.mark.parametrize("kind", ["plain", "empty", "no commit"])
def test_any_folder_will_do(wattson, tmp_path, kind):
    folder = tmp_path / "some folder"
    folder.mkdir()
    if kind != "plain":
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    if kind != "empty":
        (folder / "a.py").write_text("def alpha():\n    return 1\n")
    code, lines, err = wattson("context", "--root", str(folder), "--json", "what does alpha do?", lines=True)
    assert (code, err) == (0, "")
    assert [each["path"] for each in lines[0]["sections"]] == ([] if kind == "empty" else ["a.py"])


def test_a_repository_cannot_run_programs(wattson, repo, tmp_path):
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "core.pager"):
        subprocess.run(["git", "config", name, str(trap)], cwd=repo, check=True)
    (repo / "kettle/meter.py").write_text("changed = 1\n")
    assert wattson("context", "meter")[0] == 0
    assert not (tmp_path / "sprung").exists()


def test_doctor_names_languages_without_a_grammar_and_their_files_are_still_shown(wattson, repo, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text("import sys\nsys.modules['tree_sitter_lua'] = None\n")
    path = os.pathsep.join([str(tmp_path / "site"), str(Path.cwd())])
    _, (shape,), _ = wattson("doctor", "--json", "--offline", lines=True, PYTHONPATH=path)
    assert shape["grammars_missing"] == ["lua"]
    assert any("No grammar is installed for lua" in each for each in shape["problems"])
    (repo / "steep.lua").write_text("function steep(leaves)\n  return leaves\nend\n")
    _, text, _ = wattson("context", "how long does @steep.lua steep?", PYTHONPATH=path)
    assert "function steep(leaves)" in text


@pytest.mark.parametrize("command", ["usage", "yield", "plans"])
def test_a_report_loads_nothing_of_a_turn(env, repo, command):
    """A script asks for it every few seconds: what a turn is made of takes longer to load than all there is to tell."""
    code = f"import sys; sys.argv = ['wattson', {command!r}]; from assistant import cli; cli.main()"
    loaded = f"import atexit, sys; atexit.register(lambda: sys.stderr.write(' '.join(sys.modules))); {code}"
    done = subprocess.run(
        [sys.executable, "-c", loaded], cwd=repo, env={**env, "PYTHONPATH": str(Path.cwd())}, capture_output=True, text=True
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    heavy = {
        "asyncio",
        "httpx",
        "textual",
        "msgspec",
        "inspect",
        "dataclasses",
        "uuid",
        "subprocess",
        "zoneinfo",
        "shutil",
    }
    assert not heavy & set(done.stderr.split())


def test_what_was_counted_before_the_stream_broke_is_billed(wattson):
    start = {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 5000, "output_tokens": 1}}}
    cut = f"event: message_start\ndata: {json.dumps(start)}\n\n".encode()
    with loopback.Server(cut) as server:
        known = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "k" * 20}
        wattson("ask", "-m", "anthropic/claude-sonnet-5-5", "hi", **known)
    (row,) = csv.DictReader(io.StringIO(wattson("usage", "--csv", "--by", "model")[1]))
    assert (row["interrupted"], row["failed"], row["fresh_input"]) == (row["steps"], "0", str(5000 * int(row["steps"])))


@pytest.mark.parametrize(
    ("command", "words", "hint"),
    [
        ("plans --plan glm-lite", "`plans` takes no --plan", "`plans replay` or `plans advise`"),
        ("plans --events e", "`plans` takes no --events", "`plans replay`"),
        ("plans advise --at 2026-11-23", "`plans advise` takes no --at", "`plans replay`"),
        ("plans replay --plan glm-lite --days 3", "`plans replay` takes no --days", "`plans advise`"),
        ("plans advise --refresh", "`plans advise` takes no --refresh", "`plans`"),
        ("plans --resets 2026-11-23", "`plans` takes no --resets", "`plans tell`"),
        ("usage import codex --days 3", "`usage import` takes no --days", "`usage`"),
        ("usage import codex --by model", "`usage import` takes no --by", "`usage`"),
        ("usage import codex --csv", "`usage import` takes no --csv", "`usage`"),
        ("usage --line --by model", "`usage --line` takes no --by", "`usage`"),
    ],
)
def test_an_option_that_would_do_nothing_is_wrong_usage(wattson, command, words, hint):
    code, out, said = wattson(*command.split())
    assert (code, out) == (2, "")
    assert words in said
    assert f"It is for {hint}" in said


@pytest.mark.parametrize("words", [("context", "kettle"), ("models",)])
def test_a_result_for_which_there_is_no_room_is_told_in_one_line(env, repo, words):
    if not Path("/dev/full").exists():
        pytest.skip("no device that is full")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "assistant", *words], cwd=repo, env={**env, "PYTHONPATH": str(Path.cwd())},
            stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert done.returncode == 1
    assert "The result cannot be written: No space left on device." in done.stderr
    assert "Traceback" not in done.stderr


def test_ask_says_which_mark_leads_nowhere_and_that_there_is_nothing_to_go_on_with(wattson):
    model = ("-m", "scripted/lesson")
    code, _, err = wattson("ask", *model, "see @nope.py")
    assert code == 0
    assert "@nope.py is no file here" in err
    code, _, err = wattson("ask", *model, "-c", "and then?")
    assert (code, "no conversation" in err) == (0, False)


def test_ask_says_that_there_is_no_conversation_to_go_on_with_and_that_an_answer_was_cut_short(wattson):
    code, _, err = wattson("ask", "-m", "scripted/lesson", "-c", "and then?")
    assert code == 0
    assert "There is no conversation here yet: this question begins one." in err


def test_ask_gives_its_own_words_for_commands_of_the_screen(wattson):
    body = b'{"error": {"message": "Rate limit reached", "code": "rate_limit_exceeded"}}'
    ill = (429, {"content-type": "application/json", "retry-after": "4000"}, body)
    with loopback.Server(ill) as server:
        env = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k" * 20}
        _, _, err = wattson("ask", "-m", "openai/gpt-6.1-sol", "hi", **env)
        _, lines, _ = wattson("ask", "-m", "openai/gpt-6.1-sol", "--json", "hi", lines=True, **env)
    assert "switch with -m" in err
    assert "/model" not in err
    assert "/model" not in lines[-1]["error"]["hint"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [("/undo", "`wattson undo` does it here"), ("/compact last", "`wattson -c` opens the screen"), ("/undo 3", "undo")],
)
def test_ask_sends_no_command_of_the_screen_to_the_model(wattson, typed, words):
    code, out, err = wattson("ask", "-m", "scripted/lesson", typed)
    assert (code, out) == (2, "")
    assert words in err
