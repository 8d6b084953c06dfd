"""The hunks of a patch: go through them, decide about them; one virtualised widget that draws lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from assistant.tui import clicks, hunk_lines, hunk_rows, lost_lines
from assistant.tui.hunk_cursor import Cursor
from assistant.tui.hunk_rows import BESIDE_FROM, FOOT, Row, Subject, Trouble
from assistant.tui.hunk_selection import Selectable
from assistant.tui.key_grace import Grace
from assistant.tui.lines import cut, marked, strip
from assistant.tui.typeahead import Ahead
from assistant.visible import safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.selection import Selection

    from assistant.edits.edit import Edit
    from assistant.edits.journal import Preview
    from assistant.edits.lost import Lost
    from assistant.edits.patch import Hunk
    from assistant.edits.review import Mark, Review
    from assistant.tui.theme import Theme

_DECIDES = frozenset({"y", "space", "n", "u", "a", "d", "A", "X", "U", "enter"})
"""Keys that decide something."""
_STRAY_S = 3.0
"""Seconds after a meaningless key in which Enter writes nothing: it may end a sentence that somebody types."""


class PatchView(ScrollView, can_focus=True):
    """Shows a review and lets the user decide; nothing is written here.

    `ahead` takes what was typed that is not for the hunks; `make_room` gives the widget the width of the screen for two
    columns.
    """

    DEFAULT_CSS = "PatchView { height: 1fr; padding: 0 1; overflow-x: hidden; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }"
    BINDINGS = [
        Binding("down", "line(1)", show=False),
        Binding("up", "line(-1)", show=False),
        Binding("j,right_square_bracket,tab", "hunk(1)", show=False),
        Binding("k,left_square_bracket,shift+tab", "hunk(-1)", show=False),
        Binding("g,home,ctrl+home", "end(-1)", show=False),
        Binding("G,end,ctrl+end", "end(1)", show=False),
        Binding("y,space", "mark('take')", show=False),
        Binding("n", "mark('skip')", show=False),
        Binding("u", "mark('')", show=False),
        Binding("a", "mark_file('take')", show=False),
        Binding("d", "mark_file('skip')", show=False),
        Binding("A", "mark_all('take')", show=False),
        Binding("X", "mark_all('skip')", show=False),
        Binding("U", "mark_all('')", show=False),
        Binding("s", "split", show=False),
        Binding("S", "split_here", show=False),
        Binding("J", "join", show=False),
        Binding("x", "widen", show=False),
        Binding("i", "tell", show=False),
        Binding("v", "beside", show=False),
        Binding("e", "want('edit')", show=False),
        Binding("E", "want('editor')", show=False),
        Binding("c", "want('comment')", show=False),
        Binding("o", "want('opinion')", show=False),
        Binding("r", "want('repair')", show=False),
        Binding("question_mark", "want('help')", show=False),
        Binding("enter", "decide", show=False),
    ]
    LEAVES = frozenset({"q", "escape"})
    KEYS = LEAVES | {key for each in BINDINGS if isinstance(each, Binding) for key in each.key.split(",")}

    class Decided(Message):
        """The user has decided: what is taken is to be written now."""

        def __init__(self, review: Review, preview: Preview | None) -> None:
            super().__init__()
            self.review = review
            self.preview = preview

    class Wanted(Message):
        """The user wants to do something about a hunk, or about what found no place, that needs another screen."""

        def __init__(
            self, what: Literal["edit", "editor", "comment", "opinion", "repair", "help"], index: int, line: int
        ) -> None:
            super().__init__()
            self.what = what
            self.index = index
            self.line = line

    def __init__(self, theme: Theme, **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.look = theme
        self.subject = Subject()
        self.trouble = Trouble()
        self.cursor = Cursor()
        self.hint = ""
        self._kept: dict[int, Review] = {}
        self._coming: list[Edit] = []
        self.beside = False
        self._strips: dict[int, Strip] = {}
        self._shown: dict[int, hunk_lines.Shown] = {}
        self.grace = Grace(_STRAY_S)
        self.ahead = Ahead(self)
        self.make_room: Callable[[], None] = lambda: None

    # What is shown.

    @property
    def review(self) -> Review | None:
        """The hunks and what is decided about each; None where there are none."""
        return self.subject.review

    @property
    def preview(self) -> Preview | None:
        """The undo or redo whose hunks are in sight; None if they are a proposal."""
        return self.subject.preview

    @property
    def hunks(self) -> tuple[Hunk, ...]:
        """The hunks in sight."""
        return self.subject.hunks

    @property
    def at(self) -> int:
        """The hunk that the cursor is in."""
        return self.cursor.at

    @property
    def left(self) -> tuple[Lost, ...]:
        """The hunks that have lost their place and are not skipped."""
        return self.trouble.left(self.review)

    def show(self, subject: Subject, hint: str = "") -> None:
        """Show what is to be decided about, and say what was done last.

        If these hunks are in sight already, cursor and scroll stay, and so does what was said about them.
        """
        review = subject.review
        stays = review is not None and review is self.review and subject.preview is None and self.preview is None
        self.subject, self._coming = subject, []
        if stays and self.cursor.heads:
            here = self.hunks
            lost = tuple(each for each in self.trouble.lost if each.hunk in here)
            self.trouble = self.trouble._replace(lost=lost)
            self.hint = hint or self.hint
            self._lay_out_again()
            return
        self.trouble = Trouble()
        self.cursor, self.hint = Cursor(), hint
        self.grace.begin()
        self._build()
        self.scroll_home(animate=False)

    def _lay_out_again(self) -> None:
        """Build the rows of the same hunks anew without moving: other words may stand above them."""
        above = self.cursor.row - self.scroll_offset.y
        self._build()
        self.scroll_to(y=self.cursor.row - above, animate=False)

    def kept(self) -> dict[int, Review]:
        """Return the reviews as the user left them, by the turn that proposed them."""
        if self.review is not None and self.preview is None and self.subject.turn:
            self._kept[self.subject.turn] = self.review
        return self._kept

    def keep(self, turn: int, review: Review) -> None:
        """Keep the review, as the user has just left it, of hunks that are no longer in sight."""
        self._kept[turn] = review

    def forget(self) -> None:
        """Forget what was decided in another conversation."""
        self._kept = {}
        self.show(Subject())

    def tell_price(self, words: str) -> None:
        """Say what it would cost to send back what does not fit."""
        self.trouble = self.trouble._replace(price=words)
        self.on_resize()

    def tell_lost(self, why: str, lost: tuple[Lost, ...]) -> None:
        """Mark the hunks that have lost their place, and go to the first of them; nothing was written."""
        self.trouble = self.trouble._replace(lost=lost, why=why)
        self.cursor = self.cursor.to(next(iter(lost_lines.places(lost, self.hunks)), self.at))
        self.hint = lost_lines.hint(lost, self.hunks)
        self.on_resize()

    def tell_refused(self, words: str) -> None:
        """Say why nothing was done: above the hunks, where there is room for all of it, and in the line of keys."""
        self.trouble, self.hint = self.trouble._replace(refused=words), words
        self._lay_out_again()
        self.scroll_home(animate=False)

    def tell_hint(self, hint: str) -> None:
        """Say something in the line of keys."""
        self.hint = hint
        self.refresh()

    def put(self, review: Review, at: int | None = None, hint: str = "") -> None:
        """Show the review after a decision, and go to a hunk; if the decision changed nothing, the cursor stays."""
        if review is self.review:
            self.tell_hint(hint)
            return
        lost, laid_out = self.left, self._lays_out()
        self.subject = self.subject._replace(review=review)
        if self.left != lost:
            hint = hint or (lost_lines.hint(self.left, self.hunks) if self.left else "Enter writes what is taken")
            if at is not None and len(self.left) < len(lost):
                at = lost_lines.next_place(self.left, self.hunks, at if not self.left else self.at)
        if self._lays_out() != laid_out:
            self._build()
        if at is not None:
            self._go(self.cursor.to(at))
        self._strips.clear()
        self.tell_hint(hint)

    def _lays_out(self) -> tuple[object, ...]:
        """Return the parts of a review on which the rows depend."""
        return self.hunks, self.review.comments if self.review is not None else (), self.left

    def coming(self, edit: Edit) -> None:
        """Show that an edit of the running reply is complete; its place is looked for at the end."""
        rows = [Row()] * FOOT if self.review is None and not self._coming else self.cursor.rows
        self._coming.append(edit)
        if len(self._coming) == 1:
            self.make_room()
        rows = [*rows[:-FOOT], *hunk_rows.coming_rows(edit), *rows[-FOOT:]]
        self.cursor = self.cursor._replace(rows=rows)
        self.virtual_size = Size(self.size.width, len(rows))
        self._strips.clear()
        if not (self.hunks and self.has_focus):  # a user who decides about other hunks is not led away from them
            self.scroll_end(animate=False)
        self.refresh()

    @property
    def filling(self) -> bool:
        """Whether edits of the running reply are shown."""
        return bool(self._coming)

    def forget_coming(self) -> None:
        """Note that a reply begins: the edits shown for the last one are settled."""
        self._coming = []
        self._build()

    def _build(self) -> None:
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()  # other lines stand there from now on
        width = self.scrollable_content_region.width
        rows, heads = hunk_rows.lay_out(self.subject, self.trouble, self._coming, width, beside=self.beside)
        self.cursor = self.cursor.over(rows, heads)
        self._shown = {}
        self._strips.clear()
        self.virtual_size = Size(self.size.width, len(rows))
        self.refresh()

    # Where the user stands.

    def _go(self, there: Cursor) -> None:
        """Put the cursor there and keep it in sight."""
        self.cursor = there
        self._strips.clear()
        top = there.top(self.scroll_offset.y, self._page)
        if top != self.scroll_offset.y:
            self.scroll_to(y=top, animate=False)
        self.refresh()

    @property
    def _page(self) -> int:
        """The number of rows in sight."""
        return max(1, self.scrollable_content_region.height - FOOT)

    def action_line(self, step: int) -> None:
        """Move by a line."""
        if (there := self.cursor.line(step)) is not self.cursor:
            self._go(there)

    def page(self, step: int) -> None:
        """Move by a screen; past the hunks, scroll to what is below them."""
        self.hint = ""
        if (there := self.cursor.page(step, self._page)) is not self.cursor:
            self._go(there)
        else:
            self.scroll_relative(y=step * self._page, animate=False)

    def action_hunk(self, step: int) -> None:
        """Go to another hunk."""
        if self.hunks:
            self.hint = ""
            self._go(self.cursor.to(self.at + step))

    def action_end(self, side: int) -> None:
        """Go to the first or the last hunk; from the last one, to its last line."""
        self._go(self.cursor.end(side))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is, unless the mouse has selected something; select a word, or a line."""
        width = self.scrollable_content_region.width
        clicks.select(self, event, lambda row: self._draw(row, width).text if row < len(self.cursor.rows) else "")
        if self.text_selection is not None:
            return
        if (there := self.cursor.on(event.y + self.scroll_offset.y)) is not self.cursor:
            self._go(there)

    def on_resize(self) -> None:
        """Wrap again for another width, and stay at the hunk."""
        self._build()
        self._go(self.cursor.to(self.at))

    # What the user decides.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Take no decision from keys that were typed before the hunks could be seen."""
        del parameters
        return not (action in {"mark", "mark_file", "mark_all", "decide", "want"} and self.grace.early)

    def action_mark(self, mark: Mark) -> None:
        """Decide about the hunk and go to the next that is undecided."""
        if self.review is not None and self.hunks:
            review = self.review.mark(self.at, mark)
            self.put(review, review.next_undecided(self.at) if mark else self.at)

    def action_mark_file(self, mark: Mark) -> None:
        """Decide about all hunks of this file, and go on."""
        if self.review is not None and self.hunks:
            review = self.review.mark_file(self.at, mark)
            self.put(review, review.next_undecided(self.at))

    def action_mark_all(self, mark: Mark) -> None:
        """Decide about all hunks."""
        if self.review is not None:
            self.put(self.review.mark_all(mark))

    def action_split(self) -> None:
        """Cut the hunk into its runs of changes."""
        if self.review is not None and self.hunks:
            review = self.review.split(self.at)
            same = review is self.review
            self.put(review, self.at, "one run of changes already; S cuts it above the cursor's line" if same else "")

    def action_split_here(self) -> None:
        """Cut the hunk before the line of the cursor."""
        if self.review is not None and self.hunks:
            row = self.cursor.here
            line = row.beside[0].line if row.beside and row.beside[0] else row.line  # a pair is cut off together
            review = self.review.split_at(self.at, line) if line > 0 else self.review
            same = review is self.review
            words = "go to a line with changes above and below it: S cuts there" if same else ""
            self.put(review, self.at, words)

    def action_join(self) -> None:
        """Join this hunk and the next of the same file."""
        if self.review is not None and self.hunks:
            review = self.review.join(self.at)
            self.put(review, self.at, "there is no next hunk in this file" if review is self.review else "")

    def action_tell(self) -> None:
        """Say where the hunk comes from and how it was matched."""
        if self.hunks and self.subject.tell is not None:
            self.hint = self.subject.tell(self.hunks[self.at])
            self.refresh()

    def action_widen(self) -> None:
        """Show more of the file around the hunk."""
        if self.review is not None and self.hunks:
            self.put(self.review.widen(self.at), self.at)

    def action_beside(self) -> None:
        """Show old and new side by side, or below each other again."""
        if not self.beside and self.screen.size.width < BESIDE_FROM + 4:
            self.tell_hint(f"side by side needs {BESIDE_FROM + 4} columns")
            return
        self.beside = not self.beside
        self.hint = ""
        self.make_room()
        self.on_resize()

    def action_want(self, what: Literal["edit", "editor", "comment", "opinion", "repair", "help"]) -> None:
        """Ask for what needs another screen."""
        misfits = (*self.subject.misfits, *(each.misfit for each in self.left))
        if what == "help" or (what == "repair" and any(each.mendable for each in misfits)):
            self.post_message(self.Wanted(what, self.at, 0))
        elif what == "repair":
            self.tell_hint(lost_lines.nothing_back(misfits))
        elif self.preview is not None or not self.hunks:
            self.ahead.catch_up()  # what is written already is not edited here, nor commented on
        elif what in {"comment", "opinion"} or self.hunks[self.at].kind in {"change", "create"}:
            line = self.cursor.here.line
            if line < 0:  # the hunk as a whole: its first changed line
                line = next((at for at, each in enumerate(self.hunks[self.at].lines) if each.kind != " "), 0)
            self.post_message(self.Wanted(what, self.at, line))
        else:
            self.ahead.catch_up()

    def action_decide(self) -> None:
        """Hand over what was decided."""
        if self.review is None or not self.hunks:
            return
        if self.grace.strayed:
            self.tell_hint("nothing was written: it seems that you were typing. Enter again writes what is taken")
            self.grace.forgive()
            return
        if self.review.decided:
            self.post_message(self.Decided(self.review, self.preview))
        else:
            self.hint = "nothing is decided yet: y takes a hunk, A takes all"
            self.refresh()

    async def _on_key(self, event: events.Key) -> None:
        """Handle a key. A slash begins a command: it and all that follows are for the composer, however soon."""
        unknown = event.is_printable and event.key not in self.KEYS
        early = bool(self.hunks) and self.grace.early
        if not early:
            self.ahead.settle_early()
        if self.ahead.takes(event, stray=unknown and not self.hunks):
            event.prevent_default()
            event.stop()
            return
        if early and event.is_printable and (self.ahead.early(event, known=not unknown) or event.key == "q"):
            self.grace.typed()
            self._settle()  # a sentence may begin with a q
            event.prevent_default()
            event.stop()
            return
        if event.key in self.LEAVES:  # at once: keys that follow in one lump would be here before an action
            self.ahead.leave_behind()
            event.prevent_default()
            event.stop()
            return
        if self.hunks and not early:
            self.ahead.wait(event.key)
        if event.key in _DECIDES or unknown:
            self.grace.typed()
        await super()._on_key(event)
        if unknown:  # a sentence, it seems, begun in the wrong place
            self.grace.stray()
            self.tell_hint(f"{event.character} is no key here: ? tells them, q goes back to type")

    def _settle(self) -> None:
        """Leave once the hunks can be read, if that was asked for before and nothing else was typed."""
        if self.grace.early:
            self.set_timer(self.grace.rest_s, self._settle)
        else:
            self.ahead.settle_early()

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.ahead.type_on(event)

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        width = self.scrollable_content_region.width
        below = y - self.scrollable_content_region.height + FOOT
        if self.hunks and below >= 0:
            foot = self._foot(width)
            if below >= FOOT - len(foot):
                return foot[below - FOOT]
        index = y + self.scroll_offset.y
        if not 0 <= index < len(self.cursor.rows):
            return Strip.blank(self.size.width, self.rich_style)
        drawn = self._strips.get(index)
        if drawn is None:
            drawn = self._strips[index] = self._draw(index, width)
        line = drawn.apply_style(self.rich_style)
        selection = self.text_selection
        columns = self._selectable().columns(selection, index) if selection is not None else None
        if columns is not None:
            line = marked(line, *columns, self.screen.get_component_rich_style("screen--selection"))
        return line.apply_offsets(0, index)  # so that a selection knows its place

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what the mouse has selected: of hunks the code, without numbers and signs, wrapped lines as one."""
        return self._selectable().text(selection), "\n"

    def _selectable(self) -> Selectable:
        width = self.scrollable_content_region.width
        return Selectable(self.cursor.rows, self.hunks, width, lambda index: self._draw(index, width))

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw a selection that moved."""
        del selection
        self.refresh()

    def on_focus(self) -> None:
        """Show where the user stands."""
        self._strips.clear()

    def on_blur(self) -> None:
        """Show that the keys go elsewhere."""
        self.ahead.forget_typing()
        self._strips.clear()

    def _draw(self, index: int, width: int) -> Strip:
        row = self.cursor.rows[index]
        if row.hunk < 0:
            return strip([Segment(cut(safe(row.words), width), self.look[row.style])], width)
        hunk = self.hunks[row.hunk]
        if row.line < 0:
            return self._head(row.hunk, width)
        if row.hunk not in self._shown:
            self._shown[row.hunk] = hunk_lines.show(hunk, self.look)
        shown, gutter = self._shown[row.hunk], hunk_lines.gutter(hunk)
        if row.beside is not None:
            found = hunk_lines.draw_beside(shown, *row.beside, self.look, gutter, width)
        else:
            found = hunk_lines.draw(shown, row.line, row.part, self.look, gutter, width)
        here = index == self.cursor.row and self.has_focus
        return found.apply_style(Style(reverse=True)) if here else found

    def _head(self, index: int, width: int) -> Strip:
        head = hunk_rows.head(self.subject, self.trouble, index)
        here = index == self.at
        more = self.look["cursor"] if here and self.has_focus else Style.null()
        words = Segment(f"{'>' if here else ' '} {head.words}", self.look[head.style] + more)
        rest = self.look[head.rest_style] + more
        return strip([words, Segment(cut(safe(head.rest), width), rest)], width, rest)

    def _foot(self, width: int) -> list[Strip]:
        """Draw what is decided and which keys there are; it stays at the bottom. Long words take all its lines."""
        style = self.look["keys" if self.has_focus else "note"]
        lines = hunk_rows.foot(self.subject, self.hint, width, here=self.has_focus)
        return [strip([Segment(each, style)], width, style) for each in lines]
