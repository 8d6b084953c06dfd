"""Every protocol's streams as bytes: what each says, in five disjoint counts, however it is cut."""

import json
import struct
from binascii import crc32
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.quota.reading import from_headers
from tests.models.streaming import frame, provider, read, sse, stream

# sample: wire, and what must come of it
SAMPLES = {
    "chat_tool.sse": ("openai_chat", {"text": "Let me look at it.", "thought": "Need the file first.", "stop": "tool", "usage": (200, 1000, 0, 0, 35, 25), "final": True, "served": "demo-coder", "tools": [("call_a7", "read_file", '{"path": "src/app.py"}')]}),
    "chat_deepseek.sse": ("openai_chat", {"text": "Hi", "stop": "end", "usage": (52, 448, 0, 0, 4, 0), "waits": 2, "served": "deepseek-flash"}),
    "chat_kimi.sse": ("openai_chat", {"text": "ok", "stop": "end", "usage": (44, 256, 0, 0, 2, 0), "final": True}),
    "chat_qwen.sse": ("openai_chat", {"usage": (100, 1500, 400, 0, 4, 6), "stop": "end"}),
    "chat_xai.sse": ("openai_chat", {"usage": (40, 60, 0, 0, 20, 80), "stop": "end"}),
    "chat_openrouter.sse": ("openai_chat", {"text": "Done.", "thought": "Think", "stop": "end", "detail": "stop", "usage": (288, 512, 100, 0, 18, 12), "cost": Decimal("0.00412"), "waits": 1, "served": "vendor/model"}),
    "chat_vllm.sse": ("openai_chat", {"text": "ab", "stop": "end", "usage": (50, 0, 0, 0, 3, 0), "final": True}),
    "chat_llama_server.sse": ("openai_chat", {"stop": "end", "usage": (6, 230, 0, 0, 35, 0)}),
    "chat_minimax.sse": ("openai_chat", {"text": "Answer", "thought": "plan", "stop": "end", "usages": []}),
    "chat_openrouter_error.sse": ("openai_chat", {"text": "Part", "error": "server", "stop": "", "usages": []}),
    "chat_relay_error.sse": ("openai_chat", {"text": "", "error": "server"}),
    "chat_lmstudio_error.sse": ("openai_chat", {"error": "context_overflow"}),
    "responses_tool.sse": ("openai_responses", {"text": "Editing now.", "thought": "Plan the edit.", "stop": "tool", "usage": (404, 4096, 500, 0, 50, 90), "final": True, "served": "gpt-6.1-sol", "tools": [("call_9", "edit", '{"line": 4}')]}),
    "responses_incomplete.sse": ("openai_responses", {"stop": "length", "detail": "max_output_tokens", "usage": (900, 0, 0, 0, 0, 256)}),
    "responses_error.sse": ("openai_responses", {"error": "rate_limited"}),
    "responses_failed.sse": ("openai_responses", {"error": "server"}),
    "responses_error_and_failed.sse": ("openai_responses", {"error": "rate_limited"}),
    "responses_codex_limits.sse": ("openai_responses", {"error": "stream_broken"}),
    "messages_tool.sse": ("anthropic_messages", {"text": "Running it.", "thought": "Check the test.", "seals": ["c2ln"], "stop": "tool", "usage": (12, 8000, 200, 100, 35, 40), "final": True, "served": "claude-sonnet-5-5", "tools": [("toolu_1", "bash", '{"cmd": "pytest -q"}')]}),
    "messages_overloaded.sse": ("anthropic_messages", {"text": "Half a th", "error": "overloaded", "usage": (50, 0, 0, 0, 1, 0), "final": False}),
    "gemini_tool.sse": ("gemini", {"text": "I will list files.", "thought": "Considering options.", "stop": "tool", "detail": "STOP", "usage": (188, 512, 0, 0, 14, 31), "final": True, "served": "gemini-3.8-flash", "tools": [("call_1", "list_dir", '{"path": "."}')]}),
    "gemini_length.sse": ("gemini", {"text": "First of", "stop": "length", "usage": (90, 0, 0, 0, 2, 0)}),
    "gemini_blocked.sse": ("gemini", {"text": "", "stop": "refused", "detail": "PROHIBITED_CONTENT", "usage": (90, 0, 0, 0, 0, 0)}),
    "gemini_error.sse": ("gemini", {"text": "So far", "error": "overloaded", "usage": (90, 0, 0, 0, 2, 0), "final": False}),
    "gemini_bare_error.sse": ("gemini", {"text": "So far", "error": "overloaded"}),
    "converse_events.txt": ("bedrock_converse", {"text": "Reading it.", "thought": "Look first.", "seals": ["c2ln"], "stop": "tool", "usage": (40, 1200, 100, 0, 22, 0), "final": True, "tools": [("tooluse_1", "read_file", '{"path":"a.py"}')]}),
    "converse_stop.hex": ("bedrock_converse", {"stop": "end", "detail": "end_turn", "usages": []}),
    "converse_throttled.hex": ("bedrock_converse", {"error": "rate_limited"}),
    "ollama_tool.ndjson": ("ollama", {"text": "Sure", "thought": "Small task.", "stop": "tool", "detail": "stop", "usage": (64, 0, 0, 0, 18, 0), "final": True, "served": "demo:8b", "tools": [("call_1", "list_dir", '{"path": "."}')]}),
    "ollama_error.ndjson": ("ollama", {"text": "Hal", "error": "server"}),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_says_what_it_says(name):
    wire, expected = SAMPLES[name]
    found = read(wire, stream(name))
    assert {key: getattr(found, key) for key in expected} == expected
    if "error" not in expected:
        assert (found.error, bool(found.stop)) == ("", True)


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_chunks_of_any_size_say_the_same(name, size):
    wire, body = SAMPLES[name][0], stream(name)
    assert read(wire, body, range(size, len(body), size)) == read(wire, body)


@settings(deadline=None, max_examples=120)
@given(
    st.sampled_from([name for name in SAMPLES if name.endswith(".sse")]),
    st.sampled_from([b"\r\n", b"\r", b"\n"]),
    st.lists(st.integers(1, 4000), max_size=9),
)
def test_any_cut_and_any_line_end_says_the_same(name, end, cuts):
    if name == "gemini_bare_error.sse":
        end = b"\n"  # not an event stream to its end
    wire, body = SAMPLES[name][0], stream(name)
    other = body.replace(b"\n", end)
    assert read(wire, other, [cut for cut in cuts if cut < len(other)]) == read(wire, body)


# Where a stream may stop and still be whole: its end has come, only what follows is missing.
@pytest.mark.parametrize("name", [name for name, (_, expected) in SAMPLES.items() if "error" not in expected])
def test_a_stream_cut_anywhere_is_broken_or_whole_and_never_fails_otherwise(name):
    wire, body = SAMPLES[name][0], stream(name)
    whole = read(wire, body)
    for cut in range(0, len(body), 3):
        found = read(wire, body[:cut])
        assert found.error in {"", "stream_broken"}
        assert whole.text.startswith(found.text)
        assert found.error or found.text == whole.text


def chat(*deltas, finish="stop", usage=None, **more):
    events = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}], **more})
    return sse(*events, *([{"choices": [], "usage": usage}] if usage else []))


