import random

import pytest

from assistant.context.language import language_of
from assistant.context.tags import tags

SAMPLES = {
    "a.py": ("class A:\n    def f(self):\n        return g(1)\n\nLIMIT = 3\n", ["A", "f", "LIMIT"], ["g"]),
    "a.js": (
        "class A { f() { return g(1) } }\nconst h = () => new B()\nfunction k() {}\n",
        ["A", "f", "h", "k"],
        ["g", "B"],
    ),
    "a.ts": (
        "interface I { x: T }\nclass A { f(): void { g() } }\nenum E { X }\ntype U = I\n",
        ["I", "x", "A", "f", "E", "X", "U"],
        ["g", "T"],
    ),
    "a.tsx": ("export const View = () => <p>{g()}</p>\n", ["View"], ["g"]),
    "a.go": ("package a\ntype A struct{}\nfunc (a A) F() { g() }\nfunc H() {}\n", ["A", "F", "H"], ["g"]),
    "a.rs": (
        "struct A;\nimpl A { fn f(&self) { g(); m!() } }\ntrait T {}\nenum E {}\n",
        ["A", "A", "f", "T", "E"],
        ["g", "m"],
    ),
}


@pytest.mark.parametrize("path", SAMPLES)
def test_each_language_gives_its_definitions_and_references(path):
    source, defs, refs = SAMPLES[path]
    found = tags(source.encode(), language_of(path))
    assert [tag.name for tag in found.defs] == defs
    assert set(refs) <= {name for name, _ in found.refs}


@pytest.mark.parametrize(
    ("path", "source", "defs"),
    [
        ("a.c", 'static char *deny_list[] = {\n    "dofile",\n};\n', ["variable 1-3 deny_list"]),
        ("a.c", "char *p;\nFILE *fp = 0;\nstatic char **av;\n", ["variable 1-1 p", "variable 2-2 fp", "variable 3-3 av"]),
        ("a.c", 'static const char *const names[3] = {"a"};\nint t[2][3];\n', ["variable 1-1 names", "variable 2-2 t"]),
        ("a.c", "static void (*h)(int);\nstatic int (*const tab[])(int) = {f};\n", ["variable 1-1 h", "variable 2-2 tab"]),
        ("a.c", "int a, *b, c[2] = {1};\n", ["variable 1-1 a", "variable 1-1 b", "variable 1-1 c"]),
        ("a.c", "int f(void);\nint (g)(int a);\nchar *h(char *x);\n", ["function 1-1 f", "function 3-3 h"]),
        ("a.c", "#if A\nSSL_CTX *ctx = NULL;\n#else\nextern int y;\n#endif\n", ["variable 2-2 ctx"]),
        ("a.c", "#ifdef A\n#if B\nint a;\n#elif C\nint b;\n#else\nint c;\n#endif\n#endif\n", ["variable 3-3 a", "variable 5-5 b", "variable 7-7 c"]),
        ("a.c", "int f(void)\n{\n#if A\n  int x;\nchar *y;\n#endif\n  char *z;\n}\n", ["function 1-8 f"]),
        ("a.c", "API int (*f)(int) NOTHROW;\n", []),
        ("a.cpp", "Foo *g;\nstatic Foo *h = nullptr;\nFoo &r = *g;\n", ["variable 1-1 g", "variable 2-2 h", "variable 3-3 r"]),
        ("a.h", '#ifndef A\n#define A\nextern "C" {\nstatic const char *t[] = {0};\nint f(void);\n}\n#endif\n', ["macro 2-2 A", "variable 4-4 t", "function 5-5 f"]),
        ("a.cc", "namespace n {\n  const char *const kinds[] = {};\n  template <class T> constexpr int size = 1;\n}\n", ["module 1-4 n", "variable 2-2 kinds", "variable 3-3 size"]),
        ("a.h", "class QT_EXPORT Foo : public Bar\n{\npublic:\n  int x;\n};\nstruct MY_API A {\n  int y;\n};\n", ["class 1-5 Foo", "struct 6-8 A"]),
        ("a.h", "#ifndef A\nnamespace n {\ntemplate <class T>\nclass API Foo {\n  int x;\n};\n}\n#endif\n", ["module 2-7 n", "class 4-6 Foo"]),
    ],
)  # fmt: skip
def test_what_a_file_of_c_declares_is_defined_whatever_stands_around_its_name(path, source, defs):
    for single in (False, True):
        found = tags(source.encode(), language_of(path), references=False, single=single).defs
        assert [f"{tag.kind} {tag.start}-{tag.end} {tag.name}" for tag in found] == defs


