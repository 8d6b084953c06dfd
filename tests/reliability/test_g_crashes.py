"""Section G of the checklist, as far as writing is concerned: kill -9 at any moment, no room, no home, a closed terminal.

WATTSON_KILLS sets how many random moments are tried (more before a release).
"""

import contextlib
import io
import json
import os
import pty
import random
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

import pytest

from assistant import cli
from assistant.errors import BudgetError
from assistant.quota.ledger import Ledger
from tests import loopback

KEY = "k" * 20
KILLS = int(os.environ.get("WATTSON_KILLS", "200"))
EDIT = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"


def tree(root):
    found = {}
    for path in sorted(root.rglob("*")):
        if ".git" not in path.relative_to(root).parts and path.is_file():
            with contextlib.suppress(FileNotFoundError):  # somebody is writing here just now
                found[str(path.relative_to(root))] = path.read_bytes()
    return found


def twenty(root):
    """Lay out 19 files; returns a reply that changes 18, removes one and makes one."""
    reply = "*** Begin Patch\n"
    for number in range(18):
        place = root / f"d{number % 4}" / f"f{number}.txt"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"one {number}\n" + "filler\n" * 400 + "two\n")
        reply += f"*** Update File: {place.relative_to(root)}\n@@\n-one {number}\n+eins {number}\n"
    (root / "gone.txt").write_text("gone\n")
    return reply + "*** Delete File: gone.txt\n*** Add File: made/new.txt\n+new\n*** End Patch\n"


def command(root, home, name, reply=""):
    """Run a command of ours here and silently; returns its exit code."""
    os.environ.update(WATTSON_HOME=str(home), HOME=str(home))
    sys.stdin = type("In", (), {"buffer": io.BytesIO(reply.encode())})()
    with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())), contextlib.redirect_stderr(io.StringIO()):
        return cli._run([name, "--root", str(root), "--json"])


def fork(*words):
    """Start a command in a fork; returns its number once it begins."""
    ready, tell = os.pipe()
    child = os.fork()
    if not child:
        os.write(tell, b"x")
        try:
            os._exit(command(*words))
        finally:
            os._exit(99)
    os.read(ready, 1)
    os.close(ready)
    os.close(tell)
    return child


def forked(*words):
    """Run a command in a fork; returns its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(fork(*words), 0)[1])


DRIVER = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.reliability.test_g_crashes import killed_at_random
json.dump(killed_at_random(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])), sys.stdout)
"""


def killed_at_random(place, seed, count):
    """Kill `wattson apply` of twenty files with SIGKILL at random moments of its run; returns what went wrong, and how often."""
    import shutil

    dice = random.Random(seed)
    origin = place / "origin"
    origin.mkdir()
    reply = twenty(origin)
    before = tree(origin)
    root, home = place / "root", place / "home"

    def fresh():
        for each in (root, home):
            shutil.rmtree(each, ignore_errors=True)
        shutil.copytree(origin, root)

    fresh()
    assert command(root, home, "apply", reply) == 0  # in this process, which so has loaded what each fork needs
    after = tree(root)
    mark = next(home.rglob("000001.json")).with_name("going.json")
    # Half of the moments are counted from the start of the command, half from the first mark on the disk. How long each
    # part lasts is found on the way, whatever else the machine does: a command that was over was given too much time.
    spans = [0.2, 0.005]
    wrong, seen = [], {"killed": 0, "before": 0, "after": 0, "put back": 0}
    for number in range(count):
        fresh()
        child = fork(root, home, "apply", reply)
        over, part = 0, number % 2
        while part and not over and not mark.exists():
            over = os.waitpid(child, os.WNOHANG)[0]
        time.sleep(dice.random() * spans[part])
        killed = False
        if not over:
            os.kill(child, signal.SIGKILL)
            killed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        spans[part] *= 1.1 if killed else 0.8
        seen["killed"] += killed
        seen["put back"] += tree(root) not in (before, after)
        assert forked(root, home, "apply", "nothing\n") == 0  # whatever is written next mends first what was broken off
        now = tree(root)
        if now not in (before, after):
            wrong.append(f"{number}: mixed tree: {sorted(set(now.items()) ^ set(before.items()))[:2]}")
            continue
        seen["after" if now == after else "before"] += 1
        if now == before and forked(root, home, "apply", reply):
            wrong.append(f"{number}: it could not be written again")
        elif forked(root, home, "undo") or tree(root) != before:
            wrong.append(f"{number}: undo did not give the tree back")
    return [wrong, seen]


