"""Section G of the checklist, as far as state and time are concerned. Where each item has its test:

| item | test |
|---|---|
| G1 killed while writing | test_g_crashes: g1 (three); edits/test_journal: killed_at_two_hundred_points, what_was_typed_after_a_crash |
| G2 disk full | test_g_crashes: g2_g13, cap_of_the_day; edits/test_disk: full_file_system, full_home; quota/test_ledger: full_disk |
| G3 state that grows | here; edits/test_journal: capped, cap_of_bytes; quota/test_ledger_sources: old_readings_go |
| G4 several at once | quota/test_ledger: windows_at_once, outlives_a_kill, locked_book; edits/test_journal: eight_processes |
| G5 damaged state | quota/test_ledger: damaged_book (each harm), carried_over, large_book; edits/test_journal: damaged_step; here: sittings |
| G6 two write one file | edits/test_journal: eight_processes, stays_taken; edits/test_disk: saved_while_the_patch_is_written |
| G7 undo and the user's work | edits/test_journal: exact_bytes_back_or_refuses (the matrix), typed_since_stays |
| G8 undo elsewhere | edits/test_journal: after_a_checkout_or_in_another_worktree |
| G9 delete before copy | edits/test_disk: whichever_step_fails, file_that_appears, swapped_for_a_link |
| G10 clocks | here; quota/test_ledger: clocks_that_jump; quota/test_merge: clock_that_was_set_back; test_ledger_sources: clock_set_back; edits/test_journal: order_is_that_of_the_work |
| G11 stopped and continued | here |
| G12 terminal closed | test_g_crashes: g12 |
| G13 no home | test_g_crashes: g2_g13 (each home); quota/test_ledger: home_that_cannot_be_written; here: odd names |
| G14 leaks | here |
| G15 other versions | edits/test_journal: newer_wattsons_steps, first_format; quota/test_ledger: first_version, newer_version; here: sittings |
| G16 start | here |
| G18 broad kills | here |
"""

import asyncio
import os
import re
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from assistant import command, transcript
from assistant.transcript import Transcript
from tests import loopback

KEY = "sk-proj-" + "k" * 24
MODEL = "openai/gpt-6.1-sol"


@pytest.fixture
def talking(make_session):
    """Sessions with a model that answers at once."""
    with loopback.Server(loopback.openai("It is warm.")) as server:

        def make():
            session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
            session.roster.switch(MODEL)
            return session

        yield make


async def ask(session, text):
    return [event async for event in command.submit(session, text)]


# G3.


def test_g3_a_thousand_sittings_are_pruned_and_that_is_said(talking):
    session = talking()
    folder = session.conversations.folder
    folder.mkdir(parents=True)
    for number in range(1000):
        path = folder / f"20260101-000000-{number:04d}.jsonl"
        path.write_text('{"kind": "user", "text": "old"}\n')
        os.utime(path, (number, number))
    told = asyncio.run(ask(session, "who are you?"))
    left = sorted(folder.glob("*.jsonl"))
    assert len(left) == transcript.MOST + 1
    assert "20260101-000000-0999.jsonl" in {path.name for path in left}, "the oldest go"
    assert f"The {1000 - transcript.MOST} oldest conversations of this folder were removed" in str(told)


def test_g3_sittings_of_many_bytes_are_pruned_and_the_newest_stays(tmp_path):
    for number in range(4):
        path = tmp_path / f"{number}.jsonl"
        path.write_bytes(b"x" * 100)
        os.utime(path, (number, number))
    assert transcript.prune(tmp_path, most_bytes=250) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2.jsonl", "3.jsonl"]
    assert transcript.prune(tmp_path, most_bytes=50) == 1, "the newest stays, however long"
    assert transcript.prune(tmp_path / "none") == 0


# G5 and G15: what stands in a sitting that we did not write so.


@pytest.mark.parametrize(
    "line",
    [
        b"\x00\xff\xfe",
        b"[1, 2]",
        b'{"kind": "from a newer one", "text": 5}',
        b'{"kind": "user", "te',
        b'{"kind": "user", "text": null}',
        b'{"kind": "proposed", "diff": "--- a/x\\n", "doubted": [5, ["x"], [[], {}, null]]}',
    ],
)
def test_g5_g15_a_sitting_that_is_damaged_or_newer_is_taken_up_as_far_as_it_goes(talking, line):
    first = talking()
    asyncio.run(ask(first, "who are you?"))
    (path,) = first.conversations.folder.glob("*.jsonl")
    path.write_bytes(line + b"\n" + path.read_bytes() + line)
    before = path.read_bytes()
    again = talking()
    assert again.take_up() == 2
    assert again.history[0].text == "who are you?"
    assert path.read_bytes() == before


# G10.


