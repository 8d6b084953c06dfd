"""What it takes to go on with another model: the facts of the switch sheet, and three ways to carry a conversation.

Pure: nothing is asked and nothing is changed here. Counting the tokens of a long history takes a while; use a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from assistant import prompts, tokens
from assistant.models import estimate, picture, price
from assistant.models.history import maker_of
from assistant.models.message import Image, Message, Text, Thought, ToolCall, ToolResult, said
from assistant.models.wire import Request
from assistant.tokens import Cost, TokenUsage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from assistant.models.catalogue import Pick
    from assistant.models.estimate import Ratio
    from assistant.models.provider import Payer

Way = Literal["everything", "brief", "last"]
"""How a conversation is carried: all of it, a brief of it, or only the last request (each turn gathers files anew)."""
Fit = Literal["yes", "perhaps", "no", "unknown"]

_AROUND = 4
"""Tokens that a protocol puts around a message."""
BRIEF_MOST = 1_200
"""Most tokens of a brief."""
_BRIEF = (150, 600, 900)
"""Tokens of a brief of 350 words, with the words around it: low, likely, high."""
_ANSWER = 8_000
"""Tokens of the window that are kept free for an answer."""
_TOLD = 20_000
"""Characters of a tool's call or answer that are retold; nobody reads more."""
_LEAST = 50
"""Fewest tokens of a message that still say anything."""
_CUT = "[The beginning is left out.]\n\n"
_GAP = "\n[The middle of this message is left out.]\n"


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """What the new model will not see as it was, counted.

    Pictures that it cannot look at, and thoughts that only their maker may read, stay behind; calls and answers of
    tools go along as plain words.
    """

    images: int = 0
    thoughts: int = 0
    tool_calls: int = 0
    tool_results: int = 0


@dataclass(frozen=True, slots=True)
class Carried:
    """One way to carry a conversation, with the input tokens and cost of the first question: low, likely, high."""

    way: Way
    tokens: tuple[int, int, int]
    cost: tuple[Cost, Cost, Cost]
    fits: Fit
    dearer: bool
    """Whether it is likely to exceed the window in which the model has its usual price."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that is known before a switch takes effect.

    `cached` is how many tokens the old model would have read from its cache, and `stay` what they would cost there;
    both are None if nothing was asked yet or nobody knows.
    """

    source: Pick | None
    target: Pick
    ways: tuple[Carried, ...]
    left_behind: LeftBehind
    cached: int | None
    stay: Cost | None
    payer_before: Payer | None
    payer_after: Payer
    context_window: int | None

    @property
    def payer_changes(self) -> bool:
        """Whether another kind of payer pays from now on, or the same kind at another provider."""
        if self.source is None or self.payer_before is None:
            return False
        return (self.source.provider.name, self.payer_before) != (self.target.provider.name, self.payer_after)


def sheet(
    history: Sequence[Message],
    source: Pick | None,
    target: Pick,
    *,
    payer_after: Payer,
    payer_before: Payer | None = None,
    last_usage: TokenUsage | None = None,
    beside: int = 0,
    now: datetime,
    learned: Mapping[str, Ratio] | None = None,
    count: Callable[[str], int] = tokens.count,
) -> Sheet:
    """Say what going on with `target` means.

    `beside` are the o200k tokens that every request has besides the history (instructions, files). `last_usage` is what
    the last request to `source` reported.
    """
    state = learned or {}
    ways = []
    for way in ("everything", "brief", "last"):
        low, likely, high = _size(history, way, target, beside, state, count)
        ways.append(
            Carried(
                way,
                (low, likely, high),
                tuple(_costs((low, likely, high), target, payer_after, now)),  # type: ignore[arg-type]  # three of them
                _fit(low, likely, high, target),
                target.model.soft_window is not None and likely > target.model.soft_window,
            )
        )
    stay = None
    if source is not None and last_usage is not None and last_usage.total:
        stay = price.cost(source.model, TokenUsage(cache_read=last_usage.total), now, payer_before or "metered")
    return Sheet(
        source,
        target,
        tuple(ways),
        left_behind(history, target),
        last_usage.cache_read + last_usage.cache_write if last_usage is not None else None,
        stay,
        payer_before,
        payer_after,
        target.model.context_window,
    )


def left_behind(history: Sequence[Message], target: Pick) -> LeftBehind:
    """Count what cannot go along to `target` as it is."""
    maker = maker_of(target.provider)
    images = thoughts = calls = results = 0
    for message in history:
        for part in message.parts:
            match part:
                case Image():
                    images += "images" not in target.model.abilities
                case Thought():
                    thoughts += part.maker != maker and bool(part.text.strip() or part.seal)
                case ToolCall():
                    calls += 1
                case ToolResult():
                    results += 1
                case _:
                    pass
    return LeftBehind(images, thoughts, calls, results)


