"""What is installed is whole: words, queries, pages and the vocabulary come along in the wheel."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CODE = """
from assistant import prompts, tokens
from assistant.models import catalogue
from assistant.tui import theme
from assistant.context import language
print(prompts.folder().name, bool(prompts.fill("system", format="")), tokens.count("hello world"))
print(len(catalogue.load({}, None, {}).providers) > 5, theme.load("light").textual)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    words = ["-m", "build", "--wheel", "--no-isolation", "-o", str(folder)]
    subprocess.run([sys.executable, *words], cwd=Path(__file__).parent.parent, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        wheel.extractall(folder / "site")
    return folder / "site"


def test_a_wheel_has_all_it_needs(installed, tmp_path):
    env = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["_words", "True", "2", "True", "textual-light"]
    assert not (installed / "tests").exists()
    assert not (installed / "prompts").exists()
