"""Section C of the checklist: what reaches the screen. The screen itself is a terminal of our own (a pty)."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from assistant.edits.patch import FilePatch, Patch
from assistant.edits.review import Review
from assistant.tui.app import Wattson
from assistant.tui.hunk_rows import Subject
from assistant.visible import doubts, plain, safe
from tests import loopback
from tests.tui.keys import say, until

KEY = "k" * 20
HOSTILE = {
    "clipboard": "\x1b]52;c;ZXZpbA==\x07", "title": "\x1b]0;evil\x07", "title report": "\x1b[21t", "link": "\x1b]8;;file:///etc/passwd\x1b\\here\x1b]8;;\x1b\\",
    "colour": "\x1b[31m", "cursor up": "\x1b[1A\x1b[2K", "alternate": "\x1b[?1049h", "dcs": "\x1bP$q\x1b\\", "c1 csi": "\x9b31m", "c1 osc": "\x9d52;c;eA==\x9c",
    "return": "good\rEVIL", "backspace": "abc\x08\x08\x08xyz", "nul": "a\x00b", "bell": "\x07", "shift": "\x0e\x0f", "delete": "\x7f", "form": "\x0c\x0b",
    "bidi": "\u202eevil\u202c", "isolate": "\u2066x\u2069", "width": "a\u200bb", "tags": "\U000e0041\U000e0042", "selectors": "a\ufe01\U000e0101", "filler": "\u3164",
}  # fmt: skip
FORBIDDEN = [chr(code) for code in (*range(9), *range(11, 32), *range(127, 160))] + list("\u202e\u202c\u2066\u2069\u200b\ufe01\u3164") + ["\U000e0041", "\U000e0101"]  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_c1_every_class_is_made_visible(what):
    for make in (safe, plain):
        shown = make(f"before {HOSTILE[what]} after")
        assert not [sign for sign in FORBIDDEN if sign in shown and sign not in "\t\n"]
        assert shown.startswith("before ")
        assert shown.endswith(" after")


def drive(argv, env, cwd, send=(), until_end=True, seconds=40, size=(30, 100)):
    """Run a program in a terminal of its own; `send` are (wait for these bytes, then type these). Returns (code, output)."""
    child, terminal = pty.fork()
    if not child:
        os.chdir(cwd)
        os.execve(argv[0], argv, {**env, "PYTHONPATH": str(Path(__file__).parents[2])})
    termios.tcsetwinsize(terminal, size)
    out, todo, end = b"", list(send), time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.05)[0]:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            out += piece
        if todo and todo[0][0] in out:
            typed = todo.pop(0)[1]
            if callable(typed):
                typed(child)
            else:
                os.write(terminal, typed)
    else:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(terminal)
    return code, out


def test_c1_no_answer_drives_the_terminal_from_the_shells_face(repo, env):
    words = "".join(f"{name}: {signs}\n" for name, signs in HOSTILE.items())
    with loopback.Server(loopback.openai(words)) as server:
        argv = [sys.executable, "-m", "assistant", "ask", "-m", "openai/gpt-6.1-sol", "hi"]
        code, out = drive(argv, {**env, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY}, repo)
        piped = subprocess.run(
            argv, cwd=repo, env={**env, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "PYTHONPATH": str(Path.cwd())}, capture_output=True
        )  # fmt: skip
    text = out.decode().replace("\r\n", "\n")
    assert code == 0
    assert "clipboard: ␛]52" in text
    assert not [sign for sign in FORBIDDEN if sign in text]
    assert piped.stdout.decode() == words  # into a pipe it is data, byte for byte


def test_c1_names_and_errors_drive_nothing_either(repo, env, wattson):
    (repo / "a\x1b]0;evil\x07.py").write_text("def odd():\n    return 1\n")
    error = (400, {"content-type": "application/json"}, json.dumps({"error": {"message": "no \x1b[31m way"}}).encode())
    with loopback.Server(error) as server:
        _, _, err = wattson(
            "ask", "-m", "openai/gpt-6.1-sol", "hi", OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY
        )  # fmt: skip
    assert "way" in err
    assert "\x1b" not in err
    code, out = drive([sys.executable, "-m", "assistant", "context", "what does odd return?"], env, repo)
    assert code == 0
    assert b"odd" in out
    assert b"\x1b" not in out
    _, _, err = wattson("apply", stdin="x\x1b[31m.py\n```\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n```\n")
    assert "\x1b" not in err


async def test_c1_c3_c5_nothing_hostile_reaches_any_widget(make_session, repo):
    """Answers, hunks, notes and rows of lists full of escapes and markup: drawn literally, cut anywhere."""
    marks = ["[/]", "[r", "[@click=app.quit]x[/]", "[bold", "[link=file:///x]y[/link]", "[$x]", "[", "\\[", "[/foo]"]
    words = "".join(f"{signs} {mark}\n" for signs in HOSTILE.values() for mark in marks[:3]) + "\n".join(marks) + "\n"
    first = (repo / "kettle/meter.py").read_text().split("\n", maxsplit=1)[0] + "\n"
    body = "".join(f"# {line}\n" for line in words.split("\n"))
    reply = words + f"kettle/meter.py\n```\n<<<<<<< SEARCH\n{first}=======\n{first}{body}>>>>>>> REPLACE\n```\n"
    with loopback.Server(loopback.openai(reply)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(120, 50)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, words[:2000])
            await until(pilot, lambda: session.proposed is not None)
            await pilot.pause(0.1)
            drawn = app.main.talk.text
            for widget in (app.main.talk, app.main.hunks):
                for y in range(200):
                    widget.scroll_to(y=y, animate=False)
                    strip = widget.render_line(0)
                    drawn += strip.text
                    assert not [
                        each for each in strip if each.style and (each.style.link or each.style.meta.get("@click"))
                    ]
            assert not [sign for sign in FORBIDDEN if sign in drawn and sign != "\n"]
            assert "[@click=app.quit]x[/]" in drawn


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = '\u202e'", "U+202E"), ("a\u200bb", "U+200B"), ("\U000e0041", "U+E0041"), ("if p\u0430ssword:", "two alphabets"), ("def \u0391dmin", "two alphabets"),
        ("plain", ""), ("größe = 1", ""), ("Привет мир", ""), ("μ = 3; Δx = 2", ""), ("naïve café 中文", ""), ("👩‍👩‍👧", ""), ("❤️‍🔥", ""), ("pass\u200dword", "U+200D"),
    ],
)  # fmt: skip
def test_c2_what_is_not_as_it_looks_is_told(text, words):
    assert words in "; ".join(doubts(text))
    assert bool(doubts(text)) is bool(words)


async def test_c2_the_warning_stands_above_the_hunk(make_session):
    app = Wattson(make_session())
    async with app.run_test(size=(100, 30)) as pilot:
        patch = Patch((FilePatch("a.py", b"x = 1\n", "x = 1\nif p\u0430ss: \u202e\n".encode(), 0o644, 0o644),))
        app.main.hunks.show(Subject(Review.of(patch)))
        app.main.go_to_hunks()
        await pilot.pause(0.1)
        drawn = "\n".join(app.main.hunks.render_line(y).text for y in range(12))
        assert "hidden characters: U+202E" in drawn
        assert "two alphabets" in drawn
        assert "<U+202E>" in drawn


@pytest.mark.parametrize(
    "line",
    ["x" * 2_000_000, "a" + "\u0301" * 1_000_000, "\t" * 100_000, "👩‍👩‍👧‍👦" * 50_000, "中" * 200_000, "[" * 300_000],
    ids=["long", "marks", "tabs", "family", "wide", "brackets"],
)
async def test_c4_lines_without_end_do_not_freeze_the_screen(make_session, line):
    app = Wattson(make_session())
    async with app.run_test(size=(80, 24)) as pilot:
        begun = time.process_time()
        app.main.talk.append(line[: len(line) // 2])
        app.main.talk.append(line[len(line) // 2 :] + "\n")
        app.main.talk.end()
        patch = Patch((FilePatch("a.py", b"x\n", (line + "\n").encode(), 0o644, 0o644),))
        app.main.hunks.show(Subject(Review.of(patch)))
        app.main.go_to_hunks()
        await pilot.pause(0.05)
        await pilot.resize_terminal(33, 9)
        await pilot.pause(0.05)
        assert time.process_time() - begun < 20  # seconds of a hang, not a measure of speed


async def test_c7_keys_and_pastes_that_come_before_the_hunks_decide_nothing(make_session, repo):
    before = (repo / "kettle/meter.py").read_text()
    edit = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
    with loopback.Server(loopback.openai(edit)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(100, 30)) as pilot:
            await until(pilot, lambda: session.roster.pick is not None)
            await say(pilot, "go on")
            for _ in range(3):  # typed ahead, while the answer comes
                await pilot.press("y", "enter")
            await until(pilot, lambda: app.main.hunks.hunks)
            assert (repo / "kettle/meter.py").read_text() == before
            await pilot.pause(0.5)
            from textual import events

            app.main.hunks.focus()
            app.post_message(events.Paste("A\ny\n"))
            await pilot.pause(0.2)
            assert (repo / "kettle/meter.py").read_text() == before


OFF = (b"\x1b[?1049l", b"\x1b[?1000l", b"\x1b[?1003l", b"\x1b[?2004l", b"\x1b[?25h")


@pytest.mark.parametrize("how", ["quit", "SIGTERM", "SIGHUP", "SIGINT"])
def test_c8_the_terminal_is_given_back_however_we_end(repo, env, how):
    def end(child):
        os.kill(child, getattr(signal, how))

    act = b"\x11" if how == "quit" else end
    argv = [sys.executable, "-m", "assistant", "tui", str(repo), "-m", "scripted/lesson"]
    sent = [(b"Wattson in", b"/quit\r")] if how == "quit" else [(b"Wattson in", act)]
    code, out = drive(argv, env, repo, sent, seconds=100)
    assert code != -signal.SIGKILL, "it did not end"
    after = out[out.rindex(b"Wattson in") :]
    assert not [mode for mode in OFF if mode not in after]
    assert b"Traceback" not in after


async def test_c9_a_storm_of_sizes_leaves_it_alive(make_session, repo):
    app = Wattson(make_session(), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session.roster.pick is not None)
        app.main.hunks.show(Subject(Review.of(Patch((FilePatch("a.py", b"x\n", b"y\nz\n", 0o644, 0o644),)))))
        for number in range(60):
            await pilot.resize_terminal(*((1, 1), (500, 200), (80, 24), (40, 10), (2, 60))[number % 5])
        await pilot.resize_terminal(80, 24)
        await say(pilot, "/help")
        await until(pilot, lambda: len(app.screen_stack) == 2)


@pytest.mark.parametrize(
    "more", [{"TERM": "dumb"}, {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0"}, {"NO_COLOR": "1"}, {"TERM": ""}], ids=str
)  # fmt: skip
def test_c10_any_terminal_will_do_and_a_closed_pipe_is_no_crash(repo, env, more):
    whole = {**env, **more, "PYTHONPATH": str(Path.cwd())}
    for args in (["context", "meter größe 中文"], ["models"]):
        argv = [sys.executable, "-m", "assistant", *args]
        done = subprocess.run(argv, cwd=repo, env=whole, capture_output=True, timeout=60)
        assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr
        child = subprocess.Popen(argv, cwd=repo, env=whole, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.close()
        err = child.stderr.read()
        child.stderr.close()
        assert child.wait(60) in {0, 1, 141, -signal.SIGPIPE}
        assert b"Traceback" not in err
        assert b"Exception ignored" not in err


def test_c10_without_colours_none_is_sent_and_the_row_that_is_chosen_shows(repo, env):
    argv = [sys.executable, "-m", "assistant", "tui", "-m", "scripted/lesson"]
    steps = [(b"now asking", b"\x1bOR"), (b"per million", lambda child: os.kill(child, signal.SIGTERM))]
    _, out = drive(argv, {**env, "NO_COLOR": "1", "COLORTERM": "truecolor"}, repo, steps)
    codes = {code for styles in re.findall(rb"\x1b\[([\d;]*)m", out) for code in styles.split(b";")}
    assert not codes & {b"%d" % code for code in (*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108))}
    row = next(styles for styles, words in re.findall(rb"\x1b\[([\d;]*)m([^\x1b]*)", out) if b"128k" in words)
    assert b"4" in row.split(b";")
