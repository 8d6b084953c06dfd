"""Whether a lazy part was made."""

from functools import cached_property

import pytest

from assistant.lazy import made


class Room:
    door = "shut"

    @cached_property
    def lamp(self):
        return "lit"


def test_a_part_is_made_when_it_was_asked_for():
    room = Room()
    assert not made(room, "lamp")
    assert room.lamp == "lit"
    assert made(room, "lamp")


@pytest.mark.parametrize("name", ["lamps", "door"])
def test_a_name_that_no_lazy_part_has_is_an_error(name):
    with pytest.raises((AttributeError, TypeError)):
        made(Room(), name)
