"""The repository as facts, and as an enemy: sections A8 to A18 of the reliability facts that concern git and the tree."""

import os
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest

from assistant.context import diffs, gate, ignore
from assistant.context.out import NOTHING, Out
from assistant.context.repo import Repo
from assistant.errors import RepoError

GIT = ["git", "-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false", "-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main"]  # fmt: skip


def git(root, *words):
    return subprocess.run([*GIT, *words], cwd=root, check=True, capture_output=True).stdout


@pytest.fixture
def root(tmp_path):
    """A repository with one commit of two files."""
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "-q")
    (root / "a.py").write_text("x = 1\n")
    (root / "sub").mkdir()
    (root / "sub" / "b.py").write_text("y = 1\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first words")
    return root


def paths(root):
    return [file.path for file in Repo.open(root).files()]


def dirty(repo):
    return [file.path for file in repo.files() if file.dirty]


def everything(repo):
    """Call whatever reads the repository."""
    repo.files(), diffs.uncommitted(repo, NOTHING), repo.history(), repo.revision("HEAD")
    if repo.revision("HEAD"):
        diffs.of_commit(repo, "HEAD", NOTHING)


def test_files_are_listed_with_the_blob_of_their_bytes_now(root):
    (root / "a.py").write_text("x = 2\n")
    (root / "new.py").write_text("z = 1\n")
    (root / ".gitignore").write_text("out/\n")
    (root / "out").mkdir()
    (root / "out" / "x").write_text("")
    found = {file.path: file for file in Repo.open(root / "sub").files()}
    assert sorted(found) == [".gitignore", "a.py", "new.py", "sub/b.py"]
    assert {path for path, file in found.items() if file.dirty} == {".gitignore", "a.py", "new.py"}
    for path, file in found.items():
        assert file.blob == git(root, "hash-object", path).decode().strip()
        assert file.size == (root / path).stat().st_size


HOSTILE = {
    "core.fsmonitor": "{}", "core.hooksPath": "evil", "core.pager": "{}", "core.editor": "{}", "core.sshCommand": "{}", "core.askPass": "{}",
    "core.alternateRefsCommand": "{}", "diff.external": "{}", "diff.evil.textconv": "{}", "diff.evil.command": "{}", "filter.evil.clean": "{}",
    "filter.evil.smudge": "{}", "filter.evil.process": "{}", "filter.odd name=x.clean": "{}", "filter.evil.required": "true", "alias.ls-files": "!{}",
    "alias.diff": "!{}", "gpg.program": "{}", "log.showSignature": "true", "credential.helper": "!{}", "interactive.diffFilter": "{}", "pager.log": "{}",
    "pager.diff": "{}", "merge.evil.driver": "{}", "uploadpack.packObjectsHook": "{}", "sequence.editor": "{}", "diff.algorithm": "patience",
}  # fmt: skip


def test_no_program_that_the_repositorys_own_config_names_is_run(root, tmp_path):  # A8
    mark = tmp_path / "MARK"
    evil = root / "evil"
    evil.mkdir()
    program = evil / "run"
    program.write_text(f"#!/bin/sh\necho $0 $@ >> {mark}\ncat\n")
    program.chmod(0o755)
    for hook in ("pre-commit", "post-index-change", "fsmonitor-watchman", "reference-transaction", "post-checkout"):
        (evil / hook).write_text(program.read_text())
        (evil / hook).chmod(0o755)
        (root / ".git" / "hooks" / hook).write_text(program.read_text())
        (root / ".git" / "hooks" / hook).chmod(0o755)
    for name, value in HOSTILE.items():
        git(root, "config", name, value.format(program))
    (root / ".gitattributes").write_text('*.py filter=evil diff=evil merge=evil\n*.txt filter="odd name=x"\n')
    (root / "a.py").write_text("x = 3\n")
    (root / "c.txt").write_text("text\n")
    os.utime(root / "sub" / "b.py", (1, 1))
    everything(Repo.open(root))
    assert not mark.exists(), mark.read_text()
    # The trap is a real one: git itself, asked plainly, runs it.
    subprocess.run(["git", "status"], cwd=root, capture_output=True)
    assert mark.exists()


