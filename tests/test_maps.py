"""The maps of the code: the picture and the walk in the README, and the docstring of each room, name what is there."""

import importlib
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BUILT = (ROOT / "README.md").read_text().partition("## How it is built")[2]


def names(words):
    """Return the modules and folders that words name."""
    return re.findall(r"`([a-z_]+)/?`", words)


@pytest.mark.parametrize("room", ["context", "models", "edits", "quota", "tui"])
def test_a_room_says_in_which_order_its_modules_work(room):
    words = importlib.import_module(f"assistant.{room}").__doc__
    there = {each.stem for each in (ROOT / "assistant" / room).iterdir()}
    assert len(names(words)) > 10
    assert set(names(words)) <= there


def test_the_picture_has_the_floors_that_are_kept():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = next(each["layers"] for each in contracts if each["type"] == "layers")
    kept = {name: at for at, floor in enumerate(floors) for name in floor.split(" | ") if name != "__main__"}
    drawn = [name for line in BUILT.split("```")[1].splitlines() for name in line[:41].split()]
    assert sorted(drawn) == sorted(kept)
    assert [kept[name] for name in drawn] == sorted(kept.values())


def test_the_walk_names_files_that_are_there():
    walk = BUILT.partition("One question")[2].partition("\n\n|")[0]
    files = re.findall(r"`([a-z_/]+\.py)`", walk)
    assert len(files) > 10
    assert [each for each in files if not (ROOT / "assistant" / each).is_file()] == []
