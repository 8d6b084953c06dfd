"""A scratch repository and a Wattson with a home of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assistant import config
from assistant.models import practice
from assistant.session import Session


@pytest.fixture
def repo(tmp_path):
    """The practice repository, committed."""
    root = tmp_path / "repo"
    for path, text in practice.files().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text.lstrip("\n"))
    who = {"user.name": "T", "user.email": "t@example.invalid", "commit.gpgsign": "false"}
    steps = [["init", "-q"], *(["config", name, value] for name, value in who.items())]
    for words in (*steps, ["add", "."], ["commit", "-qm", "first"]):  # a fresh machine knows nobody who could commit
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


@pytest.fixture
def env(tmp_path):
    """An environment without keys, with a home of its own; contexts are complete, however busy the machine is."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT", "VIRTUAL_ENV") if name in os.environ}
    return {**kept, "HOME": str(tmp_path / "home"), "WATTSON_HOME": str(tmp_path / "state"), "TERM": "xterm-256color",
            "WATTSON_CONTEXT_WAIT": "60"}  # fmt: skip


@pytest.fixture
async def make_session(repo, env):
    """Make a session as the command line does; keyword arguments are more environment. What is open at the end is closed."""
    made = []

    def make(**more):
        places = config.places({**env, **more})
        made.append(Session(repo, places=places, config=config.load(places, repo), env={**env, **more}))
        return made[-1]

    yield make
    for session in made:
        await session.close()


@pytest.fixture
def two(make_session, config):
    """Make a session with these settings whose main model (OpenAI's) and another (Anthropic's) are each at a server of their own."""

    def make(main, other, settings=""):
        config(settings)
        session = make_session(
            OPENAI_BASE_URL=main.url, OPENAI_API_KEY="k" * 20, ANTHROPIC_BASE_URL=other.url, ANTHROPIC_API_KEY="a" * 20
        )
        session.roster.choose("openai/gpt-6.1-sol")
        return session

    return make


@pytest.fixture(name="config")
def users_config(tmp_path):
    """Write the user's config, and pages of plans by name."""
    folder = tmp_path / "state" / "config"

    def write(text, **plans):
        (folder / "plans").mkdir(parents=True, exist_ok=True)
        (folder / "config.toml").write_text(text)
        for name, page in plans.items():
            (folder / "plans" / f"{name}.toml").write_text(page)

    return write


@pytest.fixture
def wattson(repo, env):
    """Run the command in the repository; returns (exit code, stdout, stderr), the output read as JSON lines on wish."""

    def run(*args, stdin="", cwd=repo, lines=False, **more):
        done = subprocess.run(
            [sys.executable, "-m", "assistant", *args],
            cwd=cwd, env={**env, "PYTHONPATH": str(Path.cwd()), **more}, input=stdin.encode(), capture_output=True, timeout=60,
        )  # fmt: skip
        out = done.stdout.decode()
        return done.returncode, [json.loads(line) for line in out.splitlines()] if lines else out, done.stderr.decode()

    return run
