"""Answers thrown by dice, over a socket, in every protocol: what comes out is what the scene says, to the last token and sign."""

from decimal import Decimal

import pytest

from assistant import errors
from assistant.models.client import Client
from assistant.models.message import said
from assistant.models.wire import Request
from tests.models import scenes
from tests.models.peer import peer
from tests.models.streaming import WIRES, Answer, model, provider, read, wire

EACH = 72
KINDS = ["text/event-stream; charset=utf-8", "text/plain", "application/octet-stream", ""]


def same(found, scene):
    """Hold what was read against what was said."""
    assert found.text == scene.text
    assert found.thought == scene.thought
    assert found.tools == scene.tools
    assert found.served == scene.served
    assert len(found.seals) == scene.extra.get("seals", len(found.seals))
    if scene.end in {"end", "length", "tool", "refused"}:
        assert (found.error, found.stop) == ("", scene.end)
        assert (found.usage, found.final) == (scene.usage, scene.final)
        assert found.cost == (Decimal(scene.extra["cost"]) if "cost" in scene.extra else None)
    else:
        assert (found.error, found.stop) == ({"cut": "stream_broken"}.get(scene.end, scene.end), "")
        assert not found.final


@pytest.mark.parametrize("seed", range(EACH))
@pytest.mark.parametrize("name", WIRES)
def test_any_scene_is_read_as_it_was_told(name, seed):
    scene, body, dice = scenes.told(name, seed)
    found = read(name, body)
    same(found, scene)
    cuts = {dice.randint(0, len(body)) for _ in range(dice.randint(1, 40))}
    assert read(name, body, cuts) == found
    assert read(name, body, range(1, len(body), dice.choice([1, 7, 7, 7]))) == found


async def ask(name, url):
    client, found = Client(retries=0, env={}), Answer()
    request = Request(model(), ("be brief",), (said("user", "hi"),))
    try:
        async for chunk in client.stream(wire(name), request, provider(name, url=url), "sk-0123456789abcdef"):
            found.take(chunk)
    except errors.ProviderError as error:
        found.error = error.kind
    finally:
        await client.aclose()
    return found


@pytest.mark.parametrize("name", WIRES)
async def test_scenes_over_a_socket_are_what_they_were(name):
    """Of one server, one after the other: chunks of HTTP and no length, any content type, any cut."""
    told = [scenes.told(name, seed) for seed in range(EACH, EACH + 64)]

    async def behave(server, writer, number):
        _, body, dice = told[number]
        kind = dice.choice(KINDS)
        head = "HTTP/1.1 200 OK\r\n" + (f"content-type: {kind}\r\n" if kind else "")
        pieces = dice.random() < 0.6
        writer.write(
            (head + ("transfer-encoding: chunked\r\n\r\n" if pieces else "connection: close\r\n\r\n")).encode()
        )
        at = 0
        while at < len(body):
            size = dice.choice([1, 2, 5, 17, 64, 300, 5_000])
            piece = body[at : at + size]
            at += size
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if pieces else piece)
            if dice.random() < 0.2:
                await writer.drain()
        return b"0\r\n\r\n" if pieces else b""

    async with peer(behave) as server:
        for scene, _, _ in told:
            found = await ask(name, server.url)
            same(found, scene)
    assert len(server.bodies) == 64


@pytest.mark.parametrize("name", WIRES)
def test_every_way_to_end_is_thrown(name):
    ends = {scenes.told(name, seed)[0].end for seed in range(EACH)}
    assert ends >= {"end", "length", "tool", "cut", "overloaded", "server", "rate_limited"}
