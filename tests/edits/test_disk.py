"""Writing the user's files: nothing outside, nothing halved, nothing that was not asked for."""

import contextlib
import errno
import json
import os
import resource
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.edits import disk, mend
from assistant.edits.journal import Journal
from assistant.edits.patch import FilePatch, Patch
from assistant.errors import AssistantError, OutsideRoot, PatchError, Stale, StateError, Unwritable
from tests.edits.turning import back, undo

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "root"
    (root / "src").mkdir(parents=True)
    (root / "a.txt").write_bytes(b"one\ntwo\n")
    (root / "src" / "b.txt").write_bytes(b"two\n")
    return root


def state(root):
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() and not path.is_symlink() else None
        for path in root.rglob("*")
    }


def change(path, before, after, mode=0o644, **more):
    return FilePatch(path, before, after, None if before is None else mode, None if after is None else mode, **more)


GOOD = change("src/b.txt", b"two\n", b"2\n")


@pytest.mark.parametrize(
    "path",
    [
        "../x", "a/../../x", "..", "src/..", "/etc/passwd", "//x", "~/x", "~root/x", "file:///etc/passwd", "http://x/y",
        "C:/x", "c:x", "a\\b", "..\\x", "\\\\server\\x", "x\0y", "x\ny", "x\x1b[2J", "x\x85y", "x\u2028y", "x\u202ey.py",
        "x\ud800", ".git/config", ".git", ".GIT/hooks/pre-commit", ".Git/x", "sub/.git/x", "sub/.git", "git~1/x", "GIT~2/x",
        ".g\u200cit/config", ".gi\u2060t/x", "\ufeff.git/x", ".git./x", ".git /x", ".git. . /x", ".git::$INDEX_ALLOCATION/x",
        "\uff0egit/x", ".\uff47it/x", ".git:x/y", ".GIT :x", "git~1:x", "x::$DATA", "ab:/x", "file:x",
        "a//b", "a/", "./a", "a/./b", "", ".", " ", "... /x", "..\u200b/x",
    ],
)  # fmt: skip
def test_a_name_that_leads_out_or_into_git_is_refused(root, path):
    before = state(root)
    for file in (change(path, None, b"x"), change("a.txt", b"one\ntwo\n", b"", new_path=path)):
        if not path and file.before is not None:
            continue  # no new name is no rename
        with pytest.raises(OutsideRoot):
            disk.write(root, Patch((GOOD, file)))
    with pytest.raises(OutsideRoot):
        disk.read(root, path)
    assert state(root) == before


@pytest.mark.parametrize(
    "path", ["a b.txt", "ä/ö.txt", "日本.py", "-rf", "--output=x", ";touch x", "$(x)", "e\u0301.txt", "x" * 255, "a'b\"c", "*", "👩‍💻.md", "%2e%2e",
             ".gitignore", ".github/x.md", "git/x", "console.txt", "auxiliary.c", "foo:bar.py", "aux.c", "caf\udce9.txt", "..x", "x..", "[a](b)"]
)  # fmt: skip
def test_odd_names_are_names(root, path):
    disk.write(root, Patch((change(path, None, b"x"),)))
    assert disk.read(root, path) == (b"x", 0o644)
    assert path.split("/")[-1] in {each.name for each in (root / path).parent.iterdir()}


@pytest.mark.parametrize("name", ["x" * 256, "é" * 128, "/".join(["d" * 200] * 25)])
def test_a_name_that_is_too_long_is_refused_and_named(root, name):
    before = state(root)
    with pytest.raises(Unwritable) as error:
        disk.write(root, Patch((GOOD, change(name, None, b"x"))))
    assert error.value.path == name
    assert state(root) == before


