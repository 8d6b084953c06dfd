"""A conversation held on one wire and asked about on another: every ordered pair, and the rules of each protocol."""

import base64
import json
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.models.message import Image, Message, Text, Thought, ToolCall, ToolResult, said
from assistant.models.wire import Request
from tests.models.streaming import WIRES, model, provider, read, stream, wire

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABpfZFQAAAAABJRU5ErkJggg=="
)
SAMPLE = {
    "anthropic_messages": "messages_tool.sse", "bedrock_converse": "converse_events.txt", "gemini": "gemini_tool.sse",
    "ollama": "ollama_tool.ndjson", "openai_chat": "chat_tool.sse", "openai_responses": "responses_tool.sse",
}  # fmt: skip
MARK = "ephemeral"


def held_on(name, seller="maker"):
    """Return a conversation as the wire's own stream gave it: thoughts, a call, its result, a picture, odd turns."""
    found = read(name, stream(SAMPLE[name]))
    maker = f"{name}:{seller}"
    seal = found.seals[0] if found.seals else ""
    answer = [Thought(found.thought, maker, seal), Text(found.text)]
    answer += [ToolCall(ident, tool, arguments, maker) for ident, tool, arguments in found.tools]
    ident, tool, _ = found.tools[0]
    return (
        said("user", "first question"),
        Message("assistant", tuple(answer)),
        Message("user", (ToolResult(ident, tool, "a.py\nb.py"),)),
        said("assistant", "Two files.  \n"),
        Message("user", (Text("look: "), Image("image/png", PNG))),
        said("assistant", "   "),
        said("user", ""),
        said("user", "and again"),
        Message("assistant", (Thought("half", maker, "half-sealed"), Text("I was say")), partial=True),
        said("user", "last question \ud83d"),
    )


def ask(name, messages, seller=None, system=("be brief", "answer here"), abilities=("images", "thinking")):
    call = wire(name).call(
        Request(model(*abilities, name="amazon.nova"), system, messages, 500), seller or provider(name), "key"
    )
    json.dumps(dict(call.headers))
    return call, json.loads(call.body)


def turns(name, body):
    """Return role and list of blocks of each turn; a plain text is one block."""
    if name == "openai_responses":
        found = []
        for item in body["input"]:
            if item["type"] == "reasoning":
                found.append(("assistant", [item]))
                continue
            content = item["content"]
            parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
            if found and found[-1][0] == item["role"] and found[-1][1][-1]["type"] == "reasoning":
                found[-1][1].extend(parts)
            else:
                found.append((item["role"], list(parts)))
        return found
    if name == "gemini":
        return [("assistant" if each["role"] == "model" else each["role"], each["parts"]) for each in body["contents"]]
    found = []
    for each in body["messages"]:
        plain = {**each, **({"text": each["content"]} if each["content"] or "images" not in each else {})}
        found.append((each["role"], each["content"] if isinstance(each["content"], list) else [plain]))
    return [turn for turn in found if turn[0] != "system"]


def words(blocks):
    return "".join(str(block.get("text") or "") for block in blocks)


def check(name, body):
    """Hold a body against what every protocol asks of a conversation."""
    found = turns(name, body)
    roles = [role for role, _ in found]
    assert roles == [("user", "assistant")[index % 2] for index in range(len(roles))], roles
    assert roles[-1] == "user"
    for role, blocks in found:
        assert blocks
        said_any = False
        for block in blocks:
            text = block.get("text")
            if isinstance(text, str):
                assert text.strip()
                said_any = True
            said_any = said_any or any(
                key in block for key in ("image", "source", "inlineData", "image_url", "images", "cachePoint")
            )
        assert said_any
        if role == "assistant":
            assert words(blocks) == words(blocks).rstrip()
            first = next(
                index
                for index, block in enumerate(blocks)
                if isinstance(block.get("text"), str) and block.get("type") != "reasoning"
            )
            assert not any(
                "thinking" in str(block.get("type")) or "reasoningContent" in block for block in blocks[first:]
            )


@pytest.mark.parametrize(("made", "asked"), list(product(WIRES, WIRES)))
def test_a_conversation_goes_from_any_wire_to_any_other(made, asked):
    history = held_on(made, "origin" if made != asked else "maker")
    call, body = ask(asked, history)
    check(asked, body)
    found = turns(asked, body)
    assert [role for role, _ in found] == [*["user", "assistant"] * 3, "user"]
    text = call.body.decode()
    assert "a.py\\nb.py" in text  # what the tool answered is told
    assert "[The answer was cut short here.]" in text
    assert "half-sealed" not in text
    assert "last question ?" in text  # half a surrogate cannot be sent
    thought, seal = history[1].parts[0].text, history[1].parts[0].seal
    proof = "b3BhcXVl" if made == "openai_responses" else seal
    if proof:
        assert (proof in text) is (made == asked)
    # Thoughts go back only where their maker reads the proof with the words.
    assert (thought in text) is (
        made == asked and made in {"anthropic_messages", "bedrock_converse", "openai_responses"}
    )


