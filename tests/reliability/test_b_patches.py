"""Section B of the checklist: what a patch can do to the file system. From outside, through the command and the screen."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assistant import events
from assistant.edits.review import Review
from assistant.tui.app import Wattson
from tests import loopback
from tests.tui.keys import say, until

KEY = "k" * 20
EDIT = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"


def block(path, old, new):
    return f"{path}\n```\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n"


def notations(path, old, new):
    """One change of the first line of a file, in all four notations."""
    return {
        "edit_block": block(path, old, new),
        "unified_diff": f"```diff\n--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-{old}+{new}```\n",
        "apply_patch": f"*** Begin Patch\n*** Update File: {path}\n@@\n-{old}+{new}*** End Patch\n",
        "whole_file": f"{path}\n```\n{new}```\n",
    }


@pytest.fixture
def ask(wattson):
    """Ask a model that says what it is told; returns (exit code, events, stderr)."""

    def run(reply, *args, server=None):
        with server or loopback.Server(loopback.openai(reply)) as there:
            return wattson(
                "ask", "-m", "openai/gpt-6.1-sol", "--json", *args, "go on", lines=True,
                OPENAI_BASE_URL=there.url, OPENAI_API_KEY=KEY,
            )  # fmt: skip

    return run


RISKY = (
    ".github/workflows/ci.yml", ".vscode/settings.json", ".vscode/tasks.json", ".claude/settings.json", ".cursor/mcp.json", "Makefile",
    "conftest.py", "setup.py", "package.json", ".envrc", ".wattson.toml",
)  # fmt: skip


@pytest.mark.parametrize("path", RISKY)
def test_b6_a_file_that_runs_by_itself_is_never_written_on_the_quick(ask, repo, path):
    notation, reply = [*notations(path, "old\n", "new\n").items()][RISKY.index(path) % 4]
    (repo / path).parent.mkdir(parents=True, exist_ok=True)
    (repo / path).write_text("old\n")
    code, lines, err = ask(EDIT + "\n" + reply, "--apply")
    assert code == 3, notation
    assert list(next(line for line in lines if line["event"] == "not_written")["risky"]) == [path]
    assert f"--allow-risky {path}" in err
    assert (repo / path).read_text() == "old\n"
    assert "joules: float = 0.0" in (repo / "kettle/meter.py").read_text()
    assert lines[-1]["event"] == "turn_ended"
    assert "joules: float = 1.0" in lines[-1]["patch"]


def test_b6_a_file_is_written_once_it_is_named_and_no_other_with_it(ask, repo):
    (repo / "Makefile").write_text("old\n")
    (repo / "setup.py").write_text("old\n")
    both = block("Makefile", "old\n", "new\n") + block("setup.py", "old\n", "new\n")
    assert ask(both, "--apply", "--allow-risky", "Makefile")[0] == 3
    assert (repo / "Makefile").read_text() == "old\n"
    assert ask(both, "--apply", "--allow-risky", "Makefile", "--allow-risky", "./setup.py")[0] == 0
    assert (repo / "Makefile").read_text() == (repo / "setup.py").read_text() == "new\n"


def test_b6_a_move_onto_such_a_name_stops_too(ask, repo):
    (repo / "plain.txt").write_text("old\n")
    reply = "*** Begin Patch\n*** Update File: plain.txt\n*** Move to: Makefile\n@@\n-old\n+new\n*** End Patch\n"
    assert ask(reply, "--apply")[0] == 3
    assert not (repo / "Makefile").exists()


async def test_b6_the_screen_asks_by_name_and_no_is_no(make_session, repo):
    (repo / "Makefile").write_text("old\n")
    with loopback.Server(loopback.openai(block("Makefile", "old\n", "new\n"))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "go on")
            await until(pilot, lambda: app.main.hunks.has_focus and app.main.hunks.hunks)
            for answer, now in (("n", "old\n"), ("y", "new\n")):
                await pilot.pause(0.5)
                await pilot.press("A", "enter")
                await until(pilot, lambda: len(app.screen_stack) == 2)
                await pilot.pause(0.5)
                await pilot.press(answer)
                await until(pilot, lambda: len(app.screen_stack) == 1)
                await until(pilot, lambda now=now: (repo / "Makefile").read_text() == now)


async def test_b9_an_example_in_prose_is_a_hunk_of_its_own_and_nothing_is_written_unseen(make_session, repo):
    before = (repo / "kettle/meter.py").read_text()
    example = "For example, do not do this:\n\n```diff\n--- a/kettle/meter.py\n+++ b/kettle/meter.py\n@@ -1 +1 @@\n"
    first = before.split("\n", maxsplit=1)[0]
    example += f"-{first}\n+raise SystemExit\n```\n\nDo this:\n\n"
    with loopback.Server(loopback.openai(example + EDIT)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.switch("openai/gpt-6.1-sol")
        seen = [event async for event in session.ask("go on")]
    patch = next(event.patch for event in seen if isinstance(event, events.PatchProposed))
    assert len(patch.hunks) == 2
    assert any("may not be meant" in event.text for event in seen if isinstance(event, events.Notice))
    assert (repo / "kettle/meter.py").read_text() == before
    await session.close()
    again = make_session(OPENAI_BASE_URL="http://127.0.0.1:9", OPENAI_API_KEY=KEY)
    again.take_up()
    (doubt,) = again.proposed.doubts
    assert "line 1 of the file may not be meant" in doubt.words
    marked = [hunk.old_start for hunk in again.proposed.patch.hunks if hunk.origins[0].edit == doubt.edit.reply_line]
    assert marked == [1]
    await again.close()


def test_b9_an_example_in_prose_is_not_written_where_nobody_looks(ask, repo):
    before = (repo / "kettle/meter.py").read_text()
    answer = f"Please do not do this:\n\n{EDIT}"
    code, lines, err = ask("", "--apply", server=loopback.Server(loopback.openai(answer)))
    assert code == 3
    assert "may not be meant" in err
    ended = next(line for line in lines if line["event"] == "turn_ended")
    assert [each["reason"] for each in ended["doubts"]] == ["doubtful"]
    assert (repo / "kettle/meter.py").read_text() == before


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_b12_an_answer_that_was_cut_is_not_written_even_if_it_looks_whole(ask, repo, reason):
    body = loopback.openai(EDIT).replace(b'"finish_reason": "stop"', f'"finish_reason": "{reason}"'.encode())
    code, lines, err = ask("", "--apply", server=loopback.Server(body))
    assert code in {1, 3}
    assert "joules: float = 0.0" in (repo / "kettle/meter.py").read_text()
    assert lines[-1]["stop"] != "end"
    assert err


def test_b12_edits_that_all_found_no_place_are_no_success(ask, repo):
    code, lines, err = ask(block("kettle/meter.py", "no such line\n", "x\n"), "--apply")
    assert code == 3
    assert lines[-1]["misfits"]
    assert "Nothing was written" in err


CODECS = {
    "latin-1": ("# Größe und Café\n", "# Größe und größe Café\n"), "cp1252": ("# “Größe” – Café\n", "# “Größe” – größer Café\n"),
    "gbk": ("# 中文注释说明\n", "# 中文说明注释\n"), "shift_jis": ("# 日本語の説明\n", "# 説明の日本語\n"), "euc_kr": ("# 한국어 설명\n", "# 설명 한국어\n"),
    "cp1251": ("# Привет мир\n", "# Привет Приветмир\n"), "utf-16": ("# Größe 中文\n", "# Größe 中文 Привет\n"), "utf-8-sig": ("# Größe\n", "# Größer\n"),
}  # fmt: skip


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("codec", CODECS)
def test_b15_a_file_in_any_encoding_keeps_its_bytes_or_is_refused(wattson, repo, codec, end, named):
    old, new = CODECS[codec]
    head = f"# -*- coding: {codec} -*-\n" if named and codec not in {"utf-16", "utf-8-sig"} else "# plain\n"
    text = f"{head}a = 1  \n{old}b = 2\t\nc = 3"
    place = repo / "odd.py"
    data = text.replace("\n", end).encode(codec)
    place.write_bytes(data)
    # ASCII beside foreign lines is always written, and every other byte stays.
    code, _, err = wattson("apply", stdin=block("odd.py", "b = 2\n", "b = 22\n"))
    assert code == 0, err
    assert place.read_bytes() == text.replace("b = 2\t", "b = 22").replace("\n", end).encode(codec)
    # Foreign words in the edit are written in the file's own encoding, or the edit is refused and the file left alone.
    place.write_bytes(data)
    code, lines, _ = wattson("apply", "--json", stdin=block("odd.py", old, new), lines=True)
    if code:
        assert code == 3
        assert lines[0]["misfits"]
        assert place.read_bytes() == data
        assert not named and codec not in {"utf-16", "utf-8-sig"}
    else:
        assert place.read_bytes() == text.replace(old, new).replace("\n", end).encode(codec)
    assert wattson("undo")[0] == 0
    if not code:
        assert place.read_bytes() == data


@pytest.mark.parametrize("codec", ["gbk", "shift_jis", "euc_kr"])
def test_b15_words_that_the_edit_quotes_settle_the_encoding_of_the_file(wattson, repo, codec):
    old, new = CODECS[codec]
    place = repo / "odd.py"
    place.write_bytes(f"a = 1\n{old}b = 2\n".encode(codec))
    code, _, err = wattson("apply", stdin=block("odd.py", old, new))
    assert code == 0, err
    assert place.read_bytes() == f"a = 1\n{new}b = 2\n".encode(codec)


def test_b16_other_names_of_a_file_are_told_after_it_is_written(wattson, ask, repo, tmp_path):
    os.link(repo / "kettle/meter.py", tmp_path / "twin.py")
    (repo / "kettle/meter.py").chmod(0o750)
    code, _, err = wattson("apply", stdin=EDIT)
    assert code == 0
    assert "hard link" in err
    assert "joules: float = 0.0" in (tmp_path / "twin.py").read_text()
    assert (repo / "kettle/meter.py").stat().st_mode & 0o777 == 0o750
    os.link(repo / "kettle/boil.py", tmp_path / "boil.py")
    first = (repo / "kettle/boil.py").read_text().split("\n", maxsplit=1)[0] + "\n"
    code, _, err = ask(block("kettle/boil.py", first, "# new\n" + first), "--apply")
    assert code == 0
    assert "hard link" in err


class Meddling(loopback.Server):
    """Changes a file of the repository while it answers."""

    def __init__(self, place, old, new):
        super().__init__(loopback.openai(EDIT))
        outer = self

        class Answers(list):
            def __getitem__(self, index):
                place.write_text(place.read_text().replace(old, new))
                return list.__getitem__(self, index)

        outer.answers = Answers(self.answers)


def test_b17_what_changed_while_the_model_spoke_is_kept_and_told(ask, repo):
    place = repo / "kettle/meter.py"
    code, lines, _ = ask("", "--apply", server=Meddling(place, "class Meter", "# typed meanwhile\nclass Meter"))
    assert code == 0
    assert "# typed meanwhile\nclass Meter" in place.read_text()
    assert "joules: float = 1.0" in place.read_text()
    assert any("changed since the model saw it" in line.get("text", "") for line in lines)


def test_b17_what_was_typed_into_the_very_lines_refuses_the_edit(ask, repo):
    place = repo / "kettle/meter.py"
    code, lines, _ = ask("", "--apply", server=Meddling(place, "joules: float = 0.0", "joules: float = 7.0"))
    assert code == 3
    assert "joules: float = 7.0" in place.read_text()
    assert lines[-1]["misfits"][0]["reason"] == "not_found"


async def test_b17_a_byte_changed_after_the_answer_is_asked_about_and_never_overwritten(make_session, repo):
    place = repo / "kettle/meter.py"
    with loopback.Server(loopback.openai(EDIT)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.switch("openai/gpt-6.1-sol")
        seen = [event async for event in session.ask("go on")]
        patch = next(event.patch for event in seen if isinstance(event, events.PatchProposed))
        place.write_text(place.read_text() + "# typed\n")
        moved = [event async for event in session.deciding.apply(Review.of(patch, "take"))]
        assert [type(event) for event in moved] == [events.PatchMoved]
        assert "joules: float = 0.0" in place.read_text()
        done = [event async for event in session.deciding.apply(moved[0].review)]
        assert isinstance(done[0], events.PatchApplied)
        assert place.read_text().endswith("# typed\n")
        assert "joules: float = 1.0" in place.read_text()
    await session.close()


@pytest.mark.parametrize("size", [20_500_000, 50_000_000])
def test_b19_a_huge_file_is_refused_and_costs_little(wattson, repo, size):
    place = repo / "huge.txt"
    place.write_bytes(b"line\n" * (size // 5))
    code, lines, _ = wattson("apply", "--json", stdin=block("huge.txt", "line\n", "lines\n"), lines=True)
    assert code == 3
    assert lines[0]["misfits"][0]["reason"] == "unreadable"
    assert place.stat().st_size == size


@pytest.mark.parametrize(
    "body", [b"x" * 3_000_000 + b"\n", b"a = 1\n" * 1_000_000], ids=["one line", "a million lines"]
)
def test_b19_a_minified_file_and_a_million_lines_are_edited_or_refused(wattson, repo, body):
    place = repo / "big.js"
    place.write_bytes(body + b"last();\n")
    code, _, err = wattson("apply", stdin=block("big.js", "last();\n", "first();\n"))
    assert code == 0, err
    assert place.read_bytes() == body + b"first();\n"


# Two windows on one root.


def test_b17_two_windows_write_one_after_the_other_and_never_over_each_other(repo, env):
    """Twelve processes change the same file at once, each its own line; some change the same line."""
    place = repo / "shared.txt"
    place.write_text("".join(f"line {number}\n" for number in range(10)))
    children = []
    for number in range(12):
        line = number % 10
        reply = block("shared.txt", f"line {line}\n", f"line {line} of {number}\n")
        child = subprocess.Popen(
            [sys.executable, "-m", "assistant", "apply", "--json"],
            cwd=repo, env={**env, "PYTHONPATH": str(Path.cwd())}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert child.stdin
        children.append((number, child, reply))
    for _, child, reply in children:
        child.stdin.write(reply.encode())
        child.stdin.close()
    written, refused = [], []
    for number, child, _ in children:
        out = json.loads(child.stdout.read())
        err = child.stderr.read().decode()
        code = child.wait(60)
        child.stdout.close()
        child.stderr.close()
        assert "Traceback" not in err
        assert code == (0 if out["written"] else 3), err
        (written if out["written"] else refused).append(number)
    now = place.read_text()
    assert {number for number in range(12) if f" of {number}\n" in now} == set(written)
    assert written
    assert now.count("\n") == 10


async def test_b17_undo_in_one_window_after_the_other_has_written(make_session, repo):
    one, other = make_session(), make_session()
    for session, old, new in ((one, "line 1\n", "one\n"), (other, "line 8\n", "eight\n")):
        if session is one:
            (repo / "shared.txt").write_text("".join(f"line {number}\n" for number in range(10)))
        patch, misfits = session.changes.read_reply(block("shared.txt", old, new))
        assert not misfits
        assert [event async for event in session.deciding.apply(Review.of(patch, "take"))]
    # Undo of this window's own step goes around what the other wrote since, and shows it first.
    shown = [event async for event in one.deciding.preview("undo", step=one.journal.history()[0].id)]
    assert shown[0].preview.merged == ("shared.txt",)
    assert "one\n" in (repo / "shared.txt").read_text()
    async for _ in one.deciding.carry_out(shown[0].preview):
        pass
    now = (repo / "shared.txt").read_text()
    assert "line 1\n" in now and "eight\n" in now
    # What the other window has in the way is refused, with nothing written.
    patch, _ = one.changes.read_reply(block("shared.txt", "eight\n", "acht\n"))
    assert [event async for event in one.deciding.apply(Review.of(patch, "take"))]
    mine = next(step.id for step in other.journal.history() if step.session == other.id)
    shown = [event async for event in other.deciding.preview("undo", step=mine)]
    assert shown[0].preview.conflicts
    assert "acht\n" in (repo / "shared.txt").read_text()
    await one.close()
    await other.close()