@pytest.mark.parametrize("path", ["link/x", "link/sub/x", "file", "dangling", "inner/b.txt", "src/up/secret"])
def test_no_link_is_followed_wherever_it_leads(root, tmp_path, path):
    outside = tmp_path / "outside"
    (outside / "sub").mkdir(parents=True)
    (outside / "secret").write_bytes(b"secret")
    (root / "link").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    (root / "dangling").symlink_to(outside / "not-yet")
    (root / "inner").symlink_to(root / "src")
    (root / "src" / "up").symlink_to("../../outside")
    before = state(tmp_path)
    for file in (change(path, None, b"x"), change(path, b"secret", b"x"), change(path, b"secret", None)):
        with pytest.raises(OutsideRoot):
            disk.write(root, Patch((GOOD, file)))
    with pytest.raises(OutsideRoot):
        disk.write(root, Patch((change("a.txt", b"one\ntwo\n", b"x", new_path=path),)))
    assert state(tmp_path) == before


def test_the_root_itself_may_be_reached_through_a_link(root, tmp_path):
    (tmp_path / "way").symlink_to(root)
    disk.write(tmp_path / "way", Patch((GOOD,)))
    assert (root / "src" / "b.txt").read_bytes() == b"2\n"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_another_repository_below_the_root_is_left_alone(root, kind):
    (root / "lib" / "deep").mkdir(parents=True)
    if kind == "folder":
        (root / "lib" / ".git").mkdir()
    else:  # a submodule or a linked worktree
        (root / "lib" / ".git").write_text("gitdir: ../.git/modules/lib\n")
    for path in ("lib/x", "lib/deep/x"):
        with pytest.raises(OutsideRoot) as error:
            disk.write(root, Patch((change(path, None, b"x"),)))
        assert error.value.path == path


def test_a_worktrees_own_git_file_is_no_place_for_edits(root):
    (root / ".git").write_text("gitdir: /elsewhere\n")
    disk.write(root, Patch((GOOD,)))
    with pytest.raises(OutsideRoot):
        disk.read(root, ".git")


@pytest.mark.parametrize("mode", [0o120000, 0o160000, 0o104755, 0o444, 0o1777])
def test_modes_that_make_links_or_lend_rights_are_refused(root, mode):
    for file in (
        FilePatch("new", None, b"../outside", None, mode),
        FilePatch("a.txt", b"one\ntwo\n", b"x", 0o644, mode),
    ):
        with pytest.raises(Unwritable) as error:
            disk.write(root, Patch((GOOD, file)))
        assert error.value.path == file.path


def test_what_is_not_a_regular_file_is_not_opened(root):
    os.mkfifo(root / "pipe")
    listener = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(root)
    try:
        listener.bind("socket")
    finally:
        os.chdir(here)
        listener.close()
    for path in ("pipe", "socket", "src"):
        with pytest.raises(Unwritable, match=path):
            disk.read(root, path)


@pytest.mark.parametrize(
    "files",
    [
        [change("a.txt", b"one\ntwo\n", None), change("a.txt/x", None, b"x")],
        [change("new", None, b"x"), change("new/x", None, b"x")],
        [change("src/b.txt", b"two\n", None), change("src", None, b"x")],
        [change("a.txt", b"one\ntwo\n", b"x"), change("a.txt", b"one\ntwo\n", b"y")],
        [change("a.txt", b"one\ntwo\n", b"x", new_path="n"), change("src/b.txt", b"two\n", b"x", new_path="n")],
        [change("a.txt", b"one\ntwo\n", b"x", new_path="src/b.txt")],
        [change("a.txt", b"one\ntwo\n", b"one\ntwo\n", new_path="A.txt")],
        [change("src/b.txt", b"two\n", b"two\n", new_path="SRC/b.txt")],
        [change("a.txt/child", None, b"x")],
        [change("src", None, b"x")],
        [change("a.txt", None, b"x")],
        [change("src/c.txt", b"x", b"y")],
        [change("src/c.txt", b"x", None)],
        [change("a.txt", b"other\n", b"x")],
    ],
)
def test_files_in_each_others_way_are_refused_whole(root, files):
    before = state(root)
    with pytest.raises(PatchError) as error:
        disk.write(root, Patch((change("ok.txt", None, b"fine"), *files)))
    assert error.value.path
    assert error.value.path in error.value.message
    assert state(root) == before