@pytest.mark.parametrize(("made", "asked"), list(product(WIRES, WIRES)))
def test_another_seller_on_the_same_wire_is_another_maker(made, asked):
    _, body = ask(asked, held_on(made, "somebody-else"))
    text = json.dumps(body)
    assert "c2ln" not in text
    assert "b3BhcXVl" not in text


ODD = [
    (), (said("user", ""),), (said("assistant", "I begin"),), (said("user", "a"), said("assistant", "b")), (said("user", "a"), said("assistant", "")),
    (said("assistant", "x"), said("assistant", "y"), said("user", "z")), (Message("assistant", (Thought("only", "m", "s"),)),),
    (said("user", "a"), Message("assistant", (Text("cut"),), partial=True)), (Message("user", (Image("image/png", PNG),)),),
    (Message("user", (Image("image/tiff", PNG), Image("image/png", b""))),), (Message("assistant", (ToolCall("1", "f", ""),)),),
    (Message("assistant", (Image("image/png", PNG), Text("a picture"))), said("user", "b")),
]  # fmt: skip


@pytest.mark.parametrize("name", WIRES)
@pytest.mark.parametrize("history", ODD)
def test_odd_conversations_are_made_legal(name, history):
    check(name, ask(name, history)[1])


PART = st.one_of(
    st.builds(Text, st.sampled_from(["", " ", "a", "b \n", "\ud800", "c\n\nd"])),
    st.builds(Thought, st.sampled_from(["", "t"]), st.sampled_from(["", *(f"{name}:maker" for name in WIRES)]), st.sampled_from(["", "redacted:x"])),
    st.builds(Image, st.sampled_from(["image/png", "image/bmp"]), st.sampled_from([b"", PNG])),
    st.builds(ToolCall, st.just("1"), st.just("f"), st.sampled_from(["", "{}", "{"])),
    st.builds(ToolResult, st.just("1"), st.just("f"), st.sampled_from(["", "x"]), st.booleans()),
)  # fmt: skip
TURN = st.builds(Message, st.sampled_from(["user", "assistant"]), st.lists(PART, max_size=4).map(tuple), st.booleans())


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from([name for name in WIRES if name != "openai_responses"]),
    st.lists(TURN, max_size=8).map(tuple),
    st.booleans(),
)
def test_any_conversation_is_made_legal(name, history, sees):
    check(name, ask(name, history, abilities=("images",) if sees else ())[1])


@settings(deadline=None, max_examples=80)
@given(st.sampled_from(["ollama", "openai_chat", "gemini"]), st.lists(TURN, max_size=6).map(tuple))
def test_what_was_sent_stays_as_it_was_when_the_talk_goes_on(name, history):
    """A cache finds the beginning of a request again only when it is the same to the byte."""
    asked = (*history, said("user", "question"))
    before = turns(name, ask(name, asked)[1])
    after = turns(name, ask(name, (*asked, said("assistant", "answer"), said("user", "next")))[1])
    assert after[: len(before)] == before


def picture(name, body):
    for _, blocks in turns(name, body):
        for block in blocks:
            match block:
                case {"source": {"type": "base64", "media_type": kind, "data": data}}:
                    return kind, data
                case {"image": {"format": kind, "source": {"bytes": data}}}:
                    return f"image/{kind}", data
                case {"inlineData": {"mimeType": kind, "data": data}}:
                    return kind, data
                case {"image_url": {"url": url}} | {"type": "input_image", "image_url": url}:
                    return url.partition(":")[2].partition(";")[0], url.partition("base64,")[2]
                case {"images": [data]}:
                    return "image/png", data
    return None


@pytest.mark.parametrize("name", WIRES)
def test_pictures_go_along_where_the_model_sees(name):
    history = (Message("user", (Text("look"), Image("image/png", PNG))),)
    assert picture(name, ask(name, history)[1]) == ("image/png", base64.b64encode(PNG).decode())
    blind = ask(name, history, abilities=())[1]
    assert picture(name, blind) is None
    assert f"image/png, {len(PNG)} bytes" in json.dumps(blind)
    assert repr(history[0].parts[1]) == "Image(media_type='image/png')"


