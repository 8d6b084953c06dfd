"""Chunks that came together: what they say of an answer, and fewer of them where they say the same. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.models.wire import HeadersChunk, TextChunk, ThoughtChunk, WaitingChunk

if TYPE_CHECKING:
    from assistant.models.wire import Chunk


def speaks(batch: list[Chunk]) -> bool:
    """Say whether a batch has anything of an answer in it, after which the same question is not asked again."""
    return any(not isinstance(chunk, WaitingChunk | HeadersChunk) for chunk in batch)


def merged(batch: list[Chunk]) -> list[Chunk]:
    """Join words that came in one read: what follows then costs by the read and not by the token."""
    if len(batch) < 2:
        return batch
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
