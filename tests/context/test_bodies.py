"""Bodies of functions that are left out: what is defined around them, and where, is as it was."""

import time
from pathlib import Path

import pytest

from assistant.context import bodies
from assistant.context.language import languages
from assistant.context.tags import tags

LEFT_OUT = {
    "python": ('def f():\n    """Say it."""\n    if x:\n        y = 1\n\n    return y\n\n\nz = 1\n', "y = 1"),
    "python, an import": ("class A:\n    from a import (\n        b,  # x\n        c as d,\n    )\n\n\nx = 1\n", "as d"),
    "python, imports": ("if A:\n    import a.b, c  # d\nelse:\n    from .e import f\n\nx = 1\n", "import"),
    "python, what is handed over": ("class A:\n    async def f[T](\n        self, a: int = 1,\n    ) -> int:\n        return a\n", "a: int"),
    "go": ("func (t *Tea) Boil(\n\tn int,\n) error {\n\tif n > 1 {\n\t\treturn nil\n\t}\n\treturn nil\n}\n\nvar x = 1\n", "return nil"),
    "rust": ("impl Tea {\n    pub async fn boil(&self) -> u8 {\n        let x = 1;\n        x + 1\n    }\n}\n", "let x"),
    "kotlin": ("class Tea {\n    @Test private fun boil(\n        n: Int,\n    ): Int {\n        val x = 1\n        return x\n    }\n}\n", "val x"),
    "ruby": ("class Tea\n  def boil(n)\n    x = 1\n    x + n\n  end\n\n  private def pour = 1\n  Cup = 1\nend\n", "x = 1"),
    "ruby, what is rescued": ("class Tea\n  def boil\n    fill\n  rescue Dry => e\n    y = e\n  else\n    z\n  end\nend\n", "y = e"),
    "ruby, a block": ("describe Tea do\n  it 'boils' do |x|\n    expect(x).to be\n  end\nend\n", "expect"),
    "ruby, a text": ("it 'a' do\n  f(<<~RUBY)\n    def g\n      h\n    end\n  RUBY\nend\n", "def g"),
    "java": ("class Tea {\n    @Override\n    public int boil(int n) throws A {\n        if (n > 1) {\n            int x = 1;\n        }\n        return n;\n    }\n    int y = 1;\n}\n", "int x"),
    "c": ("#include <a.h>\nint boil(int n)\n{\n  struct tea *x = y;\n#ifdef A\n  z();\n#endif\nout:\n  return n;\n}\n\nint y = 1;\n", "struct tea"),
    "c, all on a line": ("static void boil(void) {\n    int x = 1;\n}\nstruct tea\n{\n  int n;\n};\n", "int x"),
    "php": ("<?php\nclass Tea\n{\n    public static function boil(int $n): int\n    {\n        $x = 1;\n        return $x;\n    }\n}\n", "$x = 1"),
    "csharp": ("class Tea\n{\n    [Fact]\n    public async Task<int> Boil<T>(\n        int n)\n        where T : IPot\n    {\n        var x = 1;\n        return x;\n    }\n    int y = 1;\n}\n", "var x"),
    "csharp, an expression": ("class Tea\n{\n    public int Boil(int n = 1)\n        => Fill(n)\n\n            .Heat(() =>\n            {\n                x = 1;\n            });\n\n    public int Size\n        => 1;\n    object ITea.Cup\n        => cup;\n}\n", "x = 1"),
    "csharp, all on a line": ("class Tea {\n    void Boil() {\n        int x = 1;\n    }\n    int Cup {\n        get {\n            return y;\n        }\n    }\n}\n", "int x"),
    "csharp, a text": ('class Tea\n{\n    void Boil()\n    {\n        F("""\n            SELECT COUNT(*)\n            FROM OPENJSON(x)\n            """);\n    }\n}\n', "SELECT"),
}  # fmt: skip
STAYS = {
    "a quote that ends further out": ("python", 'def f():\n    x = """\n    y = 1\n"""\n    return x\n\n\nz = 1\n'),
    "a text that begins further out": (
        "python",
        'class A:\n    def f(self):\n        x = \\\n"""\na\n"""\n        assert x == \\\n"b"\n        return x\n\n    def g(self):\n        y = 1\n',
    ),
    "a function in another": ("python", "def f():\n    def g():\n        pass\n    return g\n"),
    "a remark behind it": ("python", "def f():\n    # x\n        y = 1\n    # z\n\n\ndef g():\n    pass\n"),
    "a remark further out": ("python", "class A:\n    def f(self):\n        x = 1\n# hm\n        y = 2\n\n    z = 1\n"),
    "a body of nothing": ("python", "def f():\n\n\nx = 1\n"),
    "an import of more": ("python", "import a; x = 1\nfrom a import (b, c); y = 1\nfrom a import b, \\\n    c\n"),
    "a type": ("go", "func f() {\n\ttype T struct {\n\t\tx int\n\t}\n}\n"),
    "a raw text with a brace": ("go", "func f() {\n\tx := `\n}\n`\n\treturn\n}\n"),
    "a remark with a brace": ("rust", "fn f() {\n    /*\n}\n    */\n    let x = 1;\n}\n"),
    "a macro": ("rust", "fn f() {\n    macro_rules! t {\n        () => {};\n    }\n}\n"),
    "a function within": (
        "python",
        "class A:\n    def f(self):\n        x = 1\n        async def g():\n            y = 2\n        return g\n",
    ),
    "a function within that is no end of what is handed over": (
        "python",
        "def f(a):\n    x = (1)\n    def g(b):\n        y = 2\n    return g\n",
    ),
    "a source in a text": (
        "python",
        'class A:\n    x = d("""\\\ndef f():\n    y = 1\n    """)\n\n    z = d("""\\\ndef f():\n    y = 1\n    """)\n',
    ),
    "a type of a name": ("python", "def f():\n    x = 1; type T[A] = list[A]\n    return x\n"),
    "an object": ("kotlin", "fun f(): A {\n    return object : A {\n        val x = 1\n    }\n}\n"),
    "an interface": ("kotlin", "fun interface A {\n    val x: Int\n}\n"),
    "a text with a brace": ("kotlin", 'fun f() {\n    val x = """\n}\n"""\n    g()\n}\nval y = 1\n'),
    "a method that is made": (
        "ruby",
        "class Tea\n  def self.make\n    define_method(:boil) do\n      1\n    end\n  end\nend\n",
    ),
    "what a class has": (
        "ruby",
        "class Tea\n  included do\n    attr_reader :cup\n    self.class::Pot = 1\n  end\nend\n",
    ),
    "a test in a block": (
        "ruby",
        "describe Tea do\n  [1].each do |x|\n    it 'boils' do\n      x\n    end\n  end\nend\n",
    ),
    "a text in a remark": ("ruby", "# f(<<~RUBY)\ndef g\n  1\nend\nx = <<~RUBY\n  1\nRUBY\n"),
    "a text in quotes": ("ruby", "x = 'f <<~RUBY'\ndef g\n  1\nend\ny = <<~RUBY\n  1\nRUBY\n"),
    "a text that ends further out": ("ruby", "def f\n  x = <<eos\nend\neos\n  1\nend\n\ndef g\nend\n"),
    "a class without a name": (
        "java",
        "class A {\n    void f() {\n        g(new B() {\n            int x = 1;\n            void h() {\n                i();\n            }\n        });\n    }\n}\n",
    ),
    "a class within": (
        "java",
        "class A {\n    void f() {\n        class B {\n            int x;\n        }\n    }\n}\n",
    ),
    "a constant with a body": (
        "java",
        "enum A {\n    B(1) {\n        int f() {\n            return 1;\n        }\n    };\n    abstract int f();\n}\n",
    ),
    "a record": ("java", "record A(int n) {\n    static int x = 1;\n    int f() {\n        return n;\n    }\n}\n"),
    "what a record checks": ("java", "record A(int n) {\n    A {\n        check(n);\n    }\n}\n"),
    "constants with one-line methods": (
        "java",
        'enum A {\n    PLUS("+") {\n        double f(int a) { return a; }\n    };\n}\n',
    ),
    "fields of a class without a name": (
        "java",
        "class A {\n    B b = new B(\n        1) {\n        int x = 1;\n    };\n}\n",
    ),
    "names on the next line": (
        "ruby",
        "class A\n  included do\n    delegate(\n      :a, to: :b\n    )\n    attr_reader *C, :d\n  end\nend\n",
    ),
    "a macro within": ("c", "int f(void)\n{\n#define A 1\n  return A;\n}\n"),
    "a struct within": ("c", "int f(void)\n{\n  struct a {\n    int b;\n  } x;\n  return 1;\n}\n"),
    "an end that is indented": ("c", "int f(int a) {\n    return a;\n }\n\nint g(int a) {\n    return a;\n}\n"),
    "two heads": ("c", "#ifdef A\nint f(int a) {\n#else\nint f(void) {\n#endif\n    return 1;\n}\nint x = 1;\n"),
    "a line of a macro": ("c", "#define A \\\nfoo(x)\n\nint y;\n"),
    "a head far from its body": ("c", "int\nmain(argc, argv)\n\n{\n  return 1;\n}\n"),
    "a head of old": ("c", "int\nf(a)\n\n  int a;\n{\n  return a;\n}\n"),
    "a remark in a macro": ("c", "FOO(x /* that\n)\n\n */)\n\nint y;\n"),
    "a constant": ("php", "<?php\nfunction f() {\n    define('A', 1);\n}\n"),
    "a function within of C#": (
        "csharp",
        "class A\n{\n    void F()\n    {\n        int x = G(1);\n\n        int G(int y)\n        {\n            return y;\n        }\n    }\n}\n",
    ),
    "functions within with tuples": (
        "csharp",
        "class A\n{\n    void F()\n    {\n        static Map<int, (int, int)> G(int y)\n            => y;\n        (int, int) H<T>(T z)\n        {\n            return z;\n        }\n    }\n}\n",
    ),
    "a function within what a method hands on": (
        "csharp",
        "class A\n{\n    int F()\n        => G(() =>\n        {\n            int H(int y)\n            {\n                return y;\n            }\n        });\n}\n",
    ),
    "a function of a call": ("csharp", "class A\n{\n    int x = F(y\n        => y + 1);\n    int z = 1;\n}\n"),
    "what a class is handed": (
        "csharp",
        "class A(\n    int x)\n    : B(x)\n{\n    int y = 1;\n    void F()\n    {\n    }\n}\n",
    ),
    "what extends a class": (
        "csharp",
        "static class A\n{\n    extension(string x)\n    {\n        public int F() => 1;\n    }\n}\n",
    ),
    "a text of C# with a brace": (
        "csharp",
        'class A\n{\n    void F()\n    {\n        var x = @"\n        {\n    }\n    ";\n        G();\n    }\n    int y = 1;\n}\n',
    ),
    "conditions in C#": (
        "csharp",
        "class A\n{\n    int F()\n        =>\n#if B\n            1;\n#else\n            2;\n#endif\n    void G()\n    {\n#if B\n        x();\n#endif\n    }\n}\n",
    ),
    "a heredoc": ("php", "<?php\nfunction f() {\n    $x = <<<EOT\n}\nEOT;\n    return $x;\n}\n"),
}


