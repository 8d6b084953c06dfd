"""Where the user types: several lines, Enter sends, Shift+Enter, Alt+Enter or Ctrl+J begins a new line."""

from __future__ import annotations

import re
import sys
from time import monotonic
from typing import TYPE_CHECKING, Literal, Protocol
from unicodedata import category

from textual.binding import Binding
from textual.message import Message

# TextArea would import tree-sitter for highlighting, which a composer does not use: the first frame need not wait.
_absent = "tree_sitter" not in sys.modules
if _absent:
    sys.modules["tree_sitter"] = None  # type: ignore[assignment]
from textual.widgets import TextArea as TextArea  # noqa: E402, PLC0414 - see above; the editor uses it as well

if _absent:
    del sys.modules["tree_sitter"]

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events

_HANDS_S = 1.5
"""Seconds after a key for which the user is still typing."""
_MARK, _COMMAND = re.compile(r"(?:^|(?<=\s))@\S*$"), re.compile(r"^/(?:\S*|[a-z-]+ .*)$")


class Offers(Protocol):
    """The list above the composer: what the word in it may become."""

    @property
    def word(self) -> str:
        """The word that the choices are for, which may be older than the one in the composer."""

    @property
    def chosen(self) -> str | None:
        """The chosen completion; None if there is none."""

    @property
    def first(self) -> str | None:
        """The likeliest completion, chosen or not; None if there is none."""

    @property
    def only(self) -> bool:
        """Whether there is only one choice."""

    def move(self, step: int) -> None:
        """Choose another one."""

    def hide(self) -> None:
        """Offer nothing any more."""


