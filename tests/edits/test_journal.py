"""The record of work: undo and redo of steps, hunks, turns and sessions, whatever happened in between."""

import errno
import fcntl
import json
import os
import subprocess
import sys
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant.edits.journal import Journal
from assistant.edits.patch import FilePatch, Patch
from assistant.errors import PatchError, Stale, StateError, Unwritable
from tests.edits.turning import redo, undo

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TEXT = b"".join(b"line %d\n" % index for index in range(40))


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "src").mkdir(parents=True)
    (root / "a.txt").write_bytes(TEXT)
    (root / "src" / "b.txt").write_bytes(TEXT)
    return root


@pytest.fixture
def journal(tmp_path, root):
    return Journal(tmp_path / "journal", root)


def again(journal, **more):
    return Journal(journal.folder, journal.root, **more)


def edit(root, path, *pairs, **more):
    """Make the patch of one file: pairs of words that are replaced."""
    place = root / path
    before = place.read_bytes()
    after = before
    for old, new in pairs:
        assert old in after
        after = after.replace(old, new)
    mode = place.stat().st_mode & 0o777
    return FilePatch(path, before, after, mode, mode, **more)


def state(root):
    return {
        str(path.relative_to(root)): (path.read_bytes(), path.stat().st_mode) if path.is_file() else None
        for path in root.rglob("*")
    }


def apply(journal, *files, label="x", **more):
    return journal.apply(Patch(tuple(files)), label=label, now=NOW, **more)


def test_a_step_says_who_when_what_and_for_how_much(journal, root):
    apply(
        journal, edit(root, "a.txt", (b"line 3\n", b"3\n3b\n")), FilePatch("new", None, b"x\n", None, 0o644),
        label="turn 3", turn=3, model="sonnet", session="s1", cost="$0.002",
    )  # fmt: skip
    (step,) = again(journal).history()
    assert (step.id, step.at, step.label, step.turn, step.model, step.session, step.cost) == (
        1, NOW, "turn 3", 3, "sonnet", "s1", "$0.002",
    )  # fmt: skip
    assert [(file.path, file.kind, file.added, file.removed) for file in step.files] == [
        ("a.txt", "change", 2, 1), ("new", "create", 1, 0),
    ]  # fmt: skip
    assert (step.added, step.removed, step.state) == (3, 1, "done")
    assert not step.patch
    assert again(journal).standing(step.id).paths == ("a.txt", "new")


def test_hunks_are_taken_back_and_made_again_one_by_one(journal, root):
    step = apply(
        journal, edit(root, "a.txt", (b"line 3\n", b"three\n"), (b"line 20\n", b"twenty\n"), (b"line 35\n", b"x\n"))
    )
    after = state(root)
    first, second, _ = again(journal).standing(step.id).hunks
    undo(journal, now=NOW, step=step.id, hunks=[second])
    assert (root / "a.txt").read_bytes() == TEXT.replace(b"line 3\n", b"three\n").replace(b"line 35\n", b"x\n")
    assert again(journal).history()[0].state == "partly"
    assert [hunk.new for hunk in again(journal).taken_back(step.id).hunks] == [(b"twenty\n",)]
    undo(journal, now=NOW, step=step.id, hunks=[first])
    assert (root / "a.txt").read_bytes() == TEXT.replace(b"line 35\n", b"x\n")
    with pytest.raises(PatchError, match="no such hunk"):
        undo(journal, now=NOW, step=step.id, hunks=[first])
    back = [hunk for hunk in again(journal).taken_back(step.id).hunks if hunk.new == (b"twenty\n",)]
    redo(journal, now=NOW, step=step.id, hunks=back)
    assert (root / "a.txt").read_bytes() == TEXT.replace(b"line 20\n", b"twenty\n").replace(b"line 35\n", b"x\n")
    redo(journal, now=NOW)
    assert state(root) == after
    assert again(journal).history()[0].state == "done"
    undo(journal, now=NOW)
    assert (root / "a.txt").read_bytes() == TEXT


