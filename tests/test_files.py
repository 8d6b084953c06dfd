"""A file is written whole or not at all, and a lock is waited for, where the file system has locks."""

import errno
import fcntl
import os

import pytest

from assistant.files import replace
from assistant.locked import lock, locked


@pytest.fixture
def no_locks(monkeypatch):
    """A file system without locks."""

    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)


def names(folder):
    return [path.name for path in folder.iterdir()]


def test_a_file_is_replaced_and_only_the_user_can_read_it(tmp_path):
    path = tmp_path / "state.json"
    path.write_bytes(b"old")
    path.chmod(0o644)
    replace(path, b"new")
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"new", 0o600)
    assert names(tmp_path) == ["state.json"]


@pytest.mark.parametrize("stop", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_the_old_file_stays_and_nothing_else_where_writing_ends_early(tmp_path, stop):
    path = tmp_path / "state.json"
    path.write_bytes(b"old")

    def probe():
        raise stop

    with pytest.raises(type(stop)):
        replace(path, b"new", probe=probe)
    assert (path.read_bytes(), names(tmp_path)) == (b"old", ["state.json"])


def test_two_threads_of_one_process_do_not_share_a_half_written_file(tmp_path):
    path = tmp_path / "state.json"
    replace(path, b"first", sync=True, probe=lambda: replace(path, b"second, which is longer"))
    assert (path.read_bytes(), names(tmp_path)) == (b"first", ["state.json"])


def test_a_lock_is_held_against_others_until_its_file_is_closed(tmp_path):
    path = tmp_path / "lock"
    with locked(path, 0):
        assert path.stat().st_mode & 0o777 == 0o600
        with path.open("rb") as other:
            assert not lock(other)
        with pytest.raises(TimeoutError, match="another window"), locked(path, 0.01):
            pytest.fail("held twice")
    with path.open("rb") as other:
        assert lock(other)


def test_shared_locks_go_together_and_keep_out_the_other_kind(tmp_path):
    path = tmp_path / "lock"
    path.touch()
    with path.open("rb") as one, path.open("rb") as two, path.open("rb") as three:
        assert lock(one, shared=True)
        assert lock(two, shared=True)
        assert not lock(three)


def test_where_there_are_no_locks_the_work_is_done_without_one(tmp_path, no_locks):
    with locked(tmp_path / "lock", 0), (tmp_path / "lock").open("rb") as other:
        assert lock(other)
