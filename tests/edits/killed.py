"""Kill a write of 20 files at many points, in a process of its own, and look at what is left. Prints JSON.

Usage: killed.py FOLDER WHAT SEED COUNT. Each point is a fork that stops itself with SIGKILL before its Nth step; then the
parent recovers, sometimes killed on the way too, and compares.
"""

import json
import os
import random
import shutil
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from assistant.edits.journal import Journal
from assistant.edits.patch import FilePatch, Patch
from tests.edits.turning import redo, undo

NOW = datetime(2026, 11, 24, tzinfo=UTC)


class Stop:
    """A probe that counts, and kills its process at one count."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.count = 0

    def __call__(self, _: str) -> None:
        self.count += 1
        if self.count == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def files(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(root)): (path.read_bytes() if path.is_file() else b"", path.stat().st_mode)
        for path in sorted(root.rglob("*"))
    }


def make(place: Path) -> Path:
    shutil.rmtree(place, ignore_errors=True)
    root = place / "root"
    for index in range(17):
        path = root / f"d{index % 3}" / f"f{index}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"one\ntwo\nthree\n%d\n" % index)
    (root / "d0" / "f0.txt").chmod(0o755)
    (root / "gone" / "deep").mkdir(parents=True)
    (root / "gone" / "deep" / "x.txt").write_bytes(b"two\n")
    (root / "d1" / "old.txt").write_bytes(b"two\n")
    return root


def patch(root: Path) -> Patch:
    found = []
    for path in sorted(root.glob("d*/f*.txt")):
        data, mode = path.read_bytes(), path.stat().st_mode & 0o777
        found.append(FilePatch(str(path.relative_to(root)), data, data.replace(b"two", b"2"), mode, mode))
    found += [
        FilePatch("gone/deep/x.txt", b"two\n", None, 0o644, None),
        FilePatch("d1/old.txt", b"two\n", b"2\n", 0o644, 0o644, "moved/here/new.txt"),
        FilePatch("made/new.txt", None, b"new\n", None, 0o644),
    ]
    return Patch(tuple(found))


def fork(act, at: int) -> int:
    """Act in a child that kills itself at a step; returns how many steps there were, 0 when killed."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        probe = Stop(at)
        act(probe)
        os.write(write, str(probe.count).encode())
        os._exit(0)
    os.close(write)
    out = os.read(read, 20)
    os.close(read)
    os.waitpid(child, 0)
    return int(out or 0)


def main(place: Path, what: str, seed: int, count: int) -> list[str]:
    dice = random.Random(seed)
    root = make(place)
    before = files(root)
    journal = Journal(place / "journal", root)
    wanted = patch(root)
    journal.apply(wanted, label="x", now=NOW)
    after = files(root)
    shutil.rmtree(place)

    def act(probe) -> None:
        own = Journal(place / "journal", place / "root", probe=probe)
        {"apply": lambda: own.apply(wanted, label="x", now=NOW), "undo": lambda: undo(own, now=NOW)}[what]()

    def again(probe) -> None:
        Journal(place / "journal", place / "root", probe=probe).recover()

    make(place)
    if what == "undo":
        Journal(place / "journal", root).apply(wanted, label="x", now=NOW)
    fresh = place.with_name("fresh")
    place.rename(fresh)

    def prepare() -> None:
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(fresh, place)

    prepare()
    steps = fork(act, 0)
    wrong = [] if steps > 90 else [f"only {steps} steps"]
    for point in sorted(dice.sample(range(1, steps + 1), min(count, steps))):
        prepare()
        if fork(act, point):
            wrong.append(f"{point}: was not killed")
        if dice.random() < 0.3:
            fork(again, dice.randint(1, 30))
        journal = Journal(place / "journal", root)
        journal.recover()
        now = files(root)
        if now not in (before, after):
            wrong.append(f"{point}: mixed: {sorted(set(now.items()) ^ set(before.items()))[:4]}")
            continue
        if journal.notes():
            wrong.append(f"{point}: said something")
        left = [
            path.name
            for path in journal.folder.rglob("*")
            if path.suffix == ".new" or path.stem in {"going", "written"}
        ]
        if left:
            wrong.append(f"{point}: left {left}")
        if now == after:
            undo(journal, now=NOW)
            if files(root) != before:
                wrong.append(f"{point}: undo is not before")
        elif what == "undo":
            redo(journal, now=NOW)
        else:
            journal.apply(wanted, label="y", now=NOW)
        if now == before and files(root) != after:
            wrong.append(f"{point}: cannot be made again")
    return wrong


if __name__ == "__main__":
    json.dump(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])), sys.stdout)
