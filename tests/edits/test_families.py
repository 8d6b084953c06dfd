"""Right answers, spoilt as models spoil them: what must be applied is exact, what must be refused is refused whole.

A few seeds of each family run here; more with `python -m tests.edits.mutations FIRST LAST`.
"""

import re
from pathlib import Path

import pytest

from tests.edits.mutations import FAMILIES, GOOD, case, check

SEEDS = range(4)
SLOW = {"sr/large-file", "sr/large-file-miss"}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_ends_as_it_must(name, tmp_path):
    for seed in SEEDS[:1] if name in SLOW else SEEDS:
        made = case(name, seed)
        assert made is not None, "the dice never showed this family"
        became, words = check(made, tmp_path / str(seed), write=False)
        assert became in GOOD[made.must], (seed, words)


def test_every_family_of_the_specification_has_cases():
    ours = {re.sub(r"^sr/", "edit_block/", re.sub(r"^udiff/", "unified_diff/", name)) for name in FAMILIES}
    ours = {re.sub(r"^ap/", "apply_patch/", re.sub(r"^whole/", "whole_file/", name)) for name in ours}
    folders = {
        f"{path.parent.name.replace('real_chat', 'real-chat')}/{path.name}"
        for path in (Path(__file__).parent / "scenarios").glob("*/*")
        if path.parent.name != "real_model"
    }
    large = {"edit_block/large-file", "edit_block/large-file-miss"}  # made by the test, too large to keep
    assert ours - large == folders
    assert len(ours) >= 152