@pytest.mark.parametrize(
    ("created", "name"),
    [
        ('TABLE "public"."OrderItem" (', "table OrderItem"),
        ("TABLE public.orders(", "table orders"),
        ("table if not exists [dbo].[Order Lines] (", "table Order Lines"),
        ("table `my shop`.`tbl` (", "table tbl"),
        ('VIEW "Sales"."hot pots" AS', "view hot pots"),
        ('OR REPLACE FUNCTION "public"."pour"(cup int)', "function pour"),
        ("PROCEDURE a.b.[c] AS", "function c"),
        ('TABLE "a.b" (', "table a.b"),
        ("TABLE #rows (", "table #rows"),
        ('SCHEMA "tea";', "module tea"),
    ],
)
def test_what_is_created_in_a_schema_has_its_own_name_and_not_that_of_the_schema(created, name):
    found = tags(f"CREATE {created}\n  id int\n);\n".encode(), language_of("a.sql")).defs
    assert [f"{tag.kind} {tag.name}" for tag in found] == [name]


def test_a_body_of_kotlin_that_ends_on_its_line_hides_nothing():
    source = (
        "enum class Level(val code: Int) {\n"
        '    LOW(1) { override fun label() = "${it }low" },\n'
        "    HIGH(2) { override fun label(): String { return x } };\n"
        "    abstract fun label(): String\n"
        "}\n"
        "interface Heated { fun heat() }\n"
        "val pot = object : Heated { override fun heat() { } }\n"
    )
    for references in (False, True):
        found = tags(source.encode(), language_of("a.kt"), references=references).defs
        assert [f"{tag.kind} {tag.start}-{tag.end} {tag.name}" for tag in found] == [
            "enum 1-5 Level", "field 1-1 code", "member 2-2 LOW", "method 2-2 label", "member 3-3 HIGH", "method 3-3 label",
            "function 4-4 label", "interface 6-6 Heated", "method 6-6 heat", "constant 7-7 pot", "method 7-7 heat",
        ]  # fmt: skip


@pytest.mark.parametrize("path", ["a.js", "a.tsx", "a.ts"])
def test_a_component_that_is_wrapped_where_it_is_exported_has_its_own_name(path):
    for source in ("memo(function Fancy() {\n})", "React.memo(forwardRef(function Fancy(a) {\n}, b))"):
        found = tags(f"export default {source};\n".encode(), language_of(path), references=False).defs
        assert [f"{tag.kind} {tag.start}-{tag.end} {tag.name}" for tag in found][1:] == ["function 1-2 Fancy"]


def test_an_operator_of_swift_is_called_as_it_is_written():
    source = (
        "struct A: Equatable {\n  static func == (lhs: A, rhs: A) -> Bool { true }\n  static prefix func -(a: A) -> A { a }\n}\n"
        "enum B {\n  case c\n  static func < (lhs: B, rhs: B) -> Bool { true }\n}\nfunc + (a: A, b: A) -> A { a }\nfunc d(e: A) {}\n"
    )
    found = tags(source.encode(), language_of("a.swift"), references=False).defs
    assert [f"{tag.kind} {tag.name}" for tag in found] == [
        "struct A", "method ==", "method -", "enum B", "member c", "method <", "function +", "function d",
    ]  # fmt: skip


def test_broken_source_gives_what_can_be_seen():
    assert [tag.name for tag in tags(b"def f(:\n\ndef g():\n  pass\n\xff", language_of("x.py")).defs][-1] == "g"


