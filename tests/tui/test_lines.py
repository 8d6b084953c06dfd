"""Words as lines of the screen: nothing drives the terminal, nothing is lost when a line is wrapped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from assistant.tui import theme
from assistant.tui.lines import cut, wrap, wrapped
from assistant.visible import safe

DARK = theme.load("dark")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred", "␛[31mred"),
        ("a\rb", "a␍b"),
        ("\x9b31m", "<U+009B>31m"),
        ("\u202eevil", "<U+202E>evil"),
        ("zero\u200bwidth", "zero<U+200B>width"),
        ("\U000e0041tag", "<U+E0041>tag"),
        ("tab\tstop", "tab stop"),
        ("\udc80", "?"),
    ],
)
def test_signs_that_could_drive_a_terminal_are_made_visible(text, shown):
    assert safe(text) == shown


def test_piles_of_marks_and_endless_lines_are_cut():
    assert safe("a" + "\u0301" * 1_000_000) == "a" + "\u0301" * 3
    assert safe("x" * 1_000_000).endswith("(980,000 more characters)")


@given(st.text(), st.integers(4, 60))
def test_wrapping_loses_nothing_but_blanks_and_keeps_the_width(text, width):
    text = safe(text.replace("\n", " "))
    ranges = wrap(text, width)
    assert "".join(text[a:b] for a, b in ranges).replace(" ", "") == text.replace(" ", "")
    indent = min(len(text) - len(text.lstrip(" ")), width // 2)
    assert all(cell_len(text[a:b].rstrip()) <= width - (indent if a else 0) or b - a == 1 for a, b in ranges)


@given(st.text(), st.integers(4, 60))
def test_every_strip_has_the_width(text, width):
    strips = wrapped(safe(text.replace("\n", " ")), [], DARK["words"], width)
    assert {strip.cell_length for strip in strips} == {width}


def test_a_cut_text_says_so():
    assert cut("hello world", 8) == "hello w…"
    assert cut("日本語テキスト", 7) == "日本語…"
    assert cut("short", 8) == "short"
