"""What a question names, by mark and by paste, and what it does not."""

from pathlib import Path

import pytest

from assistant.context.completion import Marks, Paths, complete
from assistant.context.mention import nowhere, read, written
from assistant.context.out import NOTHING, Out

PATHS = ["src/app/main.py", "src/app/util.py", "lib/util.py", "README.md", "Makefile", "my file.py", "web/a.ts", "cmd/b/b.go", "src/main.rs",
         "java/com/tea/Pot.java", "src/pot.c", "include/pot.h", "ünï/café.py", "a.b.c.py", "scope/@types/x.d.ts", "docs/property.md", "setup.py", "it's,x.py"]  # fmt: skip
SYMBOLS = {"make_tea", "Pot", "property", "boil"}
NOTHING_KNOWN = {"paths": (), "out": NOTHING, "symbols": None, "away": lambda _: (), "late": False}
COMMITS = {"HEAD": "1" * 40, "HEAD~1": "2" * 40, "3f2a91c": "3" * 40, "main": "4" * 40, "deadbee": "5" * 40}


def seen(text, **more):
    return [
        (one.kind, one.path or one.name, one.first, one.last)
        for one in read(text, PATHS, root=Path("/home/u/proj"), symbols=SYMBOLS, revision=COMMITS.get, **more)
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("look at @src/app/main.py please", ("file", "src/app/main.py", 0, 0)),
        ("@src/app/main.py:10 is wrong", ("file", "src/app/main.py", 10, 10)),
        ("(@src/app/main.py:10-40)", ("file", "src/app/main.py", 10, 40)),
        ("@src/app/main.py:40-10", ("file", "src/app/main.py", 10, 40)),
        ("@src/app/main.py#L7-L9", ("file", "src/app/main.py", 7, 9)),
        ("@main.py, then", ("file", "src/app/main.py", 0, 0)),
        ("see @README.md.", ("file", "README.md", 0, 0)),
        ("@Makefile", ("file", "Makefile", 0, 0)),
        ('open @"my file.py" now', ("file", "my file.py", 0, 0)),
        ('@"my file.py":3-5', ("file", "my file.py", 3, 5)),
        ('@"my file.py:3-5"', ("file", "my file.py", 3, 5)),
        ("@src//app//main.py", ("file", "src/app/main.py", 0, 0)),
        ("(@it's,x.py)", ("file", "it's,x.py", 0, 0)),
        ("@src/app/main.py::test_none[1-a/b]", ("file", "src/app/main.py", 0, 0)),
        ("@'my file.py'", ("file", "my file.py", 0, 0)),
        ("@src\\app\\main.py", ("file", "src/app/main.py", 0, 0)),
        ("@./web/a.ts", ("file", "web/a.ts", 0, 0)),
        ("@/home/u/proj/web/a.ts:4", ("file", "web/a.ts", 4, 4)),
        ("@ünï/café.py", ("file", "ünï/café.py", 0, 0)),
        ("@scope/@types/x.d.ts", ("file", "scope/@types/x.d.ts", 0, 0)),
        ("@src/app/", ("folder", "src/app/", 0, 0)),
        ("@src", ("folder", "src/", 0, 0)),
        ("why is @make_tea slow?", ("symbol", "make_tea", 0, 0)),
        ("@Pot.boil()", ("symbol", "boil", 0, 0)),
        ("@tea::boil", ("symbol", "boil", 0, 0)),
        ("@diff", ("diff", "", 0, 0)),
        ("review @commit", ("commit", "HEAD", 0, 0)),
        ("@commit:main", ("commit", "main", 0, 0)),
        ("@HEAD~1", ("commit", "HEAD~1", 0, 0)),
        ("what did @3f2a91c do?", ("commit", "3f2a91c", 0, 0)),
    ],
)
def test_a_mark_names_what_it_says(text, wanted):
    assert seen(text) == [wanted]
    (one,) = read(text, PATHS, root=Path("/home/u/proj"), symbols=SYMBOLS, revision=COMMITS.get)
    assert one.sure
    assert one.source in text


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ('  File "/home/u/proj/src/app/main.py", line 50, in f\n    x()', "src/app/main.py", 50),
        ('  File "src/app/main.py", line 50', "src/app/main.py", 50),
        ('  File "/usr/src/other/checkout/src/app/main.py", line 50, in f', "src/app/main.py", 50),
        ("    at f (web/a.ts:50:5)", "web/a.ts", 50),
        ("    at Object.<anonymous> (/home/u/proj/web/a.ts:50:5)", "web/a.ts", 50),
        ("    at async file:///home/u/proj/web/a.ts:50:5", "web/a.ts", 50),
        ("web/a.ts(50,5): error TS2304: Cannot find name", "web/a.ts", 50),
        ("./cmd/b/b.go:50:2: undefined: x", "cmd/b/b.go", 50),
        ("\t/home/u/proj/cmd/b/b.go:50 +0x1d", "cmd/b/b.go", 50),
        ("  --> src/main.rs:50:5", "src/main.rs", 50),
        ("thread 'main' panicked at src/main.rs:50:9:", "src/main.rs", 50),
        ("\tat com.tea.Pot.pour(Pot.java:50)", "java/com/tea/Pot.java", 50),
        ("src/pot.c:50:12: error: expected ';'", "src/pot.c", 50),
        ("In file included from include/pot.h:50,", "include/pot.h", 50),
        ("C:\\work\\src\\app\\main.py:50: error", "src/app/main.py", 50),
        ("src\\app\\main.py:50: error", "src/app/main.py", 50),
        ("FAILED src/app/main.py:50: AssertionError", "src/app/main.py", 50),
        ("main.py line 50", "src/app/main.py", 50),
        ("src/app/main.py on line 50", "src/app/main.py", 50),
        ("   at Tea.Pot.Pour(Cup c) in /app/src/pot.c:line 50", "src/pot.c", 50),
        ("\t/app/setup.py:50 +0x1d", "setup.py", 50),
        ("    at f (/usr/src/app/setup.py:50:5)", "setup.py", 50),
        ("\t/home/runner/work/tea/tea/setup.py:50 +0x1d", "setup.py", 50),
        ("\t/home/u/go/pkg/mod/example.com/u/proj@v1.9.1/setup.py:50 +0x1d", "setup.py", 50),
        ("\texample.com/u/proj/setup.py:50 +0x1d", "setup.py", 50),
        ("    (proj 1.15.0) deps/proj/cmd/b/b.go:50: anonymous", "cmd/b/b.go", 50),
        ('  File "/app/setup.py", line 50, in f', "setup.py", 50),
    ],
)
def test_a_place_pasted_from_an_error_is_a_mention_with_lines_around_it(text, path, line):
    (one,) = read(text, PATHS, root=Path("/home/u/proj"))
    assert (one.path, one.kind, one.sure) == (path, "file", False)
    assert one.first < line < one.last
    assert one.first == line - 12


