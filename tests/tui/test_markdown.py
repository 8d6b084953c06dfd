"""Answers without the marks of Markdown: what is a mark goes, and nothing else does."""

import pytest
from textual.geometry import Size

from assistant.tui import markdown
from assistant.tui.app import Wattson
from assistant.tui.markdown import Piece
from tests import loopback
from tests.tui.keys import say, until


def text(line):
    return "".join(piece.text for piece in markdown.shown(line))


@pytest.mark.parametrize(
    ("line", "pieces"),
    [
        ("use **this**, `not that`", [("use ", ""), ("this", "strong"), (", ", ""), ("not that", "ticked")]),
        ("**in `code`** too", [("in ", "strong"), ("code", "ticked"), (" too", "")]),
        ("`` a `tick` ``, *so*", [("a `tick`", "ticked"), (", ", ""), ("so", "emphasis")]),
        ("### The **end** ###", [("The ", ""), ("end", "strong")]),
        ("这是**粗体**字", [("这是", ""), ("粗体", "strong"), ("字", "")]),
        (
            "it is ~~gone~~ **here ~~not~~**",
            [("it is ", ""), ("gone", "struck"), (" ", ""), ("here ", "strong"), ("not", "struck")],
        ),
        (
            "a &lt; b &amp;&#38; c&nbsp;d, `&amp;`",
            [
                ("a ", ""),
                ("<", ""),
                (" b ", ""),
                ("&", ""),
                ("&", ""),
                (" c", ""),
                (" ", ""),
                ("d, ", ""),
                ("&amp;", "ticked"),
            ],
        ),
        ("see [the page](https://a.b/c)", [("see ", ""), ("the page", ""), (" (https://a.b/c)", "")]),
    ],
)
def test_marks_become_styles(line, pieces):
    assert markdown.shown(line) == [Piece(*each) for each in pieces]


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("  - one", "  • one"),
        ("* two", "• two"),
        ("> said", "│ said"),
        ("---", "─" * 24),
        ("[a](a)", "a"),
    ],
)
def test_signs_of_lists_and_quotes_are_drawn(line, seen):
    assert text(line) == seen


@pytest.mark.parametrize(
    "line",
    [
        "2**3 and 4**5",
        "a * b * c",
        "src/*.py and tests/*.py",
        "*.py, lib/*.js",
        "src/**/a and src/**/b",
        "**/*.py,**/*.js",
        "def f(*args, **kwargs): and *more",
        "__init__ and a_b_c",
        "-x is an option, -- too",
        "#hash and 1. one",
        "an `open tick and **open star",
        "array[0](1) or x[a](b)",
        "~/a and ~~/b, 5~~6",
        "a & b &c; ?x=1&copy=2 &#27; &#8238; &ZeroWidthSpace; &NewLine; &#x110000;",
        "",
    ],
)
def test_what_is_no_mark_stays_as_it_is(line):
    assert text(line) == line


@pytest.mark.parametrize(
    ("line", "marks", "language"),
    [
        ("```py", "```", "py"),
        ("   ~~~~ Rust title=x", "~~~~", "rust"),
        ("- ```", "```", ""),
        ("12. ```sh", "```", "sh"),
        ("````markdown", "````", "markdown"),
    ],
)
def test_a_block_of_code_begins_with_its_marks(line, marks, language):
    assert markdown.Fence.of(line) == (marks, language)


def test_a_block_of_code_ends_with_as_many_marks_and_nothing_else():
    fence = markdown.Fence.of("````md")
    assert [each for each in ("```", "````", "  `````", "````py", "~~~~", "") if fence.ends(each)] == [
        "````",
        "  `````",
    ]
    assert markdown.Fence.of("```x``` is code in a line") is None


ANSWER = """## Why

It is **slow**:

| part | time |
|------|-----:|
| `parse()` | 1 |
| **the rest of it** | 22 |

- so make it faster, which takes more than one line of the screen
| no table |

```py
x = "**not bold** `x`"
```
"""


@pytest.mark.parametrize("width", [100, 24])
async def test_an_answer_is_drawn_without_marks_and_copied_with_them(make_session, width):
    with loopback.Server(loopback.openai(ANSWER)) as server:
        session = make_session(OPENAI_BASE_URL=server.url + "/v1", OPENAI_API_KEY="sk-test-0123456789abcdef")
        app = Wattson(session, "openai/gpt-6.1-sol")
        async with app.run_test(size=(width, 40)) as pilot:
            main = app.main
            await until(pilot, lambda: app.session.roster.pick is not None)
            await say(pilot, "why?")
            await until(pilot, lambda: "fresh" in main.talk.text)
            await pilot.pause(0.3)
            seen = [main.talk.render_line(y).text.strip() for y in range(main.talk.size.height)]
            assert "Why" in seen
            assert "It is slow:" in seen
            assert 'x = "**not bold**' in " ".join(seen)
            assert "| no table |" in seen
            if width == 100:
                assert seen[seen.index("part           │ time") :][:4] == [
                    "part           │ time",
                    "───────────────┼─────",
                    "parse()        │    1",
                    "the rest of it │   22",
                ]
            else:
                assert any(each.startswith("• so make it") for each in seen)
            assert "**slow**" in main.talk.text
            await pilot.resize_terminal(60, 30)
            await until(pilot, lambda: main.talk.virtual_size.width and Size(60, 30) == app.size)
            await pilot.pause(0.2)
            assert any("the rest of it │   22" in main.talk.render_line(y).text for y in range(28))
