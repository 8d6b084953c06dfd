"""What the edit engine costs, in CPU seconds and beside a floor of the same run. Usage: python -m benchmarks.edits."""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from assistant.edits import match
from assistant.edits.edit import Edit
from assistant.edits.format import open_parser

_HUGE = """
import resource, sys, time
from pathlib import Path
from assistant.edits import disk, match
from assistant.edits.edit import Edit, Misfit
from assistant.edits.format import open_parser
root = Path(sys.argv[1])
start = time.process_time()
parser = open_parser()
found = [*parser.feed((root / "reply.md").read_text()), *parser.close()]
fitted = match.fit([e for e in found if isinstance(e, Edit)], lambda path: disk.read(root, path))
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, len(fitted.misfits), len(fitted.patch.files))
"""


def source(rng: random.Random, lines: int) -> list[str]:
    """Make lines like those of a program: functions that resemble each other."""
    out: list[str] = []
    number = 0
    while len(out) < lines:
        number += 1
        name = f"step_{number}_{rng.randrange(1_000)}"
        out += [
            f"def {name}(rows, limit={rng.randrange(9)}):", '    """Go through the rows."""', "    total = 0", "    for row in rows:",
            f"        total += row.weight * {number}", "        if total > limit:", "            break", f"    return total, {rng.randrange(99)}", "",
        ]  # fmt: skip
    return out[:lines]


def block(path: str, old: list[str], new: list[str]) -> str:
    return (
        f"{path}\n```python\n<<<<<<< SEARCH\n"
        + "\n".join(old)
        + "\n=======\n"
        + "\n".join(new)
        + "\n>>>>>>> REPLACE\n```\n\n"
    )


def reply(files: dict[str, list[str]], edits: int, rng: random.Random) -> str:
    """Write edits spread over files: most exact, some with blanks at line ends, some shifted to the left."""
    parts = []
    for index in range(edits):
        path = list(files)[index % len(files)]
        lines = files[path]
        at = (rng.randrange(len(lines) // 36 - 1) * 4 + index // len(files)) * 9
        old = lines[at : at + 9]
        new = [*old[:4], old[4] + " + 1", *old[5:]]
        spoil = (lambda line: line, lambda line: line + " ", lambda line: line)[index % 3]
        parts.append(block(path, [spoil(line) for line in old], [spoil(line) for line in new]))
    return "".join(parts)


def many() -> None:
    rng = random.Random(7)
    files = {f"src/part_{n}.py": source(rng, 2_000) for n in range(50)}
    words = reply(files, 200, rng)
    data = {path: ("\n".join(lines) + "\n").encode() for path, lines in files.items()}
    floor = time.process_time()
    for body in data.values():
        body.decode().split("\n")
    floor = time.process_time() - floor
    start = time.process_time()
    parser = open_parser()
    found = []
    for at in range(0, len(words), 20):
        found += parser.feed(words[at : at + 20])
    found += parser.close()
    parsed = time.process_time()
    fitted = match.fit([each for each in found if isinstance(each, Edit)], lambda path: (data[path], 0o644))
    fit = time.process_time()
    hunks = len(fitted.patch.hunks)
    end = time.process_time()
    print(
        f"200 edits over 50 files of 2,000 lines: {end - start:.3f} CPU s (goal 1): parsed {parsed - start:.3f}, matched {fit - parsed:.3f}, "
        f"diffed {end - fit:.3f}; {hunks} hunks, {len(fitted.misfits)} misfits; {(end - start) / max(floor, 1e-4):.0f} x decoding the files"
    )


def near() -> None:
    rng = random.Random(8)
    lines = source(rng, 20_000)
    data = ("\n".join(lines) + "\n").encode()
    at = 9 * 1_111
    for name, spoil in (
        ("two letters swapped", lambda old: [old[0], old[1], old[2].replace("total", "toatl"), *old[3:]]),
        ("not there at all", lambda old: [line + "x" for line in old]),
        ("shifted", lambda old: [line.removeprefix("  ") for line in old[1:]]),
    ):
        old = spoil(lines[at : at + 9])
        edit = Edit("replace", "x.py", "\n".join(old) + "\n", "\n".join([*old[:-2], "added()", *old[-2:]]) + "\n")
        start = time.process_time()
        fitted = match.fit([edit], lambda _: (data, 0o644))
        print(
            f"near match in 20,000 lines, {name}: {(time.process_time() - start) * 1000:.0f} CPU ms (goal 100); "
            f"{'refused: ' + fitted.misfits[0].reason if fitted.misfits else 'placed'}"
        )


def huge() -> None:
    rng = random.Random(9)
    for megabytes in (18, 50):
        with tempfile.TemporaryDirectory() as folder:
            lines = source(rng, megabytes * 38_000)
            (Path(folder) / "big.py").write_text("\n".join(lines) + "\n")
            size = (Path(folder) / "big.py").stat().st_size / 1e6
            (Path(folder) / "reply.md").write_text(
                block("big.py", lines[9_000:9_009], [*lines[9_000:9_008], "added()"])
            )
            out = subprocess.run([sys.executable, "-c", _HUGE, folder], check=True, capture_output=True, text=True)
            cpu, memory, misfits, changed = map(float, out.stdout.split())
            what = "refused" if misfits else f"placed in {changed:.0f} file"
            print(f"a file of {size:.0f} MB: {cpu:.2f} CPU s, {memory:.0f} MB at most (goal 5 s, 300 MB); {what}")


def streaming() -> None:
    """Feed replies of two sizes in small pieces: cost for each character must not grow."""
    rng = random.Random(10)
    files = {f"src/part_{n}.py": source(rng, 2_000) for n in range(20)}
    costs = []
    for edits in (100, 1_000):
        words = "".join(block("a.py", source(rng, 9), source(rng, 9)) for _ in range(edits)) if files else ""
        best = float("inf")
        for _ in range(3):
            parser = open_parser()
            start = time.process_time()
            for at in range(0, len(words), 4):
                parser.feed(words[at : at + 4])
            parser.close()
            best = min(best, time.process_time() - start)
        costs.append(best / len(words))
    print(
        f"parsing while it streams, a character of 1,000 edits / of 100: {costs[1] / costs[0]:.2f} (goal 1.2); {costs[1] * 1e6:.2f} CPU s per MB"
    )


def main() -> None:
    """Print all figures."""
    many()
    near()
    streaming()
    huge()
    print(f"peak of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