@pytest.mark.parametrize(
    "text",
    [
        "write to a@b.c or root@README.md",
        "me@src/app/main.pyx",
        "@property\ndef f(self): ...",
        "class A:\n    @Pot\n    def f(self):\n        pass",
        "@override the thing",
        "@nobody and @1.2.3",
        "util.py",
        "which main do you mean",
        "@",
        "@@diff",
        "x @ y",
        "git@github.com:a/b.git",
        "user@host:src/x",
        "/etc/passwd:3",
        "/usr/lib/python3/dist-packages/x/setup.py:3",
        "/app/node_modules/x/setup.py:3",
        "/app/setup.py",
        "/app/util.py:3",
        "@../../etc/passwd",
        "@/etc/passwd",
        "@none.py:3",
        "@HEAD~99",
        "@1234567",
        "decorate with `@property`",
        "why is this nil?\n  def show\n    @boil = Tea.find(1)\n    @boil.pour\n  end",
        "  @boil ||= Tea.new\n  return unless @boil",
        " * Returns {@boil x} and {@link Pot}",
        "http://example.invalid/none.html",
    ],
)
def test_what_is_no_mention_stays_words(text):
    assert [one for one in seen(text) if one[0] != "file" or one[1] != "README.md"] == []


def test_a_project_of_go_is_known_by_the_name_of_its_module(tmp_path):
    (tmp_path / "go.mod").write_text("// tea\nmodule example.com/u/kettle/v2\n")
    for above in ("example.com/u/kettle/v2/", "/home/u/go/pkg/mod/example.com/u/kettle/v2@v2.9.1/"):
        (one,) = read(f"\t{above}pot.go:50 +0x1d", ["go.mod", "pot.go"], root=tmp_path)
        assert (one.path, one.first) == ("pot.go", 38)


