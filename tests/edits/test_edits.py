"""From a reply to the disk and back: parsing, matching, writing, undoing."""

import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.edits import disk
from assistant.edits.edit import Edit, Misfit
from assistant.edits.format import open_parser
from assistant.edits.journal import Journal
from assistant.edits.match import fit
from assistant.edits.patch import FilePatch, Patch
from assistant.errors import OutsideRoot, PatchError, Stale, Unwritable
from tests.edits.turning import redo, undo

NOW = datetime(2026, 11, 24, tzinfo=UTC)
HEAD, MID, TAIL = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"


def block(path, old, new):
    return f"{path}\n```\n{HEAD}\n{old}{MID}\n{new}{TAIL}\n```\n"


def parse(reply, step=None):
    parser = open_parser()
    found = []
    for at in range(0, len(reply), step or len(reply) or 1):
        found += parser.feed(reply[at : at + (step or len(reply))])
    return found + parser.close()


def run(reply, files):
    """Apply a reply to files in memory; returns the files after and the misfits."""
    found = parse(reply)
    data = {path: (body if isinstance(body, bytes) else body.encode(), 0o644) for path, body in files.items()}
    fitted = fit([each for each in found if isinstance(each, Edit)], data.get)
    after = {path: body for path, (body, _) in data.items()}
    for file in fitted.patch.files:
        after.pop(file.path, None)
        if file.after is not None:
            after[file.target] = file.after
    return {path: body.decode("utf-8", "replace") for path, body in after.items()}, [
        *(each for each in found if isinstance(each, Misfit)),
        *fitted.misfits,
    ]


CODE = "def boil(water):\n    if water:\n        return 100\n    return 0\n\n\ndef cool(water):\n    return 20\n"


@pytest.mark.parametrize(
    "reply",
    [
        block("a.py", "    return 20\n", "    return 21\n"),
        block("**`a.py`**", "    return 20\n", "    return 21\n"),
        f"```python\na.py\n{HEAD}\n    return 20\n{MID}\n    return 21\n{TAIL}\n```\n",
        block("a.py", "return 20\n", "return 21\n"),
        block("a.py", "        return 20\n", "        return 21\n"),
        block("a.py", "    return 20   \n", "    return 21\n"),
        "```diff\n--- a/a.py\n+++ b/a.py\n@@ -7,2 +7,2 @@\n def cool(water):\n-    return 20\n+    return 21\n```\n",
        "--- a.py\n+++ a.py\n@@\n def cool(water):\n-    return 20\n+    return 21\n",
        "diff --git a/a.py b/a.py\nindex 1..2 100644\n--- a/a.py\n+++ b/a.py\n@@ -99,7 +99,9 @@\n def cool(water):\n"
        "-    return 20\n+    return 21\n",
        "Sure.\n*** Begin Patch\n*** Update File: a.py\n@@ def cool(water):\n-    return 20\n+    return 21\n*** End Patch\n",
        "a.py\n```python\n" + CODE.replace("20", "21") + "```\n",
    ],
)
def test_the_same_wish_in_every_notation(reply):
    if "-99" in reply:  # the header's counts are wrong, so the end must be marked by a fence
        reply = f"```diff\n{reply}```\n"
    after, misfits = run(reply, {"a.py": CODE})
    assert misfits == []
    assert after == {"a.py": CODE.replace("20", "21")}


@pytest.mark.parametrize("step", [1, 7, 64])
def test_a_reply_reads_the_same_however_it_is_cut(step):
    reply = "Words.\n" + block("a.py", "x\n", "y\n") + "\nb.py\n```\nnew\n```\n--- a/c\n+++ b/c\n@@ -1 +1 @@\n-a\n+b\n"
    assert parse(reply, step) == parse(reply)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (block("a.py", "    return 5\n", "    return 6\n"), "not_found"),
        (block("b.py", "    return 20\n", "    return 6\n"), "no_file"),
        (block("a.py", "", "hello\n"), "exists"),
        (block("a.py", "(water):\n", "(x):\n"), "not_found"),
        (f"a.py\n```\n{HEAD}\n    return 20\n{MID}\n    return 2", "incomplete"),
        ("a.py\n```\nprint(1)\n", "incomplete"),
        ("a.py\n```python\n# ... rest of the file\n```\n", "elided"),
        ("*** Begin Patch\n*** Update File: a.py\n-    return 20\n+    return 21\n", "incomplete"),
        (block("a.py", "def cool(water):\n", "def cool(water):\n    return 20\n"), "already"),
        (
            block("a.py", "    return 20\n", "    return 1\n") + block("a.py", "    return 20\n", "    return 2\n"),
            "conflict",
        ),
        (
            block("a.py", "def cool(water):\n    return 20\n", "def cool(water):\n    # ... existing code ...\n"),
            "elided",
        ),
        (
            block("a.py", "    if water:\n", "    if tea:\n") + block("a.py", "    if tea:\n", "    if milk:\n"),
            "conflict",
        ),
        (
            block(
                "a.py",
                "def bowl(water):\n    if water:\n        return 100\n",
                "def bowl(water):\n    if water:\n        return 1\n",
            ),
            "not_found",
        ),
        (
            "*** Begin Patch\n*** Delete File: a.py\n*** Update File: a.py\n-    return 20\n+    return 2\n*** End Patch\n",
            "conflict",
        ),
        ("--- a/a.py\n+++ b/a.py\nBinary files a/a.py and b/a.py differ\n", "malformed"),
        ("*** Begin Patch\n*** Add File: a.py\n+x\n*** End Patch\n", "exists"),
    ],
)
def test_what_must_be_refused(reply, reason):
    after, misfits = run(reply, {"a.py": CODE})
    assert [each.reason for each in misfits] == [reason]
    assert misfits[0].message


