"""What seeing costs: completion on 100,000 paths, listing 200,000 files, the gate. Usage: python -m benchmarks.see [FILES]."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.context import gate
from assistant.context.completion import Paths
from assistant.context.repo import Repo

if TYPE_CHECKING:
    from collections.abc import Callable

_WORDS = [
    "core",
    "index",
    "service",
    "parser",
    "render",
    "widget",
    "model",
    "view",
    "controller",
    "user",
    "auth",
    "token",
    "config",
    "utils",
    "spec",
    "main",
    "handler",
    "store",
    "cache",
    "query",
    "schema",
    "graph",
    "node",
    "edge",
]
_TEXTS = {".py", ".md", ".txt", ".json", ".toml", ".yaml"}
_TYPED = ("user_auth12", "README.md", "usrmdl", "parser render", "core3/index", "zzzq", "tsrv")


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process and the children it waited for."""
    before = time.process_time()
    kids = resource_children()
    work()
    return time.process_time() - before + resource_children() - kids


def resource_children() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def names(many: int) -> list[str]:
    draw = random.Random(7)
    found: dict[str, None] = {}
    while len(found) < many:
        folder = "/".join(f"{draw.choice(_WORDS)}{draw.randint(0, 9)}" for _ in range(draw.randint(1, 5)))
        found[
            f"{folder}/{draw.choice(_WORDS)}_{draw.choice(_WORDS)}{draw.randint(0, 300)}.{draw.choice(('py', 'ts', 'go', 'md'))}"
        ] = None
    return list(found)


def completion(many: int) -> None:
    paths = names(many)
    kept: list[Paths] = []
    ready = cpu(lambda: kept.append(Paths(paths)))
    finder = kept[0]
    strokes = [cpu(partial(finder.complete, word[:size])) for word in _TYPED for size in range(1, len(word) + 1)]
    strokes.sort()
    print(
        f"completion, {many} paths: ready in {ready:.2f} s; a keystroke {statistics.median(strokes) * 1000:.0f} ms in the middle,"
    )
    print(f"  {strokes[int(len(strokes) * 0.95)] * 1000:.0f} ms at 95 of 100, {strokes[-1] * 1000:.0f} ms at most")


def listing(many: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for path in names(many):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(b"x = 1\n")
        plain = cpu(lambda: Repo.open(root).files())
        git = ["git", "-c", "user.name=T", "-c", "user.email=t@example.invalid"]
        for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
            subprocess.run([*git, *words], cwd=root, check=True)
        floor = cpu(lambda: [subprocess.run(["git", "ls-files", "-z", *how], cwd=root, check=True, capture_output=True) for how in ((), ("-o", "--exclude-standard"), ("-m",))])  # fmt: skip
        repo = Repo.open(root)
        first = cpu(repo.files)
        again = cpu(repo.files)
    print(
        f"listing, {many} files: {first:.2f} s, again {again:.2f} s ({again / floor:.1f} times git's own part); as a plain folder {plain:.2f} s"
    )


def gates() -> None:
    texts = [
        (path.read_text(encoding="utf-8", errors="replace"), path.name)
        for path in Path(sysconfig.get_path("purelib")).rglob("*")
        if path.suffix in _TEXTS and path.is_file() and path.stat().st_size < 1_000_000
    ]
    hits = 0

    def read() -> None:
        nonlocal hits
        hits = sum(len(gate.mask(text, name)[1]) for text, name in texts)

    size = sum(len(text) for text, _ in texts) / 1e6
    spent = cpu(read)
    print(
        f"gate: {size:.0f} MB of installed packages at {size / spent:.1f} MB/s, {hits} masked ({hits / size:.2f} a MB)"
    )


if __name__ == "__main__":
    completion(100_000)
    gates()
    listing(int(sys.argv[1]) if sys.argv[1:] else 200_000)
