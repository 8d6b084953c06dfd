"""Ranked files drawn as text: the signatures of what they define, below each other, within a budget of tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant import tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assistant.context.rank import Ranked
    from assistant.context.tags import Tags

_MOST_SYMBOLS = 12


def outline(path: str, tags: Tags, first: Sequence[str] = ()) -> str:
    """Draw one file: its path, then the declaring lines of what it defines, in order of the file."""
    defs = tags.defs
    if len(defs) > _MOST_SYMBOLS:
        wanted = set(first)
        chosen = sorted(
            defs,
            key=lambda tag: (tag.name not in wanted, tag.name.startswith("_"), tag.signature[:1] == " ", tag.start),
        )
        defs = tuple(sorted(chosen[:_MOST_SYMBOLS], key=lambda tag: tag.start))
    return "\n".join([path, *(f"  {tag.signature.rstrip(' {:')}" for tag in defs)])


def draw(ranked: Sequence[Ranked], tags: Mapping[str, Tags], budget: int) -> tuple[str, list[str]]:
    """Draw as many files as fit; returns the text and the paths in it, sorted so that equal maps are equal texts."""
    drawn: dict[str, str] = {}
    left = budget
    for each in ranked:
        if each.path not in tags or not tags[each.path].defs:
            continue
        text = outline(each.path, tags[each.path], [tag.name for tag in each.symbols])
        size = tokens.count(text) + 1
        if size <= left:
            drawn[each.path] = text
            left -= size
        if left < 20:
            break
    return "\n".join(drawn[path] for path in sorted(drawn)), sorted(drawn)
