"""Standard output for the result only; standard error for everything else."""

from __future__ import annotations

import json
import os
import select
import stat
import sys
from typing import TYPE_CHECKING, Any

from assistant.errors import ConfigError, StateError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from assistant import events
    from assistant.errors import AssistantError
    from assistant.session import Session

_SILENT_S = 3
_MOST = 8 << 20
"""Bytes of standard input that are read as words."""
_CENTURY, _WINDOW = 36_500, 100_000_000
"""The largest numbers accepted: days, and more tokens than any model has room for."""


def out(text: str) -> None:
    """Print a result, with one line end: unchanged into a pipe or a file, without control characters on a terminal.

    Raises StateError if there is no room for it, and BrokenPipeError if nobody reads it.
    """
    if sys.stdout.isatty():
        from assistant.visible import plain

        text = plain(text)
    data = text.encode("utf-8", "surrogateescape")
    try:
        sys.stdout.buffer.write(data if data.endswith(b"\n") or not data else data + b"\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # discard the rest of the buffer
        raise StateError(
            f"The result cannot be written: {error.strerror}.", "Make room, or write it elsewhere."
        ) from error


def tell(text: str) -> None:
    """Print a message on standard error."""
    if not (text.isascii() and text.isprintable()):  # nearly always safe: load `visible` only for the rest
        from assistant.visible import plain

        text = plain(text)
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def advise(words: str | AssistantError) -> None:
    """Print an error, or words of our own, with commands of the screen in words of the command line.

    Of an error only the hint is ours: its message may quote a file, or a provider.
    """
    if not isinstance(words, str):
        tell(f"wattson: {words.with_hint(_in_shell(words.hint))}")
    else:
        tell(_in_shell(words))


def _in_shell(words: str) -> str:
    if "/" not in words:
        return words
    from assistant.headless.shell_words import in_shell

    return in_shell(words)


def dump(data: Any) -> None:
    """Print one JSON text on one line."""
    out(json.dumps(data, ensure_ascii=True))


def given(text: str) -> str:
    """Return an argument, or standard input if it is `-`."""
    return sys.stdin.buffer.read().decode("utf-8", "replace") if text == "-" else text


def asked(words: Sequence[str]) -> str:
    """Return a question: the words, and below them what is piped in.

    A pipe may stay open though nobody writes into it, as below many a script: one that stays silent is left unread, and
    that is said. A `-` among the words waits for it.
    """
    more = _read_in() if "-" in words else _piped()
    text = " ".join(word for word in words if word != "-")
    return f"{text}\n\n{more}" if text and more else text or more


def _read_in() -> str:
    """Return standard input as words of a question. Raises ConfigError if it cannot be that."""
    data = sys.stdin.buffer.read(_MOST + 1)
    if len(data) > _MOST:
        raise ConfigError(
            f"What is piped in has more than {_MOST >> 20} MB.",
            "No model reads that much: cut it, with tail for instance.",
        )
    if b"\0" in data:
        raise ConfigError("What is piped in is no text.", "--image shows a picture.")
    return data.decode("utf-8", "replace")


def _piped() -> str:
    """Return what is piped in; empty where standard input is neither a pipe nor a file, or silent."""
    if sys.stdin is None or sys.stdin.closed:
        return ""
    kind = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind)):
        return ""
    if not stat.S_ISREG(kind) and sys.platform != "win32" and not select.select([sys.stdin], [], [], _SILENT_S)[0]:
        tell(f"Nothing came on standard input within {_SILENT_S} s: it is not read. A - behind the words waits for it.")
        return ""
    more = _read_in()
    if lines := len(more.splitlines()):
        tell(
            f"standard input: {lines:,} line{'s' if lines > 1 else ''} go{'' if lines > 1 else 'es'} with the question"
        )
    return more


def mend(session: Session) -> None:
    """Finish what a crash left half written, before anything is read or written, and say so."""
    for words in session.recover():
        tell(words)


async def show_written(stream: AsyncGenerator[events.Event, None], *, as_json: bool) -> None:
    """Run a stream that writes, undoes or redoes, and name the files."""
    from contextlib import aclosing

    from assistant import events
    from assistant.headless.shapes import patch_applied

    async with aclosing(stream):
        async for event in stream:
            match event:
                case events.PatchApplied(patch, what):
                    if as_json:
                        dump(patch_applied(patch, what))
                    else:
                        out(f"{what}: {', '.join(patch.paths)}")
                case events.Notice(text):
                    advise(text)
                case _:
                    pass


def days(text: str) -> int:
    """Read a number of days; for argparse, which reports the error and exits with 2."""
    return _whole(text, "days", _CENTURY)


def budget(text: str) -> int:
    """Read a number of tokens, as `days` does."""
    return _whole(text, "tokens", _WINDOW)


def _whole(text: str, what: str, most: int) -> int:
    from argparse import ArgumentTypeError

    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most or len(text) > 9:
        raise ArgumentTypeError(f"{text!r} is no number of {what} from 1 to {most}")
    return int(text)
