"""Boiling water, and knowing when to stop."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

BOILING_C = 100
LITRE_J = 4_186


@dataclass
class Kettle:
    """A kettle with a lid, some water and a heater."""

    capacity_l: float = 1.7
    water_l: float = 0.0
    celsius: float = 20.0
    history: list[float] = field(default_factory=list)

    def fill(self, litres: float) -> float:
        """Pour water in; returns how much there is now."""
        if litres <= 0:
            raise ValueError("litres must be positive")
        room = self.capacity_l - self.water_l
        poured = min(room, litres)
        self.water_l += poured
        log.debug("filled %.2f l", poured)
        return self.water_l

    def empty(self, litres: float) -> float:
        """Pour water out; returns how much is left."""
        if litres <= 0:
            raise ValueError("litres must be positive")
        poured = min(self.water_l, litres)
        self.water_l -= poured
        log.debug("emptied %.2f l", poured)
        return self.water_l

    def heat(self, joules: float) -> bool:
        """Heat the water; True once it boils."""
        if not self.water_l:
            log.warning("the kettle is dry")
            return False
        self.celsius += joules / (self.water_l * LITRE_J)
        self.history.append(self.celsius)
        if self.celsius >= BOILING_C:
            self.celsius = BOILING_C
            return True
        return False

    def cool(self, joules: float) -> bool:
        """Let heat out; True once it is cold."""
        if not self.water_l:
            log.warning("the kettle is dry")
            return False
        self.celsius -= joules / (self.water_l * LITRE_J)
        self.history.append(self.celsius)
        return self.celsius <= 20


def describe(kettle: Kettle) -> str:
    """Say in words what is in a kettle."""
    parts = [f"{kettle.water_l:.1f} l", f"{kettle.celsius:.0f} C"]
    if kettle.celsius >= BOILING_C:
        parts.append("boiling")
    elif kettle.celsius > 60:
        parts.append("hot")
    return ", ".join(parts)


def main() -> None:
    kettle = Kettle()
    kettle.fill(1.2)
    while not kettle.heat(20_000):
        print(describe(kettle))
    print("done")


if __name__ == "__main__":
    main()
