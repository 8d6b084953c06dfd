"""A sample."""

import os.path
import tea.water as water
from tea.house import Leaf, Cup as Mug
from .pot import *

LIMIT: int = 3
MOST = LEAST = 10
type Leaves = list[Leaf]
_cache = {}


@warm
@heated(LIMIT)
class Pot(Vessel, metaclass=Meta):
    """A pot."""

    SIZES = ("small", "large")
    leaf: Leaf
    level: int = 0

    def __init__(self, size: int) -> None:
        self.size = size

    @property
    def full(self) -> bool:
        return self.level >= LIMIT

    @classmethod
    async def brew(cls, leaf: Leaf) -> "Pot":
        return cls(await water.boil(leaf))

    class Lid:
        pass


def steep(leaf):
    def strain(cup):
        return Mug(cup)

    try:
        return strain(leaf.dry())
    except Spill:
        raise


if LIMIT:

    def late():
        pass


pour = lambda cup: cup