def test_a_hunk_of_every_kind_goes_and_comes(journal, root):
    (root / "old.txt").write_bytes(b"old\n")
    before = state(root)
    step = apply(
        journal,
        edit(root, "a.txt", (b"line 3\n", b"three\n"), new_path="moved/a.txt"),
        FilePatch("src/b.txt", TEXT, TEXT, 0o644, 0o755),
        FilePatch("old.txt", b"old\n", None, 0o644, None),
        FilePatch("new.txt", None, b"new\n", None, 0o644),
    )
    after = state(root)
    kinds = ["rename", "change", "mode", "delete", "create"]
    assert [hunk.kind for hunk in journal.standing(step.id).hunks] == kinds
    for kind in kinds:
        (hunk,) = (each for each in journal.standing(step.id).hunks if each.kind == kind)
        undo(journal, now=NOW, step=step.id, hunks=[hunk])
        assert kind not in [each.kind for each in journal.standing(step.id).hunks]
    assert state(root) == before
    assert journal.history()[0].state == "undone"
    for kind in kinds:
        (hunk,) = (each for each in again(journal).taken_back(step.id).hunks if each.kind == kind)
        redo(journal, now=NOW, step=step.id, hunks=[hunk])
    assert state(root) == after
    assert journal.history()[0].state == "done"


def test_an_older_step_is_taken_back_alone_and_later_ones_stay(journal, root):
    one = apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    apply(journal, edit(root, "a.txt", (b"line 20\n", b"twenty\n")))
    undo(journal, now=NOW, step=one.id)
    assert (root / "a.txt").read_bytes() == TEXT.replace(b"line 20\n", b"twenty\n")
    undo(journal, now=NOW)
    assert (root / "a.txt").read_bytes() == TEXT
    assert [each.state for each in journal.history()] == ["undone", "undone"]
    redo(journal, now=NOW)
    assert (root / "a.txt").read_bytes() == TEXT.replace(b"line 20\n", b"twenty\n")
    redo(journal, now=NOW)
    assert (root / "a.txt").read_bytes() == TEXT.replace(b"line 20\n", b"twenty\n").replace(b"line 3\n", b"three\n")


def test_what_was_done_last_in_one_file_is_found_and_taken_back_alone(journal, root):
    one = apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    two = apply(
        journal, edit(root, "a.txt", (b"line 20\n", b"twenty\n")), edit(root, "src/b.txt", (b"line 3\n", b"drei\n"))
    )
    apply(journal, edit(root, "src/b.txt", (b"line 30\n", b"dreissig\n")))
    number, part = journal.about("undo", ["a.txt"])
    assert (number, part.paths) == (two.id, ("a.txt",))
    undo(journal, now=NOW, step=number, hunks=part.hunks)
    assert b"line 20\n" in (root / "a.txt").read_bytes()
    assert b"drei\n" in (root / "src/b.txt").read_bytes()
    number, part = journal.about("undo", ["no.txt", "a.txt"])
    assert (number, part.hunks[0].new_text) == (one.id, "three\n")
    with pytest.raises(PatchError, match=r"Nothing in a\.txt can be undone"):
        journal.about("undo", ["a.txt"], two.id)
    number, part = journal.about("redo", ["a.txt"])
    redo(journal, now=NOW, step=number, hunks=part.hunks)
    assert b"twenty\n" in (root / "a.txt").read_bytes()
    with pytest.raises(PatchError, match=r"Nothing in c\.txt can be redone"):
        journal.about("redo", ["c.txt"])


def test_an_older_step_under_a_later_one_is_refused_with_the_lines(journal, root):
    one = apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    apply(journal, edit(root, "a.txt", (b"three\n", b"drei\n")))
    before = state(root)
    seen = journal.preview("undo", step=one.id)
    (conflict,) = seen.conflicts
    assert (conflict.path, conflict.step, [(each.start, each.end) for each in conflict.lines]) == ("a.txt", 1, [(4, 4)])
    with pytest.raises(Stale, match="very lines"):
        undo(journal, now=NOW, step=one.id)
    assert state(root) == before