def test_a_read_only_file_is_refused_and_named(root):
    (root / "a.txt").chmod(0o444)
    with pytest.raises(Unwritable, match=r"a\.txt is read-only"):
        disk.check(root, Patch((GOOD, change("a.txt", b"one\ntwo\n", b"x", 0o444))))
    assert (root / "src" / "b.txt").read_bytes() == b"two\n"


AS_NOBODY = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from assistant.edits import disk, mend
from assistant.edits.patch import FilePatch, Patch
from assistant.errors import PatchError
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
root = Path(sys.argv[1])
found = []
for path, before in (("shut/x.txt", b"x"), ("shut/new", None), ("shut/deep/new", None), ("hidden/x", None), ("secret.txt", b"")):
    file = FilePatch(path, before, b"y", 0o644 if before is not None else None, 0o644)
    try:
        disk.write(root, Patch((FilePatch("open.txt", b"o", b"p", 0o644, 0o644), file)))
        found.append("written")
    except PatchError as error:
        found.append([error.kind, error.path, (root / "open.txt").read_text()])
print(json.dumps(found))
"""


def test_folders_and_files_without_the_right_are_refused_whole_and_named():
    place = Path(tempfile.mkdtemp())
    try:
        (place / "shut").mkdir()
        (place / "hidden").mkdir()
        (place / "shut" / "x.txt").write_bytes(b"x")
        (place / "open.txt").write_bytes(b"o")
        (place / "secret.txt").write_bytes(b"")
        for path in (place, *place.rglob("*")):
            if os.getuid() == 0:
                os.chown(path, 65534, 65534)
        (place / "shut").chmod(0o555)
        (place / "hidden").chmod(0)
        (place / "secret.txt").chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(place), str(Path.cwd())], capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout) == [
            ["unwritable", path, "o"] for path in ("shut/x.txt", "shut/new", "shut/deep/new", "hidden/x", "secret.txt")
        ]
    finally:
        for path in ("shut", "hidden"):
            (place / path).chmod(0o755)
        shutil.rmtree(place)


def test_mode_owner_and_attributes_stay(root):
    path = root / "a.txt"
    path.chmod(0o751)
    if os.getuid() == 0:
        os.chown(path, 1234, 4321)
    marked = True
    try:
        os.setxattr(path, "user.mark", b"kept")
    except OSError:
        marked = False
    disk.write(root, Patch((change("a.txt", b"one\ntwo\n", b"x"),)))
    facts = path.stat()
    assert path.read_bytes() == b"x"
    assert stat.S_IMODE(facts.st_mode) == 0o751
    if os.getuid() == 0:
        assert (facts.st_uid, facts.st_gid) == (1234, 4321)
    if marked:
        assert os.getxattr(path, "user.mark") == b"kept"


def test_a_change_of_mode_is_made_and_one_that_came_between_is_seen(root):
    disk.write(root, Patch((FilePatch("a.txt", b"one\ntwo\n", b"one\ntwo\n", 0o644, 0o755),)))
    assert disk.read(root, "a.txt") == (b"one\ntwo\n", 0o755)
    with pytest.raises(Stale, match="mode"):
        disk.write(root, Patch((FilePatch("a.txt", b"one\ntwo\n", b"x", 0o644, 0o600),)))


def test_a_new_file_obeys_the_umask():
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom assistant.edits import disk\n"
        "from assistant.edits.patch import FilePatch, Patch\nos.umask(0o077)\nroot = Path(sys.argv[1])\n"
        "disk.write(root, Patch((FilePatch('d/x', None, b'x', None, 0o755),)))\n"
        "print(oct((root / 'd/x').stat().st_mode & 0o777), oct((root / 'd').stat().st_mode & 0o777))"
    )
    with tempfile.TemporaryDirectory() as place:
        done = subprocess.run([sys.executable, "-c", code, place], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0o700", "0o700"]


def test_other_names_of_a_file_keep_the_old_text_and_this_is_said(root, tmp_path):
    os.link(root / "a.txt", tmp_path / "outside.txt")
    patch = Patch((change("a.txt", b"one\ntwo\n", b"x"), change("Makefile", None, b"all:\n")))
    notes = disk.notes(root, patch)
    assert [note.split()[0] for note in notes] == ["a.txt"]
    assert "hard link" in notes[0]
    assert list(disk.risks(patch)) == ["Makefile"]
    disk.write(root, patch)
    assert (tmp_path / "outside.txt").read_bytes() == b"one\ntwo\n"
    assert disk.notes(root, Patch((GOOD,))) == ()


PATCH = Patch(
    (
        change("a.txt", b"one\ntwo\n", b"one\n2\n"),
        change("gone/deep/x.txt", b"gone\n", None),
        change("old.txt", b"old\n", b"new\n", new_path="moved/new.txt"),
        change("made/here.txt", None, b"made\n"),
        GOOD,
    )
)


@pytest.fixture
def full(root):
    (root / "gone" / "deep").mkdir(parents=True)
    (root / "gone" / "deep" / "x.txt").write_bytes(b"gone\n")
    (root / "old.txt").write_bytes(b"old\n")
    return root


def test_all_kinds_of_change_in_one_go_and_back(full):
    before = state(full)
    said = []
    disk.write(full, PATCH, probe=said.append)
    assert state(full) == {
        "a.txt": b"one\n2\n", "src": None, "src/b.txt": b"2\n", "made": None, "made/here.txt": b"made\n",
        "moved": None, "moved/new.txt": b"new\n",
    }  # fmt: skip
    disk.write(full, back(PATCH))
    assert state(full) == before
    assert len(said) > 20


def test_whichever_step_fails_everything_is_put_back(full):
    before, steps = state(full), []
    disk.write(full, PATCH, probe=steps.append)
    disk.write(full, back(PATCH))
    failing = [
        index for index, word in enumerate(steps) if word.split()[0] in {"write", "place", "keep", "swap", "take"}
    ]
    assert len(failing) > 10
    for error in (OSError(errno.EIO, "broken"), OSError(errno.ENOSPC, "full"), KeyboardInterrupt()):
        for at in failing:
            count = iter(range(1000))

            def probe(_, at=at, count=count, error=error):
                if next(count) == at:
                    raise error

            with pytest.raises((Unwritable, KeyboardInterrupt)) as caught:
                disk.write(full, PATCH, probe=probe)
            if not isinstance(error, KeyboardInterrupt):
                assert caught.value.path in PATCH.paths
                assert caught.value.path in caught.value.message
            assert state(full) == before


@pytest.mark.parametrize("how", ["in place", "by rename", "removed", "replaced by a link", "replaced by a folder"])
@pytest.mark.parametrize("word", ["write", "keep", "swap"])
def test_what_is_saved_while_the_patch_is_written_is_never_lost(full, word, how):
    place = full / "src" / "b.txt"

    def probe(step):
        if step != f"{word} src/b.txt":
            return
        if how == "in place":
            place.write_bytes(b"typed just now\n")
            return
        place.unlink()
        if how == "by rename":
            (full / "typed").write_bytes(b"typed just now\n")
            (full / "typed").rename(place)
        elif how == "replaced by a link":
            place.symlink_to("../a.txt")
        elif how == "replaced by a folder":
            place.mkdir()

    try:
        disk.write(full, PATCH, probe=probe)
    except PatchError:
        assert (full / "a.txt").read_bytes() == b"one\ntwo\n"
        assert (full / "gone" / "deep" / "x.txt").read_bytes() == b"gone\n"
        assert how == "removed" or place.is_symlink() or place.is_dir() or place.read_bytes() == b"typed just now\n"
    else:
        # Between the last look and the rename there is no way to see another program's rename; nothing else may pass.
        assert (word, how) in {("swap", "by rename"), ("swap", "removed"), ("swap", "replaced by a link")}
    assert not [path for path in full.rglob("*") if path.name.endswith(".wattson")]


def test_a_file_that_appears_where_one_is_to_be_made_is_kept(full):
    def probe(step):
        if step == "place made/here.txt":
            (full / "made" / "here.txt").write_bytes(b"mine\n")

    with pytest.raises(Stale):
        disk.write(full, PATCH, probe=probe)
    assert (full / "made" / "here.txt").read_bytes() == b"mine\n"
    assert (full / "a.txt").read_bytes() == b"one\ntwo\n"


def test_a_folder_swapped_for_a_link_at_any_step_leads_nowhere(full, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.txt").write_bytes(b"two\n")
    steps = []
    disk.write(full, PATCH, probe=steps.append)
    disk.write(full, back(PATCH))
    for at in range(len(steps)):
        count = iter(range(1000))

        def probe(_, at=at, count=count):
            if next(count) == at:
                (full / "src").rename(full / "aside")
                (full / "src").symlink_to(outside)

        try:
            disk.write(full, PATCH, probe=probe)
        except PatchError:
            done = False
        else:
            done = True
        (full / "src").unlink()
        (full / "aside").rename(full / "src")
        mend.sweep(full, PATCH.paths)
        assert state(outside) == {"b.txt": b"two\n"}
        if done:
            disk.write(full, back(PATCH))
        elif (full / "src" / "b.txt").read_bytes() != b"two\n":
            (full / "src" / "b.txt").write_bytes(b"two\n")
        assert (full / "a.txt").read_bytes() == b"one\ntwo\n"


SWAPS = """
import os, random, sys, time
root, outside = sys.argv[1:]
os.chdir(root)
print("ready", flush=True)
while True:
    os.symlink(outside, "link")
    os.rename("src", "away")
    os.rename("link", "src")
    time.sleep(random.uniform(0, 0.0004))
    os.unlink("src")
    os.rename("away", "src")
    time.sleep(random.uniform(0, 0.002))