def test_two_places_are_refused_and_both_are_named():
    _, misfits = run(block("a.py", "x = 1\n", "x = 2\n"), {"a.py": "x = 1\ny\nx = 1\n"})
    assert misfits[0].reason == "ambiguous"
    assert [each.start for each in misfits[0].candidates] == [1, 3]


def test_an_anchor_tells_two_places_apart():
    body = "class A:\n    def f(self):\n        return 1\n\nclass B:\n    def f(self):\n        return 1\n"
    reply = "*** Begin Patch\n*** Update File: a.py\n@@ class B:\n-        return 1\n+        return 2\n*** End Patch\n"
    after, misfits = run(reply, {"a.py": body})
    assert not misfits
    assert after["a.py"] == body[::-1].replace("1", "2", 1)[::-1]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\r\nb\r\nc\r\n", b"a\r\nB\r\nc\r\n"),
        (b"\xef\xbb\xbfb\nc", b"\xef\xbb\xbfB\nc"),
        (b"a\nb", b"a\nB"),
        (b"caf\xe9\nb\n", b"caf\xe9\nB\n"),
        (
            "a\nb\nc\n".encode("utf-16-le").join([b"\xff\xfe", b""]),
            "a\nB\nc\n".encode("utf-16-le").join([b"\xff\xfe", b""]),
        ),
        (b"a  \nb\nc\t\r\n", b"a  \nB\nc\t\r\n"),
    ],
)
def test_bytes_outside_the_change_are_kept(before, after):

    fitted = fit([Edit("replace", "f", "b\n", "B\n")], {"f": (before, 0o755)}.get)
    (file,) = fitted.patch.files
    assert (file.after, file.mode_after) == (after, 0o755)


def test_a_file_in_another_encoding_takes_no_new_umlauts():
    fitted = fit([Edit("replace", "f", "b\n", "ü\n")], {"f": (b"caf\xe9\nb\n", 0o644)}.get)
    assert not fitted.patch.files
    assert fitted.misfits[0].reason == "unreadable"


def test_a_slip_in_the_context_is_never_written():
    body = "def f():\n    total = compute(alpha)\n    print(total)\n    return total\n"
    reply = block(
        "a.py",
        "def f():\n    total = compute(alhpa)\n    print(total)\n    return total\n",
        "def f():\n    total = compute(alhpa)\n    log(total)\n    return total\n",
    )
    after, misfits = run(reply, {"a.py": body})
    assert not misfits
    assert after["a.py"] == body.replace("print", "log")


def test_creation_deletion_and_rename():
    reply = (
        "*** Begin Patch\n*** Add File: new/x.py\n+one\n*** Delete File: old.py\n*** Update File: a.py\n"
        "*** Move to: b.py\n@@\n-x\n+y\n*** End Patch\n"
    )
    after, misfits = run(reply, {"old.py": "gone\n", "a.py": "x\n"})
    assert not misfits
    assert after == {"new/x.py": "one\n", "b.py": "y\n"}


LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"\n", b"c\r\n", b"dd\n", b"e"]), max_size=12)