def test_undo_goes_back_one_by_one_and_redo_comes_back_in_order(journal, root):
    states = [state(root)]
    for index in range(4):
        apply(journal, edit(root, "a.txt", (b"line %d\n" % (index * 9), b"x%d\n" % index)))
        states.append(state(root))
    for at in (3, 2, 1):
        undo(again(journal), now=NOW)
        assert state(root) == states[at]
    for at in (2, 3, 4):
        redo(again(journal), now=NOW)
        assert state(root) == states[at]
    undo(journal, now=NOW)
    undo(journal, now=NOW)
    redo(journal, now=NOW)
    undo(journal, now=NOW)
    assert state(root) == states[2]
    apply(journal, edit(root, "src/b.txt", (b"line 1\n", b"y\n")))
    assert [each.state for each in journal.history()] == ["done", "done", "dropped", "dropped", "done"]
    with pytest.raises(PatchError, match="nothing to redo"):
        redo(journal, now=NOW)
    redo(journal, now=NOW, step=4)  # named, it can still be had
    assert b"x3" in (root / "a.txt").read_bytes()


def test_a_write_that_fails_does_not_cost_the_redo(journal, root):
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    undo(journal, now=NOW)
    with pytest.raises(Stale):
        apply(journal, FilePatch("a.txt", b"other", b"x", 0o644, 0o644))
    assert len(journal.history()) == 1
    redo(journal, now=NOW)
    assert b"three" in (root / "a.txt").read_bytes()


def test_a_turn_and_a_session_are_taken_back_in_one_go(journal, root):
    before = state(root)
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")), session="one", turn=1)
    apply(journal, edit(root, "src/b.txt", (b"line 3\n", b"other\n")), session="two", turn=1)
    apply(
        journal,
        edit(root, "a.txt", (b"three\n", b"drei\n")),
        FilePatch("n", None, b"n", None, 0o644),
        session="one",
        turn=2,
    )
    apply(journal, edit(root, "n", (b"n", b"m")), session="one", turn=2)
    after = state(root)
    seen = journal.preview("undo", session="one", turn=2)
    assert [step.id for step in seen.steps] == [4, 3]
    journal.carry_out(seen, now=NOW)
    assert not (root / "n").exists()
    assert b"three" in (root / "a.txt").read_bytes()
    redo(journal, session="one", now=NOW)
    assert state(root) == after
    seen = journal.preview("undo", session="one")
    assert sorted(seen.patch.paths) == ["a.txt", "n"]
    assert state(root) == after
    journal.carry_out(seen, now=NOW)
    assert state(root) == {**before, "src/b.txt": after["src/b.txt"]}
    assert [step.state for step in journal.history()] == ["undone", "done", "undone", "undone"]
    redo(again(journal), session="one", now=NOW)
    assert state(root) == after
    with pytest.raises(PatchError, match="nothing to undo"):
        undo(journal, session="three", now=NOW)


def test_what_was_typed_since_stays_and_the_result_is_shown_first(journal, root):
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    typed = (root / "a.txt").read_bytes().replace(b"line 30\n", b"typed\n")
    (root / "a.txt").write_bytes(typed)
    seen = journal.preview("undo")
    assert seen.merged == ("a.txt",)
    assert seen.patch.files[0].before == typed
    assert seen.patch.files[0].after == TEXT.replace(b"line 30\n", b"typed\n")
    assert (root / "a.txt").read_bytes() == typed
    (root / "a.txt").write_bytes(typed + b"more\n")
    with pytest.raises(Stale):
        journal.carry_out(seen, now=NOW)
    journal.carry_out(journal.preview("undo"), now=NOW)
    assert (root / "a.txt").read_bytes() == TEXT.replace(b"line 30\n", b"typed\n") + b"more\n"


def test_a_preview_is_not_carried_out_when_the_steps_have_moved_on(journal, root):
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    seen = journal.preview("undo")
    undo(again(journal), now=NOW)
    redo(again(journal), now=NOW)
    with pytest.raises(Stale, match="Look again"):
        journal.carry_out(seen, now=NOW)


