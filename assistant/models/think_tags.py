"""Thoughts inside the text, between <think> and </think> at its very beginning, however the tags are cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.models.wire import TextChunk, ThoughtChunk

if TYPE_CHECKING:
    from assistant.models.wire import Chunk

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkTags:
    """Separates thoughts from words. A tag that is not at the beginning is words: the answer may be about such tags."""

    def __init__(self) -> None:
        self._state = "begin"
        self._held = ""

    @property
    def over(self) -> bool:
        """Whether everything that follows is words."""
        return self._state == "words"

    def feed(self, text: str) -> list[Chunk]:
        """Take some text; hold back what may be the beginning of a tag until the next call."""
        if self._state == "words":
            return [TextChunk(text)]
        text, self._held = self._held + text, ""
        if self._state == "begin":
            bare = text.lstrip()
            if bare.startswith(_OPEN):
                self._state, text = "thought", bare[len(_OPEN) :]
            elif _OPEN.startswith(bare):
                self._held = text
                return []
            else:
                self._state = "words"
                return [TextChunk(text)]
        thought, end, words = text.partition(_CLOSE)
        if end:
            self._state = "words"
        else:
            keep = next((n for n in range(len(_CLOSE) - 1, 0, -1) if thought.endswith(_CLOSE[:n])), 0)
            thought, self._held = thought[: len(thought) - keep], thought[len(thought) - keep :]
        found: list[Chunk] = [ThoughtChunk(thought)] if thought else []
        return [*found, TextChunk(words)] if words else found

    def close(self) -> list[Chunk]:
        """Take the end: what was held back is no tag."""
        held, self._held = self._held, ""
        if not held:
            return []
        return [ThoughtChunk(held) if self._state == "thought" else TextChunk(held)]
