"""Sums as text: CSV, JSON, and a table for people. A long history has tens of thousands of lines, so calls are few.

The input is `Sums.written`, where SQL has joined the numbers into text: it is split only as far as a form needs.
"""

from __future__ import annotations

import re
from decimal import Decimal
from json.encoder import encode_basestring_ascii
from operator import add
from typing import TYPE_CHECKING

from assistant.quota import tally
from assistant.quota.history import Row, cost_words
from assistant.tokens import TokenUsage, money

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_UNPAID = ("unknown", "included", "free")
_NONE = "0,0,0"
_QUOTED = re.compile(r"'((?:[^']|'')*)'")
_FORMULA = frozenset("=+-@\t\r")


Told = tuple[str, str, str, str, "str | None"]
"""The sums of one key as `Sums.written` returns them, five texts.

The first part of the key; its other parts, quoted as in SQL; counts (steps, failed, interrupted, fresh input, cache
reads, cache writes, output, reasoning, and 1 if all are exact); numbers of unpriced, included and free steps;
currencies and amounts in the form of `tally.KINDS_PAID`, None if nothing was paid.
"""


def told(row: Row) -> Told:
    """Write a row in the form of the ledger's sums."""
    fresh, read, short, long, output, thought, _ = row.usage
    counts = (row.steps, row.failed, row.interrupted, fresh, read, short + long, output, thought, int(not row.inexact))
    first, *rest = row.key
    texts = ",".join("'" + text.replace("'", "''") + "'" for text in rest)
    unpaid = f"{row.unpriced},{row.included},{row.free}"
    return first, texts, ",".join(map(str, counts)), unpaid, tally.told(row.money)


def as_csv(found: Iterable[Told], names: Sequence[str]) -> str:
    """Write sums as CSV with a heading; `names` are those of the key. Each currency takes a line.

    Text that a spreadsheet would run as a formula is preceded by an apostrophe.
    """
    cells, others = _Cells(), _Others()
    heads = (
        *names, "steps", "failed", "interrupted", "fresh_input", "cache_read", "cache_write", "output", "reasoning", "exact",
        "amount", "currency", "unpriced", "included", "free",
    )  # fmt: skip
    lines = [",".join(heads)]
    for first, rest, sums, kinds, paid in _once(found):
        key, counts, unpaid = f"{cells[first]}{others[rest]}", sums, kinds
        if paid is None:
            lines.append(f"{key},{counts},,,{unpaid}")
            continue
        if (only := tally.only(paid)) is not None:
            lines.append(f"{key},{counts},{only[1]},{cells[only[0]]},{unpaid}")
            continue
        for currency, amount in sorted(tally.paid(paid).items()):
            lines.append(f"{key},{counts},{amount:f},{cells[currency]},{unpaid}")
            # Further lines for the same steps hold only money, so that columns can be added up.
            counts, unpaid = f"0,0,0,0,0,0,0,0,{counts[-1]}", _NONE
    lines.append("")
    return "\r\n".join(lines)


def as_json(found: Iterable[Told], names: Sequence[str]) -> list[str]:
    """Write each of the sums as a JSON text; failed steps do not count.

    `costs` are amounts by currency, with null for each status without an amount; the numbers of such steps follow,
    under the names of a `Row`.
    """
    keys, amounts = _Members(names), _Amounts()
    words = _Words(amounts)
    lines = []
    for first, rest, counts, unpaid, paid in _once(found):
        steps, failed, cut, fresh, read, written, output, thought, exact = counts.split(",")
        if steps == failed:
            continue
        done = steps if failed == "0" else int(steps) - int(failed)
        costs = "" if paid is None else _costs(paid, amounts)
        unpriced, included, free = unpaid.split(",")
        if unpaid != _NONE:
            nothing = (
                f'"{name}": null' for name, count in zip(_UNPAID, unpaid.split(","), strict=True) if count != "0"
            )
            costs = ", ".join([*filter(None, (costs,)), *nothing])
        lines.append(
            f'{{{keys[first]}{keys.others[rest]}, "steps": {done}, "fresh_input": {fresh}, "cache_read": {read}, '
            f'"cache_write": {written}, "output": {output}, "reasoning": {thought}, "exact": {"false" if exact == "0" else "true"}, "interrupted": {cut}, '
            f'"costs": {{{costs}}}, "unpriced": {unpriced}, "included": {included}, "free": {free}, '
            f'"cost": {encode_basestring_ascii(words.of(f"{done}", unpaid, paid))}}}'
        )
    return lines


def as_table(found: Iterable[Told]) -> list[str]:
    """Write sums as lines for people, the keys in columns; failed steps do not count.

    A sum that contains an estimate has a `~`; steps that were cut off are counted at the end.
    """
    words, columns = _Words(_Amounts()), _Columns()
    rows = [each for each in _once(found) if _counts(each[2])]
    columns.measure(rows)
    lines = []
    for first, rest, counts, unpaid, paid in rows:
        steps, failed, cut, fresh, read, written, output, thought, exact = map(int, counts.split(","))
        about, ended = "" if exact else "~", f"; {cut} cut off" if cut else ""
        burn = f"{fresh + written:>11,} fresh {read:>12,} cached {output + thought:>10,} out"
        cost = words.of(f"{steps - failed}", unpaid, paid)
        lines.append(f"{columns[first]}{columns.others[rest]}  {steps - failed:>5} steps {burn}  {about}{cost}{ended}")
    return lines


