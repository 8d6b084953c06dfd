"""What a terminal sends: keys stay keys, pastes are text, whatever bytes come and however they are cut."""

import asyncio
import io
import sys
import threading

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from textual import events
from textual.drivers._writer_thread import WriterThread

from assistant.tui.app import Wattson
from assistant.tui.terminal import Reader, Terminal, pasted
from tests.reliability.test_c_screen import drive

PASTE = b"\x1b[200~%s\x1b[201~"


def read(*pieces):
    """Read what comes in pieces; returns keys as text, and pastes as lists of one text."""
    reader, found = Reader(), []
    for piece in pieces:
        for part in reader.feed(piece):
            if isinstance(part, events.Paste):
                found.append([part.text])
            elif found and isinstance(found[-1], str):
                found[-1] += part
            else:
                found.append(part)
    return found + ([rest] if (rest := reader.rest()) else [])


def test_bytes_that_are_no_text_end_nothing():
    assert read(b"a\xfcb") == ["a�b"]
    assert read("ü".encode()[:1], "ü".encode()[1:]) == ["ü"]


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        (b"one\rtwo\r\nthree\n", "one\ntwo\nthree\n"),
        (b"\x1b[32mOK\x1b[0m passed\r\x1b[31mFAIL\x1b[0m", "OK passed\nFAIL"),
        (b"x\x15y\x07\x04 z\x7f", "xy z"),
        (b"\x1b]0;title\x07\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"\x1b]0;not ended", "0;not ended"),
        (b"before \x1b[200~ in it", "before  in it"),
        (b"\x1b\r", "\n"),
        (b"a\fb\x0bc\xc2\x85d", "a\nb\nc\nd"),
        (b"end \xff", "end �"),
        ("زبان‌ها 👩‍💻".encode(), "زبان‌ها 👩‍💻"),
    ],
)
def test_what_is_pasted_is_text(sent, text):
    assert read(b"k" + PASTE % sent + b"\r") == ["k", [text], "\r"]


@given(st.lists(st.integers(0, 60), max_size=6))
def test_however_it_is_cut_it_is_the_same(cuts):
    sent = b"a\x1b[A" + PASTE % "ü \x1b[1mb\x1b[0m\rc".encode() + b"\x1b[B\r" + PASTE % b"" + b"z"
    cuts = sorted(cuts)
    pieces = [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assume(b"\x1b" not in pieces)  # an escape that comes alone is a key, and waits for nothing
    assert read(*pieces) == ["a\x1b[A", ["ü b\nc"], "\x1b[B\r", [""], "z"]


@pytest.mark.parametrize("size", range(4080, 4100))
def test_a_paste_ends_wherever_a_terminal_cuts_it(size):
    """Linux hands over 4,095 bytes of a terminal at most: the mark of the end may be cut behind each of its bytes."""
    sent = PASTE % (b"x" * size) + b"q"
    assert read(sent[:4095], sent[4095:]) == [["x" * size], "q"]


def test_the_beginning_of_a_mark_that_goes_on_otherwise_is_keys():
    assert read(b"\x1b[2", b"0~") == ["\x1b[20~"]
    assert read(b"a\x1b[20") == ["a", "\x1b[20"]


@given(st.text())
def test_no_control_character_is_left_of_what_is_pasted(text):
    assert not [
        letter for letter in pasted(text) if (letter < " " and letter not in "\t\n") or "\x7f" <= letter < "\xa0"
    ]


def test_a_paste_of_escape_sequences_sends_nothing_and_an_odd_byte_ends_nothing(env, tmp_path):
    paste = PASTE % b"\x1b[32mOK\x1b[0m\r\x1b[31mFAIL\x1b[0m\rlast \xfc"
    code, out = drive(
        [sys.executable, "-m", "assistant", "demo"],
        {**env, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        tmp_path,
        send=[(b"practice", b"\xfc" + paste), (b"last", b"\x03"), (b"", b"\x03\x03")],
    )
    assert b"Traceback" not in out
    assert b"FAIL" in out
    assert code == 0


async def test_what_is_drawn_while_another_program_has_the_terminal_goes_nowhere(make_session):
    driver = Terminal(Wattson(make_session()))
    driver._writer_thread = WriterThread(io.StringIO())
    driver._writer_thread.start()
    driver._writer_thread.stop()  # as when an editor has the terminal
    drawing = threading.Thread(target=lambda: [driver.write("x") for _ in range(1_000)], daemon=True)
    drawing.start()
    await asyncio.to_thread(drawing.join, 20)
    assert not drawing.is_alive()
