"""What indexing and a question cost: against a bare tree-sitter parse of the same files, in one run.

Usage: python -m benchmarks.index FOLDER ... (git repositories with a work tree, or plain folders). CPU seconds are those of whole
processes with their children, the least of several runs; memory is the most that the child held. `parse` is what the bare
process spent on reading and parsing alone, so that the ratio to it does not profit from the start of Python. All of it is
said in starts of an empty Python as well, which other machines can compare.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_RUNS = 3
_LONG = 5.0
"""CPU seconds of a bare parse beyond which one run is enough."""
_QUESTION = "how are requests retried after an error"
# The floor: read each file, parse it with the grammar of its language, nothing else.
_BARE = """
import importlib, sys, time
from pathlib import Path
from tree_sitter import Language, Parser
from assistant.context.language import language_of
from assistant.context.repo import Repo
root = Path(sys.argv[1])
parsers = {}
begun = time.process_time()
for line in sys.stdin.buffer.read().split(b"\\0"):
    path = line.decode("utf-8", "surrogateescape")
    one = language_of(path) if path else None
    if one is None or not one.grammar:
        continue
    data = (root / path).read_bytes()
    if len(data) > 1_000_000 or b"\\0" in data[:8000]:
        continue
    if one.name not in parsers:
        parsers[one.name] = Parser(Language(getattr(importlib.import_module(one.grammar), one.constructor)()))
    parsers[one.name].parse(data)
print(time.process_time() - begun)
"""
_INDEX = """
import resource, sys
from pathlib import Path
from assistant.context import index
from assistant.context.repo import Repo
repo = Repo.open(Path(sys.argv[1]))
found = index.refresh(repo, repo.files(), Path(sys.argv[2]), timeout_s=3600)
print(found.unread, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""


def cpu(argv: list[str], env: dict[str, str], feed: bytes = b"") -> tuple[float, float, str]:
    """Run a process; returns CPU seconds with children, wall seconds, and what it printed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(argv, check=True, env=env, input=feed, capture_output=True)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall, done.stdout.decode()


def measure(root: Path) -> None:
    """Print the figures of one repository."""
    from assistant.context.repo import Repo

    files = [file.path for file in Repo.open(root).files()]
    feed = b"\0".join(os.fsencode(path) for path in files)
    env = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # nobody installs a program that is compiled at each start
    python = sys.executable
    empty = min(cpu([python, "-c", "pass"], env)[0] for _ in range(_RUNS * 3))
    # A copy has times that git does not know: it would read each file anew at each listing.
    if (root / ".git").exists():
        subprocess.run(["git", "-C", str(root), "status", "--short"], env=env, capture_output=True, check=True)
    look = ["git", "-C", str(root), "ls-files", "-z", "-t", "--stage", "--others", "--modified", "--exclude-standard"]
    listed = min(cpu(look, env)[0] for _ in range(_RUNS)) if (root / ".git").exists() else 0.0
    parse = bare = spent = wall = float("inf")
    memory = 0
    with tempfile.TemporaryDirectory() as folder:
        home = {**env, "WATTSON_HOME": f"{folder}/home"}
        for run in range(_RUNS):  # in turn, so that both see the same load
            used, _, printed = cpu([python, "-c", _BARE, str(root)], env, feed)
            bare, parse = min(bare, used), min(parse, float(printed))
            used, took, printed = cpu([python, "-c", _INDEX, str(root), f"{folder}/{run}/tags.sqlite"], env)
            spent, wall, memory = min(spent, used), min(wall, took), max(memory, int(printed.split()[1]))
            if bare > _LONG:
                break
        ask = [python, "-m", "assistant", "context", "--root", str(root), _QUESTION]
        _, first, _ = cpu(ask, home)
        for _ in range(600):  # the child of the first question goes on by itself
            if "indexed so far" not in subprocess.run(ask, env=home, capture_output=True, check=True).stderr.decode():
                break
        warm = min(cpu(ask, home)[0] for _ in range(_RUNS * 2))
        fresh = root / "wattson_bench_fresh.py"
        changed = float("inf")
        for run in range(_RUNS * 2):
            try:
                fresh.write_text(f"def fresh_{run}(requests):\n    return retry(requests)\n" * 40)
                changed = min(changed, cpu(ask, home)[0])
            finally:
                fresh.unlink()
    print(
        f"{root.name}: {len(files)} files; an empty Python takes {empty * 1000:.0f} CPU ms, git's listing {listed * 1000:.0f}"
    )
    print(
        f"  cold index {spent:.2f} CPU s: {spent / bare:.2f} times a bare process ({bare:.2f}), {spent / parse:.2f} times its parse ({parse:.2f});"
        f" {wall:.1f} s wall, child at most {memory} MB"
    )
    print(
        f"  first context after {first:.2f} s; a warm question {warm:.2f} CPU s ({warm / empty:.0f} empty Pythons),"
        f" one fresh file {(changed - warm) * 1000:+.0f} ms, whole processes"
    )


if __name__ == "__main__":
    for name in sys.argv[1:]:
        measure(Path(name).resolve())
