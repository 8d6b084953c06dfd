"""The conversation: one virtualised widget that draws lines.

Lines are collected as they come and drawn a few times a second; a line is wrapped and coloured once it is complete, and
only the last one grows. Long text that is also shown elsewhere (edits, thoughts) is folded to one line; a key opens it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from time import monotonic
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from assistant.tui import clicks, markdown, tables
from assistant.tui.lines import marked, strip, wrapped
from assistant.tui.talk_line import Line, only_names
from assistant.visible import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.selection import Selection
    from textual.timer import Timer

    from assistant.tui.highlight import Spans
    from assistant.tui.theme import Theme

_BEAT_S = 0.125
"""Seconds between drawings of a running answer. The eye asks for no more, and each frame repaints what scrolls."""
_SCROLLS_S = 0.35
"""Fewest seconds between scrolls of a running answer: scrolling for each line costs thrice as much, for no gain."""
_MOST_ROOM = 12
_AT_ONCE, _SLICE_S = 200, 0.05
"""Lines drawn before the screen is seen again, and seconds until the next slice of the lines above them."""
_DRAWS_S = 0.08
"""Most seconds that one go at drawing takes; what is left is drawn a moment later."""
_MOST_LINES = 20_000
"""Most lines that are kept for the screen; older ones are in the transcript on disk."""


class Transcript(ScrollView, can_focus=False):
    """Lines of a conversation. Follows its end unless the user has scrolled up.

    It never has the keys: a user who clicks here, to look or to select, goes on typing in the same place.
    """

    DEFAULT_CSS = "Transcript { height: 1fr; padding: 0 1; overflow-x: hidden; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }"

    def __init__(self, theme: Theme, **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.look = theme
        self._lines: list[Line] = []
        self._lost = 0  # how many older lines were forgotten
        self._first = 0  # the first line that is drawn: the end of a long talk comes first, the rest in slices
        self._starts: list[int] = []
        self._strips: list[Strip] = []
        self._gone: list[Strip] = []  # strips drawn before: dropping those of a long talk in one go would be felt
        self._width = 0
        self._open = False
        self._answer: list[Line] = []  # the lines of the running answer, thoughts left out
        self._thoughts: list[Line] = []
        self._table: tables.Table | None = None  # the table whose rows are coming
        self._head: Line | None = None  # its first line; without a table, the last line, which may begin one
        self._torn = False  # a thought came in the middle of a line, which goes on after it
        self._growing: Line | None = None
        self._behind = 0  # how many lines at the end stay below the block that comes: they were added while it came
        self._parted = False  # such lines stand right above the growing line, without an empty one between
        self._fence: markdown.Fence | None = None
        self._dirty = False
        self._follows = True
        self.more = False
        """Whether something has come below since the user scrolled up; `tell_more` is called when that changes."""
        self.tell_more: Callable[[], None] = lambda: None
        self._clean = 0  # strips that are on the screen as they are
        self._painted = 0  # strips that were there when the screen was last painted
        self._ground = Style.null()
        self._height, self._room, self._scrolled_at = 0, 1, 0.0
        self._timer: Timer | None = None
        self._older: Timer | None = None

    # What is said.

    def add(self, text: str, kind: str = "words") -> None:
        """Add whole lines, below an empty one; a line, table or code block that is coming goes on above them."""
        self._note_more(not self._follows)
        last = self._lines[-1] if self._lines else None
        near = last is None or (last is not self._growing and (last.blank or last.kind == kind == "note"))
        lines = [] if near else [Line("", "words")]
        for line in [*lines, *(Line(safe(each), kind) for each in text.rstrip("\n").split("\n"))]:
            self._put(line, behind=self._growing is not None)
        self._draw_soon()

    def append(self, text: str, kind: str = "words") -> None:
        """Add to the running answer."""
        self._note_more(not self._follows)
        if self._growing is not None and (kind == "thought") != (self._growing.kind == "thought"):
            self._torn = kind == "thought" and bool(self._growing.text)
            self._close()
            self._fold_thoughts()
        first, *more = text.split("\n")
        self._grow(first, kind)
        for piece in more:
            self._close()
            self._grow(piece, kind)
        self._dirty = True
        if self._timer is None:
            self._timer = self.set_interval(_BEAT_S, self._beat)

    def fold(self, first: int, label: str) -> None:
        """Fold the running answer from its line `first` (1-based) to its end below a label: an edit that is complete.

        The path, the head of a diff and the fence above it are folded too. If the line is folded already, the label is
        added to its own.
        """
        start = min(max(0, first - 1), max(0, len(self._answer) - 1))
        while start and self._answer[start].hidden:
            start -= 1
        if self._answer and self._answer[start].label:
            self._answer[start].label += f", {label}"
            self._undraw(self._index(self._answer[start]))
            self._dirty = True
            return
        while start and not ((above := self._answer[start - 1]).hidden or above.label):
            if above.kind != "fence" and not only_names(above.text, label):
                break
            start -= 1
        before = self._answer[:start]
        while before and before[-1].blank:
            before.pop()
        if before and (before[-1].hidden or before[-1].label):  # edit follows edit: hide empty lines between them
            for line in self._answer[len(before) : start]:
                line.hidden = True
            self._undraw(self._index(before[-1]))
        lines = [line for line in self._answer[start:] if line is not self._growing]
        if lines:
            fence = self._answer[
                min(first, len(self._answer)) - 1
            ].fence  # fences inside the edit's own text do not count
            self._fence = None if fence is not None and fence.ends(lines[-1].text) else fence
            if self._growing is not None:
                self._enter(self._growing)
            self._hide(lines, label)
        self._dirty = True

    def end(self) -> None:
        """Close the running answer."""
        self._close()
        self._fold_thoughts()
        self._answer, self._fence, self._torn = [], None, False
        self._table = self._head = None
        self._let_go()
        self._parted = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._draw_soon()

    def clear(self) -> None:
        """Forget all lines."""
        self._note_more(False)
        self.end()
        self._lines, self._starts, self._strips = [], [], []
        self._first = self._clean = self._lost = 0
        self._grown()

    def toggle(self) -> bool:
        """Open what is folded, or fold it again; returns whether it is open now."""
        self._open = not self._open
        self._redraw()
        return self._open

    @property
    def text(self) -> str:
        """All that was said, as plain lines, folded or not."""
        return "\n".join(line.text if not line.label else f"{line.label}\n{line.text}" for line in self._lines)

    # Lines.

    def _grow(self, piece: str, kind: str) -> None:
        if self._growing is None:
            if not self._answer and not self._thoughts and self._lines and not self._lines[-1].blank:
                self._put(Line("", "words"))
            self._growing = Line("", kind)
            self._enter(self._growing)
            self._put(self._growing)
            if kind == "thought":
                self._thoughts.append(self._growing)
            elif self._torn:
                self._torn = False
            else:
                self._answer.append(self._growing)
        elif piece:
            self._undraw(self._index(self._growing))
        self._growing.text += piece
        if self._parted and piece:
            self._parted = False
            at = self._index(self._growing)
            self._undraw(at)
            self._lines.insert(at, Line("", "words"))

    def _enter(self, line: Line) -> None:
        """Mark a line that begins as code, or as words."""
        if line.kind in {"words", "code"}:
            line.fence = fence = self._fence
            line.kind, line.language = ("words", "") if fence is None else ("code", fence.language)

    def _close(self) -> None:
        """End the growing line: now its kind is known."""
        line, self._growing = self._growing, None
        if line is None:
            return
        self._undraw(self._index(line))
        raw = line.text
        line.text = safe(raw)
        self._parted = self._parted and not line.blank
        if line.kind in {"words", "code"}:
            self._know(line, raw)
        if self._fence is None and self._head is None and not self._torn:
            self._let_go()

    def _let_go(self) -> None:
        """Fix the place of lines added in the midst of a block: it is complete, and new text goes below them."""
        at, self._behind = len(self._lines) - self._behind, 0
        if at == len(self._lines):
            return
        self._parted = True
        if at and self._lines[at - 1].blank and not self._lines[at - 1].hidden and self._lines[at].blank:
            self._undraw(at)
            del self._lines[at]

    def _know(self, line: Line, raw: str) -> None:
        """Set the kind of a complete line."""
        if self._fence is not None:
            if self._fence.ends(raw):
                line.kind, self._fence = "fence", None
                above = self._answer[-2] if len(self._answer) > 1 else line
                line.hidden = bool(above.label) or above.hidden  # the fence of an edit that is folded
        elif (fence := markdown.Fence.of(raw)) is not None:
            line.kind, self._fence = "fence", fence
        elif re.match(r"#{1,6} ", raw):
            line.kind = "head"
        self._tabled(line)

    def _tabled(self, line: Line) -> None:
        """Take a line that may belong to a table; if it widens the columns, the whole table is drawn again."""
        head, table = self._head, self._table
        words = line.text if line.kind == "words" else ""
        if head is not None and table is None and tables.begins(head.text, words):
            head.table = line.table = self._table = tables.Table(head.text, words)
            line.row = 1
            self._undraw(self._index(head))
        elif head is not None and table is not None and self._goes_on(words):
            line.table, line.row = table, table.rows
            self._widen(table.take, words)
        else:
            self._table, self._head = None, line if "|" in words else None

    def _widen(self, take: Callable[[str], None], words: str) -> None:
        """Let the table take some words; if it looks different with them, the whole table is drawn again."""
        if self._table is not None and self._head is not None:
            before = self._table.look(self._width)
            take(words)
            if self._table.look(self._width) != before:
                self._undraw(self._index(self._head))

    def _goes_on(self, words: str) -> bool:
        """Say whether words are another row of the table."""
        barred = self._head is not None and tables.is_barred(self._head.text)
        return tables.is_barred(words) if barred else "|" in words

    def _fold_thoughts(self) -> None:
        lines, self._thoughts = self._thoughts, []
        if len(lines) > 1 or (lines and len(lines[0].text) > 100):
            words = sum(len(line.text.split()) for line in lines)
            self._hide(lines, f"thought, {words:,} words")

    def _hide(self, lines: list[Line], label: str) -> None:
        self._undraw(self._index(lines[0]))
        lines[0].label = label
        for line in lines[1:]:
            line.hidden = True

    def _index(self, line: Line) -> int:
        """Return the index of a line, which is likely to be one of the last."""
        first = len(self._lines) - 1
        while first and self._lines[first] is not line:
            first -= 1
        return first

    def _put(self, line: Line, *, behind: bool = False) -> None:
        """Add a line: above those that stay below the coming block, or (`behind`) to them."""
        if len(self._lines) >= _MOST_LINES:
            self._forget(_MOST_LINES // 10)
        at = len(self._lines) if behind else len(self._lines) - self._behind
        self._behind += behind
        self._undraw(at)
        self._lines.insert(at, line)

    def _forget(self, count: int) -> None:
        """Forget the oldest lines, and say so above the others."""
        self._lost += count + 1 - bool(self._lost)  # the line that says so takes the place of one
        words = f"{self._lost:,} older lines are shown no more: /export FILE writes the whole conversation."
        self._lines[: count + 1] = [Line(words, "note")]
        self._begin_anew()

    # Drawing.

    def _beat(self) -> None:
        if self._dirty:
            self._draw()

    def _draw_soon(self) -> None:
        """Draw once for all that is added in one go."""
        self._dirty = True
        self.call_later(self._beat)

    def _undraw(self, index: int) -> None:
        """Forget the drawing of a line and of all lines below it."""
        place = max(0, index - self._first)
        if place < len(self._starts):
            del self._strips[self._starts[place] :]
            del self._starts[place:]
            self._clean = min(self._clean, len(self._strips))
        self._dirty = True

    def _redraw(self) -> None:
        """Draw everything anew; a user who has scrolled up goes on reading at the same line."""
        top = None if self._follows else self._first + max(0, bisect_right(self._starts, self.scroll_offset.y) - 1)
        self._begin_anew(top)
        self._draw()
        if top is not None and top - self._first < len(self._starts):
            self.scroll_to(y=self._starts[top - self._first], animate=False, force=True)

    def _begin_anew(self, top: int | None = None) -> None:
        """Forget what is drawn; draw the end, or all from line `top` on, at once, and what lies above in slices."""
        most = len(self._lines) if top is None else top
        self._first = max(0, min(most, len(self._lines) - _AT_ONCE))
        if self._first:
            self._gone += self._strips
        self._starts, self._strips, self._clean = [], [], 0
        if self._first and self._older is None:
            self._older = self.set_interval(_SLICE_S, self._draw_older)

    def _draw_older(self) -> None:
        """Draw a slice of the lines above those that are drawn already."""
        first = max(0, self._first - _AT_ONCE // 2)
        del self._gone[-10 * _AT_ONCE :]
        starts: list[int] = []
        strips: list[Strip] = []
        for line in self._lines[first : self._first] if self._width else ():
            starts.append(len(strips))
            strips += [each.apply_style(self._ground) for each in self._drawn(line)]
        more, top = len(strips), self.scroll_offset.y
        self._first = first
        self._starts = [*starts, *(start + more for start in self._starts)]
        self._strips = [*strips, *self._strips]
        self._clean, self._painted = self._clean + more, self._painted + more
        if not first and self._older is not None:
            self._gone = []
            self._older.stop()
            self._older = None
        self._grown()
        if not self._follows:
            self.scroll_to(y=top + more, animate=False, force=True)

    def _draw(self) -> None:
        """Draw the lines that are not drawn yet."""
        self._dirty = False
        if not self._width:
            return
        if self._ground != self.rich_style:
            self._ground = self.rich_style
            self._undraw(0)
            self._dirty = False
        if self._follows and self._timer is None and self._waiting > 2 * _AT_ONCE:
            self._begin_anew()
        if self._growing is not None and (table := self._coming(self._growing)) is not None:
            self._widen(table.foresee, safe(self._growing.text))
            self._dirty = False
        until = monotonic() + _DRAWS_S
        for count, line in enumerate(self._lines[-self._waiting :] if self._waiting else ()):
            if count >= _AT_ONCE and monotonic() > until:
                self._dirty = True
                if self._timer is None:
                    self.set_timer(_SLICE_S, self._beat)
                break
            self._starts.append(len(self._strips))
            self._strips += [each.apply_style(self._ground) for each in self._drawn(line)]
        self._grown()

    def _coming(self, line: Line) -> tables.Table | None:
        """Return the table whose next row is the growing line."""
        return self._table if line.kind == "words" and tables.is_barred(line.text) else None

    @property
    def _waiting(self) -> int:
        """Number of lines, below the drawn ones, that are not drawn yet."""
        return len(self._lines) - self._first - len(self._starts)

    def _drawn(self, line: Line) -> list[Strip]:
        found: list[Strip] = []
        if line.label:
            sign = "v" if self._open else ">"
            found += wrapped(f"{sign} {line.label}", [], self.look["fold"], self._width)
        if (line.hidden or line.label) and not self._open:
            return found
        text, table, row = line.text, line.table, line.row
        if line is self._growing:
            text = safe(text)
            if (table := self._coming(line)) is not None:
                row = table.rows
        if table is not None:
            style = self._style(line.kind)
            return found + [strip(self._cut(each, style), self._width) for each in table.lines(text, row, self._width)]
        if line is self._growing or line.kind not in {"words", "head"}:
            return found + wrapped(text, self._spans(line, text), self._style(line.kind), self._width)
        spans, at = [], 0
        pieces = markdown.shown(text)
        for piece in pieces:
            if piece.style:
                spans.append((at, at + len(piece.text), self.look[piece.style]))
            at += len(piece.text)
        text = "".join(piece.text for piece in pieces)
        return found + wrapped(text, spans, self._style(line.kind), self._width)

    def _cut(self, pieces: list[markdown.Piece], style: Style) -> list[Segment]:
        return [Segment(each.text, style + self.look[each.style] if each.style else style) for each in pieces]

    def _style(self, kind: str) -> Style:
        return self.look["note" if kind == "fence" else kind]

    def _spans(self, line: Line, text: str) -> Spans:
        if line.kind == "code" and line.language and text.strip():
            from assistant.tui.highlight import spans

            return spans([text], line.language, self.look.syntax)[0]
        return []

    def _grown(self) -> None:
        """Update the scroll bar, follow the end unless the user has scrolled away from it, and paint what is new.

        The screen is laid out anew only when the bar comes or goes: on every beat, that would be most of the cost.
        """
        size, top = Size(self._width, self._roomy(len(self._strips))), self.scroll_offset.y
        first, self._clean = self._clean, len(self._strips)
        last, self._painted = max(self._painted, len(self._strips)), len(self._strips)
        if self.show_vertical_scrollbar == (size.height > self.container_size.height):
            self.set_reactive(Transcript.virtual_size, size)
            if self.show_vertical_scrollbar:
                self.vertical_scrollbar.window_virtual_size = size.height
        else:
            self.virtual_size = size
        self._keep_end()
        if self.scroll_offset.y == top and first < min(last, top + self.size.height):
            self.refresh_lines(first, min(last, top + self.size.height) - first)

    def _roomy(self, lines: int) -> int:
        """Return the height to show: a running answer has room below for as many lines as come in a moment."""
        if self._timer is None:
            self._height, self._room = lines, 1
        elif not self._height - _MOST_ROOM <= lines <= self._height:
            now = monotonic()
            soon = now - self._scrolled_at < _SCROLLS_S
            self._room = min(2 * self._room, _MOST_ROOM) if soon else max(1, self._room - 1)
            self._height, self._scrolled_at = lines + self._room - 1, now
        return self._height

    def _keep_end(self) -> None:
        if self._follows or self.scroll_y > self.max_scroll_y:  # else folding would leave an empty screen
            self.scroll_to(y=self.max_scroll_y, animate=False, force=True)

    def follow(self) -> None:
        """Go to the end, and follow it again."""
        self._follows = True
        self._note_more(False)
        self._keep_end()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Note whether the end is in sight: then new words are followed."""
        super().watch_scroll_y(old_value, new_value)
        self._follows = new_value >= self.max_scroll_y - 1
        if self._follows:
            self._note_more(False)

    def _note_more(self, more: bool) -> None:
        if more != self.more:
            self.more = more
            self.tell_more()

    def on_resize(self) -> None:
        """Wrap again for another width, and keep the end in sight at another height."""
        width = self.scrollable_content_region.width
        if width != self._width and width > 0:
            self._width = width
            self._redraw()
        self._keep_end()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        index = y + self.scroll_offset.y
        if not 0 <= index < len(self._strips):
            self._ground = self._ground or self.rich_style  # the first frame comes before anything is drawn
            return Strip.blank(self.size.width, self._ground)
        line = self._strips[index]
        selection = self.text_selection
        span = selection.get_span(index) if selection is not None else None
        if span is not None:
            first, last = span
            mark = self.screen.get_component_rich_style("screen--selection")
            line = marked(line, first, len(line.text) if last == -1 else last, mark)
        return line.apply_offsets(0, index)  # so that a selection knows its place, also in the pieces that it makes

    def on_click(self, event: events.Click) -> None:
        """Select a word, or a line."""
        clicks.select(self, event, lambda line: self._strips[line].text if line < len(self._strips) else "")

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the words that are selected with the mouse."""
        return selection.extract("\n".join(strip.text.rstrip() for strip in self._strips)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw a selection that moved."""
        del selection
        self.refresh()
