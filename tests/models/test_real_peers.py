"""Real servers of other people on loopback, asked through our client and wires: llama.cpp with a small model, aimock, LiteLLM.

`make peers` installs them in `.peers` and runs this, test_wire_peers with botocore and test_vendor_schemas; without them it is skipped and says so. LiteLLM, which is 740 MB, comes with `make peers LITELLM=1`. Speed is nothing here:
servers are waited for as long as they take to begin.
"""

import asyncio
import contextlib
import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from assistant import discover, errors
from assistant.models.client import Client
from assistant.models.message import said
from assistant.models.wire import Request, RetryChunk, ServedChunk, StopChunk, TextChunk, UsageChunk
from tests.models.streaming import model, provider, wire

PEERS = Path(__file__).parent.parent.parent / ".peers"
PYTHON, MOCK = PEERS / "venv/bin/python", PEERS / "node_modules/.bin/llmock"
LITELLM = PEERS / "litellm/bin/litellm"
KEY = "sk-0123456789abcdef"
pytestmark = [pytest.mark.peers, pytest.mark.xdist_group("peers")]
PATIENCE_S = 60
LLAMA = {"openai_chat": "/v1", "openai_responses": "/v1", "anthropic_messages": ""}
FIVE = {**LLAMA, "gemini": "/v1beta", "bedrock_converse": "", "ollama": ""}
LONG = "The kettle boils at one hundred degrees and nobody knows why it does so in the morning. " * 12
FIXTURES = {
    "fixtures": [
        {"match": {"userMessage": "greet"}, "response": {"content": "Hello from the mock, in several words."}},
        {"match": {"userMessage": "count"}, "response": {"content": "Counted.", "usage": {"prompt_tokens": 120, "completion_tokens": 7, "input_tokens": 121, "output_tokens": 8}}},
        {"match": {"userMessage": "slow down"}, "response": {"error": {"message": "Too many requests", "type": "rate_limit_error"}, "status": 429, "retryAfter": 2}},
        {"match": {"userMessage": "break"}, "response": {"error": {"message": "It broke", "type": "server_error"}, "status": 500}},
        {"match": {"userMessage": "cut"}, "response": {"content": LONG}, "chunkSize": 5, "latency": 30, "truncateAfterChunks": 12},
    ]
}  # fmt: skip


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