def test_lines_of_a_link_and_of_a_pasted_diff_are_places():
    assert seen("see https://example.com/u/proj/blob/main/src/app/main.py#L7-L19") == [
        ("file", "src/app/main.py", 7, 19)
    ]
    diff = "--- src/pot.c\n+++ src/pot.c\n@@ -70,3 +71,4 @@\n x\n@@ -90 +91 @@\n y\n+++ setup.py\n@@ -0,0 +1,2 @@\n"
    assert [each for each in seen(diff) if each[2]] == [
        ("file", "src/pot.c", 71, 74), ("file", "src/pot.c", 91, 91), ("file", "setup.py", 1, 2),
    ]  # fmt: skip


@pytest.mark.parametrize("mark", ["@src/pot.c::Pot::boil", "@src/pot.c:Pot.boil", "@src/pot.c::Pot::boil[1-a/b]"])
def test_a_mark_on_a_symbol_of_a_file_means_no_other_file(mark):
    (one,) = read(mark, PATHS, symbols=SYMBOLS)
    assert (one.kind, one.path, one.name, one.inside) == ("symbol", "src/pot.c", "boil", "Pot")


def test_a_mark_on_a_part_of_a_definition_says_what_it_is_part_of():
    one, two = read("@Pot.boil() and @tea::boil", PATHS, symbols=SYMBOLS)
    assert (one.name, one.inside) == ("boil", "Pot")
    assert (two.name, two.inside) == ("boil", "tea")


def test_a_whole_traceback_names_each_place_once_in_order():
    text = """Traceback (most recent call last):
  File "/home/u/proj/src/app/main.py", line 50, in <module>
    boil()
  File "/home/u/proj/lib/util.py", line 7, in boil
    boil()
  File "/home/u/proj/lib/util.py", line 7, in boil
    boil()
  File "/usr/lib/python3.11/json/decoder.py", line 355, in raw_decode
"""
    assert seen(text) == [("file", "src/app/main.py", 38, 62), ("file", "lib/util.py", 1, 19)]


def test_several_ranges_of_one_file_are_kept_and_marks_come_first():
    found = seen("README.md and @src/app/main.py:1-3 and @src/app/main.py:9 and src/app/main.py")
    assert found == [("file", "src/app/main.py", 1, 3), ("file", "src/app/main.py", 9, 9), ("file", "README.md", 0, 0)]


def test_a_file_of_which_lines_are_named_is_not_shown_whole_too():
    found = read("see README.md, @main.py:3-4 and main.py again", PATHS)
    assert [(one.path, one.first, one.last, one.sure) for one in found] == [
        ("src/app/main.py", 3, 4, True),
        ("README.md", 0, 0, False),
    ]


@pytest.mark.parametrize("text", ["@" * 100_000, "@a/" * 60_000, "a." * 100_000, "/" * 200_000, '@"' * 90_000, "a:1" * 60_000, "\n+++ setup.py" * 15_000, "+++ setup.py " * 15_000, '"' * 200_000, "@a:1-" * 40_000])  # fmt: skip
def test_a_question_of_any_length_is_read_in_one_pass(text):
    read(text, PATHS, symbols=SYMBOLS)


