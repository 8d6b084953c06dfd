"""Which file a path means: from where the user stands, in the package that the text names, under its old name."""

import subprocess

import pytest

from assistant.context.completion import Marks
from assistant.context.files import Files
from assistant.context.mention import nowhere, read
from assistant.context.out import NOTHING
from assistant.context.pack import pack
from assistant.context.repo import Repo

WORKSPACE = {
    "package.json": '{"name": "acme"}', "src/index.ts": "", "tsconfig.json": "",
    "packages/web/package.json": '{"name": "@acme/web"}', "packages/web/src/index.ts": "", "packages/web/src/app.ts": "",
    "packages/core/package.json": '{"name": "@acme/core"}', "packages/core/src/index.ts": "", "packages/core/src/app.ts": "",
    "go/a/go.mod": "module acme.io/a\n", "go/a/main.go": "", "go/b/go.mod": "module acme.io/b\n", "go/b/main.go": "",
    "go/b/sub/main.go": "", "crates/core/Cargo.toml": '[package]\nname = "acme-core"\n', "crates/core/src/lib.rs": "",
    "crates/web/Cargo.toml": '[package]\nname = "acme-web"\n', "crates/web/src/lib.rs": "",
    "c/one/pot.c": "", "c/two/pot.c": "",
}  # fmt: skip


LITTLE = {"out": NOTHING, "symbols": (), "away": lambda _: (), "late": False}


@pytest.fixture
def workspace(tmp_path):
    for path, text in WORKSPACE.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


def files(root, stand="", **more):
    return Files(WORKSPACE, str(root), stand=stand, **more)


def paths(found):
    return [each.path for each in found]


@pytest.mark.parametrize("mark", ["@src/index.ts", "@./src/index.ts", "src/index.ts(10,14): error TS2322", "@index.ts"])
def test_a_path_is_read_from_where_the_user_stands_first(workspace, mark):
    assert paths(read(mark, files(workspace, "packages/web/"))) == ["packages/web/src/index.ts"]
    assert paths(read(mark, files(workspace))) == ["src/index.ts"] * (mark != "@index.ts")


@pytest.mark.parametrize(
    ("mark", "path"),
    [
        ("@src/", "packages/web/src/"),
        ("@../core/src/app.ts", "packages/core/src/app.ts"),
        ("@src/app.ts", "packages/web/src/app.ts"),
        ("src/app.ts:3", "packages/web/src/app.ts"),
        ("@tsconfig.json", "tsconfig.json"),
        ("@packages/core/src/app.ts", "packages/core/src/app.ts"),
        ("@/src/index.ts", "src/index.ts"),
    ],
)
def test_what_is_not_there_is_read_from_the_root_and_by_its_end(workspace, mark, path):
    assert paths(read(mark, files(workspace, "packages/web/"))) == [path]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("# acme.io/b\n./main.go:12:3: undefined: x", "go/b/main.go"),
        ("# acme.io/a\n./main.go:12:3: undefined: x", "go/a/main.go"),
        ("# acme.io/a\n./x.go:1:1: y\n# acme.io/b/sub\n./main.go:12:3: undefined: x", "go/b/sub/main.go"),
        ("@acme/web:build: src/index.ts(10,14): error TS2322: x", "packages/web/src/index.ts"),
        ("@acme/core:build: x\n@acme/web:build: src/app.ts(10,14): error TS2322", "packages/web/src/app.ts"),
        ("packages/core build: src/app.ts(10,14): error TS2322", "packages/core/src/app.ts"),
        ("> @acme/core@1.2.0 build\n> tsc\n\nsrc/index.ts(10,14): error", "packages/core/src/index.ts"),
        ("> acme@1.2.0 build\n> tsc\n\nsrc/index.ts(10,14): error", "src/index.ts"),
        ("web:build: src/app.ts:10:14 - error", "packages/web/src/app.ts"),
        (" --> src/lib.rs:12:5\nerror: could not compile `acme-core` (lib) due to 1", "crates/core/src/lib.rs"),
        ("error: could not compile `acme-core`\n --> src/lib.rs:12:5\nerror: could not compile `acme-web`", "crates/web/src/lib.rs"),
        ("   Compiling acme-web v0.1.0\n --> src/lib.rs:12:5", "crates/web/src/lib.rs"),
        ("make[1]: Entering directory '/build/c/two'\npot.c:3:4: error: x", "c/two/pot.c"),
        ("src/app.ts fails in the core package", "packages/core/src/app.ts"),
        ("src/app.ts:3 fails in core", "packages/core/src/app.ts"),
        ("src/app.ts:3 of `web` fails", "packages/web/src/app.ts"),
        ("src/app.ts:3 fails, see packages/web", "packages/web/src/app.ts"),
    ],
)  # fmt: skip
def test_what_a_tool_says_beside_a_path_tells_the_package(workspace, text, path):
    known = files(workspace)
    assert path in paths(read(text, known))
    assert not known.vague


