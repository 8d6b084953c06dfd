"""A server on loopback that does with a connection what a test tells it, byte by byte, and remembers what it was sent."""

import asyncio
from contextlib import asynccontextmanager, suppress

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"


def answer(status, body=b"", **headers):
    """Make a whole HTTP answer; an underscore in a header's name is a dash."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in {"content_length": len(body), **headers}.items()]
    return "\r\n".join([f"HTTP/1.1 {status} Some Words", *lines, "", ""]).encode() + body


class Peer:
    def __init__(self):
        self.asked = []
        self.bodies = []
        self.closed = asyncio.Event()
        self.url = ""


@asynccontextmanager
async def peer(behave, **tls):
    """Serve each connection's requests by `behave(peer, writer, number)`; numbers count the requests from 0.

    What `behave` returns, if anything, is written, and the connection is closed after it.
    """
    found = Peer()

    async def serve(reader, writer):
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            sizes = [line for line in head.lower().splitlines() if line.startswith("content-length")]
            body = await reader.readexactly(int(sizes[0].split(":")[1])) if sizes else b""
            found.asked.append(head)
            found.bodies.append(body)
            watch = asyncio.create_task(reader.read())
            watch.add_done_callback(lambda _: found.closed.set())
            try:
                data = await behave(found, writer, len(found.asked) - 1)
                if data:
                    writer.write(data)
                await writer.drain()
            finally:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, **tls)
    found.url = f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    tasks = asyncio.all_tasks()
    try:
        yield found
    finally:
        server.close()
        for task in asyncio.all_tasks() - tasks - {asyncio.current_task()}:
            if task.get_coro().__qualname__.startswith("peer.<locals>"):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
