"""What speed costs, as ratios against a floor measured in the same run. Usage: python -m benchmarks."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_RUNS = 7
_MINIMAL = """
import asyncio
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("hello")
async def main():
    app = Minimal()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.3)
asyncio.run(main())
"""
_OURS = """
import asyncio, os
from assistant.cli import _session
from pathlib import Path
from assistant.tui.app import Wattson
async def main():
    app = Wattson(_session(Path.cwd(), dict(os.environ)), "scripted/lesson")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause(0.3)
asyncio.run(main())
"""


def cpu(argv: list[str], cwd: str, env: dict[str, str]) -> float:
    """Return the least CPU seconds of a whole process over several runs."""
    best = float("inf")
    for _ in range(_RUNS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(argv, check=True, cwd=cwd, env=env, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return best


async def stream() -> None:
    """Stream 20,000 tokens into the transcript at about 200 a second of simulated time; compare the quarters."""
    from textual.app import App, ComposeResult

    from assistant.tui import theme
    from assistant.tui.widgets.transcript import Transcript

    class Screen(App[None]):
        def compose(self) -> ComposeResult:
            yield Transcript(theme.load("dark"))

    app = Screen()
    async with app.run_test(size=(100, 40)) as pilot:
        talk = app.query_one(Transcript)
        words = (
            "The kettle holds at most some litres of `water`, and says so.\n",
            "    return joules / JOULES_PER_KWH\n",
            "```python\n",
        )
        quarters = []
        for quarter in range(4):
            start = time.process_time()
            for step in range(250):
                talk.append(words[(quarter * 250 + step) % 3] * 2)
                if step % 10 == 9:
                    await pilot.pause(0.1)
            quarters.append(time.process_time() - start)
        talk.end()
    sys.stdout.write(
        f"stream: last quarter / first quarter {quarters[-1] / quarters[0]:.2f} (goal 1.2); {sum(quarters) / 20:.3f} CPU s per 1,000 tokens, widget only\n"
    )


def main() -> None:
    """Print all figures."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "WATTSON_HOME": f"{folder}/home", "PYTHONPATH": str(Path.cwd())}
        floor = cpu([sys.executable, "-c", "pass"], folder, env)
        version = cpu([sys.executable, "-m", "assistant", "--version"], folder, env)
        sys.stdout.write(f"--version: {version:.3f} CPU s, {version / floor:.2f} x python -c pass (goal 2.5)\n")
        minimal = cpu([sys.executable, "-c", _MINIMAL], folder, env)
        ours = cpu([sys.executable, "-c", _OURS], folder, env)
        sys.stdout.write(f"TUI settled: {ours:.3f} CPU s, {ours / minimal:.2f} x a minimal Textual app (goal 1.35)\n")
    asyncio.run(stream())


if __name__ == "__main__":
    main()
