"""Chunks that came together: whether they hold any answer, and how to join them into fewer. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.models.wire import (
    HeadersChunk,
    ServedChunk,
    StopChunk,
    TextChunk,
    ThoughtChunk,
    ToolCallChunk,
    UsageChunk,
    WaitingChunk,
)

if TYPE_CHECKING:
    from assistant.models.wire import Chunk

_HIGH = ("\ud800", "\udbff")
"""The range of first halves of a surrogate pair, which servers that cut text by UTF-16 send apart from the second."""


def speaks(batch: list[Chunk]) -> bool:
    """Say whether a batch holds any part of an answer: then the same question is not asked again."""
    return any(not isinstance(chunk, WaitingChunk | HeadersChunk) for chunk in batch)


class Merger:
    """Joins the chunks of one read, so that what follows costs by the read and not by the token.

    Adjacent words become one chunk, of running counts only the last is kept, and a character whose halves came in two
    pieces is put together, even across two batches.
    """

    def __init__(self) -> None:
        self._half = ""

    def merge(self, batch: list[Chunk], *, last: bool = False) -> list[Chunk]:
        """Return the same in fewer chunks; `last` says that no batch follows."""
        if len(batch) > 1:
            batch = joined(_counted(batch))
        found: list[Chunk] = []
        for chunk in batch:
            if isinstance(chunk, TextChunk) and (self._half or not chunk.text.isascii()):
                words = self._whole(chunk.text)
                if words:
                    found.append(TextChunk(words))
            else:
                found.append(_writable(chunk))
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
            # Two halves side by side become their character, a single half a replacement mark.
            words = _marked(words)
        return words


def _writable(chunk: Chunk) -> Chunk:
    """Replace half a character by a mark where no other half can come: neither a file nor the ledger can hold it."""
    match chunk:
        case ThoughtChunk(text, seal) if not (text + seal).isascii():
            return ThoughtChunk(_marked(text), _marked(seal))
        case ServedChunk(model, ident) if not (model + ident).isascii():
            return ServedChunk(_marked(model), _marked(ident))
        case StopChunk(reason, detail) if not detail.isascii():
            return StopChunk(reason, _marked(detail))
        case ToolCallChunk(ident, name, arguments, seal) if not (ident + name + arguments + seal).isascii():
            return ToolCallChunk(*map(_marked, (ident, name, arguments, seal)))
        case _:
            return chunk


def _marked(words: str) -> str:
    return words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _counted(batch: list[Chunk]) -> list[Chunk]:
    """Leave out counts that a later one of the same batch replaces."""
    places = [place for place, chunk in enumerate(batch) if isinstance(chunk, UsageChunk)]
    if len(places) < 2:
        return batch
    gone = {place for place in places[:-1] if batch[place].reported_cost is None}  # type: ignore[union-attr]
    return [chunk for place, chunk in enumerate(batch) if place not in gone]


def joined(batch: list[Chunk]) -> list[Chunk]:
    """Return the same with adjacent words in one chunk, and thoughts joined up to each seal."""
    found: list[Chunk] = []
    words: list[str] = []
    for chunk, after in zip(batch, [*batch[1:], None], strict=False):  # an empty batch gives nothing
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