def test_completion_puts_first_what_is_meant():
    paths = [
        "src/user/model.py",
        "src/user_model.py",
        "docs/models/user.md",
        "tests/test_user_model.py",
        "src/config.py",
        "Über/straße.py",
        "a\nb",
    ]
    for typed, first in {
        "user_model": "src/user_model.py", "usrmdl": "src/user_model.py", "config": "src/config.py", "tum": "tests/test_user_model.py",
        "user model": "src/user_model.py", "docs/": "docs/models/user.md", "SRC\\USER\\": "src/user/model.py", "über": "Über/straße.py", "./src/co": "src/config.py",
    }.items():  # fmt: skip
        assert complete(paths, typed)[0] == first, typed
    assert complete(paths, "zzz") == []
    assert complete(paths, "", 2) == ["src/config.py", "src/user_model.py"]
    assert len(complete(paths, "s", 3)) == 3
    assert complete([], "x") == []


def test_the_more_recent_of_two_equals_comes_first():
    paths = ["a/handler.py", "b/handler.py", "c/handler.py"]
    assert Paths(paths, {"c/handler.py": 5.0, "b/handler.py": 3.0}).complete("handler") == [
        "c/handler.py",
        "b/handler.py",
        "a/handler.py",
    ]
    assert Paths(paths, {"b/handler.py": 1.0}).complete("")[0] == "b/handler.py"


@pytest.mark.parametrize("typed", ["(", "[a", "\\", "*", ".*" * 30, "a" * 1_000, "\n", " ", "\udcff", "^", "é"])
def test_any_letters_may_be_typed(typed):
    assert isinstance(complete(["a/b.py", "(x).py", "caf\udce9.py"], typed), list)


NAMES = ["boil", "boil_over", "Boiler"]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("di", ("diff", "what is not committed")),
        ("comm", ("commit", "the last commit")),
        ("src", ("src/", "folder")),
        ("app", ("src/app/", "folder")),
        ("boil", ("boil", "defined here")),
        ("main", ("src/main.rs", "")),
    ],
)
def test_a_mark_may_become_a_diff_a_folder_a_symbol_or_a_file(typed, wanted):
    found = Marks(PATHS, {}, lambda text, most: [name for name in NAMES if name.startswith(text)][:most]).complete(
        typed
    )
    assert wanted in found[:3]
    assert len(found) == len(dict(found)) <= 8


def test_files_and_symbols_share_a_short_list():
    paths = [f"a/boil_{n}.py" for n in range(20)]
    found = Marks(paths, {}, lambda text, most: [f"{text}_{n}" for n in range(most)]).complete("boil", 8)
    assert [about for _, about in found] == [""] * 5 + ["defined here"] * 3


