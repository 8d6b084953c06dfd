"""What counting costs: the ledger with a million rows and other clients' logs. Usage: python -m benchmarks.quota [--full].

Figures are CPU seconds of whole processes, or ratios against a floor or a peer in the same run. `--full` takes a million
rows and a million usage lines (1.4 GB in a temporary folder); `--ccusage PATH` names its command to compare with.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

_NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
_COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""The environment of a user, whose Python keeps what it has compiled."""
_PAD = "The kettle holds at most some litres of water, and says so. "


def run(code: str, *args: str, env: dict[str, str] | None = None) -> tuple[float, float, float, str]:
    """Run Python code in a process of its own; CPU seconds, wall seconds, peak MB and what it printed."""
    script = textwrap.dedent(code) + "\nimport resource as _r\nprint('RSS', _r.getrusage(_r.RUSAGE_SELF).ru_maxrss)\n"
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, *args],
        check=True,
        capture_output=True,
        text=True,
        env={**_COMPILED, **(env or {})},
    )
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    *lines, rss = done.stdout.splitlines()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, int(rss.split()[1]) / 1024, "\n".join(lines)


def best(code: str, *args: str, runs: int = 5) -> float:
    """Return the least CPU seconds of several runs."""
    return min(run(code, *args)[0] for _ in range(runs))


