"""The door to the network, against real sockets on loopback: silence, lies, bombs, redirects, retries, cancelling."""

import asyncio
import gzip
import json
import shutil
import ssl
import subprocess
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from assistant import errors
from assistant.models import address, proxy
from assistant.models.client import Client
from assistant.models.inbox import Inbox, Silent
from assistant.models.message import said
from assistant.models.wire import HeadersChunk, Request, RetryChunk, StopChunk, TextChunk, ThoughtChunk, UsageChunk
from tests.models.peer import HEAD, answer, peer
from tests.models.streaming import frame, model, provider, sse, stream, wire

KEY = "sk-CANARY-0123456789"
WORD = sse({"model": "m", "choices": [{"index": 0, "delta": {"content": "word "}}]}, done=False)
END = sse(
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}},
)


class Clock:
    """A wall clock that stands still until it is moved, and a sleep that moves it."""

    def __init__(self):
        self.at = datetime(2026, 11, 25, 12, tzinfo=UTC)
        self.slept = []

    def now(self):
        return self.at

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


class Talk:
    """What came of one question: chunks, the joined text, the error it ended with."""

    def __init__(self):
        self.chunks = []
        self.error = None

    @property
    def text(self):
        return "".join(chunk.text for chunk in self.chunks if isinstance(chunk, TextChunk))

    def of(self, kind):
        return [chunk for chunk in self.chunks if isinstance(chunk, kind)]


async def ask(url, name="openai_chat", key=KEY, client=None, clock=None, env=None, **options):
    clock = clock or Clock()
    talk = Talk()
    mine = client or Client(env=env or {}, sleep=clock.sleep, now=clock.now, **options)
    request = Request(model(), ("be brief",), (said("user", "hi"),))
    try:
        async for chunk in mine.stream(wire(name), request, provider(name, url=url), key):
            talk.chunks.append(chunk)
    except errors.ProviderError as error:
        talk.error = error
    finally:
        if client is None:
            await mine.aclose()
    return talk


def kind(talk):
    return talk.error.kind if talk.error else ""


async def quiet(found, writer, number):
    await found.closed.wait()


async def test_an_answer_is_read_with_its_headers():
    async def behave(found, writer, number):
        return answer(200, WORD + WORD + END, content_type="text/event-stream", X_Limit="7")

    async with peer(behave) as found:
        talk = await ask(found.url)
    assert (talk.text, talk.chunks[-1], kind(talk)) == ("word word ", StopChunk("end", "stop"), "")
    assert talk.of(HeadersChunk)[0].headers["x-limit"] == "7"
    assert talk.of(UsageChunk)[-1].final
    head = found.asked[0].lower()
    assert f"authorization: bearer {KEY.lower()}" in head
    assert "accept-encoding: identity" in head
    assert "user-agent: wattson" in head


# Silence: each kind ends by itself, and what had come is kept.


async def test_a_server_that_only_accepts():
    async with peer(quiet) as found:
        talk = await ask(found.url, first_byte_s=0.3)
    assert (kind(talk), len(found.asked)) == ("unreachable", 1)  # it may be at work: to ask again would pay twice
    assert talk.error.taken
    assert "0 s" in talk.error.message


async def test_a_server_that_sends_headers_only():
    async def behave(found, writer, number):
        writer.write(HEAD)
        await found.closed.wait()

    async with peer(behave) as found:
        talk = await ask(found.url, first_byte_s=0.3)
    assert kind(talk) == "stream_broken"


async def test_a_server_that_stops_after_ten_events():
    async def behave(found, writer, number):
        writer.write(HEAD + WORD * 10)
        await found.closed.wait()

    async with peer(behave) as found:
        talk = await ask(found.url, idle_s=0.3)
    assert (kind(talk), talk.text, len(found.asked)) == ("stream_broken", "word " * 10, 1)
    assert "silent" in talk.error.message


async def test_a_drip_of_bytes_is_no_sign_of_life():
    async def behave(found, writer, number):
        writer.write(HEAD + WORD)
        while not found.closed.is_set():
            writer.write(b"d")
            await asyncio.sleep(0.05)

    async with peer(behave) as found:
        talk = await ask(found.url, idle_s=0.4)
    assert (kind(talk), talk.text) == ("stream_broken", "word ")