def test_what_is_marked_like_a_file_and_is_none_is_said(tmp_path):
    (tmp_path / ".env").write_text("KEY=1\n")
    paths = ["a.py", "src/b.py"]
    question = (
        "look at @a.py, @.env, @nosuch.py and @src/none.py; mail a@b.com, @property and\n@app.route\ndef f(): ..."
    )
    assert nowhere(question, read(question, paths), tmp_path, **NOTHING_KNOWN) == [
        "@.env is ignored, and so not shown", "@nosuch.py is no file here", "@src/none.py is no file here",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("question", "note"),
    [
        ("@util.py", "@util.py is one of 2 files: lib/util.py, src/app/util.py"),
        ("@away.py", "@away.py is taken out of the context"),
        ("@link.py", "@link.py is a link, and so not shown"),
        ("@sub/a.py", "@sub/a.py is in another repository, and so not shown"),
        ("@sub/", "@sub/ is in another repository, and so not shown"),
        ("@sub/none.py", "@sub/none.py is no file here"),
        ("@loop/away.py", "@loop/away.py is behind a link, and so not shown"),
        ("@out/secret.py", "@out/secret.py is behind a link, and so not shown"),
        ("@empty/", "@empty/ is a folder without a file that may be shown"),
        ("@./", "@./ is the whole of this folder: name a part of it"),
        ("@away.py::test_it", "@away.py::test_it is taken out of the context"),
        ("@gone_with_it", "@gone_with_it is defined in away.py, taken out of the context"),
        ("@large.py", "@large.py is too large to be shown"),
        ("@/etc/passwd", "@/etc/passwd is no file of this folder"),
        ("@" + 290 * "a" + ".py", "@" + 290 * "a" + ".py is no file here"),
        ("@no_such_name", "@no_such_name is defined nowhere that the index sees"),
        ("@Pot.freeze()", "@Pot.freeze is defined nowhere that the index sees"),
        ("@Pot.pours", "@Pot.pours is defined nowhere that the index sees"),
        ("@commit:deadbeef", "there is no commit deadbeef"),
        ("@commit", "there is no commit here"),
        ("@HEAD~99", "there is no commit HEAD~99"),
        ("hey @alice, @property and @1.2", None),
        ('@src/app/main.py, @"my file.py:3-5", @it\'s,x.py, @src//app/main.py:3, @boil and @diff', None),
    ],
)
def test_a_mark_that_means_nothing_is_told_and_why(tmp_path, question, note):
    (tmp_path / "sub/.git").mkdir(parents=True)
    for name in ("sub/a.py", "away.py", "large.py"):
        (tmp_path / name).write_text("x = 1\n")
    (tmp_path / "link.py").symlink_to("away.py")
    (tmp_path / "loop").symlink_to(".")
    (tmp_path / ".git").mkdir()
    (tmp_path / "empty").mkdir()
    (tmp_path / "out").symlink_to(tmp_path.parent)
    (tmp_path.parent / "secret.py").write_text("x = 1\n")
    with (tmp_path / "large.py").open("r+") as file:
        file.truncate(5_000_000)
    found = read(question, PATHS, root=tmp_path, symbols=SYMBOLS)
    away = {"gone_with_it": ["away.py"]}
    notes = nowhere(
        question,
        found,
        tmp_path,
        paths=PATHS,
        out=Out(["away.py"]),
        symbols=SYMBOLS,
        away=lambda name: away.get(name, []),
        late=False,
    )
    assert notes == ([note] if note else [])


DART = ["lib/cart.dart", "lib/src/x.dart", "packages/tills/lib/till.dart", "packages/other/lib/till.dart", "pubspec.yaml", "src/Main.kt", "kt/a.kt"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("package:shop/cart.dart:50:9: Error: x", "lib/cart.dart"),
        ("#1  Cart.total (package:shop/src/x.dart:50:9)", "lib/src/x.dart"),
        ("package:shop/src/x.dart 50:9  Cart.total", "lib/src/x.dart"),
        ("package:tills/till.dart:50:9", "packages/tills/lib/till.dart"),
        ("package:flutter/src/x.dart:50:9", None),
        ("package:none/till.dart:50:9", None),
        ("e: /w/src/Main.kt: (50, 10): unresolved reference", "src/Main.kt"),
        ("w: kt/a.kt: (50, 1): unused", "kt/a.kt"),
    ],
)
def test_places_of_dart_and_of_old_kotlin_are_recognised(tmp_path, text, path):
    (tmp_path / "pubspec.yaml").write_text("# a shop\nname: 'shop'\n")
    found = [(one.path, one.first, one.last) for one in read(text, DART, root=tmp_path)]
    assert found == ([(path, 38, 62)] if path else [])


@pytest.mark.parametrize(
    ("question", "note"),
    [
        ("@new/file.py", "@new/file.py is not looked at yet, and so not shown"),
        ("@new/", "@new/ is a folder in which new files are not looked for yet"),
        ("@file.py", "@file.py is no file that is found yet"),
    ],
)
def test_of_a_file_that_a_listing_did_not_come_to_it_is_not_said_that_it_is_ignored(tmp_path, question, note):
    (tmp_path / "new").mkdir()
    (tmp_path / "new/file.py").write_text("x = 1\n")
    found = read(question, PATHS, root=tmp_path, symbols=SYMBOLS)
    assert nowhere(
        question, found, tmp_path, **{**NOTHING_KNOWN, "paths": PATHS, "symbols": SYMBOLS, "late": True}
    ) == [note]


