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