async def test_comments_are_a_sign_of_life():
    async def behave(found, writer, number):
        writer.write(HEAD)
        for _ in range(12):
            writer.write(b": keep-alive\n\n")
            await asyncio.sleep(0.1)
        return WORD + END

    async with peer(behave) as found:
        talk = await ask(found.url, first_byte_s=0.6, idle_s=0.6)
    assert (kind(talk), talk.text) == ("", "word ")


async def test_a_machine_that_slept_does_not_wait_for_a_dead_connection():
    clock = Clock()

    async def body():
        yield b"word"
        clock.at += timedelta(hours=8)
        await asyncio.Event().wait()

    async with Inbox(body(), 1000.0, clock.now, look_s=0.05, grace_s=0.2) as inbox:
        assert await inbox.take() == b"word"
        with pytest.raises(Silent) as caught:
            await asyncio.wait_for(inbox.take(), 20)
    assert caught.value.slept


async def test_a_clock_that_is_set_does_not_break_a_lively_answer():
    clock = Clock()

    async def behave(found, writer, number):
        writer.write(HEAD + WORD)
        clock.at -= timedelta(days=1)
        await asyncio.sleep(0.1)
        clock.at += timedelta(days=400)
        return WORD + END

    async with peer(behave) as found:
        talk = await ask(found.url, clock=clock)
    assert (kind(talk), talk.text) == ("", "word word ")


# What is sent instead of an answer.


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (answer(200, b"<html><body>Please log in</body></html>", content_type="text/html"), "bad_endpoint"),
        (answer(200, b"  <!DOCTYPE html><p>hi", content_type="text/plain"), "bad_endpoint"),
        (answer(200, b"hello", content_type="text/html"), "bad_endpoint"),
        (answer(502, b"<html>" + b"Bad Gateway " * 900_000 + b"</html>", content_type="text/html"), "server"),
        (answer(200, b'{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}', content_type="application/json"), "auth"),
        (answer(200, b'{"something": "else"}', content_type="application/json"), "server"),
        (answer(200, b"", content_type="text/event-stream"), "stream_broken"),
        (answer(200, b"just words"), "stream_broken"),
        (answer(200, b"data: {broken\n\n"), "stream_broken"),
        (answer(404), "bad_endpoint"),
        (b"", "unreachable"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "unreachable"),
        (b"HTTP/1.1 200 OK\r\n" + b"".join(b"x-h%d: 1\r\n" % n for n in range(100_000)) + b"\r\n", "unreachable"),
        (b"HTTP/1.1 200 OK\r\nx-big: " + b"y" * 5_000_000 + b"\r\n\r\n", "unreachable"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n" + WORD, "stream_broken"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "stream_broken"),
    ],
)  # fmt: skip
async def test_what_is_no_answer_is_named(reply, error):
    async def behave(found, writer, number):
        return reply

    async with peer(behave) as found:
        talk = await ask(found.url, retries=0)
    assert kind(talk) == error
    assert len(talk.error.message) < 500
    assert "<" not in talk.error.message.replace("<html>", "") or error != "bad_endpoint"


async def test_http_1_0_and_a_lying_content_type_are_read():
    async def behave(found, writer, number):
        return b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + WORD + END

    async with peer(behave) as found:
        assert (await ask(found.url)).text == "word "


async def test_a_broken_connection_keeps_what_came_and_is_not_asked_again():
    async def behave(found, writer, number):
        writer.write(HEAD.replace(b"connection: close", b"content-length: 9999") + WORD)
        await writer.drain()
        writer.transport.abort()

    async with peer(behave) as found:
        talk = await ask(found.url)
    assert (kind(talk), talk.text, len(found.asked)) == ("stream_broken", "word ", 1)


def open_files():
    place = Path("/proc/self/fd")
    return len(list(place.iterdir())) if place.exists() else 0


async def test_no_socket_is_left_open():
    async def behave(found, writer, number):
        return (HEAD + WORD, HEAD + WORD + END, answer(500), HEAD + b"<html>")[number % 4]

    async with peer(behave) as found:
        await ask(found.url, retries=0)
        before = open_files()
        for _ in range(12):
            await ask(found.url, retries=0)
        assert open_files() <= before + 2


# Packed bodies.


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_packed_answer_is_unpacked_though_none_was_asked_for(pack, coding):
    async def behave(found, writer, number):
        return answer(200, pack(WORD + END), content_encoding=coding)

    async with peer(behave) as found:
        assert (await ask(found.url)).text == "word "


