"""Print exactly what would be shown to the model; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from assistant import visible
from assistant.headless.output import budget, dump, given, out, tell

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.sight import ContextPreview


def sitting(_options: Namespace) -> Literal["preview"]:
    """Return the Sitting that is enough: the command only looks."""
    return "preview"


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("text", help="the question; - reads it from standard input")
    parser.add_argument("--budget", type=budget, metavar="N", help="o200k tokens")
    parser.add_argument(
        "--pin",
        action="append",
        default=[],
        metavar="PATH",
        help="show this file whatever is asked, also of a folder that is dropped",
    )
    parser.add_argument("--drop", action="append", default=[], metavar="PATH", help="never show this file or folder")


def run(preview: ContextPreview, options: Namespace) -> int:
    """Run the command; return the exit code."""
    if options.budget is not None:
        preview.config = preview.config._replace(context_budget=options.budget)
    sight = preview.sight
    for path in options.drop:
        sight.keep_out(sight.find_any(path))
    # whatever the order of options: a pinned file is shown even if its folder is dropped
    for path in map(sight.find, options.pin):
        if path in sight.dropped:
            tell(f"{path} is dropped by its name, too: it stays out")
        else:
            sight.pin(path)
    context = sight.look(given(options.text))
    if options.json:
        from assistant.headless import shapes

        dump(shapes.context(context))
        return 0
    out(context.render())
    for each in context.masked:
        tell(f"masked: {each.where} ({each.kind})")
    for path, why in context.left_out:
        tell(f"left out: {visible.name(path)} ({why})")
    tell(f"{context.tokens:,} o200k tokens {context.note}".rstrip())
    return 0