class Pad(TextArea):
    """A text area that takes every letter, and every key in its turn.

    Textual drops characters without width, such as the joiners of Persian and of emoji. And of keys that come together
    it takes the letters at once, but those that delete or move only after they have been all around the screen.
    """

    BINDINGS = [
        Binding("ctrl+home", "edge('start')", show=False),
        Binding("ctrl+end", "edge('end')", show=False),
    ]

    def action_edge(self, which: Literal["start", "end"]) -> None:
        """Go to the first or the last place of the text."""
        self.move_cursor(self.document.start if which == "start" else self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        for binding in self._bindings.key_to_bindings.get(event.key, ()):
            if await self.app.run_action(binding.action, self):
                event.prevent_default()
                event.stop()
                return
        words = event.character or ""  # newer protocols may report several letters in one key
        if any(category(letter) == "Cf" for letter in words) and not self.read_only:
            self.replace(words, *self.selection, maintain_selection_offset=False)
            event.prevent_default()
            event.stop()
        else:
            await super()._on_key(event)


class Composer(Pad):
    """A text area that sends."""

    DEFAULT_CSS = """
    Composer { height: auto; min-height: 3; max-height: 40%; border: round $primary; padding: 0 1; }
    Composer:focus { border: round $accent; }
    Composer.-squat { border: none; min-height: 1; padding: 0; }
    """
    BINDINGS = [
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "new line", show=False),
    ]

    class Sent(Message):
        """The user sends these words."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Asked(Message):
        """The user presses a key that means something else here.

        In an empty composer "help" (?), "leave" (Ctrl+D), "begin" and "end" (Home and End, of the conversation); with
        Ctrl, the last two in any composer.
        """

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def __init__(self, offers: Offers, **kwargs: str) -> None:
        super().__init__(tab_behavior="focus", highlight_cursor_line=False, **kwargs)  # type: ignore[arg-type]
        self.cursor_blink = False
        self.sent: list[str] = []
        self.take_queued: Callable[[], str] = str
        self.mark_of: Callable[[str], str] = lambda _: ""
        """Returns what stands for a picture whose path is all that was pasted: its mark, or a command."""
        self._offers = offers
        self.typed_at = 0.0
        self._back = 0
        self._draft = self._put = self._given = ""
        self._after = ""
        """A question that came back and made way for a command: it comes again after the command."""

    @property
    def word(self) -> str:
        """The word before the cursor, if it begins a command or names a file; all of a command that has a space in it.

        Empty for any other word, and as long as the text was put here and not typed.
        """
        if self._put and self.text == self._put:
            return ""
        row, column = self.cursor_location
        line = self.document.get_line(row)[:column]
        match = _MARK.search(line) or (_COMMAND.match(line) if row == 0 else None)
        return match[0] if match else ""

    def put(self, text: str) -> None:
        """Put words here that were written before: no completions are offered for them until the user types."""
        self._put = text
        self.text = text
        self.move_cursor(self.document.end)

    def take(self, text: str) -> None:
        """Put a completion in place of the word before the cursor."""
        row, column = self.cursor_location
        self.replace(text, (row, column - len(self.word)), (row, column))

    def give_back(self, text: str) -> None:
        """Put words back that were not sent, before what has been typed by now."""
        if text and not self.text.startswith(text):
            typed = self.text
            self.put(f"{text}\n{typed}" if typed else text)
            self._given = "" if typed else text

    def set_aside(self) -> None:
        """Clear the composer; Up brings its text back, like words that were sent."""
        if self.text.strip():
            self._note_sent(self.text)
        self._back, self.text = 0, ""
        self._come_again()

    def on_text_area_changed(self) -> None:
        """Show a question again that made way for a command, if no command is being typed after all."""
        from assistant.command import is_command

        if self._after and not is_command(self.text):
            self._come_again()

    def _come_again(self) -> None:
        after, self._after = self._after, ""
        self.give_back(after)

    def recently_typed(self) -> bool:
        """Whether the user is in the middle of typing, or has typed what is not sent."""
        return bool(self.text) or self.is_typing

    @property
    def is_typing(self) -> bool:
        """Whether a key was pressed here a moment ago."""
        return monotonic() - self.typed_at < _HANDS_S

    def type(self, letters: str) -> None:
        """Take letters that were meant for here and were typed elsewhere."""
        self.typed_at = monotonic()
        self.insert(letters)

    def action_newline(self) -> None:
        """Begin a new line."""
        self.insert("\n")

    async def _on_key(self, event: events.Key) -> None:
        self.typed_at = monotonic()
        if self._offers.first and self._offers.word == self.word and self._complete(event.key):
            pass
        elif event.key == "enter":
            self.send()
        elif event.key == "question_mark" and not self.text:
            self.post_message(self.Asked("help"))
        elif event.key == "ctrl+d" and not self.text:
            self.post_message(self.Asked("leave"))
        elif event.key == "ctrl+end" or (event.key == "end" and not self.text):
            self.move_cursor(self.document.end)
            self.post_message(self.Asked("end"))
        elif event.key == "ctrl+home" or (event.key == "home" and not self.text):
            self.move_cursor(self.document.start)
            self.post_message(self.Asked("begin"))
        elif event.key == "up" and not self.text and (queued := self.take_queued()):
            self.sent = [*self.sent[:-1], *[words for words in self.sent[-1:] if words != queued]]  # not sent yet
            self.put(queued)
        elif event.key == "up" and self.cursor_location[0] == 0 and self._back < len(self.sent):
            self._recall(1)
        elif event.key == "down" and self._back and self.cursor_location[0] == self.document.line_count - 1:
            self._recall(-1)
        else:
            self._put = ""
            if event.is_printable:
                self._begin_below(event.character or "")
            await super()._on_key(event)
            return
        event.prevent_default()
        event.stop()

    async def _on_paste(self, event: events.Paste) -> None:
        mark = self.mark_of(event.text)
        if mark and not (mark.startswith("/") and self.text):  # a command stands alone
            event.text = f"{mark} "
        self._begin_below(event.text)  # the text area's own handler is called next and inserts the text

    def _begin_below(self, words: str) -> None:
        """Prepare for words that are typed or pasted right below a question that came back and was not changed since."""
        if self._given and self._given == self.text and self.cursor_at_end_of_text:
            if words.lstrip().startswith("/"):  # a command first: the words below the question may ask for one
                self._after, self.text = self._given, ""
                self._note_sent(self._after)  # Up brings it back, too
            else:
                self.insert("\n")  # typed without knowing that the question would come back
        self._given = ""

    def send(self) -> None:
        """Send the text; after a final backslash, begin a new line instead."""
        if self.text.endswith("\\"):
            self.action_delete_left()
            self.insert("\n")
        elif self.text.strip():
            words, self.text = self.text, ""
            self._note_sent(words)
            self._back, self.typed_at = 0, 0.0
            self.post_message(self.Sent(words))
            self._come_again()

    def _note_sent(self, words: str) -> None:
        """Let Up bring words back."""
        if self.sent[-1:] != [words]:
            self.sent.append(words)

    def _complete(self, key: str) -> bool:
        """Use a key for the list of completions (walk through it, take one, close it); say whether it was for that.

        Tab takes the likeliest one if none is chosen. Enter after a command takes the chosen one and sends the command;
        it also does so if the command alone is all there is to say.

        The caller has checked that these are completions of the present text: hasty fingers are ahead of the list.
        """
        word, chosen = self.word, self._offers.chosen
        if key in {"up", "down"}:
            self._offers.move(1 if key == "down" else -1)
            return True
        if key not in {"tab", "enter", "escape"}:
            return False
        if key == "tab":
            chosen = chosen or self._offers.first
        alone = self._offers.only and str(chosen).startswith("/") and " " not in str(chosen)
        self._offers.hide()
        fresh = chosen is not None and chosen.strip() != word.strip()
        if key != "escape" and chosen is not None and fresh:
            self.take(chosen)
        if key == "enter" and (not fresh or alone or (" " in word and not str(chosen).endswith("="))):
            self.send()
        return True

    def recall(self, words: str) -> None:
        """Put words here that were sent before, as Up does: Down leads back to what was here."""
        if words in self.sent:
            self._recall(self.sent[::-1].index(words) + 1 - self._back)
        else:
            self.put(words)

    def _recall(self, step: int) -> None:
        if not self._back:
            self._draft = self.text
        self._after = ""  # it is among the words that Up walks through
        self._back += step
        self.put(self.sent[-self._back] if self._back else self._draft)
