"""Commits of what was taken and nothing else, in real repositories."""

import os
import subprocess
import threading
import time

import pytest

from assistant.context.commit import Change, commit, subjects
from assistant.context.repo import Repo
from assistant.edits.merge import merge
from assistant.errors import CommitFailed, RepoError

TEXT = b"".join(b"line %d\n" % index for index in range(30))


def swap(data, *numbers, word=b"new"):
    for number in numbers:
        data = data.replace(b"line %d\n" % number, b"%s %d\n" % (word, number))
    return data


@pytest.fixture(autouse=True)
def identity(monkeypatch, tmp_path):
    for name in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{name}_NAME", "T")
        monkeypatch.setenv(f"{name}_EMAIL", "t@example.invalid")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(root, *words, feed=None):
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, input=feed).stdout.decode()


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "src").mkdir(parents=True)
    git(root, "init", "-q", "-b", "main")
    for path in ("a.txt", "b.txt", "src/c.txt", "run.sh"):
        (root / path).write_bytes(TEXT)
    (root / "run.sh").chmod(0o755)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first\n\nbody")
    return root


def take(root, path, after, **more):
    """Write a file as an applied patch would have; returns its change."""
    place = root / path
    before = place.read_bytes() if place.exists() else None
    if after is None:
        place.unlink()
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(after)
    return Change(path, before, after, **more)


def go(root, *changes, message="say why", **more):
    return commit(Repo.open(root), changes, message, merge=merge, **more)


def shown(root, path, at="HEAD"):
    return subprocess.run(["git", "show", f"{at}:{path}"], cwd=root, check=True, capture_output=True).stdout


def status(root):
    return git(root, "status", "--porcelain").splitlines()


def test_the_patch_and_nothing_else_is_committed(root):
    (root / "b.txt").write_bytes(b"dirty\n")
    (root / "untracked").write_bytes(b"u\n")
    run = take(root, "new/run", b"#!\n", executable=True)
    (root / "new" / "run").chmod(0o755)
    made = go(
        root,
        take(root, "a.txt", swap(TEXT, 3)),
        take(root, "src/c.txt", None),
        take(root, "new/d.txt", b"d\n"),
        run,
        message="Say why\n\n# not a comment\n",
    )
    assert git(root, "log", "-1", "--format=%H %B").strip() == f"{made.id} Say why\n\n# not a comment"
    assert set(made.paths) == {"a.txt", "src/c.txt", "new/d.txt", "new/run"}
    assert git(root, "show", "--name-status", "--format=", "HEAD").split() == [
        "M", "a.txt", "A", "new/d.txt", "A", "new/run", "D", "src/c.txt",
    ]  # fmt: skip
    assert git(root, "ls-tree", "HEAD", "new/run", "run.sh").count("100755") == 2
    assert status(root) == [" M b.txt", "?? untracked"]
    assert (root / "b.txt").read_bytes() == b"dirty\n"
    assert made.notes == ()
    assert subjects(Repo.open(root)) == ("Say why", "first")


def test_of_a_dirty_file_only_the_hunks_go_in(root):
    dirty = swap(TEXT, 20, word=b"dirty")
    (root / "a.txt").write_bytes(dirty)
    change = take(root, "a.txt", swap(dirty, 3))
    (root / "a.txt").write_bytes(swap((root / "a.txt").read_bytes(), 27, word=b"later"))
    go(root, change)
    assert shown(root, "a.txt") == swap(TEXT, 3)
    assert (root / "a.txt").read_bytes() == swap(swap(swap(TEXT, 3), 20, word=b"dirty"), 27, word=b"later")
    assert status(root) == [" M a.txt"]


def test_what_was_dirty_in_the_same_lines_cannot_be_told_apart_and_is_refused(root):
    dirty = swap(TEXT, 3, word=b"dirty")
    (root / "a.txt").write_bytes(dirty)
    change = take(root, "a.txt", dirty.replace(b"dirty 3", b"dirtier 3"))
    before = git(root, "rev-parse", "HEAD")
    with pytest.raises(RepoError, match=r"a\.txt has other changes"):
        go(root, change)
    assert git(root, "rev-parse", "HEAD") == before