HEADS = (
    "def f{n}(a):", "async def f{n}():", "async  def f{n}():", "def\\\n  f{n}():", "class C{n}(Base):", "@mark\n{i}def f{n}():", "@mark(1)\n{i}@other\n{i}class C{n}:",
    "if a:", "else_{n} = 1\n{i}for a in b:", "while x:", "try:\n{i}    import m{n}\n{i}except ImportError:", "with a as b:", "match a:\n{i}    case 1:\n{i}        import n{n}\n{i}if b:",
)  # fmt: skip
LINES = (
    '"""def no(): from a import b, class X: of\n\n{i}def no{n}(): pass\n{i}"""', "# class Not: import that", "import a{n}, b{n} as c", "from .x{n} import (y,\n  z)",
    "from.w{n} import v", "from . import u{n}", "x{n} = y{n} = 1", "x{n}: int = 2", "type T{n} = int", "if a: import i{n}; import j{n}", "class D{n}: z = 1", "def g{n}(): return lambda: 0",
    "raise E from e", "import\tt{n}", "yield from g{n}()", "type = 3", "pass",
)  # fmt: skip


def a_source(draw, *, odd):
    rows = []

    def block(depth, indent):
        for _ in range(draw.randint(1, 4)):
            number = draw.randint(0, 99)
            deeper = depth < 6 and draw.random() < 0.6
            text = draw.choice(HEADS if deeper else LINES)
            if not odd and ("\t" in text or "\\" in text):
                continue
            rows.append(indent + text.replace("{n}", str(number)).replace("{i}", indent))
            if deeper:
                block(depth + 1, indent + "    ")
        rows.append(f"{indent}pass")

    block(0, "")
    return "\n".join(rows).encode() + b"\n"


@pytest.mark.parametrize("odd", [False, True])
def test_what_stands_deep_is_found_although_bodies_are_left_out(odd):
    python = language_of("a.py")
    everywhere = python._replace(bodies=())
    deep = 0
    for seed in range(300):
        source = a_source(random.Random(seed), odd=odd)
        found = tags(source, python, references=False)
        assert found == tags(source, everywhere, references=False), source.decode()
        deep += len(found.defs) - len(tags(source, everywhere._replace(deepest=4), references=False).defs)
    assert deep > 300


def test_a_text_full_of_such_words_is_looked_through_as_a_whole():
    python = language_of("a.py")
    source = (
        b'TEXT = """'
        + b"from a class to import it\n" * 8_000
        + b'"""\n\nclass A:\n    def f(self):\n        if self:\n            def g(): pass\n'
    )
    assert [tag.name for tag in tags(source, python, references=False).defs] == ["TEXT", "A", "f", "g"]


def test_what_stands_before_between_and_behind_the_rows_of_a_table_is_found():
    rows = "".join(f'    ({at}, 0x{at:x}, -1.5e3),\n    "word{at}": "wörd",\n    {at},\n' for at in range(300))
    source = f"import os\nFIRST = [\n{rows}]\ndef second(): return 2\nTHIRD = (\n    [1],\n{rows}    fourth,\n)\nclass Fifth:\n    x = 1\n"
    page = language_of("a.py")
    found = tags(source.encode(), page, references=False)
    assert [tag.name for tag in found.defs][:4] == ["FIRST", "second", "THIRD", "Fifth"]
    assert found.defs == tags(source.encode(), page).defs
    lines = source.split("\n")
    assert all(tag.name in lines[tag.declared - 1] for tag in found.defs)


IMPORTED = {
    "a.js": [
        "const User = require('./models/User')",
        "var User = module.require('./models/User').User;",
        "let User = require('./models')['User'], other = 1",
        "export const User = await import('./User.js')",
        "const User = React.lazy(() => import('./User'))",
        "const User =\n  require('./User') // the class",
    ],
    "a.ts": [
        "const User_1 = __importDefault(require('./User'))",
        "export const User: typeof import('./User') = require('./User');",
        "const User = require('./User') as typeof import('./User')",
    ],
    "a.tsx": ["const User = lazy(async () => import('./User'))", "const User = require('./User')!"],
    "a.lua": [
        'local User = require("models.user")',
        "User = require 'models.user'",
        "local User <const> = require [[models.user]].User",
        'local User = require "models.user" -- the class',
    ],
}