async def test_a_bomb_does_not_go_off():
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(b"\0" * 1_000_000) for _ in range(150)) + packer.flush()

    async def behave(found, writer, number):
        return answer(200 if number % 2 == 0 else 500, bomb, content_encoding="gzip")

    async with peer(behave) as found:
        tracemalloc.start()
        talks = [await ask(found.url, retries=0), await ask(found.url, retries=0)]
        with pytest.raises(errors.ProviderError):
            await Client(env={}).get_json(found.url)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert [kind(talk) for talk in talks] == ["stream_broken", "server"]
    assert peak < 80_000_000


async def test_a_coding_nobody_knows_is_refused():
    async def behave(found, writer, number):
        return answer(200, b"\x01\x02", content_encoding="br")

    async with peer(behave) as found:
        talk = await ask(found.url)
    assert (kind(talk), len(found.asked)) == ("bad_endpoint", 1)
    assert "br" in talk.error.message


# Where a key may go.


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("name", ["openai_chat", "anthropic_messages", "gemini"])
async def test_a_redirect_is_not_followed(status, name):
    async def thief(found, writer, number):
        return answer(200, WORD + END)

    async with peer(thief) as second:

        async def behave(found, writer, number):
            return answer(status, location=f"{second.url}/v1")

        async with peer(behave) as first:
            talk = await ask(first.url, name)
            with pytest.raises(errors.BadEndpoint):
                await Client(env={}).get_json(first.url, headers={"authorization": KEY})
    assert (kind(talk), len(first.asked), second.asked) == ("bad_endpoint", 2, [])
    assert second.url.partition("//")[2] in talk.error.message


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1", "http://example.invalid/v1", "ftp://127.0.0.1", "nonsense", "http://", "http://[::1"]
)
async def test_a_key_does_not_go_out_unencrypted(url):
    talk = await ask(url)
    assert kind(talk) == "bad_endpoint"
    with pytest.raises(errors.BadEndpoint):
        await Client(env={}).get_json(url, headers={"authorization": KEY})


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("a.localhost", True),
        ("localhost.evil.example", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
    ],
)
def test_what_is_this_machine(host, here):
    assert address.loopback(host) is here


async def test_no_error_tells_the_key():
    async def behave(found, writer, number):
        return answer(
            (401, 400, 500)[number % 3], json.dumps({"error": {"message": f"bad key {KEY} for you"}}).encode()
        )

    async with peer(behave) as found:
        talks = [await ask(found.url, retries=0) for _ in range(3)]
    dead = await ask("http://127.0.0.1:9", retries=0)
    for talk in (*talks, dead):
        assert (
            KEY not in f"{talk.error} {talk.error.args} {talk.error.message} {talk.error.hint} {talk.error.__cause__!r}"
        )
    assert "127.0.0.1:9" in dead.error.message


@pytest.mark.parametrize("key", ["plain-words-no-shape", "hunter2-hunter2-hunter2", KEY])
@pytest.mark.parametrize("name", ["openai_chat", "anthropic_messages", "gemini", "openai_responses", "ollama"])
async def test_d3_a_key_that_an_error_echoes_never_shows_whatever_it_looks_like(name, key):
    async def behave(found, writer, number):
        words = f"the key {key} (header {key[:12]}...) is wrong"
        bodies = (
            answer(
                401, json.dumps({"error": {"message": words, "code": key}}).encode(), content_type="application/json"
            ),
            answer(500, words.encode(), content_type="text/plain"),
            answer(200, json.dumps({"error": {"message": words}}).encode(), content_type="application/json"),
        )
        return bodies[number % 3]

    async with peer(behave) as found:
        talks = [await ask(found.url, name, key=key, retries=0) for _ in range(3)]
        with pytest.raises(errors.BadEndpoint) as listed:
            await Client(env={}).get(f"{found.url}/v1/models?key={key}")
    for error in (*(talk.error for talk in talks), listed.value):
        said_all = f"{error} {error.args} {error.message} {error.hint}"
        assert key not in said_all
        assert key[:12] not in said_all


# Asking again.


def busy(status=429, words="Rate limit reached", **headers):
    return answer(
        status, json.dumps({"error": {"message": words}}).encode(), content_type="application/json", **headers
    )