def test_what_the_user_staged_stays_staged(root):
    (root / "b.txt").write_bytes(b"staged\n")
    (root / "fresh").write_bytes(b"fresh\n")
    git(root, "add", "b.txt", "fresh")
    git(root, "rm", "-q", "src/c.txt")
    (root / "b.txt").write_bytes(b"staged and more\n")
    staged = git(root, "diff", "--cached")
    go(root, take(root, "a.txt", swap(TEXT, 3)))
    assert git(root, "diff", "--cached") == staged
    assert git(root, "show", "--name-only", "--format=", "HEAD").split() == ["a.txt"]
    assert status(root) == ["MM b.txt", "A  fresh", "D  src/c.txt"]


def test_what_the_user_staged_of_the_same_file_stays_staged_on_top(root):
    (root / "a.txt").write_bytes(swap(TEXT, 20, word=b"staged"))
    git(root, "add", "a.txt")
    made = go(root, take(root, "a.txt", swap((root / "a.txt").read_bytes(), 3)))
    assert shown(root, "a.txt") == swap(TEXT, 3)
    assert shown(root, "a.txt", "") == swap(swap(TEXT, 3), 20, word=b"staged")
    assert status(root) == ["M  a.txt"]
    assert made.notes == ()


def test_a_patch_that_was_staged_is_simply_committed(root):
    change = take(root, "a.txt", swap(TEXT, 3))
    new = take(root, "n", b"n\n")
    git(root, "add", "-A")
    go(root, change, new)
    assert status(root) == []


def test_staged_lines_that_clash_are_left_and_said(root):
    (root / "a.txt").write_bytes(swap(TEXT, 3, word=b"staged"))
    git(root, "add", "a.txt")
    (root / "a.txt").write_bytes(TEXT)
    made = go(root, take(root, "a.txt", swap(TEXT, 3)))
    assert shown(root, "a.txt", "") == swap(TEXT, 3, word=b"staged")
    assert "a.txt" in made.notes[0]


def test_a_file_that_git_does_not_know_is_refused_and_an_ignored_one_left_out(root):
    (root / "loose").write_bytes(b"x\n")
    with pytest.raises(RepoError, match="loose is not tracked"):
        go(root, take(root, "loose", b"y\n"))
    (root / ".git" / "info" / "exclude").write_text("secret*\n")
    made = go(root, take(root, "secret.env", b"KEY=1\n"), take(root, "a.txt", swap(TEXT, 3)))
    assert made.paths == ("a.txt",)
    assert "secret.env is ignored" in made.notes[0]
    with pytest.raises(RepoError, match="nothing to commit"):
        go(root, take(root, "secret2", b"x"))


def test_a_rename_keeps_the_mode_and_both_sides_go_in(root):
    (root / "run.sh").rename(root / "bin.sh")
    (root / "bin.sh").write_bytes(swap(TEXT, 3))
    go(root, Change("run.sh", TEXT, swap(TEXT, 3), new_path="bin.sh"))
    assert git(root, "ls-tree", "HEAD").count("100755") == 1
    assert git(root, "show", "--name-status", "-M", "--format=", "HEAD").split()[1:] == ["run.sh", "bin.sh"]
    assert status(root) == []


def test_a_patch_that_is_no_longer_on_disk_is_not_committed(root):
    change = take(root, "a.txt", swap(TEXT, 3))
    (root / "a.txt").write_bytes(TEXT.replace(b"line 3\n", b"mine\n"))
    with pytest.raises(RepoError, match="no longer"):
        go(root, change)
    (root / "a.txt").unlink()
    (root / "a.txt").symlink_to("b.txt")
    with pytest.raises(RepoError, match="no longer"):
        go(root, change)


def test_nothing_to_say_and_nothing_to_commit_are_refused(root, tmp_path):
    with pytest.raises(RepoError, match="message"):
        go(root, message=" \n")
    with pytest.raises(RepoError, match="nothing to commit"):
        go(root)
    with pytest.raises(RepoError, match="nothing to commit"):
        go(root, Change("a.txt", TEXT, TEXT))
    (tmp_path / "plain").mkdir()
    with pytest.raises(RepoError, match="not a git repository"):
        go(tmp_path / "plain")
    assert subjects(Repo.open(tmp_path / "plain")) == ()


