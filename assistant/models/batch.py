"""Chunks that came together: what they say of an answer, and fewer of them where they say the same. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.models.wire import HeadersChunk, TextChunk, ThoughtChunk, UsageChunk, WaitingChunk

if TYPE_CHECKING:
    from assistant.models.wire import Chunk

_HIGH = ("\ud800", "\udbff")
"""The range of first halves of a pair, which servers that cut their text by UTF-16 send apart from the second."""


def speaks(batch: list[Chunk]) -> bool:
    """Say whether a batch has anything of an answer in it, after which the same question is not asked again."""
    return any(not isinstance(chunk, WaitingChunk | HeadersChunk) for chunk in batch)


class Merger:
    """Joins what came in one read, so that what follows costs by the read and not by the token.

    Words next to each other become one chunk, of running counts the last is kept, and a character whose halves came in two
    pieces is put together, also over two batches.
    """

    def __init__(self) -> None:
        self._half = ""

    def merge(self, batch: list[Chunk], *, last: bool = False) -> list[Chunk]:
        """Return the same in fewer chunks; `last` when no batch follows."""
        if len(batch) > 1:
            batch = _joined(_counted(batch))
        found: list[Chunk] = []
        for chunk in batch:
            if isinstance(chunk, TextChunk) and (self._half or not chunk.text.isascii()):
                words = self._whole(chunk.text)
                if words:
                    found.append(TextChunk(words))
            else:
                found.append(chunk)
        if last and self._half:
            self._half = ""
            found.insert(0, TextChunk("\ufffd"))
        return found

    def _whole(self, words: str) -> str:
        words, self._half = self._half + words, ""
        if _HIGH[0] <= words[-1] <= _HIGH[1]:
            words, self._half = words[:-1], words[-1]
        try:
            words.encode()
        except UnicodeEncodeError:
            # Halves that stand together become their character, those that stand alone a mark.
            words = words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return words


def _counted(batch: list[Chunk]) -> list[Chunk]:
    """Leave out counts that another of the same batch replaces."""
    places = [place for place, chunk in enumerate(batch) if isinstance(chunk, UsageChunk)]
    if len(places) < 2:
        return batch
    gone = {place for place in places[:-1] if batch[place].reported_cost is None}  # type: ignore[union-attr]
    return [chunk for place, chunk in enumerate(batch) if place not in gone]


def _joined(batch: list[Chunk]) -> list[Chunk]:
    found: list[Chunk] = []
    words: list[str] = []
    for chunk, after in zip(batch, [*batch[1:], None], strict=True):
        same = type(after) is type(chunk)
        if isinstance(chunk, TextChunk):
            words.append(chunk.text)
            if not same:
                found.append(TextChunk("".join(words)))
                words = []
        elif isinstance(chunk, ThoughtChunk):
            words.append(chunk.text)
            if chunk.seal or not same:
                found.append(ThoughtChunk("".join(words), chunk.seal))
                words = []
        else:
            found.append(chunk)
    return found
