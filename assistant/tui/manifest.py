"""The manifest: what the next question shows the model, piece by piece with its price and reason, and keys to decide.

It shows the composer's text as it would be sent now; with an empty composer, what the last question showed. Decisions
made here hold for the session: `session.sight` keeps them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import set_cell_size
from rich.text import Text
from textual import work
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from assistant.context.reader import NO_TEXT, SECRET_FILE
from assistant.context.section import YOURS
from assistant.errors import AssistantError
from assistant.tui.lines import cut, longest, middle
from assistant.tui.pickers import Confirm, Page, Sheet, stepped
from assistant.tui.widgets.composer import TextArea
from assistant.visible import safe

if TYPE_CHECKING:
    from collections.abc import Collection

    from textual.app import ComposeResult

    from assistant.context.section import Context, Masked, Section
    from assistant.pricing import Quote
    from assistant.session import Session
    from assistant.tui.theme import Theme

_BESIDE = 110
"""Columns from which the text of a piece is shown beside the list."""
_AGAIN_S, _WAITS = 1.0, 20
"""Seconds until the list is gathered again while the index is not complete, and how many times."""
_SHOWN = "It goes to the model with each question that shows it, until this session ends or you mask it again."
_SAID = (
    "It goes to the model with your question, and stays in the conversation from then on, kept on this disk with it."
)
_KEYS = (
    "d drop  p pin  Esc close",
    "d drop  p pin  u undo  Enter read  Esc close",
    "d drop/back  p pin  a let a secret through  u undo  Enter read  Esc close",
    "d drop/bring back  p pin  a let a secret through  u undo  Enter read  Esc close",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list: its kind and path, how many tokens (None if it is not sent), its name, and why."""

    kind: str
    path: str
    tokens: int | None
    title: str
    why: str
    section: Section | None = None
    secret: Masked | None = None

    def likeness(self, other: Row) -> int:
        """Return how likely it is that a line of a newly gathered context is about the same; 0 for another file."""
        if self.path != other.path:
            return 0
        same_sort = (self.secret is None) == (other.secret is None)
        return 1 + 4 * same_sort + 2 * (self.title == other.title) + (self.kind == other.kind)


def rows(context: Context, pinned: Collection[str], out: Collection[str] = ()) -> list[Row]:
    """Return the lines: what is sent, in its order, then secrets, then what is kept `out` or left out, and why."""
    found = [
        Row("pinned" if each.path in pinned else "shown", each.path, each.tokens, each.title, each.why, each)
        for each in context.sections
    ]
    found += [Row("picture", each.path, each.tokens, each.title, each.why, each) for each in context.pictures]
    for each in context.masked:
        found.append(Row("masked", each.path, None, each.where, f"{each.kind}, kept back", secret=each))
    for each in context.allowed:
        found.append(Row("let through", each.path, None, each.where, f"{each.kind}, you let it through", secret=each))
    found += [Row("dropped", path, None, path, "you keep it out") for path in out]
    told = {*out, *(each.path for each in context.masked), *(each.path for each in context.pictures)}
    found += [Row("left out", path, None, path, why) for path, why in context.left_out if path not in told]
    return found


