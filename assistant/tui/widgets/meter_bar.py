"""The meter: one line that always says who is asked, who pays, how full the window is, what was burnt, what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.text import Text
from textual.widget import Widget

from assistant.tokens import TokenUsage, percent
from assistant.tui.figures import bar, short

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from assistant.tokens import Cost
    from assistant.tui.theme import Theme

_BAR_CELLS = 6
_WARNS_FROM = 0.75
_ALARMS_FROM = 0.9


class Aside(NamedTuple):
    """A model that is asked something beside the conversation, who pays for it, and what that burns."""

    model: str
    payer: str
    usage: TokenUsage = TokenUsage()
    costs: tuple[Cost, ...] = ()


class MeterState(NamedTuple):
    """What the line shows; empty parts are left out. Shares are 0 to 1, None is unknown.

    `plan` names the window that binds, `resets` says when it begins anew, in words, `until` is that instant, and `left`
    is what is left if there is no window. `pace` says how it goes on, in full and in short words; `note` says who gave
    the figure, and how old it is. `moving` says that some of the turn's figures are our estimate. `served` is the model
    that answered, if it is not the one that was asked. An `aside` stands in place of the model that is asked, and of
    the turn.
    """

    model: str = ""
    served: str = ""
    payer: str = ""
    context_share: float | None = None
    turn: TokenUsage = TokenUsage()
    turn_costs: tuple[Cost, ...] = ()
    session: TokenUsage = TokenUsage()
    session_costs: tuple[Cost, ...] = ()
    plan: str = ""
    plan_share: float | None = None
    resets: str = ""
    until: datetime | None = None
    left: str = ""
    pace: tuple[str, str] = ("", "")
    spent: bool = False
    note: str = ""
    moving: bool = False
    aside: Aside | None = None

    def burning(self, usage: TokenUsage, cost: Cost) -> MeterState:
        """Return the state with what the running turn, or the aside, has burnt by now."""
        if self.aside is not None:
            return self._replace(aside=self.aside._replace(usage=usage, costs=(cost,)))
        return self._replace(turn=usage, turn_costs=(cost,), moving=not usage.exact)


class MeterBar(Widget):
    """Draws a MeterState in any width: in full words, else in short ones, else without what matters least."""

    DEFAULT_CSS = "MeterBar { height: 1; background: $panel; color: $text; }"

    def __init__(self, theme: Theme, **kwargs: str) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.look = theme
        self.state = MeterState()
        self._told: tuple[str, ...] = ()

    def tell(self, *words: str) -> None:
        """Show before the figures what waits, until called without words: the same, in words from long to short."""
        if words != self._told:
            self._told = words
            self.refresh()

    def show(self, state: MeterState) -> None:
        """Show another state."""
        if state != self.state:
            self.state = state
            self.refresh()

    def line(self, width: int) -> str:
        """Return the line for a width in cells."""
        if not self.state.model:
            return " no model yet: /model or F3 chooses one"[:width]
        if not self._told:
            return self._figures(width)
        least = cell_len(_join([min(_parts(self.state, 0))], 0))  # who is asked, and who pays
        words = next((each for each in self._told if cell_len(each) + 3 + least <= width), self._told[-1])
        room = width - cell_len(words) - 3
        return f" {words} │{self._figures(room)}" if room >= least else f" {words}"[:width]

    def _figures(self, width: int) -> str:
        for size in (2, 1, 0):
            parts = _parts(self.state, size)
            if cell_len(line := _join(parts, size)) <= width:
                return line
        kept: list[tuple[int, int, str]] = []
        for part in sorted(parts):
            if cell_len(_join([*kept, part], 0)) <= width:
                kept.append(part)
        return _join(kept or [min(parts)], 0)[:width]

    def render(self) -> Text:
        """Draw it."""
        share = max(self.state.plan_share or 0, self.state.context_share or 0)
        use = (
            "meter_error"
            if share >= _ALARMS_FROM or self.state.spent
            else "meter_warning"
            if share >= _WARNS_FROM
            else "meter"
        )
        return Text(self.line(self.size.width), style=self.look[use], no_wrap=True)


def _join(parts: Sequence[tuple[int, int, str]], size: int) -> str:
    return " " + (" │ " if size else "  ").join(words for _, _, words in sorted(parts, key=lambda part: part[1]))


def _parts(state: MeterState, size: int) -> list[tuple[int, int, str]]:
    """Return (rank by which it is given up, place in the line, words); `size` 2 is in full, 0 as short as can be."""
    who = state.aside or state
    burn, costs = (state.turn, state.turn_costs) if state.aside is None else (state.aside.usage, state.aside.costs)
    turn, session = ("~" if state.moving or not each.exact else "" for each in (burn, state.session))
    name = who.model if size else who.model.rpartition("/")[2]
    if state.served and state.aside is None:
        name = f"{name} answered by {state.served}!" if size == 2 else f"{name}→{state.served}!"
    plan = ""
    if state.plan:
        share = state.left or ("?" if state.plan_share is None else percent(state.plan_share * 100))
        drawn = f"{bar(state.plan_share, _BAR_CELLS)} " if size == 2 and state.plan_share is not None else ""
        resets = (f" resets {state.resets}" if size == 2 else f" ↺{state.resets}") if state.resets else ""
        alarm = "!" if (state.plan_share or 0) >= _ALARMS_FROM and not state.spent else ""
        plan = f"{state.plan} {'used up' if state.spent else f'{drawn}{share}{alarm}'}{resets}"
    window = ""
    if state.context_share is not None:
        window = f"{'context' if size == 2 else 'ctx'} {state.context_share:.0%}"
    rows = [
        (0, 0, f"{name}{' · ' if size else '·'}{who.payer}" if who.payer else name),
        (4, 1, window),
        (2, 2, _burn("turn" if state.aside is None else "aside", burn, costs, turn, size) if burn.total else ""),
        (3, 3, _burn("session" if size else "Σ", state.session, state.session_costs, session, size)
         if state.session.total else ""),
        (1, 4, plan),
        (5, 5, state.pace[0] if size == 2 else state.pace[1]),
        (6, 6, state.note if size else ""),
    ]  # fmt: skip
    return [(rank, place, words) for rank, place, words in rows if words]


def _burn(title: str, usage: TokenUsage, costs: Sequence[Cost], about: str, size: int) -> str:
    """Say what was burnt: fresh, cached, out, and money (or why there is none)."""
    priced = [str(cost) for cost in costs if cost.status != "unknown"]
    unpriced = len(costs) - len(priced)
    if unpriced and (priced or unpriced > 1):
        priced.append(f"{unpriced} unpriced")
    paid = " + ".join(priced) or ("price unknown" if unpriced else "free")
    if size == 2:
        cached = f" {short(usage.cache_read)} cached" if usage.cache_read else ""
        counts = f"{short(usage.fresh_input + usage.cache_write)} fresh{cached} {short(usage.total_output)} out"
        return f"{title} {about}{counts} {paid}"
    if not size and title == "Σ":
        return f"Σ {about}{short(usage.total)} {paid}"
    fresh, out = short(usage.fresh_input + usage.cache_write), short(usage.total_output)
    return f"{title + ' ' if size else ''}{about}{fresh}/{short(usage.cache_read)}/{out} {paid}"
