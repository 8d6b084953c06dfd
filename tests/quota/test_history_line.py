"""The line for tmux and prompts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from assistant import config
from assistant.quota import line

DAY = "2026-11-24"
FACTS = {
    "model": "zai/glm-5.3", "day": DAY, "burn": "$0.42", "window": "5 h", "share": "0.43", "figure": "43%", "resets": "7200", "at": "0", "state": "open",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "now", "width", "drawn"),
    [
        ({}, 0, 80, "glm-5.3 · $0.42 today · 5 h ██▏  43% resets in 2 h"),
        ({}, 3660, 80, "glm-5.3 · $0.42 today · 5 h ██▏  43% resets in 59 min · 1 h 01 min old"),
        ({}, 7200, 80, "glm-5.3 · $0.42 today · 5 h reset · 2 h old"),
        ({}, -999, 80, "glm-5.3 · $0.42 today · 5 h ██▏  43% resets in 2 h 16 min"),
        ({"day": "2026-11-23"}, 0, 80, "glm-5.3 · 5 h ██▏  43% resets in 2 h"),
        ({"state": "exhausted", "share": "1.2"}, 0, 80, "glm-5.3 · $0.42 today · 5 h used up resets in 2 h"),
        ({"state": "unknown", "share": ""}, 0, 80, "glm-5.3 · $0.42 today · 5 h ? resets in 2 h"),
        ({"share": "1.2", "figure": "120%"}, 0, 80, "glm-5.3 · $0.42 today · 5 h █████120% resets in 2 h"),
        ({"share": "0.625", "figure": "62.5%"}, 0, 80, "glm-5.3 · $0.42 today · 5 h ███▏ 62.5% resets in 2 h"),
        ({"share": "", "figure": "", "resets": ""}, 0, 80, "glm-5.3 · $0.42 today · 5 h"),
        (
            {"window": "balance", "share": "", "figure": "$20.00 left", "resets": ""},
            0,
            80,
            "glm-5.3 · $0.42 today · balance $20.00 left",
        ),
        ({"window": "", "at": ""}, 0, 80, "glm-5.3 · $0.42 today"),
        ({"resets": str(200_000)}, 0, 80, "glm-5.3 · $0.42 today · 5 h ██▏  43% resets in 2 d 7 h"),
        ({}, 0, 45, "$0.42 today · 5 h ██▏  43% resets in 2 h"),
        ({}, 0, 10, "5 h ██▏  4"),
        ({"resets": "nonsense", "share": "x", "figure": ""}, 0, 80, "glm-5.3 · $0.42 today · 5 h"),
    ],
)
def test_the_line_says_what_is_known_and_how_old_it_is(changed, now, width, drawn):
    assert line.line({**FACTS, **changed}, now, DAY, width) == drawn


def test_facts_are_kept_whole_and_read_back(tmp_path):
    line.keep(
        str(tmp_path),
        model="a\x1b[31m\nb",
        day=DAY,
        burn="$1",
        window="week",
        share=0.5,
        resets=None,
        at=9.6,
        figure="50%",
    )
    assert line.read(str(tmp_path)) == {
        "model": "a[31mb", "day": DAY, "burn": "$1", "window": "week", "share": "0.5000", "figure": "50%", "resets": "", "at": "10", "state": "",
    }  # fmt: skip
    assert [path.name for path in tmp_path.iterdir()] == ["line"]


@pytest.mark.parametrize("text", ["", "wattson-line 2\nmodel\tx\n", "\x00\xff", "wattson-line"])
def test_what_is_not_ours_is_not_read(tmp_path, text):
    (tmp_path / "line").write_text(text)
    assert line.read(str(tmp_path)) is None


def test_without_a_folder_there_is_no_line_and_no_error(tmp_path):
    folder = str(tmp_path / "none")
    line.keep(folder, model="m", day=DAY, burn="", window="", share=None, resets=None, at=0)
    assert line.read(folder) is None
    assert line.show(["usage", "--line"], {"WATTSON_HOME": folder}, "linux") == ""


@pytest.mark.parametrize("argv", [["usage"], ["usage", "--line", "--json"], ["--line"], []])
def test_anything_else_goes_the_long_way(argv):
    assert line.show(argv, {"WATTSON_HOME": "/x"}, "linux") is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the short way to the folder is for Linux")
@pytest.mark.parametrize("name", ["WATTSON_HOME", "XDG_DATA_HOME", ""])
def test_the_short_way_leads_to_the_same_folder(tmp_path, monkeypatch, name):
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("WATTSON_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    if name:
        monkeypatch.setenv(name, str(tmp_path / "there"))
    assert Path(line.home(os.environ, sys.platform)) == config.places(os.environ).data


def test_nothing_heavy_comes_along():
    said = subprocess.run(
        [sys.executable, "-c", "import assistant.quota.line, sys; print(*sorted(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"sqlite3", "json", "dataclasses", "datetime", "pathlib", "decimal", "msgspec"} & (
        set(said.stdout.split()) - set(_plain().split())
    )


def _plain():
    return subprocess.run(
        [sys.executable, "-c", "import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    ).stdout
