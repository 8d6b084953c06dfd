"""Tags remembered by git blob id, shared by all windows: SQLite in the user's cache folder. It can always be made anew."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING

from assistant.context.tags import Tag, Tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_VERSION = 1
_MANY = 500


@contextlib.contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        base = _connect(path)
    except sqlite3.DatabaseError:
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        base = _connect(path)
    try:
        yield base
    finally:
        base.close()


def _connect(path: Path) -> sqlite3.Connection:
    base = sqlite3.connect(path, timeout=10)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=NORMAL")
    base.execute(
        "CREATE TABLE IF NOT EXISTS tags (blob TEXT, language TEXT, version INT, tags TEXT, PRIMARY KEY (blob, language))"
    )
    return base


def load(path: Path, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Tags]:
    """Return the tags known for pairs of blob id and language."""
    pairs = list(dict.fromkeys(wanted))
    known: dict[tuple[str, str], Tags] = {}
    with _open(path) as base:
        for at in range(0, len(pairs), _MANY):
            some = dict.fromkeys(blob for blob, _ in pairs[at : at + _MANY])
            marks = ",".join("?" * len(some))
            rows = base.execute(
                f"SELECT blob, language, tags FROM tags WHERE version = {_VERSION} AND blob IN ({marks})", list(some)
            )
            for blob, language, text in rows:
                defs, refs = json.loads(text)
                known[blob, language] = Tags(
                    tuple(Tag(*each) for each in defs), tuple((name, number) for name, number in refs)
                )
    return {pair: known[pair] for pair in pairs if pair in known}


def save(path: Path, found: Iterable[tuple[str, str, Tags]]) -> None:
    """Remember tags."""
    rows = [
        (
            blob,
            language,
            _VERSION,
            json.dumps([[[t.name, t.kind, t.start, t.end, t.signature] for t in tags.defs], tags.refs]),
        )
        for blob, language, tags in found
    ]
    with _open(path) as base, base:
        base.executemany("INSERT OR REPLACE INTO tags VALUES (?, ?, ?, ?)", rows)
