"""Makes answers of every protocol by dice: one scene in neutral words, told as a server of the field might tell it.

What a scene says is decided before it is told, and the telling knows nothing of how we read: order, dialect, cuts, line ends,
comments and fields that nobody knows are thrown for each event.
"""

import json
import random
from dataclasses import dataclass, field

from tests.models.streaming import frame

PIECES = [
    "a", " b", "word ", "ünï ", "漢字", "🙂", "👩‍👩‍👧", "\n", "\r\n", "\t", '"quoted" ', "\\", "{}", "}\n{", "data: [DONE]", ": x", "\u2028", "</think>", " <think>", "event: error\n",
    "[DONE]", "\x07", "null", "<|end|>", "\ufeff", "0", "```py\nx = 1\n```\n", "&amp;", "$1", "%s",
]  # fmt: skip
ARGUMENTS = ['{"path": "src/app.py"}', "{}", '{"n": [1, 2], "s": "\\"🙂\\n"}', '{"line": 4}']
ENDS = ["end", "end", "end", "length", "tool", "refused", "cut", "overloaded", "server", "rate_limited"]


@dataclass
class Scene:
    text: str
    pieces: list
    thought: str
    thoughts: list
    tools: list
    usage: tuple  # fresh, read, short, long, visible, reasoning
    end: str
    served: str
    final: bool = True
    waits: int = 0
    extra: dict = field(default_factory=dict)


def throw(dice):
    """Decide what an answer says."""
    pieces = ["So", *(dice.choice(PIECES) for _ in range(dice.randint(1, 12)))]
    thoughts = [dice.choice(PIECES[:10]) for _ in range(dice.choice([0, 0, 1, 2, 5]))]
    thoughts = ["Hm", *thoughts] if thoughts else []
    end = dice.choice(ENDS)
    count = 0 if end != "tool" else dice.randint(1, 3)
    tools = [(f"id_{n}", dice.choice(["read", "edit"]), dice.choice(ARGUMENTS)) for n in range(count)]
    read = dice.choice([0, dice.randint(1, 900_000)])
    usage = (
        dice.randint(1, 90_000), read, dice.choice([0, dice.randint(1, 9_000)]), dice.choice([0, dice.randint(1, 900)]),
        dice.randint(1, 60_000), dice.choice([0, dice.randint(1, 30_000)]) if thoughts else 0,
    )  # fmt: skip
    served = dice.choice(["maker-1", "vendor/model:free", "модель"])
    return Scene("".join(pieces), pieces, "".join(thoughts), thoughts, tools, usage, end, served)


def noise(dice, value):
    """Add fields that nobody knows, in any order."""
    more = {
        **value,
        **{
            key: dice.choice([None, 1, "x", [], {"y": [{}]}])
            for key in dice.sample(["zz", "obfuscation", "x_id", "created"], 2)
        },
    }
    keys = list(more)
    dice.shuffle(keys)
    return {key: more[key] for key in keys}


def line(dice, scene, event, name=""):
    """Tell one event as a server-sent event."""
    indent = dice.choice([None, None, None, 1])
    words = json.dumps(event, ensure_ascii=dice.random() < 0.5, indent=indent)
    space = dice.choice([" ", "", " "])
    out = "".join(f"data:{space}{part}\n" for part in words.split("\n"))
    named = f"event:{space}{name}\n" if name else ""
    extra = dice.choice(["", "", "id: 7\n", "retry: 10\n", "unknown: 1\n" if not scene.extra.get("plain") else ""])
    out = dice.choice([named + extra + out, extra + out + named])
    if dice.random() < 0.2:
        out = dice.choice([": keep-alive\n\n", ":\n\n", ": OPENROUTER PROCESSING\n"]) + out
        scene.waits += 1
    return out + "\n"


def ended(dice, text):
    """Give the stream the line ends of one server, and perhaps a BOM."""
    body = text.replace("\n", dice.choice(["\n", "\n", "\r\n", "\r"]))
    return (dice.choice(["", "", "\ufeff"]) + body).encode()


def split(dice, text):
    """Cut a text in some pieces, empty ones among them."""
    cuts = sorted(dice.randint(0, len(text)) for _ in range(dice.randint(0, 3)))
    return [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]


