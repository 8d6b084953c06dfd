"""Sources that a grammar does not know all of: what they define is found all the same, and where."""

import re
import time

import pytest

from assistant.context.language import language_of
from assistant.context.tags import tags


def defs(path, source):
    return [
        f"{tag.kind} {tag.start}-{tag.end} {tag.name}"
        for tag in tags(source.encode(), language_of(path), references=False).defs
    ]


METHOD = "    public int {0}()\n    {{\n        return 1;\n    }}\n"


@pytest.mark.parametrize(
    "unknown",
    [
        "    public async Task A(bool async)\n    {\n        x = async ? await y : z;\n    }\n",
        "    public async Task A(bool async)\n    {\n        if (async)\n        {\n        }\n    }\n",
        "    public Task A(bool async) =>\n        Run(async, async async => await y);\n",
        "    public B A(bool async)\n        : this(async, 1)\n    {\n    }\n",
        "    public void A()\n    {\n        a?.b = c;\n    }\n",
        "    public void A()\n    {\n        if (x is B and C or D)\n        {\n        }\n    }\n",
        "    public void A()\n    {\n        a = b with { P = static e => 1 };\n    }\n",
        "    public void A()\n        => a?.b = c;\n",
    ],
)
def test_what_the_grammar_of_csharp_does_not_know_takes_nothing_of_its_file(unknown):
    source = "namespace N;\n\nclass C\n{\n" + METHOD.format("First") + 40 * unknown + METHOD.format("Last") + "}\n"
    for text in (source, source.replace("\n", "\r\n")):
        found = defs("a.cs", text)
        last = source.count("\n")
        assert found[:3] == ["module 1-1 N", f"class 3-{last} C", "method 5-8 First"]
        assert found[-1] == f"method {last - 4}-{last - 1} Last"
        assert len(found) == 44


def test_what_an_error_has_swallowed_is_read_by_its_lines():
    source = (
        "public sealed partial class C : B\n{\n"
        + METHOD.format("First")
        + "    void f() { if (a { } }\n"
        + "    public static readonly int Limit = 3;\n"
        + "    private static Dictionary<string, int> Made<T>(\n        int x)\n        => null;\n"
        + "    [Fact]\n    protected internal struct Inner\n    {\n        public int Size { get; set; }\n    }\n}\n"
    )
    assert defs("a.cs", source) == [
        "class 1-17 C", "method 3-6 First", "field 8-8 Limit", "method 9-11 Made", "struct 13-16 Inner", "field 15-15 Size",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (
            "class Cold(d: Sink) : Sink by d {\n  private var a = 1\n  val b = 2\n  companion object { const val MAX = 3 }\n  fun f() {}\n}\n",
            ["class 1-6 Cold", "field 2-2 a", "field 3-3 b", "field 4-4 MAX", "method 5-5 f"],
        ),
        (
            "class VM(\n  s: Repo,\n) : ViewModel(), Logger by LoggerImpl(s(1)) {\n  private val _state = f(1)\n  val state = _state\n}\n",
            ["class 1-6 VM", "field 4-4 _state", "field 5-5 state"],
        ),
        ("@Api\nconst val A = 1\n@Api const val B = 2\n", ["constant 1-2 A", "constant 3-3 B"]),
        ("@Target(A.B)\n@MustBe\nannotation class Tea\n", ["class 1-3 Tea"]),
        ("@A\nenum class E { F }\n", ["enum 1-2 E", "member 2-2 F"]),
        ("class A\n  @R(37)\n  internal constructor() : B {\n    fun f() {}\n  }\n", ["class 1-5 A", "method 4-4 f"]),
        ("class A {\n  val x: B by lazy {\n    C()\n  }\n  val y = 1\n}\n", ["class 1-6 A", "field 2-4 x", "field 5-5 y"]),
    ],
)  # fmt: skip
def test_what_the_grammar_of_kotlin_takes_for_something_else_is_defined(source, wanted):
    for end in ("\n", "\r\n"):
        found = [each for each in defs("a.kt", source.replace("\n", end)) if "Companion" not in each]
        assert [each for each in found if each in wanted] == wanted


def test_the_annotation_of_a_constructor_of_kotlin_is_looked_for_from_its_class_alone():
    language = language_of("a.kt")
    (what,) = (each for each in language.masks if "constructor" in each and each.startswith("(class"))
    begun = "class a<" * 50
    found = re.search(what, f"{begun}class Pot<in T : Any, R>\n  @R(37)\n  internal constructor()")
    # No class is looked through to the end of its line: a line may begin thousands.
    assert found.start() == len(begun)


