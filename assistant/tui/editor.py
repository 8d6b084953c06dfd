"""Text in the user's own editor: the screen steps aside and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from assistant.config import Places
    from assistant.tui.stage import Stage

_KILLED = range(129, 193)
"""Exit codes of a shell whose program was killed by a signal: 128 plus the number of the signal."""
_FROM_KEYS = [signal.SIGINT, *([signal.SIGQUIT] if hasattr(signal, "SIGQUIT") else [])]
_AT_ONCE_S = 0.3
"""An editor that returns within so many seconds was not used by anybody: it has opened a window of its own."""


async def edit(screen: Stage, text: str, suffix: str) -> str | None:
    """Return the text as the user left it in $VISUAL or $EDITOR; None if it could not be opened or was given up.

    The editor and its plug-ins see no keys. The file is in our data folder, in a folder of its own with all that the
    editor puts beside it: if this program ends before the editor does, `left_behind` finds what is saved there.
    """
    env = screen.session.env
    hidden = set(screen.session.roster.key_names())
    plain = {name: value for name, value in env.items() if name not in hidden}
    try:
        command = shlex.split(env.get("VISUAL") or env.get("EDITOR") or "") or ["vi"]
    except ValueError as error:
        _say(screen, f"$VISUAL or $EDITOR cannot be read: {error}.")
        return None
    name = Path(command[0]).name  # short, to fit on one line with what went wrong
    try:
        place = _put(screen.session.places, text.encode("utf-8", "surrogateescape"), suffix)
    except UnicodeEncodeError as error:
        _say(screen, f"The text cannot be given to {name}: its character {error.start + 1} is half of one. Remove it.")
        return None
    except OSError as error:
        _say(screen, f"The text cannot be given to {name}: {error.strerror}.")
        return None
    begun = monotonic()
    with screen.app.suspend(), _deaf():  # Textual does not come back after an error in here
        code, trouble = await asyncio.to_thread(_run, [*command, str(place)], plain)
    words = None
    if trouble:
        _say(screen, f"{name} cannot be opened: {trouble}. Set $EDITOR.")
    elif code < 0 or code in _KILLED:
        _say(screen, f"{name} was killed; what was saved there is kept in {place}.")
        return None
    elif code:
        ended = f"{name} ended with {code}; the text stays as it was"
        if _left_something(place):  # when it is told to end, Vim keeps what was typed in a swap file, and ends with 1
            _say(screen, f"{ended}, and what {name} left is kept in {place.parent}.")
            return None
        _say(screen, f"{ended}.")
    else:
        try:
            words = place.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            _say(screen, f"{place} cannot be read: {error.strerror}. The text stays as it was.")
        if words == text and monotonic() - begun < _AT_ONCE_S:
            told = f"{name} came back at once, and nothing was changed. If it is still open, it has {place}"
            _say(screen, f"{told}: copy from there, and set $EDITOR so that it waits (as `code --wait` does).")
            return None
    shutil.rmtree(place.parent, ignore_errors=True)
    return words


def _left_something(place: Path) -> bool:
    """Say whether an editor has left files beside the text."""
    try:
        return len(list(place.parent.iterdir())) > 1
    except OSError:
        return False


def left_behind(places: Places) -> list[Path]:
    """Return the folders of texts that were in an editor when the program that had opened it ended."""
    try:
        found = sorted(_folder(places).iterdir())
    except OSError:
        return []
    from assistant.locked import alive

    owners = [(each, each.name.partition("-")[0]) for each in found]
    return [each for each, owner in owners if not owner.isdecimal() or not alive(int(owner))]


def _folder(places: Places) -> Path:
    return places.data / "editor"


def _put(places: Places, data: bytes, suffix: str) -> Path:
    """Write a text into a folder of its own, whose name begins with this process's id."""
    every: Path | None = _folder(places)
    try:
        _folder(places).mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        every = None  # the data folder cannot be written: use the system's temporary folder
    folder = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=every))
    place = folder / f"text{suffix}"
    try:
        place.write_bytes(data)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return place


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """Let only the editor hear Ctrl+C: the terminal sends the signal to both, and would end this program."""
    before = {
        each: signal.signal(each, lambda *_: None) for each in _FROM_KEYS
    }  # a child process starts without handlers
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _run(argv: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
    """Run a program; return its exit code, and why it could not be started."""
    try:
        return subprocess.run(argv, env=env, check=False).returncode, ""
    except OSError as error:
        return 0, error.strerror or str(error)


def _say(screen: Stage, words: str) -> None:
    """Report a problem in the conversation, and among the hunks if they are in front of it."""
    screen.talk.add(words, "warning")
    if screen.hunks.display:
        screen.hunks.tell_hint(words)
