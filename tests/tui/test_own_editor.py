"""A text in the user's own editor: what comes back, what is kept where it ends otherwise, and what of it is told later."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assistant import config
from assistant.tui import editor


class Stage:
    """As much of the screen as an editor needs; `said` is what it was told."""

    def __init__(self, session):
        self.session, self.app, self.talk, self.hunks = session, self, self, self
        self.display, self.said = False, []

    def suspend(self):
        return contextlib.nullcontext()

    def add(self, words, _style):
        self.said.append(words)


@pytest.fixture
def stage(make_session, tmp_path):
    """Make a screen whose user has a script for an editor."""

    def make(script):
        path = tmp_path / "ed.sh"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return Stage(make_session(EDITOR=str(path)))

    return make


@pytest.fixture
def ended():
    """The number of a process that has ended."""
    with subprocess.Popen(["true"]) as child:
        pass
    return child.pid


def kept(session):
    folder = session.places.data / "editor"
    return sorted(path.name for path in folder.rglob("*") if path.is_file()) if folder.exists() else []


async def test_backups_that_an_editor_keeps_beside_go_with_the_text(stage):
    screen = stage('cp "$1" "$1~"\necho swap > "$(dirname "$1")/.text.swp"\necho new > "$1"')
    assert await editor.edit(screen, "old\n", ".py") == "new\n"
    assert kept(screen.session) == []
    assert screen.said == []


async def test_the_name_of_a_text_ends_as_that_of_its_file(stage, tmp_path):
    screen = stage(f'echo "$1" > {tmp_path}/name')
    await editor.edit(screen, "old\n", ".py")
    assert (tmp_path / "name").read_text().strip().endswith("/text.py")


LOOK = """
import sys
from pathlib import Path
from types import SimpleNamespace
from assistant.tui import editor
print(editor.left_behind(SimpleNamespace(data=Path(sys.argv[1]))))
"""


async def test_what_an_editor_has_open_just_now_is_not_left_behind(stage, env, tmp_path):
    """Another window looks, while an editor has its files beside the text."""
    (tmp_path / "look.py").write_text(LOOK)
    data = config.places(env).data
    beside = 'echo swap > "$(dirname "$1")/.$(basename "$1").swp"\n'
    look = f"PYTHONPATH={Path.cwd()} {sys.executable} {tmp_path}/look.py {data} > {tmp_path}/told\n"
    assert await editor.edit(stage(beside + look + "\nsleep 0.4"), "old\n", ".py") == "old\n"
    assert (tmp_path / "told").read_text() == "[]\n"


def test_what_was_open_when_its_owner_ended_is_told_of_once(make_session, ended):
    places = make_session().places
    folder = places.data / "editor" / f"{ended}-a"
    folder.mkdir(parents=True)
    for name in ("text.py", "text.py~", ".text.py.swp"):
        (folder / name).write_text("x")
    assert editor.left_behind(places) == [folder]


@pytest.mark.parametrize("script", ["kill -KILL $$", "sh -c 'kill -TERM $$'\nexit $?"])
async def test_what_was_saved_in_an_editor_that_was_killed_is_kept(stage, script):
    screen = stage(f'echo mine > "$1"\n{script}')
    assert await editor.edit(screen, "old\n", ".py") is None
    assert "was killed" in screen.said[0]
    (place,) = (screen.session.places.data / "editor").iterdir()
    assert str(place) in screen.said[0]
    assert (place / "text.py").read_text() == "mine\n"


@pytest.mark.parametrize("code", [1, 255])
async def test_what_was_saved_in_an_editor_that_gave_up_is_not_kept(stage, code):
    screen = stage(f'echo mine > "$1"\nexit {code}')
    assert await editor.edit(screen, "old\n", ".py") is None
    assert screen.said == [f"ed.sh ended with {code}; the text stays as it was."]
    assert kept(screen.session) == []


async def test_a_text_that_no_file_can_hold_is_told_of(stage):
    screen = stage("true")
    assert await editor.edit(screen, "lone \ud800 surrogate", ".md") is None
    assert "cannot be given to ed.sh" in screen.said[0]
    assert "\ud800" not in screen.said[0]
    assert kept(screen.session) == []


async def test_bytes_that_are_no_text_come_back_as_they_were(stage):
    words = b"caf\xe9 \xff\n".decode("utf-8", "surrogateescape")
    assert await editor.edit(stage("sleep 0.4"), words, ".md") == words


async def test_the_folder_of_all_texts_stays_where_one_is_done_with(stage):
    """Another window may be about to put a text there."""
    screen = stage("true")
    await editor.edit(screen, "old\n", ".md")
    assert (screen.session.places.data / "editor").is_dir()
    assert editor.left_behind(screen.session.places) == []


async def test_an_editor_that_goes_on_in_a_window_of_its_own_is_told_of_and_keeps_its_file(stage):
    screen = stage("true")
    assert await editor.edit(screen, "old\n", ".py") is None
    assert len(screen.said) == 1
    assert "ed.sh came back at once, and nothing was changed." in screen.said[0]
    assert kept(screen.session) == ["text.py"]


async def test_ctrl_c_reaches_the_editor_alone(stage, tmp_path):
    screen = stage(
        f"kill -INT {os.getpid()}\nkill -QUIT {os.getpid()}\ntrap '' TERM\necho new > \"$1\"\ntrap > {tmp_path}/traps"
    )
    before = signal.getsignal(signal.SIGINT)
    assert await editor.edit(screen, "old\n", ".py") == "new\n"
    assert "INT" not in (tmp_path / "traps").read_text()  # the editor itself hears it
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    ("script", "left"), [("exit 1", []), ('echo typed > "$1.swp"\nexit 1', ["text.py", "text.py.swp"])]
)
async def test_what_an_editor_leaves_that_was_told_to_end_is_kept(stage, script, left):
    screen = stage(script)
    assert await editor.edit(screen, "old\n", ".py") is None
    assert kept(screen.session) == left
    assert ("is kept in" in screen.said[0]) is bool(left)