def hook(root, name, body):
    place = root / ".git" / "hooks" / name
    place.parent.mkdir(exist_ok=True)
    place.write_text("#!/bin/sh\n" + body)
    place.chmod(0o755)


def test_hooks_run_see_only_the_patch_and_are_heard(root, monkeypatch):
    (root / "b.txt").write_bytes(b"staged\n")
    git(root, "add", "b.txt")
    hook(
        root,
        "pre-commit",
        "echo looked at $(git diff --cached --name-only)\necho key=$SECRET_KEY\ngit ls-files '*.txt' | wc -l\n",
    )
    hook(root, "commit-msg", 'echo "Checked: yes" >> "$1"\n')
    hook(root, "post-commit", "echo after >&2\n")
    monkeypatch.setenv("SECRET_KEY", "canary")
    made = go(root, take(root, "a.txt", swap(TEXT, 3)), hide=["SECRET_KEY"])
    assert "looked at a.txt\n" in made.output
    assert "key=\n3" in made.output
    assert made.output.endswith("after")
    assert git(root, "log", "-1", "--format=%B").strip() == "say why\nChecked: yes"
    assert status(root) == ["M  b.txt"]


@pytest.mark.parametrize("name", ["pre-commit", "commit-msg", "prepare-commit-msg"])
def test_a_hook_that_refuses_loses_nothing(root, name):
    hook(root, name, "echo 'line one'; echo 'bad: tabs' >&2; exit 1\n")
    (root / "b.txt").write_bytes(b"staged\n")
    git(root, "add", "b.txt")
    change = take(root, "a.txt", swap(TEXT, 3))
    before = (git(root, "rev-parse", "HEAD"), (root / ".git" / "index").read_bytes(), (root / "a.txt").read_bytes())
    with pytest.raises(CommitFailed, match="bad: tabs") as error:
        go(root, change)
    assert "line one" in error.value.output
    assert (
        git(root, "rev-parse", "HEAD"),
        (root / ".git" / "index").read_bytes(),
        (root / "a.txt").read_bytes(),
    ) == before
    assert not list((root / ".git").glob("*.lock"))
    (root / ".git" / "hooks" / name).unlink()
    go(root, change)
    assert status(root) == ["M  b.txt"]


def test_what_a_hook_adds_goes_in_and_the_index_follows(root):
    hook(root, "pre-commit", "sed -i s/new/NEW/ a.txt && git add a.txt && echo x > made && git add made\n")
    made = go(root, take(root, "a.txt", swap(TEXT, 3)))
    assert set(made.paths) == {"a.txt", "made"}
    assert shown(root, "a.txt") == swap(TEXT, 3, word=b"NEW")
    assert status(root) == []


def test_the_repositorys_own_config_runs_nothing_but_hooks(root, tmp_path):
    mark = tmp_path / "mark"
    for key in (
        "core.fsmonitor",
        "diff.external",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "alias.commit",
        "interactive.diffFilter",
    ):
        git(root, "config", key, f"touch {mark}; true")
    change = take(root, "a.txt", swap(TEXT, 3))
    go(root, change)
    assert not mark.exists()
    assert subjects(Repo.open(root))[0] == "say why"
    assert not mark.exists()


def test_git_filters_and_line_ends_are_obeyed(root):
    (root / ".gitattributes").write_text("*.crlf text eol=crlf\n*.up filter=up\n")
    git(root, "config", "filter.up.clean", "tr a-z A-Z")
    git(root, "config", "filter.up.smudge", "tr A-Z a-z")
    (root / "x.crlf").write_bytes(TEXT.replace(b"\n", b"\r\n"))
    (root / "x.up").write_bytes(TEXT)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "filters")
    (root / "x.crlf").write_bytes(swap(TEXT, 20, word=b"dirty").replace(b"\n", b"\r\n"))
    now = (root / "x.crlf").read_bytes()
    go(root, take(root, "x.crlf", now.replace(b"line 3\r", b"new 3\r")), take(root, "x.up", swap(TEXT, 3)))
    assert shown(root, "x.crlf") == swap(TEXT, 3)
    assert shown(root, "x.up") == swap(TEXT, 3).upper()
    assert status(root) == [" M x.crlf"]


