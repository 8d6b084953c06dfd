import pytest

from assistant import discover, prompts, tokens
from assistant.errors import PromptError


@pytest.mark.parametrize("name", discover.part_names("assistant.edits.formats"))
def test_our_instructions_stay_small(name):
    assert tokens.count(prompts.fill("system", format=prompts.fill(f"formats/{name}"))) <= 700


def test_values_are_put_in_as_they_are_and_none_may_be_missing():
    assert "$x {y}" in prompts.fill("repair", misfits="$x {y}")
    with pytest.raises(PromptError, match=r"\$misfits"):
        prompts.fill("repair")
    with pytest.raises(PromptError, match="no words"):
        prompts.fill("nothing")


def test_every_file_of_words_is_in_the_list():
    names = {path.stem for path in prompts.folder().glob("*.md")} - {"README"}
    listed = (prompts.folder() / "README.md").read_text()
    assert all(f"`{name}.md`" in listed for name in names)