def carry(history: Sequence[Message], way: Way, brief: str = "") -> tuple[Message, ...]:
    """Return the conversation as it is carried: the new history, to which the next question is added.

    `brief` is what the small model wrote; if it is empty, the way "brief" carries only the last request.
    """
    if way == "everything":
        return tuple(history)
    if way == "brief" and brief.strip():
        return (said("user", prompts.fill("carried", brief=brief.strip())),)
    last = next((message for message in reversed(history) if message.role == "user" and message.text.strip()), None)
    return (last,) if last is not None else ()


def brief_request(history: Sequence[Message], small: Pick, *, count: Callable[[str], int] = tokens.count) -> Request:
    """Return the request that asks a small model for a brief of as much of the conversation as it can read."""
    conversation = told(history, room(small), count=count)
    words = prompts.fill("brief", conversation=conversation.replace("</conversation>", "</ conversation>"))
    return Request(small.model, (), (said("user", words),), max_output=BRIEF_MOST, effort=small.effort)


def room(small: Pick) -> int:
    """Return how many o200k tokens of a conversation a model can read to write a brief of it."""
    return (small.model.context_window or 32_000) // 2


def size(history: Sequence[Message], *, count: Callable[[str], int] = tokens.count) -> int:
    """Count the o200k tokens of a whole conversation in plain words."""
    return sum(count(words) + _AROUND for words in map(_plain, history) if words)


def told(history: Sequence[Message], room: int, *, count: Callable[[str], int] = tokens.count) -> str:
    """Tell a conversation in plain words within `room` o200k tokens; the newest messages get room first.

    Of a message that is too long, which is often pasted, head and tail are told, in up to half of the room that is
    left, so that older ones have room as well; the oldest messages for which there is none are left out.
    """
    pieces = [("User" if each.role == "user" else "Model", words) for each in history if (words := _plain(each))]
    sizes = [count(words) + _AROUND for _, words in pieces]
    said: list[str] = []
    left, older = room, sum(sizes)
    for (who, words), size in zip(reversed(pieces), reversed(sizes), strict=True):
        older -= size
        most = min(size, max(left // 2, left - older))
        if most < size and most < _LEAST and said:
            return _CUT + "\n\n".join(reversed(said))
        said.append(f"{who}: {_shortened(words, most - _AROUND, count)}")
        left -= most
    return "\n\n".join(reversed(said))


def _shortened(words: str, most: int, count: Callable[[str], int]) -> str:
    """Return the head and the tail of a message that has more tokens than `most`."""
    size = count(words)
    keep = len(words) if size <= most else max(0, len(words) * most // size)
    short = words
    while keep and count(short) > most:
        keep = keep * 9 // 10
        short = words[: keep - keep // 2] + _GAP + words[len(words) - keep // 2 :]
    return short


def _plain(message: Message) -> str:
    """Return a message in plain words, with its tools and pictures described."""
    words = []
    for part in message.parts:
        match part:
            case Text(text):
                words.append(text)
            case ToolCall(_, name, arguments):
                words.append(f"\n[Tool {name} was called with {arguments[:_TOLD]}]\n")
            case ToolResult(_, name, text):
                words.append(f"\n[Tool {name} answered: {text[:_TOLD]}]\n")
            case Image(kind):
                words.append(f"[A picture: {kind}]")
            case _:
                pass
    return "".join(words).strip()


def _size(
    history: Sequence[Message],
    way: Way,
    target: Pick,
    beside: int,
    state: Mapping[str, Ratio],
    count: Callable[[str], int],
) -> tuple[int, int, int]:
    low, likely, high = estimate.factor(state, target.model.name, target.model.token_factor)
    if way == "brief" and history:
        counted, extra = beside, _BRIEF
    else:
        messages = carry(history, "last" if way == "last" else "everything")
        counted = beside + sum(count(_plain(message)) + _AROUND for message in messages)
        seen = "images" in target.model.abilities
        images = [part for message in messages for part in message.parts if isinstance(part, Image)] if seen else []
        extra = picture.total(images, target.provider)
    return int(counted * low) + extra[0], round(counted * likely) + extra[1], int(counted * high) + 1 + extra[2]


def _costs(sizes: tuple[int, int, int], target: Pick, payer: Payer, now: datetime) -> list[Cost]:
    """Price the first request: the new model has nothing cached, and if it bills for cache writes, all is written."""
    low, likely, high = sizes
    found = price.price_at(target.model, now, likely)
    writes = found is not None and found.cache_write_short is not None
    usages = (
        TokenUsage(fresh_input=low),
        TokenUsage(cache_write_short=likely) if writes else TokenUsage(fresh_input=likely),
        TokenUsage(cache_write_short=high) if writes else TokenUsage(fresh_input=high),
    )
    return [price.cost(target.model, usage, now, payer) for usage in usages]


def _fit(low: int, likely: int, high: int, target: Pick) -> Fit:
    window = target.model.context_window
    if window is None:
        return "unknown"
    answer = min(target.model.max_output or _ANSWER, _ANSWER, window // 4)
    if high + answer <= window:
        return "yes"
    return "no" if likely + answer > window or low > window else "perhaps"
