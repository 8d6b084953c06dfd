"""The records of a conversation: the lines of its file, as they are written, and read when it is taken up again.

    user       a question: turn, text, the model that is asked, names of pictures, what became of the last edits (`outcome`,
               as it stands above the text), and the news that the question tells the model (`told`)
    assistant  a piece of an answer: turn, text
    end        the end of a turn: how it stopped ("killed": by a crash; "elsewhere": it went on in another window),
               which model was asked, what it burnt
    burnt      what was burnt beside the turns
    corrected  what a call really burnt that was first estimated, and the estimate (`instead_of`)
    chosen     the model that is asked from here on
    ruled      folders whose rules the conversation was told: with its `first` question, and `later`
    carried    messages that replace all before them
    proposed   hunks that wait: their diff, turn and model, and the turns whose hunks are set aside; no hunks wait if the
               diff is empty
    left       the user's marks on those hunks
    left_aside the user's marks on the hunks of a turn that were set aside
    news       what the model is still to be told about its edits, and what it has heard about waiting hunks
    committed  ids of the journal's steps that were committed
    waits      a question that waits for a reset: text, model, since, until; none waits if the text is empty

A file may be damaged or come from a newer Wattson: records of unknown kinds, or of the wrong form, are passed over.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant import telling, tokens
from assistant.telling import NOTHING, News

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from assistant.context.rules import Ruled
    from assistant.models.message import Message, Role
    from assistant.tokens import Cost, TokenUsage

Record = dict[str, Any]
_SPEAKERS = ("user", "assistant")
KILLED = "killed"
"""How a turn ended that was cut short from outside."""
ELSEWHERE = "elsewhere"
"""How a turn ended in a copy of its conversation that was made while it ran."""
_CUT = (KILLED, ELSEWHERE)
_ASKED = ("user", "chosen", "waits")
_BURNT = ("end", "burnt", "corrected")


class HeldQuestion(NamedTuple):
    """A question to a model that waits, since an instant, for a plan to reset; it outlives the program."""

    text: str
    model: str
    since: datetime
    until: datetime


class Kept(NamedTuple):
    """What the records of a conversation say.

    `messages` are roles and the records that hold their words, `turn` is the highest turn number, `model` the model
    chosen or asked last. `cut_short` says how the last turn ended if not by itself, KILLED or ELSEWHERE; `asked_at` is
    when it began, if no end was recorded at all. `burnt` are the sums of the turns and of side work. `proposed` and
    `left` are empty where no hunks wait; `aside` are the hunks that were set aside, the oldest first, and `left_aside`
    the user's marks on them, by turn. `committed` are ids of the journal's steps. `telling` is what the model is still to be told about its
    edits, and, as `said`, what it has heard about waiting hunks. `waits` is the question that waits for a reset.
    `ruled` are the folders whose rules the conversation was told.
    """

    messages: Sequence[tuple[Role, Record]]
    turn: int
    model: str
    cut_short: str
    asked_at: datetime | None
    burnt: Sequence[Record]
    proposed: Record
    left: Record
    aside: Sequence[Record]
    committed: Sequence[int]
    telling: News
    left_aside: Mapping[int, Record]
    waits: HeldQuestion | None
    ruled: Ruled | None


def user(turn: int, text: str, model: str, pictures: Record, news: News = NOTHING) -> Record:
    """Record a question; `pictures` comes from `pictures`, `news` is what the question tells about the last edits."""
    outcome = {"outcome": words} if (words := news.words()) else {}
    return {"kind": "user", "turn": turn, "text": text, "model": model, **pictures, **outcome, **news.record()}


def piece(turn: int, text: str) -> Record:
    """Record a piece of an answer; reading joins the pieces of a turn."""
    return {"kind": "assistant", "turn": turn, "text": text, "piece": True}


def end(turn: int, stop: str, model: str, burnt: Record, *, void: bool = False) -> Record:
    """Record the end of a turn; a `void` turn leaves nothing in the conversation, not even its question."""
    return {
        "kind": "end",
        "turn": turn,
        "stop": stop,
        "model": model,
        "burnt": burnt,
        **({"void": True} if void else {}),
    }


def burnt(sums: Record) -> Record:
    """Record what was burnt beside the turns."""
    return {"kind": "burnt", "burnt": sums}


def corrected(sums: Record, before: Record) -> Record:
    """Record what was really burnt in place of what was counted `before`."""
    return {"kind": "corrected", "burnt": {**sums, "instead_of": before}}


def chosen(model: str) -> Record:
    """Record the model that is asked from here on, as `provider/model:effort`."""
    return {"kind": "chosen", "model": model}


def ruled(told: Ruled) -> Record:
    """Record the folders whose rules the conversation was told."""
    return {"kind": "ruled", "first": list(told.first), "later": list(told.later)}


def carried(messages: Iterable[Message], keep: Callable[[bytes], str]) -> Record:
    """Record messages that replace all before them."""
    told: list[Record] = []
    for each in messages:
        words = each.words if each.role == "user" else each.text
        before = each.text.removesuffix(words)
        told.append(
            {"role": each.role, "text": words, **({"outcome": before} if before else {}), **pictures(each, keep)}
        )
    return {"kind": "carried", "messages": told}


def proposed(diff: str, aside: Sequence[int], **about: object) -> Record:
    """Record hunks that wait, and the turns whose hunks are set aside; an empty diff says that none wait."""
    return {"kind": "proposed", "diff": diff, "aside": list(aside), **about}


def left(marks: Record, turn: int = 0) -> Record:
    """Record the user's marks on the waiting hunks, or, with a `turn`, on its hunks that were set aside."""
    return {"kind": "left_aside", "turn": turn, **marks} if turn else {"kind": "left", **marks}


