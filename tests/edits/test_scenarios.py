"""Each folder is a reply and what must become of a tree: `before`, `reply.md`, and `after`, `refuse`, or both allowed.

The path is the one of `wattson apply`: every line parsed, all edits matched, all files written with the journal or none.
"""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.edits import disk, match
from assistant.edits.edit import Edit, Misfit
from assistant.edits.format import open_parser
from assistant.edits.journal import Journal
from assistant.errors import PatchError
from tests.edits.turning import undo

SCENARIOS = Path(__file__).parent / "scenarios"
CASES = sorted(path.parent for path in SCENARIOS.glob("*/*/*/reply.md"))
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def tree(root):
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            place = Path(folder) / name
            if ".git" not in place.relative_to(root).parts:
                found[str(place.relative_to(root))] = place.readlink() if place.is_symlink() else place.read_bytes()
    return found


def lay_out(folder, tmp_path):
    """Make the tree of a scenario, with a secret beside it and a `.git` in it."""
    root = tmp_path / "root"
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "config").write_text("secret\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("secret\n")
    for path, data in tree(folder / "before").items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
        (root / path).chmod(modes(folder, "before").get(path, 0o644))
    if (folder / "links").exists():
        for line in (folder / "links").read_text().splitlines():
            name, to = line.split(" -> ")
            (root / name).symlink_to(to)
    return root


def modes(folder, when):
    if not (folder / "modes").exists():
        return {}
    rows = [
        line.split(" ", 1)[1].rsplit(" ", 1)
        for line in (folder / "modes").read_text().splitlines()
        if line.startswith(when)
    ]
    return {path: int(mode, 8) for path, mode in rows}


def apply(root, reply, journal):
    """Do what `wattson apply` does with a reply; returns the misfits or the refusal of the disk."""
    parser = open_parser()
    found = [*parser.feed(reply), *parser.close()]
    fitted = match.fit([each for each in found if isinstance(each, Edit)], lambda path: disk.read(root, path))
    misfits = [*(each for each in found if isinstance(each, Misfit)), *fitted.misfits]
    if misfits or not fitted.patch.files:
        return misfits
    try:
        journal.apply(fitted.patch, label="apply", now=NOW)
    except PatchError as error:
        return [error]
    return []


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: str(folder.relative_to(SCENARIOS)))
def test_the_tree_is_as_the_reply_meant_or_untouched(folder, tmp_path):
    root = lay_out(folder, tmp_path)
    before, outside = tree(root), tree(tmp_path / "outside")
    journal = Journal(tmp_path / "journal", root)
    refused = apply(root, (folder / "reply.md").read_bytes().decode("utf-8", "surrogateescape"), journal)
    assert tree(tmp_path / "outside") == outside
    assert [path.name for path in (root / ".git").iterdir()] == ["config"]
    if refused:
        assert not (folder / "after").exists() or (folder / "or_refuse").exists(), refused
        assert tree(root) == before
        for each in refused:
            words = each.message
            assert words.strip()
            if isinstance(each, Misfit):
                assert each.hint
                assert f"line {each.edit.reply_line}" in words
                assert repr(each.edit.path.removeprefix("./").rpartition("/")[2])[1:-1] in words
                assert each.reason != "ambiguous" or len(each.candidates) > 1
        return
    assert not (folder / "refuse").exists(), "this reply must be refused"
    links = {path: to for path, to in before.items() if isinstance(to, Path)}
    assert tree(root) == {**tree(folder / "after"), **links}
    for path, mode in modes(folder, "after").items():
        assert (root / path).stat().st_mode & 0o777 == mode
    if tree(root) != before:
        undo(journal, now=NOW)
        assert tree(root) == before
