"""The hunks of a patch: go through them, mark them, edit them; one virtualised widget that draws lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.style import Style
from textual.binding import Binding
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from assistant.tui.lines import safe, strip

if TYPE_CHECKING:
    from assistant.edits.edit import Edit, Misfit
    from assistant.edits.patch import Hunk, Patch

_ADDED = Style(color="green")
_REMOVED = Style(color="red")
_PLAIN = Style(dim=True)
_FILE = Style(bold=True, color="cyan")
_RANGE = Style(color="magenta")
_BAD = Style(color="yellow")
_MARKS = {"take": "[x] take", "skip": "[-] skip", "": "[ ]"}


@dataclass(frozen=True, slots=True)
class _Row:
    text: str
    style: Style
    hunk: int = -1


class PatchView(ScrollView, can_focus=True):
    """Shows a patch and gathers decisions; nothing is written here."""

    DEFAULT_CSS = "PatchView { height: 1fr; border-left: solid $primary-muted; padding: 0 1; scrollbar-gutter: stable; scrollbar-size-vertical: 1; }"
    BINDINGS = [  # noqa: RUF012 - Textual's way
        Binding("j,down,tab", "move(1)", "next"),
        Binding("k,up,shift+tab", "move(-1)", "previous"),
        Binding("y,space", "mark('take')", "take"),
        Binding("n", "mark('skip')", "skip"),
        Binding("u", "mark('')", "unmark"),
        Binding("a", "mark_file('take')", "take file"),
        Binding("d", "mark_file('skip')", "skip file"),
        Binding("A", "mark_all('take')", "take all"),
        Binding("X", "mark_all('skip')", "skip all"),
        Binding("s", "split", "split"),
        Binding("e", "edit", "edit"),
        Binding("c", "comment", "comment"),
        Binding("enter", "decide", "write what is taken"),
        Binding("escape", "leave", "back"),
    ]

    class Decided(Message):
        """The user has decided about these hunks of the patch that was shown."""

        def __init__(self, view: PatchView) -> None:
            super().__init__()
            self.patch = view.patch
            self.taken = view.marked("take")
            self.skipped = view.marked("skip")
            self.undecided = view.marked("")
            self.edited = tuple(hunk for hunk in self.taken if hunk in view.edited)
            self.comments = tuple(view.comments)

    class Wanted(Message):
        """The user wants to edit a hunk or to comment on it: `what` is "edit" or "comment"."""

        def __init__(self, what: str, hunk: Hunk) -> None:
            super().__init__()
            self.what = what
            self.hunk = hunk

    class Left(Message):
        """The user goes back to the composer."""

    def __init__(self, **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.patch: Patch | None = None
        self.hunks: list[Hunk] = []
        self.marks: list[str] = []
        self.edited: set[Hunk] = set()
        self.comments: list[tuple[str, int, str]] = []
        self.at = 0
        self.hint = ""
        self._rows: list[_Row] = []
        self._starts: list[int] = []
        self._misfits: tuple[Misfit, ...] = ()
        self._coming: list[str] = []

    def show(self, patch: Patch | None, misfits: tuple[Misfit, ...] = ()) -> None:
        """Show a patch, and what of the reply found no place."""
        self.patch, self._misfits, self._coming = patch, misfits, []
        self.hunks = list(patch.hunks) if patch else []
        self.marks = [""] * len(self.hunks)
        self.edited, self.comments, self.at, self.hint = set(), [], 0, ""
        self._build()
        self.scroll_home(animate=False)

    def coming(self, edit: Edit) -> None:
        """Show that an edit of the running reply is whole."""
        self._coming.append(
            f"{edit.path}  +{edit.after.count(chr(10))} -{edit.before.count(chr(10))}  (line {edit.reply_line})"
        )
        self._build()

    def marked(self, mark: str) -> tuple[Hunk, ...]:
        """Return the hunks with a mark."""
        return tuple(hunk for hunk, each in zip(self.hunks, self.marks, strict=True) if each == mark)

    def put(self, old: Hunk, new: Hunk) -> None:
        """Put an edited hunk in place of another, and take it."""
        index = self.hunks.index(old)
        self.hunks[index] = new
        self.marks[index] = "take"
        self.edited.add(new)
        self._build()

    def note(self, hunk: Hunk, words: str) -> None:
        """Keep a comment for the model."""
        self.comments.append((hunk.path, hunk.old_start, words))
        self.hint = f"comment kept for the next turn: {words[:40]}"
        self._build()

    def _build(self) -> None:
        rows: list[_Row] = []
        starts: list[int] = []
        path = ""
        if self._coming:
            rows.append(_Row("edits so far:", _PLAIN))
            rows += [_Row(safe(f"  {line}"), _ADDED) for line in self._coming]
        for index, hunk in enumerate(self.hunks):
            if hunk.path != path:
                path = hunk.path
                mine = [each for each in self.hunks if each.path == path]
                counts = f"+{sum(each.added for each in mine)} -{sum(each.removed for each in mine)}"
                rows.append(_Row(safe(f"{path}  {counts}  {'' if hunk.kind == 'change' else hunk.kind}"), _FILE))
            starts.append(len(rows))
            mark = _MARKS[self.marks[index]] + (" (edited)" if hunk in self.edited else "")
            here = ">" if index == self.at else " "
            rows.append(_Row(safe(f"{here} {mark}  {index + 1}/{len(self.hunks)}  {hunk.header}"), _RANGE, index))
            for line in hunk.lines:
                number = line.new if line.kind != "-" else line.old
                style = {"+": _ADDED, "-": _REMOVED, " ": _PLAIN}[line.kind]
                rows.append(
                    _Row(
                        f"{number or 0:>5} {line.kind} {safe(line.text)}{'' if line.ended else '  (no line end)'}",
                        style,
                        index,
                    )
                )
        for misfit in self._misfits:
            rows.append(_Row(safe(f"does not fit: {misfit.message}"), _BAD))
            rows += [
                _Row(safe(f"    near {near.path}:{near.start}-{near.end}"), _PLAIN) for near in misfit.candidates[:2]
            ]
        if not rows:
            rows.append(_Row("No hunks wait for you. Ask for a change.", _PLAIN))
        rows += [_Row("", _PLAIN)] * 2  # room for the line of keys, which stays in sight
        self._rows, self._starts = rows, starts
        self.virtual_size = Size(self.size.width, len(rows))
        self.refresh()

    def _keys(self) -> Strip:
        """Draw what is decided and which keys there are; it stays at the bottom."""
        done = len(self.hunks) - self.marks.count("")
        words = self.hint or "y take  n skip  e edit  s split  c comment  A all  Enter write  Esc back"
        return strip(
            f"{done}/{len(self.hunks)}  {words}", Style(bold=True, reverse=True), self.scrollable_content_region.width
        )

    def action_move(self, step: int) -> None:
        """Go to another hunk."""
        if self.hunks:
            self.at = max(0, min(len(self.hunks) - 1, self.at + step))
            self.hint = ""
            self._build()
            self.scroll_to(y=max(0, self._starts[self.at] - 2), animate=False)

    def action_mark(self, mark: str) -> None:
        """Mark the hunk and go to the next that is undecided."""
        if not self.hunks:
            return
        self.marks[self.at] = mark
        later = [*range(self.at + 1, len(self.hunks)), *range(self.at)]
        following = next((index for index in later if not self.marks[index]), self.at) if mark else self.at
        self.action_move(following - self.at)

    def action_mark_file(self, mark: str) -> None:
        """Mark all hunks of this file."""
        if self.hunks:
            path = self.hunks[self.at].path
            self.marks = [mark if hunk.path == path else old for hunk, old in zip(self.hunks, self.marks, strict=True)]
            self._build()

    def action_mark_all(self, mark: str) -> None:
        """Mark all hunks."""
        self.marks = [mark] * len(self.hunks)
        self._build()

    def action_split(self) -> None:
        """Cut the hunk into its runs of changes."""
        if self.hunks:
            parts = self.hunks[self.at].split()
            self.hunks[self.at : self.at + 1] = parts
            self.marks[self.at : self.at + 1] = [""] * len(parts)
            self.hint = "" if len(parts) > 1 else "this hunk is one run of changes already"
            self._build()

    def action_edit(self) -> None:
        """Ask for the hunk to be edited."""
        if self.hunks and self.hunks[self.at].kind in {"change", "create"}:
            self.post_message(self.Wanted("edit", self.hunks[self.at]))

    def action_comment(self) -> None:
        """Ask for a comment on the hunk."""
        if self.hunks:
            self.post_message(self.Wanted("comment", self.hunks[self.at]))

    def action_decide(self) -> None:
        """Hand over what was decided."""
        if not self.hunks:
            return
        if any(self.marks) or self.comments:
            self.post_message(self.Decided(self))
        else:
            self.hint = "nothing is marked yet: y takes a hunk, A takes all"
            self._build()

    def action_leave(self) -> None:
        """Go back to the composer."""
        self.post_message(self.Left())

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        if self.hunks and y == self.scrollable_content_region.height - 1:
            return self._keys()
        index = y + self.scroll_offset.y
        if not 0 <= index < len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        row = self._rows[index]
        style = row.style + Style(bgcolor="grey19") if row.hunk == self.at and self.has_focus else row.style
        return strip(row.text, style, self.scrollable_content_region.width, style).apply_style(self.rich_style)
