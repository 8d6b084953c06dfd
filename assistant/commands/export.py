"""Write the conversation to a file, as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assistant import events
from assistant.arguments import Suggestion

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence

    from assistant.session import Session

ALIASES: tuple[str, ...] = ()
USAGE = "FILE"


async def run(session: Session, argument: str) -> AsyncGenerator[events.Event, None]:
    """Write the conversation to the file; an existing file is never overwritten. Raises ConfigError."""
    import asyncio

    from assistant.errors import ConfigError

    text = _markdown(session.conversations.read())
    if not text:
        raise ConfigError("There is no conversation yet.", "Ask something first.")
    if not argument:
        raise ConfigError("Which file?", "/export talk.md")
    path = session.folder / (
        argument.replace("~", session.env.get("HOME", "~"), 1) if argument[:2] == "~/" else argument
    )

    def write() -> None:
        with path.open("x", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)

    try:
        await asyncio.to_thread(write)
    except FileExistsError:
        raise ConfigError(f"{path} is there already.", "Name another file.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}.", "Name another file.") from error
    yield events.Notice(f"The conversation is in {path}.", "good")


def _markdown(records: Iterable[Mapping[str, Any]]) -> str:
    """Return the conversation as Markdown; empty where nothing was said.

    Each question stands with its turn, the model that was asked, what that model was told about its hunks, and the kinds
    of the pictures that went along.
    """
    parts = []
    for record in records:
        text = str(record.get("text") or "").strip()
        match record.get("kind"):
            case "user" if text:
                parts.append(f"## {record.get('turn', '')}. You, to {record.get('model', '?')}\n")
                if told := str(record.get("outcome") or "").strip():
                    parts.append(f"{_quoted(told)}\n")
                parts.append(f"{text}\n")
                if shown := _pictures(record):
                    parts.append(f"({shown})\n")
            case "assistant" if text:
                parts.append(f"## Answer\n\n{text}\n")
            case _:
                pass
    return "\n".join(parts)


def _pictures(record: Mapping[str, Any]) -> str:
    """Say which pictures went along with a question; empty where none did."""
    shown = record.get("pictures")
    kinds = [
        str(each.get("type") or "?").rpartition("/")[2].upper()
        for each in (shown if isinstance(shown, list) else ())
        if isinstance(each, dict)
    ]
    some = "a picture" if len(kinds) == 1 else f"{len(kinds)} pictures"
    return f"with {some}: {', '.join(kinds)}" if kinds else ""


def _quoted(words: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in words.split("\n"))


def complete(session: Session, words: Sequence[str]) -> list[Suggestion]:
    """Offer a file name that is still free."""
    names = ("talk.md", *(f"talk-{number}.md" for number in range(2, 100)))
    free = next((name for name in names if not (session.folder / name).exists()), "")
    return [Suggestion(free, "a file that is not there yet")] if free and len(words) == 1 else []