@settings(deadline=None, max_examples=150)
@given(LINES, LINES)
def test_keep_all_is_the_patch(old, new):
    patch = Patch((FilePatch("f", b"".join(old), b"".join(new), 0o644, 0o644),))
    if not patch.files[0].changes:
        return
    assert patch.keep(patch.hunks) == patch
    assert patch.keep([part for hunk in patch.hunks for part in hunk.split()]) == patch
    taken, left = patch.part(patch.hunks[:1], patch.hunks[1:])
    assert (left.files or taken.files)[0].after == b"".join(new)
    edited = [hunk.with_text(hunk.new_text) for hunk in patch.hunks]
    assert sum(map(len, (hunk.new for hunk in edited))) == sum(map(len, (hunk.new for hunk in patch.hunks)))


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="<>=-+@* `~#/abc.\n\r", max_size=300), st.integers(1, 9))
def test_no_reply_raises(reply, step):
    found = parse(reply, step)
    fit([each for each in found if isinstance(each, Edit)], lambda _: (b"a\nb\nc\n", 0o644))


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "../x", "a/../../x", ".git/config", ".GIT/config", ".g\u200cit/config", "sub/.git/x", "git~1/x",
        "link/x", "link", "C:/x", "a\\b", "~/x", "", ".", "a//b", "x\n", ".git./x", ".git /x", "nested/x",
        "a/", "x::stream",
    ],
)  # fmt: skip
def test_no_path_leads_out(tmp_path, path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    (root / "nested" / ".git").mkdir(parents=True)
    with pytest.raises(OutsideRoot):
        disk.read(root, path)


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    for index in range(20):
        (root / f"f{index}.txt").write_text(f"one\ntwo\nthree\n{index}\n")
    return root, Journal(tmp_path / "journal", root)


def change(root, old=b"two", new=b"2"):
    files = []
    for path in sorted(root.glob("f*.txt")):
        data = path.read_bytes()
        files.append(FilePatch(path.name, data, data.replace(old, new), 0o644, 0o644))
    return Patch((*files, FilePatch("made/here.txt", None, b"new\n", None, 0o644)))


def state(root):
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_undo_and_redo_after_a_restart(tree):
    root, journal = tree
    before = state(root)
    journal.apply(change(root), label="x", now=NOW)
    after = state(root)
    assert after["f3.txt"] == b"one\n2\nthree\n3\n"
    again = Journal(journal.folder, root)
    undo(again, now=NOW)
    assert state(root) == before
    assert not (root / "made").exists()
    redo(again, now=NOW)
    assert state(root) == after
    undo(again, now=NOW)
    with pytest.raises(PatchError):
        undo(again, now=NOW)


def test_undo_keeps_what_was_typed_since_or_refuses(tree):
    root, journal = tree
    journal.apply(change(root), label="x", now=NOW)
    typed = (root / "f0.txt").read_text() + "mine\nmine too\n"
    (root / "f0.txt").write_text(typed)
    undo(journal, now=NOW)
    assert (root / "f0.txt").read_text() == typed.replace("2\n", "two\n", 1)
    redo(journal, now=NOW)
    (root / "f1.txt").write_text("all else\n")
    before = state(root)
    with pytest.raises(Stale):
        undo(journal, now=NOW)
    assert state(root) == before


def test_a_changed_file_stops_the_whole_patch(tree):
    root, journal = tree
    patch = change(root)
    (root / "f19.txt").write_text("typed\n")
    before = state(root)
    with pytest.raises(Stale):
        journal.apply(patch, label="x", now=NOW)
    assert state(root) == before


def test_a_failing_write_puts_everything_back(tree):
    root, journal = tree
    patch = Patch((*change(root).files, FilePatch("f0.txt/child", None, b"x", None, 0o644)))
    before = state(root)
    with pytest.raises((Unwritable, PatchError)):
        journal.apply(patch, label="x", now=NOW)
    assert state(root) == before


KILLED = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from assistant.edits.journal import Journal
from assistant.edits.patch import FilePatch, Patch
root = Path(sys.argv[1])
journal = Journal(Path(sys.argv[2]), root)
files = [FilePatch(p.name, p.read_bytes(), p.read_bytes().replace(b"two", b"2"), 0o644, 0o644) for p in sorted(root.glob("f*.txt"))]
patch = Patch((*files, FilePatch("made/here.txt", None, b"new", None, 0o644)))
print("ready", flush=True)
sys.stdin.readline()
journal.apply(patch, label="x", now=datetime(2026, 1, 1, tzinfo=UTC))
print("done", flush=True)
"""


@pytest.mark.parametrize("seed", range(24))
def test_kill_nine_never_leaves_a_mixed_tree(tree, seed):
    root, journal = tree
    before = state(root)
    argv = [sys.executable, "-c", KILLED, str(root), str(journal.folder)]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout and child.stdin
    child.stdout.readline()
    child.stdin.write("go\n")
    child.stdin.flush()
    time.sleep(random.Random(seed).uniform(0, 0.02))
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdin.close()
    child.stdout.close()
    journal.recover()
    now = state(root)
    assert now in (before, {**{k: v.replace(b"two", b"2") for k, v in before.items()}, "made/here.txt": b"new"})
    if journal.history():
        undo(journal, now=NOW)
        assert state(root) == before


def test_the_text_of_a_whole_file_may_not_do_away_with_lines_that_the_model_was_not_shown():
    reply = "a.py\n```\ndef boil(water):\n    return 99\n```\n"
    edits = [each for each in parse(reply) if isinstance(each, Edit)]
    files = {"a.py": (CODE.encode(), 0o644)}
    part = {line.strip() for line in CODE.split("\n")[:4]}
    fitted = fit(edits, files.get, shown=part)
    (misfit,) = fitted.misfits
    assert (misfit.reason, fitted.patch.files) == ("unseen", ())
    assert "2 lines" in misfit.message
    assert "line 7: 'def cool(water):'" in misfit.message
    assert misfit.candidates[0].text == CODE
    assert "@path" in misfit.hint
    whole = {line.strip() for line in CODE.split("\n")}
    assert fit(edits, files.get, shown=whole).patch.files[0].after == b"def boil(water):\n    return 99\n"


@pytest.mark.parametrize("mark", [f"{MID}\n", f"{TAIL}\n", f"a = 1\nb = 1\nc = 1\nd = 1\n{HEAD}\n"])
def test_half_an_edit_block_is_not_the_text_of_a_file(mark):
    after, misfits = run(f"a.py\n```\n{mark}x = 2\n```\n", {"a.py": "x = 1\n"})
    assert after == {"a.py": "x = 1\n"}
    assert [each.reason for each in misfits] == ["malformed"]
    assert run(f"a.md\n```\n{MID}\nTitle\n{MID}\n```\n", {})[0] == {"a.md": f"{MID}\nTitle\n{MID}\n"}


def test_a_block_names_its_file_as_the_context_does():
    for name in ("a.py:1-8", "<a.py:1-8>", "a.py:7", "**a.py:L1-L8**"):
        after, misfits = run(block(name, "    return 20\n", "    return 21\n"), {"a.py": CODE})
        assert (after["a.py"], misfits) == (CODE.replace("20", "21"), [])
    # A quotation of some lines is not the text of the file.
    assert run("a.py:7-8\n```\ndef cool(water):\n    return 20\n```\n", {"a.py": CODE})[0] == {"a.py": CODE}


def test_a_whole_file_said_twice_is_written_once_and_two_texts_are_a_conflict():
    said = "a.py\n```\nx = 2\n```\n"
    assert run(said + said, {"a.py": "x = 1\n"}) == ({"a.py": "x = 2\n"}, [])
    after, misfits = run(said + said.replace("2", "3"), {"a.py": "x = 1\n"})
    assert [each.reason for each in misfits] == ["conflict"]


def test_dots_of_a_doctest_stand_for_nothing():
    text = 'def f(x):\n    """Do.\n\n    >>> for y in f(x):\n    ...     print(y)\n    ...\n    1\n    >>> f(3)\n    ...\n    """\n    return [x]\n'
    assert run(f"new.py\n```\n{text}```\n", {}) == ({"new.py": text}, [])
    assert [each.reason for each in run("new.py\n```\nx = 1\n...\n```\n", {})[1]] == ["elided"]


def test_edits_that_only_fit_what_the_reply_wrote_are_looked_for_so_often_and_then_refused():
    lines = [f"line {number}\n" for number in range(100_000)]
    data = "".join(lines).encode()
    edits = []
    for number in range(0, 24, 2):
        edits.append(Edit("replace", "a.txt", lines[number], f"LINE {number}\n", reply_line=2 * number + 1))
        edits.append(Edit("replace", "a.txt", f"nowhere {number}\n", "x\n", reply_line=2 * number + 2))
    fitted = fit(edits, {"a.txt": (data, 0o644)}.get)
    assert len(fitted.misfits) == 12
    assert "too many edits" in fitted.misfits[-1].message
    assert "line 46" in fitted.misfits[-1].message
    (changed,) = fitted.patch.files
    assert changed.after.count(b"LINE") == 12


def test_what_is_refused_says_what_to_do_in_its_own_words():
    def read(path):
        raise OutsideRoot(f"{path!r} lies in another repository (sub).", "Open Wattson there to edit it.", path=path)

    (misfit,) = fit([Edit("replace", "sub/a.txt", "a\n", "b\n", reply_line=7)], read).misfits
    assert misfit.message == "'sub/a.txt' lies in another repository (sub) (line 7 of the reply)."
    assert misfit.hint == "Open Wattson there to edit it."


def test_a_thousand_files_are_moved_and_two_never_to_one_name():
    files = {f"a/{number}.txt": (b"x\n", 0o644) for number in range(1_000)}
    edits = [Edit("rename", name, new_path=name.replace("a/", "b/"), reply_line=1) for name in files]
    edits.append(Edit("rename", "c.txt", new_path="b/7.txt", reply_line=9))
    fitted = fit(edits, {**files, "c.txt": (b"y\n", 0o644)}.get)
    assert len(fitted.patch.files) == 1_000
    assert [each.message for each in fitted.misfits] == [
        "c.txt: Two files would be moved to b/7.txt (line 9 of the reply)."
    ]


def test_quotes_made_curly_in_prose_of_another_language_are_made_plain_again():
    files = {"a.md": "Pydantic'nin özelliği — daha iyi.\n\nSchema'ları Ayırma\n"}
    before = "Pydantic’nin özelliği — daha iyi.\n\nSchema’ları Ayırma\n"
    tree, misfits = run(block("a.md", before, before.replace("Ayırma", "Ayırmayın — hiç")), files)
    assert not misfits
    assert tree["a.md"] == "Pydantic'nin özelliği — daha iyi.\n\nSchema'ları Ayırmayın — hiç\n"


def test_where_some_curly_quotes_are_the_files_own_a_new_line_with_one_is_refused():
    files = {"a.md": "Pydantic'nin ‘özelliği’ ve client’lar.\n\nBir\n"}
    before = "Pydantic’nin ‘özelliği’ ve client’lar.\n\nBir\n"
    tree, misfits = run(block("a.md", before, before.replace("Bir", "Bir’in")), files)
    assert misfits
    assert tree == files


def test_curly_quotes_beside_ticks_in_code_are_refused():
    old = "  end\nend\n"
    new = "  end\n\n  it ’parses an `and` in an `or`’ do\n  end\nend\n"
    assert run(block("a_spec.rb", old, new), {"a_spec.rb": old})[1]
    new = "  end\n  return `it’s ${old}`\nend\n"
    assert not run(block("a_spec.js", old, new), {"a_spec.js": old})[1]


def test_a_new_line_is_not_placed_where_the_file_indents_by_tabs_and_blanks_and_the_reply_only_by_blanks():
    old = "    flags=()\n`)\n\tnames := 1\n"
    diff = (
        '--- a/a.go\n+++ b/a.go\n@@ -1,3 +1,4 @@\n     flags=()\n `)\n+    write(buf, "    flags=1")\n     names := 1\n'
    )
    tree, misfits = run(diff, {"a.go": old})
    assert misfits
    assert tree == {"a.go": old}
    old = "\twrite(`\n    if x\n`)\n"
    assert run(block("a.go", old.expandtabs(4), "    write(`\n    set\n    if x\n`)\n"), {"a.go": old})[1]


def test_two_edits_that_say_different_things_of_the_same_lines_are_a_conflict():
    reply = block("a.go", "package a\n\n", "// new\n\npackage a\n\n") + block("a.go", "package a\n\n", "package b\n\n")
    tree, misfits = run(reply, {"a.go": "package a\n\nfunc f() {}\n"})
    assert [each.reason for each in misfits] == ["conflict"]
    assert "that the one at line 3 has changed" in misfits[0].message


@pytest.mark.parametrize(
    ("name", "file", "new", "fits"),
    [
        ("a.go", "func f() {\n\ta\n\tb\n\tc\n}\nvar x\n", "var x\nconst (\n  y\n)\n", False),
        ("a.py", "def f():\n    a\n    b\n    c\nvar x\n", "def g():\n\treturn 1\nvar x\n", False),
        ("a.go", "func f() {\n\ta\n\tb\n\tc\n}\nvar x\n", "var x\nconst (\n\ty\n)\n", True),
        ("a.go", "func f() {\n\ta\n    b\n\tc\n\td\n}\nvar x\n", "var x\nconst (\n  y\n)\n", True),
        ("a.md", "* a\n    b\n    c\n    d\nvar x\n", "var x\n\tcode\n", True),
    ],
)
def test_blanks_that_the_file_never_indents_by_are_not_brought_in_unseen(name, file, new, fits):
    tree, misfits = run(block(name, "var x\n", new), {name: file})
    assert bool(misfits) != fits
    assert (tree[name] != file) == fits