@pytest.mark.parametrize(
    ("reply", "asked", "error"),
    [
        (busy(400, "wrong"), 1, "bad_request"), (busy(401, "wrong"), 1, "auth"), (busy(403, "wrong"), 1, "permission"), (busy(404, "model x not found"), 1, "unknown_model"),
        (busy(402, "Insufficient Balance"), 1, "out_of_funds"), (busy(429, "You exceeded your current quota"), 1, "out_of_funds"), (busy(422, "wrong"), 1, "bad_request"),
        (busy(429), 4, "rate_limited"), (busy(500, "oops"), 4, "server"), (busy(502, "oops"), 4, "server"), (busy(503, "oops"), 4, "overloaded"), (busy(529, "overloaded"), 4, "overloaded"),
        (busy(429, retry_after=3600), 1, "rate_limited"), (busy(503, "oops", x_should_retry="false"), 1, "overloaded"), (b"", 4, "unreachable"),
        (HEAD + WORD, 1, "stream_broken"), (HEAD + b'data: {"error":{"message":"overloaded","code":503}}\n\n', 4, "overloaded"),
        (HEAD + WORD + b'data: {"error":{"message":"overloaded","code":503}}\n\n', 1, "overloaded"),
    ],
)  # fmt: skip
async def test_only_what_is_safe_is_asked_again(reply, asked, error):
    async def behave(found, writer, number):
        return reply

    clock = Clock()
    async with peer(behave) as found:
        talk = await ask(found.url, clock=clock)
    assert (kind(talk), len(found.asked), len(talk.of(RetryChunk))) == (error, asked, asked - 1)
    assert [chunk.attempt for chunk in talk.of(RetryChunk)] == list(range(1, asked))
    assert clock.slept == [chunk.wait_s for chunk in talk.of(RetryChunk)]
    assert all(0.5 <= wait <= 6 for wait in clock.slept)
    assert len(set(found.bodies)) == 1


AT = Clock().at


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({"retry_after": 7}, "Rate limit", 7.0), ({"retry_after": format_datetime(AT + timedelta(seconds=12), usegmt=True)}, "Rate limit", 12.0), ({"retry_after_ms": 1500}, "Rate limit", 1.5),
        ({"retry_after": 0}, "Rate limit", 0.0), ({"retry_after": format_datetime(AT - timedelta(hours=1), usegmt=True)}, "Rate limit", 0.0),
    ],
)  # fmt: skip
async def test_a_server_says_when(headers, body, wait):
    async def behave(found, writer, number):
        return busy(429, body, **headers) if number == 0 else HEAD + WORD + END

    clock = Clock()
    async with peer(behave) as found:
        talk = await ask(found.url, clock=clock)
    assert (clock.slept, talk.text, len(found.asked)) == ([pytest.approx(wait)], "word ", 2)


async def test_a_wait_that_a_stream_tells_counts_from_now():
    async def behave(found, writer, number):
        limit = {"error": {"message": "Rate limit reached, try again in 5s", "code": 429}}
        return HEAD + (sse(limit, done=False) if number == 0 else WORD + END)

    clock = Clock()
    async with peer(behave) as found:
        talk = await ask(found.url, clock=clock)
    assert (clock.slept, talk.text) == ([pytest.approx(5.0)], "word ")


async def test_a_wait_can_be_cancelled():
    async def behave(found, writer, number):
        return busy(429, retry_after=30)

    async with peer(behave) as found:
        client = Client(env={})
        waiting = asyncio.Event()

        async def talk():
            async for chunk in client.stream(
                wire("openai_chat"),
                Request(model(), (), (said("user", "hi"),)),
                provider("openai_chat", url=found.url),
                KEY,
            ):
                if isinstance(chunk, RetryChunk):
                    waiting.set()

        task = asyncio.create_task(talk())
        await asyncio.wait_for(waiting.wait(), 10)
        task.cancel()
        await asyncio.wait_for(asyncio.gather(task, return_exceptions=True), 1)
        assert task.cancelled()
        await client.aclose()
    assert len(found.asked) == 1


@pytest.mark.parametrize("begun", [True, False])
async def test_cancelling_closes_the_connection(begun):
    arrived = asyncio.Event()

    async def behave(found, writer, number):
        arrived.set()
        if begun:
            writer.write(HEAD + WORD)
        await found.closed.wait()

    async with peer(behave) as found:
        task = asyncio.create_task(ask(found.url))
        await asyncio.wait_for(arrived.wait(), 10)
        await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.wait_for(found.closed.wait(), 1)
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