def test_a_bare_repository_that_lies_inside_is_not_entered(root, tmp_path):  # A8
    mark = tmp_path / "MARK"
    bare = root / "sub" / "x"
    git(root, "init", "-q", "--bare", str(bare))
    (bare / "config").write_text(
        f'[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = "."\n\tfsmonitor = "touch {mark};"\n'
    )
    repo = Repo.open(bare)
    assert repo.root == root.resolve()
    everything(repo)
    assert not mark.exists()


ODD = [
    "$(touch MARK)",
    "-rf",
    "--output=x",
    ";touch MARK",
    "a\nb.py",
    'quo"te.py',
    "sp ace.py",
    "*.py",
    ":(top)x",
    "back\\slash",
    "tab\tx",
    "ünï.py",
]


def test_names_with_signs_are_names(root):  # A10
    git(root, "branch", "$(touch${IFS}MARK)")
    git(root, "checkout", "-q", "$(touch${IFS}MARK)")
    for name in ODD:
        (root / name).write_text(f"{name}\n")
    assert set(ODD) <= set(paths(root))
    git(root, "add", "--", *[f":(literal){name}" for name in ODD])
    git(root, "commit", "-qm", "odd")
    for name in ODD:
        (root / name).write_text("other\n")
    repo = Repo.open(root)
    assert set(dirty(repo)) == set(ODD)
    assert set(repo.history()[0].paths) == set(ODD)
    assert "+other" in diffs.uncommitted(repo, NOTHING)
    assert not (root / "MARK").exists()
    assert not (root / "x").exists()


@pytest.mark.parametrize("name", ["--output=MARK", "-x", "HEAD --output=MARK", "a..b", "HEAD:a.py", ":/first", "@{u}", "", "HEAD\n", "$(touch MARK)", "HEAD^{/x}"])  # fmt: skip
def test_what_is_no_name_of_a_commit_is_refused(root, name):  # A11
    repo = Repo.open(root)
    assert repo.revision(name) is None
    with pytest.raises(RepoError):
        diffs.of_commit(repo, name, NOTHING)
    assert not (root / "MARK").exists()


@pytest.mark.parametrize("head", ["ref: ../../../../outside", "ref: /etc/passwd", "ref: refs/heads/../../../outside"])
def test_a_crafted_head_reads_nothing_outside(root, tmp_path, head):  # A12
    (tmp_path / "outside").write_text("0123456789012345678901234567890123456789\n")
    (root / ".git" / "HEAD").write_text(head)
    repo = Repo.open(root)
    try:
        seen = (diffs.uncommitted(repo, NOTHING), repo.files(), repo.revision("HEAD"))
    except RepoError as error:
        seen = (str(error),)
    assert "0123456789" not in repr(seen)
    assert "root:x:" not in repr(seen)