def language(name):
    return next(each for each in languages().values() if each.name == name)


def whole(source, name):
    """Read the tags of a source of which no body is left out."""
    return tags(source, language(name)._replace(bodies=()), references=False)


@pytest.mark.parametrize("name", LEFT_OUT)
def test_what_defines_nothing_is_left_out(name):
    text, inner = LEFT_OUT[name]
    name = name.partition(",")[0]
    for source in (text.encode(), text.replace("\n", "\r\n").encode(), text.rstrip().encode()):
        less = bodies.without(source, language(name).bodies)
        assert inner.encode() not in less
        assert less.count(b"\n") == source.count(b"\n")
        assert tags(source, language(name), references=False) == whole(source, name)
        assert whole(less, name) == whole(source, name)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_macro_without_a_semicolon_hides_nothing_behind_it(end):
    pairs = "".join(
        f"static int\ncmp{n}(const a_t *a, const a_t *b) {{\n  int r = 1;\n\n  return r;\n}}\n\n"
        f"rb_gen(static UNUSED, tree{n}_, tree_t, a_t,\n    link, cmp{n})\n\n"
        for n in range(3)
    )
    source = f"{pairs}static a_t *\nmake(tsd_t *tsd) {{\n  return new(\n    tsd);\n}}\n\nint\nlast(void) {{\n  return 1;\n}}\n"
    found = tags(source.replace("\n", end).encode(), language("c"), references=False).defs
    assert [f"{each.start}-{each.end} {each.name}" for each in found] == [
        *(f"{10 * n + 1}-{10 * n + 6} cmp{n}" for n in range(3)),
        "31-35 make",
        "37-40 last",
    ]