def test_g10_turns_over_a_clock_that_jumps_keep_their_order_and_nothing_is_negative(talking):
    session = talking()
    base = datetime(2026, 11, 1, 5, 59, 59, tzinfo=UTC)
    jumps = [timedelta(0), timedelta(days=-1), timedelta(days=3650), timedelta(hours=1), timedelta(hours=1)]
    for number, jump in enumerate(jumps):
        session.now = session.accounts._now = session.pricing._now = lambda jump=jump: base + jump
        asyncio.run(ask(session, f"question {number}"))
    (path,) = session.conversations.folder.glob("*.jsonl")
    asked = [each["text"] for each in Transcript(path).read() if each.get("kind") == "user"]
    assert asked == [f"question {number}" for number in range(len(jumps))]
    assert len(session.accounts.ledger.entries()) == len(jumps)
    assert len({entry.id for entry in session.accounts.ledger.entries()}) == len(jumps)
    assert all(age >= 0 for each in session.standings() for meter, _ in each.meters if (age := meter.age_s) is not None)


# G11.


def test_g11_stopped_in_mid_answer_and_continued_it_goes_on(repo, env):
    words = "word " * 200
    with loopback.Server(loopback.openai(words), pause_s=0.005) as server:
        whole = {**env, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "PYTHONPATH": str(Path.cwd())}
        argv = [sys.executable, "-m", "assistant", "ask", "-m", MODEL, "go on"]
        with subprocess.Popen(
            argv, cwd=repo, env=whole, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        ) as child:
            first = child.stdout.read(4)
            child.send_signal(signal.SIGSTOP)
            threading.Timer(1.5, child.send_signal, (signal.SIGCONT,)).start()
            rest, said = child.communicate(timeout=60)
    assert child.returncode == 0, said
    assert (first + rest).decode().split() == words.split()
    assert len(server.asked) == 1, "nothing is asked again"


# G13.


@pytest.mark.parametrize("name", ["Jörg 日本", 'a\'b "c" $HOME'])
def test_g13_a_home_of_any_name_works(wattson, tmp_path, name):
    home = tmp_path / name
    home.mkdir()
    code, _, said = wattson("ask", "-m", "scripted/lesson", "who are you?", WATTSON_HOME=str(home), HOME=str(home))
    assert code == 0, said
    code, lines, _ = wattson("usage", "--json", lines=True, WATTSON_HOME=str(home), HOME=str(home))
    assert [row["steps"] for row in lines[0]["usage"]] == [1]


def test_g13_without_any_home_it_works(repo, env):
    bare = {name: value for name, value in env.items() if name not in {"HOME", "WATTSON_HOME"}}
    done = subprocess.run(
        [sys.executable, "-m", "assistant", "doctor", "--offline"],
        cwd=repo, env={**bare, "PYTHONPATH": str(Path.cwd()), "XDG_DATA_HOME": str(repo.parent / "x"),
                       "XDG_CONFIG_HOME": str(repo.parent / "x"), "XDG_CACHE_HOME": str(repo.parent / "x")},
        capture_output=True,
    )  # fmt: skip
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False), done.stderr


# G14.


def test_g14_many_turns_leak_neither_memory_nor_file_handles(talking):
    session = talking()

    async def turns(count):
        for number in range(count):
            await ask(session, f"who are you, for the time {number}?")

    def now():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096, len(list(Path("/proc/self/fd").iterdir()))

    if not Path("/proc/self/statm").exists():
        pytest.skip("only Linux tells what a process holds")

    async def measured():
        await turns(20)
        before = now()
        await turns(40)
        return before, now()

    (memory, handles), (more, open_now) = asyncio.run(measured())
    assert (more - memory) / 40 < 50_000
    assert open_now <= handles + 2


# G16.


def test_g16_the_version_is_told_without_loading_anything_heavy():
    code = (
        "import sys; sys.argv = ['wattson', '--version']; from assistant.cli import main; main(); "
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    heavy = {
        "httpx",
        "textual",
        "msgspec",
        "tiktoken",
        "git",
        "tree_sitter",
        "sqlite3",
        "argparse",
        "asyncio",
        "decimal",
    }
    assert done.stdout.startswith("wattson ")
    assert not heavy & loaded


# G18.


def test_g18_nothing_is_killed_by_name():
    root = Path(__file__).parents[2]
    broad = re.compile(r"\b(pkill|killall|taskkill|process_iter)\b")
    found = [path for path in (root / "assistant").rglob("*.py") if broad.search(path.read_text())]
    assert found == []


def test_g2_a_line_that_was_cut_short_takes_no_other_with_it(tmp_path):
    talk = Transcript(tmp_path / "talk.jsonl")
    for words in ("one", "two"):
        talk.append({"kind": "user", "text": words})
    talk.path.write_bytes(talk.path.read_bytes()[:-5])  # the power went
    for words in ("three", "four"):
        talk.append({"kind": "user", "text": words})
    assert [record["text"] for record in talk.read()] == ["one", "three", "four"]


def test_g2_a_disk_that_takes_a_part_of_a_line_is_told_of(tmp_path):
    words = f"""
import resource, signal, sys
from pathlib import Path
from assistant.errors import StateError
from assistant.transcript import Transcript
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
talk = Transcript(Path({str(tmp_path / "talk.jsonl")!r}))
talk.append({{"kind": "user", "text": "one"}})
resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
try:
    talk.append({{"kind": "user", "text": "x" * 1000}})
except StateError:
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    talk.append({{"kind": "user", "text": "three"}})
    print([record["text"] for record in talk.read()])
"""
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['one', 'three']"
