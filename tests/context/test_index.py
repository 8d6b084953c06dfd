"""The index: read in a child, kept by blob id, used while partial, begun anew when damaged."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from assistant.context import history, index, indexer, terms
from assistant.context.index_store import DEFINED, NAMED, Batch, Damaged, Store
from assistant.context.listing import FileFact
from assistant.context.pack import pack
from assistant.context.repo import Repo
from assistant.context.tags import Tag, Tags
from assistant.errors import StateError


def write(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_py", ".py").replace("_js", ".js").replace("_md", ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def look(root, tmp_path, **more):
    return index.refresh(
        Repo.open(root), Repo.open(root).files(), tmp_path / "state" / "tags.sqlite", timeout_s=60, **more
    )


def test_words_of_bodies_names_and_comments_lead_to_their_files(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def boil_water():\n    # kettles are heated\n    return pour()\n", b_md="the kettle\n")
    found = look(root, tmp_path)
    by_id = {each: paths[0] for each, paths in found.paths.items()}
    held = found.lookup(["kettl", NAMED + "boil", DEFINED + "boil_water", "nothing"])
    assert {by_id[each] for each in held["kettl"]} == {"a.py", "b.md"}
    assert [by_id[each] for each in held[NAMED + "boil"]] == ["a.py"]
    assert [by_id[each] for each in held[DEFINED + "boil_water"]] == ["a.py"]
    assert "nothing" not in held
    assert [tag.name for tag in found.tags(["a.py"])["a.py"].defs] == ["boil_water"]
    found.close()


def test_a_file_that_changed_is_read_again_and_the_old_one_is_not_found(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def before(): pass\n", b_py="def other(): pass\n")
    look(root, tmp_path).close()
    write(root, a_py="def afterwards(): pass\n")
    found = look(root, tmp_path)
    assert not found.lookup([DEFINED + "before"]).get(DEFINED + "before")
    assert found.lookup([DEFINED + "afterwards"])[DEFINED + "afterwards"]
    assert found.unread == 0
    found.close()


def test_a_file_with_a_line_feed_in_its_name_is_read_like_any_other(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def one(): pass\n")
    (root / "new\nline.py").write_text("def two(): pass\n")
    found = look(root, tmp_path)
    assert found.unread == 0
    assert found.homes("two") == ["new\nline.py"]
    found.close()


def test_what_is_known_is_not_read_again(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def one(): pass\n")
    look(root, tmp_path).close()
    place = index.place(tmp_path / "state" / "tags.sqlite", root)
    with Store(place, indexer.version()) as store:
        before = store.files()
    look(root, tmp_path).close()
    with Store(place, indexer.version()) as store:
        assert store.files() == before


def test_equal_files_share_one_entry(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def same(): pass\n", b_py="def same(): pass\n")
    found = look(root, tmp_path)
    assert sorted(next(iter(found.paths.values()))) == ["a.py", "b.py"]
    found.close()


@pytest.mark.parametrize("damage", [b"", b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5_000])
def test_a_damaged_index_is_set_aside_and_made_anew(tmp_path, damage):
    root = tmp_path / "r"
    write(root, a_py="def one(): pass\n")
    look(root, tmp_path).close()
    place = index.place(tmp_path / "state" / "tags.sqlite", root)
    for suffix in ("-wal", "-shm"):
        place.with_name(place.name + suffix).unlink(missing_ok=True)
    place.write_bytes(damage)
    found = look(root, tmp_path)
    assert found.lookup([DEFINED + "one"])[DEFINED + "one"]
    found.close()
    if damage:
        assert place.with_name(place.name + ".aside").read_bytes() == damage


def _flip(place, start, step):
    """Turn single bytes of an index around, as a disk may, and leave its head whole."""
    base = sqlite3.connect(place)
    base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
    data = bytearray(place.read_bytes())
    for at in range(start, len(data), step):
        data[at] ^= 0xFF
    place.write_bytes(data)


@pytest.mark.parametrize("start", [4_096, 4_700, 5_300, 8_192, 20_480])
@pytest.mark.parametrize("step", [3_000, 101])
def test_an_index_in_which_bytes_have_flipped_is_set_aside_by_the_question_that_meets_them(tmp_path, start, step):
    root, cache = tmp_path / "r", tmp_path / "state" / "tags.sqlite"
    write(root, **{f"f{n}_py": f"def tea_{n}(cups):\n    return cups * {n}\n" for n in range(20)})

    def ask():
        return pack("what is in tea_7?", repo=Repo.open(root), cache=cache, budget=500, timeout_s=60)

    sound = ask()
    _flip(index.place(cache, root), start, step)
    index.symbols(root, cache, "tea", 3)
    for _ in range(2):
        again = ask()
        assert again.unread == 0
        assert "return cups * 7" in again.render()
    if step < 3_000:
        assert index.place(cache, root).with_name(index.place(cache, root).name + ".aside").exists()
        assert again.render() == sound.render()


def test_a_child_that_cannot_save_into_a_damaged_index_begins_a_new_one_and_blames_no_file(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def one(): pass\n")
    look(root, tmp_path).close()
    place = index.place(tmp_path / "state" / "tags.sqlite", root)
    base = sqlite3.connect(place)  # the order of files tells of one that is in no row
    base.execute("UPDATE files SET blob = ''")
    base.execute("PRAGMA writable_schema=ON")
    rows = dict(base.execute("SELECT name, rootpage FROM sqlite_schema"))
    base.execute("UPDATE sqlite_schema SET rootpage = ? WHERE name = 'names'", (rows["postings"],))
    base.commit()
    base.close()
    found = look(root, tmp_path)
    assert found.unread == 0
    assert found.homes("one") == ["a.py"]
    found.close()
    found = look(root, tmp_path)
    assert (found.unread, found.homes("one")) == (0, ["a.py"])
    found.close()


def test_what_another_window_began_is_not_set_aside_for_what_was_there_before(tmp_path):
    where = tmp_path / "i.sqlite"
    with Store(where, "x") as old:
        with Store(where, "x") as other:
            other.set_aside()
            other.put_note("head", "new")
        with pytest.raises(Damaged), old.trusted():
            raise sqlite3.DatabaseError("something that makes no sense")
    with Store(where, "x") as new:
        assert new.note("head") == "new"


def test_a_fault_of_ours_is_no_damage(tmp_path):
    with Store(tmp_path / "i.sqlite", "x") as store:
        store.put_note("head", "kept")
        for fault in (TypeError, ValueError, IndexError, AttributeError, OverflowError, sqlite3.ProgrammingError):
            with pytest.raises(fault), store.trusted():
                raise fault
        assert store.note("head") == "kept"
    assert not list(tmp_path.glob("*.aside"))


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE files SET names = NULL",
        "UPDATE files SET names = 'a'",
        "UPDATE files SET lines = 'text'",
        "UPDATE files SET lines = CAST(substr(lines, 2) AS BLOB)",
        "UPDATE files SET lines = zeroblob(16)",
        "UPDATE postings SET terms = x'00'",
        "UPDATE postings SET terms = terms || char(10) || terms || char(10) || terms || char(10) || terms",
        "UPDATE postings SET rows = NULL",
        "UPDATE postings SET rows = CAST(substr(rows, 2) AS BLOB)",
        "UPDATE postings SET rows = zeroblob(0)",
        "UPDATE names SET text = NULL",
        "UPDATE notes SET value = 'soon' WHERE key = 'next'",
        "UPDATE notes SET value = '-1' WHERE key = 'next'",
        "UPDATE notes SET value = '99999999999999999999999' WHERE key = 'next'",
        "UPDATE notes SET value = '[[1]]' WHERE key = 'history'",
        "UPDATE notes SET value = '{' WHERE key = 'history'",
        "UPDATE notes SET value = '{\"a\": 3}' WHERE key = 'history'",
        "UPDATE notes SET value = '7' WHERE key = 'history'",
    ],
)
def test_a_row_that_was_never_written_so_is_damage(tmp_path, harm):
    where = tmp_path / "i.sqlite"

    def read(store):
        store.postings([DEFINED + "one", "tea"])
        store.tags([each for each, *_ in store.files()])
        store.names("o", 3)
        store.remembered("history", history.unpack)
        batch = Batch()
        batch.add(os.urandom(20).hex(), "python", Tags((Tag("one", "function", 1, 2, 1),)), {b"tea": 3}, 9)
        store.save(batch)

    with Store(where, "x") as store:
        store.put_note("history", history.pack([(["tea"], ["a.py"], [[1, 2]])]))
        read(store)
        read(store)
    base = sqlite3.connect(where)
    base.execute(harm)
    base.commit()
    base.close()
    with pytest.raises(Damaged), Store(where, "x") as store:
        read(store)
    with Store(where, "x") as store:
        read(store)


def test_a_full_disk_is_no_damage(tmp_path):
    with Store(tmp_path / "i.sqlite", "x") as store:
        store.put_note("head", "kept")
        with pytest.raises(StateError) as caught, store.trusted():
            raise OSError("No space left on device")
    assert not isinstance(caught.value, Damaged)
    with Store(tmp_path / "i.sqlite", "x") as store:
        assert store.note("head") == "kept"


def test_an_index_of_another_version_is_set_aside(tmp_path):
    with Store(tmp_path / "i.sqlite", "newer") as store:
        store.put_note("version", "99 newer")
    with Store(tmp_path / "i.sqlite", "ours") as store:
        assert store.note("version").endswith("ours")
    kept = sqlite3.connect(tmp_path / "i.sqlite.aside")
    assert kept.execute("SELECT value FROM notes WHERE key = 'version'").fetchone() == ("99 newer",)
    kept.close()


def test_a_partial_index_says_how_much_is_missing_and_answers(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def one(): pass\n", b_py="def two(): pass\n")
    files = Repo.open(root).files()
    cache = tmp_path / "state" / "tags.sqlite"
    look(root, tmp_path).close()
    write(root, c_py="def three(): pass\n")
    found = index.refresh(Repo.open(root), Repo.open(root).files(), cache, timeout_s=0)
    assert found.unread in {0, 1}  # the child may have been that quick
    assert found.lookup([DEFINED + "one"])[DEFINED + "one"]
    assert len(files) == 2
    found.close()


BOMBS = {
    "parens.py": b"(" * 200_000,
    "one_line.js": b"var a=[" + b"1,{b:2}," * 120_000 + b"];",
    "deep.js": b"[" * 50_000 + b"]" * 50_000,
    "deep.tsx": b"<a>" * 20_000,
    "nested.py": b"".join(b" " * n + b"if x:\n" for n in range(1_000)),
    "binary.py": b"\0" * 1_000,
    "latin.py": b"def caf\xe9(): pass\n",
    "empty.py": b"",
}


def test_sources_made_to_break_a_parser_are_listed_and_the_rest_is_read(tmp_path):
    root = tmp_path / "r"
    root.mkdir()
    for name, data in BOMBS.items():
        (root / name).write_bytes(data)
    (root / "good.py").write_text("def good(): pass\n")
    found = look(root, tmp_path)
    assert found.unread == 0
    assert set(found.ids) == {*BOMBS, "good.py"}
    assert found.lookup([DEFINED + "good"])[DEFINED + "good"]
    found.close()


def test_a_file_that_killed_the_child_is_read_as_plain_text_by_the_next(tmp_path):
    root = tmp_path / "r"
    write(root, bad_py="def bad(): pass\n", good_py="def good(): pass\n")
    files = Repo.open(root).files()
    place = tmp_path / "i.sqlite"
    blob = next(file.blob for file in files if file.path == "bad.py")
    place.with_suffix(".doing").write_text(blob.ljust(64))
    lines = "".join(f"{file.blob}\tpython\t{file.path}\n" for file in files)
    subprocess.run(
        [sys.executable, "-m", "assistant.context.indexer", root, place, ""],
        input=lines.encode(),
        cwd=Path.cwd(),
        check=True,
    )
    with Store(place, indexer.version()) as store:
        held = store.postings([DEFINED + "bad", DEFINED + "good", "bad"])
    assert set(held) == {DEFINED + "good", "bad"}
    assert place.with_suffix(".doing").read_bytes() == b""


def test_two_files_that_kill_are_both_got_over(tmp_path):
    root = tmp_path / "r"
    write(root, bad_py="def bad(): pass\n", worse_py="def worse(): pass\n")
    lines = "".join(f"{file.blob}\tpython\t{file.path}\n" for file in Repo.open(root).files()).encode()
    place = tmp_path / "i.sqlite"
    argv = [sys.executable, "-m", "assistant.context.indexer", root, place, ""]
    for file in Repo.open(root).files():
        place.with_suffix(".doing").write_text(file.blob.ljust(64))
        first = lines.splitlines(keepends=True)[0] if file.path == "bad.py" else lines
        subprocess.run(argv, input=first, cwd=Path.cwd(), check=True)
    with Store(place, indexer.version()) as store:
        assert len(store.files()) == 2
        assert not store.postings([DEFINED + "bad", DEFINED + "worse"])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the watchdog needs interval timers")
def test_the_watchdog_ends_a_child_that_is_stuck_in_one_file():
    code = "from assistant.context import indexer\nindexer._alarm(0.05)\nwhile True: pass"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path.cwd(), timeout=30)
    assert done.returncode == -signal.SIGVTALRM


def test_two_children_at_once_leave_one_whole_index(tmp_path):
    root = tmp_path / "r"
    write(root, **{f"f{n}_py": f"def f{n}(): return g{n}()\n" for n in range(60)})
    files = Repo.open(root).files()
    place = tmp_path / "i.sqlite"
    lines = "".join(f"{file.blob}\tpython\t{file.path}\n" for file in files).encode()
    argv = [sys.executable, "-m", "assistant.context.indexer", str(root), str(place), ""]
    both = [subprocess.Popen(argv, stdin=subprocess.PIPE, cwd=Path.cwd()) for _ in range(2)]
    for each in both:
        each.stdin.write(lines)
        each.stdin.close()
    assert [each.wait(60) for each in both] == [0, 0]
    with Store(place, indexer.version()) as store:
        assert len(store.files()) == 60
        assert all(len(rows) == 1 for _, rows in store.postings([DEFINED + "f7"])[DEFINED + "f7"])


def test_names_are_found_by_how_they_begin_in_whatever_case_the_first_letter_is(tmp_path):
    with Store(tmp_path / "i.sqlite", "x") as store:
        for names in (("boil", "boiler", "Boiler", "brew"), ("boiling", "pour")):
            batch = Batch()
            defs = tuple(Tag(name, "function", 1, 1, 1) for name in names)
            batch.add(names[0] * 10, "python", Tags(defs), {}, 9)
            store.save(batch)
        assert store.names("boil", 9) == ["boil", "Boiler", "boiler", "boiling"]
        assert store.names("boil", 1) == ["boil"]
        assert store.names("p", 9) == ["pour"]
        assert store.names("x", 9) == []


def test_the_words_of_a_later_question_order_what_a_child_reads_next(tmp_path):
    first, later = indexer.Wish(tmp_path / "i.sqlite"), indexer.Wish(tmp_path / "i.sqlite")
    assert first.is_new()
    assert not first.is_new()
    paths = ["src/kettle.py", "src/toaster.py", "kettle.md", "deep/down/other.py"]

    def order():
        languages = {"py": "python", "md": "markdown"}
        return sorted(paths, key=lambda path: first.nearness(path, languages[path.rpartition(".")[2]]), reverse=True)

    later.put("why does the toaster burn")
    assert first.is_new()
    assert order()[0] == "src/toaster.py"
    later.put("the kettles leak")
    os.utime(tmp_path / "i.wish", ns=(1, 1))
    assert first.is_new()
    assert order() == ["src/kettle.py", "kettle.md", "src/toaster.py", "deep/down/other.py"]


def test_bytes_that_are_no_text_have_no_words(tmp_path):
    root = tmp_path / "r"
    write(root, a_md=b"kettle " + bytes(range(1, 8)) * 20, b_md=b"kettle \x1b[1mhot\x1b[0m caf\xe9\n")
    found = look(root, tmp_path)
    assert found.unread == 0
    assert [found.paths[each] for each in found.lookup(["kettl"])["kettl"]] == [["b.md"]]
    found.close()


def test_batches_keep_numbers_apart(tmp_path):
    with Store(tmp_path / "i.sqlite", "x") as store:
        for name in ("a", "b"):
            batch = Batch()
            batch.add(name * 40, "python", Tags((Tag(name, "function", 1, 1, 1),)), {b"tea": 300}, 9)
            store.save(batch)
        ids = {blob[0]: each for each, blob, _, _ in store.files()}
        held = {base + (row >> 8): row & 255 for base, rows in store.postings(["tea"])["tea"] for row in rows}
        assert held == {ids["a"]: 255, ids["b"]: 255}
        assert store.tags([ids["b"]])[ids["b"]].defs[0].name == "b"


def test_a_pack_that_comes_between_two_questions_of_one_look_up_is_read_too(tmp_path):
    def fill(store, name):
        batch = Batch()
        batch.add(name * 40, "python", Tags(), {b"tea": 1, b"milk" + name.encode(): 1}, 9)
        store.save(batch)

    with Store(tmp_path / "i.sqlite", "x") as reader, Store(tmp_path / "i.sqlite", "x") as writer:
        fill(writer, "a")

        def words():
            yield "tea"
            fill(writer, "b")
            yield "milkb"

        assert {len(each) for each in reader.postings(words()).values()} == {1, 2}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"getUserNames", ("get", "user", "name", "getusernames")),
        (b"HTTPServer_v2", ("http", "serv", "v", "httpserver_v2")),
        (b"parse", ("pars",)),
        (b"parsers", ("pars",)),
        (b"__init__", ("init",)),
    ],
)
def test_identifiers_are_cut_at_capitals_and_underscores(name, expected):
    found = terms.of_identifier(name)
    assert set(found) >= {each for each in expected if len(each) > 1}


def test_the_child_takes_a_bound_of_memory():
    code = "from assistant.context import indexer\nindexer._bound()\ntry:\n    bytearray(4 << 30)\nexcept MemoryError:\n    print('bounded')"
    done = subprocess.run([sys.executable, "-c", code], cwd=Path.cwd(), capture_output=True, timeout=30)
    assert os.name != "posix" or done.stdout.strip() == b"bounded"


def test_the_first_question_of_a_huge_repository_leaves_all_reading_to_the_child_which_lists_the_files_itself(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def boil(): pass\n", b_png="no", c_py="def pour(): pass\n")
    repo, cache = Repo.open(root), tmp_path / "state" / "tags.sqlite"
    many = tuple(FileFact(f"gone/{number}.py", "0" * 40, 1) for number in range(60_000))
    found = index.refresh(repo, many, cache, timeout_s=0)  # nothing is known, and there is no time to find out
    assert (found.ids, found.unread) == ({}, 60_000)
    found.close()
    found = index.refresh(repo, repo.files(), cache, timeout_s=60)
    assert {"a.py", "c.py"} <= set(found.ids)
    assert found.unread == 0
    found.close()


def test_a_huge_repository_is_answered_from_all_of_it_where_there_is_time(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def boil(): pass\n", b_py="def pour(): pass\n")
    repo = Repo.open(root)
    many = (*repo.files(), *(FileFact(f"gone/{number}.py", "0" * 40, 1) for number in range(60_000)))
    found = index.refresh(repo, many, tmp_path / "state" / "tags.sqlite", timeout_s=60)
    assert found.homes("boil") == ["a.py"]
    assert len(found.ids) == 60_002
    found.close()


def test_a_listing_in_a_hurry_names_what_git_knows_and_the_child_takes_no_other_bytes_for_it(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def committed(): pass\n", b_py="def same(): pass\n")
    git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], cwd=root, check=True)
    write(root, a_py="def changed(): pass\n", c_py="def fresh(): pass\n")
    cache = tmp_path / "state" / "tags.sqlite"
    hurried = Repo.open(root)
    files = hurried.files(by=0)
    assert hurried.late
    assert [(file.path, file.dirty) for file in files] == [("a.py", False), ("b.py", False)]
    index.refresh(hurried, files, cache, timeout_s=60).close()
    calm = Repo.open(root)
    found = index.refresh(calm, calm.files(), cache, timeout_s=60)
    assert not calm.late
    assert found.unread == 0
    homes = {name: found.homes(name) for name in ("committed", "changed", "same", "fresh")}
    assert homes == {"committed": [], "changed": ["a.py"], "same": ["b.py"], "fresh": ["c.py"]}
    found.close()
    subprocess.run([*git, "checkout", "-q", "a.py"], cwd=root, check=True)
    found = index.refresh(calm, calm.files(), cache, timeout_s=60)
    assert found.homes("committed") == ["a.py"]
    found.close()


def test_with_time_enough_a_bounded_listing_is_the_same_as_any(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="a = 1\n", b__c_py="b = 1\n", d_py="d = 1\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    subprocess.run(["git", "add", "."], cwd=root, check=True)
    write(root, a_py="a = 2\n", e_py="e = 1\n")
    (root / "d.py").unlink()
    (root / "link.py").symlink_to("a.py")
    repo = Repo.open(root)
    assert repo.files(by=time.monotonic() + 60) == repo.files()
    assert not repo.late


def test_an_index_says_that_all_was_read_once_until_it_is_set_aside(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def one(): pass\n")
    cache = tmp_path / "state" / "tags.sqlite"
    assert not index.was_whole(cache, root)
    look(root, tmp_path).close()
    assert index.was_whole(cache, root)
    with Store(index.place(cache, root), "another"):
        assert not index.was_whole(cache, root)


def test_an_index_that_another_window_is_just_making_is_waited_for_and_not_set_aside(tmp_path):
    where = tmp_path / "tags.sqlite"
    other = sqlite3.connect(where, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    made = []

    def make():
        with Store(where, "1") as store:
            made.append(store.has_files())

    opener = threading.Thread(target=make)
    opener.start()
    opener.join(0.2)
    waits = opener.is_alive()
    other.execute("ROLLBACK")
    other.close()
    opener.join()
    assert waits
    assert made == [False]
    assert not list(tmp_path.glob("*.aside"))


FORKED = """
import sys
from pathlib import Path
from assistant.context import index
from assistant.context.repo import Repo
{first}
sys.executable = "/nowhere/python"
root, cache = Path(sys.argv[1]), Path(sys.argv[2])
repo = Repo.open(root)
print("out of the parent")
found = index.refresh(repo, repo.files(), cache, timeout_s=30)
print(found.unread, found.homes("tea"))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process is never copied")
def test_a_process_of_one_thread_reads_in_a_copy_of_itself_and_says_nothing_twice(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def tea(): pass\n", **{f"f{n}_py": f"def f{n}(): pass\n" for n in range(50)})
    argv = [sys.executable, "-c", FORKED.format(first=""), root, tmp_path / "tags.sqlite"]
    done = subprocess.run(argv, cwd=Path.cwd(), capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("out of the parent\n0 ['a.py']\n", "")


def test_a_process_of_several_threads_is_never_copied(tmp_path):
    root = tmp_path / "r"
    write(root, a_py="def tea(): pass\n")
    thread = "import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()"
    argv = [sys.executable, "-c", FORKED.format(first=thread), root, tmp_path / "tags.sqlite"]
    done = subprocess.run(argv, cwd=Path.cwd(), capture_output=True, text=True, timeout=60)
    assert "FileNotFoundError" in done.stderr  # it looked for a Python to start


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process is never copied")
def test_how_a_copy_ended_is_known_and_one_that_reads_on_is_not_waited_for():
    code = """
import os, time
from assistant.context.index import _Forked
for work in (lambda: None, lambda: 1 / 0, lambda: os.kill(os.getpid(), 9), lambda: exit(0)):
    print(_Forked(work).wait(30))
slow = _Forked(lambda: time.sleep(60))
print(slow.wait(0.01))
os.kill(slow._pid, 15)
print(slow.wait(30))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=Path.cwd(), capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (["0", "1", "-9", "1", "None", "-15"], "")
