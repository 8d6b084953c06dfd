"""The words that teach a model a notation, read by the parsers as if a model had answered with the very example."""

import pytest

from assistant import discover, prompts
from assistant.edits.edit import Edit
from assistant.edits.format import open_parser
from assistant.edits.match import fit

FILES = {
    "greeting.py": b"top\na line that stays\na line that goes\na line that stays\nlines exactly as they are in the file now\n",
    "old.py": b"old\n",
}


@pytest.mark.parametrize(
    "name", [name for name in discover.part_names("assistant.edits.formats") if name != "whole_file"]
)
def test_the_example_in_our_own_words_is_an_edit(name):
    parser = open_parser()
    found = [*parser.feed(prompts.fill(f"formats/{name}")), *parser.close()]
    edits = [each for each in found if isinstance(each, Edit)]
    assert found == edits
    assert {each.format for each in edits} == {name}
    fitted = fit(edits, {path: (data, 0o644) for path, data in FILES.items()}.get)
    assert not fitted.misfits
    assert "greeting.py" in fitted.patch.paths