@pytest.mark.parametrize(
    ("name", "seal", "thought"),
    [
        ("anthropic_messages", "redacted:b3Bh", {"type": "redacted_thinking", "data": "b3Bh"}),
        ("anthropic_messages", "sig", {"type": "thinking", "thinking": "hm", "signature": "sig"}),
        ("bedrock_converse", "redacted:b3Bh", {"reasoningContent": {"redactedContent": "b3Bh"}}),
        ("bedrock_converse", "sig", {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "sig"}}}),
        ("openai_responses", '{"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "x"}', {"type": "reasoning", "id": "r", "summary": [], "encrypted_content": "x"}),
        ("gemini", "sig", {"text": "answer", "thoughtSignature": "sig"}),
    ],
)  # fmt: skip
def test_a_maker_gets_its_proof_back_as_it_gave_it(name, seal, thought):
    history = (
        said("user", "q"),
        Message("assistant", (Thought("hm", f"{name}:maker", seal), Text("answer"))),
        said("user", "n"),
        said("assistant", "m"),
        said("user", "o"),
    )
    assert turns(name, ask(name, history)[1])[1][1][0] == thought


@pytest.mark.parametrize(("field", "foreign"), [("reasoning_content", ""), ("reasoning", "")])
def test_a_chat_that_wants_thoughts_back_gets_its_own_with_every_answer(field, foreign):
    history = (
        said("user", "a"), Message("assistant", (Thought("mine", "openai_chat:maker"), Text("b"))),
        said("user", "c"), Message("assistant", (Thought("not mine", "gemini:maker"), Text("d"))), said("user", "e"),
    )  # fmt: skip
    body = ask("openai_chat", history, provider("openai_chat", replay=field))[1]
    assert [each[field] for each in body["messages"] if each["role"] == "assistant"] == ["mine", foreign]
    assert field not in json.dumps(ask("openai_chat", history)[1])


