"""The plan board: every plan and balance at once, and the history by day, hour, model, project and purpose."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.widgets import Static

from assistant.errors import AssistantError
from assistant.tui import board_lines
from assistant.tui.lines import cut, longest
from assistant.tui.pickers import Sheet
from assistant.visible import safe

if TYPE_CHECKING:
    from datetime import date

    from textual import events
    from textual.app import ComposeResult

    from assistant.quota.history import Row
    from assistant.session import Session
    from assistant.tui.theme import Theme

TABS = ("plans", "day", "hour", "model", "project", "purpose", "yield")
_KEYS = (
    "r asks   ← → pages   Esc closes",
    "r asks the providers   ← → or 1 to 7 other pages   ↑ ↓ scroll   Esc closes",
)
_NAMED_FROM = 2 + sum(len(name) + 4 for name in TABS)
"""Columns from which the top names all pages, not only the one in sight."""
_AGAIN_S = 20.0


class Board(Sheet[None]):
    """A screen of pages, each read from what is stored. Only `r` asks a provider."""

    CSS = """
    Board { background: $surface; }
    Board > VerticalScroll { height: 1fr; padding: 0 1; scrollbar-size-vertical: 1; }
    Board > .edge { height: 1; padding: 0 1; background: $panel; }
    """
    BINDINGS: ClassVar = [
        Binding("escape,q,f5", "dismiss(None)", "close", priority=True),
        Binding("r", "ask", "ask", priority=True),
        Binding("right,tab", "turn(1)", show=False, priority=True),
        Binding("left,shift+tab", "turn(-1)", show=False, priority=True),
        *(Binding(str(number + 1), f"open('{name}')", show=False, priority=True) for number, name in enumerate(TABS)),
    ]

    def __init__(self, session: Session, look: Theme, tab: str = "") -> None:
        super().__init__()
        self._session = session
        self._look = look
        self.tab = tab if tab in TABS else "plans"
        self._head = Static(classes="edge")
        self._body = Static()
        self._foot = Static(classes="edge")
        self._ends: list[int] = []  # the column after each page's name in the head
        self.drawn = ""
        self.said = ""

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield self._head
        with VerticalScroll():
            yield self._body
        yield self._foot

    def on_mount(self) -> None:
        """Draw, and again as time passes."""
        self.query_one(VerticalScroll).focus()
        self._draw()
        self.set_interval(_AGAIN_S, self._draw)

    def on_resize(self) -> None:
        """Draw for another width."""
        self._draw()

    def on_click(self, event: events.Click) -> None:
        """Go to the page whose name was clicked."""
        at = event.get_content_offset(self._head)
        if at is not None and self._ends and at.x < self._ends[-1]:
            self.action_open(TABS[bisect_right(self._ends, at.x)])

    @property
    def text(self) -> str:
        """The text of the page."""
        return str(self._body.visual)

    @work(exclusive=True, group="draw")
    async def _draw(self) -> None:
        head = Text(no_wrap=True)
        self._ends = []
        for number, name in enumerate(TABS):
            here = name == self.tab
            words = f" {number + 1} {name} " if here or self.size.width >= _NAMED_FROM else f" {number + 1} "
            head.append(words, self._look["cursor" if here else "note"])
            self._ends.append(cell_len(head.plain))
        self._head.update(head)
        said = cut(safe(self.said), self.size.width - 2) or longest(_KEYS, self.size.width - 2)
        foot = Text(said, self._look["warning" if self.said else "note"], no_wrap=True)
        self._foot.update(foot)
        width = max(20, self.size.width - 4)
        try:
            lines = await asyncio.to_thread(self._lines, width)
        except AssistantError as error:
            lines = [Text(str(error), self._look["error"])]
        for line in lines:
            line.truncate(width, overflow="ellipsis")
        self._body.update(Text("\n").join(lines))
        self.drawn = self.tab

    def _lines(self, width: int) -> list[Text]:
        """Read one page; called in a thread."""
        from assistant import usage_review
        from assistant.quota import history

        session, look = self._session, self._look
        accounts, today = session.accounts, session.now().astimezone().date()
        match self.tab:
            case "plans":
                others = self._others(("model",), today - timedelta(days=6))
                found = session.standings()
                return board_lines.plans(
                    found, others, session.now(), width, look
                )  # the clock must not be older than the figures
            case "day":
                first = today - timedelta(days=board_lines.DAYS_SHOWN - 1)
                lines = board_lines.days(history.rows(accounts.ledger.sums.totals(("day",))), today, width, look)
                return [*lines, *board_lines.others("day", self._others(("day",), first)[::-1], width, look)]
            case "hour":
                return board_lines.hours(accounts.ledger.sums.hours(), width, look)
            case "yield":
                return board_lines.yields(usage_review.yields(accounts.ledger), width, look)
            case name:
                by = ("provider", "model") if name == "model" else (name,)
                lines = board_lines.sums(by, history.rows(accounts.ledger.sums.totals(by)), width, look)
                theirs = [] if name == "purpose" else sorted(self._others((name,)), key=lambda row: -row.usage.total)
                return [*lines, *board_lines.others(name, theirs, width, look)]

    def _others(self, by: tuple[str, ...], since: date | None = None) -> list[Row]:
        """Return what other clients burnt, and what it costs or would have cost by the token."""
        from assistant import usage_review

        totals = self._session.accounts.other_clients.totals((*usage_review.PRICED_BY, "client", *by), since)
        return usage_review.by_token(totals, self._session.roster.catalogue) if totals else []

    def action_turn(self, step: int) -> None:
        """Go to a neighbouring page."""
        self.action_open(TABS[(TABS.index(self.tab) + step) % len(TABS)])

    def action_open(self, tab: str) -> None:
        """Go to a page."""
        self.tab, self.said = tab, ""
        self.query_one(VerticalScroll).scroll_home(animate=False)
        self._draw()

    @work(exclusive=True, group="ask")
    async def action_ask(self) -> None:
        """Ask every provider whose quota can be asked for."""
        self.said = "asking ..."
        self._draw()
        asked = await self._session.refresh()
        said = [f"{each.provider}: {each.note}" for each in asked if each.note]
        waits = [each for each in asked if not each.note and not each.count and each.next_at is not None]
        if waits:
            first = min(each.next_at for each in waits if each.next_at is not None)
            said.append(f"asked a moment ago; again after {first.astimezone():%H:%M:%S}")
        self.said = "   ".join(said) or ("" if asked else "nobody here has a quota that can be asked for")
        self._draw()