def news(state: News) -> Record:
    """Record what the model is still to be told, and what it has heard about waiting hunks."""
    return {"kind": "news", "news": list(state.decided), "heard": [list(each) for each in state.said]}


def committed(steps: Iterable[int]) -> Record:
    """Record that steps of the journal were committed."""
    return {"kind": "committed", "steps": sorted(steps)}


def waits(question: HeldQuestion | None) -> Record:
    """Record a question that waits for a reset; None says that none waits any more."""
    if question is None:
        return {"kind": "waits", "text": ""}
    since, until = question.since.isoformat(), question.until.isoformat()
    return {"kind": "waits", "text": question.text, "model": question.model, "since": since, "until": until}


def pictures(message: Message, keep: Callable[[bytes], str]) -> Record:
    """Keep the pictures of a message, each under a name; return the fields that its record needs for them."""
    from assistant.models.message import Image

    images = [part for part in message.parts if isinstance(part, Image)]
    return {"pictures": [{"type": each.media_type, "name": keep(each.data)} for each in images]} if images else {}


def message(role: Role, record: Mapping[str, Any], picture: Callable[[str], bytes | None]) -> tuple[Message, int]:
    """Make the message of a record, and count its pictures that are gone; the model is told in words of each."""
    from assistant.models.message import Image, Message, Text

    parts: list[Image | Text] = []
    gone = 0
    shown = record.get("pictures")
    for each in shown if isinstance(shown, list) else ():
        data = picture(str(each.get("name") or "")) if isinstance(each, dict) else None
        if data is not None:
            parts.append(Image(str(each.get("type") or ""), data))
        else:
            gone += 1
            parts.append(Text("[A picture was shown here; it was not kept.]\n\n"))
    if isinstance(outcome := record.get("outcome"), str):
        parts.append(Text(f"{outcome.strip()}\n\n"))
    return Message(role, (*parts, Text(str(record.get("text") or "")))), gone


def sums(usage: TokenUsage, cost: Cost, steps: Sequence[Cost] = ()) -> Record:
    """Return what a turn burnt, for its record; `usage_of` and `cost_of` read it.

    The costs of its `steps` are kept where they cannot be added up into one sum.
    """
    *counts, exact = usage
    apart = {"steps": [_cost_record(each) for each in steps]} if cost.status == "unknown" and len(steps) > 1 else {}
    return {"tokens": counts, "exact": exact, **_cost_record(cost), **apart}


def _cost_record(cost: Cost) -> Record:
    amount = None if cost.amount is None else str(cost.amount)
    return {"status": cost.status, "amount": amount, "currency": cost.currency}


def usage_of(record: Mapping[str, Any]) -> TokenUsage:
    """Read a usage from a record. Raises KeyError, TypeError, ValueError or an ArithmeticError if it is unreadable."""
    return tokens.TokenUsage._make([*map(int, record["tokens"]), bool(record["exact"])])


def cost_of(record: Mapping[str, Any]) -> Cost:
    """Read a cost from a record. Raises KeyError, TypeError or an ArithmeticError if it is unreadable."""
    amount = None if record["amount"] is None else Decimal(str(record["amount"]))
    return tokens.Cost(record["status"], amount, str(record["currency"]))


def turn_of(record: Record) -> int:
    """Return the turn of a record, 0 where it names none."""
    return number_of(record, "turn")


def number_of(record: Record, key: str) -> int:
    """Return the number that a record has under `key`, 0 where it has none."""
    found = record.get(key)
    return found if isinstance(found, int) else 0