def test_what_the_user_took_back_by_hand_counts_as_taken_back(journal, root):
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")), FilePatch("n", None, b"n", None, 0o644))
    (root / "a.txt").write_bytes(TEXT)
    (root / "n").unlink()
    assert not journal.preview("undo").patch
    undo(journal, now=NOW)
    assert journal.history()[0].state == "undone"


def git(root, *words):
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
    return subprocess.run([*git, *words], cwd=root, check=True, capture_output=True).stdout


SINCE = {
    "nothing": (lambda root: None, "exact"),
    "edited elsewhere": (
        lambda root: (root / "a.txt").write_bytes((root / "a.txt").read_bytes() + b"mine\n"),
        "merged",
    ),
    "edited there": (lambda root: (root / "a.txt").write_bytes(b"all mine\n"), "refused"),
    "one more final newline": (
        lambda root: (root / "src/b.txt").write_bytes(TEXT.replace(b"line 3\n", b"b3\n")[:-1]),
        "merged",
    ),
    "turned to CRLF": (
        lambda root: (root / "a.txt").write_bytes((root / "a.txt").read_bytes().replace(b"\n", b"\r\n")),
        "refused",
    ),
    "deleted": (lambda root: (root / "src/b.txt").unlink(), "refused"),
    "folder deleted": (lambda root: subprocess.run(["rm", "-r", root / "src"], check=True), "refused"),
    "made executable": (lambda root: (root / "a.txt").chmod(0o755), "mode"),
    "new file edited": (lambda root: (root / "made/new.txt").write_bytes(b"mine\n"), "refused"),
    "new file moved": (lambda root: (root / "made/new.txt").rename(root / "made/else.txt"), "kept"),
    "file in the new folder": (lambda root: (root / "made/other.txt").write_bytes(b"mine\n"), "kept"),
    "gone file is back": (lambda root: (root / "gone.txt").write_bytes(b"mine\n"), "refused"),
    "gone file is back as it was": (lambda root: (root / "gone.txt").write_bytes(b"gone\n"), "exact"),
    "replaced by a link": (
        lambda root: ((root / "a.txt").rename(root / "real.txt"), (root / "a.txt").symlink_to("real.txt")),
        "refused",
    ),
    "folder is a link": (
        lambda root: ((root / "src").rename(root / "real"), (root / "src").symlink_to("real")),
        "refused",
    ),
    "a folder stands there": (lambda root: ((root / "a.txt").unlink(), (root / "a.txt").mkdir()), "refused"),
    "read-only": (lambda root: (root / "a.txt").chmod(0o444), "refused"),
    "staged": (lambda root: git(root, "add", "-A"), "exact"),
    "committed": (lambda root: (git(root, "add", "-A"), git(root, "commit", "-qm", "x")), "exact"),
    "stashed": (lambda root: git(root, "stash", "-qu"), "refused or nothing"),
}


