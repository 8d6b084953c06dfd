"""What the plan board draws: standings as bars, history as tables, heat maps and a sparkline. Lines of text, nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from assistant.quota import history, wording
from assistant.tokens import percent
from assistant.tui.figures import bar, short
from assistant.tui.lines import wrap
from assistant.visible import safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from assistant.quota.estimate import Estimate
    from assistant.quota.forecast import Forecast
    from assistant.quota.history import Row, Yield
    from assistant.standings import Standing
    from assistant.tui.theme import Theme

_WIDE, _NARROW = 110, 60
_NAME = 12
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
    head.truncate(width, overflow="ellipsis")
    pays = f"  pays {', '.join(standing.providers)}" if standing.plan is not None and standing.providers else ""
    week = ""
    if standing.week is not None:
        week = f"  7 days: {'~' if standing.week.inexact else ''}{history.cost_words(standing.week)}, {short(standing.week.usage.total)} tokens"
    room = width - cell_len(head.plain)
    head.append(next((each for each in (pays + week, week, pays) if cell_len(each) <= room), ""), look["note"])
    lines = [head]
    names = [cell_len(safe(each.meter)) for each, _ in standing.meters]
    most = max(_NAME, width // 3)
    column = max([_NAME, *(size for size in names if size <= most)])
    for each, ahead in standing.meters:
        lines += _meter(each, ahead, now, width, look, column)
    for reading in standing.unmapped:
        lines += _wrapped(f"    not understood: {reading.meter}  {reading.raw}", width, look, "warning")
    for reading in standing.pace:
        if not isinstance(reading.limit, str):
            words = f"{wording.amount(reading.remaining, '')} of {wording.amount(reading.limit, '')} left"
            lines += _wrapped(f"    {reading.meter}: {words}", width, look, "note")
    if standing.hint is not None:
        lines += _wrapped(f"    {standing.hint}", width, look, "good")
    return [*lines, *(line for words in standing.notes for line in _wrapped(f"    {words}", width, look, "note"))]


def _meter(each: Estimate, ahead: Forecast, now: datetime, width: int, look: Theme, column: int) -> list[Text]:
    """Draw one window: on one line if there is room, else with its second half, or all its words, below.

    Its name is never cut, since two may begin and end alike: a name wider than its column stands above.
    """
    name = safe(each.meter)
    if cell_len(name) > column:
        return [*_wrapped(f"    {name}", width, look, ""), *_bars(each, ahead, now, width, look, " " * column)]
    return _bars(each, ahead, now, width, look, set_cell_size(name, column))


def _bars(each: Estimate, ahead: Forecast, now: datetime, width: int, look: Theme, name: str) -> list[Text]:
    cells = 20 if width >= _WIDE else 12 if width >= _NARROW else 4
    line = Text(f"    {name}", no_wrap=True)
    share = None if each.state == "unknown" else each.share
    use = "error" if each.state == "exhausted" or (share or 0) >= 0.9 else "warning" if (share or 0) >= 0.75 else "good"
    line.append(f" {bar(share, cells)} ", look[use])
    line.append(f"{_percent(each):>6}  ", look[use])
    said = wording.meter_words(each, ahead, now)
    bare = each.unit == "percent" and each.limit != "unlimited"  # its figure stands beside the bar
    words = "  ".join(filter(None, ("" if bare else said.figures, said.state)))
    if said.reset:
        wait = f" in {said.wait}" if width >= _WIDE else ""
        words += f"{' until' if each.state == 'exhausted' else '  ↺'} {said.reset}{wait}"
    rest = "  ".join((*said.more, said.trust))
    room = width - cell_len(line.plain)
    if cell_len(words) > room:
        line.rstrip()
        return [line, *_wrapped(f"      {words.strip()}  {rest}", width, look, "note")]
    line.append(words)
    if cell_len(words) + cell_len(rest) + 2 <= room:
        line.append(f"  {rest}", look["note"])
        return [line]
    indent = " " * cell_len(name) if cell_len(name) + cell_len(rest) + 5 <= width else " " * _NAME
    return [line, *_wrapped(f"    {indent} {rest}", width, look, "note")]


def _percent(each: Estimate) -> str:
    if each.percent is not None and each.state != "unknown":
        return percent(each.percent)
    return "?" if each.state == "unknown" or each.used is None else ""


def days(rows: Sequence[Row], today: date, width: int, look: Theme) -> list[Text]:
    """Draw the last thirty days as a sparkline, the weeks that fit as a heat map, and a table."""
    first = today - timedelta(days=DAYS_SHOWN - 1)
    values = history.daily(rows, first, today)
    lines = [
        Text.assemble(
            ("thirty days  " if width >= _NARROW else "", look["note"]), (history.sparkline(values), look["good"])
        ),
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


def hours(found: Sequence[tuple[str, int, int, int]], width: int, look: Theme) -> list[Text]:
    """Draw the hours of the week in which tokens are burnt."""
    size = 2 if width >= _NARROW else 1
    lines = [Text("     " + "".join(f"{hour:<{3 * size}}" for hour in range(0, 24, 3)), look["note"])]
    for name, cells in history.week(found):
        lines.append(Text.assemble((f"{name}  ", look["note"]), ("".join(cell * size for cell in cells), look["good"])))
    return lines


def sums(names: Sequence[str], rows: Sequence[Row], width: int, look: Theme) -> list[Text]:
    """Draw what was burnt under each key, the most tokens first."""
    return _table(names, sorted(rows, key=lambda row: -row.usage.total), width, look)


def others(name: str, rows: Sequence[Row], width: int, look: Theme) -> list[Text]:
    """Draw what other clients burnt under each key; nothing where nothing is known."""
    head = Text("Other clients on this machine, from their own logs, at list prices", look["head"])
    return [Text(), head, *_table(("client", name), rows, width, look)] if rows else []


def yields(found: Sequence[Yield], width: int, look: Theme) -> list[Text]:
    """Draw what became of the models' edits."""
    lines = history.yield_lines(found, width)
    if not lines:
        return [Text("No edits were decided yet: take or skip some hunks.", look["note"])]
    uses = ("head", *["words"] * len(lines))
    return [row for line, use in zip(lines, uses, strict=False) for row in _wrapped(line, width, look, use)]


