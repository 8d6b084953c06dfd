"""Waiting for a file that another window has locked: one of ours, by `flock`, or an SQLite file.

On a file system without locks (some network mounts) `flock` fails. Wattson then works as if it held the lock: refusing
would make it useless there, and two windows rarely write at the same moment. This holds for every lock by `flock`.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import math
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_PAUSE_S = 0.005
_TURN_MS, _BREATH_S = 20, 0.001
_BUSY = 5
"""SQLITE_BUSY; a constant here so that this module does not load SQLite for whoever only locks a file."""


def lock(file: int | BinaryIO, wait_s: float = 0, *, shared: bool = False) -> bool:
    """Lock an open file until it is closed, against other processes and other opened files of this one.

    Waits up to `wait_s` seconds (`math.inf`: for ever) for whoever holds it; False if they still do. Shared locks keep
    out only those that are not shared. True on a file system without locks.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    end = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(file, kind if math.isinf(wait_s) else kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_PAUSE_S)
        except OSError:
            return True
        else:
            return True


@contextlib.contextmanager
def locked(path: Path, wait_s: float) -> Iterator[None]:
    """Hold the lock of a file, made if missing, as `lock` does. Raises TimeoutError, and OSError if it cannot be opened."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not lock(handle, wait_s):
            raise TimeoutError(errno.ETIMEDOUT, f"another window holds {path}")
        yield
    finally:
        os.close(handle)


def is_busy(error: sqlite3.Error) -> bool:
    """Say whether an error only means that another process holds the lock."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF == _BUSY


def patiently(base: sqlite3.Connection, statement: str, wait_s: float) -> None:
    """Run a statement that needs a lock, trying again for up to `wait_s` seconds while another process holds it.

    SQLite's own wait sleeps ever longer, up to 100 ms, and may never wake at the right moment among windows that write
    all the time, so it is only allowed short waits. When several windows open a new file at once and change its journal
    mode, SQLite does not wait at all.
    """
    import sqlite3

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