@pytest.mark.parametrize("before", ["clean", "dirty", "staged", "untracked", "no git"])
@pytest.mark.parametrize("since", SINCE)
def test_undo_gives_the_exact_bytes_back_or_refuses_and_leaves_the_index(journal, root, before, since):
    (root / "gone.txt").write_bytes(b"gone\n")
    (root / "a.txt").chmod(0o755 if since != "made executable" else 0o644)
    if before != "no git":
        git(root, "init", "-q")
        if before != "untracked":
            git(root, "add", "-A")
        git(root, "commit", "-qm", "first", "--allow-empty")
    elif since in {"staged", "committed", "stashed"}:
        pytest.skip("needs git")
    if before in {"dirty", "staged"}:
        (root / "a.txt").write_bytes(TEXT.replace(b"line 15\n", b"dirty\n"))
        (root / "untracked").write_bytes(b"u\n")
    if before == "staged":
        git(root, "add", "a.txt")
        (root / "a.txt").write_bytes((root / "a.txt").read_bytes().replace(b"line 25\n", b"dirtier\n"))
    was = state_of_work(root)
    apply(
        journal,
        edit(root, "a.txt", (b"line 3\n", b"a3\n")),
        edit(root, "src/b.txt", (b"line 3\n", b"b3\n")),
        FilePatch("gone.txt", b"gone\n", None, 0o644, None),
        FilePatch("made/new.txt", None, b"new\n", None, 0o644),
    )
    do, expected = SINCE[since]
    do(root)
    now, index = state_of_work(root), index_of(root)
    try:
        undo(again(journal), now=NOW)
    except PatchError:
        assert expected.startswith("refused")
        assert state_of_work(root) == now
    else:
        found = state_of_work(root)
        if expected == "exact":
            assert found == was
        elif expected == "merged":
            path = "a.txt" if since == "edited elsewhere" else "src/b.txt"
            assert found[path][0] == (was[path][0] + b"mine\n" if path == "a.txt" else TEXT[:-1])
            assert {**found, path: None} == {**was, path: None}
        elif expected == "mode":
            assert found == {**was, "a.txt": (was["a.txt"][0], now["a.txt"][1])}
        elif expected == "kept":
            mine = {path: now[path] for path in ("made", "made/else.txt", "made/other.txt") if path in now}
            assert found == {**was, **mine}
        else:
            assert expected == "refused or nothing"
    assert index_of(root) == index


def state_of_work(root):
    return {path: each for path, each in state(root).items() if path.partition("/")[0] != ".git"}


def index_of(root):
    place = root / ".git" / "index"
    return place.read_bytes() if place.exists() else None


def test_undo_after_a_checkout_or_in_another_worktree_never_mixes_branches(journal, root, tmp_path):
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    git(root, "branch", "other")
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    git(root, "commit", "-qam", "ours")
    git(root, "checkout", "-q", "other")
    before = state_of_work(root)
    undo(journal, now=NOW)  # it is not there: nothing to write
    assert state_of_work(root) == before
    redo(journal, now=NOW)
    assert (root / "a.txt").read_bytes() == TEXT.replace(b"line 3\n", b"three\n")
    git(root, "checkout", "-q", "-f", "main")
    git(root, "worktree", "add", "-q", str(tmp_path / "tree"), "other")
    elsewhere = Journal(tmp_path / "journal2", tmp_path / "tree")
    with pytest.raises(PatchError, match="nothing to undo"):
        undo(elsewhere, now=NOW)
    undo(journal, now=NOW)
    assert (root / "a.txt").read_bytes() == TEXT


def test_the_order_is_that_of_the_work_not_of_the_clock(journal, root):
    for index, shift in enumerate([0, -86_400, 10 * 365 * 86_400, -1, 0]):
        patch = Patch((edit(root, "a.txt", (b"line %d\n" % (index * 8), b"x%d\n" % index)),))
        journal.apply(patch, label=str(index), now=NOW + timedelta(seconds=shift))
    assert [step.label for step in journal.history()] == ["0", "1", "2", "3", "4"]
    undone = [undo(journal, now=NOW - timedelta(days=9 * index)).label for index in range(5)]
    redone = [redo(journal, now=NOW).label for _ in range(5)]
    assert (undone, redone) == (["4", "3", "2", "1", "0"], ["0", "1", "2", "3", "4"])