def write_logs(home: Path, lines: int, files: int, said: int) -> dict[str, int]:
    """Write Claude Code logs: a user line and a usage line each, one in ten a repeated id; returns the deduplicated truth.

    `said` times 60 bytes stand in a user's line, half of them to twice as many: what tools have answered.
    """
    rnd = random.Random(18)
    truth = dict.fromkeys(("requests", "fresh", "read", "write", "output"), 0)
    number = 0
    for file in range(files):
        folder = home / ".claude" / "projects" / f"-home-u-project{file % 20}"
        folder.mkdir(parents=True, exist_ok=True)
        last = ""
        with (folder / f"{file:08x}-0000-4000-8000-000000000000.jsonl").open("w") as log:
            for each in range(lines // files):
                at = _NOW - timedelta(days=file % 60, seconds=7 * each)
                stamp = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
                user = {
                    "parentUuid": None, "type": "user", "uuid": f"{number:032x}", "timestamp": stamp,
                    "cwd": f"/home/u/project{file % 20}", "message": {"role": "user", "content": _PAD * rnd.randint(said // 2, said * 2)},
                }  # fmt: skip
                log.write(json.dumps(user, separators=(",", ":")) + "\n")
                if not last or rnd.random() >= 0.1:
                    number += 1
                    fresh, read, write, output = (
                        rnd.randrange(50),
                        rnd.randrange(100_000),
                        rnd.randrange(3000),
                        rnd.randrange(1, 900),
                    )
                    last = json.dumps({
                        "parentUuid": f"{number:032x}", "isSidechain": False, "type": "assistant", "uuid": f"{number:032x}",
                        "timestamp": stamp, "cwd": f"/home/u/project{file % 20}", "sessionId": f"{file:08x}", "version": "2.1.0",
                        "requestId": f"req_{number:024d}",
                        "message": {
                            "id": f"msg_{number:024d}", "type": "message", "role": "assistant",
                            "model": ("claude-sonnet-5", "claude-opus-5", "claude-haiku-5")[number % 3],
                            "content": [{"type": "text", "text": _PAD * 4}], "stop_reason": "end_turn",
                            "usage": {
                                "input_tokens": fresh, "cache_creation_input_tokens": write, "cache_read_input_tokens": read,
                                "output_tokens": output, "service_tier": "standard",
                                "cache_creation": {"ephemeral_5m_input_tokens": write, "ephemeral_1h_input_tokens": 0},
                            },
                        },
                    }, separators=(",", ":")) + "\n"  # fmt: skip
                    for name, count in zip(truth, (1, fresh, read, write, output), strict=True):
                        truth[name] += count
                log.write(last)
    return truth


_IMPORT = """
import sys
from pathlib import Path
from assistant.quota.imports import Imports
imports = Imports(Path(sys.argv[1]) / "imports.sqlite")
found = imports.run({}, Path(sys.argv[1]))
total = imports.totals(("client",))[0]
print(total.steps, total.usage.fresh_input, total.usage.cache_read, total.usage.cache_write, total.usage.output)
"""


def imports(folder: Path, lines: int, files: int, said: int, ccusage: str) -> None:
    """Print what reading other clients' logs costs, beside ccusage where it is there."""
    truth = write_logs(folder, lines, files, said)
    size = sum(path.stat().st_size for path in folder.rglob("*.jsonl")) / 1e6
    first, wall, rss, told = run(_IMPORT, str(folder))
    exact = told.split() == [str(count) for count in truth.values()]
    print(f"import of {lines:,} usage lines in {files:,} files, {size:,.0f} MB: {first:.2f} CPU s, {wall:.1f} s wall, {rss:.0f} MB; "
          f"totals equal the truth: {exact} (goal for a million: 6.9 s, 120 MB)")  # fmt: skip
    some = next(iter(sorted(folder.rglob("*.jsonl"))))
    with some.open("a") as log:
        for number in range(1000):
            line = {"type": "assistant", "timestamp": "2026-11-24T13:00:00Z", "requestId": f"new{number}", "message": {
                "id": f"new{number}", "model": "claude-sonnet-5", "usage": {"input_tokens": 1, "output_tokens": 1}}}  # fmt: skip
            log.write(json.dumps(line) + "\n")
    cpu, _, _, told = run(_IMPORT, str(folder))
    exact = int(told.split()[0]) == truth["requests"] + 1000
    print(f"the same with 1,000 new lines: {cpu:.3f} CPU s; each counted once: {exact} (goal 0.15 s)")
    again = min(run(_IMPORT, str(folder))[0] for _ in range(3))
    print(f"the same with nothing new: {again:.3f} CPU s")
    if ccusage:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        env = {**os.environ, "CLAUDE_CONFIG_DIR": str(folder / ".claude"), "HOME": str(folder)}
        done = subprocess.run(
            [ccusage, "daily", "--offline", "--json"], env=env, capture_output=True, text=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        theirs = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"ccusage daily: {theirs:.2f} CPU s, {after.ru_maxrss / 1024:.0f} MB at most of all that ran here; "
              f"ours {first / theirs:.2f} x (goal 0.5); it counts {json.loads(done.stdout).get('totals')}")  # fmt: skip


_FILL = """
import random, sys, uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from assistant.quota import tally
from assistant.quota.ledger import Ledger
count, rnd = int(sys.argv[2]), random.Random(5)
ledger = Ledger(Path(sys.argv[1]))
at, step = datetime(2026, 11, 24, 12, tzinfo=UTC) - timedelta(days=400), timedelta(days=400) / count
models = [("zai", "glm-5.3", "zai"), ("anthropic", "claude-sonnet-5", ""), ("openai", "gpt-5.5", ""), ("deepseek", "v4", "")]
rows = []
for number in range(count):
    at += step
    provider, model, plan = models[min(3, int(rnd.expovariate(1)))]
    entry, when = f"{number:032x}", at.isoformat(timespec="microseconds")
    cost = ("included", None, "USD") if plan else ("metered", "0.0123", "USD")
    purpose = ("main", "main", "repair", "commit")[number % 4]
    head = (when, "s", number // 9, number % 9, purpose, f"/home/u/p{number // 400 % 10}", provider, model, "", "plan", plan)
    tail = (*cost, 1, "", 1, "", when[:13], when)
    rows.append((entry, "in_flight", *head, 1000, 0, 0, 0, 500, 0, 0, *tail))
    rows.append((entry, "settled", *head, rnd.randrange(5000), rnd.randrange(50000), 9, 0, rnd.randrange(2000), 10, 1, *tail))
def write(base):
    base.executemany(f"INSERT INTO steps ({', '.join(tally.COLUMNS)}) VALUES ({', '.join('?' * len(tally.COLUMNS))})", rows)
ledger.store.write(write)
ledger.sums.totals()
"""
_HEAD = """
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from assistant.quota import history
from assistant.quota.entry import Start
from assistant.quota.ledger import Ledger
from assistant.tokens import Cost, TokenUsage
ledger = Ledger(Path(sys.argv[1]))
now = datetime(2026, 11, 24, 12, tzinfo=UTC)
"""
_ASKED = {
    "recover at start": "ledger.recover(now, lambda pid: True)",
    "report by day": "print(len(history.rows(ledger.sums.totals(('day',)))))",
    "report by model": "print(len(history.rows(ledger.sums.totals(('model',)))))",
    "report by project": "print(len(history.rows(ledger.sums.totals(('project',)))))",
    "report by purpose": "print(len(history.rows(ledger.sums.totals(('purpose',)))))",
    "heat map": "print(history.week(ledger.sums.hours()))",
    "a plan's month, step by step in its last 5 hours":
        "ledger.spans.bundles(plan='zai', since=now - timedelta(days=31), exact_since=now - timedelta(hours=5))",
}  # fmt: skip
_ROW = """
import time
start = Start(now, "s", 1, 1, "main", "/p", "zai", "glm-5.3", "plan", "zai", TokenUsage(1000, exact=False), Cost("included"), 1)
begun, wall = time.process_time(), time.perf_counter()
for _ in range(200):
    ledger.settle(ledger.begin(start), at=now, state="settled", usage=TokenUsage(5), cost=Cost("included"))
print((time.process_time() - begun) / 400 * 1000, (time.perf_counter() - wall) / 400 * 1000)
"""


def ledger(folder: Path, rows: int) -> None:
    """Print what a book of `rows` rows costs."""
    path = folder / "ledger.sqlite"
    run(_FILL, str(path), str(rows // 2))
    print(
        f"ledger of {rows:,} rows ({rows // 2:,} steps), {path.stat().st_size / 1e6:,.0f} MB; whole process, least of 5:"
    )
    floor = best("", runs=5)
    for name, code in _ASKED.items():
        cpu = best(_HEAD + code, str(path))
        print(f"  {name}: {cpu * 1000:.0f} CPU ms, of which the interpreter {floor * 1000:.0f} (goal 300)")
    cpu_ms, wall_ms = map(float, run(_HEAD + _ROW, str(path))[3].split())
    print(f"  a new row: {cpu_ms:.2f} CPU ms, {wall_ms:.2f} ms wall (goal 5)")


def windows(folder: Path) -> None:
    """Let 8 processes write 500 rows each."""
    path = folder / "windows.sqlite"
    code = _HEAD + textwrap.dedent("""
    start = Start(now, "s", 1, 1, "main", "/p", "zai", "m", "plan", "zai", TokenUsage(10), Cost("included"), 1)
    for _ in range(500):
        ledger.settle(ledger.begin(start), at=now, state="settled", usage=TokenUsage(10), cost=Cost("included"))
    """)
    begun = time.perf_counter()
    writers = [subprocess.Popen([sys.executable, "-c", code, str(path)]) for _ in range(8)]
    failed = sum(writer.wait() != 0 for writer in writers)
    wall = time.perf_counter() - begun
    said = run(_HEAD + "one = ledger.sums.totals(('model',))[0]; print(one.steps, one.usage.total)", str(path))[3]
    print(f"8 processes x 500 steps: {said} steps and tokens (4000 40000), {failed} failed, {wall:.1f} s wall")


def status_line(folder: Path) -> None:
    """Compare the status line with `--version`."""
    home = folder / "home"
    (home / "data").mkdir(parents=True)
    fill = (
        "import sys, time; from assistant.quota import line; now = time.time(); line.keep(sys.argv[1], model='zai/glm-5.3', "
        "day=time.strftime('%Y-%m-%d'), burn='$0.42', window='5 h', share=0.43, figure='43%', resets=now + 7200, at=now)"
    )
    run(fill, str(home / "data"))
    env = {"WATTSON_HOME": str(home)}
    show = "import os, sys; import assistant.cli; from assistant.quota.line import show; print(show(['usage', '--line'], os.environ, sys.platform))"
    version = "import sys; sys.argv[1:] = ['--version']; from assistant.cli import main; main()"
    pairs = [(run(show, env=env)[0], run(version)[0]) for _ in range(9)]
    ours, theirs = (min(pair[side] for pair in pairs) for side in (0, 1))
    print(f"status line: {ours * 1000:.0f} CPU ms, {ours / theirs:.2f} x --version (goal 1.6): {run(show, env=env)[3]}")


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--ccusage", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        status_line(Path(folder))
        windows(Path(folder))
        ledger(Path(folder), 1_000_000 if options.full else 100_000)
    with tempfile.TemporaryDirectory() as folder:
        imports(Path(folder), *((1_000_000, 2_000) if options.full else (50_000, 100)), 6, options.ccusage)
    with tempfile.TemporaryDirectory() as folder:  # as people have them: most bytes are answers of tools
        imports(Path(folder), *((200_000, 1_000) if options.full else (20_000, 100)), 90, options.ccusage)


if __name__ == "__main__":
    main()