def test_properties_in_an_error_of_kotlin_are_no_variables_of_its_functions():
    source = "class S {\n  private var set: Int = 0\n  val size: Int\n    get() = f(set + 1)\n  fun f(x: Int): Int {\n    val y = x\n    if (set and set != 0) return 1\n    return y\n  }\n  private val z = 1\n}\n"
    names = [each.split()[-1] for each in defs("a.kt", source)]
    assert {"S", "set", "size", "f", "z"} <= set(names)
    assert "y" not in names


def test_a_source_made_to_break_takes_no_time():
    begun = time.process_time()
    for line in ("public a.b<c> d e ", "    [a] [b] public (", "@A ", "class A @A(", " by a(b(", "fun <a "):
        for path in ("a.cs", "a.kt"):
            tags(("}}}}\n" + line * (60_000 // len(line)) + "\n").encode(), language_of(path), references=False)
            tags(("}}}}\n" + (line + "\n") * (60_000 // len(line))).encode(), language_of(path), references=False)
    assert time.process_time() - begun < 5  # what grows with the square takes a minute


SQL = {
    "mysql": (
        "DELIMITER //\nCREATE DEFINER=`root`@`%` PROCEDURE a(IN m INT)\nBEGIN\n  DECLARE x INT;\n  IF m THEN SET x = 1; END IF;\n"
        "  SELECT CASE m WHEN 1 THEN 2 END;\nEND //\nCREATE ALGORITHM=UNDEFINED DEFINER=`r`@`h` SQL SECURITY DEFINER VIEW `b` AS SELECT 1;\n",
        ["function 2-7 a", "view 8-8 b"],
    ),
    "a dump of mysql": (
        "/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`h`*/ /*!50003 TRIGGER `a` BEFORE INSERT ON `t` FOR EACH ROW BEGIN\n  SET x = 1;\n  SET y = 2;\nEND */;;\nCREATE TABLE b (x int);\n",
        ["trigger 1-4 a", "table 5-5 b"],
    ),
    "sqlite": (
        "CREATE TRIGGER a AFTER UPDATE ON u\nBEGIN\n  UPDATE u SET x = 1;\n  INSERT INTO l VALUES (1);\nEND;\nINSERT INTO x VALUES (1);\n",
        ["trigger 1-5 a"],
    ),
    "postgres": (
        "CREATE FUNCTION a() RETURNS int\nLANGUAGE plpgsql AS '\nBEGIN\n  PERFORM ''x'';\n  RETURN 2;\nEND';\n"
        "CREATE FUNCTION b() RETURNS int AS\n$$\n  SELECT 1;\n$$ LANGUAGE sql;\nCREATE FUNCTION c(x int) RETURNS int\nBEGIN ATOMIC\n  SELECT x;\n  SELECT 2;\nEND;\n"
        "CREATE TYPE d AS\n  ENUM ('x');\nSELECT 1;\nCREATE TRIGGER e AFTER INSERT ON t\n  EXECUTE FUNCTION a();\nSELECT 1;\n",
        ["function 1-6 a", "function 7-10 b", "function 11-15 c", "type 16-17 d", "trigger 19-20 e"],
    ),
    "transact": (
        "CREATE OR ALTER PROCEDURE dbo.a @id int AS\nBEGIN\n  -- don't\n  BEGIN TRANSACTION;\n  CREATE TABLE #t (x int);\n  UPDATE x SET a = 1;\nEND\nGO\n"
        "CREATE PROC [dbo].[b]\nAS\nSET NOCOUNT ON;\nSELECT 1;\nGO\nCREATE PROC c AS\nBEGIN TRY\n  SELECT 1;\nEND TRY\nBEGIN CATCH\n  THROW;\nEND CATCH\nGO\nSELECT 2;\n",
        ["function 1-7 a", "function 9-12 b", "function 14-20 c"],
    ),
    "oracle": (
        "create or replace package body billing as\n  procedure charge is begin null; end;\nend billing;\n/\ncreate or replace editionable procedure p is\n  v number;\n  w number;\nbegin\n  v := 1;\nend;\n/\ncreate table t (x int);\n",
        ["module 1-3 billing", "function 5-10 p", "table 12-12 t"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("dialect", SQL)
def test_what_a_script_creates_ends_where_its_dialect_ends_it(dialect):
    source, wanted = SQL[dialect]
    for text in (source, source.replace("\n", "\r\n")):
        assert defs("a.sql", text) == wanted


def test_what_stands_in_a_remark_of_several_lines_is_not_created():
    text = "/*\ncreate table old (\n  a int);\n*/\ncreate table tea (\n  /* was:\ncreate table pot (a int);\n  */\n  a int\n);\n/* one */\ncreate table cup (a int);\n"
    assert defs("a.sql", text) == ["table 5-10 tea", "table 12-12 cup"]