class Manifest(Sheet[None]):
    """A list of what is sent, with the text of the highlighted piece beside it if there is room."""

    CSS = """
    Manifest { align: center middle; }
    Manifest > Vertical { width: 100%; height: 100%; border: round $primary; background: $surface; padding: 0 1; }
    Manifest Static { height: auto; }
    Manifest Horizontal { height: 1fr; }
    Manifest OptionList { width: 1fr; height: 1fr; border: none; padding: 0; text-wrap: nowrap; text-overflow: ellipsis; }
    Manifest TextArea { width: 1fr; height: 1fr; border: none; border-left: solid $primary-muted; padding: 0 1; display: none; }
    Manifest.-beside TextArea { display: block; }
    """
    BINDINGS = [
        Binding("escape,q,f4", "dismiss(None)", "close", priority=True),
        Binding("d,delete", "drop", show=False),
        Binding("p", "pin", show=False),
        Binding("a", "allow", show=False),
        Binding("u", "undo", show=False),
        Binding("j", "step(1)", show=False, priority=True),
        Binding("k", "step(-1)", show=False, priority=True),
    ]

    def __init__(self, session: Session, theme: Theme, question: str) -> None:
        super().__init__()
        self.session = session
        self.look = theme
        self.context: Context | None = None
        self.rows: list[Row] = []
        self._below: list[str] = []
        self._sent = self._asked_before = not question and session.sight.sent is not None
        """Whether the page is about the last question: as it was sent, and, after a decision here, if it were asked again."""
        self.question = question
        self._masked: tuple[Masked, ...] = ()
        if not question and session.sight.sent is not None:
            self.question, self.context, self._masked = session.sight.sent
        self._waits = _WAITS
        self._head = Static()
        self._foot = Static()
        self.list = OptionList()
        self.text = TextArea("", read_only=True, show_line_numbers=False)
        self.text.can_focus = False

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical():
            yield self._head
            with Horizontal():
                yield self.list
                yield self.text
            yield self._foot

    def on_mount(self) -> None:
        """Show what was sent, or gather what would be."""
        self.list.focus()
        self.on_resize()
        if self.context is not None:
            self._show(self.context, None)
        else:
            self._head.update(Text(cut(f"{self._title()}: looking ...", self._width), style="bold"))
            self._gather()

    def on_resize(self) -> None:
        """Show the text beside the list, or only after Enter; draw lines as long as there is room."""
        self.set_class(self.size.width >= _BESIDE, "-beside")
        self._say()
        if self.context is not None:
            self._tell_title()
            self.call_after_refresh(lambda: self._draw(self.chosen))

    def _say(self, words: str = "", use: str = "note") -> None:
        """Show words in the line of keys, or the keys if there are no words."""
        said = cut(words, self._width) or longest(_KEYS, self._width)
        self._foot.update(Text(said, style=self.look[use]))

    @property
    def _width(self) -> int:
        return max(10, self.size.width - 4)

    def _title(self) -> str:
        words = " ".join(safe(self.question).split())
        if self._sent:
            return f"What the last question showed: {words}"
        if self._asked_before:
            return f"Asked again, the last question would show: {words}"
        return f"What this would show: {words}" if words else "What a question without words would show"

    @work(exclusive=True, group="look")
    async def _gather(self) -> None:
        """Gather the context again, under the decisions as they are now."""
        try:
            context = await asyncio.to_thread(self.session.sight.look, self.question, self._masked)
            quote = await asyncio.to_thread(self.session.pricing.quote, self.question)
        except AssistantError as error:
            self._head.update(Text(str(error), style=self.look["error"]))
            return
        self._show(context, quote)
        if context.unread and self._waits:
            self._waits -= 1
            self.set_timer(_AGAIN_S, self._gather)  # the index grows meanwhile

    def _show(self, context: Context, quote: Quote | None) -> None:
        here = self.chosen
        self.context = context
        sight = self.session.sight
        self.rows = rows(context, sight.pinned, [*sight.withheld, *sight.dropped])
        self._below = [self._totals(context, quote), *filter(None, [context.note])]
        self._tell_title()
        self._draw(here)

    def _tell_title(self) -> None:
        self._head.update(Text("\n".join([cut(self._title(), self._width), *self._below]), style="bold"))

    def _totals(self, context: Context, quote: Quote | None) -> str:
        budget = self.session.config.context_budget
        count = len(context.sections)
        parts = [f"{context.tokens:,} tokens in {count} part{'s' if count != 1 else ''} (budget {budget:,})"]
        if context.masked:
            parts.append(f"{len(context.masked)} secret{'s' if len(context.masked) > 1 else ''} kept back")
        pick = self.session.roster.pick
        window = pick.model.context_window if pick is not None else None
        if pick is not None and window:
            size = quote.likely if quote is not None else context.tokens * self.session.roster.factor(pick.model).likely
            share = f"{size / window:.1%}" if size >= window / 1000 else "<0.1%"
            parts.append(f"{share} of the context window{' with the talk' if quote is not None else ''}")
        if quote is not None:
            what = "asking it again" if self._asked_before else "sending all"
            parts.append(f"{what} ~{quote.likely:,} tokens, {quote.cost} with the answer")
        return " · ".join(parts)

    def _draw(self, here: Row | None) -> None:
        """Fill the list; keep the same line highlighted, or one of the same file if its state was changed."""
        at = self.list.highlighted or 0
        width = self.list.size.width or self._width
        self.list.clear_options()
        self.list.add_options([Option(self._line(row, width), id=str(number)) for number, row in enumerate(self.rows)])
        if self.rows:
            likeness = [row.likeness(here) if here is not None else 0 for row in self.rows]
            self.list.highlighted = likeness.index(max(likeness)) if any(likeness) else min(at, len(self.rows) - 1)
        self._read()

    def _line(self, row: Row, width: int) -> Text:
        size = f"{row.tokens:>7,}" if row.tokens is not None else f"{'-':>7}"
        room = max(16, min(60, width * 2 // 5))
        title = set_cell_size(middle(row.title, room), room)
        sign = {"pinned": "P", "masked": "!", "let through": "!", "dropped": "x"}.get(row.kind, " ")
        style = {
            "pinned": "good", "masked": "warning", "let through": "error", "dropped": "note", "left out": "note",
        }.get(row.kind, "words")  # fmt: skip
        return Text(cut(f"{sign}{size}  {title}  {safe(row.why)}", width), style=self.look[style], no_wrap=True)

    @property
    def chosen(self) -> Row | None:
        """The highlighted line."""
        at = self.list.highlighted
        if at is None or at >= self.list.option_count:
            return None
        number = int(self.list.get_option_at_index(at).id or 0)
        return self.rows[number] if number < len(self.rows) else None

    def _words(self, row: Row) -> str:
        """Return the text of a piece, or what can be done about a line that is not sent."""
        if row.section is not None:
            return "\n".join(map(safe, row.section.text.split("\n")))
        if row.why == NO_TEXT:
            return f"{row.title}: {row.why}."
        return {
            "masked": f"{row.title}: {row.why}.\n\na lets this one through, in this session only.",
            "let through": f"{row.title}: {row.why}.\n\na masks it again"
            + (" in what you say from now on; what was sent stays in the conversation." if row.path == YOURS else "."),
            "dropped": f"{row.title} stays out in this session.\n\nd brings it back.",
        }.get(row.kind, f"{row.title}: {row.why}.\n\np pins it, which shows it whole.")

    def on_option_list_option_highlighted(self) -> None:
        """Show the text of the highlighted piece."""
        self._read()

    def _read(self) -> None:
        words = self._words(self.chosen) if self.chosen is not None else ""
        if words != self.text.text:
            self.text.text = words
            self._say()

    @work(exclusive=True, group="ask")
    async def on_option_list_option_selected(self) -> None:
        """Show the text of a piece on a page of its own."""
        if self.chosen is not None:
            await self.app.push_screen_wait(Page(safe(self.chosen.title), self._words(self.chosen)))

    def action_step(self, step: int) -> None:
        """Go up or down."""
        if self.list.option_count:
            self.list.highlighted = stepped(self.list.highlighted or 0, step, self.list.option_count)

    def action_drop(self) -> None:
        """Keep a piece out, or bring it back."""
        row, sight = self.chosen, self.session.sight
        if row is None:
            return
        if row.secret is not None:
            self._say("d is for what is shown; a decides about a secret")
            return
        if folder := sight.out.folder(row.path):
            self._say(f"{folder} is kept out with it: d on that line brings it back, p this file alone")
            return
        if row.path in {*sight.dropped, *sight.withheld}:
            sight.bring_back(row.path)
        else:
            sight.keep_out(row.path)
        self._again()

    @work(exclusive=True, group="decide")
    async def action_pin(self) -> None:
        """Pin a file so that every turn shows it, or unpin it."""
        row, sight = self.chosen, self.session.sight
        if row is None:
            return
        if row.secret is not None or row.kind == "picture" or row.path in sight.withheld:
            self._say("p pins a file, and this is none")
            return
        try:
            if row.path in sight.pinned:  # a second key may come before the list is updated
                sight.drop(row.path)
            else:
                await asyncio.to_thread(sight.add, row.path)
        except AssistantError as error:  # a folder or a diff is no file
            self._say(f"{row.path} cannot be pinned: {error}", "error")
            return
        self._again()

    @work(exclusive=True, group="ask")
    async def action_allow(self) -> None:
        """Let one secret through after a yes to its name, or mask it again."""
        row, sight = self.chosen, self.session.sight
        if row is None:
            return
        if row.secret is None:
            self._say("a lets a secret through that was kept back: a line with !")
            return
        if row.kind == "let through":
            sight.hide(row.secret)
        else:
            whole = row.secret.kind == SECRET_FILE
            words = (
                f"{row.title}\n{row.secret.kind}\n\n"
                + (
                    "Its keys stay masked; each can be let through by itself. "
                    if whole
                    else "Only this one, where it stands. "
                )
                + (_SAID if row.path == YOURS else _SHOWN)
            )
            yes = "y sends it, n or Esc does not"
            if not await self.app.push_screen_wait(Confirm("Let this secret leave your machine?", words, yes)):
                return
            sight.allow(row.secret)
        self._again()

    def action_undo(self) -> None:
        """Take back the last decision."""
        if self.session.sight.undo():
            self._again()

    def _again(self) -> None:
        """Gather again: the last question is then shown as it would be sent now."""
        self._sent = False
        self._say()
        self._gather()
