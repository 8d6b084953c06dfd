"""Replies as they came from models, in miniature: several shapes at once."""

from tests.edits.mutations.case import FAMILIES, family
from tests.edits.mutations.desk import joined
from tests.edits.mutations.edit_block import shift_left, sr_case, twin
from tests.edits.mutations.notation import block, one, said, sr


@family("real-chat/exact", "apply")
def _(desk):
    made = one(desk, 2)
    if not made:
        return None
    path, before, after, _ = made
    parts = sr(path, before, after, desk.rng.choice([0, 2, 6]))
    return (
        {path: before},
        "To fix this, we need to change how it is done. Here are the changes:\n\n"
        + "\n".join(parts)
        + "\nThese changes do it. Let me know if you want more!",
        {path: after},
    )


@family("real-chat/fuzzy", "apply")
def _(desk):
    kind = desk.rng.randrange(2)
    return sr_case(desk, shift_left) if kind else FAMILIES["sr/trailing-ws-added"][1](desk)


@family("real-chat/ambiguous", "either")
def _(desk):
    made = twin(desk)
    if not made:
        return None
    path, rows, at, part = made
    new = [part[0], desk.touch(part[1]), *part[2:]]
    size = len(part)  # by lines: where the first is blank, a line end before it would do in a text
    swapped = [*rows[:at], *new, *rows[at + size : -size - 1], *new, rows[-1]]
    return {path: joined(rows)}, said([block(path, part, new)] * 2), {path: joined(swapped)}


@family("real-chat/rejected-by-aider", "either")
def _(desk):
    return FAMILIES["sr/one-typo"][1](desk)
