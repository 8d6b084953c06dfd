"""Text in the user's own editor: the screen steps aside and comes back."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.tui.stage import Stage


async def edit(screen: Stage, text: str, suffix: str) -> str | None:
    """Return the text as the user left it in $VISUAL or $EDITOR; None when it could not be opened or was given up.

    The editor and its plug-ins see no keys.
    """
    env = screen.session.env
    hidden = set(screen.session.roster.key_names())
    plain = {name: value for name, value in env.items() if name not in hidden}
    command = shlex.split(env.get("VISUAL") or env.get("EDITOR") or "vi")
    handle, name = tempfile.mkstemp(prefix="wattson-", suffix=suffix)
    place = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        with screen.app.suspend():
            done = await asyncio.to_thread(subprocess.run, [*command, name], env=plain, check=False)
        if done.returncode:
            screen.talk.add(f"{command[0]} ended with {done.returncode}; the text stays as it was.", "warning")
            return None
        return place.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        screen.talk.add(f"{command[0]} cannot be opened: {error.strerror}. Set $EDITOR.", "warning")
        return None
    finally:
        place.unlink(missing_ok=True)
