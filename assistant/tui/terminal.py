"""Cleans what the terminal sends before it is read as keys: bytes that are not text, pastes with control sequences.

Textual ends at a byte that is not UTF-8, and reads an escape sequence within a paste as the keys that it stands for:
line ends after it are then Enter, and send what was pasted. Here whatever is pasted is text.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import re
import selectors
from typing import TYPE_CHECKING, Any, TextIO

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN, _END = "\x1b[200~", "\x1b[201~"
_AT_ONCE = 64 * 1024
_BEAT_S = 0.1
_SEQUENCE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours, places
    r"|\x1b[]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles, links, the clipboard
    r"|\x1b[ -/]*[0-~]?"
)
_LINES = re.compile(r"\r\n?|[\v\f\x85]")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")


def pasted(text: str) -> str:
    """Return pasted text as plain text: without colours and other control sequences, with "\\n" as line ends."""
    return _CONTROLS.sub("", _LINES.sub("\n", _SEQUENCE.sub("", text)))


class Reader:
    """Cuts what a terminal sends into pastes and keys, the latter still as the terminal writes them."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        self._paste: list[str] | None = None

    def feed(self, data: bytes) -> Iterator[str | events.Paste]:
        """Read what has come; a mark that is not complete waits for its end."""
        text, self._rest = self._rest + self._decode(data), ""
        while text:
            if self._paste is None:
                keys, mark, text = text.partition(_BEGIN)
                if mark:
                    self._paste = []
                else:
                    # An escape that came alone is a key, and waits for nothing.
                    keys, self._rest = (keys, "") if data == b"\x1b" else _cut(keys, _BEGIN)
                if keys:
                    yield keys
            else:
                words, mark, text = text.partition(_END)
                if not mark:
                    words, self._rest = _cut(words, _END)
                self._paste.append(words)
                if mark:
                    whole, self._paste = "".join(self._paste), None
                    yield events.Paste(pasted(whole))

    def rest(self) -> str:
        """Return what looked like the beginning of a mark, if nothing more has come for a while."""
        if self._paste is not None:
            return ""
        rest, self._rest = self._rest, ""
        return rest


def _cut(text: str, mark: str) -> tuple[str, str]:
    """Cut the beginning of a mark off the end of a text."""
    for size in range(len(mark) - 1, 0, -1):
        if text.endswith(mark[:size]):
            return text[:-size], text[-size:]
    return text, ""


class Screen:
    """The file to draw on. If the terminal is gone, what is drawn is dropped.

    Otherwise Textual's writing thread would end, and whoever draws then would wait for it for ever.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def fileno(self) -> int:
        """Return the number of the file."""
        return self._file.fileno()

    def write(self, text: str) -> int:
        """Draw."""
        with contextlib.suppress(OSError):
            self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """Make what was drawn visible."""
        with contextlib.suppress(OSError):
            self._file.flush()


class Terminal(LinuxDriver):
    """Textual's driver with a reader of ours."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._file: Any = Screen(self._file)

    def _sigcont_application(self, *_: object) -> None:
        """Continue in the next round of the loop: a signal may come while locks are held that continuing needs."""
        with contextlib.suppress(RuntimeError):  # there is no loop yet, or none any more
            asyncio.get_running_loop().call_soon_threadsafe(super()._sigcont_application)

    def write(self, data: str) -> None:
        """Draw; what comes while another program has the terminal is dropped, as everything is drawn anew after it.

        Textual would keep it for the thread that has ended, and wait for ever once its queue is full.
        """
        if self._writer_thread is not None and self._writer_thread.is_alive():
            super().write(data)

    def start_application_mode(self) -> None:
        """Begin to draw and to read, once.

        A terminal that goes away sends "continue" together with "hang up", and anybody may send it to a running
        program: Textual would then begin a second time, and at the end wait for ever for the threads of the first.
        """
        if self._app._exit:  # noqa: SLF001 - Textual has no other word for it
            return
        if self._key_thread is not None and self._key_thread.is_alive():
            self.stop_application_mode()
            self.close()
        super().start_application_mode()  # type: ignore[no-untyped-call] # Textual says nothing

    def run_input_thread(self) -> None:
        """Read what is typed, until the program ends."""
        reader, parser = Reader(), XTermParser(self._debug)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_BEAT_S):
                    data = os.read(self.fileno, _AT_ONCE)
                    if not data:  # the terminal is gone: looking again at once would take a whole core
                        self.exit_event.wait(_BEAT_S)
                    for part in reader.feed(data):
                        self._tell(part, parser)
                elif rest := reader.rest():
                    self._tell(rest, parser)
                for event in parser.tick():
                    self.process_message(event)

    def _tell(self, part: str | events.Paste, parser: XTermParser) -> None:
        """Pass keys on as their events, and a paste as it is."""
        for event in [part] if isinstance(part, events.Paste) else parser.feed(part):
            self.process_message(event)