ERRORS = {
    "overloaded": {"message": "Overloaded", "type": "overloaded_error", "code": 503},
    "server": {"message": "Upstream closed the connection", "type": "server_error", "code": "502"},
    "rate_limited": {"message": "Rate limit reached.", "type": "rate_limit_error", "code": 429},
}


def chat(dice, scene):
    fresh, read, short, long, visible, reasoning = scene.usage
    sent = fresh + read + short + long
    inside = dice.random() < 0.8
    counted = {
        "prompt_tokens": sent,
        "completion_tokens": visible + reasoning if inside else visible,
        "total_tokens": sent + visible + reasoning,
    }
    dialect = dice.choice(["openai", "deepseek", "kimi", "qwen", "openrouter"])
    if long and dialect != "openai":
        scene.usage = (fresh, read, short + long, 0, visible, reasoning)
    short_, long_ = scene.usage[2:4]
    details = {"cached_tokens": read}
    if dialect == "openai":
        details |= {
            "cache_write_tokens": short_ + long_,
            "cache_write_tokens_details": {"ttl_30m_tokens": short_, "ttl_12h_tokens": long_},
        }
    elif dialect == "qwen":
        details |= {"cache_creation_input_tokens": short_, "cache_type": "ephemeral"}
    elif dialect == "openrouter":
        details |= {"cache_write_tokens": short_}
        counted |= {"cost": 0.25, "is_byok": False}
        scene.extra["cost"] = "0.25"
    else:  # these write no cache that they would name
        scene.usage = (fresh + short_, read, 0, 0, visible, reasoning)
        details = {}
    if dialect == "kimi":
        counted["cached_tokens"] = read
    elif dialect == "deepseek":
        counted |= {"prompt_cache_hit_tokens": read, "prompt_cache_miss_tokens": sent - read}
    else:
        counted["prompt_tokens_details"] = details
    if reasoning or dice.random() < 0.5:
        counted["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    field = dice.choice(["reasoning_content", "reasoning", "reasoning_text", "both", "details", "tags"])
    deltas = []
    words = list(scene.pieces)
    if field == "tags" and scene.thoughts:
        words = (
            split(dice, dice.choice(["", "\n"]) + "<think>" + scene.thought.replace("</think>", "") + "</think>")
            + words
        )
        scene.thought = scene.thought.replace("</think>", "")
    else:
        for each in scene.thoughts:
            if field == "both":
                deltas.append({"reasoning_content": each, "reasoning": each})
            elif field == "details":
                deltas.append(
                    {"reasoning": each, "reasoning_details": [{"type": "reasoning.text", "text": each, "index": 0}]}
                )
            else:
                deltas.append(
                    {
                        field if field != "tags" else "reasoning": each,
                        **dice.choice([{}, {"content": None}, {"content": ""}]),
                    }
                )
    deltas += [{"content": each} for each in words]
    if dice.random() < 0.7:
        deltas[0] = {"role": "assistant", **deltas[0]}
    lanes = []
    for index, (ident, name, arguments) in enumerate(scene.tools):
        parts = split(dice, arguments)
        lane = [{"index": index, "id": ident, "type": "function", "function": {"name": name, "arguments": parts[0]}}]
        again = dice.random() < 0.3
        lane += [
            {"index": index, **({"id": ident} if again else {}), "function": {"arguments": part}} for part in parts[1:]
        ]
        lanes.append(lane)
    while any(lanes):  # interleaved, each in its own order
        lane = dice.choice([lane for lane in lanes if lane])
        deltas.append({"tool_calls": [lane.pop(0)]})
    base = {"id": "c-1", "object": "chat.completion.chunk", "model": scene.served}
    nulls = {"usage": None} if dice.random() < 0.5 else {}
    events = [{**base, **nulls, "choices": [{"index": 0, "delta": each, "finish_reason": None}]} for each in deltas]
    if dice.random() < 0.2:
        running = {"prompt_tokens": sent, "completion_tokens": 1, "total_tokens": sent + 1}
        events[0]["usage"] = running
    failing = scene.end in ERRORS
    if failing:
        told = {**base, "error": ERRORS[scene.end]}
        if dice.random() < 0.5:
            told["choices"] = [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]
        events.append(told)
    elif scene.end != "cut":
        reason = {
            "end": "stop",
            "length": "length",
            "refused": "content_filter",
            "tool": dice.choice(["tool_calls", "stop"]),
        }[scene.end]
        last = {"index": 0, "delta": {}, "finish_reason": reason}
        match dice.choice(["own", "choice", "same", "twice", "null after"]):
            case "own":
                events += [{**base, **nulls, "choices": [last]}, {**base, "choices": [], "usage": counted}]
            case "choice":
                events.append({**base, "choices": [{**last, "usage": counted}]})
            case "same":
                events.append({**base, "choices": [last], "usage": counted})
            case "twice":
                first = {"prompt_tokens": sent, "completion_tokens": 1}
                events += [{**base, "choices": [{**last, "usage": first}]}, {**base, "choices": [], "usage": counted}]
            case _:
                after = {"index": 0, "delta": {"content": ""}, "finish_reason": None}
                events += [{**base, "choices": [last]}, {**base, "choices": [after], "usage": counted}]
    out = "".join(line(dice, scene, noise(dice, each)) for each in events)
    if not failing and scene.end != "cut":
        out += dice.choice(
            [
                "data: [DONE]\n\n",
                "data:[DONE]\n\n",
                "",
                "data: [DONE]",
                'data: [DONE]\n\ndata: {"choices":[{"delta":{"content":"late"}}]}\n\n',
            ]
        )
    return ended(dice, out)


def responses(dice, scene):
    fresh, read, short, long, visible, reasoning = scene.usage
    sent = fresh + read + short + long
    counted = {
        "input_tokens": sent, "output_tokens": visible + reasoning, "total_tokens": sent + visible + reasoning,
        "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": short + long, "cache_write_tokens_details": {"ttl_30m_tokens": short, "ttl_12h_tokens": long}},
        "output_tokens_details": {"reasoning_tokens": reasoning},
    }  # fmt: skip
    events, output, place = [], [], 0
    first = {
        "id": "resp_1",
        "object": "response",
        "status": "in_progress",
        "model": scene.served,
        "output": [],
        "usage": None,
    }
    events += [
        {"type": kind, "response": first} for kind in ("response.created", "response.in_progress")[: dice.randint(1, 2)]
    ]
    if scene.thoughts:
        kind = dice.choice(["reasoning_summary_text", "reasoning_text"])
        item = {
            "id": "rs_1",
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": scene.thought}],
            "encrypted_content": "b3Bh",
        }
        if dice.random() < 0.8:
            events += [
                {"type": f"response.{kind}.delta", "item_id": "rs_1", "output_index": 0, "delta": each}
                for each in scene.thoughts
            ]
            events.append(
                {"type": f"response.{kind}.done", "item_id": "rs_1", "output_index": 0, "text": scene.thought}
            )
        events.append({"type": "response.output_item.done", "output_index": 0, "item": item})
        scene.extra["seals"] = 1
        output.append(item)
        place = 1
    at = {"item_id": "msg_1", "output_index": place, "content_index": 0}
    refusing = scene.end == "refused" and dice.random() < 0.5
    kind, part = (
        ("refusal", {"type": "refusal", "refusal": scene.text})
        if refusing
        else ("output_text", {"type": "output_text", "text": scene.text})
    )
    item = {"id": "msg_1", "type": "message", "role": "assistant", "content": [part]}
    told = dice.random() < 0.8 or scene.end in {"cut", *ERRORS}
    if told:
        events.append({"type": "response.output_item.added", "output_index": place, "item": {**item, "content": []}})
        events += [{"type": f"response.{kind}.delta", **at, "delta": each} for each in scene.pieces]
    if scene.end not in {"cut", *ERRORS}:
        if dice.random() < 0.5 and not refusing:
            events.append({"type": "response.output_text.done", **at, "text": scene.text})
        events.append({"type": "response.output_item.done", "output_index": place, "item": item})
    output.append(item)
    for index, (ident, name, arguments) in enumerate(scene.tools, place + 1):
        call = {"id": f"fc_{index}", "type": "function_call", "call_id": ident, "name": name, "arguments": arguments}
        events.append({"type": "response.output_item.added", "output_index": index, "item": {**call, "arguments": ""}})
        events += [
            {"type": "response.function_call_arguments.delta", "output_index": index, "delta": each}
            for each in split(dice, arguments)
        ]
        events.append({"type": "response.output_item.done", "output_index": index, "item": call})
        output.append(call)
    last = {**first, "status": "completed", "usage": counted, "output": dice.choice([[], output])}
    match scene.end:
        case "end" | "tool":
            events.append({"type": "response.completed", "response": last})
        case "refused" if refusing:
            events.append({"type": "response.completed", "response": last})
        case "refused" | "length":
            reason = "content_filter" if scene.end == "refused" else "max_output_tokens"
            events.append(
                {
                    "type": "response.incomplete",
                    "response": {**last, "status": "incomplete", "incomplete_details": {"reason": reason}},
                }
            )
        case "overloaded" | "server" | "rate_limited":
            code = {
                "overloaded": "server_is_overloaded",
                "server": "server_error",
                "rate_limited": "rate_limit_exceeded",
            }[scene.end]
            error = {"code": code, "message": "Something."}
            events.append(dice.choice([
                {"type": "error", **error, "param": None}, {"type": "error", "error": {"type": "x", **error}},
                {"type": "response.failed", "response": {**last, "status": "failed", "error": error, "usage": None}},
            ]))  # fmt: skip
    named = dice.random() < 0.5
    return ended(dice, "".join(line(dice, scene, noise(dice, {**each, "sequence_number": n}), each["type"] if named else "") for n, each in enumerate(events)))  # fmt: skip