"""


def test_another_program_that_keeps_swapping_a_folder_for_a_link_never_gets_a_byte_outside(root, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.txt").write_bytes(b"two\n")
    racer = subprocess.Popen([sys.executable, "-c", SWAPS, str(root), str(outside)], stdout=subprocess.PIPE)
    assert racer.stdout
    racer.stdout.readline()
    refused = written = 0
    try:
        for turn in range(3_000):
            try:
                found = disk.read(root, "src/b.txt")
                if found is not None:
                    disk.write(root, Patch((change("src/b.txt", found[0], b"%d\n" % turn),)))
                    written += 1
            except PatchError as error:
                refused += isinstance(error, OutsideRoot)
        swapping = racer.poll() is None
    finally:
        racer.kill()
        racer.wait()
        racer.stdout.close()
    assert swapping
    assert refused
    assert written
    assert state(outside) == {"b.txt": b"two\n"}


FULL_DISK = """
import json, resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from assistant.edits import disk, mend
from assistant.edits.patch import FilePatch, Patch
from assistant.errors import PatchError
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    disk.write(Path(sys.argv[1]), Patch((
        FilePatch("a.txt", b"one\\ntwo\\n", b"x", 0o644, 0o644), FilePatch("d/big", None, b"y" * 60_000, None, 0o644))))