@pytest.mark.parametrize("what", STAYS)
def test_what_may_define_something_stays(what):
    name, text = STAYS[what]
    assert tags(text.encode(), language(name), references=False) == whole(text.encode(), name)


def test_every_language_that_leaves_something_out_is_asked_for_here():
    assert {each.name for each in languages().values() if each.bodies} <= set(LEFT_OUT)


def test_sources_of_our_own_have_the_same_tags():
    root = Path(__file__).parents[2]
    saved = total = 0
    for path in [*root.glob("assistant/**/*.py"), *root.glob("tests/**/*.py")]:
        source = path.read_bytes()
        assert tags(source, language("python"), references=False) == whole(source, "python"), path
        total += len(source)
        saved += len(source) - len(bodies.without(source, language("python").bodies))
    assert saved > total // 3


def test_a_source_that_is_broken_without_them_is_read_whole():
    source = b"def f():\n    x = (1,\n2)\n    y = [\n3]\n\n\ndef g():\n    pass\n"
    assert [each.name for each in tags(source, language("python"), references=False).defs] == ["f", "g"]
    assert tags(source, language("python"), references=False) == whole(source, "python")


@pytest.mark.parametrize(
    "text",
    [
        b"def f(a" + b"(b)" * 20_000,
        b"def f[a](" + b"[](]" * 10_000,
        b"def f(a\n" + b"  b)\n" * 10_000,
        b"def f(\n" * 10_000,
    ],
)
def test_a_source_made_to_take_long_takes_no_time(text):
    begun = time.process_time()
    for name in ("python", "kotlin"):
        bodies.without(text.replace(b"def", b"fun") if name == "kotlin" else text, language(name).bodies)
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize(
    ("name", "opens", "line", "closes"),
    [
        ("ruby", "", "x = <<~A\n", ""),
        ("ruby", "def f\n", "  x = <<a\n", "end\n"),
        ("ruby", "", "a do |x|\n  y\n", ""),
        ("ruby", "def f\n", "  A::B c\n", "end\n"),
        ("c", "", "int f(a)\n{\n", ""),
        ("c", "int f(a)\n{\n", "  struct a b c d", "\n}\n"),
        ("c", "int f(a)\n{\n", "#if a\n", "}\n"),
        ("c", "", "a(b\n", ""),
        ("c", "a(", "(b)\n", ""),
        ("c", "", "a()\n\n", "{"),
        ("c", "a()\n", "\n", "{"),
        ("java", "void f() {\n", "  new a (", "\n}\n"),
        ("java", "void f() {\n", "  a.b<c> d e(", "\n}\n"),
        ("java", "", "a b() {\n  c\n", ""),
        ("csharp", "", "a(b\n", ""),
        ("csharp", "a(\n", "    a b c(\n", "{"),
        ("csharp", "a(b)\n", "    => c\n", ""),
        ("csharp", "", "a(b)\n    => c\n", ""),
        ("csharp", "a(b)\n{\n", "    a b<c> (d) e ", "\n}\n"),
        ("csharp", "a(b)\n    => c\n", "\n", ""),
        ("csharp", "", "a(b)\n{\n", ""),
        ("csharp", "", "(a)", ""),
    ],
)
def test_lines_made_to_be_looked_at_again_and_again_take_no_time(name, opens, line, closes):
    source = (opens + line * (300_000 // len(line)) + closes).encode()
    begun = time.process_time()
    bodies.without(source, language(name).bodies)
    assert time.process_time() - begun < 2  # what grows with the square takes a minute


def test_bodies_in_bodies_without_end_are_read_as_they_are():
    source = "".join(f"{' ' * at}foo do\n{' ' * at} X{at} = 1\n" for at in range(800))
    source += "".join(f"{' ' * at}end\n" for at in reversed(range(800)))
    less = bodies.without(source.encode(), language("ruby").bodies)
    assert less.count(b"\n") == source.count("\n")
    assert b"X799 = 1" in less