def test_a_path_without_a_mark_that_fits_several_files_is_told_like_a_marked_one(workspace):
    text = "src/app.ts:3:1 is wrong, so is pot.c, and @pot.c"
    known = files(workspace)
    assert nowhere(text, read(text, known), workspace, paths=known, **LITTLE) == [
        "@pot.c is one of 2 files: c/one/pot.c, c/two/pot.c",
        "src/app.ts is one of 2 files: packages/core/src/app.ts, packages/web/src/app.ts",
        "pot.c is one of 2 files: c/one/pot.c, c/two/pot.c",
    ]


@pytest.mark.parametrize("words", ["the core of the matter", "it dumps core", "a web of calls"])
def test_an_everyday_word_names_no_package(workspace, words):
    known = files(workspace)
    assert read(f"why does src/app.ts:3 fail, {words}", known) == []
    assert list(known.vague) == ["src/app.ts"]


def test_a_task_before_a_line_of_output_is_no_mark(workspace):
    text = "@acme/web:build: src/index.ts(10,14): error TS2322\n@acme/web:build: failed"
    known = files(workspace)
    assert nowhere(text, read(text, known), workspace, paths=known, **LITTLE) == []


def test_a_log_that_names_many_files_of_one_name_takes_no_longer_than_others(workspace):
    known = files(workspace)
    read("".join(f"src/app.ts:{at}:1 and acme.io and web and core\n" for at in range(4_000)), known)
    assert list(known.vague) == ["src/app.ts"]


def test_what_completes_a_mark_means_the_file_that_was_chosen(workspace):
    marks = Marks([*WORKSPACE], {}, lambda _, __: [], "packages/web/")
    assert {name for name, _ in marks.complete("index.ts")} >= {"/src/index.ts", "packages/web/src/index.ts"}


def test_what_completes_the_mark_of_a_folder_means_the_folder_that_was_chosen(workspace):
    marks, known = Marks([*WORKSPACE], {}, lambda _, __: [], "packages/web/"), files(workspace, "packages/web/")
    offered = [name for name, about in marks.complete("src") if about == "folder"]
    assert offered[0] == "/src/"
    assert paths(read(" ".join(f"@{name}" for name in offered), known)) == ["src/", *offered[1:]]
    assert paths(read("@/src", known)) == ["src/"]
    assert paths(read("@/src/ and @/packages/", files(workspace))) == ["src/", "packages/"]