def messages(dice, scene):
    fresh, read, short, long, visible, reasoning = scene.usage
    whole = {
        "input_tokens": fresh, "cache_read_input_tokens": read, "cache_creation_input_tokens": short + long,
        "cache_creation": {"ephemeral_5m_input_tokens": short, "ephemeral_1h_input_tokens": long},
    }  # fmt: skip
    out_ = {"output_tokens": visible + reasoning, "output_tokens_details": {"thinking_tokens": reasoning}}
    start, end = dice.choice([
        ({**whole, "output_tokens": 1}, out_), ({**whole, "output_tokens": 3}, {**whole, **out_}),
        ({"input_tokens": 0, "output_tokens": 0}, {**whole, **out_}), ({**whole, "output_tokens": 1}, {**out_, "input_tokens": None, "cache_read_input_tokens": None}),
    ])  # fmt: skip
    events = [
        {
            "type": "message_start",
            "message": {
                "id": "m",
                "type": "message",
                "role": "assistant",
                "model": scene.served,
                "content": [],
                "usage": start,
            },
        }
    ]
    index = 0

    def block(begin, deltas):
        nonlocal index
        events.append({"type": "content_block_start", "index": index, "content_block": begin})
        for each in deltas:
            if dice.random() < 0.1:
                events.append({"type": "ping"})
                scene.waits += 1
            events.append({"type": "content_block_delta", "index": index, "delta": each})
        events.append({"type": "content_block_stop", "index": index})
        index += 1

    if scene.thoughts:
        signed = dice.random() < 0.7
        deltas = [{"type": "thinking_delta", "thinking": each} for each in scene.thoughts]
        block(
            {"type": "thinking", "thinking": ""},
            deltas + ([{"type": "signature_delta", "signature": "c2ln"}] if signed else []),
        )
        scene.extra["seals"] = int(signed)
    if dice.random() < 0.2:
        block({"type": "redacted_thinking", "data": "b3Bh"}, [])
        scene.extra["seals"] = scene.extra.get("seals", 0) + 1
    if dice.random() < 0.2:
        block({"type": "a_block_of_tomorrow", "value": 1}, [{"type": "a_delta_of_tomorrow", "value": 2}])
    cut = dice.randint(0, len(scene.pieces))  # an answer may be in two blocks
    block({"type": "text", "text": ""}, [{"type": "text_delta", "text": each} for each in scene.pieces[:cut]])
    block({"type": "text", "text": ""}, [{"type": "text_delta", "text": each} for each in scene.pieces[cut:]])
    for ident, name, arguments in scene.tools:
        parts = split(dice, arguments) if arguments != "{}" or dice.random() < 0.5 else []
        block(
            {"type": "tool_use", "id": ident, "name": name, "input": {}},
            [{"type": "input_json_delta", "partial_json": each} for each in parts],
        )
    if scene.end in ERRORS:
        kind = {"overloaded": "overloaded_error", "server": "api_error", "rate_limited": "rate_limit_error"}[scene.end]
        events.append({"type": "error", "error": {"type": kind, "message": "Something."}, "request_id": "req_1"})
    elif scene.end != "cut":
        reason = {"end": dice.choice(["end_turn", "stop_sequence"]), "length": dice.choice(["max_tokens", "model_context_window_exceeded"]), "tool": "tool_use", "refused": "refusal"}[scene.end]  # fmt: skip
        details = (
            {"stop_details": {"type": "refusal", "category": "x", "explanation": "y"}} if reason == "refusal" else {}
        )
        events += [
            {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None, **details}, "usage": end},
            {"type": "message_stop"},
        ]
    named = dice.random() < 0.8
    return ended(dice, "".join(line(dice, scene, noise(dice, each), each["type"] if named else "") for each in events))


