"""Undo and redo as a sitting does them: shown first, and then what was shown is written."""

from assistant.edits.patch import FilePatch, Patch


def undo(journal, *, now, **which):
    """Take back what `preview` chooses; returns the step that was next in line, as it was."""
    return _turn(journal, "undo", now, which)


def redo(journal, *, now, **which):
    """Make again what `preview` chooses; returns the step that was next in line, as it was."""
    return _turn(journal, "redo", now, which)


def _turn(journal, way, now, which):
    seen = journal.preview(way, **which)
    journal.carry_out(seen, now=now)
    return seen.steps[0]


def back(patch):
    """Return the patch that takes a patch back."""
    return Patch(
        tuple(
            FilePatch(
                file.target, file.after, file.before, file.mode_after, file.mode_before,
                file.path if file.new_path else "", file.came, file.went,
            )
            for file in reversed(patch.files)
        )
    )  # fmt: skip
