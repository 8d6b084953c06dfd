"""The whole program in a real terminal: what starting, idling and streaming cost. Usage: python -m benchmarks.terminal.

CPU is user and system time of the whole process tree, read from /proc; the minimal Textual app beside it is the floor.
Ours is compiled first, as the libraries are and as an installed program is: where PYTHONDONTWRITEBYTECODE is set, each
start would compile again whatever changed.
"""

from __future__ import annotations

import compileall
import contextlib
import fcntl
import itertools
import json
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import assistant

_PAIRS = 7
_TICK = os.sysconf("SC_CLK_TCK")
_FLOOR = """
from textual.app import App
from textual.widgets import Static
class Minimal(App):
    def compose(self):
        yield Static("hello")
Minimal().run()
"""
_ANSWER = (
    "The kettle holds at most some litres of water, and says so when it is asked to hold more than that.\n\n"
    "```python\ndef boil(litres: float) -> float:\n    return litres * HEAT_CAPACITY / EFFICIENCY\n```\n\n"
    "- a list with `code` in it\n- and **strong** words\n\n"
)


class Terminal:
    """A program in a pseudo terminal of 120x40; what it writes is read and counted."""

    def __init__(self, argv: list[str], cwd: str, env: dict[str, str]) -> None:
        self.bytes = 0
        self.pid, self._handle = pty.fork()
        if not self.pid:
            os.chdir(cwd)
            os.execve(argv[0], argv, env)
        fcntl.ioctl(self._handle, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def read(self, seconds: float) -> None:
        """Read what it writes for some time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self._handle], [], [], left)
            if ready:
                try:
                    self.bytes += len(os.read(self._handle, 65_536))
                except OSError:
                    return

    def type(self, keys: str) -> None:
        """Type."""
        os.write(self._handle, keys.encode())

    def cpu(self) -> float:
        """CPU seconds of the tree so far."""
        total = 0
        for pid in self._tree():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(each) for each in fields[11:15])
        return total / _TICK

    def memory(self) -> float:
        """Resident memory of the tree in MB."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._tree())
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def _tree(self) -> list[int]:
        found = [self.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                found += [int(each) for each in task.read_text().split()]
        return found

    def close(self) -> None:
        """End it."""
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self._handle)


def serve(tokens: int, per_s: float) -> ThreadingHTTPServer:
    """Stream an answer of about so many four-byte tokens, one event each, at a pace (0: as fast as it goes).

    The first answer has twenty tokens: what a program loads once for its first question is told apart.
    """
    asked: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            with contextlib.suppress(ConnectionError):  # the program is ended before the last word when all is measured
                self._answer()

        def _answer(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            asked.append(len(asked))
            size = (tokens if len(asked) > 1 else 20) * 4
            words = (_ANSWER * (size // len(_ANSWER) + 1))[:size]
            start = time.monotonic()
            for at in range(0, len(words), 4):
                data = {"model": "m", "choices": [{"index": 0, "delta": {"content": words[at : at + 4]}}]}
                self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
                if per_s and (ahead := at / 4 / per_s - (time.monotonic() - start)) > 0:
                    self.wfile.flush()
                    time.sleep(ahead)
            end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
            usage = {"choices": [], "usage": {"prompt_tokens": 500, "completion_tokens": tokens}}
            self.wfile.write(f"data: {json.dumps(end)}\n\ndata: {json.dumps(usage)}\n\ndata: [DONE]\n\n".encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def start(argv: list[str], cwd: str, env: dict[str, str]) -> tuple[float, Terminal]:
    """Start a program and return the CPU seconds until it is quiet."""
    term = Terminal(argv, cwd, env)
    before = -1.0
    while (now := term.cpu()) > before:
        before = now
        term.read(1.0)
    return now, term


def ask(term: Terminal) -> float:
    """Ask something and return the CPU seconds when all is quiet again."""
    term.type("hello\r")
    term.read(0.5)
    last, quiet = term.cpu(), 0
    while quiet < 3:
        term.read(1.0)
        now = term.cpu()
        quiet = quiet + 1 if now - last < 0.02 else 0
        last = now
    return last


def quarters(term: Terminal, seconds: float) -> list[float]:
    """Ask something whose answer takes so many seconds; returns the CPU seconds of each quarter of them."""
    term.type("hello\r")
    marks = [term.cpu()]
    for _ in range(4):
        term.read(seconds / 4)
        marks.append(term.cpu())
    return [later - sooner for sooner, later in itertools.pairwise(marks)]


def main() -> None:
    """Print all figures."""
    compileall.compile_dir(Path(assistant.__file__).parent, quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "init", "-q", folder], check=True)
        Path(folder, "kettle.py").write_text("def boil(litres):\n    return litres\n")
        base = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "PYTHONPATH": str(Path.cwd())}
        env = {**base, "WATTSON_HOME": f"{folder}/.home", "OPENAI_API_KEY": "k" * 20}
        ours = [sys.executable, "-m", "assistant", "-m", "openai/gpt-6.1-sol"]
        runs = []
        for _ in range(_PAIRS):
            least, term = start([sys.executable, "-c", _FLOOR], folder, base)
            term.close()
            settled, term = start(ours, folder, {**env, "OPENAI_BASE_URL": "http://127.0.0.1:9"})
            term.close()
            runs.append((settled / least, settled, least))
        ratio, settled, least = sorted(runs)[_PAIRS // 2]
        sys.stdout.write(
            f"settled: {settled:.2f} CPU s, {ratio:.2f} x a minimal Textual app at {least:.2f} (goal 1.35), the middle of "
            f"{', '.join(f'{each[0]:.2f}' for each in sorted(runs))}\n"
        )
        settled, term = start(ours, folder, {**env, "OPENAI_BASE_URL": "http://127.0.0.1:9"})
        memory, before, written = term.memory(), term.cpu(), term.bytes
        term.read(15)
        sys.stdout.write(
            f"idle: {memory:.0f} MB (goal 80), {(term.cpu() - before) / 15:.2%} of a core (goal 0.4 %), "
            f"{(term.bytes - written) / 15:.0f} bytes a second\n"
        )
        term.close()
        for tokens, per_s in ((2_000, 200.0), (5_000, 0.0), (20_000, 0.0)):
            server = serve(tokens, per_s)
            _, term = start(ours, folder, {**env, "OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_port}"})
            before = term.cpu()
            first = ask(term) - before
            before, written, begun = term.cpu(), term.bytes, time.monotonic()
            last = ask(term)
            pace = f"at {per_s:.0f} tokens/s" if per_s else "at once"
            sys.stdout.write(
                f"stream of {tokens:,} tokens {pace}: {(last - before) / tokens * 1000:.2f} CPU s per 1,000, "
                f"{(term.bytes - written) / 1e6:.2f} MB to the terminal, {term.memory():.0f} MB after, "
                f"{time.monotonic() - begun - 3:.0f} s; the first question of all {first:.2f} CPU s\n"
            )
            sys.stdout.flush()
            term.close()
            server.shutdown()
        tokens, per_s = 20_000, 400.0
        server = serve(tokens, per_s)
        _, term = start(ours, folder, {**env, "OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_port}"})
        ask(term)
        parts = quarters(term, tokens / per_s)
        sys.stdout.write(
            f"stream of {tokens:,} tokens at {per_s:.0f} tokens/s by quarters: "
            f"{', '.join(f'{part:.2f}' for part in parts)} CPU s; last to first {parts[-1] / parts[0]:.2f} (goal 1.2)\n"
        )
        term.close()
        server.shutdown()


if __name__ == "__main__":
    main()
