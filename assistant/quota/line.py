"""The status line for tmux and shell prompts: a few facts kept in a small file, drawn without opening the ledger.

A shell asks for it at each prompt, so this module imports only what the interpreter has loaded anyway. The facts are
kept whenever a step is settled or a meter is read; the drawing side knows the time, and shows how old they are.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_VERSION = "wattson-line 1"
_FIELDS = ("model", "day", "burn", "window", "share", "figure", "resets", "at", "state")
_BAR = "▏▎▍▌▋▊▉█"
_OLD_S = 300
"""Seconds after which the age is shown."""


def home(env: Mapping[str, str], platform: str) -> str:
    """Return the folder of `config.places(env).data` without loading `config`; "" if only platformdirs knows it.

    A test checks that the two agree.
    """
    if root := env.get("WATTSON_HOME", "").strip():
        return os.path.join(os.path.abspath(os.path.expanduser(root)), "data")  # noqa: PTH100, PTH111, PTH118 - pathlib costs 12 ms
    if platform.startswith("linux"):
        share = env.get("XDG_DATA_HOME", "").strip()
        return os.path.join(share or os.path.expanduser("~/.local/share"), "wattson")  # noqa: PTH111, PTH118 - as above
    return ""


def keep(
    folder: str,
    *,
    model: str,
    day: str,
    burn: str,
    window: str,
    share: float | None,
    resets: float | None,
    at: float,
    state: str = "",
    figure: str = "",
) -> None:
    """Keep the facts, all or nothing; if the disk fails, the old ones stay and age.

    `day` is the user's date (ISO) to which `burn` belongs, in words ("$0.42", "2 included"); `window` names the binding
    window, `share` is its used part (0 to 1) and `figure` says it, or what is left; `resets` and `at` are POSIX
    seconds; `state` is the meter's.
    """
    values = (model, day, burn, window, "" if share is None else f"{share:.4f}", figure,
              "" if resets is None else f"{resets:.0f}", f"{at:.0f}", state)  # fmt: skip
    lines = [_VERSION, *(f"{name}\t{_plain(value)}" for name, value in zip(_FIELDS, values, strict=True))]
    path = os.path.join(folder, "line")  # noqa: PTH118 - as above
    temporary = f"{path}.{os.getpid()}.new"
    try:
        with open(temporary, "w", encoding="utf-8", opener=_ours) as file:
            file.write("\n".join(lines) + "\n")
        os.replace(temporary, path)  # noqa: PTH105 - as above
    except OSError:
        try:
            os.unlink(temporary)  # noqa: PTH108 - as above
        except OSError:
            pass


def read(folder: str) -> dict[str, str] | None:
    """Read the facts; None if there are none, or none of this version."""
    try:
        with open(os.path.join(folder, "line"), encoding="utf-8", errors="replace") as file:  # noqa: PTH118, PTH123 - as above
            first, *lines = file.read(4096).splitlines()
    except (OSError, ValueError):
        return None
    if first != _VERSION:
        return None
    facts = dict.fromkeys(_FIELDS, "")
    for each in lines:
        name, _, value = each.partition("\t")
        if name in facts:
            facts[name] = value
    return facts


def line(facts: Mapping[str, str], now: float, today: str, width: int = 80) -> str:
    """Draw the line: model, burn today, the binding window with its share and reset, and the age if it is not fresh.

    `now` is POSIX seconds, `today` the user's date. Parts that do not fit in `width` characters are left out, the model
    first.
    """
    at, resets, share = _number(facts["at"]), _number(facts["resets"]), _number(facts["share"])
    parts = []
    if facts["day"] == today and facts["burn"]:
        parts.append(f"{facts['burn']} today")
    if facts["window"]:
        if resets is not None and now >= resets:
            parts.append(f"{facts['window']} reset")
        else:
            words = [
                facts["window"],
                {"exhausted": "used up", "unknown": "?"}.get(facts["state"]) or f"{_bar(share)}{facts['figure']}",
            ]
            if resets is not None:
                words.append(f"resets in {span(int(resets - now) // 60)}")
            parts.append(" ".join(word for word in words if word))
    age = None if at is None else now - at
    if age is not None and age >= _OLD_S:
        parts.append(f"{span(int(age) // 60)} old")
    full = [part for part in (facts["model"].rpartition("/")[2], *parts) if part]
    while len(full) > 1 and len(" · ".join(full)) > width:
        full.pop(0)
    return " · ".join(full)[:width]


def show(argv: Sequence[str], env: Mapping[str, str], platform: str) -> str | None:
    """Return the line for `wattson usage --line`; None for other arguments, or if the full program is needed.

    Only this function asks for the time: the command line calls it before it loads anything.
    """
    if list(argv) != ["usage", "--line"]:
        return None
    folder = home(env, platform)
    if not folder:
        return None
    facts = read(folder)
    return "" if facts is None else line(facts, time.time(), time.strftime("%Y-%m-%d"))


def _bar(share: float | None) -> str:
    if share is None:
        return ""
    eighths = min(40, max(0, round(share * 40)))
    bar = "█" * (eighths // 8) + (_BAR[eighths % 8 - 1] if eighths % 8 else "")
    return f"{bar:<5}"


def span(minutes: int) -> str:
    """Write a length of time in its two largest units; never a negative one, whatever the clocks do."""
    minutes = max(0, minutes)
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes:02} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _plain(text: str) -> str:
    """Keep a value on its line, and control characters out of the user's prompt."""
    return "".join(char for char in text if char.isprintable())[:200]


def _ours(path: str, flags: int) -> int:
    """Open a file that nobody else may read."""
    return os.open(path, flags, 0o600)