def gemini(dice, scene):
    scene.extra["plain"] = True  # bare lines may be an error here
    fresh, read, short, long, visible, reasoning = scene.usage
    sent = fresh + read + short + long
    scene.usage = (sent - read, read, 0, 0, visible, reasoning)
    counted = {
        "promptTokenCount": sent,
        "candidatesTokenCount": visible,
        "totalTokenCount": sent + visible + reasoning,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": sent}],
    }
    if read:
        counted["cachedContentTokenCount"] = read
    if reasoning:
        counted["thoughtsTokenCount"] = reasoning
    parts = [{"text": each, "thought": True} for each in scene.thoughts] + [{"text": each} for each in scene.pieces]
    if dice.random() < 0.4 and scene.end not in {"cut", *ERRORS}:
        parts.append({"text": "", "thoughtSignature": "c2ln"})
        scene.extra["seals"] = 1
    tools = []
    for number, (ident, name, arguments) in enumerate(scene.tools, 1):
        given = dice.random() < 0.5
        parts.append(
            {
                "functionCall": {"name": name, "args": json.loads(arguments), **({"id": ident} if given else {})},
                "thoughtSignature": "c2ln",
            }
        )
        tools.append((ident if given else f"call_{number}", name, json.dumps(json.loads(arguments))))
    scene.tools = tools
    base = {"modelVersion": scene.served, "responseId": "r1"}
    events = []
    while parts:
        few = [parts.pop(0) for _ in range(min(len(parts), dice.randint(1, 3)))]
        running = (
            {"usageMetadata": {"promptTokenCount": sent, "totalTokenCount": sent + 1, "candidatesTokenCount": 1}}
            if dice.random() < 0.4
            else {}
        )
        events.append({**base, **running, "candidates": [{"index": 0, "content": {"role": "model", "parts": few}}]})
    if scene.end in ERRORS:
        code, status = {
            "overloaded": (503, "UNAVAILABLE"),
            "server": (500, "INTERNAL"),
            "rate_limited": (429, "RESOURCE_EXHAUSTED"),
        }[scene.end]
        events.append({"error": {"code": code, "message": "Something.", "status": status}})
    elif scene.end != "cut":
        reason = {
            "end": "STOP",
            "tool": "STOP",
            "length": "MAX_TOKENS",
            "refused": dice.choice(["SAFETY", "RECITATION", "SPII"]),
        }[scene.end]
        if dice.random() < 0.5:
            events[-1]["candidates"][0]["finishReason"] = reason
            events[-1]["usageMetadata"] = counted
        else:
            events.append(
                {
                    **base,
                    "candidates": [{"index": 0, "finishReason": reason, **dice.choice([{}, {"content": {}}])}],
                    "usageMetadata": counted,
                }
            )
    out = "".join(line(dice, scene, noise(dice, each)) for each in events[:-1])
    if scene.end in ERRORS and dice.random() < 0.4:
        return (out + json.dumps(events[-1], indent=1)).encode()  # as bare JSON over several lines
    return ended(dice, out + line(dice, scene, noise(dice, events[-1])))