except PatchError as error:
    print(json.dumps([error.kind, error.path, error.message]))
"""


def test_a_disk_that_takes_no_more_costs_nothing(root):
    before = state(root)
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(root), str(Path.cwd())], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)[:2] == ["unwritable", "d/big"]
    assert state(root) == before
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 50_000


@pytest.fixture
def small(tmp_path):
    """A file system of 256 KB; only root may make one."""
    place = tmp_path / "small"
    place.mkdir()
    made = (
        os.getuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True
        ).returncode
    )
    if not made:
        pytest.skip("a small file system can only be mounted by root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_file_system_is_left_as_it_was_and_works_again_with_room(small):
    root = small / "root"
    root.mkdir()
    (root / "a.txt").write_bytes(b"a" * 100_000)
    (root / "b.txt").write_bytes(b"b" * 50_000)
    before = state(root)
    patch = Patch(
        (
            change("b.txt", b"b" * 50_000, b"c" * 50_000),
            change("a.txt", b"a" * 100_000, b"d" * 100_000),
            change("n/n", None, b"x"),
        )
    )
    with pytest.raises(Unwritable, match="No space left"):
        disk.write(root, patch)
    assert state(root) == before
    subprocess.run(["mount", "-o", "remount,size=2m", str(small)], check=True)
    disk.write(root, patch)
    assert state(root)["n/n"] == b"x"
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    with pytest.raises(Unwritable, match=r"a\.txt"):
        disk.write(root, Patch((change("a.txt", b"d" * 100_000, b"e"),)))


def test_a_full_home_refuses_the_write_whole_and_works_again_with_room(small, full):
    journal = Journal(small / "journal", full)
    journal.apply(Patch((change("n", None, b"x"),)), label="x", now=NOW)
    with contextlib.suppress(OSError), (small / "filler").open("wb") as filler:
        while True:
            filler.write(b"y" * 4096)
            filler.flush()
    before, kept = state(full), state(small)
    with pytest.raises(StateError, match="No space left"):
        journal.apply(PATCH, label="y", now=NOW)
    assert state(full) == before
    assert {path: each for path, each in state(small).items() if path.endswith(".json")} == {
        path: each for path, each in kept.items() if path.endswith(".json")
    }
    (small / "filler").unlink()
    journal.apply(PATCH, label="y", now=NOW)
    undo(journal, now=NOW)
    assert state(full) == before
    assert len(journal.history()) == 2


@pytest.mark.parametrize(
    ("path", "is_risky"),
    [
        (".github/workflows/ci.yml", True), (".GitHub/Workflows/ci.yml", True), (".vscode/tasks.json", True), ("sub/.vscode/settings.json", True),
        ("Makefile", True), ("makefile", True), ("sub/Makefile", True), ("rules.mk", True), ("conftest.py", True), ("tests/conftest.py", True),
        ("setup.py", True), ("package.json", True), ("PACKAGE.JSON", True), (".envrc", True), (".claude/settings.json", True), (".cursor/mcp.json", True),
        (".cursorrules", True), (".wattson.toml", True), (".idea/workspace.xml", True), (".husky/pre-commit", True), (".pre-commit-config.yaml", True),
        ("x.pth", True), ("sitecustomize.py", True), (".bashrc", True), ("Dockerfile", True), ("build.rs", True), (".npmrc", True), (".mcp.json", True),
        (".gitattributes", True), (".gitmodules", True), (".gitlab-ci.yml", True), ("Jenkinsfile", True), (".devcontainer/devcontainer.json", True),
        (".vs\u200ccode/tasks.json", True), ("my.code-workspace", True), (".cargo/config.toml", True), ("gradle/wrapper/gradle-wrapper.properties", True),
        ("src/app.py", False), ("README.md", False), ("docs/Makefile.md", False), ("package.json.md", False), ("tests/test_conftest.py", False),
        ("src/setup.pyx", False), (".gitignore", False), (".github/README.md", False), ("vscode/x.json", False), ("pyproject.toml", False), ("mk", False),
    ],
)  # fmt: skip
def test_files_that_run_by_themselves_are_told_from_those_that_do_not(path, is_risky):
    assert bool(disk.risky(path)) is is_risky


def test_no_program_is_ever_started_to_write_a_patch():
    for name in ("disk", "folder", "journal", "archive", "mend", "replay", "merge", "patch"):
        source = (Path("assistant/edits") / f"{name}.py").read_text()
        assert "subprocess" not in source
        assert "os.system" not in source


def test_a_file_too_large_to_edit_is_refused(root):
    with (root / "big").open("wb") as file:
        file.truncate(50_000_001)
    with pytest.raises(Unwritable, match="too large"):
        disk.read(root, "big")


def test_a_root_that_is_gone_is_an_answer_not_a_crash(tmp_path):
    with pytest.raises(AssistantError, match="cannot be looked at"):
        disk.read(tmp_path / "nowhere", "x")
