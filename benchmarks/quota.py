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
        env={**os.environ, **(env or {})},
    )
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    *lines, rss = done.stdout.splitlines()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, wall, int(rss.split()[1]) / 1024, "\n".join(lines)


def best(code: str, *args: str, runs: int = 5) -> float:
    return min(run(code, *args)[0] for _ in range(runs))


def write_logs(home: Path, lines: int, files: int) -> dict[str, int]:
    """Write Claude Code logs: a user line and a usage line each, one in ten a repeated id; returns the deduplicated truth."""
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
                    "cwd": f"/home/u/project{file % 20}", "message": {"role": "user", "content": _PAD * 6},
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


def imports(folder: Path, lines: int, files: int, ccusage: str) -> None:
    truth = write_logs(folder, lines, files)
    size = sum(path.stat().st_size for path in folder.rglob("*.jsonl")) / 1e6
    cpu, wall, rss, said = run(_IMPORT, str(folder))
    exact = said.split() == [str(count) for count in truth.values()]
    print(f"import of {lines:,} usage lines in {files:,} files, {size:,.0f} MB: {cpu:.2f} CPU s, {wall:.1f} s wall, {rss:.0f} MB; "
          f"totals equal the truth: {exact} (goal for a million: 6.9 s, 120 MB)")  # fmt: skip
    some = next(iter(sorted(folder.rglob("*.jsonl"))))
    with some.open("a") as log:
        for number in range(1000):
            line = {"type": "assistant", "timestamp": "2026-11-24T13:00:00Z", "requestId": f"new{number}", "message": {
                "id": f"new{number}", "model": "claude-sonnet-5", "usage": {"input_tokens": 1, "output_tokens": 1}}}  # fmt: skip
            log.write(json.dumps(line) + "\n")
    cpu, _, _, said = run(_IMPORT, str(folder))
    exact = int(said.split()[0]) == truth["requests"] + 1000
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
        print(
            f"ccusage daily: {theirs:.2f} CPU s, {after.ru_maxrss / 1024:.0f} MB; it counts {json.loads(done.stdout).get('totals')}"
        )


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--ccusage", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        imports(Path(folder), *((1_000_000, 2_000) if options.full else (50_000, 100)), options.ccusage)


if __name__ == "__main__":
    main()