def _table(names: Sequence[str], rows: Sequence[Row], width: int, look: Theme) -> list[Text]:
    """Draw rows with their keys, steps, tokens and cost; a key that is too long is cut on its left."""
    if not rows:
        return [Text("Nothing was burnt here yet.", look["note"])]
    keys = ["/".join(part for part in row.key if part) or "-" for row in rows]
    whole = [("all", history.whole(rows))] if len(rows) > 1 else []
    costs = [f"{'~' if row.inexact else ''}{history.cost_words(row)}" for row in (*rows, *(row for _, row in whole))]
    columns = {"steps": 6, "fresh": 7, "cached": 7, "out": 7}
    for name in ("cached", "steps", "fresh", "out"):  # columns without room are left out whole, never the cost
        if 12 + 3 + sum(columns.values()) + len(columns) + max(map(cell_len, costs)) <= width:
            break
        del columns[name]
    rest = 3 + sum(columns.values()) + len(columns) + max(map(cell_len, costs))
    head = "/".join(names)
    room = max(12, min(max(map(cell_len, (head, *keys))), width - rest))

    def line(key: str, cells: Mapping[str, str], cost: str, use: str) -> Text:
        figures = " ".join(f"{cells[name]:>{size}}" for name, size in columns.items())
        return _fit(f"{set_cell_size(key, room)}  {figures}  {cost}", width, look, use)

    lines = [line(head, {name: name for name in columns}, "cost", "note")]
    for (key, row), cost in zip([*zip(keys, rows, strict=True), *whole], costs, strict=True):
        usage = row.usage
        cells = {
            "steps": str(row.steps), "fresh": short(usage.fresh_input + usage.cache_write),
            "cached": short(usage.cache_read), "out": short(usage.total_output),
        }  # fmt: skip
        shown = safe(key if cell_len(key) <= room else f"…{key[1 - room :]}")
        lines.append(line(shown, cells, cost, "words"))
    if whole:
        lines[-1].stylize(look["strong"])
    return lines


def _wrapped(words: str, width: int, look: Theme, use: str) -> list[Text]:
    """Draw words of any length, wrapped; continued lines keep the indentation."""
    words = safe(words)
    indent = " " * min(len(words) - len(words.lstrip()), width // 2)
    parts = wrap(words, width)
    return [Text((indent if first else "") + words[first:last], look[use], no_wrap=True) for first, last in parts]


def _fit(words: str, width: int, look: Theme, use: str) -> Text:
    line = Text(safe(words), look[use], no_wrap=True)
    line.truncate(width, overflow="ellipsis")
    return line
