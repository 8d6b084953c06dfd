"""Waiting for an SQLite file that another window has locked."""

from __future__ import annotations

import sqlite3
import time

_TURN_MS, _BREATH_S = 20, 0.001


def is_busy(error: sqlite3.Error) -> bool:
    """Say whether an error is only that another holds the lock: SQLITE_BUSY."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF == sqlite3.SQLITE_BUSY


def patiently(base: sqlite3.Connection, statement: str, wait_s: float) -> None:
    """Run what needs a lock, again and again for so many seconds while another holds it.

    SQLite's own wait sleeps ever longer, up to 100 ms, and among windows that write all the time it may never wake at the
    right moment: so it is asked for short waits. For a change of the journal it does not wait at all where windows that open
    a new file at once are in each other's way.
    """
    end = time.monotonic() + wait_s
    usual = base.execute("PRAGMA busy_timeout").fetchone()[0]
    base.execute(f"PRAGMA busy_timeout={_TURN_MS}")
    try:
        while True:
            try:
                base.execute(statement).fetchone()
                return
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() >= end:
                    raise
            time.sleep(_BREATH_S)
    finally:
        base.execute(f"PRAGMA busy_timeout={usual:d}")