def test_reasoning_details_go_back_whole():
    pieces = [
        {"type": "reasoning.text", "text": "a", "index": 0, "format": "x"},
        {"type": "reasoning.text", "text": "b", "signature": "s", "index": 0},
        {"type": "reasoning.encrypted", "data": "e", "index": 1},
    ]
    body = b"".join(
        b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"reasoning_details": [each]}}]}).encode() + b"\n\n"
        for each in pieces
    )
    found = read(
        "openai_chat",
        body + b'data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    )
    assert (found.thought, len(found.seals)) == ("ab", 1)
    history = (
        said("user", "q"),
        Message("assistant", (Thought("ab", "openai_chat:maker", found.seals[0]), Text("x"))),
        said("user", "n"),
    )
    sent = ask("openai_chat", history, provider("openai_chat", replay="reasoning_details"))[1]["messages"][2]
    assert sent["reasoning_details"] == [
        {"type": "reasoning.text", "text": "ab", "index": 0, "format": "x", "signature": "s"},
        {"type": "reasoning.encrypted", "data": "e", "index": 1},
    ]


EFFORTS = [
    ("anthropic_messages", {}, "off", {"thinking": {"type": "disabled"}}),
    ("anthropic_messages", {}, "max", {"output_config": {"effort": "max"}}),
    ("anthropic_messages", {"thinking": "budget"}, "low", {"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 2548}),
    ("anthropic_messages", {"thinking": ""}, "low", {"thinking": None}),
    ("openai_responses", {}, "max", {"reasoning": {"summary": "auto", "effort": "xhigh"}}),
    ("openai_responses", {}, "off", {"reasoning": {"summary": "auto", "effort": "none"}}),
    ("openai_responses", {"efforts": "low high", "summary": ""}, "off", {"reasoning": {"effort": "low"}}),
    ("openai_chat", {"effort": "reasoning_effort"}, "off", {"reasoning_effort": "none"}),
    ("openai_chat", {"effort": "reasoning_effort", "max_effort": "xhigh"}, "max", {"reasoning_effort": "xhigh"}),
    ("openai_chat", {"effort": "reasoning"}, "low", {"reasoning": {"effort": "low"}}),
    ("openai_chat", {"effort": "reasoning"}, "off", {"reasoning": {"effort": "none"}}),
    ("openai_chat", {"effort": "thinking"}, "off", {"thinking": {"type": "disabled"}}),
    ("openai_chat", {"effort": "thinking_effort", "max_effort": "max"}, "max", {"thinking": {"type": "enabled"}, "reasoning_effort": "max"}),
    ("openai_chat", {"effort": "enable_thinking"}, "low", {"enable_thinking": True}),
    ("openai_chat", {"effort": "chat_template"}, "off", {"chat_template_kwargs": {"enable_thinking": False}}),
    ("openai_chat", {}, "high", {"reasoning_effort": None}),
    ("gemini", {}, "low", {"generationConfig": {"maxOutputTokens": 500, "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"}}}),
    ("gemini", {"max_effort": "XHIGH"}, "max", {"generationConfig": {"maxOutputTokens": 500, "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "XHIGH"}}}),
    ("bedrock_converse", {}, "max", {"additionalModelRequestFields": {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}}}),
    ("ollama", {"num_ctx": 8192}, "low", {"think": True, "options": {"num_predict": 500, "num_ctx": 8192}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "flags", "effort", "expected"), EFFORTS)
def test_how_hard_to_think_in_the_words_of_each(name, flags, effort, expected):
    request = Request(model("thinking", name="amazon.nova"), (), (said("user", "q"),), 500, effort)
    body = json.loads(wire(name).call(request, provider(name, **flags), "k").body)
    assert {key: body.get(key) for key in expected} == expected


def test_caching_is_asked_for_where_it_will_hit():
    history = tuple(said(("user", "assistant")[index % 2], f"turn {index}") for index in range(7))
    body = ask("anthropic_messages", history)[1]
    marked = [
        index
        for index, each in enumerate(body["messages"])
        if any("cache_control" in block for block in each["content"])
    ]
    assert (marked, [("cache_control" in each) for each in body["system"]]) == ([3, 5], [False, True])
    # What this request marks last, the next marks first: the prefix is written once and then read.
    later = ask("anthropic_messages", (*history, said("assistant", "7"), said("user", "8")))[1]
    assert [
        index
        for index, each in enumerate(later["messages"])
        if any("cache_control" in block for block in each["content"])
    ] == [5, 7]
    assert MARK not in json.dumps(ask("anthropic_messages", history, provider("anthropic_messages", cache=False))[1])
    assert '"ttl": "1h"' in json.dumps(
        ask("anthropic_messages", history, provider("anthropic_messages", cache_ttl="1h"))[1]
    )
    body = ask("bedrock_converse", history)[1]
    assert [
        index for index, each in enumerate(body["messages"]) if {"cachePoint": {"type": "default"}} in each["content"]
    ] == [3, 5]
    assert body["system"][-1] == {"cachePoint": {"type": "default"}}
    keys = {ask("openai_responses", history[:count])[1]["prompt_cache_key"] for count in (1, 3, 5)}
    assert len(keys) == 1
    assert keys != {ask("openai_responses", history, system=("other",))[1]["prompt_cache_key"]}
    body = ask("openai_chat", history, provider("openai_chat", cache_control=True, prompt_cache_key=True))[1]
    assert [index for index, each in enumerate(body["messages"]) if MARK in json.dumps(each)] == [0, 6]
    assert body["prompt_cache_key"]
    assert MARK not in json.dumps(ask("openai_chat", history)[1])


@pytest.mark.parametrize(
    ("name", "url", "header", "value"),
    [
        ("anthropic_messages", "http://h/p/v1/messages", "x-api-key", "key"),
        ("openai_chat", "http://h/p/v1/chat/completions", "authorization", "Bearer key"),
        ("openai_responses", "http://h/p/v1/responses", "authorization", "Bearer key"),
        ("gemini", "http://h/p/v1/models/amazon.nova:streamGenerateContent?alt=sse", "x-goog-api-key", "key"),
        ("bedrock_converse", "http://h/p/v1/model/amazon.nova/converse-stream", "authorization", "Bearer key"),
        ("ollama", "http://h/p/api/chat", "authorization", "Bearer key"),
    ],
)  # fmt: skip
def test_where_a_call_goes_and_how_it_carries_the_key(name, url, header, value):
    call, _ = ask(name, (said("user", "q"),), provider(name, url="http://h/p/v1/"))
    assert (call.method, call.url, call.headers[header]) == ("POST", url, value)
    assert "key" not in call.url.replace("monkey", "")
    bare = wire(name).call(Request(model(), (), (said("user", "q"),)), provider(name), "")
    assert header not in bare.headers


def test_names_with_signs_of_their_own_are_escaped():
    request = Request(model(name="us.amazon.nova-2-lite-v1:0"), (), (said("user", "q"),))
    assert (
        "/model/us.amazon.nova-2-lite-v1%3A0/converse-stream"
        in wire("bedrock_converse").call(request, provider("bedrock_converse"), "k").url
    )
    request = Request(model(name="models/gemini-x"), (), (said("user", "q"),))
    assert "/models/gemini-x:streamGenerateContent" in wire("gemini").call(request, provider("gemini"), "k").url
