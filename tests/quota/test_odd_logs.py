"""Other clients' logs as they should not be: rows whose numbers are used again, odd names and values, no right to look."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest

from assistant.quota.imports import Imports


@pytest.fixture
def imports(tmp_path):
    imports = Imports(tmp_path / "imports.sqlite")
    yield imports
    imports.close()


def requests(imports):
    return sum(total.steps for total in imports.totals(("client",)))


# Rows of a database, whose numbers SQLite gives again.


def base_of(home):
    path = home / ".local" / "share" / "opencode" / "opencode.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    base = sqlite3.connect(path)
    base.execute("CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, data TEXT)")
    return base


def add(base, *numbers):
    for number in numbers:
        at = 1_795_000_000_123 + number * 60_000
        data = {
            "role": "assistant", "modelID": "glm", "providerID": "zai", "time": {"created": at, "completed": at + 5001},
            "tokens": {"input": 100, "output": 10, "reasoning": 0, "cache": {"read": 0, "write": 0}},
        }  # fmt: skip
        base.execute("INSERT INTO message VALUES (?, ?)", (f"msg_{number:04}", json.dumps(data)))


def taken_back(base):
    base.execute("DELETE FROM message WHERE id >= 'msg_0006'")
    add(base, 20, 21, 22)


def taken_back_for_more(base):
    base.execute("DELETE FROM message WHERE id >= 'msg_0006'")
    add(base, *range(20, 30))


def emptied(base):
    base.execute("DELETE FROM message")
    add(base, 20)


def numbered_anew(base):
    base.execute("DELETE FROM message WHERE id < 'msg_0005'")
    base.commit()
    base.execute("VACUUM")
    add(base, 20, 21)


@pytest.mark.parametrize(
    ("change", "new"), [(taken_back, 3), (taken_back_for_more, 10), (emptied, 1), (numbered_anew, 2)]
)
def test_rows_whose_numbers_are_given_again_count_too(imports, tmp_path, change, new):
    base = base_of(tmp_path)
    add(base, *range(10))
    base.commit()
    imports.run({}, tmp_path, ["opencode"])
    change(base)
    base.commit()
    (found,) = imports.run({}, tmp_path, ["opencode"])
    assert (found.uses, requests(imports)) == (new, 10 + new)  # what was burnt stays burnt
    add(base, 40)
    base.commit()
    base.close()
    (found,) = imports.run({}, tmp_path, ["opencode"])
    assert (found.uses, found.copies, requests(imports)) == (1, 1, 11 + new)  # from the last row on


def test_a_database_that_was_begun_anew_is_read_from_its_start(imports, tmp_path):
    for first, many in ((0, 10), (50, 4), (60, 12)):
        base = base_of(tmp_path)
        base.execute("DROP TABLE message")
        base.close()
        base = base_of(tmp_path)
        add(base, *range(first, first + many))
        base.commit()
        base.close()
        imports.run({}, tmp_path, ["opencode"])
    assert requests(imports) == 26


# Values.


def claude(number, **more):
    usage = {"input_tokens": 1, "output_tokens": 10}
    return {
        "timestamp": "2026-11-24T12:00:00.000Z", "cwd": "/p", "requestId": f"req_{number}",
        "message": {"id": f"msg_{number}", "model": "m", "usage": usage}, **more,
    }  # fmt: skip


def sessions(home):
    folder = home / ".claude" / "projects" / "p"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def written(path, *lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.mark.parametrize("padding", ["", "x" * 5_000_000], ids=["few", "many"])
@pytest.mark.parametrize("cost", [10**400, -(10**400)], ids=["more", "less"])
def test_a_cost_beyond_all_numbers_is_no_money(imports, tmp_path, cost, padding):
    written(
        sessions(tmp_path) / "a.jsonl", claude(1, costUSD=0.5), claude(2, costUSD=cost), {"said": padding}, claude(3)
    )
    (found,) = imports.run({}, tmp_path, ["claude-code"])
    assert (found.uses, found.torn) == (3, 0)
    assert sum(total.amount for total in imports.totals(("client",))) == Decimal("0.5")


# Names and rights.

NO_TEXT = os.fsdecode(b"b\xff")


def test_a_log_whose_name_is_no_text_counts_once_like_any_other(imports, tmp_path):
    folder = sessions(tmp_path)
    log = folder / f"{NO_TEXT}.jsonl"
    written(folder / "a.jsonl", claude(1))
    written(log, claude(2), claude(3))
    (found,) = imports.run({}, tmp_path, ["claude-code"])
    assert (found.uses, found.notes) == (3, [])
    with log.open("a") as more:
        more.write(json.dumps(claude(4)) + "\n")
    (found,) = imports.run({}, tmp_path, ["claude-code"])
    assert (found.read, found.uses, found.copies, requests(imports)) == (1, 1, 0, 4)
    assert imports.run({}, tmp_path, ["claude-code"])[0].read == 0


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_a_project_whose_name_is_no_text_is_named_as_far_as_it_is(imports, tmp_path, suffix):
    folder = tmp_path / ".gemini" / "tmp" / NO_TEXT / "chats"
    folder.mkdir(parents=True)
    message = {
        "id": "m",
        "timestamp": "2026-11-24T12:00:00Z",
        "model": "g",
        "type": "gemini",
        "tokens": {"input": 5, "output": 2},
    }
    whole = {"sessionId": "s", "messages": [message]}
    written(folder / f"a.{suffix}", *([whole] if suffix == "json" else [{"sessionId": "s"}, message]))
    (found,) = imports.run({}, tmp_path, ["gemini-cli"])
    assert (found.uses, [total.key for total in imports.totals(("project",))]) == (1, [("b\ufffd",)])


def test_a_database_whose_name_is_no_text_is_read(imports, tmp_path):
    base = base_of(tmp_path)
    add(base, 1, 2)
    base.commit()
    base.close()
    path = tmp_path / ".local" / "share" / "opencode" / "opencode.db"
    path.rename(path.with_name(f"{NO_TEXT}.db"))
    (found,) = imports.run({}, tmp_path, ["opencode"])
    assert (found.uses, found.notes) == (2, [])


AS_NOBODY = """
import json, os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
from assistant.quota.imports import Imports
Imports(Path(sys.argv[4], "once.sqlite")).run({}, Path(sys.argv[1]))  # all that it takes is loaded: nobody may read that
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
home, shut, mode = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
usual = shut.stat().st_mode
shut.chmod(mode)
imports = Imports(home / "imports.sqlite")
try:
    first = imports.run({}, home)
