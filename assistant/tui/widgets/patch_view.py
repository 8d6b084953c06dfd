"""The hunks of a patch: go through them, decide about them; one virtualised widget that draws lines."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from assistant.tui import hunk_lines, lost_lines
from assistant.tui.lines import cut, longest, marked, safe, strip, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.selection import Selection
    from textual.timer import Timer

    from assistant.edits.edit import Edit, Misfit
    from assistant.edits.journal import Preview
    from assistant.edits.lost import Lost
    from assistant.edits.patch import Hunk
    from assistant.edits.review import Mark, Review
    from assistant.tui.theme import Theme

_MARKS = {"take": ("✓ take", "taken"), "skip": ("✗ skip", "skipped"), "": ("·", "range")}
_GRACE_S = 0.4
"""Keys that come sooner after hunks have appeared were meant for something else."""
_STRAY_S = 3.0
"""How long after a key that means nothing Enter writes nothing: who types a sentence ends it so."""
_BESIDE_FROM = 100
_FOOT = 2
"""Lines at the bottom for what is decided and for keys."""
_UNDO_KEYS = (
    "y n  Enter {way}  q back",
    "y take  n leave  Enter {way}  q back",
    "y take  n leave  a/d file  A/X all  Enter {way}es what is taken  q back",
)
_KEYS = (
    "y n  Enter write  ? keys",
    "y take  n skip  e edit  c comment  Enter write  ? keys",
    "y take  n skip  u unmark  s split  e edit  c comment  a/d file  A/X all  Enter write  q back  ? keys",
)


_SHEETS = frozenset({"e", "c", "o", "question_mark"})
"""Keys that open a sheet: what is typed behind them is for that."""
_OPENS_S = 1.0
"""How long a sheet may take to open until the keys are ours again."""
_NOWHERE = hunk_lines.Cell(0, (0, 0))


class _Row(NamedTuple):
    """One line of the screen: of a hunk (its line, and the stretch of it), or words of our own."""

    hunk: int = -1
    line: int = -1
    part: tuple[int, int] = (0, 0)
    words: str = ""
    style: str = "context"
    beside: tuple[hunk_lines.Cell | None, hunk_lines.Cell | None] | None = None

    @property
    def lines(self) -> set[int]:
        """The lines of the hunk that stand here."""
        return {cell.line for cell in self.beside if cell is not None} if self.beside else {self.line}


class _Words(NamedTuple):
    """What of a row can be selected: a stretch of a text, and the column at which it is drawn."""

    text: str
    column: int
    first: int
    last: int
    hunk: int = -1
    line: int = -1

    def within(self, span: tuple[int, int]) -> tuple[int, int]:
        """Return the columns of a selection's span that lie within it; -1 is the end of the row."""
        end = self.column + self.last - self.first
        first, last = span
        return min(max(first, self.column), end), end if last == -1 else max(self.column, min(last, end))


_NO_WORDS = _Words("", 0, 0, 0)


