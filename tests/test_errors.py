"""The tree of what can go wrong, as it is drawn and as it is."""

import re

from assistant import errors


def below(kind, depth=0):
    """Give the name and depth of each class below one."""
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child.__name__, depth
            yield from below(child, depth + 1)


def test_every_error_stands_in_the_tree_at_its_depth():
    drawn = re.findall(r"^    ((?:│   |    )*)[├└]── (\w+)", errors.__doc__, re.MULTILINE)
    assert sorted((name, len(lead) // 4) for lead, name in drawn) == sorted(below(errors.AssistantError))