# What the journal's own files may go through.


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-20]),
        lambda path: path.write_bytes(b"\0" * 100),
        lambda path: path.write_bytes(b"[1, 2]"),
        lambda path: path.write_bytes(b"{}"),
        lambda path: path.write_bytes(b"[" * 100_000),
        lambda path: path.write_bytes(path.read_bytes().replace(b'"state":"done"', b'"state":"odd"')),
        lambda path: path.write_bytes(path.read_bytes().replace(b'"files":[', b'"files":[7,')),
        lambda path: path.write_bytes(path.read_bytes().replace(b"2026", b"\xff\xfe")),
    ],
)
def test_a_damaged_step_is_set_aside_and_said_and_the_others_work(journal, root, spoil):
    before = state(root)
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    apply(journal, edit(root, "src/b.txt", (b"line 3\n", b"b\n")))
    spoil(journal.folder / "000002.json")
    spoiled = (journal.folder / "000002.json").read_bytes()
    fresh = again(journal)
    assert [step.id for step in fresh.history()] == [1]
    fresh.recover()
    (note,) = fresh.notes()
    assert "000002.json" in note
    assert "Nothing was deleted" in note
    assert fresh.notes() == ()
    assert (journal.folder / "aside" / "000002.json").read_bytes() == spoiled
    assert undo(fresh, now=NOW).id == 1
    assert (root / "a.txt").read_bytes() == before["a.txt"][0]
    assert apply(fresh, edit(root, "a.txt", (b"line 9\n", b"x\n"))).id == 3


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_step_whose_bytes_are_damaged_is_never_used(journal, root, how):
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    apply(journal, edit(root, "src/b.txt", (b"line 3\n", b"b\n")))
    after = state(root)
    for place in (journal.folder / "bytes").iterdir():
        if b"\nb\n" in place.read_bytes():
            place.unlink() if how == "gone" else place.write_bytes(b"evil")
    with pytest.raises(PatchError, match="Step 2 cannot be read"):
        undo(journal, now=NOW, step=2)
    assert state(root) == after
    assert undo(journal, now=NOW).id == 1
    assert any("Step 2" in note for note in journal.notes())
    assert (root / "src" / "b.txt").read_bytes() == after["src/b.txt"][0]


def test_a_newer_wattsons_steps_are_left_to_it_and_unknown_keys_are_kept(journal, root):
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    place = journal.folder / "000001.json"
    place.write_bytes(json.dumps({**json.loads(place.read_bytes()), "mood": ["good"]}).encode())
    newer = b'{"version":99,"id":7,"odd":true}'
    (journal.folder / "000007.json").write_bytes(newer)
    fresh = again(journal)
    assert fresh.recover() == []
    assert undo(fresh, now=NOW).id == 1
    assert redo(fresh, now=NOW).id == 1
    assert apply(fresh, edit(root, "a.txt", (b"line 9\n", b"x\n"))).id == 8
    assert (journal.folder / "000007.json").read_bytes() == newer
    assert json.loads(place.read_bytes())["mood"] == ["good"]
    with pytest.raises(PatchError, match="newer"):
        undo(fresh, now=NOW, step=7)


def test_an_interrupted_newer_wattson_stops_writing_and_nothing_is_lost(journal, root):
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    (journal.folder / "going.json").write_bytes(b'{"version":99}')
    with pytest.raises(StateError, match="newer"):
        undo(journal, now=NOW)
    assert (journal.folder / "going.json").exists()


def test_a_damaged_deed_is_set_aside_and_said(journal, root):
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    (journal.folder / "going.json").write_bytes(b'{"version":1,"patch":[{"path":"a.txt"}')
    fresh = again(journal)
    fresh.recover()
    assert "look at your files" in fresh.notes()[0]
    assert undo(fresh, now=NOW).id == 1


def test_steps_of_the_first_format_are_read(journal, root):
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    place = journal.folder / "000001.json"
    record = json.loads(place.read_bytes())
    old = {key: record[key] for key in ("id", "at", "label", "turn", "model", "state")}
    keys = ("path", "new_path", "before", "after", "mode_before", "mode_after")
    old["files"] = [{key: each[key] for key in keys} for each in record["files"]]
    place.write_bytes(json.dumps(old).encode())
    fresh = again(journal)
    assert undo(fresh, now=NOW).id == 1
    assert redo(fresh, now=NOW).id == 1
    assert fresh.history()[0].state == "done"