MOVED = {"lib/reply.js": "lib/response.js", "lib/response.js": "src/response.ts", "gone.ts": "lost.ts", "old/app.ts": "packages/web/src/app.ts",
         "packages/web/src/main.ts": "packages/web/src/app.ts"}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("@old/app.ts", "packages/web/src/app.ts"),
        ("@old/app.ts:3", "packages/web/src/app.ts"),
        ("at run (/app/old/app.ts:3:12)", "packages/web/src/app.ts"),
        ('File "/srv/old/app.ts", line 3', "packages/web/src/app.ts"),
        ("src/main.ts:3:4 - error", "packages/web/src/app.ts"),
        ("@gone.ts", None),
        ("@never.ts and never.ts:3", None),
    ],
)
def test_a_renamed_file_is_found_by_the_name_that_it_had(workspace, text, path):
    known = files(workspace, moved=lambda: MOVED)
    assert paths(read(text, known)) == [path] * bool(path)
    assert list(known.old.values()) == [path] * bool(path)


def test_only_a_name_that_no_file_has_makes_anybody_look_for_renames(workspace):
    known = files(workspace, moved=lambda: pytest.fail("nobody should ask"))
    read("@src/index.ts, src/app.ts:3, this.reply.send() and e.g. v1.2 of it", known)


class Counting(dict):
    """Renames that count how often somebody goes through all of them, or asks for one."""

    walks = asked = 0

    def __iter__(self):
        self.walks += 1
        return super().__iter__()

    def __contains__(self, name):
        self.asked += 1
        return super().__contains__(name)


def test_a_log_that_names_many_unknown_files_goes_through_the_renames_once(workspace):
    moved = Counting({**MOVED, **{f"old{n}/lib/app.ts": "packages/web/src/app.ts" for n in range(50)}})
    known = files(workspace, moved=lambda: moved)
    read("".join(f"lib{n}/app{n % 9}.ts:12: warning\n" for n in range(300)), known)
    read("lib1/lost.ts:1: again\n" * 300, known)
    assert moved.walks == 1
    assert moved.asked < 1_000
    read("old/app.ts:3: and old7/lib/app.ts:4: and lib/app.ts:5:", known)
    assert known.old == dict.fromkeys(["old/app.ts", "old7/lib/app.ts"], "packages/web/src/app.ts")


GIT = ["git", "-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]


@pytest.fixture
def kettles(tmp_path):
    """Make a repository in which a file has been renamed twice, once only in the index."""
    root = tmp_path / "r"
    (root / "lib").mkdir(parents=True)

    def git(*words):
        subprocess.run([*GIT, *words], cwd=root, check=True)

    (root / "lib/reply.js").write_text("".join(f"function send{at}(x) {{\n  return x + {at}\n}}\n" for at in range(30)))
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "one")
    (root / "lib/reply.js").rename(root / "lib/response.js")
    (root / "lib/response.js").open("a").write("// and now\n")
    git("add", "-A")
    git("commit", "-qm", "two")
    git("mv", "lib/response.js", "lib/answer.js")
    return root


@pytest.mark.parametrize("name", ["lib/reply.js", "lib/response.js"])
def test_renames_are_known_from_the_log_and_from_what_is_staged(kettles, tmp_path, name):
    context = pack(
        f"TypeError in @{name}:10", repo=Repo.open(kettles), cache=tmp_path / "s/tags", budget=500, timeout_s=60
    )
    assert context.note == f"{name} is lib/answer.js now"
    assert "function send3" in next(each.text for each in context.sections if each.path == "lib/answer.js")


def test_a_rename_counts_as_a_change_under_both_names(kettles):
    two, one = Repo.open(kettles).history()
    assert (two.moves, sorted(two.paths)) == (
        (("lib/reply.js", "lib/response.js"),),
        ["lib/reply.js", "lib/response.js"],
    )
    assert (one.moves, one.paths) == ((), ("lib/reply.js",))


def test_a_clone_without_contents_still_has_a_history(kettles, tmp_path):
    subprocess.run(["git", "config", "uploadpack.allowFilter", "true"], cwd=kettles, check=True)
    words = ["clone", "-q", "--no-local", "--no-checkout", "--filter=blob:none", kettles.as_uri(), str(tmp_path / "c")]
    subprocess.run(["git", *words], check=True)
    assert [each.subject for each in Repo.open(tmp_path / "c").history()] == ["two", "one"]