def calls(*pieces, finish="tool_calls"):
    return read(
        "openai_chat",
        chat(*({"tool_calls": each if isinstance(each, list) else [each]} for each in pieces), finish=finish),
    )


@pytest.mark.parametrize(
    ("pieces", "tools"),
    [
        ([{"id": "a", "function": {"name": "f", "arguments": '{"x":'}}, {"function": {"arguments": "1}"}}], [("a", "f", '{"x":1}')]),  # no index
        ([{"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x":1}'}}], [("a", "f", '{"x":1}')]),  # all at once
        ([{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{"}}, {"index": 0, "id": "a", "function": {"arguments": "}"}}], [("a", "f", "{}")]),  # id again
        ([{"id": "a", "function": {"name": "f", "arguments": "{"}}, {"id": "a", "function": {"name": "f", "arguments": "}"}}], [("a", "f", "{}")]),  # id and name again
        ([{"function": {"name": "f", "arguments": '{"a'}}, {"function": {"name": "f", "arguments": '":1}'}}], [("", "f", '{"a":1}')]),  # only the name again
        ([{"index": 0, "id": "a", "function": {"name": "f", "arguments": None}}, {"index": 0, "function": {"arguments": "{}"}}], [("a", "f", "{}")]),  # null
        ([{"index": 0, "id": "a", "function": {"name": "f", "arguments": {"x": 1}}}], [("a", "f", '{"x": 1}')]),  # an object
        ([{"index": 0, "id": "a", "function": {"name": "f"}}, {"index": 1, "id": "b", "function": {"name": "g"}}, {"index": 0, "function": {"arguments": "[0]"}}, {"index": 1, "function": {"arguments": "[1]"}}], [("a", "f", "[0]"), ("b", "g", "[1]")]),  # interleaved
        ([{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}, {"index": 0, "id": "b", "function": {"name": "g", "arguments": "{}"}}], [("a", "f", "{}"), ("b", "g", "{}")]),  # index always 0
        ([[{"function": {"name": "f", "arguments": "{}"}}, {"function": {"name": "g", "arguments": "{}"}}]], [("", "f", "{}"), ("", "g", "{}")]),  # neither index nor id
    ],
)  # fmt: skip
def test_pieces_of_calls_are_put_together(pieces, tools):
    assert calls(*pieces).tools == tools
    assert calls(*pieces, finish="stop").stop == "tool"


def test_a_call_that_was_cut_off_is_not_given_out():
    found = calls({"index": 0, "id": "a", "function": {"name": "f", "arguments": '{"x": "src/'}}, finish="length")
    assert (found.tools, found.stop) == ([], "length")


@pytest.mark.parametrize(
    ("finish", "stop", "error"),
    [
        ("length", "length", ""), ("content_filter", "refused", ""), ("sensitive", "refused", ""), ("function_call", "tool", ""), ("end", "end", ""),
        ("insufficient_system_resource", "", "overloaded"), ("network_error", "", "server"), ("model_context_window_exceeded", "", "context_overflow"),
        ("error", "", "server"), ("a word nobody knows", "end", ""),
    ],
)  # fmt: skip
def test_finish_reasons_of_chat(finish, stop, error):
    found = read(
        "openai_chat", chat({"content": "Hi"}, finish=finish, usage={"prompt_tokens": 3, "completion_tokens": 1})
    )
    assert (found.text, found.stop, found.error) == ("Hi", stop, error)
    assert (found.usage, found.final) == ((3, 0, 0, 0, 1, 0), True)  # counted, also where it went wrong


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 4}, (10, 0, 0, 0, 4, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 4, "prompt_tokens_details": None, "completion_tokens_details": None}, (10, 0, 0, 0, 4, 0)),
        ({"prompt_tokens": "10", "completion_tokens": 4.0}, (10, 0, 0, 0, 4, 0)),
        ({"prompt_tokens": 10, "completion_tokens": -4}, (10, 0, 0, 0, 0, 0)),
        ({"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 90}, "completion_tokens": 1}, (10, 90, 0, 0, 1, 0)),
        ({"prompt_tokens": 10, "completion_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 8}}, (10, 0, 0, 0, 3, 8)),
        ({"prompt_tokens": 10, "completion_tokens": 8, "total_tokens": 18, "completion_tokens_details": {"reasoning_tokens": 8}}, (10, 0, 0, 0, 0, 8)),
        ({"prompt_tokens": 90, "completion_tokens": 1, "prompt_tokens_details": {"cache_write_tokens": 50, "cache_write_tokens_details": {"ttl_30m_tokens": 20, "ttl_12h_tokens": 30}}}, (40, 0, 20, 30, 1, 0)),
    ],
)  # fmt: skip
def test_odd_counts_of_chat(usage, counts):
    assert read("openai_chat", chat({"content": "x"}, usage=usage)).usage == counts


@pytest.mark.parametrize(
    "nothing", [{"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, {"total_tokens": None}]
)
@pytest.mark.parametrize("when", ["before", "behind"])
def test_a_usage_of_nothing_takes_no_count_back(nothing, when):
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    counted = [{"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 4}}, end]
    more = [*(counted if when == "before" else reversed(counted)), {"choices": [], "usage": nothing}]
    found = read("openai_chat", sse({"choices": [{"index": 0, "delta": {"content": "x"}}]}, *more))
    assert (found.usage, found.final) == ((10, 0, 0, 0, 4, 0), True)


def test_thoughts_counted_beside_the_answer_where_no_total_tells():
    usage = {"prompt_tokens": 10, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 5}}
    body = chat({"content": "x"}, usage=usage)
    assert read("openai_chat", body).usage[4:] == (4, 5)
    assert read("openai_chat", body, seller=provider("openai_chat", reasoning_beside=True)).usage[4:] == (9, 5)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.00123}, "0.00123"), ({"cost": "0.5"}, "0.5"), ({"cost": 0}, "0"), ({"cost_in_usd_ticks": 37756000}, "0.0037756"),
        ({"cost": "free"}, None), ({"cost": float("nan")}, None), ({"cost": None}, None),
    ],
)  # fmt: skip
def test_a_reported_cost_is_read_exactly(usage, cost):
    found = read("openai_chat", chat({"content": "x"}, usage={"prompt_tokens": 1, "completion_tokens": 1, **usage}))
    assert found.cost == (Decimal(cost) if cost else None)


@pytest.mark.parametrize(
    "odd",
    [
        {"choices": [], "prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}], "model": ""},  # Azure begins so
        {"choices": None}, {"choices": [{"index": 0, "delta": None}]}, {"choices": [{"delta": {"content": ""}, "finish_reason": ""}]},
        {"choices": [{"index": 0, "delta": {}}], "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}},
        {"choices": [{"index": 0, "delta": {}, "content_filter_results": {"hate": {"filtered": False}}}]}, {},
        {"choices": [{"index": 0, "delta": {"content": "", "tool_calls": None, "function_call": None, "refusal": None, "reasoning": None}}]},
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_odd_event_changes_nothing_wherever_it_stands(odd, place):
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    events = [{"model": "m", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}, end]
    events.insert(place, odd)
    found = read("openai_chat", sse(*events, {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1}}))
    assert (found.text, found.stop, found.error, found.served) == ("Hi", "end", "", "m")
    assert (found.usage, found.final, found.tools) == ((3, 0, 0, 0, 1, 0), True, [])


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"error": "Something broke upstream."}, "server"), ({"error": {"message": "zzz", "code": "429"}}, "rate_limited"),
        ({"error": {"message": "zzz", "code": 529}}, "overloaded"), ({"error": {"message": "Budget", "code": 402}}, "out_of_funds"),
        ({"object": "error", "message": "zzz", "type": "InternalServerError", "code": 500}, "server"),
        ({"choices": [{"index": 0, "delta": {}, "error": {"code": 503, "message": "zzz"}, "finish_reason": "error"}]}, "overloaded"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("done", [True, False])
def test_errors_inside_a_chat_keep_what_came(error, kind, done):
    found = read("openai_chat", sse({"choices": [{"index": 0, "delta": {"content": "Part"}}]}, error, done=done))
    assert (found.text, found.error, found.stop, found.final) == ("Part", kind, "", False)


def test_calls_stand_in_the_order_of_their_indices():
    pieces = [
        {"index": index, "id": f"id_{index}", "function": {"name": "f", "arguments": "{}"}} for index in (1, 0, 2)
    ]
    assert [ident for ident, _, _ in calls(*pieces).tools] == ["id_0", "id_1", "id_2"]


@pytest.mark.parametrize("ticks", [-1, True, "5", None, 1.5])
def test_odd_ticks_are_no_cost(ticks):
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "cost_in_usd_ticks": ticks}
    assert read("openai_chat", chat({"content": "x"}, usage=usage)).cost is None
    usage = {"input_tokens": 1, "output_tokens": 1, "cost_in_usd_ticks": ticks}
    event = {"type": "response.completed", "response": {"status": "completed", "usage": usage}}
    assert read("openai_responses", sse(event)).cost is None


def test_running_usage_moves_and_the_last_wins():
    assert [usage.output for usage in read("openai_chat", stream("chat_vllm.sse")).usages] == [1, 2, 3, 3]
    groq = sse(
        {
            "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}],
            "x_groq": {"usage": {"prompt_tokens": 5, "completion_tokens": 2}},
        }
    )
    assert read("openai_chat", groq).usage == (5, 0, 0, 0, 2, 0)
    timed = sse(
        {
            "choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}],
            "timings": {"cache_n": 3, "prompt_n": 4, "predicted_n": 5},
        }
    )
    assert read("openai_chat", timed).usage == (4, 3, 0, 0, 5, 0)


@pytest.mark.parametrize(
    ("deltas", "text", "thought"),
    [
        ([{"reasoning": "a"}, {"content": "b"}], "b", "a"),
        ([{"reasoning_text": "a"}, {"content": "b"}], "b", "a"),
        ([{"reasoning_content": "a", "reasoning": "a"}, {"content": "b"}], "b", "a"),
        ([{"reasoning_details": [{"type": "reasoning.summary", "summary": "a", "index": 0}]}, {"content": "b"}], "b", "a"),
        ([{"content": None}, {"content": [{"type": "text", "text": "b"}]}], "b", ""),
        ([{"content": "<think>a</think>b"}], "b", "a"),
        ([{"content": "\n<th"}, {"content": "ink>a</"}, {"content": "think"}, {"content": ">b</think>"}], "b</think>", "a"),
        ([{"content": "b <think>c</think>"}], "b <think>c</think>", ""),
        ([{"content": "<thin"}], "<thin", ""),
        ([{"content": "<think>a"}], "", "a"),
        ([{"content": "<think>a</thi"}], "", "a</thi"),
        ([{"reasoning_content": "a"}, {"content": "<think>b"}], "<think>b", "a"),
        ([{"content": "  b"}], "  b", ""),
    ],
)  # fmt: skip
def test_thoughts_are_told_from_words(deltas, text, thought):
    found = read("openai_chat", chat(*deltas))
    assert (found.text, found.thought, found.stop) == (text, thought, "end")


def test_a_refusal_is_read_and_named():
    found = read("openai_chat", chat({"refusal": "I will not."}))
    assert (found.text, found.stop) == ("I will not.", "refused")


def test_only_the_first_of_several_choices_counts():
    body = sse(
        {"choices": [{"index": 1, "delta": {"content": "B"}}]},
        {
            "choices": [
                {"index": 0, "delta": {"content": "A"}},
                {"index": 1, "delta": {"content": "B"}, "finish_reason": "length"},
            ]
        },
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    )
    assert (read("openai_chat", body).text, read("openai_chat", body).stop) == ("A", "end")


def test_what_follows_the_end_is_ignored():
    body = chat({"content": "a"}) + sse({"choices": [{"index": 0, "delta": {"content": "b"}}]}) + b"not even JSON\n\n"
    assert (read("openai_chat", body).text, read("openai_chat", body).ended) == ("a", True)


def test_the_end_need_not_have_its_blank_line_nor_be_marked():
    body = chat({"content": "a"})
    assert read("openai_chat", body.rstrip()).stop == "end"
    assert read("openai_chat", body.replace(b"data: [DONE]\n\n", b"")).stop == "end"
    assert (
        read("openai_chat", sse({"choices": [{"index": 0, "delta": {"content": "a"}}]}, done=False).rstrip()).error
        == "stream_broken"
    )


def test_an_end_after_nothing_at_all_is_no_answer():
    assert read("openai_chat", b"data: [DONE]\n\n").error == "stream_broken"
    assert read("openai_chat", sse({"choices": [{"index": 0, "delta": {"content": "a"}}]})).stop == "end"


@pytest.mark.parametrize(
    ("wire", "body", "tier"),
    [
        ("anthropic_messages", lambda: messages(start={"input_tokens": 9, "service_tier": "priority", "speed": "standard"}, end={"output_tokens": 4}), "priority"),
        ("anthropic_messages", lambda: messages(start={"input_tokens": 9, "service_tier": "standard"}, end={"output_tokens": 4, "speed": "fast"}), "fast"),
        ("openai_chat", lambda: chat({"content": "a"}, usage={"prompt_tokens": 1, "completion_tokens": 1}, service_tier="flex"), "flex"),
        ("openai_responses", lambda: sse({"type": "response.completed", "response": {"status": "completed", "service_tier": "priority", "usage": {"input_tokens": 1}}}, done=False), "priority"),
        ("gemini", lambda: sse({"usageMetadata": {"promptTokenCount": 1, "serviceTier": "flex"}}, {"candidates": [{"finishReason": "STOP"}]}, done=False), "flex"),
        ("gemini", lambda: sse({"candidates": [{"finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 1, "serviceTier": "priority"}}, done=False), "priority"),
        ("bedrock_converse", lambda: frame("messageStop", {"stopReason": "end_turn"}) + frame("metadata", {"usage": {"inputTokens": 1}, "serviceTier": {"type": "flex"}}), "flex"),
    ],
)  # fmt: skip
def test_the_service_tier_that_a_reply_names_is_heard(wire, body, tier):
    found = read(wire, body())
    assert (found.tier, found.final) == (tier, True)


WHOLE = {
    "openai_chat": {"model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi", "reasoning_content": "hm"}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 5, "completion_tokens": 3}},
    "openai_responses": {"object": "response", "status": "completed", "model": "m", "output": [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}], "usage": {"input_tokens": 5, "output_tokens": 3}},
    "anthropic_messages": {"type": "message", "model": "m", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, {"type": "text", "text": "Hi"}], "stop_reason": "end_turn", "usage": {"input_tokens": 5, "output_tokens": 3}},
    "gemini": {"modelVersion": "m", "candidates": [{"content": {"parts": [{"text": "hm", "thought": True}, {"text": "Hi"}]}, "finishReason": "STOP"}], "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 3}},
    "bedrock_converse": {"output": {"message": {"role": "assistant", "content": [{"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}}, {"text": "Hi"}]}}, "stopReason": "end_turn", "usage": {"inputTokens": 5, "outputTokens": 3}},
    "ollama": {"model": "m", "message": {"role": "assistant", "content": "Hi", "thinking": "hm"}, "done": True, "done_reason": "stop", "prompt_eval_count": 5, "eval_count": 3},
}  # fmt: skip


@pytest.mark.parametrize("wire", WHOLE)
@pytest.mark.parametrize("indent", [None, 2])
def test_an_answer_that_comes_as_one_json_text_is_read_too(wire, indent):
    body = json.dumps(WHOLE[wire], indent=indent).encode()
    for cuts in ((), range(1, len(body))):
        found = read(wire, body, cuts)
        assert (found.text, found.thought, found.usage, found.final) == ("Hi", "hm", (5, 0, 0, 0, 3, 0), True)
        assert (found.stop, found.error) == ("end", "")


def test_gemini_without_its_switch_sends_one_list():
    body = json.dumps([{"candidates": [{"content": {"parts": [{"text": "a"}]}}]}, WHOLE["gemini"]], indent=1).encode()
    assert read("gemini", body).text == "aHi"


def test_lines_of_json_for_events_and_events_for_lines():
    lines = b"".join(line[6:] + b"\n" for line in chat({"content": "a"}).splitlines() if line.startswith(b"data: {"))
    assert read("openai_chat", lines).text == "a"
    events = b"".join(b"data: " + line + b"\n\n" for line in stream("ollama_tool.ndjson").splitlines())
    assert read("ollama", events).text == "Sure"


@pytest.mark.parametrize(
    ("reason", "stop"),
    [("max_tokens", "length"), ("model_context_window_exceeded", "length"), ("refusal", "refused"), ("stop_sequence", "end"), ("pause_turn", "length"), ("sensitive", "refused"), ("new", "end")],
)  # fmt: skip
def test_stop_reasons_of_messages(reason, stop):
    body = stream("messages_tool.sse").replace(
        b'"tool_use","stop_sequence"', json.dumps(reason).encode() + b',"stop_sequence"'
    )
    assert (read("anthropic_messages", body).stop, read("anthropic_messages", body).detail) == (stop, reason)


def messages(*events, reason="end_turn", start=None, end=None):
    first = ("message_start", {"type": "message_start", "message": {"model": "m", "usage": start or {}}})
    last = ("message_delta", {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": end})
    return sse(
        first, *((each["type"], each) for each in events), last, ("message_stop", {"type": "message_stop"}), done=False
    )


def test_compatible_servers_may_count_at_the_end_only():
    found = read(
        "anthropic_messages",
        messages(start={"input_tokens": 0, "output_tokens": 0}, end={"input_tokens": 9, "output_tokens": 4}),
    )
    assert (found.usage, found.final) == ((9, 0, 0, 0, 4, 0), True)
    found = read(
        "anthropic_messages",
        messages(
            start={"input_tokens": 7, "cache_read_input_tokens": None}, end={"output_tokens": 4, "input_tokens": None}
        ),
    )
    assert (found.usage, found.final) == ((7, 0, 0, 0, 4, 0), True)
    found = read("anthropic_messages", messages(end={"output_tokens": 4}))
    assert (found.usage, found.final) == ((0, 0, 0, 0, 4, 0), False)  # nobody counted the input: unknown, not nothing


def test_redacted_thoughts_and_calls_without_arguments():
    found = read(
        "anthropic_messages",
        messages(
            {"type": "content_block_start", "index": 0, "content_block": {"type": "redacted_thinking", "data": "b3Bh"}},
            {"type": "content_block_stop", "index": 0},
            {"type": "content_block_start", "index": 1, "content_block": {"type": "tool_use", "id": "t", "name": "now", "input": {}}},
            {"type": "content_block_stop", "index": 1},
            reason="tool_use",
        ),
    )  # fmt: skip
    assert (found.seals, found.tools) == (["redacted:b3Bh"], [("t", "now", "{}")])


def test_a_response_keeps_its_sealed_reasoning_and_its_plan_limits():
    found = read("openai_responses", stream("responses_tool.sse"))
    assert json.loads(found.seals[0]) == {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Plan the edit."}],
        "encrypted_content": "b3BhcXVl",
    }
    headers = read("openai_responses", stream("responses_codex_limits.sse")).headers
    assert (
        headers["x-codex-primary-used-percent"],
        headers["x-codex-secondary-window-minutes"],
        headers["x-codex-primary-reset-at"],
    ) == ("37", "10080", "1795410000")


@pytest.mark.parametrize(
    "name",
    [{"metered_limit_name": "codex_bengalfox", "limit_name": "Spark"}, {"limit_name": "Spark"}],
)
def test_limits_of_one_model_are_not_told_as_those_of_the_plan(name):
    limits = {"primary": {"used_percent": 97, "window_minutes": 300, "reset_at": 1795410000}}
    event = {"type": "codex.rate_limits", **name, "rate_limits": limits}
    headers = read("openai_responses", f"data: {json.dumps(event)}\n\n".encode()).headers
    (told,) = from_headers(headers, "chatgpt.com", datetime(2026, 11, 20, tzinfo=UTC))
    assert (told.meter, told.percent, told.mapped) == ("5 hours Spark", 97, False)


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"type": "response.failed", "response": {"status": "failed", "error": None}}, "server"),
        ({"type": "error", "error": {"type": "server_error", "code": "rate_limit_exceeded", "message": "Rate limit reached"}}, "rate_limited"),
        ({"type": "response.failed", "response": {"status": "failed", "error": {"code": "context_length_exceeded", "message": "Your input exceeds the context window of this model."}, "usage": {"input_tokens": 7, "output_tokens": 0}}}, "context_overflow"),
        ({"error": {"message": "overloaded", "code": "503"}}, "overloaded"),
        ({"type": "error", "code": "server_error", "message": "Slow down for 2s."}, "server"),  # its name is worth more than its words
        ({"type": "response.failed", "response": {"status": "failed", "error": {"code": "invalid_prompt", "message": "zzz"}}}, "bad_request"),
        ({"type": "response.failed", "response": {"status": "failed", "error": {"code": "image_too_large", "message": "zzz"}}}, "bad_request"),
        ({"type": "response.failed", "response": {"status": "failed", "error": {"code": "bio_policy", "message": "zzz"}}}, "refused"),
    ],
)  # fmt: skip
def test_failures_of_a_response(event, error):
    found = read("openai_responses", sse(event, done=False))
    assert found.error == error
    assert found.usage[0] in {0, 7}


def test_a_response_whose_words_come_only_at_the_end():
    item = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}
    final = {
        "type": "response.completed",
        "response": {"status": "completed", "output": [item], "usage": {"input_tokens": 1, "output_tokens": 1}},
    }
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}
    words = {"type": "response.output_text.done", "output_index": 0, "text": "Hi"}
    piece = {"type": "response.output_text.delta", "output_index": 0, "delta": "Hi"}
    for events in ([final], [done, final], [words, done, final], [piece, words, done, final]):
        assert read("openai_responses", sse(*events, done=False)).text == "Hi"


def test_parts_of_a_summary_are_paragraphs_however_they_come():
    parts = [{"type": "summary_text", "text": f"**Step {n}** done."} for n in (1, 2)]
    item = {"type": "reasoning", "id": "rs_1", "summary": parts, "encrypted_content": "x"}
    done = {"type": "response.output_item.done", "output_index": 0, "item": item}
    end = {"type": "response.completed", "response": {"status": "completed"}}
    pieces = []
    for n, each in enumerate(parts):
        at = {"item_id": "rs_1", "output_index": 0, "summary_index": n}
        pieces.append(
            {"type": "response.reasoning_summary_part.added", **at, "part": {"type": "summary_text", "text": ""}}
        )
        pieces.append({"type": "response.reasoning_summary_text.delta", **at, "delta": each["text"]})
    for events in ([*pieces, done, end], [done, end], [{**end, "response": {"status": "completed", "output": [item]}}]):
        found = read("openai_responses", sse(*events, done=False))
        assert (found.thought, len(found.seals)) == ("**Step 1** done.\n\n**Step 2** done.", 1)


def test_a_response_refuses_and_filters():
    refusal = {"type": "response.refusal.delta", "output_index": 0, "delta": "No."}
    done = {
        "type": "response.completed",
        "response": {"status": "completed", "usage": {"input_tokens": 1, "output_tokens": 1}},
    }
    assert read("openai_responses", sse(refusal, done)).stop == "refused"
    filtered = {
        "type": "response.incomplete",
        "response": {"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
    }
    assert read("openai_responses", sse(filtered)).stop == "refused"


@pytest.mark.parametrize(
    ("reason", "stop", "error"),
    [("MALFORMED_FUNCTION_CALL", "", "server"), ("SAFETY", "refused", ""), ("RECITATION", "refused", ""), ("CONTINUATION", "length", ""), ("OTHER", "", "server")],
)  # fmt: skip
def test_finish_reasons_of_gemini(reason, stop, error):
    found = read("gemini", sse({"candidates": [{"content": {}, "finishReason": reason}]}, done=False))
    assert (found.stop, found.error) == (stop, error)


@pytest.mark.parametrize("reason", ["OTHER", "SAFETY", "MALFORMED_RESPONSE"])
def test_a_question_that_gemini_blocks_is_refused_whatever_the_reason(reason):
    found = read(
        "gemini",
        sse({"promptFeedback": {"blockReason": reason}, "usageMetadata": {"promptTokenCount": 90}}, done=False),
    )
    assert (found.stop, found.error, found.usage, found.final) == ("refused", "", (90, 0, 0, 0, 0, 0), True)


def test_what_gemini_counted_of_an_answer_that_is_no_use_is_exact():
    end = {
        "candidates": [{"content": {}, "finishReason": "MALFORMED_FUNCTION_CALL"}],
        "usageMetadata": {"promptTokenCount": 9, "thoughtsTokenCount": 4},
    }
    found = read("gemini", sse(end, done=False))
    assert (found.error, found.usage, found.final) == ("server", (9, 0, 0, 0, 0, 4), True)


def test_gemini_signs_its_last_part():
    body = sse(
        {
            "candidates": [
                {
                    "content": {"parts": [{"text": "Hi"}, {"text": "", "thoughtSignature": "c2ln"}]},
                    "finishReason": "STOP",
                }
            ]
        },
        done=False,
    )
    assert (read("gemini", body).text, read("gemini", body).seals) == ("Hi", ["c2ln"])


@pytest.mark.parametrize(
    ("name", "kind"),
    [("validationException", "bad_request"), ("internalServerException", "server"), ("serviceUnavailableException", "overloaded"), ("modelStreamErrorException", None), ("throttlingException", "rate_limited")],
)  # fmt: skip
def test_exceptions_in_a_conversation(name, kind):
    body = frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "So"}}) + frame(
        name, {"message": "Something happened."}, "exception"
    )
    found = read("bedrock_converse", body)
    assert found.text == "So"
    assert found.error == kind or (kind is None and found.error)
    error = frame("internalFailure", b"", "error")
    assert read("bedrock_converse", error).error


def test_an_error_frame_says_what_it_is_in_its_headers():
    names = {":message-type": "error", ":error-code": "throttlingException", ":error-message": "Slow down."}
    headers = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
        for name, value in names.items()
    )
    head = struct.pack(">II", len(headers) + 16, len(headers))
    whole = head + struct.pack(">I", crc32(head)) + headers
    body = frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "So"}})
    found = read("bedrock_converse", body + whole + struct.pack(">I", crc32(whole)))
    assert (found.text, found.error) == ("So", "rate_limited")


def test_counts_that_come_before_the_end_of_a_conversation_end_nothing():
    counts, end = (
        frame("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2}}),
        frame("messageStop", {"stopReason": "max_tokens"}),
    )
    found = read("bedrock_converse", counts + end)
    assert (found.stop, found.usage, found.ended) == ("length", (3, 0, 0, 0, 2, 0), True)
    assert read("bedrock_converse", counts).error == "stream_broken"


def test_a_conversation_without_its_counts_is_whole_and_uncounted():
    frames = stream("converse_events.txt")
    found = read("bedrock_converse", frames[: frames.rindex(b":event-type") - 13])
    assert (found.text, found.stop, found.usages) == ("Reading it.", "tool", [])


def test_a_flipped_byte_breaks_the_stream():
    body = bytearray(stream("converse_events.txt"))
    for at in (5, 9, 40, len(body) - 2):
        wrong = bytearray(body)
        wrong[at] ^= 1
        assert read("bedrock_converse", bytes(wrong)).error == "stream_broken"


def test_a_long_lived_write_of_a_conversation():
    usage = {
        "inputTokens": 1,
        "outputTokens": 2,
        "cacheWriteInputTokens": 90,
        "cacheDetails": [{"ttl": "1h", "inputTokens": 60}, {"ttl": "5m", "inputTokens": 30}],
    }
    body = frame("messageStop", {"stopReason": "end_turn"}) + frame("metadata", {"usage": usage})
    assert read("bedrock_converse", body).usage == (1, 0, 30, 60, 2, 0)


def test_ollama_says_when_it_did_not_count_the_prompt():
    body = stream("ollama_tool.ndjson").replace(b'"prompt_eval_count":64,', b"")
    found = read("ollama", body.rstrip())  # and the last line has no end
    assert (found.usage, found.final, found.usages[-1].exact) == ((0, 0, 0, 0, 18, 0), False, False)
    assert read("ollama", body.replace(b'"done_reason":"stop"', b'"done_reason":"length"')).stop == "length"
    assert read("ollama", body[:-30]).error == "stream_broken"


ODD = [None, True, 0, -1, 10**30, 1e400, float("nan"), "", "x", "\ud800", [], [1], {}, {"a": 1}, [[]], [{}]]


def places(value, at=()):
    """Give the path of everything within a value."""
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*at, key)
        yield from places(value[key], (*at, key))


@pytest.mark.parametrize(
    "name",
    ["chat_tool.sse", "responses_tool.sse", "responses_failed.sse", "messages_tool.sse", "gemini_tool.sse",
     "gemini_error.sse", "ollama_tool.ndjson"],
)  # fmt: skip
def test_values_of_any_kind_never_crash_a_reader(name):
    """Each value of each event becomes each of some odd ones; only an error of the tree may come of it."""
    lines = stream(name).decode().splitlines()
    extra = {"index": 0, "type": "reasoning.text", "text": "t", "signature": "s"}
    for at, line in enumerate(lines):
        head, _, rest = line.partition("{")
        if not rest:
            continue
        whole = json.loads("{" + rest)
        for choice in whole.get("choices", []):
            choice.setdefault("delta", {}).setdefault("reasoning_details", [extra])
        for *path, last in [*places(whole)]:
            spot = whole
            for key in path:
                spot = spot[key]
            kept = spot[last]
            for odd in ODD:
                spot[last] = odd
                event = head + json.dumps(whole)
                read(SAMPLES[name][0], "\n".join([*lines[:at], event, *lines[at + 1 :], "", ""]).encode())
            spot[last] = kept