class PatchView(ScrollView, can_focus=True):
    """Shows a review and lets the user decide; nothing is written here.

    `type` takes what was typed that is not for the hunks, `leave` moves the focus to where it goes, at once, `make_room`
    gives it the width of the screen for two columns.
    """

    DEFAULT_CSS = "PatchView { height: 1fr; padding: 0 1; overflow-x: hidden; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }"
    BINDINGS = [  # noqa: RUF012 - Textual's way
        Binding("down", "line(1)", show=False),
        Binding("up", "line(-1)", show=False),
        Binding("j,right_square_bracket,tab", "hunk(1)", show=False),
        Binding("k,left_square_bracket,shift+tab", "hunk(-1)", show=False),
        Binding("g,home", "end(-1)", show=False),
        Binding("G,end", "end(1)", show=False),
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
        Binding("escape,q", "leave", show=False),
    ]

    KEYS = frozenset(key for each in BINDINGS if isinstance(each, Binding) for key in each.key.split(","))

    class Decided(Message):
        """The user has decided: what is taken is to be written now."""

        def __init__(self, review: Review, preview: Preview | None) -> None:
            super().__init__()
            self.review = review
            self.preview = preview

    class Wanted(Message):
        """The user wants to do something about a hunk (or about what found no place) that needs another screen."""

        def __init__(
            self, what: Literal["edit", "editor", "comment", "opinion", "repair", "help"], index: int, line: int
        ) -> None:
            super().__init__()
            self.what = what
            self.index = index
            self.line = line

    class Left(Message):
        """The user goes back to the composer."""

    def __init__(self, theme: Theme, **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.look = theme
        self.review: Review | None = None
        self.preview: Preview | None = None
        self.at = 0
        self.hint = ""
        self._origin = ""
        self._doubts: tuple[Misfit, ...] = ()
        self.lost: tuple[Lost, ...] = ()
        self._why_lost = self._refused = ""
        self._tell: Callable[[Hunk], str] | None = None
        self._misfits: tuple[Misfit, ...] = ()
        self._price = ""
        self._turn = 0
        self._kept: dict[int, Review] = {}
        self._coming: list[Edit] = []
        self._cursor = 0
        self.beside = False
        self._rows: list[_Row] = []
        self._heads: list[int] = []
        self._strips: dict[int, Strip] = {}
        self._shown: dict[int, hunk_lines.Shown] = {}
        self._since = 0.0
        self._typing = self._handing = False
        self._strayed = 0.0
        self._ahead: list[events.Key] | None = None
        self._opens: Timer | None = None
        self.type: Callable[[events.Key | events.Paste], None] = lambda _: None
        self.leave: Callable[[], None] = lambda: None
        self.make_room: Callable[[], None] = lambda: None

    # What is shown.

    def show(
        self,
        review: Review | None,
        misfits: tuple[Misfit, ...] = (),
        origin: str = "",
        hint: str = "",
        preview: Preview | None = None,
        tell: Callable[[Hunk], str] | None = None,
        turn: int = 0,
        doubts: tuple[Misfit, ...] = (),
    ) -> None:
        """Show a review, what of the reply found no place or may not be meant, where it all came from, and what was done last.

        With a preview it is the review of an undo or redo: what is taken is taken back, or made again. `tell` says where
        one hunk comes from, `turn` which one proposed them. Where they are the hunks that are in sight already, cursor and
        scroll stay, and what was told of them.
        """
        stays = review is not None and review is self.review and preview is None and self.preview is None
        self._turn, self._doubts = turn, doubts
        self.preview, self._tell = preview, tell
        self.review, self._misfits, self._origin, self._coming = review, misfits, origin, []
        if stays and self._heads:
            here = self.hunks
            self.lost = tuple(each for each in self.lost if each.hunk in here)
            self.hint = hint or self.hint
            self._lay_out_again()
            return
        self.lost, self._why_lost, self._refused = (), "", ""
        self.at, self._cursor, self.hint, self._price = 0, 0, hint, ""
        self._since = monotonic()
        self._build()
        if self._heads:
            self._go(self._heads[0])
        self.scroll_home(animate=False)

    def _lay_out_again(self) -> None:
        """Build the rows of the same hunks anew, and stay: other words may stand above them."""
        line, top = self._cursor - self._heads[self.at], self.scroll_offset.y - self._cursor
        self._build()
        self._cursor = min(self._heads[self.at] + line, len(self._rows) - 1)
        self.scroll_to(y=self._cursor + top, animate=False)

    def kept(self) -> dict[int, Review]:
        """Return the reviews by the turn that proposed them, as the user has left each."""
        if self.review is not None and self.preview is None and self._turn:
            self._kept[self._turn] = self.review
        return self._kept

    def forget(self) -> None:
        """Forget what was decided in another conversation."""
        self._kept = {}
        self.show(None)

    def tell_price(self, words: str) -> None:
        """Say what it would cost to send back what does not fit."""
        self._price = words
        self.on_resize()

    def tell_lost(self, why: str, lost: tuple[Lost, ...]) -> None:
        """Mark the hunks that have no place in their files any more, and go to the first of them; nothing was written."""
        self.lost, self._why_lost = lost, why
        self.at = next(iter(lost_lines.places(lost, self.hunks)), self.at)
        self.hint = lost_lines.hint(lost, self.hunks)
        self.on_resize()

    def tell_refused(self, words: str) -> None:
        """Say above the hunks, where there is room for all of it, and in the line of keys why nothing was done."""
        self._refused = self.hint = words
        self._lay_out_again()
        self.scroll_home(animate=False)

    def tell_hint(self, hint: str) -> None:
        """Say something in the line of keys."""
        self.hint = hint
        self.refresh()

    def put(self, review: Review, at: int | None = None, hint: str = "") -> None:
        """Show the review as it is after a decision; where that changed nothing, the cursor stays."""
        before = self.review
        if review is before:
            self.tell_hint(hint)
            return
        lost = self.left
        self.review, self.hint = review, hint
        if self.left != lost:
            self.hint = hint or (lost_lines.hint(self.left, self.hunks) if self.left else "Enter writes what is taken")
            if at is not None and len(self.left) < len(lost):
                at = lost_lines.next_place(self.left, self.hunks, at if not self.left else self.at)
        if at is not None:
            self.at = at
        if (
            before is None
            or self.left != lost
            or [each.hunk for each in before.choices] != [each.hunk for each in review.choices]
            or (before.comments != review.comments)
        ):
            self._build()
            self.at = max(0, min(self.at, len(self._heads) - 1))
        self._strips.clear()
        if at is not None and self._heads:
            self._go(self._heads[min(at, len(self._heads) - 1)])
        self.refresh()

    def coming(self, edit: Edit) -> None:
        """Show that an edit of the running reply is whole; its place is looked for at the end."""
        if self.review is None and not self._coming:
            self._rows = [_Row()] * _FOOT
        self._coming.append(edit)
        if len(self._coming) == 1:
            self.make_room()
        self._rows[-_FOOT:-_FOOT] = _coming_rows(edit)
        self.virtual_size = Size(self.size.width, len(self._rows))
        self._strips.clear()
        if not (self.hunks and self.has_focus):  # who decides about others is not led away from them
            self.scroll_end(animate=False)
        self.refresh()

    @property
    def filling(self) -> bool:
        """Whether edits of the running reply are shown."""
        return bool(self._coming)

    def forget_coming(self) -> None:
        """A reply begins: what came of the last one is settled."""
        self._coming = []
        self._build()

    @property
    def hunks(self) -> tuple[Hunk, ...]:
        """The hunks in sight."""
        return tuple(choice.hunk for choice in self.review.choices) if self.review else ()

    @property
    def left(self) -> tuple[Lost, ...]:
        """Those that have no place in their files any more and are not skipped."""
        skipped = self.review.skipped if self.review is not None else ()
        return tuple(each for each in self.lost if each.hunk not in skipped)

    def _build(self) -> None:
        if self.is_attached and self.text_selection is not None:
            self.screen.clear_selection()  # other lines stand there from now on
        width = self.scrollable_content_region.width
        rows: list[_Row] = []
        self._heads, self._shown = [], {}
        self._strips.clear()
        if self._origin and self.review is not None:
            rows += _told(self._origin, "note", width)
            for doubt in self._doubts:
                rows += _told(doubt.words, "warning", width)
        if self._refused:
            rows += _told(self._refused, "warning", width)
        for words, style in lost_lines.above(self._why_lost, self.left, self.hunks, self._price):
            rows += _told(words, style, width)
        lost = sum(each.reason != "already" for each in self._misfits)
        if lost and self.hunks:
            words = f"{lost} edit{'s' if lost > 1 else ''} of the reply found no place: below the last hunk"
            rows += _told(words, "warning", width)
        path = ""
        hunks = self.hunks
        for index, hunk in enumerate(hunks):
            if hunk.path != path:
                path = hunk.path
                mine = [each for each in hunks if each.path == path]
                what = "" if hunk.kind == "change" else f"  {hunk.kind}"
                if hunk.kind == "create" and self._is_program(path):
                    what += ", executable"
                counts = f"+{sum(each.added for each in mine)} -{sum(each.removed for each in mine)}"
                rows.append(_Row(words=f"{path}  {counts}{what}", style="file"))
            self._heads.append(len(rows))
            rows.append(_Row(index))
            if why := lost_lines.beside(self.lost, hunk):
                rows += _told(why, "warning", width)
            for each in hunk_lines.doubts(hunk):
                rows += _told(f"! {each}", "warning", width)
            rows += self._commented(index, self._hunk_rows(index, hunk, width), width)
        rows += self._misfit_rows(width)
        rows += [row for edit in self._coming for row in _coming_rows(edit)]
        if not rows:
            rows.append(
                _Row(
                    words="No hunks wait for you. Ask for a change: what you type goes to the composer, q leads there.",
                    style="note",
                )
            )
        rows += [_Row()] * _FOOT  # room for the keys, which stay in sight
        self._rows = rows
        self.virtual_size = Size(self.size.width, len(rows))
        self.refresh()

    def _is_program(self, path: str) -> bool:
        """Whether a new file can be run."""
        files = self.review.patch.files if self.review is not None else ()
        return any(each.target == path and (each.mode_after or 0) & 0o111 for each in files)

    def _hunk_rows(self, index: int, hunk: Hunk, width: int) -> list[_Row]:
        if self.beside and width >= _BESIDE_FROM:
            return [
                _Row(index, (right or left or _NOWHERE).line, beside=(left, right))
                for left, right in hunk_lines.beside(hunk, width)
            ]
        found = hunk_lines.heights(hunk, width)
        return [_Row(index, line, part) for line, parts in enumerate(found) for part in parts]

    def _misfit_rows(self, width: int) -> list[_Row]:
        """Say what found no place and why, what is there already, and what can be done about it."""
        rows: list[_Row] = []
        for misfit in self._misfits:
            done = misfit.reason == "already"
            near = "; ".join(f"{each.path}:{each.start}-{each.end}" for each in misfit.candidates[:2])
            words = f"{'is there' if done else 'does not fit'}: {misfit.message}{f' Near: {near}' if near else ''}"
            words += f" {misfit.hint}" if misfit.private else ""
            rows += _told(words, "note" if done else "warning", width)
        if any(each.mendable for each in self._misfits) and not self.left:
            words = f"r sends what does not fit back to the model, with the nearest lines{self._price}"
            rows += _told(words, "note", width)
        return rows

    def _said(self, index: int) -> dict[int, str]:
        """Return what the user says of the lines of a hunk, by their places in it; of one without lines as of its first."""
        review = self.review
        if review is None or not review.comments:
            return {}
        lines = range(max(1, len(review.choices[index].hunk.lines)))
        return {line: words for line in lines if (words := review.commented(index, line))}

    def _commented(self, index: int, rows: list[_Row], width: int) -> list[_Row]:
        """Put what the user says of a line below it."""
        ends = {line: at + 1 for at, row in enumerate(rows) for line in row.lines}
        indent = " " * (hunk_lines.gutter(self.hunks[index]) - 2)
        for line, words in sorted(self._said(index).items(), key=lambda each: -ends.get(each[0], 0)):
            at = ends.get(line, 0)
            rows[at:at] = _told(f"{indent}# {' '.join(words.split())}", "ticked", width)
        return rows

    # Where the user stands.

    def _go(self, row: int) -> None:
        """Put the cursor on a line of a hunk and keep it in sight."""
        if not 0 <= row < len(self._rows):
            return
        self._cursor = row
        hunk = self._rows[row].hunk
        if hunk >= 0:
            self.at = hunk
        self._strips.clear()
        top, size = self.scroll_offset.y, max(1, self.scrollable_content_region.height - _FOOT)
        if (row == self._heads[self.at] and self._end_of(self.at) >= top + size) or row < top + 1:
            self.scroll_to(y=max(0, row - 1), animate=False)
        elif row >= top + size:
            self.scroll_to(y=row - size + 1, animate=False)
        self.refresh()

    def _end_of(self, index: int) -> int:
        """Return the row behind a hunk."""
        return self._heads[index + 1] - 1 if index + 1 < len(self._heads) else len(self._rows) - _FOOT

    def action_line(self, step: int) -> None:
        """Move by a line."""
        row = self._cursor + step
        while 0 <= row < len(self._rows) and self._rows[row].hunk < 0:
            row += step
        if 0 <= row < len(self._rows):
            self._go(row)

    def page(self, step: int) -> None:
        """Move by a screen; past the hunks, what is below them is scrolled to."""
        size = max(1, self.scrollable_content_region.height - _FOOT)
        row = max(0, min(len(self._rows) - 1, self._cursor + step * size))
        while 0 <= row < len(self._rows) and self._rows[row].hunk < 0:
            row -= step
        self.hint = ""
        if (row - self._cursor) * step > 0:
            self._go(row)
        else:
            self.scroll_relative(y=step * size, animate=False)

    def action_hunk(self, step: int) -> None:
        """Go to another hunk."""
        if self._heads:
            self.hint = ""
            self._go(self._heads[max(0, min(len(self._heads) - 1, self.at + step))])

    def action_end(self, side: int) -> None:
        """Go to the first or the last hunk."""
        if self._heads:
            self._go(self._heads[0 if side < 0 else -1])

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is, unless it has selected something on its way there."""
        if self.text_selection is not None:
            return
        row = event.y + self.scroll_offset.y
        if 0 <= row < len(self._rows) and self._rows[row].hunk >= 0:
            self._go(row)

    def on_resize(self) -> None:
        """Wrap anew for another width, and stay at the hunk."""
        at = self.at
        self._build()
        if at < len(self._heads):
            self._go(self._heads[at])

    # What the user decides.

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Take no decision from keys that were typed before the hunks could be seen."""
        del parameters
        return not (action in {"mark", "mark_file", "mark_all", "decide", "want"} and self._too_soon())

    def _too_soon(self) -> bool:
        return monotonic() - self._since < _GRACE_S

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
            row = self._rows[self._cursor] if self._cursor < len(self._rows) else _Row()
            line = row.beside[0].line if row.beside and row.beside[0] else row.line  # a pair is cut off as one
            review = self.review.split_at(self.at, line) if line > 0 else self.review
            same = review is self.review
            words = "go to a line with changes above and below it: S cuts there" if same else ""
            self.put(review, self.at, words)

    def action_join(self) -> None:
        """Make one hunk of this one and the next of the same file."""
        if self.review is not None and self.hunks:
            review = self.review.join(self.at)
            self.put(review, self.at, "there is no next hunk in this file" if review is self.review else "")

    def action_tell(self) -> None:
        """Say where the hunk comes from and how it was matched."""
        if self.hunks and self._tell is not None:
            self.hint = self._tell(self.hunks[self.at])
            self.refresh()

    def action_widen(self) -> None:
        """Show more of the file around the hunk."""
        if self.review is not None and self.hunks:
            self.put(self.review.widen(self.at), self.at)

    def action_beside(self) -> None:
        """Show old and new side by side, or below each other again."""
        if not self.beside and self.screen.size.width < _BESIDE_FROM + 4:
            self.tell_hint(f"side by side needs {_BESIDE_FROM + 4} columns")
            return
        self.beside = not self.beside
        self.hint = ""
        self.make_room()
        self.on_resize()

    def action_want(self, what: Literal["edit", "editor", "comment", "opinion", "repair", "help"]) -> None:
        """Ask for what needs another screen."""
        misfits = (*self._misfits, *(each.misfit for each in self.left))
        if what == "help" or (what == "repair" and any(each.mendable for each in misfits)):
            self.post_message(self.Wanted(what, self.at, 0))
        elif what == "repair":
            self.tell_hint(lost_lines.nothing_back(misfits))
        elif self.preview is not None or not self.hunks:
            self._catch_up()  # what was written is not edited here, nor commented on
        elif what in {"comment", "opinion"} or self.hunks[self.at].kind in {"change", "create"}:
            line = self._rows[self._cursor].line if self._cursor < len(self._rows) else -1
            if line < 0:  # the hunk as a whole: what it changes first
                line = next((at for at, each in enumerate(self.hunks[self.at].lines) if each.kind != " "), 0)
            self.post_message(self.Wanted(what, self.at, line))
        else:
            self._catch_up()

    def action_decide(self) -> None:
        """Hand over what was decided."""
        if self.review is None or not self.hunks:
            return
        if monotonic() - self._strayed < _STRAY_S:
            self.tell_hint("nothing was written: it seems that you were typing. Enter again writes what is taken")
            self._strayed = 0.0
            return
        if self.review.decided:
            self.post_message(self.Decided(self.review, self.preview))
        else:
            self.hint = "nothing is decided yet: y takes a hunk, A takes all"
            self.refresh()

    def action_leave(self) -> None:
        """Go back to the composer."""
        self.post_message(self.Left())

    async def _on_key(self, event: events.Key) -> None:
        """A slash begins a command: it and what was typed behind it belong to the composer, however soon it came."""
        if self._ahead is not None:
            self._ahead.append(event)
            event.prevent_default()
            event.stop()
            return
        self._typing |= event.key == "slash" or (not self.hunks and event.is_printable and event.key not in self.KEYS)
        if not self._typing:
            if event.key in _SHEETS and self.hunks:
                self._ahead = []
                self._opens = self.set_timer(_OPENS_S, self._catch_up)
            await super()._on_key(event)
            if (
                event.is_printable and event.key not in self.KEYS
            ):  # a sentence, it seems, that was begun in the wrong place
                self._strayed = monotonic()
                self.tell_hint(f"{event.character} is no key here: ? tells them, q goes back to type")
            return
        event.prevent_default()
        event.stop()
        self._type(event)

    def ahead(self) -> list[events.Key]:
        """Return what was typed behind a key that opens a sheet, before that was there to take it; the keys are ours again."""
        if self._opens is not None:
            self._opens.stop()
        typed, self._ahead, self._opens = self._ahead or [], None, None
        return typed

    def _catch_up(self) -> None:
        """Take up the keys that waited for a sheet which did not open."""
        for event in self.ahead():
            again = events.Key(event.key, event.character)
            again._set_forwarded()  # noqa: SLF001 - else the app would hand on once more what comes back from here
            self.post_message(again)

    def _on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self._type(event)

    def _type(self, event: events.Key | events.Paste) -> None:
        self.type(event)
        if not self._handing:
            self._handing = True
            self.call_later(self._hand_over)

    def _hand_over(self) -> None:
        """Give the keys to the composer once all that came before is handed on: nothing may overtake it."""
        if self.message_queue_size:
            self.call_later(self._hand_over)
            return
        self._handing = self._typing = False
        if self.has_focus:
            self.leave()

    # Drawing.

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        width = self.scrollable_content_region.width
        below = y - self.scrollable_content_region.height + _FOOT
        if self.hunks and below >= 0:
            foot = self._foot(width)
            if below >= _FOOT - len(foot):
                return foot[below - _FOOT]
        index = y + self.scroll_offset.y
        if not 0 <= index < len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        drawn = self._strips.get(index)
        if drawn is None:
            drawn = self._strips[index] = self._draw(index, width)
        line = drawn.apply_style(self.rich_style)
        selection = self.text_selection
        span = selection.get_span(index) if selection is not None else None
        if selection is not None and span is not None:
            first, last = self._words_at(index, self._side(selection)).within(span)
            line = marked(line, first, last, self.screen.get_component_rich_style("screen--selection"))
        return line.apply_offsets(0, index)  # that a selection knows where it is

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return what is selected with the mouse: of hunks the code, without numbers and signs, wrapped lines as one.

        Side by side it is of the side on which the selection begins. A line that is selected from its beginning to its
        end is as the file has it, any other as it is shown, where tabs are blanks.
        """
        side, found = self._side(selection), list[_Words]()
        for index in range(len(self._rows) - _FOOT):
            span = selection.get_span(index)
            here = self._words_at(index, side) if span is not None else _NO_WORDS
            if span is None or here is _NO_WORDS:
                continue
            first, last = (each - here.column + here.first for each in here.within(span))
            if found and here.line >= 0 and (found[-1].hunk, found[-1].line) == (here.hunk, here.line):
                found[-1] = found[-1]._replace(last=last)
            else:
                found.append(here._replace(first=first, last=last))
        return "\n".join(map(self._said_by, found)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw a selection that moved."""
        del selection
        self.refresh()

    def _side(self, selection: Selection) -> int:
        """Say on which of two sides a selection begins: 0 left, 1 right."""
        start = selection.start
        if start is None or not 0 <= start.y < len(self._rows) or self._rows[start.y].beside is None:
            return 0
        return int(start.x > self._middle(start.y))

    def _middle(self, index: int) -> int:
        """Return how many characters stand on the left of two sides."""
        width = self.scrollable_content_region.width
        return len(self._draw(index, width).crop(0, (width - 1) // 2).text)

    def _words_at(self, index: int, side: int) -> _Words:
        """Return what of a row can be selected."""
        row = self._rows[index]
        if row.hunk < 0 or row.line < 0:
            text = self._draw(index, self.scrollable_content_region.width).text.rstrip()
            return _Words(text, 0, 0, len(text))
        column, line, part = 0, row.line, row.part
        if row.beside is not None:
            cell = row.beside[side]
            if cell is None:
                return _NO_WORDS
            column, (line, part) = (self._middle(index) + 1) * side, cell
        hunk = self.hunks[row.hunk]
        return _Words(hunk_lines.texts(hunk)[line], column + hunk_lines.gutter(hunk), *part, row.hunk, line)

    def _said_by(self, found: _Words) -> str:
        """Return the words of a selection; a whole line as the file has it."""
        if found.line >= 0:
            line = self.hunks[found.hunk].lines[found.line]
            shown = safe(line.text)
            if found.first == 0 and found.last >= len(shown):
                return line.text
            return shown[found.first : found.last]
        return found.text[found.first : found.last]

    def on_focus(self) -> None:
        """Show where the user stands."""
        self._strips.clear()

    def on_blur(self) -> None:
        """Show that the keys go elsewhere."""
        self._typing = False
        self._strips.clear()

    def _draw(self, index: int, width: int) -> Strip:
        row = self._rows[index]
        if row.hunk < 0:
            return strip([Segment(cut(safe(row.words), width), self.look[row.style])], width)
        hunk = self.hunks[row.hunk]
        if row.line < 0:
            return self._head(row.hunk, hunk, width)
        if row.hunk not in self._shown:
            self._shown[row.hunk] = hunk_lines.show(hunk, self.look)
        shown, gutter = self._shown[row.hunk], hunk_lines.gutter(hunk)
        if row.beside is not None:
            found = hunk_lines.draw_beside(shown, *row.beside, self.look, gutter, width)
        else:
            found = hunk_lines.draw(shown, row.line, row.part, self.look, gutter, width)
        here = index == self._cursor and self.has_focus
        return found.apply_style(Style(reverse=True)) if here else found

    def _head(self, index: int, hunk: Hunk, width: int) -> Strip:
        assert self.review is not None  # noqa: S101 - there are no hunks without a review
        choice = self.review.choices[index]
        mark, use = _MARKS[choice.mark]
        here = index == self.at
        count = len(self._said(index))
        said = f", {count} comment{'s' if count > 1 else ''}" if count else ""
        words = (
            f"{'>' if here else ' '} {index + 1}/{len(self.hunks)} {mark}{' as edited' if choice.edited else ''}{said}"
        )
        style = self.look[use] + (self.look["cursor"] if here and self.has_focus else Style.null())
        rungs = f"  matched by {', '.join(hunk.rungs)}" if hunk.rungs else ""
        lines = {each.edit.reply_line for each in self._doubts}
        doubted = any(each.edit in lines for each in hunk.origins)
        rungs = f"  may not be meant{rungs}" if doubted else rungs
        if any(gone.hunk == hunk for gone in self.lost):
            doubted, rungs = True, f"  does not fit any more{rungs}"
        rest = self.look["warning" if doubted else "range"] + (
            self.look["cursor"] if here and self.has_focus else Style.null()
        )
        return strip([Segment(words, style), Segment(cut(safe(f"  {hunk.header}{rungs}"), width), rest)], width, rest)

    def _foot(self, width: int) -> list[Strip]:
        """Draw what is decided and which keys there are; it stays at the bottom. Long words take all its lines."""
        assert self.review is not None  # noqa: S101 - asked by the caller
        style = self.look["keys"]
        sums = len(self.review.taken), len(self.review.skipped), len(self.review.undecided)
        head = f" {' '.join(f'{sign}{count}' for sign, count in zip('✓✗·', sums, strict=True) if count)}  "
        sets = [each.format(way=self.preview.way) for each in _UNDO_KEYS] if self.preview else [*_KEYS]
        if not self.has_focus:
            sets, style = ["F2 leads to these hunks"], self.look["note"]
        words = head + (self.hint or longest(sets, width - len(head)))
        parts = wrap(words, width)
        lines = [words[first:last] for first, last in parts[: _FOOT - 1]]
        lines += [words[first:] for first, _ in parts[_FOOT - 1 : _FOOT]]
        return [strip([Segment(cut(each, width), style)], width, style) for each in lines]


def _told(words: str, style: str, width: int) -> list[_Row]:
    """Make rows of words of ours, wrapped; what goes on stands further right."""
    words = safe(words)
    parts = wrap(words, max(4, width - 2))
    return [_Row(words=("  " if first else "") + words[first:last], style=style) for first, last in parts]


def _coming_rows(edit: Edit) -> list[_Row]:
    """Show an edit that has no place yet: what goes and what comes."""
    name = f"{edit.path} -> {edit.new_path}" if edit.new_path else edit.path
    rows = [_Row(words=f"{name}  {edit.action}, line {edit.reply_line} of the reply", style="file")]
    for kind, lines in (("removed", edit.before), ("added", edit.after)):
        sign = "-" if kind == "removed" else "+"
        shown = lines.split("\n")[:-1]
        rows += [_Row(words=f"  {sign} {line}", style=kind) for line in shown[:40]]
        if len(shown) > 40:
            rows.append(_Row(words=f"    ... {len(shown) - 40:,} more lines", style="note"))
    return rows
