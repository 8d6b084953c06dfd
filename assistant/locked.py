"""Waiting for an SQLite file that another window has locked."""

from __future__ import annotations

import os
import sqlite3
import time

_TURN_MS, _BREATH_S = 20, 0.001


def is_busy(error: sqlite3.Error) -> bool:
    """Say whether an error only means that another process holds the lock: SQLITE_BUSY."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF == sqlite3.SQLITE_BUSY


def patiently(base: sqlite3.Connection, statement: str, wait_s: float) -> None:
    """Run a statement that needs a lock, trying again for up to `wait_s` seconds while another process holds it.

    SQLite's own wait sleeps ever longer, up to 100 ms, and may never wake at the right moment among windows that write
    all the time, so it is only allowed short waits. When several windows open a new file at once and change its journal
    mode, SQLite does not wait at all.
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


def alive(pid: int) -> bool:
    """Say whether a process with that number is running: it may hold a file, or a request in flight."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