def test_the_journal_is_capped_and_says_what_it_forgot(root, tmp_path):
    journal = Journal(tmp_path / "journal", root, most_steps=5)
    for index in range(8):
        apply(journal, edit(root, "a.txt", (b"line %d\n" % index, b"x%d\n" % index)))
    assert [step.id for step in journal.history()] == [4, 5, 6, 7, 8]
    assert any("can no longer be undone" in note for note in journal.notes())
    named = {
        each[key]
        for path in journal.folder.glob("0*.json")
        for each in json.loads(path.read_bytes())["files"]
        for key in ("before", "after")
    }
    assert {path.name for path in (journal.folder / "bytes").iterdir()} == named
    for _ in range(5):
        undo(journal, now=NOW)
    with pytest.raises(PatchError):
        undo(journal, now=NOW)


def test_a_cap_of_bytes_keeps_the_newest(root, tmp_path):
    journal = Journal(tmp_path / "journal", root, most_bytes=300_000)
    for index in range(6):
        apply(journal, FilePatch(f"n{index}", None, os.urandom(100_000), None, 0o644))
    assert [step.id for step in journal.history()] == [5, 6] or [step.id for step in journal.history()] == [4, 5, 6]
    assert sum(path.stat().st_size for path in (journal.folder / "bytes").iterdir()) <= 300_000
    undo(journal, now=NOW)
    assert not (root / "n5").exists()


def test_nobody_else_can_read_the_journal(journal, root):
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    for path in journal.folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_home_that_cannot_be_written_is_said_before_anything_is_changed(root, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    journal = Journal(tmp_path / "file" / "journal", root)
    before = state(root)
    with pytest.raises(StateError):
        apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    assert state(root) == before


def test_a_file_system_without_locks_keeps_a_journal_too(journal, root, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    step = apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    assert undo(journal, now=NOW).id == step.id
    assert (root / "a.txt").read_bytes() == TEXT


@pytest.mark.parametrize("word", ["journal save", "journal name"])
@pytest.mark.parametrize("what", ["bytes", "going.json", "000002.json"])
def test_a_journal_that_takes_no_more_refuses_the_write_whole(journal, root, word, what):
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))
    before, kept = state(root), state(journal.folder)

    def probe(step):
        if step.startswith(word) and (step.endswith(what) or (what == "bytes" and ".json" not in step)):
            raise OSError(28, "No space left on device")

    full = again(journal, probe=probe)
    patch = Patch((edit(root, "a.txt", (b"line 9\n", b"x\n")),))
    if what == "000002.json":  # the tree has it by then; the step is in the deed and follows at the next start
        full.apply(patch, label="y", now=NOW)
        assert "completed at the next start" in full.notes()[0]
        assert journal.recover() == []
        assert undo(journal, now=NOW).label == "y"
    else:
        with pytest.raises(StateError, match="nothing was changed"):
            full.apply(patch, label="y", now=NOW)
        assert journal.recover() == []
        assert len(journal.history()) == 1
    assert state(root) == before
    assert set(kept) <= set(state(journal.folder))
    assert not list(journal.folder.rglob("*.new"))


def test_what_was_typed_after_a_crash_is_left_and_said(journal, root):
    def probe(step):
        if step == "swap src/b.txt":
            raise SystemExit  # as dead as a process can be in a test: nothing is put back

    patch = Patch((edit(root, "a.txt", (b"line 3\n", b"a3\n")), edit(root, "src/b.txt", (b"line 3\n", b"b3\n"))))
    with pytest.raises(SystemExit):
        again(journal, probe=probe).apply(patch, label="x", now=NOW)
    assert b"a3" in (root / "a.txt").read_bytes()
    (root / "src" / "b.txt").write_bytes(b"typed after the crash\n")
    assert journal.recover() == ["a.txt"]
    assert (root / "a.txt").read_bytes() == TEXT
    assert (root / "src" / "b.txt").read_bytes() == b"typed after the crash\n"
    assert "src/b.txt" in journal.notes()[0]
    assert not [path for path in root.rglob("*") if path.name.endswith(".wattson")]