def status(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def wait_for(url, ready, process):
    """Wait until an address answers with a status that is ready, and return that."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        if (found := status(url)) in ready:
            return found
        time.sleep(0.02)
    pytest.fail(f"{url} does not answer")


@contextlib.contextmanager
def running(command, folder):
    with (folder / "log").open("wb") as log, subprocess.Popen([*map(str, command)], stdout=log, stderr=log) as process:
        try:
            yield process
        finally:
            process.kill()


@contextlib.contextmanager
def llama_server(folder):
    if not PYTHON.exists() or subprocess.run([PYTHON, "-c", "import xllamacpp"], capture_output=True).returncode:
        pytest.skip("llama.cpp's server is not installed: make peers")
    port = free_port()
    with running([PYTHON, Path(__file__).parent / "llama_server.py", port], folder) as process:
        yield f"http://127.0.0.1:{port}", process


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    with llama_server(tmp_path_factory.mktemp("llama")) as (url, process):
        wait_for(f"{url}/health", {200}, process)
        yield url


@pytest.fixture(scope="module")
def mock(tmp_path_factory):
    if not MOCK.exists():
        pytest.skip("aimock is not installed: make peers")
    folder, port = tmp_path_factory.mktemp("mock"), free_port()
    (folder / "fixtures").mkdir()
    (folder / "fixtures" / "all.json").write_text(json.dumps(FIXTURES))
    with running(["node", MOCK, "-p", port, "-f", folder / "fixtures"], folder) as process:
        wait_for(f"http://127.0.0.1:{port}/__aimock/journal", {200}, process)
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def relay(llama, tmp_path_factory):
    if not LITELLM.exists():
        pytest.skip("LiteLLM is not installed: make peers LITELLM=1")
    folder, port = tmp_path_factory.mktemp("litellm"), free_port()
    page = {
        "model_list": [{"model_name": "smollm2", "litellm_params": {"model": "openai/smollm2", "api_base": f"{llama}/v1", "api_key": "none"}}],
        "general_settings": {"master_key": KEY},
    }  # fmt: skip
    (folder / "litellm.yaml").write_text(json.dumps(page))  # which is YAML, too
    command = [
        LITELLM,
        "--config",
        folder / "litellm.yaml",
        "--host",
        "127.0.0.1",
        "--port",
        port,
        "--telemetry",
        "False",
    ]
    with running(["env", "LITELLM_LOCAL_MODEL_COST_MAP=True", *command], folder) as process:
        wait_for(f"http://127.0.0.1:{port}/health/liveliness", {200}, process)
        yield f"http://127.0.0.1:{port}"


async def ask(name, url, words, retries=0, talk=(), **more):
    """Ask through a wire; returns text, usage, what was served, why it stopped, and all chunks."""
    client, chunks = Client(retries=retries, **more), []
    seller = provider(name, "llama-server", url)
    request = Request(model(name="smollm2", seller="llama-server"), ("Be brief.",), (*talk, said("user", words)), 24)
    try:
        chunks += [each async for each in client.stream(wire(name), request, seller, KEY)]
    finally:
        await client.aclose()
    text = "".join(each.text for each in chunks if isinstance(each, TextChunk))
    usages = [each.usage for each in chunks if isinstance(each, UsageChunk)]
    served = [each.model for each in chunks if isinstance(each, ServedChunk)]
    return (
        text,
        usages[-1] if usages else None,
        served,
        [each for each in chunks if isinstance(each, StopChunk)],
        chunks,
    )


@pytest.mark.parametrize("name", LLAMA)
async def test_a_real_model_answers_counts_and_finds_its_cache(llama, name):
    words = f"Say hello to the kettle of {name}, please, and tell it that the water is cold this morning."
    text, first, served, stops, _ = await ask(name, llama + LLAMA[name], words)
    again, second, *_ = await ask(name, llama + LLAMA[name], words)
    assert text.strip()
    assert again.strip()
    assert set(served) == {"smollm2"}
    assert stops[0].reason in {"end", "length"}
    assert first.exact
    assert 0 < first.total_output <= 24
    assert first.total_input == second.total_input
    assert second.cache_read > first.cache_read  # the second finds what the first has left
    assert second.fresh_input < first.fresh_input


async def test_a_conversation_has_the_same_tokens_over_every_protocol_of_a_real_model(llama):
    """A template makes one prompt of it whichever way it came: a turn that a protocol of ours tells otherwise would show."""
    sizes = {name: (await ask(name, llama + LLAMA[name], "Go on.", talk=TALK))[1].total_input for name in LLAMA}
    assert len(set(sizes.values())) == 1, sizes


@pytest.mark.parametrize("name", LLAMA)
async def test_a_real_overflow_is_one(llama, name):
    with pytest.raises(errors.ContextOverflow) as caught:
        await ask(name, llama + LLAMA[name], "kettle " * 3_000)
    assert (caught.value.status, caught.value.retryable) == (400, False)
    assert caught.value.limit == 1_024
    assert caught.value.sent > 3_000


@pytest.mark.parametrize("name", LLAMA)
async def test_a_server_that_loads_its_model_is_asked_again_until_it_answers(tmp_path, name):
    with llama_server(tmp_path) as (url, process):
        if await asyncio.to_thread(wait_for, f"{url}/health", {200, 503}, process) == 200:
            pytest.skip("the model was loaded before anybody could ask")
        text, *_, chunks = await ask(
            name, url + LLAMA[name], "Say hello.", retries=40, sleep=lambda _: asyncio.sleep(0.3)
        )
    retries = [each.error for each in chunks if isinstance(each, RetryChunk)]
    assert text.strip()
    assert {type(each) for each in retries} <= {errors.Overloaded}
    assert all(each.status == 503 and each.retryable for each in retries)


@pytest.mark.parametrize("name", FIVE)
async def test_a_mock_of_all_formats_is_read(mock, name):
    text, _, _, stops, _ = await ask(name, mock + FIVE[name], "greet")
    assert (text, stops[0].reason) == ("Hello from the mock, in several words.", "end")


@pytest.mark.parametrize("name", FIVE)
@pytest.mark.parametrize(("words", "kind"), [("slow down", errors.RateLimited), ("break", errors.ServerFailed)])
async def test_faults_of_all_formats_are_classed(mock, name, words, kind):
    with pytest.raises(kind) as caught:
        await ask(name, mock + FIVE[name], words)
    assert caught.value.retryable
    assert (caught.value.retry_at is not None) is (kind is errors.RateLimited)


@pytest.mark.parametrize("name", FIVE)
async def test_an_answer_that_is_cut_is_broken_and_never_whole(mock, name):
    with pytest.raises(errors.StreamBroken):
        await ask(name, mock + FIVE[name], "cut")


TALK = (said("user", "Say hello."), said("assistant", "Hello."))


def saw(mock):
    with urllib.request.urlopen(f"{mock}/__aimock/journal", timeout=5) as answer:
        return json.load(answer)


@pytest.mark.parametrize("name", FIVE)
async def test_what_a_mock_saw_is_what_was_said(mock, name):
    """Its journal tells each protocol's request in the words of one: a third reader of what we send."""
    words = f"greet the kettle of {name}"
    await ask(name, mock + FIVE[name], words, talk=TALK)
    (entry,) = [each for each in saw(mock) if words in json.dumps(each["body"])]
    turns = [("system", "Be brief."), *((each.role, each.text) for each in TALK), ("user", words)]
    assert [(each["role"], each["content"]) for each in entry["body"]["messages"]] == turns
    assert (entry["body"]["model"], entry["body"]["stream"]) == ("smollm2", True)
    assert entry["body"].get("max_tokens", 24) == 24
    assert (entry["method"], entry["headers"]["user-agent"]) == ("POST", "wattson")
    assert KEY not in json.dumps(entry)
    assert "[REDACTED]" in entry["headers"].values()  # it knows where each protocol keeps its key


COUNTED = {**dict.fromkeys(FIVE, (120, 7)), **dict.fromkeys(("openai_responses", "anthropic_messages", "bedrock_converse"), (121, 8))}  # fmt: skip


@pytest.mark.parametrize("name", FIVE)
async def test_what_a_mock_counts_is_what_is_booked(mock, name):
    text, usage, _, _, chunks = await ask(name, mock + FIVE[name], "count")
    last = [each for each in chunks if isinstance(each, UsageChunk)][-1]
    assert text == "Counted."
    if name == "ollama":  # it counts nothing there, and nothing is what is known
        assert (usage.total_input, last.final) == (0, False)
    else:
        assert ((usage.fresh_input, usage.output), usage.total, last.final) == (COUNTED[name], sum(COUNTED[name]), True)


@pytest.mark.parametrize("name", ["gemini", *LLAMA])
async def test_a_relay_to_a_real_model_is_read_in_every_protocol_of_its_own(relay, name):
    url = relay + {**LLAMA, "gemini": "/v1beta"}[name]
    text, usage, served, stops, chunks = await ask(name, url, f"Greet the kettle of {name}.", talk=TALK)
    assert text.strip()
    assert stops[0].reason in {"end", "length"}
    last = [each for each in chunks if isinstance(each, UsageChunk)][-1]
    if name == "gemini":  # LiteLLM counts 0 there, and does not say whose answer it is
        assert (usage.total, last.final, served) == (0, False, [])
    else:
        assert last.final
        assert usage.total_input > 30
        assert 0 < usage.total_output <= 24
        assert set(served) == {"smollm2"}


@pytest.mark.parametrize("name", ["gemini", *LLAMA])
async def test_a_real_overflow_behind_a_relay_is_one(relay, name):
    with pytest.raises(errors.ContextOverflow) as caught:
        await ask(name, relay + {**LLAMA, "gemini": "/v1beta"}[name], "kettle " * 3_000)
    assert (caught.value.status, caught.value.retryable) == (400, False)


def test_every_wire_has_a_peer():
    assert set(FIVE) == set(discover.part_names("assistant.models.wires")) - {"scripted"}
