"""How a body is read ahead: in the takes that the network makes, whatever pieces an HTTP client cuts them into."""

import asyncio
from datetime import UTC, datetime

from assistant.models.inbox import Inbox

NOW = datetime(2026, 11, 27, tzinfo=UTC)


async def takes(body):
    found = []
    async with Inbox(body, 60.0, lambda: NOW) as inbox:
        while (data := await inbox.take()) is not None:
            found.append(data)
    return found


async def test_all_pieces_of_one_read_of_the_network_are_taken_without_a_breath_for_each():
    async def body():
        for _ in range(3):  # three reads of the network, each of a thousand tokens
            await asyncio.sleep(0)
            for _ in range(1_000):
                yield b" word"

    found = await takes(body())
    assert b"".join(found) == b" word" * 3_000
    assert len(found) <= 6


async def test_the_first_piece_is_there_before_the_second_has_come():
    second = asyncio.Event()

    async def body():
        yield b"one"
        await second.wait()
        yield b"two"

    async with Inbox(body(), 60.0, lambda: NOW) as inbox:
        assert await inbox.take() == b"one"
        second.set()
        assert await inbox.take() == b"two"
        assert await inbox.take() is None
