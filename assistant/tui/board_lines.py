"""What the plan board draws: standings as bars, history as tables, heat maps and a sparkline. Lines of text, nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from assistant.quota import history, wording
from assistant.tui.lines import safe
from assistant.tui.widgets.meter_bar import short

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from assistant.quota.estimate import Estimate
    from assistant.quota.forecast import Forecast
    from assistant.quota.history import Row, Yield
    from assistant.standings import Standing
    from assistant.tui.theme import Theme

_WIDE = 110
_EIGHTHS = "▏▎▍▌▋▊▉█"
DAYS_SHOWN = 30


def plans(found: Sequence[Standing], others: Sequence[Row], now: datetime, width: int, look: Theme) -> list[Text]:
    """Draw each plan with its windows; then what other clients burnt in the last seven days, from their logs."""
    lines: list[Text] = []
    for standing in found:
        lines += [*_plan(standing, now, width, look), Text()]
    if others:
        lines.append(
            Text("Other clients on this machine, seven days, from their own logs, at list prices", look["head"])
        )
        lines += _table(("client", "model"), others, width, look)
    if not found and not others:
        lines.append(Text("No plan, no key and no burn yet. /model chooses who is asked.", look["note"]))
    return lines


def _plan(standing: Standing, now: datetime, width: int, look: Theme) -> list[Text]:
    head = Text(f"{'▸ ' if standing.present else '  '}{safe(standing.title)}", look["head"], no_wrap=True)
    if standing.plan is not None and standing.providers:
        head.append(f"  pays {', '.join(standing.providers)}", look["note"])
    if standing.week is not None:
        burnt = f"  7 days: {history.cost_words(standing.week)}, {short(standing.week.usage.total)} tokens"
        head.append(burnt, look["note"])
    head.truncate(width, overflow="ellipsis")
    lines = [head]
    for each, ahead in standing.meters:
        lines += _meter(each, ahead, now, width, look)
    for reading in standing.unmapped:
        lines.append(_fit(f"    not understood: {reading.meter}  {reading.raw}", width, look, "warning"))
    for reading in standing.pace:
        if not isinstance(reading.limit, str):
            words = f"{wording.amount(reading.remaining, '')} of {wording.amount(reading.limit, '')} left"
            lines.append(_fit(f"    {reading.meter}: {words}", width, look, "note"))
    if standing.hint is not None:
        lines.append(_fit(f"    {standing.hint}", width, look, "good"))
    lines += [_fit(f"    {words}", width, look, "note") for words in standing.notes]
    return lines


def _meter(each: Estimate, ahead: Forecast, now: datetime, width: int, look: Theme) -> list[Text]:
    """Draw one window: on one line where there is room, else with its second half below."""
    cells = 20 if width >= _WIDE else 12
    line = Text("    ", no_wrap=True)
    line.append(set_cell_size(safe(each.meter), 12))
    share = None if each.state == "unknown" else each.share
    use = "error" if each.state == "exhausted" or (share or 0) >= 0.9 else "warning" if (share or 0) >= 0.75 else "good"
    line.append(f" {_bar(share, cells)} ", look[use])
    line.append(f"{_percent(each):>6}  ", look[use])
    state = {"exhausted": "used up", "not_started": "not begun"}.get(each.state, "")
    if each.state == "unknown" and each.limit is not None and each.end is None and each.unit != "percent":
        state = "begins at a time that nobody has said"
    line.append("  ".join(filter(None, (wording.figures(each) if each.unit != "percent" else "", state))))
    if each.resets_at is not None:
        wait = f" in {wording.countdown(each.resets_at, now)}" if width >= _WIDE else ""
        line.append(f"{' until' if each.state == 'exhausted' else '  ↺'} {wording.clock(each.resets_at, now)}{wait}")
    more = [wording.pace(ahead, now)[0], wording.others(each), f"{wording.trust(each)}, {each.confidence}"]
    rest = "  ".join(filter(None, more))
    if cell_len(line.plain) + cell_len(rest) + 2 <= width:
        line.append(f"  {rest}", look["note"])
        return [line]
    line.truncate(width, overflow="ellipsis")
    return [line, _fit(f"    {'':12} {rest}", width, look, "note")]


def _percent(each: Estimate) -> str:
    if each.percent is not None and each.state != "unknown":
        return f"{each.percent:.0f}%" if each.percent == each.percent.to_integral_value() else f"{each.percent}%"
    return "?" if each.state == "unknown" or each.used is None else ""


def _bar(share: float | None, cells: int) -> str:
    """Draw a share in eighths of a cell; dashes where nobody knows it."""
    if share is None:
        return "╌" * cells
    full, part = divmod(round(max(0.0, min(1.0, share)) * cells * 8), 8)
    return f"{_EIGHTHS[-1] * full + (_EIGHTHS[part - 1] if part else ''):·<{cells}}"


def days(rows: Sequence[Row], today: date, width: int, look: Theme) -> list[Text]:
    """Draw the last thirty days as a sparkline, the weeks that fit as a heat map, and a table."""
    first = today - timedelta(days=DAYS_SHOWN - 1)
    values = history.daily(rows, first, today)
    lines = [
        Text.assemble(("thirty days  ", look["note"]), (history.sparkline(values), look["good"])),
        Text(),
    ]
    weeks = max(4, min(53, width - 8))
    start = today - timedelta(days=today.weekday() + 7 * (weeks - 1))
    for name, cells in history.calendar(rows, start, today):
        lines.append(Text.assemble((f"{name}  ", look["note"]), (cells, look["good"])))
    lines += [
        Text(),
        *_table(("day",), [row for row in reversed(rows) if row.key[0] >= first.isoformat()], width, look),
    ]
    return lines


def hours(found: Sequence[tuple[str, int, int, int]], look: Theme) -> list[Text]:
    """Draw at which hours of the week tokens are burnt."""
    lines = [Text("     " + "".join(f"{hour:<6}" for hour in range(0, 24, 3)), look["note"])]
    for name, cells in history.week(found):
        lines.append(Text.assemble((f"{name}  ", look["note"]), ("".join(cell * 2 for cell in cells), look["good"])))
    return lines


def sums(names: Sequence[str], rows: Sequence[Row], width: int, look: Theme) -> list[Text]:
    """Draw what was burnt under each key, the most tokens first."""
    return _table(names, sorted(rows, key=lambda row: -row.usage.total), width, look)


def others(name: str, rows: Sequence[Row], width: int, look: Theme) -> list[Text]:
    """Draw what other clients burnt under each key; nothing where nothing is known."""
    head = Text("Other clients on this machine, from their own logs, at list prices", look["head"])
    return [Text(), head, *_table(("client", name), rows, width, look)] if rows else []


def yields(found: Sequence[Yield], width: int, look: Theme) -> list[Text]:
    """Draw what the models' edits came to."""
    lines = history.yield_lines(found)
    if not lines:
        return [Text("No edits were decided yet: take or skip some hunks.", look["note"])]
    return [_fit(line, width, look, "head" if number == 0 else "words") for number, line in enumerate(lines)]