def converse(dice, scene):
    fresh, read, short, long, visible, reasoning = scene.usage
    scene.usage = (fresh, read, short, long, visible + reasoning, 0)
    scene.served = ""
    counted = {
        "inputTokens": fresh, "outputTokens": visible + reasoning, "totalTokens": 1, "cacheReadInputTokens": read,
        "cacheWriteInputTokens": short + long, "cacheDetails": [{"ttl": "5m", "inputTokens": short}, {"ttl": "1h", "inputTokens": long}],
    }  # fmt: skip
    frames, place = [("messageStart", {"role": "assistant"})], 0

    def block(deltas, start=None):
        nonlocal place
        if start:
            frames.append(("contentBlockStart", {"contentBlockIndex": place, "start": start}))
        frames.extend(("contentBlockDelta", {"contentBlockIndex": place, "delta": each}) for each in deltas)
        frames.append(("contentBlockStop", {"contentBlockIndex": place}))
        place += 1

    if scene.thoughts:
        block(
            [
                *({"reasoningContent": {"text": each}} for each in scene.thoughts),
                {"reasoningContent": {"signature": "c2ln"}},
            ]
        )
        scene.extra["seals"] = 1
    block([{"text": each} for each in scene.pieces])
    for ident, name, arguments in scene.tools:
        block(
            [{"toolUse": {"input": each}} for each in split(dice, arguments)],
            {"toolUse": {"toolUseId": ident, "name": name}},
        )
    kind = "event"
    if scene.end in ERRORS:
        name = {
            "overloaded": "serviceUnavailableException",
            "server": "internalServerException",
            "rate_limited": "throttlingException",
        }[scene.end]
        frames.append((name, {"message": "Something."}))
        kind = "exception"
    elif scene.end != "cut":
        reason = {"end": dice.choice(["end_turn", "stop_sequence"]), "length": "max_tokens", "tool": "tool_use", "refused": dice.choice(["guardrail_intervened", "content_filtered"])}[scene.end]  # fmt: skip
        last = [("messageStop", {"stopReason": reason}), ("metadata", {"usage": counted, "metrics": {"latencyMs": 8}})]
        frames += last if dice.random() < 0.8 else last[::-1]
    body = [frame(name, noise(dice, {**data, "p": "abcdefgh"[: dice.randint(1, 8)]})) for name, data in frames[:-1]]
    name, data = frames[-1]
    return b"".join(body) + frame(name, data, kind)