def test_a_git_that_lies_in_the_repository_is_not_run(root, tmp_path):  # A13
    mark = tmp_path / "MARK"
    fake = root / "git"
    fake.write_text(f"#!/bin/sh\ntouch {mark}\n")
    fake.chmod(0o755)
    code = f"from pathlib import Path; from assistant.context.repo import Repo; print(len(Repo.open(Path({str(root)!r})).files()))"
    for first in (".", str(root), ""):
        env = {**os.environ, "PATH": f"{first}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(Path.cwd())}
        done = subprocess.run([os.sys.executable, "-c", code], cwd=root, env=env, capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("3\n", "")
    assert not mark.exists()


def test_odd_trees_are_listed_and_nothing_blocks(root, tmp_path):  # A18
    os.mkfifo(root / "pipe")
    server = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(root)  # a socket's name is short
    try:
        server.bind("sock")
    finally:
        os.chdir(here)
        server.close()
    (root / "loop").symlink_to(".")
    (root / "sub" / "up").symlink_to("..")
    (root / "link.py").symlink_to("a.py")
    (root / "self").symlink_to("self")
    (root / "big.py").write_bytes(b"#" * 2_100_000)
    (root / "bomb.py").write_bytes(b"(" * 200_000)
    (root / "deep").mkdir()
    assert paths(root) == ["a.py", "bomb.py", "sub/b.py"]
    everything(Repo.open(root))
    subprocess.run(["rm", "-rf", str(root / ".git")], check=True)
    assert paths(root) == ["a.py", "bomb.py", "sub/b.py"]


def test_reading_follows_no_link_and_opens_nothing_that_blocks(root, tmp_path):
    (tmp_path / "outside.txt").write_text("outside")
    (root / "out.txt").symlink_to("../outside.txt")
    (root / "dir").symlink_to("..")
    os.mkfifo(root / "pipe")
    repo = Repo.open(root)
    assert repo.read("sub/b.py") == b"y = 1\n"
    for path in (
        "out.txt",
        "dir/outside.txt",
        "../outside.txt",
        "/etc/passwd",
        "pipe",
        "sub",
        "none.py",
        "sub/../../outside.txt",
        "a\0b",
    ):
        with pytest.raises(RepoError):
            repo.read(path)
    with pytest.raises(RepoError, match="larger"):
        repo.read("a.py", 2)


def test_a_repository_without_a_commit(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("x\n")
    git(tmp_path, "add", ".")
    (tmp_path / "b.py").write_text("y")
    repo = Repo.open(tmp_path)
    assert [file.path for file in repo.files()] == ["a.py", "b.py"]
    assert (repo.revision("HEAD"), repo.history()) == (None, [])
    assert "+++ b/a.py" in diffs.uncommitted(repo, NOTHING)
    assert diffs.uncommitted(repo, NOTHING).endswith("+++ b/b.py\n@@ -0,0 +1,1 @@\n+y\n\\ No newline at end of file\n")


@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_a_changed_file_has_the_id_under_which_git_will_know_it(tmp_path, form):
    git(tmp_path, "init", "-q", f"--object-format={form}")
    (tmp_path / "a.py").write_text("x = 1\n")
    git(tmp_path, "add", ".")
    (tmp_path / "a.py").write_text("x = 2\n")
    (tmp_path / "new.py").write_text("y = 2\n")
    ids = {file.path: file.blob for file in Repo.open(tmp_path).files()}
    git(tmp_path, "add", ".")
    assert {file.path: file.blob for file in Repo.open(tmp_path).files()} == ids


@pytest.mark.parametrize("form", [["--object-format=sha1"], ["--object-format=sha256"]])
@pytest.mark.parametrize("version", ["2", "4"])
def test_sizes_are_those_of_the_disk_however_the_index_is_written_and_whatever_git_looks_at(tmp_path, form, version):
    git(tmp_path, "init", "-q", *form)
    names = ["a.py", "b/ä.py", "b/c d.py", "empty.py", "gone.py", "kept.py", "large.py", "later.py", "still.py"]
    for at, name in enumerate(names):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * (0 if name == "empty.py" else 2_100_000 if name == "large.py" else at + 1))
    (tmp_path / "link.py").symlink_to("a.py")
    git(tmp_path, "add", ".")
    git(tmp_path, "update-index", "--index-version", version)
    git(tmp_path, "update-index", "--assume-unchanged", "gone.py", "still.py")
    (tmp_path / "gone.py").unlink()
    (tmp_path / "still.py").write_bytes(b"y" * 2_100_000)
    (tmp_path / "later.py").write_bytes(b"z" * 100)
    (tmp_path / "new.py").write_bytes(b"new")
    found = {file.path: file.size for file in Repo.open(tmp_path).files()}
    assert list(found) == ["a.py", "b/c d.py", "b/ä.py", "empty.py", "kept.py", "later.py", "new.py"]
    assert found == {name: (tmp_path / name).stat().st_size for name in found}


def test_detached_shallow_worktree_sparse_and_submodule(root, tmp_path):
    (root / "a.py").write_text("x = 2\n")
    git(root, "commit", "-qam", "second")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{root}", "shallow")
    assert [commit.subject for commit in Repo.open(tmp_path / "shallow").history()] == ["second"]
    assert paths(tmp_path / "shallow") == ["a.py", "sub/b.py"]
    git(root, "worktree", "add", "-q", "--detach", str(tmp_path / "tree"), "HEAD~1")
    tree = Repo.open(tmp_path / "tree")
    assert (tmp_path / "tree" / ".git").is_file()
    assert [file.path for file in tree.files()] == ["a.py", "sub/b.py"]
    git(tmp_path / "shallow", "sparse-checkout", "set", "--no-cone", "/a.py")
    assert paths(tmp_path / "shallow") == ["a.py"]
    assert dirty(Repo.open(tmp_path / "shallow")) == []
    git(root, "submodule", "add", "-q", str(tmp_path / "shallow"), "module")
    repo = Repo.open(root)
    assert [file.path for file in repo.files()] == [".gitmodules", "a.py", "sub/b.py"]
    assert Repo.open(root / "module").root == (root / "module").resolve()


def test_names_that_are_not_utf_8_come_back_as_they_are(root):
    name = os.fsdecode(b"caf\xe9.py")
    (root / name).write_text("x = 1\n")
    assert name in paths(root)
    git(root, "add", ".")
    git(root, "commit", "-qm", "bytes")
    (root / name).write_text("x = 2\n")
    repo = Repo.open(root)
    assert dirty(repo) == [name]
    assert repo.read(name) == b"x = 2\n"
    assert repo.history()[0].paths == (name,)
    assert f"b/{name}" in diffs.uncommitted(repo, NOTHING)


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\rb", "a\tb", "a\x01b", "ä.py"])
def test_a_new_file_stands_in_a_diff_under_the_name_that_git_gives_it(root, name):
    (root / name).write_text("x = 1\n")
    before = diffs.uncommitted(Repo.open(root), NOTHING).split("\n")
    git(root, "add", ".")
    after = diffs.uncommitted(Repo.open(root), NOTHING).split("\n")
    assert (before[0], before[3]) == (after[0], after[4])


def test_our_ignore_file_leaves_out_tracked_files_too(root):
    (root / ignore.IGNORE_FILE).write_text("sub/\n*.log\n!keep.log\n")
    (root / "x.log").write_text("")
    (root / "keep.log").write_text("")
    assert paths(root) == [ignore.IGNORE_FILE, "a.py", "keep.log"]
    assert "x.log" not in diffs.uncommitted(Repo.open(root), NOTHING)


def test_a_plain_folder_obeys_its_gitignore_files_and_its_hidden_places_stay_shut(tmp_path):
    for path in (
        "a.py",
        "out/x.py",
        "sub/keep.py",
        "sub/drop.py",
        "sub/deep/drop.py",
        ".cache/x",
        ".github/ci.yml",
        "node_modules/x.js",
        "sub/out/y.py",
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    (tmp_path / ".gitignore").write_text("# words\n/out\ndrop.py\n[\n")
    (tmp_path / "sub" / ".gitignore").write_text("!deep/drop.py\n")
    repo = Repo.open(tmp_path)
    assert not repo.is_git
    assert [file.path for file in repo.files()] == [".github/ci.yml", ".gitignore", "a.py", "sub/.gitignore", "sub/deep/drop.py", "sub/keep.py", "sub/out/y.py"]  # fmt: skip
    assert (diffs.uncommitted(repo, NOTHING), repo.history(), repo.revision("HEAD")) == ("", [], None)


@pytest.mark.parametrize("where", [".gitignore", ignore.IGNORE_FILE])
@pytest.mark.parametrize(
    "bomb",
    ["{a,b}" * 30, "a*" * 40 + "b", "**/" * 60 + "b", "*" * 5_000, "[" * 5_000, "[a-" * 3_000, "x" * 1_000_000, ("*a" * 20 + "\n") * 3_000, "\\" * 999],
    ids=["braces", "stars", "double stars", "many stars", "brackets", "ranges", "a long line", "many lines", "backslashes"],
)  # fmt: skip
def test_a_bomb_in_an_ignore_file_does_not_go_off(tmp_path, where, bomb):  # A16
    (tmp_path / where).write_text(bomb + "\nreal.log\n")
    for number in range(20):
        (tmp_path / ("a" * 200 + str(number))).write_text("")
    (tmp_path / "b.py").write_text("")
    assert paths(tmp_path) is not None


def test_a_bomb_leaves_out_rather_more_than_less(tmp_path):
    (tmp_path / ignore.IGNORE_FILE).write_text("s*e*c*r*e*t.txt\n")
    (tmp_path / "secret.txt").write_text("")
    (tmp_path / "a.py").write_text("")
    assert "secret.txt" not in paths(tmp_path)
    assert "a.py" in paths(tmp_path)


LINES = [
    "[[[[", "**/" * 8 + "z", "**/" * 8 + "a.py", "[z-a].py", "a[", "a.p[y]", "[]a].py", "[^a].py", "[!b].py", "[[:alpha:]].py", "[[:none:]].py", "[a\\]].py",
    "src/\n!src/a.py", "src/*\n!src/a.py", "\ufeffa.py", "a.py ", "a.py\\ ", "a.py\r", "a.py\t", "\\#h.py", "#h.py", "\\!n.py", "a.py\\", "a.py\x0bz", "a.py\u2028z",
    "/a.py", "src/**", "**/src", "src/**/c.py", "**/b/**", "*", "*/", "/*.py", "?.py", "é.py", "??.py", "*\n!*.py", "!a.py\na.py", "*a*a*a*b", "b*/c.py", "src/b/", "***/c.py",
    "*.py\n!src/\n!a.py", "a.py\n!/a.py\nsrc\n!src/b/", "src/b?c.py", "src[/]a.py", "//a.py", "/", "!", "**", "x**y/a.py",
]  # fmt: skip


@pytest.mark.parametrize("lines", LINES)
def test_the_lines_of_our_ignore_file_mean_what_git_says_they_mean(root, lines):
    names = ["a.py", "z.py", "é.py", "#h.py", "!n.py", "a.py ", "src/a.py", "src/b/a.py", "src/b/c.py", "lib/src/a.py", "x/b/y/z.md", "src/b[c.py", "a[", "x1y/a.py"]  # fmt: skip
    (root / ".wattsonignore").write_text(lines + "\n", encoding="utf-8", newline="")
    (root / "rules").write_text(lines + "\n", encoding="utf-8", newline="")
    asked = ["git", "-c", f"core.excludesFile={root / 'rules'}", "check-ignore", "--no-index", "-z", "--stdin"]
    done = subprocess.run(asked, input=b"\0".join(os.fsencode(f"./{name}") for name in names), cwd=root, capture_output=True)  # fmt: skip
    named = {os.fsdecode(name)[2:] for name in done.stdout.split(b"\0") if name}
    left_out = ignore.ignored(root)
    assert {name for name in names if left_out(name)} == named


@pytest.mark.parametrize(
    "bomb",
    ["*a" * 60_000, "**/a/" * 50_000 + "b", "[a-z]" * 50_000, "[" * 250_000, "\\" * 250_000, "x" * 250_000]
    + ["\n".join(f"{line}{number}" for number in range(2_000)) for line in ("*a*b*c*d", "**/a/**/b/**/c", "[a-z]*[!x]*")],
)  # fmt: skip
def test_a_bomb_of_lines_is_matched_in_a_moment(tmp_path, bomb):  # A16
    (tmp_path / ".wattsonignore").write_text(bomb)
    start = time.monotonic()
    left_out = ignore.ignored(tmp_path)
    assert not any(map(left_out, ["a" * 255, "a/" * 50 + "b.py", "ab" * 100, "src/a/b/a/b.py"]))
    assert time.monotonic() - start < 5


def test_an_ignore_file_that_takes_for_ever_leaves_out_what_was_not_looked_at_and_says_so(root, monkeypatch):
    (root / ".wattsonignore").write_text("*.log\n")
    monkeypatch.setattr("assistant.context.listing._MATCHING_S", -1.0)
    repo = Repo.open(root)
    assert repo.files() == ()
    assert repo.late


def test_history_pairs_commits_with_what_changed_together(root):
    (root / "a.py").write_text("x = 2\n")
    (root / "c d.py").write_text("\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "second: both")
    git(root, "commit", "-q", "--allow-empty", "-m", "nothing")
    found = Repo.open(root).history()
    assert [(commit.subject, commit.paths) for commit in found] == [
        ("nothing", ()), ("second: both", ("a.py", "c d.py")), ("first words", ("a.py", "sub/b.py")),
    ]  # fmt: skip
    assert found[1].id == git(root, "rev-parse", "HEAD~1").decode().strip()
    assert [commit.subject for commit in Repo.open(root).history(1)] == ["nothing"]


def test_a_commit_is_shown_with_its_words_and_lines_and_by_many_names(root):
    (root / "a.py").write_text("x = 2\n")
    git(root, "commit", "-qam", "second\n\nbody")
    repo = Repo.open(root)
    full = git(root, "rev-parse", "HEAD").decode().strip()
    for name in ("HEAD", full, full[:8], "main", "@", "main@{0}"):
        assert repo.revision(name) == full
    text = diffs.of_commit(repo, full[:7], NOTHING)
    assert text.startswith(f"commit {full}\n\nsecond\n\nbody\n")
    assert "-x = 1\n+x = 2\n" in text


def test_a_secret_of_the_past_is_masked_too(root):  # D2
    value = "q7Zr2Lm9Xc4V"
    (root / "a.py").write_text(f"password = '{value}'\n")
    (root / ".env").write_text("PLAIN=tell-no-one\n")
    git(root, "add", "-f", ".")
    git(root, "commit", "-qm", "oops")
    (root / "a.py").write_text("x = 1\n")
    (root / ".env").unlink()
    git(root, "commit", "-qam", "mended")
    repo = Repo.open(root)
    for text in (diffs.of_commit(repo, "HEAD", NOTHING), diffs.of_commit(repo, "HEAD~1", NOTHING)):
        assert value in text
        masked, found = gate.mask_diff(text)
        assert value not in masked
        assert "tell-no-one" not in masked
        assert {each.kind for each in found} == {"secret", "secret file"}
    old = git(root, "show", "HEAD~1:a.py").decode()
    assert value not in gate.mask(old, "a.py")[0]


def test_a_very_long_diff_is_cut_at_a_line(root):
    (root / "a.py").write_text("line of words\n" * 200_000)
    text = diffs.uncommitted(Repo.open(root), NOTHING)
    assert len(text) < 1_000_100
    assert text.rsplit("\n", 2)[-2].startswith("[cut: ")
    assert text.rsplit("\n", 3)[-3] == "+line of words"


def test_the_tree_is_as_it_was_after_all_that_reading(root):
    (root / "a.py").write_text("x = 2\n")
    before = sorted(
        (str(path), stat.S_IMODE(path.lstat().st_mode), path.lstat().st_mtime_ns) for path in root.rglob("*")
    )
    everything(Repo.open(root))
    assert before == sorted(
        (str(path), stat.S_IMODE(path.lstat().st_mode), path.lstat().st_mtime_ns) for path in root.rglob("*")
    )


def test_the_commit_that_is_checked_out_is_told_as_git_tells_it_loose_packed_detached_and_in_a_worktree(tmp_path):
    root = tmp_path / "r"
    root.mkdir()
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]

    def run(*words, here=root):
        return subprocess.run([*git, *words], cwd=here, check=True, capture_output=True, text=True).stdout.strip()

    run("init", "-q")
    assert Repo.open(root).head() == ""
    run("commit", "-qm", "one", "--allow-empty")
    first = run("rev-parse", "HEAD")
    assert Repo.open(root).head() == first
    run("pack-refs", "--all")
    assert Repo.open(root).head() == first
    run("checkout", "-q", "--detach")
    assert Repo.open(root).head() == first
    run("worktree", "add", "-q", "-b", "other", str(tmp_path / "w"))
    run("commit", "-qm", "two", "--allow-empty", here=tmp_path / "w")
    assert Repo.open(tmp_path / "w").head() == run("rev-parse", "other")
    assert Repo.open(tmp_path).head() == ""


def test_of_a_very_long_diff_the_short_changes_are_whole(root):
    (root / "a.lock").write_text("line of words\n" * 200_000)
    (root / "b.py").write_text("fresh = 1\n")
    git(root, "add", ".")
    text = diffs.uncommitted(Repo.open(root), NOTHING)
    assert len(text) < 1_000_100
    assert "+fresh = 1\n" in text


@pytest.mark.parametrize("place", [".gitignore", "sub/.gitignore"])
def test_a_pipe_in_the_place_of_an_ignore_file_is_not_waited_at(root, place):
    (root / "new.py").write_text("n = 1\n")
    (root / "a.py").write_text("changed = 1\n")
    os.mkfifo(root / place)
    repo = Repo.open(root)
    for by in (None, time.monotonic() + 60):
        assert [(file.path, file.dirty) for file in repo.files(by)] == [("a.py", True), ("sub/b.py", False)]
        assert (repo.blocked, repo.late) == (place, False)
    assert "changed = 1" in diffs.uncommitted(repo, NOTHING)
    assert diffs.uncommitted(Repo.open(root), NOTHING) == diffs.uncommitted(repo, NOTHING)
    (root / place).unlink()
    assert paths(root) == [file.path for file in repo.files()] == ["a.py", "new.py", "sub/b.py"]
    assert not repo.blocked


def test_a_pipe_in_the_place_of_our_ignore_file_or_in_a_plain_folder_counts_as_none(root):
    os.mkfifo(root / ".wattsonignore")
    assert paths(root) == ["a.py", "sub/b.py"]
    assert not ignore.ignored(root)("a.py")
    subprocess.run(["rm", "-rf", str(root / ".git")], check=True)
    os.mkfifo(root / ".gitignore")
    assert paths(root) == ["a.py", "sub/b.py"]


@pytest.mark.parametrize("is_git", [True, False])
def test_files_that_are_named_are_found_though_a_listing_ended_before_it_came_to_them(tmp_path, is_git):
    for path in ("a.py", "deep/new.py", "deep/gone.log", "out/far.py", "large.py", "own.txt"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("x = 1\n")
    (tmp_path / ".gitignore").write_text("*.log\n/out/\n")
    (tmp_path / "link.py").symlink_to("a.py")
    (tmp_path / "large.py").write_bytes(b"x" * 3_000_000)
    if is_git:
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
        subprocess.run(["git", "init", "-q", "sub"], cwd=tmp_path, check=True)
        (tmp_path / "sub/x.py").write_text("x = 1\n")
    repo = Repo.open(tmp_path)
    listed = repo.files(0.0)
    assert repo.late
    assert "deep/new.py" not in {fact.path for fact in listed}
    asked = ["deep/new.py", "deep/gone.log", "out/far.py", "large.py", "link.py", "none.py", "deep", "../a.py", "/etc/passwd", "x\0", "sub/x.py"]  # fmt: skip
    found = repo.named(asked)
    assert [fact.path for fact in found] == ["deep/new.py"]
    assert found[0] in repo.files()
    assert not repo.late


@pytest.mark.parametrize(
    "text", ["gitdir: ../.git/modules/x\n", "gitdir: /none/at\nall", "", "gitdir:", "junk", "gitdir: deep"]
)
def test_a_file_that_points_to_no_repository_makes_a_folder_outside_git(tmp_path, text):
    (tmp_path / ".git").write_text(text)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a.py").write_text("x = 1\n")
    repo = Repo.open(tmp_path / "deep")
    assert (repo.root, repo.is_git) == (tmp_path, False)
    assert [fact.path for fact in repo.files()] == ["deep/a.py"]
    assert repo.astray.startswith(".git points to ")
    assert "\n" not in repo.astray
    assert (diffs.uncommitted(repo, NOTHING), repo.head(), repo.revision("HEAD"), repo.history()) == ("", "", None, [])


def test_a_worktree_and_a_submodule_are_git_as_ever(root):
    git(root, "worktree", "add", "-q", "../tree")
    (root.parent / "own").mkdir()
    git(root.parent / "own", "init", "-q", "--separate-git-dir", "../elsewhere")
    for place in (root, root.parent / "tree", root.parent / "own"):
        repo = Repo.open(place)
        assert (repo.is_git, repo.astray) == (True, "")


def test_a_file_in_whose_place_there_is_a_folder_brings_nothing_of_that_into_a_diff(root):
    (root / "conf").write_text("old\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "one")
    (root / "conf").unlink()
    (root / "conf").mkdir()
    (root / "conf" / "secret.txt").write_text("HUSH\n")
    (root / "conf" / "open.txt").write_text("fine\n")
    git(root, "add", "-A")
    repo, out = Repo.open(root), Out(["conf/secret.txt"])
    for times in range(2):
        text = diffs.of_commit(repo, "HEAD", out) if times else diffs.uncommitted(repo, out)
        assert "+fine" in text
        assert "HUSH" not in text
        git(root, "commit", "-qm", "two", "--allow-empty") if not times else None
