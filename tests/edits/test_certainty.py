"""Whether a change has one place in a text that was changed meanwhile."""

import random

import pytest

from assistant.edits.certainty import is_sure
from assistant.edits.merge import merge

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


def block(name, size, value=1):
    """A class of so many fields, like any other but for its name."""
    fields = [f"    n{number} = {number}" for number in range(size)]
    return [f"class {name}:", *fields, "", "    def go(self):", f"        return {value}", "", ""]


def join(blocks):
    return ("\n".join(line for _, lines in blocks for line in lines) + "\n").encode()


def changed(blocks, name):
    return [
        (each, [line.replace("return 1", "return 2") if each == name else line for line in lines])
        for each, lines in blocks
    ]


@pytest.mark.parametrize("seed", range(40))
def test_what_is_sure_is_put_where_it_belongs_however_equal_parts_were_shuffled(seed):
    dice, sure = random.Random(seed), 0
    for _ in range(25):
        size, names = dice.choice([0, 1, 3, 8]), list("ABCDEF")[: dice.randint(2, 6)]
        name, base = dice.choice(names), [(each, block(each, size)) for each in names]
        now = [(each, list(lines)) for each, lines in base]
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(len(now))
            mine, lines = now[at]
            match dice.choice(["move", "twin", "typed", "changed", "renamed", "gone"]):
                case "move":
                    now.insert(dice.randrange(len(now)), now.pop(at))
                case "twin":
                    now.insert(at + dice.choice([0, 1]), (f"{mine}2", [f"class {mine}2:", *lines[1:]]))
                case "typed":
                    now[at] = (mine, [*lines[:1], "    # hm", *lines[1:]])
                case "changed":
                    now[at] = (mine, [line.replace("return 1", "return 9") for line in lines])
                case "renamed":
                    now[at] = (mine, [f"class {mine}r:", *lines[1:]])
                case "gone" if len(now) > 1 and mine != name:
                    now.pop(at)
                case _:
                    pass
        if is_sure(join(base), join(changed(base, name)), join(now)):
            sure += 1
            assert merge(join(base), join(changed(base, name)), join(now)) == join(changed(now, name)), (
                name,
                join(now),
            )
    assert sure