def _counts(counts: str) -> bool:
    """Say whether any of the steps has not failed."""
    steps, failed, _ = counts.split(",", 2)
    return steps != failed


def _costs(paid: str, amounts: _Amounts) -> str:
    """Write amounts by currency as members of a JSON object."""
    only = tally.only(paid)
    if only is not None:
        return f'{encode_basestring_ascii(only[0])}: "{only[1]}"'
    sums = sorted(amounts[paid].items())
    return ", ".join([f'{encode_basestring_ascii(currency)}: "{amount:f}"' for currency, amount in sums])


def _once(found: Iterable[Told]) -> Iterator[Told]:
    """Add up neighbours with the same key."""
    last: Told | None = None
    for line in found:
        if last is not None and line[1] == last[1] and line[0] == last[0]:
            *old, exact = map(int, last[2].split(","))
            *new, too = map(int, line[2].split(","))
            unpaid = map(add, map(int, last[3].split(",")), map(int, line[3].split(",")))
            counts = [*map(add, old, new), exact & too]
            texts = [",".join(map(str, each)) for each in (counts, unpaid)]
            last = (*last[:2], *texts, tally.both(last[4], line[4]))  # type: ignore[assignment] # two texts
            continue
        if last is not None:
            yield last
        last = line
    if last is not None:
        yield last


def _unquoted(rest: str) -> list[str]:
    """Return the parts of a key that SQL has quoted."""
    return [key.replace("''", "'") for key in _QUOTED.findall(rest)]


class _Amounts(dict[str, dict[str, Decimal]]):
    """Amounts by currency, added up once for each text."""

    def __missing__(self, paid: str) -> dict[str, Decimal]:
        self[paid] = found = tally.paid(paid)
        return found


class _Words(dict[tuple[str, str, str | None], str]):
    """Costs in words, each computed once."""

    def __init__(self, amounts: _Amounts) -> None:
        self._amounts = amounts

    def of(self, steps: str, unpaid: str, paid: str | None) -> str:
        """Return the cost of so many steps in words."""
        if unpaid == _NONE:
            steps = ""  # everything was paid: only the amounts matter
        return self[steps, unpaid, paid]

    def __missing__(self, key: tuple[str, str, str | None]) -> str:
        steps, unpaid, paid = key
        spent = {} if paid is None else self._amounts[paid]
        if not steps and len(spent) == 1:
            words = "".join([money(amount, currency) for currency, amount in spent.items()])
        else:
            unpriced, included, free = map(int, unpaid.split(","))
            priced = int(steps) - unpriced - included - free if steps else len(spent)
            many = int(steps) if steps else priced
            words = cost_words(Row((), many, 0, 0, 0, TokenUsage(), spent, priced, unpriced, included, free))
        self[key] = words
        return words


class _Members(dict[str, str]):
    """The first part of a key as a JSON member, each computed once; `others` are the other parts."""

    def __init__(self, names: Sequence[str]) -> None:
        self._name = names[0]
        self.others = _Further(names[1:])

    def __missing__(self, text: str) -> str:
        self[text] = found = f"{encode_basestring_ascii(self._name)}: {encode_basestring_ascii(text)}"
        return found


class _Further(dict[str, str]):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __missing__(self, rest: str) -> str:
        pairs = zip(self._names, _unquoted(rest), strict=True)
        self[rest] = found = "".join(
            f", {encode_basestring_ascii(name)}: {encode_basestring_ascii(text)}" for name, text in pairs
        )
        return found


class _Columns(dict[str, str]):
    """The first part of a key as a table column, each computed once; `others` are the other parts."""

    def __init__(self) -> None:
        self.others: dict[str, str] = {}

    def measure(self, rows: Iterable[Told]) -> None:
        """Make each column as wide as its longest text."""
        firsts = dict.fromkeys([row[0] for row in rows])
        parts = {rest: _unquoted(rest) for rest in dict.fromkeys([row[1] for row in rows])}
        width = max(map(len, firsts), default=0)
        widths = [max(map(len, column)) for column in zip(*parts.values(), strict=True)]
        self.update({first: f"{first:<{width}}" for first in firsts})
        for rest, texts in parts.items():
            self.others[rest] = "".join(f"  {text:<{size}}" for text, size in zip(texts, widths, strict=True))


class _Others(dict[str, str]):
    """Keys that SQL has quoted, as CSV cells; each computed once."""

    def __missing__(self, rest: str) -> str:
        cells = _Cells()
        self[rest] = text = "".join([f",{cells[key]}" for key in _unquoted(rest)])
        return text


class _Cells(dict[str, str]):
    """Texts as CSV cells, each computed once."""

    def __missing__(self, text: str) -> str:
        import csv
        import io

        out = io.StringIO()
        csv.writer(out, lineterminator="\r\n").writerow(("", f"'{text}" if text[:1] in _FORMULA else text))
        self[text] = cell = out.getvalue()[1:-2]
        return cell
