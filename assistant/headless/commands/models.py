"""The catalogue: found, filtered and compared, with the prices of this hour and who would pay; `update` takes news into it."""

from __future__ import annotations

import asyncio
import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistant.errors import BadEndpoint, ConfigError, PatchError, UsageError
from assistant.headless.output import dump, out, tell
from assistant.tokens import TokenUsage, rate

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from assistant.models.listing import Row
    from assistant.models.refresh import Merged
    from assistant.session import Session

_TURN = TokenUsage(fresh_input=12_000, cache_read=40_000, output=1_500)
"""The usage by which compared models are priced: a turn in the middle of a working day."""
_FETCH_S = 20.0


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("words", nargs="*", help="parts of names; or: update FILE_OR_URL")
    parser.add_argument("--provider", default="", help="only what this one sells")
    parser.add_argument("--ability", action="append", default=[], choices=["thinking", "images", "tools", "cache"])
    parser.add_argument("--max-price", default="", metavar="IN[/OUT]", help="USD per million tokens, now, at most")
    parser.add_argument("--window", type=int, metavar="N", help="tokens of context window, at least")
    parser.add_argument(
        "--ready", action="store_true", help="only those that could be asked: with a key, or without need"
    )
    parser.add_argument("--compare", nargs="+", metavar="MODEL", help="the facts of some side by side")
    parser.add_argument("--offline", action="store_true", help="do not look for local model servers")
    parser.add_argument("--yes", action="store_true", help="update: take what is news without asking")


def run(session: Session, options: Namespace) -> int:
    """Run the command; return the exit code."""
    if options.words[:1] == ["update"]:
        return _update(session, options)
    rows = asyncio.run(_rows(session, offline=options.offline))
    if options.compare:
        return _compare(session, rows, options)
    from assistant.models import listing

    most_input, most_output = _prices(options.max_price)
    found = listing.keep(
        listing.find(rows, " ".join(options.words)),
        provider=options.provider,
        abilities=options.ability,
        most_input=most_input,
        most_output=most_output,
        least_window=options.window,
        ready=options.ready,
    )
    if options.json:
        dump({"models": [listing.as_json(row) for row in found]})
        return 0
    for row in found:
        out(_line(row))
    if not found:
        tell("No model meets all of that.")
    return 0


async def _rows(session: Session, *, offline: bool) -> list[Row]:
    try:
        if not offline:
            await session.roster.find_local()
        return session.roster.rows(session.now())
    finally:
        await session.close()


def _prices(text: str) -> tuple[Decimal | None, Decimal | None]:
    """Read `1`, `1/5` or `/5`."""
    first, _, second = text.partition("/")
    return _price(first, text), _price(second, text)


def _price(word: str, text: str) -> Decimal | None:
    try:
        found = Decimal(word) if word else None
    except InvalidOperation:
        found = Decimal("NaN")
    if found is not None and not found.is_finite():
        raise UsageError(f"{text!r} is no price.", "Write --max-price 1, 1/5 or /5: USD per million in and out.")
    return found


def _line(row: Row) -> str:
    window = f"{row.model.context_window:,}" if row.model.context_window else "?"
    price = row.price
    money = "price unknown"
    if price is not None:
        first, second = (rate(each, price.currency) for each in (price.input, price.output))
        money = f"{first:>8} in {second:>8} out per M {price.label}"
    key = "" if row.ready else "  (no key)"
    mark = "*" if row.favourite is not None else " "
    return f"{mark}{row.name:<44} {window:>9} window  {row.payer:<8} {money.rstrip()}{key}"


def _compare(session: Session, rows: Sequence[Row], options: Namespace) -> int:
    """Show some models side by side; names may be short, as everywhere."""
    from assistant.models import listing

    known = {row.name: row for row in rows}
    chosen = []
    for name in options.compare:
        pick = session.roster.catalogue.pick(name)
        found = known.get(pick.model.name)
        if found is None:  # a relay may accept a name that no list has
            found = listing.Row(pick.model, pick.provider, session.roster.payer(pick.provider), None, None, None)
        chosen.append(found)
    if options.json:
        dump({"models": [listing.as_json(row) for row in chosen]})
        return 0
    turn = f"a turn of {_TURN.fresh_input:,} fresh, {_TURN.cache_read:,} cached, {_TURN.output:,} out"
    table = [("", tuple(row.name for row in chosen)), *listing.compare(chosen, _TURN, session.now())]
    table = [(turn if label == "this usage" else label, values) for label, values in table]
    widths = [max(len(values[place]) for _, values in table) for place in range(len(chosen))]
    if sum(widths) + 20 > 160:  # too wide because of long notes and sources: show one model below the other
        for place, row in enumerate(chosen):
            out(row.name)
            for label, values in table[1:]:
                out(f"  {label:<20} {values[place]}")
        return 0
    room = max(len(label) for label, _ in table)
    for label, values in table:
        out(
            f"{label:<{room}}  "
            + "  ".join(f"{value:<{width}}" for value, width in zip(values, widths, strict=True)).rstrip()
        )
    return 0


def _update(session: Session, options: Namespace) -> int:
    """Show what is new in a file or at an address, and take it over once the user agrees."""
    from assistant.models import refresh

    if len(options.words) != 2:
        raise UsageError("update wants one file or one https:// address.", "wattson models update FILE_OR_URL")
    source, into = options.words[1], session.places.config / "providers"
    data = _read(session, source)
    news = refresh.merge(data, into, session.now(), where=source, write=False)
    if not options.json:
        _tell(news)
    taken = bool(news.told) and (options.yes or _agreed(options))
    done = refresh.merge(data, into, session.now(), where=source) if taken else news
    if options.json:
        names = ("new", "changed", "refused")
        dump(
            {name: list(getattr(news, name)) for name in names}
            | {"news": {name: list(words) for name, words in news.told.items()}}
            | {"written": [str(path) for path in done.written]}
        )
    for path in done.written:
        tell(f"Wrote {path}; remove the file to take it back.")
    if news.told and not taken:
        tell("Nothing was written; --yes takes it.")
        return PatchError.exit_code  # refused, nothing written
    return 0


def _read(session: Session, source: str) -> bytes:
    if "://" not in source:
        try:
            return Path(source).expanduser().read_bytes()
        except OSError as error:
            raise ConfigError(
                f"{source} cannot be read: {error.strerror}.", "Name a file or an https:// address."
            ) from error
    from assistant.models.address import loopback

    if not source.startswith("https://") and not loopback(urlsplit(source).hostname or ""):
        raise BadEndpoint(f"{source} could be changed on its way.", "Use an https:// address.")

    async def fetch() -> bytes:
        try:
            return await session.client.get(source, _FETCH_S)
        finally:
            await session.close()

    return asyncio.run(fetch())


def _tell(news: Merged) -> None:
    for name, words in news.told.items():
        out(f"{'new     ' if name in news.new else 'changed '} {name}")
        for each in words:
            out(f"          {each}")
    for each in news.refused:
        tell(f"not taken: {each}")
    if not news.told:
        out("Nothing in it is news.")


def _agreed(options: Namespace) -> bool:
    """Ask on a terminal; scripts use --yes."""
    if options.json or not sys.stdin.isatty():
        return False
    sys.stderr.write("Take this into your catalogue? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
