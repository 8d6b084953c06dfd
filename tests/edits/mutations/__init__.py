"""Cases for the edit engine: real files, real edits of them, written in each notation, then spoilt as models spoil them.

Everything follows from a family's name and a seed. What must become of the tree is known because the edit is made first
and the reply written after it.
"""

from tests.edits.mutations import apply_patch, edit_block, paths, real_chat, unified_diff, whole_file
from tests.edits.mutations.case import FAMILIES, case
from tests.edits.mutations.judge import GOOD, check

__all__ = [
    "FAMILIES",
    "GOOD",
    "apply_patch",
    "case",
    "check",
    "edit_block",
    "paths",
    "real_chat",
    "unified_diff",
    "whole_file",
]
