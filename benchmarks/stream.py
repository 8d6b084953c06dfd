"""What it costs to receive, decode and account a stream, against a bare asyncio reader. Usage: python -m benchmarks.stream.

A server in a process of its own sends a chat completion, one event and one HTTP chunk a token, as fast as it can and at some 400 tokens a second. Each reader runs in a fresh process; CPU seconds are for reading alone, loading of modules left out.
"""

from __future__ import annotations

import asyncio
import json
import resource
import struct
import subprocess
import sys
import time
from binascii import crc32
from typing import Any

_TOKENS = 20_000
_PACED = 1_200
_LONG = 200_000
_RUNS = 3


def event(text: str, **more: Any) -> bytes:
    """Make one event in an HTTP chunk of its own, as model servers send them."""
    delta = {"index": 0, "delta": {"content": text}, "finish_reason": None, **more.pop("choice", {})}
    data = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "bench", "choices": [delta], **more}
    body = b"data: " + json.dumps(data).encode() + b"\n\n"
    return f"{len(body):x}\r\n".encode() + body + b"\r\n"


async def serve() -> None:
    """Answer each request with as many tokens as its path says, after so many milliseconds each."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        size = next((int(line.split(":")[1]) for line in head.lower().splitlines() if line.startswith("content-le")), 0)
        await reader.readexactly(size)
        _, count, pause_ms = head.split(" ")[1].split("/")[:3]
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        one = event(" word")
        for number in range(int(count)):
            writer.write(one)
            if int(pause_ms):
                await writer.drain()
                await asyncio.sleep(int(pause_ms) / 1000)
            elif number % 50 == 49:
                await writer.drain()
        usage = {"prompt_tokens": 10, "completion_tokens": int(count), "total_tokens": 10 + int(count)}
        writer.write(event("", choice={"finish_reason": "stop"}) + event("", usage=usage))
        done = b"data: [DONE]\n\n"
        writer.write(f"{len(done):x}\r\n".encode() + done + b"\r\n0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


async def floor(port: int, count: int, pause_ms: int) -> int:
    """Read the stream with nothing but asyncio and json; return the characters."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /{count}/{pause_ms} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n".encode())
    found = 0
    rest = b""
    while data := await reader.read(65_536):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            if line.startswith(b"data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    found += len(choice["delta"].get("content") or "")
    writer.close()
    return found


async def ours(port: int, count: int, pause_ms: int) -> int:
    """Read it as a turn does: client, wire, and a token count of all words; return the characters."""
    from assistant import tokens
    from assistant.discover import part
    from assistant.models.client import Client
    from assistant.models.message import said
    from assistant.models.provider import Model, Provider
    from assistant.models.wire import Request, TextChunk, UsageChunk

    provider = Provider("bench", "Bench", "openai_chat", f"http://127.0.0.1:{port}/{count}/{pause_ms}")
    client = Client()
    wire: Any = part("assistant.models.wires", "openai_chat")
    found = counted = 0
    async for chunk in client.stream(wire, Request(Model("bench", "bench"), (), (said("user", "hi"),)), provider, ""):
        if isinstance(chunk, TextChunk):
            found += len(chunk.text)
            counted += tokens.count(chunk.text)
        elif isinstance(chunk, UsageChunk) and chunk.final and chunk.usage.output != count:
            sys.exit("the usage is wrong")
    await client.aclose()
    return found


def read(kind: str, port: int, count: int, pause_ms: int) -> None:
    """Run one reader in this process and print its CPU seconds and its peak memory in MB, before and after."""
    from assistant import tokens

    if kind == "ours":
        import assistant.models.client
        import assistant.models.wires.openai_chat  # noqa: F401 - as above

        tokens.warm()
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = asyncio.run((floor if kind == "floor" else ours)(port, count, pause_ms))
    used = time.process_time() - start
    if found != count * len(" word"):
        sys.exit("the text is wrong")
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    sys.stdout.write(f"{used} {grown}\n")


def best(kind: str, port: int, count: int, pause_ms: int) -> tuple[float, float]:
    """Return the least CPU seconds for 1,000 tokens of several runs, and the most memory."""
    found = []
    for _ in range(_RUNS if not pause_ms else 1):
        argv = [sys.executable, "-m", "benchmarks.stream", kind, str(port), str(count), str(pause_ms)]
        done = subprocess.run(argv, check=True, capture_output=True, text=True)
        used, grown = map(float, done.stdout.split())
        found.append((used / count * 1000, grown))
    return min(used for used, _ in found), max(grown for _, grown in found)


def large() -> None:
    """Print what ten times the bytes cost in each decoder, in pieces of 1 KB: ten times, if it is linear."""
    from assistant.models.aws_frames import FrameDecoder
    from assistant.models.json_lines import JsonDecoder
    from assistant.models.sse import SseDecoder

    def frame(size: int) -> bytes:
        head = struct.pack(">II", size + 16, 0)
        whole = head + struct.pack(">I", crc32(head)) + b"y" * size
        return whole + struct.pack(">I", crc32(whole))

    kinds: list[tuple[str, Any, Any]] = [
        ("SSE", SseDecoder, lambda size: b'data: {"x": "' + b"y" * size + b'"}\n\n'),
        ("JSON", JsonDecoder, lambda size: b'{"x": "' + b"y" * size + b'"}\n'),
        ("AWS frame", FrameDecoder, frame),
    ]
    for name, decoder, make in kinds:
        used = []
        for size in (500_000, 5_000_000):
            body, best = make(size), float("inf")
            for _ in range(5):
                inner, start = decoder(), time.process_time()
                found = [event for at in range(0, len(body), 1024) for event in inner.feed(body[at : at + 1024])]
                best = min(best, time.process_time() - start)
                if len(found) != 1:
                    sys.exit("the event is wrong")
            used.append(best)
        sys.stdout.write(f"one event of 5 MB in {name}: {used[1]:.3f} CPU s, {used[1] / used[0]:.1f} x one of 0.5 MB\n")


def main() -> None:
    """Print all figures."""
    large()
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.stream", "serve"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    port = int(server.stdout.readline())
    try:
        for title, count, pause_ms in (("at full speed", _TOKENS, 0), ("token by token", _PACED, 2)):
            bare, _ = best("floor", port, count, pause_ms)
            cost, _ = best("ours", port, count, pause_ms)
            goal = "" if pause_ms else " (goal 0.03)"
            sys.stdout.write(
                f"receive {title}: {cost:.4f} CPU s per 1,000 tokens{goal}, {cost / bare:.1f} x bare asyncio {bare:.4f}\n"
            )
        _, short = best("ours", port, _TOKENS, 0)
        _, long = best("ours", port, _LONG, 0)
        sys.stdout.write(f"receive memory: +{short:.1f} MB for {_TOKENS:,} tokens, +{long:.1f} MB for {_LONG:,}\n")
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["serve"]:
            asyncio.run(serve())
        case [kind, port, count, pause_ms]:
            read(kind, int(port), int(count), int(pause_ms))