def test_a_crash_that_cannot_be_put_back_stops_further_writing_until_it_can(journal, root):
    def probe(step):
        if step == "swap src/b.txt":
            raise SystemExit

    patch = Patch((edit(root, "a.txt", (b"line 3\n", b"a3\n")), edit(root, "src/b.txt", (b"line 3\n", b"b3\n"))))
    with pytest.raises(SystemExit):
        again(journal, probe=probe).apply(patch, label="x", now=NOW)
    (root / "src").rename(root / "real")
    (root / "src").symlink_to("real")
    with pytest.raises(Unwritable, match="could not be put back"):
        apply(journal, FilePatch("new", None, b"x", None, 0o644))
    assert not (root / "new").exists()
    (root / "src").unlink()
    (root / "real").rename(root / "src")
    assert journal.recover() == ["a.txt"]
    assert (root / "a.txt").read_bytes() == TEXT


# Several at once.

HAMMER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from assistant.edits import disk
from assistant.edits.journal import Journal
from assistant.edits.patch import FilePatch, Patch
from assistant.errors import Stale
root, me = Path(sys.argv[1]), sys.argv[3]
journal = Journal(Path(sys.argv[2]), root, patience=100)
now = datetime(2026, 1, 1, tzinfo=UTC)
written = 0
for turn in range(int(sys.argv[4])):
    own = disk.read(root, f"own{me}")
    files = [FilePatch(f"own{me}", own and own[0], b"%d" % turn, own and own[1], 0o644)]
    shared = [disk.read(root, f"shared{index}") for index in range(3)]
    files += [
        FilePatch(f"shared{index}", each[0], f"{me} {turn}".encode(), each[1], each[1]) for index, each in enumerate(shared)
    ]
    try:
        journal.apply(Patch(tuple(files)), label=f"{me} {turn}", now=now)
        written += 1
    except Stale:
        journal.apply(Patch(tuple(files[:1])), label=f"{me} {turn} alone", now=now)
print(written)
"""


def test_eight_processes_lose_no_step_and_never_interleave(tmp_path):
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as place:
        root = Path(place) / "root"
        root.mkdir()
        for index in range(3):
            (root / f"shared{index}").write_bytes(b"start")
        argv = [sys.executable, "-c", HAMMER, str(root), f"{place}/journal"]
        children = [
            subprocess.Popen([*argv, str(me), "8"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) for me in range(8)
        ]
        ends = [child.communicate() for child in children]
        assert [child.returncode for child in children] == [0] * 8, ends
        journal = Journal(Path(place) / "journal", root)
        steps = journal.history()
        assert [step.id for step in steps] == list(range(1, 8 * 8 + 1))
        assert len({step.label.removesuffix(" alone") for step in steps}) == 8 * 8
        both = [step for step in steps if len(step.files) == 4]
        assert len(both) == sum(int(out) for out, _ in ends) > 0
        assert {(root / f"shared{index}").read_bytes() for index in range(3)} == {both[-1].label.encode()}
        for _ in steps:
            undo(journal, now=NOW)
        assert {path.name: path.read_bytes() for path in root.iterdir()} == {
            f"shared{index}": b"start" for index in range(3)
        }
        assert not list(journal.folder.rglob("*.new"))


def test_a_journal_that_stays_taken_is_an_answer_after_a_while(journal, root):
    taken, free = threading.Event(), threading.Event()

    def hold():
        with again(journal)._archive.alone():
            taken.set()
            free.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(30)
    try:
        with pytest.raises(StateError, match="Another Wattson"):
            apply(again(journal, patience=0.1), edit(root, "a.txt", (b"line 3\n", b"three\n")))
    finally:
        free.set()
        thread.join()
    apply(journal, edit(root, "a.txt", (b"line 3\n", b"three\n")))


@pytest.mark.parametrize(
    ("what", "seed", "count"), [("apply", 1, 50), ("apply", 2, 50), ("undo", 3, 50), ("undo", 4, 50)]
)
def test_killed_at_two_hundred_points_the_tree_is_before_or_after(tmp_path, what, seed, count):
    """Each point is a fork that stops itself with SIGKILL; see `killed.py`. In memory where there is such a place."""
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as place:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("killed.py")), f"{place}/at", what, str(seed), str(count)],
            capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
