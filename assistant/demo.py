"""The scratch repository of the practice session."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from assistant.errors import RepoError
from assistant.models import practice


def prepare(folder: Path | None) -> Path:
    """Make a small git repository to practise in and return its root; `folder` must be empty or hold one already."""
    root = folder if folder is not None else Path(tempfile.mkdtemp(prefix="wattson-practice-"))
    if root.exists() and any(root.iterdir()):
        if (root / "kettle").is_dir():
            return root
        raise RepoError(f"{root} is not empty.", "Name a new folder for the practice session.")
    for path, text in practice.files().items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text.lstrip("\n"), encoding="utf-8")
    # The scratch repository sets its own author: a fresh machine has none, and `/commit` is to be practised as well.
    who = {"user.name": "Wattson", "user.email": "practice@wattson.invalid", "commit.gpgsign": "false"}
    steps = [["init", "-q"], *(["config", name, value] for name, value in who.items())]
    for words in (*steps, ["add", "."], ["commit", "-q", "--no-verify", "-m", "A kettle to practise on"]):
        try:
            subprocess.run(["git", *words], cwd=root, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise RepoError("git could not make the practice repository.", "Is git installed?") from error
    return root
