"""One case of a family: a tree, a reply, and what must become of the tree."""

import hashlib
import random
from dataclasses import dataclass, field

from tests.edits.mutations.desk import Desk

FAMILIES = {}


@dataclass
class Case:
    family: str
    must: str  # apply, refuse, either, unchanged
    before: dict[str, bytes]
    reply: bytes
    after: dict[str, bytes] | None = None
    modes: dict[str, int] = field(default_factory=dict)
    modes_after: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


def family(name, must):
    def note(make):
        FAMILIES[name] = (must, make)
        return make

    return note


def case(name, seed):
    """Make one case; None where the dice gave nothing that shows the family."""
    must, make = FAMILIES[name]
    rng = random.Random(int(hashlib.sha256(f"{name}:{seed}".encode()).hexdigest()[:12], 16))
    for _ in range(60):
        made = make(Desk(rng))
        if made is not None:
            before, reply, after, *more = made
            extra = more[0] if more else {}
            encoded = {path: data if isinstance(data, bytes) else data.encode() for path, data in before.items()}
            wanted = None
            if after is not None:
                wanted = {path: data if isinstance(data, bytes) else data.encode() for path, data in after.items()}
            if must == "unchanged":
                wanted = encoded
            words = reply if isinstance(reply, bytes) else reply.encode("utf-8", "surrogateescape")
            return Case(name, must, encoded, words, wanted, **extra)
    return None