@pytest.mark.parametrize("seed", [1, 2])
def test_g1_killed_at_random_moments_the_tree_is_before_or_after_and_undo_works(seed):
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as place:
        done = subprocess.run(
            [sys.executable, "-c", DRIVER, str(Path.cwd()), place, str(seed), str(KILLS // 2)],
            capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    wrong, seen = json.loads(done.stdout)
    assert wrong == []
    assert seen["killed"] >= KILLS // 8, seen
    assert seen["put back"], seen


def going(home):
    return list(home.rglob("going.json"))


def test_g1_a_write_that_was_killed_is_put_back_and_said_by_the_next_command(repo, env, wattson, tmp_path):
    reply = twenty(repo)
    before = tree(repo)
    home = tmp_path / "state"
    whole = {**env, "PYTHONPATH": str(Path.cwd())}
    for _ in range(40):
        child = subprocess.Popen(
            [sys.executable, "-m", "assistant", "apply"],
            cwd=repo, env=whole, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        child.stdin.write(reply.encode())
        child.stdin.close()
        names = before.keys()
        while child.poll() is None and {path: data for path, data in tree(repo).items() if path in names} == before:
            pass
        child.kill()
        child.wait()
        if going(home):
            break
        assert wattson("undo")[0] == 0  # it was quicker than we: once more
    assert going(home)
    code, _, err = wattson("ask", "-m", "scripted/lesson", "who are you?")
    assert code == 0
    assert "Put back after an interrupted write" in err
    assert tree(repo) == before
    assert not going(home)
    assert wattson("apply", stdin=reply)[0] == 0
    assert wattson("undo")[0] == 0
    assert tree(repo) == before


def test_g1_the_screen_killed_in_the_middle_of_a_write_leaves_nothing_mixed(repo, env, wattson):
    reply = twenty(repo)
    before = tree(repo)
    home = Path(env["WATTSON_HOME"])
    argv = [sys.executable, "-m", "assistant", "tui", "-m", "openai/gpt-6.1-sol"]
    for _ in range(20):
        with loopback.Server(loopback.openai(reply)) as server:
            child, terminal = pty.fork()
            if not child:
                os.chdir(repo)
                os.execve(
                    argv[0],
                    argv,
                    {**env, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "PYTHONPATH": str(Path.cwd())},
                )
            out, steps = b"", [(b"now asking", b"go on\r"), ("·20 ".encode(), b"A"), ("✓20 ".encode(), b"\r")]
            while steps:
                assert select.select([terminal], [], [], 60)[0], out[-2000:]
                out += os.read(terminal, 65536)
                if steps[0][0] in out:
                    time.sleep(0.5)  # keys that come at once after hunks have appeared count for nothing
                    os.write(terminal, steps.pop(0)[1])
            first = repo / "d0" / "f0.txt"
            while first.read_bytes() == before["d0/f0.txt"]:
                if select.select([terminal], [], [], 0)[0]:
                    os.read(terminal, 65536)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(terminal)
        if going(home):
            break
        assert wattson("undo")[0] == 0  # it was quicker than we: once more
    assert going(home)
    code, _, err = wattson("ask", "-m", "scripted/lesson", "who are you?")
    assert code == 0
    assert "Put back after an interrupted write" in err
    assert tree(repo) == before
    assert not going(home)


@pytest.mark.parametrize("face", ["ask", "tui"])
def test_g1_killed_while_the_answer_streams_nothing_is_written_and_the_book_says_interrupted(repo, env, wattson, face):
    before = tree(repo)
    with loopback.Server(loopback.openai(EDIT + "word " * 400), pause_s=0.02) as server:
        whole = {**env, "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "PYTHONPATH": str(Path.cwd())}
        argv = [sys.executable, "-m", "assistant"]
        if face == "ask":
            child = subprocess.Popen(
                [*argv, "ask", "-m", "openai/gpt-6.1-sol", "--apply", "--json", "go on"], cwd=repo, env=whole, stdout=subprocess.PIPE
            )  # fmt: skip
            assert any(b"text_arrived" in line for line in child.stdout)
            child.kill()
            child.wait()
            child.stdout.close()
        else:
            child, terminal = pty.fork()
            if not child:
                os.chdir(repo)
                os.execve(argv[0], [*argv, "tui", "-m", "openai/gpt-6.1-sol"], whole)
            out = b""
            typed = False
            while b"word word" not in out:
                assert select.select([terminal], [], [], 30)[0], out[-2000:]
                out += os.read(terminal, 65536)
                if not typed and b"now asking" in out:
                    os.write(terminal, b"go on\r")
                    typed = True
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            os.close(terminal)
    assert tree(repo) == before
    code, out, _ = wattson("usage", "--json")
    assert code == 0
    assert wattson("ask", "-m", "scripted/lesson", "who are you?")[0] == 0
    book = Ledger(Path(env["WATTSON_HOME"]) / "data" / "ledger.sqlite")
    assert [entry.state for entry in book.entries() if entry.provider == "openai"] == ["interrupted"]
    book.close()
    sitting = b"".join(path.read_bytes() for path in Path(env["WATTSON_HOME"]).rglob("*.jsonl"))
    assert b"kettle/" in sitting  # what had come is kept


@pytest.mark.parametrize("goes_on", [0, 1, 3])
def test_g12_a_terminal_that_is_closed_ends_us(repo, env, goes_on):
    """A closed terminal sends SIGHUP and SIGCONT, a shell the latter alone when a program that was stopped goes on."""
    argv = [sys.executable, "-m", "assistant", "tui", str(repo), "-m", "scripted/lesson"]
    child, terminal = pty.fork()
    if not child:
        os.execve(argv[0], argv, {**env, "PYTHONPATH": str(Path.cwd())})
    out = b""
    while b"Wattson in" not in out:
        assert select.select([terminal], [], [], 30)[0], out[-2000:]
        out += os.read(terminal, 65536)
    for _ in range(goes_on):
        os.kill(child, signal.SIGCONT)
        out = b""
        while b"\x1b[?1049h" not in out:  # it draws again, on a screen of its own
            assert select.select([terminal], [], [], 30)[0], out[-2000:]
            out += os.read(terminal, 65536)
    os.close(terminal)
    for _ in range(1200):
        if os.waitpid(child, os.WNOHANG)[0]:
            break
        time.sleep(0.05)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("it went on without a terminal")


@pytest.fixture(params=["a file in the way", "full", "read-only"])
def home(request, tmp_path):
    """A home that cannot be written; the last two only root can make."""
    place = tmp_path / "bad"
    if request.param == "a file in the way":
        place.write_text("not a folder\n")
        yield place
        return
    place.mkdir()
    mounted = (
        os.getuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)], capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("a small file system can only be mounted by root")
    if request.param == "full":
        try:
            with (place / "filler").open("wb") as filler:
                while filler.write(b"y" * 4096):
                    filler.flush()
        except OSError:
            pass
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_g2_g13_without_a_home_that_can_be_written_the_answer_comes_and_the_trouble_is_said(wattson, repo, home):
    before = tree(repo)
    with loopback.Server(loopback.openai("hello\n\n" + EDIT)) as server:
        more = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": KEY, "WATTSON_HOME": str(home)}
        code, out, err = wattson("ask", "-m", "openai/gpt-6.1-sol", "hi", **more)
        assert code == 0, err
        assert out.startswith("hello")
        assert "Traceback" not in err
        assert "WATTSON_HOME" in err or "saved" in err or "remember" in err, err
        code, out, err = wattson("ask", "-m", "openai/gpt-6.1-sol", "--apply", "hi", **more)
        assert code in {1, 3}
        assert out.startswith("hello"), "the answer must not be lost"
        assert "Nothing was written" in err
        assert "Traceback" not in err
        code, lines, err = wattson("ask", "-m", "openai/gpt-6.1-sol", "--apply", "--json", "hi", lines=True, **more)
        assert lines[-1]["text"].startswith("hello")
        assert lines[-1]["patch"]
        assert next(line for line in lines if line["event"] == "not_written")["error"]["class"] == "state"
    code, lines, err = wattson("apply", "--json", stdin=EDIT, lines=True, WATTSON_HOME=str(home))
    assert (code, lines[0]["written"], lines[0]["error"]["class"]) == (3, False, "state")
    for args in (["context", "meter"], ["usage"], ["models"], ["plans"], ["doctor", "--offline"]):
        code, _, err = wattson(*args, WATTSON_HOME=str(home))
        assert (code, "Traceback" in err) == (0, False), (args, err)
    assert tree(repo) == before


async def test_g2_what_cannot_be_booked_counts_against_the_cap_of_the_day(make_session, config, tmp_path, home):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "data").symlink_to(home)
    answer = loopback.openai("hello", {"prompt_tokens": 1_000, "completion_tokens": 600})
    with loopback.Server(answer) as server:

        def sitting(cap):
            config(f'cap_day = "{cap}"\n')
            session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="sk-proj-" + KEY)
            session.roster.choose("openai/gpt-6.1-sol")
            return session

        async def ask(session):
            async for _ in session.ask("hi"):
                pass

        session = sitting("0.000001")
        with pytest.raises(BudgetError) as held:
            await ask(session)
        await session.close()
        session = sitting(2 * Decimal(re.search(r"bring it to \$([\d.]+\d)", held.value.message)[1]))
        await ask(session)
        await ask(session)
        with pytest.raises(BudgetError, match="over the cap"):
            await ask(session)
        assert len(server.asked) == 2
        await session.close()
