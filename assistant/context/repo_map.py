"""The definitions of a file, as short as possible: their names, grouped by what they stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from assistant.context.tags import Tags

_CONTAINERS = {
    "class",
    "type",
    "interface",
    "trait",
    "struct",
    "enum",
    "module",
    "namespace",
    "object",
    "protocol",
    "impl",
}


def names(tags: Tags, only: Collection[int] | None = None, without: Collection[int] = ()) -> str:
    """Write the names that a file defines on one line: `a, b, Kettle(fill, boil)`.

    `only` keeps the definitions at these places of `tags.defs`, `without` leaves some out.
    """
    outer: list[tuple[int, int]] = []
    rows: list[str] = []
    inside: dict[int, list[str]] = {}
    order: list[tuple[str, int]] = []
    for at, tag in enumerate(tags.defs):
        while outer and outer[-1][1] < tag.start:
            outer.pop()
        wanted = (only is None or at in only) and at not in without
        home = outer[-1][0] if outer else -1
        if tag.kind in _CONTAINERS and tag.end > tag.start:
            outer.append((at, tag.end))
            inside[at] = []
            order.append((tag.name if wanted else "", at))
        elif wanted:
            if home >= 0:
                inside[home].append(tag.name)
            else:
                order.append((tag.name, -1))
    for name, at in order:
        held = list(dict.fromkeys(inside.get(at, ()))) if at >= 0 else []
        if held:
            rows.append(f"{name or tags.defs[at].name}({', '.join(held)})")
        elif name:
            rows.append(name)
    return ", ".join(dict.fromkeys(rows))
