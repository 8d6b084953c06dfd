"""Undo and redo without a screen: the last step or one by number, listed or checked first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assistant.errors import Stale
from assistant.headless.output import dump, mend, out, show_written

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.edits.journal import Way
    from assistant.session import Session


def arguments(parser: ArgumentParser) -> None:
    """Add the arguments of undo and redo."""
    parser.add_argument("file", nargs="?", metavar="FILE", help="only what was done last in this file")
    parser.add_argument("--step", type=int, metavar="N", help="this step, as --list numbers them (default: the last)")
    parser.add_argument("--check", action="store_true", help="print what would be written as a diff, write nothing")
    parser.add_argument("--list", action="store_true", help="list the steps of the journal")


def turn_back(session: Session, way: Way, options: Namespace) -> int:
    """Undo or redo as asked; return the exit code. Raises PatchError if it is impossible; then nothing was written."""
    if options.list:
        _list(session, as_json=options.json)
        return 0
    mend(session)
    step, hunks = options.step, None
    if options.file:
        step, part = session.deciding.about(way, options.file, step)
        hunks = part.hunks
    preview = session.journal.preview(way, step=step, hunks=hunks)
    if options.check:
        if preview.conflicts:
            raise Stale(preview.conflicts[0].why, "Nothing was written.", path=preview.conflicts[0].path)
        patch = preview.patch
        if options.json:
            dump({"patch": patch.diff(), "files": list(patch.paths), "merged": list(preview.merged), "written": False})
        else:
            out(patch.diff())
        return 0
    asyncio.run(show_written(session.deciding.carry_out(preview), as_json=options.json))
    return 0


def _list(session: Session, *, as_json: bool) -> None:
    steps = session.journal.history()
    if as_json:
        names = ("id", "label", "turn", "model", "cost", "session", "state", "added", "removed")
        rows = [
            {
                **{name: getattr(step, name) for name in names},
                "at": step.at.isoformat(),
                "files": [f.path for f in step.files],
            }
            for step in steps
        ]
        dump({"steps": rows})
        return
    for step in steps:
        files = ", ".join(file.path for file in step.files)
        who = f"{step.model} {step.cost}".strip()
        out(
            f"{step.id:>5}  {step.at:%Y-%m-%d %H:%M}  {step.state:<8} +{step.added} -{step.removed}  {files}  {step.label}  {who}".rstrip()
        )
