"""Other programs' bytes and rules: streams recorded from real servers, and botocore as a second reader and a validator.

The `real_llama_*` streams come from llama.cpp's server with SmolLM2 (xllamacpp 2026.10), the `aimock_*` ones from aimock 1.43;
both answered what our own wires asked. The part with botocore runs where it is installed.
"""

import base64
import json

import pytest

from assistant.models.message import Image, Message, Text, Thought, said
from assistant.models.wire import Request
from tests.models.streaming import frame, model, provider, read, stream, wire

MOCK = "Hello from the mock, in several words."
RECORDED = {
    "real_llama_chat.sse": ("openai_chat", None, (24, 0), True),
    "real_llama_responses.sse": ("openai_responses", None, (1, 23), True),
    "real_llama_messages.sse": ("anthropic_messages", None, (1, 23), True),
    "aimock_chat.sse": ("openai_chat", MOCK, (5, 0), True),
    "aimock_responses.sse": ("openai_responses", MOCK, (0, 0), False),
    "aimock_messages.sse": ("anthropic_messages", MOCK, (0, 0), False),
    "aimock_gemini.sse": ("gemini", MOCK, (0, 0), False),
    "aimock_converse.bin": ("bedrock_converse", MOCK, (0, 0), False),
    "aimock_ollama.ndjson": ("ollama", MOCK, (0, 0), False),
}


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_streams_are_read(name):
    kind, text, counts, final = RECORDED[name]
    body = stream(name)
    found = read(kind, body)
    assert (found.error, found.stop, found.final) == ("", "end", final)  # a mock that counts nothing has not counted
    assert found.usage[:2] == counts
    assert found.text == text or (text is None and len(found.text) > 5)
    assert found.served in {"smollm2", "some-model", ""}
    assert read(kind, body, range(1, len(body))) == found


@pytest.fixture(scope="module")
def service():
    session = pytest.importorskip("botocore.session")
    return session.get_session().get_service_model("bedrock-runtime")


def history():
    png = Image("image/png", b"\x89PNG")
    return (
        Message("user", (Text("look"), png)), Message("assistant", (Thought("hm", "bedrock_converse:maker", "sig"), Text("seen"))),
        said("user", "b"), Message("assistant", (Thought("", "bedrock_converse:maker", "redacted:b3Bh"), Text("c"))), said("user", "d"),
    )  # fmt: skip


@pytest.mark.parametrize("effort", ["", "off", "high"])
@pytest.mark.parametrize(
    "name", ["us.amazon.nova-2-lite-v1:0", "us.anthropic.claude-sonnet-5-5-v1:0", "us.meta.llama4"]
)
def test_botocore_accepts_what_we_ask(service, name, effort):
    from botocore.validate import ParamValidator

    request = Request(model("images", "thinking", name=name), ("be brief",), history(), 500, effort)
    body = json.loads(wire("bedrock_converse").call(request, provider("bedrock_converse"), "k").body)
    for message in body["messages"]:
        for block in message["content"]:
            if "image" in block:
                block["image"]["source"]["bytes"] = base64.b64decode(block["image"]["source"]["bytes"])
            if "redactedContent" in block.get("reasoningContent", {}):
                block["reasoningContent"]["redactedContent"] = base64.b64decode("b3Bh")
    shape = service.operation_model("ConverseStream").input_shape
    assert set(body) <= set(shape.members)
    report = ParamValidator().validate({"modelId": name, **body}, shape)
    assert not report.has_errors(), report.generate_report()


def test_botocore_reads_our_frames_as_we_do():
    eventstream = pytest.importorskip("botocore.eventstream")
    body = stream("converse_events.txt") + frame("throttlingException", {"message": "Slow down."}, "exception")
    from assistant.models.aws_frames import FrameDecoder

    theirs = eventstream.EventStreamBuffer()
    theirs.add_data(body)
    ours = FrameDecoder().feed(body)
    pairs = list(zip(ours, theirs, strict=True))
    assert len(pairs) == 14
    for mine, other in pairs:
        name = other.headers.get(":event-type") or "exception:" + other.headers[":exception-type"]
        assert (mine.name, mine.data) == (name, other.payload.decode())


def test_botocore_knows_every_stop_reason_that_we_know(service):
    from assistant.models.wires import bedrock_converse

    known = set(service.shape_for("StopReason").enum)
    assert known <= set(bedrock_converse._STOPS) | bedrock_converse._BROKEN