finally:
    shut.chmod(usual)
second = imports.run({}, home)
print(json.dumps([[[each.client, each.uses, each.notes] for each in found] for found in (first, second)]))
"""


@pytest.fixture
def home_of_nobody():
    """A home with logs of two clients that a user without special rights owns."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        written(sessions(home) / "a.jsonl", claude(1))
        base = base_of(home)
        add(base, 1, 2)
        base.commit()
        base.close()
        if os.getuid() == 0:
            for path in (home, *home.rglob("*")):
                os.chown(path, 65534, 65534)
        yield home


@pytest.mark.parametrize(
    ("shut", "mode", "told"),
    [
        (".claude", 0, ".claude/projects"),
        (".claude/projects", 0, ".claude/projects"),
        (".claude/projects/p", 0, ".claude/projects/p"),
        (".claude/projects/p", 0o444, ".claude/projects/p"),
    ],
)
def test_a_folder_that_may_not_be_looked_into_is_named_and_the_rest_is_read(home_of_nobody, tmp_path, shut, mode, told):
    home = home_of_nobody
    command = [sys.executable, "-c", AS_NOBODY, str(home), str(home / shut), str(mode), str(tmp_path)]
    first, second = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    words = f"{home / told} cannot be looked into: Permission denied. What lies there was left out."
    assert first == [["claude-code", 0, [words]], ["opencode", 2, []]]
    assert second == [["claude-code", 1, []], ["opencode", 0, []]]
