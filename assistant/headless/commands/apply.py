"""Apply the edits of a model's reply on standard input, all or nothing."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from assistant.edits import disk
from assistant.errors import PatchError, StateError
from assistant.headless import shapes
from assistant.headless.output import dump, mend, out, tell

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from assistant.session import Session


def arguments(parser: ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--check", action="store_true", help="say what would happen, write nothing")


def run(session: Session, options: Namespace) -> int:
    """Run the command; one edit that may not or cannot be written refuses the whole reply."""
    mend(session)
    patch, misfits = session.changes.read_reply(sys.stdin.buffer.read().decode("utf-8", "surrogateescape"))
    risks = disk.risks(patch)
    asides: tuple[str, ...] = ()
    written, error = False, None
    if patch.files and not misfits:
        try:
            asides = disk.notes(session.root, patch)
            if options.check:
                disk.check(session.root, patch)
            else:
                session.journal.apply(patch, label="apply", now=session.now())
                written = True
        except (PatchError, StateError) as trouble:
            error = trouble
    if options.json:
        dump(
            {
                "files": list(patch.paths),
                "hunks": len(patch.hunks),
                "misfits": [shapes.misfit(each) for each in misfits],
                "written": written,
                "risky": risks,
                "error": shapes.error(error) if error else None,
            }
        )
    else:
        if patch.files and not misfits and error is None:
            out(("would write " if options.check else "wrote ") + ", ".join(patch.paths))
        for each in misfits:
            tell(f"refused (line {each.edit.reply_line} of the reply): {each.message} {each.hint}".rstrip())
            for near in each.candidates[:2]:
                tell(f"  near: {near.path}:{near.start}-{near.end}")
        if error is not None:
            tell(f"refused: {error}")
        if not patch.files and not misfits:
            tell("There are no edits in this reply; nothing to do.")
    if patch.files and not misfits and error is None:
        for path, why in risks.items():
            tell(f"look at {path}: {why}.")
        for words in (*asides, *session.journal.notes()):
            tell(words)
    return PatchError.exit_code if misfits or error else 0
