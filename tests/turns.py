"""Walks a turn to its end and picks out what happened."""


async def walk(stream):
    return [event async for event in stream]


def of(found, kind):
    return [event for event in found if isinstance(event, kind)]