def read(records: Sequence[Record]) -> Kept:
    """Read a conversation."""
    proposed, aside = _proposed(records), _aside(records)
    return Kept(
        messages=_messages(records),
        turn=max((turn_of(each) for each in records if _speaks(each)), default=0),
        model=_model(records),
        cut_short=_cut_short(records),
        asked_at=_asked_at(records),
        burnt=[each["burnt"] for each in records if each.get("kind") in _BURNT and isinstance(each.get("burnt"), dict)],
        proposed=proposed,
        left=_left(records) if proposed else {},
        aside=aside,
        left_aside=_left_aside(records, [turn_of(each) for each in aside]),
        committed=_committed(records),
        telling=telling.after(records),
        waits=waiting(records),
        ruled=_ruled(records),
    )


def waiting(records: Sequence[Record]) -> HeldQuestion | None:
    """Return the question that waits at the end of a conversation; None where none does, or its record is damaged."""
    last = _last(records, "waits")
    since, until = (_read_instant(last.get(name)) for name in ("since", "until"))
    if not last.get("text") or since is None or until is None:
        return None
    return HeldQuestion(str(last["text"]), str(last.get("model") or "a model"), since, until)


def _speaks(record: Record) -> bool:
    """Say whether a record is a question, or a piece of an answer, with words."""
    text = record.get("text")
    return record.get("kind") in _SPEAKERS and isinstance(text, str) and bool(text)


def _last(records: Sequence[Record], kind: str) -> Record:
    """Return the last record of a kind; empty where there is none."""
    return next((each for each in reversed(records) if each.get("kind") == kind), {})


def _messages(records: Sequence[Record]) -> list[tuple[Role, Record]]:
    found: list[tuple[Role, Record]] = []
    for record in records:
        kind = record.get("kind")
        if kind == "carried":
            told = record.get("messages")
            found = [
                (each["role"], each)
                for each in (told if isinstance(told, list) else ())
                if isinstance(each, dict) and each.get("role") in _SPEAKERS
            ]
        elif _speaks(record):
            found.append((record["kind"], record))
        elif kind == "end" and record.get("void"):
            found = [each for each in found if turn_of(each[1]) != turn_of(record)]
    return found


def _model(records: Sequence[Record]) -> str:
    models = (each["model"] for each in reversed(records) if each.get("kind") in _ASKED and each.get("model"))
    return str(next(models, ""))


def _cut_short(records: Sequence[Record]) -> str:
    said = _said(records)
    if not said:
        return ""
    return (
        next((stop for stop in _CUT if said[-1].get("stop") == stop), "") if said[-1].get("kind") == "end" else KILLED
    )


def _asked_at(records: Sequence[Record]) -> datetime | None:
    said = _said(records)
    return _read_instant(_last(said, "user").get("at")) if said and said[-1].get("kind") != "end" else None


def _said(records: Sequence[Record]) -> list[Record]:
    """Return the records of turns: questions, pieces of answers, and ends."""
    return [each for each in records if each.get("kind") in {*_SPEAKERS, "end"}]


def _proposed(records: Sequence[Record]) -> Record:
    last = _last(records, "proposed")
    return last if last.get("diff") else {}


def _left(records: Sequence[Record]) -> Record:
    """Return the last marks on the hunks that were proposed last."""
    latest = max((at for at, each in enumerate(records) if each.get("kind") == "proposed"), default=len(records))
    return _last(records[latest:], "left")


def _aside(records: Sequence[Record]) -> list[Record]:
    turns = _last(records, "proposed").get("aside")
    known = {turn_of(each): each for each in records if each.get("kind") == "proposed" and each.get("diff")}
    return [known[each] for each in turns if isinstance(each, int) and each in known] if isinstance(turns, list) else []


def _committed(records: Sequence[Record]) -> list[int]:
    lists = [each.get("steps") for each in records if each.get("kind") == "committed"]
    return [number for steps in lists if isinstance(steps, list) for number in steps if type(number) is int]


def _ruled(records: Sequence[Record]) -> Ruled | None:
    """Return the folders whose rules were told, None where nothing says so."""
    from assistant.context.rules import Ruled

    told = _last(records, "ruled")
    some = [told.get(key) for key in ("first", "later")]
    lists = [tuple(each for each in one if isinstance(each, str)) for one in some if isinstance(one, list)]
    return Ruled(*lists) if lists else None


def _left_aside(records: Sequence[Record], turns: Sequence[int]) -> dict[int, Record]:
    """Return, by turn, the user's marks on hunks that were set aside, made before or after that."""
    found: dict[int, Record] = {}
    diffs: dict[int, object] = {}
    waits = 0
    for each in records:
        kind, turn = each.get("kind"), turn_of(each)
        if kind == "proposed":
            waits = turn
            if diffs.get(turn) != each.get("diff"):  # marks are about the hunks recorded before them
                found.pop(turn, None)
                diffs[turn] = each.get("diff")
        elif kind in {"left", "left_aside"}:
            found[waits if kind == "left" else turn] = each
    return {turn: found[turn] for turn in turns if turn in found}


def _read_instant(found: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(found))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
