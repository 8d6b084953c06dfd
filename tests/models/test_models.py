"""Wires as bytes, prices by hand, the catalogue, keys."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import discover
from assistant.config import Config
from assistant.edits.edit import Edit
from assistant.edits.format import open_parser
from assistant.edits.match import fit
from assistant.errors import Auth, ConfigError, StreamBroken, UnknownModel
from assistant.models import catalogue, keys, practice, price
from assistant.models.message import Message, Text, Thought, said
from assistant.models.sse import SseDecoder
from assistant.models.wire import Request, ServerEvent, StopChunk, TextChunk, UsageChunk, WaitingChunk, take
from assistant.tokens import TokenUsage
from tests import loopback

ALL = catalogue.load({}, None, {})


def read(wire, provider, body, cuts=()):
    reader = discover.part("assistant.models.wires", wire).Reader(ALL.providers[provider])
    decoder, found, at = SseDecoder(), [], 0
    for cut in [*sorted(cuts), len(body)]:
        for event in decoder.feed(body[at:cut]):
            found += take(reader, event)
        at = cut
    for event in decoder.close():
        found += take(reader, event)
    return found + reader.close()


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 1500), max_size=12), st.sampled_from(["openai_chat", "anthropic_messages"]))
def test_a_stream_reads_the_same_however_it_is_cut(cuts, wire):
    provider, body = (
        ("openai", loopback.openai("héllo wörld ✓ " * 6))
        if wire == "openai_chat"
        else ("anthropic", loopback.anthropic("héllo ✓ " * 6))
    )
    body = body.replace(b"\n", b"\r\n")
    cuts = [cut for cut in cuts if cut < len(body)]
    assert read(wire, provider, body, cuts) == read(wire, provider, body)


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        ({"prompt_tokens": 100, "completion_tokens": 20}, TokenUsage(100, 0, 0, 0, 20)),
        ({"prompt_tokens": 100, "completion_tokens": 20, "prompt_tokens_details": {"cached_tokens": 64}, "completion_tokens_details": {"reasoning_tokens": 12}}, TokenUsage(36, 64, 0, 0, 8, 12)),
        ({"prompt_tokens": 100, "completion_tokens": 20, "prompt_cache_hit_tokens": 80, "prompt_cache_miss_tokens": 20}, TokenUsage(20, 80, 0, 0, 20)),
    ],
)  # fmt: skip
def test_inclusive_counts_become_disjoint(usage, counts):
    last = [
        chunk for chunk in read("openai_chat", "openai", loopback.openai("x", usage)) if isinstance(chunk, UsageChunk)
    ][-1]
    assert (last.usage, last.final) == (counts, True)


def test_reported_cost_is_read():
    body = loopback.openai("x", {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.00123})
    assert read("openai_chat", "openrouter", body)[-2].reported_cost == Decimal("0.00123")


def test_a_stream_without_its_end_is_broken_and_one_with_a_finish_reason_is_not():
    body = loopback.openai("hello")
    with pytest.raises(StreamBroken):
        read("openai_chat", "openai", loopback.openai("hello", cut=True))
    assert read("openai_chat", "openai", body.replace(b"data: [DONE]\n\n", b""))[-1] == StopChunk("end", "stop")
    with pytest.raises(StreamBroken):
        read("anthropic_messages", "anthropic", loopback.anthropic("hello")[:300])


def test_an_error_inside_a_stream_has_its_class():
    with pytest.raises(Exception, match="overloaded") as caught:
        read(
            "anthropic_messages",
            "anthropic",
            b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"overloaded"}}\n\n',
        )
    assert caught.value.kind == "overloaded"


def test_a_comment_is_a_sign_of_life_whatever_it_says():
    found = read("openai_chat", "openrouter", b': {"error": {"message": "x"}}\n\n' + loopback.openai("x"))
    assert found[0] == WaitingChunk('{"error": {"message": "x"}}')
    assert StopChunk("end", "stop") in found


@pytest.mark.parametrize("wire", discover.part_names("assistant.models.wires"))
def test_no_wire_hears_of_comments_and_events_without_words(wire):
    reader = discover.part("assistant.models.wires", wire).Reader(ALL.providers["openai"])
    assert take(reader, ServerEvent(":", "queued")) == [WaitingChunk("queued")]
    assert take(reader, ServerEvent("ping", " ")) == []
    assert not reader.ended
    assert take(reader, ServerEvent("", " [DONE]")) == []
    assert reader.ended


def test_comments_and_pings_are_signs_of_life():
    found = read("openai_chat", "openrouter", b": OPENROUTER PROCESSING\n\n" + loopback.openai("x"))
    assert [chunk.text for chunk in found if isinstance(chunk, TextChunk)] == ["x"]


@pytest.mark.parametrize(("wire", "provider"), [("openai_chat", "openai"), ("anthropic_messages", "anthropic")])
def test_any_history_is_made_legal(wire, provider):
    model = ALL.providers[provider].models[0]
    history = (
        said("user", "one"), said("user", "two"), Message("assistant", (Thought("hm", "anthropic_messages:anthropic", "seal"), Text("cut")), partial=True),
        said("assistant", "   "), said("user", "three"),
    )  # fmt: skip
    module = discover.part("assistant.models.wires", wire)
    body = json.loads(module.call(Request(model, ("system",), history), ALL.providers[provider], "k").body)
    turns = [each for each in body["messages"] if each["role"] != "system"]
    assert [each["role"] for each in turns] == ["user", "assistant", "user"]
    assert "cut short" in json.dumps(turns[1])
    assert "seal" not in json.dumps(turns)  # a cut answer's proof is worth nothing


def test_sealed_thoughts_go_back_to_their_maker_only():
    history = (
        said("user", "a"),
        Message("assistant", (Thought("hm", "anthropic_messages:anthropic", "seal"), Text("b"))),
        said("user", "c"),
    )
    for wire, provider, there in (("anthropic_messages", "anthropic", True), ("openai_chat", "openai", False)):
        call = discover.part("assistant.models.wires", wire).call(
            Request(ALL.providers[provider].models[0], (), history), ALL.providers[provider], "k"
        )
        assert (b"seal" in call.body) is there


@pytest.mark.parametrize(
    ("model", "usage", "at", "amount"),
    [
        ("anthropic/claude-sonnet-5-5", TokenUsage(1000, 2000, 500, 100, 300, 50), "2026-11-24T12:00", "0.00735"),
        ("openai/gpt-6.1-sol", TokenUsage(272_000, 0, 0, 0, 1000), "2026-11-24T12:00", "0.554"),
        ("openai/gpt-6.1-sol", TokenUsage(272_001, 0, 0, 0, 1000), "2026-11-24T12:00", "1.103004"),
        ("deepseek/deepseek-flash", TokenUsage(1_000_000), "2026-11-24T00:59", "0.15"),
        ("deepseek/deepseek-flash", TokenUsage(1_000_000), "2026-11-24T01:00", "0.30"),
        ("deepseek/deepseek-flash", TokenUsage(1_000_000), "2026-11-24T04:00", "0.15"),
        ("deepseek/deepseek-flash", TokenUsage(1_000_000), "2026-11-22T02:00", "0.15"),
    ],
)
def test_prices_by_hand(model, usage, at, amount):
    found = price.cost(ALL.pick(model).model, usage, datetime.fromisoformat(at).replace(tzinfo=UTC), "metered")
    assert (found.status, found.amount) == ("metered", Decimal(amount))


def test_unknown_included_free_and_reported_are_four_things():
    model = ALL.pick("openrouter/some/model").model
    now = datetime(2026, 11, 24, tzinfo=UTC)
    assert price.cost(model, TokenUsage(1), now, "metered").status == "unknown"
    assert price.cost(model, TokenUsage(1), now, "plan").status == "included"
    assert price.cost(model, TokenUsage(1), now, "local").status == "free"
    assert price.cost(model, TokenUsage(1), now, "prepaid", Decimal("0.5")).amount == Decimal("0.5")


def test_names_are_found_or_near_ones_are_given():
    assert ALL.pick("sonnet").model.id == "claude-sonnet-5-5"
    assert ALL.pick("anthropic/claude-opus-5-5:high").effort == "high"
    with pytest.raises(UnknownModel, match="claude-sonnet-5-5"):
        ALL.pick("claud-sonet-55")
    with pytest.raises(UnknownModel):
        ALL.pick("openai/not-there")
    moved = catalogue.load({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1/"}, None, {})
    assert moved.pick("openai/not-there").provider.base_url == "http://127.0.0.1:1/v1"


def test_a_name_that_is_not_listed_is_doubted_where_there_is_a_list():
    moved = catalogue.load({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1/"}, None, {"mine": {"base_url": "http://x"}})
    doubt = moved.doubt(moved.pick("openai/gpt-6.1-sol:silly"))
    assert "openai/gpt-6.1-sol:silly is not in the list of OpenAI" in doubt
    assert "Did you mean openai/gpt-6.1-sol" in doubt
    assert moved.doubt(moved.pick("openai/gpt-6.1-sol:high")) == ""
    assert moved.doubt(moved.pick("mine/anything")) == ""
    listed = catalogue.load({}, None, {"mine": {"title": "Mine", "base_url": "http://x", "models": ["big", "small"]}})
    asked = "mine/nonsense is not in the list of Mine: it is asked by that name, its price unknown."
    assert listed.doubt(listed.pick("mine/nonsense")) == f"{asked} It lists mine/big, mine/small."
    for words in ("mine/small nonsense", "mine/small\tlast"):  # no model has such a name
        with pytest.raises(UnknownModel):
            listed.pick(words)


def test_a_users_page_wins_and_a_wrong_one_is_named(tmp_path):
    (tmp_path / "mine.toml").write_text(
        'name = "mine"\ntitle = "Mine"\nwire = "openai_chat"\nbase_url = "http://x"\nmodels = ["a"]\n'
    )
    assert catalogue.load({}, tmp_path, {}).pick("mine/a").model.name == "mine/a"
    (tmp_path / "bad.toml").write_text('name = "bad"\ntitle = "B"\nwire = "nope"\nbase_url = "http://x"\n')
    with pytest.raises(ConfigError, match=r"bad\.toml"):
        catalogue.load({}, tmp_path, {})


def test_keys_are_masked_checked_and_not_mixed_up():
    openai = ALL.providers["openai"]
    key = keys.find_key(openai, {"OPENAI_API_KEY": " sk-proj-abcdefghijklmnop \n"}, Config())
    assert key.value == "sk-proj-abcdefghijklmnop"
    assert "abcdefgh" not in repr(key)
    for wrong in ("sk-ant-0123456789abcdef", "has blank inside", '"sk-quoted"', "schlüssel"):
        with pytest.raises(Auth):
            keys.find_key(openai, {"OPENAI_API_KEY": wrong}, Config())


def test_the_lessons_fit_the_practice_files():
    files = {path: (text.lstrip("\n").encode(), 0o644) for path, text in practice.files().items()}
    for asked, hunks, misfits in (
        ("add a limit", 4, 0),
        ("document it", 1, 0),
        ("write a test", 1, 0),
        ("make a mistake", 1, 1),
    ):
        parser = open_parser()
        found = parser.feed(practice.lesson([{"content": f"</context>{asked}"}])) + parser.close()
        fitted = fit([each for each in found if isinstance(each, Edit)], files.get)
        assert (len(fitted.patch.hunks), len(fitted.misfits)) == (hunks, misfits), asked
    parser = open_parser()
    found = parser.feed(practice.lesson([{"content": "Some of your edits could not be placed"}])) + parser.close()
    assert not fit(found, files.get).misfits