async def test_leaving_the_walk_closes_the_connection():
    async def behave(found, writer, number):
        writer.write(HEAD + WORD)
        await found.closed.wait()

    async with peer(behave) as found:
        client = Client(env={})
        chunks = client.stream(
            wire("openai_chat"),
            Request(model(), (), (said("user", "hi"),)),
            provider("openai_chat", url=found.url),
            KEY,
        )
        async for chunk in chunks:
            if isinstance(chunk, TextChunk):
                break
        await chunks.aclose()
        await asyncio.wait_for(found.closed.wait(), 1)
        await client.aclose()


async def test_an_end_is_not_waited_for_when_it_has_been_said():
    async def behave(found, writer, number):
        writer.write(HEAD + WORD + END)
        await found.closed.wait()

    async with peer(behave) as found:
        talk = await asyncio.wait_for(ask(found.url, idle_s=60.0), 10)
    assert (talk.text, talk.chunks[-1]) == ("word ", StopChunk("end", "stop"))


async def test_one_connection_serves_many_turns():
    ports = set()

    async def serve(reader, writer):
        ports.add(writer.get_extra_info("peername"))
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r")[0]))
                body = WORD + END
                writer.write(
                    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
                )
        except asyncio.IncompleteReadError:
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    client = Client(env={})
    for _ in range(3):
        assert (await ask(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", client=client)).text == "word "
    await client.aclose()
    server.close()
    assert len(ports) == 1


async def test_words_that_came_together_are_given_out_together():
    thought = sse({"choices": [{"index": 0, "delta": {"reasoning_content": "hm "}}]}, done=False)

    async def behave(found, writer, number):
        return HEAD + thought * 50 + WORD * 100 + END

    async with peer(behave) as found:
        talk = await ask(found.url)
    assert (talk.text, len(talk.of(TextChunk)) < 20, len(talk.of(ThoughtChunk)) < 20) == ("word " * 100, True, True)
    assert "".join(chunk.text for chunk in talk.of(ThoughtChunk)) == "hm " * 50


async def test_a_slow_reader_does_not_fill_memory():
    async def behave(found, writer, number):
        writer.write(HEAD)
        event = sse({"pad": "x" * 10_000, "choices": [{"index": 0, "delta": {"content": "word "}}]}, done=False)
        for _ in range(400):
            writer.write(event * 10)
            await writer.drain()
        return END

    async with peer(behave) as found:
        client, size = Client(env={}), 0
        tracemalloc.start()
        async for chunk in client.stream(
            wire("openai_chat"), Request(model(), (), (said("user", "hi"),)), provider("openai_chat", url=found.url), ""
        ):
            if isinstance(chunk, TextChunk):
                size += len(chunk.text)
                await asyncio.sleep(0.001)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await client.aclose()
    assert size == 5 * 4_000
    assert peak < 20_000_000  # of the 40 MB that were sent


@pytest.mark.parametrize(
    ("name", "body"),
    [("bedrock_converse", stream("converse_events.txt")), ("ollama", stream("ollama_tool.ndjson")), ("gemini", stream("gemini_tool.sse")), ("openai_responses", stream("responses_tool.sse")), ("anthropic_messages", stream("messages_tool.sse"))],
)  # fmt: skip
async def test_every_wire_goes_through_the_door(name, body):
    async def behave(found, writer, number):
        return answer(200, body)

    async with peer(behave) as found:
        talk = await ask(found.url, name)
    assert (kind(talk), talk.chunks[-1].reason, talk.of(UsageChunk)[-1].final) == ("", "tool", True)


async def test_an_error_of_the_frames_names_its_provider():
    async def behave(found, writer, number):
        return answer(200, frame("contentBlockDelta", {"delta": {"text": "a"}}) + b"\0" * 40)

    async with peer(behave) as found:
        talk = await ask(found.url, "bedrock_converse")
    assert (kind(talk), talk.text, talk.error.provider) == ("stream_broken", "a", "maker")


# Proxies and certificates.


@pytest.mark.parametrize(
    ("env", "routes"),
    [
        ({}, {}),
        ({"NO_PROXY": "a"}, {}),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, {}),
        ({"HTTPS_PROXY": "http://p:1"}, {"https://": "http://p:1"}),
        ({"https_proxy": "p:1", "HTTPS_PROXY": "q:1"}, {"https://": "http://p:1"}),
        ({"ALL_PROXY": "http://p:1", "no_proxy": ".corp.example, 10.0.0.1,::1 ,host:8080,10.0.0.0/8"}, {"all://": "http://p:1", "all://*corp.example": None, "all://10.0.0.1": None, "all://[::1]": None, "all://*host:8080": None}),
    ],
)  # fmt: skip
def test_which_proxy(env, routes):
    here = {"all://localhost": None, "all://*.localhost": None, "all://127.0.0.1": None, "all://[::1]": None}
    assert proxy.routes(env) == (routes | here if routes else {})


async def test_a_proxy_is_asked_and_its_password_is_not_told():
    async def behave(found, writer, number):
        return answer(407)

    async with peer(behave) as found:
        env = {"HTTPS_PROXY": found.url.replace("//", "//user:hunter22@")}
        talk = await ask("https://models.example.invalid/v1", env=env, retries=0)
    assert found.asked[0].startswith("CONNECT models.example.invalid:443")
    assert "proxy-authorization: basic" in found.asked[0].lower()
    assert KEY not in found.asked[0]
    assert kind(talk) == "unreachable"
    assert "hunter22" not in f"{talk.error} {talk.error.__cause__!r}"
    assert "HTTPS_PROXY" in talk.error.hint


async def test_this_machine_is_reached_without_the_proxy():
    async def behave(found, writer, number):
        return answer(200, WORD + END)

    async with peer(behave) as found:
        assert (
            await ask(found.url, env={"HTTP_PROXY": "http://192.0.2.1:1", "ALL_PROXY": "http://192.0.2.1:1"})
        ).text == "word "


@pytest.mark.parametrize("env", [{"SSL_CERT_FILE": "/nowhere/ca.pem"}, {"HTTPS_PROXY": "socks9://u:hunter22@p:1"}])
def test_settings_that_cannot_be_used_are_named(env):
    with pytest.raises(errors.ConfigError) as caught:
        Client(env=env)
    assert next(iter(env)) in f"{caught.value}"
    assert "hunter22" not in f"{caught.value}"


async def test_a_server_on_this_machine_is_asked_before_any_certificate_is_read():
    async def behave(found, writer, number):
        return answer(200, WORD + END)

    async with peer(behave) as found:
        client = Client(env={})
        assert (await ask(found.url, client=client)).text == "word "
        assert client._http._transport._secure is None
        assert kind(await ask("https://127.0.0.1:9", client=client, key="k" * 20)) == "unreachable"
        assert client._http._transport._secure is not None
        await client.aclose()


async def test_a_json_text_is_sent_and_what_answers_is_read():
    async def behave(found, writer, number):
        return answer(200, b'{"a": 1}' if number == 0 else b"no json") if number < 2 else answer(404)

    async with peer(behave) as found:
        client = Client(env={})
        assert await client.post_json(f"{found.url}/api/show", {"model": "x"}) == {"a": 1}
        for _ in range(2):
            with pytest.raises(errors.BadEndpoint):
                await client.post_json(found.url, {})
        await client.aclose()
    assert json.loads(found.bodies[0]) == {"model": "x"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Make a certificate of an authority that no system trusts, and of a server on 127.0.0.1 that it signed."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    at = tmp_path_factory.mktemp("tls")
    new = ["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-sha256"]
    subprocess.run(
        [
            *new,
            "-x509",
            "-days",
            "2",
            "-subj",
            "/CN=Some Company",
            "-keyout",
            "ca.key",
            "-out",
            "ca.pem",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        ],
        cwd=at,
        check=True,
        capture_output=True,
    )
    subprocess.run(
        [*new, "-subj", "/CN=here", "-keyout", "key.pem", "-out", "req.pem"], cwd=at, check=True, capture_output=True
    )
    (at / "names").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    sign = [
        "openssl",
        "x509",
        "-req",
        "-in",
        "req.pem",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        "names",
        "-out",
        "cert.pem",
    ]
    subprocess.run(sign, cwd=at, check=True, capture_output=True)
    return at


async def test_a_company_certificate_is_trusted_when_it_is_named_and_only_then(authority):
    async def behave(found, writer, number):
        return answer(200, WORD + END)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority / "cert.pem", authority / "key.pem")
    async with peer(behave, ssl=context) as found:
        stranger = await ask(found.url, retries=0)
        known = await ask(found.url, env={"SSL_CERT_FILE": str(authority / "ca.pem")})
    assert (kind(stranger), known.text, len(found.asked)) == ("unreachable", "word ", 1)
    assert "SSL_CERT_FILE" in stranger.error.hint


async def test_connections_are_kept_alive_by_tcp():
    import socket

    async def behave(found, writer, number):
        return answer(200, WORD + END)

    async with peer(behave) as found:
        client = Client(env={})
        options = client._http._transport._plain._pool._socket_options
        await ask(found.url, client=client)
        await client.aclose()
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in options


def part(index, kind, *deltas, **more):
    """Make the events of one block of a message."""
    yield {"type": "content_block_start", "index": index, "content_block": {"type": kind, **more}}
    for each in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": each}
    yield {"type": "content_block_stop", "index": index}


def paused(words, reason="pause_turn", *, sent=100):
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    events = [
        {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": sent, "output_tokens": 1, "cache_read_input_tokens": 7}}},
        *part(0, "thinking", {"type": "thinking_delta", "thinking": "hm"}, {"type": "signature_delta", "signature": "c2ln"}, thinking="", signature=""),
        *part(1, "text", text=""),
        *part(2, "text", *({"type": "text_delta", "text": each} for each in words), text=""),
        *part(3, search["type"], {"type": "input_json_delta", "partial_json": '{"query":'}, {"type": "input_json_delta", "partial_json": ' "x"}'}, **{key: value for key, value in search.items() if key != "type"}),
        {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 10}},
        {"type": "message_stop"},
    ]  # fmt: skip
    return answer(200, sse(*((each["type"], each) for each in events), done=False), content_type="text/event-stream")


async def test_an_answer_in_which_the_provider_pauses_goes_on_as_one():
    answers = [paused(["Let me ", "look."]), paused([" Going on."]), paused([" Done."], "end_turn", sent=300)]

    async def behave(server, writer, number):
        return answers[number]

    async with peer(behave) as server:
        talk = await ask(server.url, "anthropic_messages")
    first, second, third = (json.loads(body) for body in server.bodies)
    assert talk.error is None
    assert talk.text == "Let me look. Going on. Done."
    assert [chunk.reason for chunk in talk.of(StopChunk)] == ["end"]
    counts = talk.of(UsageChunk)
    last = counts[-1].usage
    assert (last.fresh_input, last.cache_read, last.output) == (100 + 100 + 300, 21, 30)  # each request is paid
    assert [chunk.final for chunk in counts if chunk.usage != last] == [False] * (len(counts) - 1)
    assert counts[-1].final
    assert counts[0].last is None
    assert (counts[-1].last.fresh_input, counts[-1].last.cache_read, counts[-1].last.output) == (300, 7, 10)
    blocks = [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "text", "text": "Let me look."},
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "x"}},
    ]
    assert second["messages"] == [*first["messages"], {"role": "assistant", "content": blocks}]
    again = [blocks[0], {"type": "text", "text": " Going on."}, blocks[2]]
    assert third["messages"] == [*first["messages"], {"role": "assistant", "content": [*blocks, *again]}]
    assert {key: second[key] for key in first if key != "messages"} == {
        key: first[key] for key in first if key != "messages"
    }


async def test_an_answer_that_never_ends_pausing_ends_as_cut_short():
    async def behave(server, writer, number):
        return paused(["x"])

    async with peer(behave) as server:
        talk = await ask(server.url, "anthropic_messages")
    assert len(server.bodies) == 9
    assert [(chunk.reason, chunk.detail) for chunk in talk.of(StopChunk)] == [("length", "pause_turn")]
    assert (talk.text, talk.of(UsageChunk)[-1].final, talk.of(UsageChunk)[-1].usage.output) == ("x" * 9, True, 90)


async def test_an_answer_that_is_refused_when_it_should_go_on_keeps_what_came():
    async def behave(server, writer, number):
        return (
            answer(400, b'{"type":"error","error":{"type":"invalid_request_error","message":"no"}}')
            if number
            else paused(["So far."])
        )

    async with peer(behave) as server:
        talk = await ask(server.url, "anthropic_messages")
    assert isinstance(talk.error, errors.BadRequest)
    assert (talk.text, talk.of(StopChunk), talk.of(UsageChunk)[-1].final) == ("So far.", [], False)