def ollama(dice, scene):
    fresh, read, short, long, visible, reasoning = scene.usage
    sent = fresh + read + short + long
    scene.usage = (sent, 0, 0, 0, visible + reasoning, 0)
    base = {"model": scene.served, "created_at": "2026-11-23T10:00:00.1Z"}
    said = [{"content": "", "thinking": each} for each in scene.thoughts] + [{"content": each} for each in scene.pieces]
    tools = []
    for number, (ident, name, arguments) in enumerate(scene.tools, 1):
        given = dice.random() < 0.5
        said.append(
            {
                "content": "",
                "tool_calls": [
                    {"function": {"name": name, "arguments": json.loads(arguments)}, **({"id": ident} if given else {})}
                ],
            }
        )
        tools.append((ident if given else f"call_{number}", name, json.dumps(json.loads(arguments))))
    scene.tools = tools
    events = [{**base, "message": {"role": "assistant", **each}, "done": False} for each in said]
    if scene.end == "refused":
        scene.end = "end"  # it knows no refusal
    if scene.end in ERRORS:
        words = {
            "overloaded": "server overloaded, please try again",
            "server": "an error was encountered while running the model",
            "rate_limited": "rate limit exceeded",
        }
        events.append({"error": words[scene.end]})
    elif scene.end != "cut":
        counted = {"prompt_eval_count": sent, "eval_count": visible + reasoning, "total_duration": 9}
        if dice.random() < 0.2:
            del counted["prompt_eval_count"]
            scene.usage, scene.final = (0, 0, 0, 0, visible + reasoning, 0), False
        reason = "length" if scene.end == "length" else "stop"
        events.append(
            {**base, "message": {"role": "assistant", "content": ""}, "done": True, "done_reason": reason, **counted}
        )
    end = dice.choice(["\n", "\r\n", "\n\n"])
    out = end.join(json.dumps(noise(dice, each), ensure_ascii=dice.random() < 0.5) for each in events)
    return (out + dice.choice([end, ""] if scene.end != "cut" else [end])).encode()


TOLD = {
    "openai_chat": chat, "openai_responses": responses, "anthropic_messages": messages, "gemini": gemini,
    "bedrock_converse": converse, "ollama": ollama,
}  # fmt: skip


def told(wire, seed):
    """Return a scene and its bytes, the same for the same seed."""
    dice = random.Random(f"{wire} {seed}")
    scene = throw(dice)
    return scene, TOLD[wire](dice, scene), dice
