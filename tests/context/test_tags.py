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