def _table(names: Sequence[str], rows: Sequence[Row], width: int, look: Theme) -> list[Text]:
    """Draw rows with their keys, steps, tokens and cost; a long key gives way from its left."""
    if not rows:
        return [Text("Nothing was burnt here yet.", look["note"])]
    keys = ["/".join(part for part in row.key if part) or "-" for row in rows]
    room = max(12, min(max(map(cell_len, keys)), width - 52))
    heading = f"{'/'.join(names):<{room}}  {'steps':>6} {'fresh':>7} {'cached':>7} {'out':>7}  cost"
    lines = [_fit(heading, width, look, "note")]
    whole = [("all", history.whole(rows))] if len(rows) > 1 else []
    for key, row in [*zip(keys, rows, strict=True), *whole]:
        shown = safe(key if cell_len(key) <= room else f"…{key[1 - room :]}")
        usage = row.usage
        counts = f"{short(usage.fresh_input + usage.cache_write):>7} {short(usage.cache_read):>7} {short(usage.total_output):>7}"
        about = "" if not row.inexact else "~"
        words = f"{set_cell_size(shown, room)}  {row.steps:>6} {counts}  {about}{history.cost_words(row)}"
        lines.append(_fit(words, width, look, "words"))
    if whole:
        lines[-1].stylize(look["strong"])
    return lines


def _fit(words: str, width: int, look: Theme, use: str) -> Text:
    line = Text(safe(words), look[use], no_wrap=True)
    line.truncate(width, overflow="ellipsis")
    return line