def test_paths_that_are_marked_or_stand_in_an_error_are_found_whether_there_is_such_a_file_or_not(tmp_path):
    question = (
        f"@a/new.py:10 @'b c.py' @{tmp_path}/d.py @f's,x.py at e/f.ts:10:5, and @name; File \"{tmp_path}/g.py\", line 3"
    )
    assert {"a/new.py", "b c.py", "d.py", "f's,x.py", "e/f.ts", "g.py"} <= set(written(question, tmp_path))


ODD = ["app/[id]/page.tsx", "app/(auth)/login.tsx", "Makefile", "src/view.tsx", "src/run.sh", "java/com/a/Util.java", "java/com/b/Util.java",
       "src/Größe.py", "docs/with space.md", "src/calc.py", "src/conf.lua"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("./app/[id]/page.tsx:437:9\nType error: x", "app/[id]/page.tsx"),
        ("at Login (app/(auth)/login.tsx:437:9)", "app/(auth)/login.tsx"),
        ("./app/(auth)/login.tsx\n437:9  Error: x", "app/(auth)/login.tsx"),
        ("(see @app/(auth)/login.tsx:437-440)", "app/(auth)/login.tsx"),
        ("Makefile:437: *** missing separator.  Stop.", "Makefile"),
        ("at App (http://localhost:5173/src/view.tsx?t=1732800000000:437:9)", "src/view.tsx"),
        ("SyntaxError: /app/src/view.tsx: Unexpected token (437:9)", "src/view.tsx"),
        ("[ERROR] /app/java/com/b/Util.java:[437,9] cannot find symbol", "java/com/b/Util.java"),
        ("ERROR in ./src/view.tsx 437:9-20", "src/view.tsx"),
        ("src/view.tsx (437:9)", "src/view.tsx"),
        ("./src/run.sh: line 437: foo: command not found", "src/run.sh"),
        ("src/run.sh: 437: foo: not found", "src/run.sh"),
        ('[string "src/conf.lua"]:437: attempt', "src/conf.lua"),
        ("In template /x/src/view.tsx, error at line 437", "src/view.tsx"),
        ('{"file": "/p/src/calc.py", "lineno": 437}', "src/calc.py"),
        ("\tat com.b.Util.f(Util.java:437)", "java/com/b/Util.java"),
        ("\tat com.a.Util$Inner.lambda$f$0(Util.java:437) ~[app.jar]", "java/com/a/Util.java"),
        ("File ~/proj/src/calc.py:437, in f(x)", "src/calc.py"),
        ("在src/calc.py:437处报错", "src/calc.py"),
        ("file:///home/u/src/Gr%C3%B6%C3%9Fe.py:437", "src/Größe.py"),
        ("file:///x/docs/with%20space.md:437", "docs/with space.md"),
        ("at (docs/with space.md:437:3)", "docs/with space.md"),
        ("see line 437 of src/calc.py", "src/calc.py"),
        ("lines 437-440 in `src/calc.py`", "src/calc.py"),
        ("src/calc.py (line 437)", "src/calc.py"),
        ("--- i/src/calc.py\n+++ w/src/calc.py\n@@ -437,3 +437,3 @@\n", "src/calc.py"),
    ],
)
def test_a_line_is_found_as_everyday_tools_and_people_write_it(text, path):
    assert any(one.path == path and one.first <= 437 <= one.last for one in read(text, ODD, root=Path("/home/u/proj")))


@pytest.mark.parametrize(
    "text", ["src/calc.py and src/run.sh, line 4", "src/calc.py: is it (4)?", "what of src/calc.py? t=5", "src/calc.py as in line 3 of src/run.sh"]
)  # fmt: skip
def test_a_number_that_belongs_to_something_else_is_no_line_of_a_file(text):
    assert next(one for one in read(text, ODD) if one.path == "src/calc.py").first == 0