@pytest.mark.parametrize(("path", "text"), [(path, text) for path, some in IMPORTED.items() for text in some])
def test_what_is_brought_in_from_another_file_is_not_defined_here(path, text):
    assert not {"User", "User_1"} & {tag.name for tag in tags(text.encode(), language_of(path)).defs}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.js", "\n\nconst router = require('express').Router()"),
        ("a.js", "const log = require('debug')('app')"),
        ("a.js", "const User = requires('x')"),
        ("a.js", "const User = wrap(require('./User'))"),
        ("a.ts", "const User = require('a') || fallback"),
        ("a.js", "const User = require('a') + 1"),
        ("a.lua", 'local log = require("log").new("app")'),
        ("a.lua", "local User = require and 1"),
        ("a.lua", 'local User = require("a") or {}'),
    ],
)
def test_what_is_made_of_what_another_file_defines_is_defined_here(path, text):
    assert len(tags(text.encode(), language_of(path)).defs) == 1


@pytest.mark.parametrize(
    ("path", "source", "wanted"),
    [
        ("a.ts", "export const { useA, useB: useC } = api\nexport const [P, useP] = f()\nconst [x] = g()\n", ["constant 1-1 useA", "constant 1-1 useC", "constant 2-2 P", "constant 2-2 useP", "constant 3-3 x"]),
        ("a.ts", "const { a } = require('b')\nimport { c } from 'd'\n", []),
        ("a.ts", "declare module '@a/b' {\n}\n", ["module 1-2 @a/b"]),
        ("a.cs", "class A\n{\n    bool @async;\n    bool async => true;\n}\n", ["class 1-5 A", "field 3-3 async", "field 4-4 async"]),
        ("a.html", "<h1><%= a %>: <%= b %></h1>\n<h2>Tea of <%= c %></h2>\n", ["heading 2-2 Tea of"]),
        ("a.tsx", "function F() {\n  const [a, setA] = useState(1)\n  const b = useCallback(() => {\n  }, [])\n  const c = other(() => {})\n}\n", ["function 1-6 F", "variable 2-2 a", "variable 2-2 setA", "function 3-4 b"]),
        ("a.lua", "local M = {}\nM.a = {}\nM.b = require('c')\nvim.g.d = 1\nreturn M\n", ["variable 1-1 M", "variable 2-2 a"]),
        ("a.scala", "case class A(b: Int)\nclass C(val d: Int, e: Int) {\n  val f, g = 1\n}\n", ["class 1-1 A", "field 1-1 b", "class 2-4 C", "field 2-2 d", "field 3-3 f", "field 3-3 g"]),
        ("a.cs", "public readonly record struct A(int B, [Key] string C);\nclass D(int e) { }\n", ["record 1-1 A", "field 1-1 B", "field 1-1 C", "class 2-2 D"]),
        ("a.java", "record A(int b, @NotNull String c) { }\nclass D { void e(int f) { } }\n", ["record 1-1 A", "field 1-1 b", "field 1-1 c", "class 2-2 D", "method 2-2 e"]),
        ("a.html", '<form\n  class="x"\n  id="order"\n>\n  <a id="b"><a id="c">\n  <h2><em>Hot</em> pots</h2>\n  <!-- <p id="d"> -->\n  <!--\n  <p id="e">\n  -->\n</form>\n', ["id 1-11 order", "id 5-5 b", "id 5-5 c", "heading 6-6 Hot pots"]),
        ("a.scss", "// .a { b: c }\n// d {\n.e { content: \"/*\"; f: url(//g/h) }\n/* don't */ .i { j: '}' }\n", ["rule 3-3 .e", "rule 4-4 .i"]),
        ("a.md", "# A\n<!-- # B -->\n<!--\n## C\n-->\n```\n<!--\n```\n## D\n", ["heading 1-9 A", "heading 9-9 D"]),
    ],
)  # fmt: skip
def test_what_is_defined_with_others_or_around_a_remark_has_its_name(path, source, wanted):
    for text in (source, source.replace("\n", "\r\n")):
        found = tags(text.encode(), language_of(path), references=False).defs
        assert [f"{tag.kind} {tag.start}-{tag.end} {tag.name}" for tag in found] == wanted
