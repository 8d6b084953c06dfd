"""The records of a conversation: the lines of its file, as they are written, and read when it is taken up again.

    user       a question: turn, text, the model that is asked, names of pictures, what became of the last edits (`outcome`,
               as it stands above the text), and the news that the question tells the model (`told`)
    assistant  a piece of an answer: turn, text
    end        the end of a turn: how it stopped ("killed": by a crash; "elsewhere": it went on in another window),
               which model was asked, what it burnt
    burnt      what was burnt beside the turns
    corrected  what a call really burnt that was first estimated, and the estimate (`instead_of`)
    chosen     the model that is asked from here on
    carried    messages that replace all before them
    proposed   hunks that wait: their diff, turn and model, and the turns whose hunks are set aside; no hunks wait if the
               diff is empty
    left       the user's marks on those hunks
    left_aside the user's marks on the hunks of a turn that were set aside
    news       what the model is still to be told about its edits, and what it has heard about waiting hunks
    committed  ids of the journal's steps that were committed
    waits      a question that waits for a reset, see `held.HeldQuestion`

A file may be damaged or come from a newer Wattson: records of unknown kinds, or of the wrong form, are passed over.
"""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant import telling
from assistant.telling import NOTHING, News

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from assistant.models.message import Message, Role

Record = dict[str, Any]
_SPEAKERS = ("user", "assistant")
KILLED = "killed"
"""How a turn ended that was cut short from outside."""
ELSEWHERE = "elsewhere"
"""How a turn ended in a copy of its conversation that was made while it ran."""
_CUT = (KILLED, ELSEWHERE)
_ASKED = ("user", "chosen", "waits")
_BURNT = ("end", "burnt", "corrected")


class Kept(NamedTuple):
    """What the records of a conversation say.

    `messages` are roles and the records that hold their words, `turn` is the highest turn number, `model` the model
    chosen or asked last. `cut_short` says how the last turn ended if not by itself, KILLED or ELSEWHERE; `asked_at` is
    when it began, if no end was recorded at all. `burnt` are the sums of the turns and of side work. `proposed` and `left` are empty where
    no hunks wait; `aside` are the hunks that were set aside, the oldest first, and `left_aside` the user's marks on
    them, by turn. `committed` are ids of the journal's steps. `telling` is what the model is still to be told about its
    edits, and, as `said`, what it has heard about waiting hunks.
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
    telling: News = NOTHING
    left_aside: Mapping[int, Record] = MappingProxyType({})


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


def turn_of(record: Record) -> int:
    """Return the turn of a record, 0 where it names none."""
    return number_of(record, "turn")


def number_of(record: Record, key: str) -> int:
    """Return the number that a record has under `key`, 0 where it has none."""
    found = record.get(key)
    return found if isinstance(found, int) else 0


def read(records: Sequence[Record]) -> Kept:
    """Read a conversation."""
    said = [each for each in records if each.get("kind") in {*_SPEAKERS, "end"}]
    open_ended = bool(said) and said[-1].get("kind") != "end"
    messages: list[tuple[Role, Record]] = []
    turn = 0
    for record in records:
        kind, text = record.get("kind"), record.get("text")
        if kind == "carried":
            told = record.get("messages")
            messages = [
                (each["role"], each)
                for each in (told if isinstance(told, list) else ())
                if isinstance(each, dict) and each.get("role") in _SPEAKERS
            ]
        elif kind in _SPEAKERS and isinstance(text, str) and text:
            messages.append((kind, record))
            turn = max(turn, turn_of(record))
        elif kind == "end" and record.get("void"):
            messages = [each for each in messages if turn_of(each[1]) != turn_of(record)]
    place = max((at for at, each in enumerate(records) if each.get("kind") == "proposed"), default=len(records))
    last: Record = records[place] if place < len(records) else {}
    waits = last if last.get("diff") else {}
    known = {turn_of(each): each for each in records if each.get("kind") == "proposed" and each.get("diff")}
    turns = last.get("aside")
    aside = (
        [known[each] for each in turns if isinstance(each, int) and each in known] if isinstance(turns, list) else []
    )
    marks = [each for each in records[place:] if each.get("kind") == "left"]
    lists = [each.get("steps") for each in records if each.get("kind") == "committed"]
    return Kept(
        messages,
        turn,
        next(
            (str(each["model"]) for each in reversed(records) if each.get("kind") in _ASKED and each.get("model")), ""
        ),
        KILLED if open_ended else next((stop for stop in _CUT if said and said[-1].get("stop") == stop), ""),
        next((_read_instant(each.get("at")) for each in reversed(said) if each.get("kind") == "user"), None)
        if open_ended
        else None,
        [each["burnt"] for each in records if each.get("kind") in _BURNT and isinstance(each.get("burnt"), dict)],
        waits,
        marks[-1] if waits and marks else {},
        aside,
        [number for steps in lists if isinstance(steps, list) for number in steps if type(number) is int],
        telling.after(records),
        _left_aside(records, [turn_of(each) for each in aside]),
    )


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
