"""Tables of an answer: columns that fit, cells within theirs, and a block a row where there is no room for columns."""

import pytest
from rich.cells import cell_len

from assistant.tui import tables

ROWS = [
    "| Name | Meaning of the column | N |",
    "|:-----|:---------------------:|--:|",
    "| alpha | the first letter of an alphabet, with a **long** explanation that wraps | 1 |",
    "| 宽的字 | `a | b` and c\\|d | 1000 |",
]


def drawn(rows, width):
    table = tables.Table(*rows[:2])
    for row in rows[2:]:
        table.take(row)
    lines = [line for at, row in enumerate(rows) for line in table.lines(row, at, width)]
    return ["".join(piece.text for piece in line) for line in lines]


def test_columns_are_as_wide_as_their_cells_and_aligned_as_the_line_below_the_head_says():
    found = drawn(["| name | what it `does` |", "|:--|--:|", r"| **a** | b \| c |", "| 宽 |"], 80)
    assert found == ["name │ what it does", "─────┼─────────────", "a    │        b | c", "宽   │             "]


@pytest.mark.parametrize("width", [78, 58, 40])
def test_cells_wrap_within_their_column(width):
    found = drawn(ROWS, width)
    assert all(cell_len(line) == width for line in found)
    assert len({tuple(cell_len(part) for part in line.replace("┼", "│").split("│")) for line in found}) == 1
    middle = " ".join(line.split("│")[1].strip() for line in found if "│" in line)
    assert "the first letter of an alphabet, with a long explanation that wraps" in middle
    assert "a | b and c|d" in middle
    assert [line.split("│")[2].strip() for line in found if "│" in line and line.split("│")[2].strip()] == [
        "N",
        "1",
        "1000",
    ]


def test_too_narrow_for_columns_each_row_is_a_block():
    assert drawn(ROWS, 26) == [
        "Name: alpha",
        "Meaning of the column:",
        "  the first letter of an",
        "  alphabet, with a long",
        "  explanation that wraps",
        "N: 1",
        "─" * 24,
        "Name: 宽的字",
        "Meaning of the column: a",
        "  | b and c|d",
        "N: 1000",
    ]
    assert drawn(ROWS[:2], 15) == ["Name · Meaning", "of the column ·", "N"]


def test_a_tag_breaks_a_line_within_a_cell():
    assert drawn(["|a|b|", "|-|-|", "| x<br/>yy | • one<br>two |"], 40)[2:] == ["x  │ • one", "yy │ two  "]


@pytest.mark.parametrize(
    ("head", "between", "is_one"),
    [
        ("| a | b |", "|---|---|", True),
        ("| a |", "|:-:|", True),
        ("a | b", "--|--", True),
        ("a | b", "---", False),
        ("a | b | c", "--|--", False),
        ("no bar", "|---|---|", False),
        ("| a | b |", "| c | d |", False),
        ("|" * 100, "|-" * 100, False),
    ],
)
def test_what_a_table_begins_with(head, between, is_one):
    assert tables.begins(head, between) is is_one


def test_a_row_with_more_cells_than_columns_loses_none():
    assert drawn(["|a|b|", "|-|-|", "|1|2|3|4|"], 40)[2] == "1 │ 2 | 3 | 4"


def test_a_long_table_keeps_its_columns():
    rows = ["|a|b|", "|-|-|", *(f"| {n} | x |" for n in range(400)), "| one that is wider | y |"]
    found = drawn(rows, 60)
    assert found[-1].split("│")[0].rstrip() != "one that is wider"
    assert len({line.replace("┼", "│").index("│") for line in found}) == 1