def test_before_the_first_commit(tmp_path):
    root = tmp_path / "fresh"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "staged").write_bytes(b"s\n")
    git(root, "add", "staged")
    assert subjects(Repo.open(root)) == ()
    made = go(root, take(root, "a/b.txt", b"x\n"))
    assert made.paths == ("a/b.txt",)
    assert git(root, "ls-tree", "-r", "--name-only", "HEAD").split() == ["a/b.txt"]
    assert status(root) == ["A  staged"]


def test_a_repository_of_sha_256(tmp_path):
    root = tmp_path / "long"
    root.mkdir()
    git(root, "init", "-q", "-b", "main", "--object-format=sha256")
    go(root, take(root, "a.txt", TEXT))
    go(root, take(root, "a.txt", None), take(root, "b.txt", TEXT))
    assert git(root, "ls-tree", "--name-only", "HEAD").split() == ["b.txt"]
    assert status(root) == []


def test_on_a_detached_head_and_in_a_linked_worktree(root, tmp_path):
    git(root, "checkout", "-q", "--detach")
    made = go(root, take(root, "a.txt", swap(TEXT, 3)))
    assert git(root, "rev-parse", "HEAD").strip() == made.id
    assert git(root, "rev-parse", "main").strip() != made.id
    git(root, "worktree", "add", "-q", "-b", "side", str(tmp_path / "tree"), "main")
    tree = tmp_path / "tree"
    (tree / "b.txt").write_bytes(b"staged\n")
    git(tree, "add", "b.txt")
    there = go(tree, take(tree, "a.txt", swap(TEXT, 5)))
    assert git(root, "rev-parse", "side").strip() == there.id
    assert status(tree) == ["M  b.txt"]
    assert status(root) == []


def test_a_held_index_is_waited_for_and_then_named(root):
    lock = root / ".git" / "index.lock"
    lock.write_bytes(b"")
    change = take(root, "a.txt", swap(TEXT, 3))
    with pytest.raises(RepoError, match=r"index\.lock"):
        go(root, change, wait=0.1)
    assert git(root, "log", "-1", "--format=%s").strip() == "first"
    assert lock.exists()
    timer = threading.Timer(0.3, lock.unlink)
    timer.start()
    go(root, change, wait=30)
    timer.join()
    assert status(root) == []


def test_an_index_held_only_at_the_end_is_waited_for_too(root):
    lock = root / ".git" / "index.lock"
    hook(root, "post-commit", f"touch {lock}\n")

    def free():
        while not lock.exists():
            time.sleep(0.01)
        time.sleep(0.2)
        lock.unlink()

    thread = threading.Thread(target=free)
    thread.start()
    made = go(root, take(root, "a.txt", swap(TEXT, 3)), wait=30)
    thread.join()
    assert made.notes == ()
    assert status(root) == []


@pytest.mark.parametrize("what", ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"])
def test_nothing_is_mixed_into_a_merge_or_a_rebase(root, what):
    change = take(root, "a.txt", swap(TEXT, 3))
    if what.startswith("rebase"):
        (root / ".git" / what).mkdir()
    else:
        (root / ".git" / what).write_text(git(root, "rev-parse", "HEAD"))
    with pytest.raises(RepoError, match="under way"):
        go(root, change)
    assert git(root, "rev-list", "--count", "HEAD").strip() == "1"


@pytest.mark.parametrize("path", ["-rf", "--output=x", "a b", "ä.txt", "*", ":(top)x", "q'\"q", "caf\udce9"])
def test_odd_names_are_names(root, path):
    go(root, take(root, path, b"x\n"), message="--amend")
    names = subprocess.run(["git", "ls-tree", "-z", "--name-only", "HEAD"], cwd=root, capture_output=True).stdout.split(
        b"\0"
    )
    assert os.fsencode(path) in names
    assert status(root) == []
    assert git(root, "rev-list", "--count", "HEAD").strip() == "2"


def test_links_and_submodules_are_left_to_git(root):
    git(root, "update-index", "--add", "--cacheinfo", f"160000,{git(root, 'rev-parse', 'HEAD').strip()},sub")
    git(root, "commit", "-qm", "sub")
    with pytest.raises(RepoError, match="not a regular file in git"):
        go(root, Change("sub", b"x", None))
