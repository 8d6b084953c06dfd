"""Whether a change has one place in a text that was changed meanwhile."""

import pytest

from assistant.edits.certainty import is_sure

BASE = b"a\nb\nc\nd\ne\nf\ng\nh\n"
OURS = b"a\nb\nc\nD\ne\nf\ng\nh\n"


@pytest.mark.parametrize(
    ("theirs", "sure"),
    [
        (BASE, True),
        (BASE + b"more\n", True),
        (b"first\n" + BASE, True),
        (b"a\nB\nc\nd\ne\nf\ng\nh\n", True),
        (b"a\nb\ntyped\nc\nd\ne\nF\ng\nh\n", True),
        (OURS, True),  # it is there already
        (b"a\nb\nc\nd, typed\ne\nf\ng\nh\n", False),
        (b"a\nb\nc\ne\nf\ng\nh\n", False),
        (BASE * 2, False),
        (BASE + b"x\n" + BASE, False),
        (b"", False),
    ],
)
def test_a_place_is_sure_where_the_lines_that_go_stand_only_once(theirs, sure):
    assert is_sure(BASE, OURS, theirs) is sure


def test_lines_that_only_come_have_a_place_between_lines_that_stand_only_once():
    base = b"{\n}\n" * 3 + b"end\n"
    ours = base.replace(b"end", b"new\nend")
    assert is_sure(base, ours, b"typed\n" + base)
    assert not is_sure(base, b"{\nnew\n}\n" + base[4:], b"{\n}\nx\n{\n}\n{\n}\nend\n")
