"""Pages, picks, refreshed catalogues: what the list of models is made of, and that a wrong page is named by its line."""

import errno
import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from assistant import discover
from assistant.errors import ConfigError, StateError, UnknownModel
from assistant.models import catalogue, price
from assistant.models.message import said
from assistant.models.page import EFFORTS
from assistant.models.refresh import merge
from assistant.models.wire import Request
from assistant.tokens import TokenUsage

ALL = catalogue.load({}, None, {})
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NAMED = [
    "anthropic",
    "openai",
    "gemini",
    "deepseek",
    "qwen",
    "qwen-cn",
    "qwen-coding",
    "qwen-coding-cn",
    "kimi",
    "kimi-cn",
    "kimi-code",
    "minimax",
    "minimax-cn",
    "zai",
    "zai-coding",
    "bigmodel",
    "bigmodel-coding",
    "xai",
    "nvidia",
    "bedrock",
    "nova",
    "meta",
    "openrouter",
    "ollama",
    "llama-server",
    "lmstudio",
    "vllm",
]


@pytest.mark.parametrize("provider", ALL.providers.values(), ids=lambda each: each.name)
def test_every_page_says_where_it_is_from(provider):
    assert provider.source
    assert provider.checked_on
    assert provider.wire in discover.part_names("assistant.models.wires")
    assert provider.base_url.startswith("https://") or provider.payer in {"local", "practice"}
    for model in provider.models:
        assert model.source
        assert model.checked_on
        assert model.context_window
        assert model.max_output is None or model.max_output <= model.context_window
        assert model.soft_window is None or model.soft_window < model.context_window
        assert set(model.efforts) <= set(EFFORTS)
        assert model.edit_format in discover.part_names("assistant.edits.formats")
        assert not model.prices or provider.payer in {"metered", "prepaid", "practice"}


def test_every_seller_of_the_field_is_there_with_an_address_and_a_key_of_its_own():
    assert set(NAMED) <= set(ALL.providers)
    addresses = [provider.base_url for provider in ALL.providers.values()]
    assert len(addresses) == len(set(addresses))
    ids = [model.name for model in ALL.models]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", NAMED)
def test_any_address_can_be_set_and_may_carry_a_path(name):
    variable = f"{name.upper().replace('-', '_')}_BASE_URL"
    moved = catalogue.load({variable: "http://127.0.0.1:9/some/path/"}, None, {})
    assert moved.providers[name].base_url == "http://127.0.0.1:9/some/path"
    assert moved.providers[name].address_from == variable
    assert moved.pick(f"{name}/anything-at-all").model.id == "anything-at-all"
    for model in ALL.providers[name].models:  # at another address a relay is asked in the provider's common protocol
        assert moved.pick(model.name).provider.wire == ALL.providers[name].wire


def test_addresses_as_each_kind_of_server_is_told_them():
    for value, base in (
        ("127.0.0.1:9", "http://127.0.0.1:9"), ("0.0.0.0", "http://127.0.0.1:11434"), (":9", "http://127.0.0.1:9"),
        ("http://gpu.lan:9/x/", "http://gpu.lan:9/x"), ("https://gpu.lan", "https://gpu.lan:443"), ("[::1]:9", "http://[::1]:9"),
        ("::1", "http://[::1]:11434"), ("gpu.lan", "http://gpu.lan:11434"),
    ):  # fmt: skip
        assert catalogue.load({"OLLAMA_HOST": value}, None, {}).providers["ollama"].base_url.removesuffix("/v1") == base


def test_bedrock_is_where_the_region_is():
    if "bedrock" in ALL.providers:
        assert ALL.providers["bedrock"].base_url == "https://bedrock-runtime.us-east-1.amazonaws.com"
        there = catalogue.load({"AWS_DEFAULT_REGION": "us-west-2", "AWS_REGION": "eu-central-1"}, None, {})
        assert there.providers["bedrock"].base_url == "https://bedrock-runtime.eu-central-1.amazonaws.com"
        assert there.providers["bedrock"].region == "eu-central-1"
        for evil in ("evil.example/", "x@evil", "a b"):
            with pytest.raises(ConfigError, match="region"):
                catalogue.load({"AWS_REGION": evil}, None, {}).pick("bedrock/x")


def test_gemini_without_a_path_is_asked_where_googles_own_libraries_ask():
    for given, base in (("http://h:1", "http://h:1/v1beta"), ("http://h:1/v1", "http://h:1/v1"), ("http://h:1/", "http://h:1/v1beta")):  # fmt: skip
        assert catalogue.load({"GEMINI_BASE_URL": given}, None, {}).providers["gemini"].base_url == base


def test_a_model_is_asked_over_the_wire_that_suits_it():
    picked = ALL.pick("openai/gpt-6.1-sol")
    assert picked.provider.wire == "openai_responses"
    assert picked.provider.flags.get("max_tokens") == "max_output_tokens"  # not the other wire's word
    told = catalogue.load({}, None, {"openai": {"wire": "openai_chat"}}).pick("openai/gpt-6.1-sol")
    assert told.provider.wire == "openai_chat"
    assert told.provider.flags["max_tokens"] == "max_completion_tokens"


@pytest.mark.parametrize(
    ("text", "name", "effort"),
    [
        ("anthropic/claude-opus-5-5:high", "anthropic/claude-opus-5-5", "high"),
        ("sonnet", "anthropic/claude-sonnet-5-5", ""),
        ("opus:max", "anthropic/claude-opus-5-5", "max"),
        ("anthropic/haiku:off", "anthropic/claude-haiku-5-5", "off"),
        ("argon", "gemini/gemini-4-argon", ""),
        ("bedrock/us.amazon.nova-2-lite-v1:0", "bedrock/us.amazon.nova-2-lite-v1:0", ""),
        ("bedrock/us.amazon.nova-2-lite-v1:0:low", "bedrock/us.amazon.nova-2-lite-v1:0", "low"),
        ("ollama/qwen3:7b", "ollama/qwen3:7b", ""),
        ("ollama/qwen3:7b:high", "ollama/qwen3:7b", "high"),
        ("openrouter/some/model:free", "openrouter/some/model:free", ""),
        ("nemotron-3.5-super", "nvidia/nvidia/nemotron-3.5-super-vl-120b-a12b", ""),
        (" deepseek/deepseek-flash ", "deepseek/deepseek-flash", ""),
    ],
)
def test_a_pick_is_a_name_and_a_level(text, name, effort):
    found = ALL.pick(text)
    assert (found.model.name, found.effort) == (name, effort)
    assert ALL.pick(found.name) == found


@pytest.mark.parametrize(
    "text", ["glm-5.3", "claud-sonet-55", "openai/not-there", "", "deepseek/deepseek-v4-pro:medium", "nope/x"]
)
def test_no_other_model_is_taken_in_place_of_one_that_is_not_clear(text):
    with pytest.raises(UnknownModel) as caught:
        ALL.pick(text)
    assert caught.value.hint


def test_a_level_that_a_model_has_not_is_answered_with_those_it_has():
    with pytest.raises(UnknownModel, match="off, low, high, max"):
        ALL.pick("deepseek/deepseek-v4-pro:medium")
    assert ALL.pick("kimi/kimi-k3:medium").effort == "medium"  # nobody says which levels it has


def test_config_may_change_a_provider_and_make_one():
    mine = {
        "relay": {"base_url": "https://relay.example/v1", "models": ["a"], "key_command": ["pass", "relay"]},
        "zai": {"base_url": "https://proxy.example/z", "headers": {"x-team": "blue"}},
    }
    found = catalogue.load({"ZAI_BASE_URL": "http://127.0.0.1:5"}, None, mine)
    assert found.pick("relay/anything").model.name == "relay/anything"
    assert found.providers["zai"].base_url == "http://127.0.0.1:5"  # the environment has the last word
    assert catalogue.load({}, None, mine).providers["zai"].address_from == "your config"


def page(folder, text, name="mine.toml"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(
        'name = "mine"\ntitle = "Mine"\nwire = "openai_chat"\nbase_url = "https://m.example"\n' + text
    )
    return folder


def test_a_page_of_the_user_stands_in_place_of_ours(tmp_path):
    (tmp_path / "deepseek.toml").write_text(
        'name = "deepseek"\ntitle = "D"\nwire = "openai_chat"\nbase_url = "https://d.example"\nmodels = ["only"]\n'
    )
    found = catalogue.load({}, tmp_path, {})
    assert [model.id for model in found.providers["deepseek"].models] == ["only"]
    assert found.providers["deepseek"].base_url == "https://d.example"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("x = = 1", 5, "Invalid"),
        ('wires = "x"', 5, "wires"),
        ('payer = "somebody"', 5, "payer"),
        ('models = "a"', 5, "models"),
        ('headers = "a"', 5, "headers"),
        ('key_names = "K"', 5, "key_names"),
        ('[[models]]\nid = "a"\n\n[[models]]\nid = "b"\ncolour = "red"\n', 10, "colour"),
        ('[[models]]\nid = "a"\ncontext_window = "1M"\n', 7, "context_window"),
        ('[[models]]\nid = "a"\ncontext_window = 0\n', 7, "context_window"),
        ('[[models]]\ntitle = "a"\n', 5, "id"),
        ('[[models]]\nid = "a"\nabilities = ["flying"]\n', 7, "abilities"),
        ('[[models]]\nid = "a"\nefforts = ["hard"]\n', 7, "efforts"),
        ('[[models]]\nid = "a"\nwire = "smoke"\n', 7, "smoke"),
        ('[[models]]\nid = "a"\ntoken_factor = 99\n', 7, "token_factor"),
        ('[[models]]\nid = "a"\nchecked_on = "today"\n', 7, "checked_on"),
        ('[[models]]\nid = "a"\nservice_tiers = { flex = 0.5 }\n', 7, "service_tiers"),
        ('[[models]]\nid = "a"\nscores = [{ benchmark = "x" }]\n', 7, "score"),
        ('[[models]]\nid = "a"\n[[models.prices]]\ninput = "1"\noutput = "1"\n[[models.prices]]\ninput = 1.0\noutput = "1"\n', 10, "price"),
        ('[[models]]\nid = "a"\n[[models]]\nid = "b"\n[[models.prices]]\ninput = "1"\n', 9, "price"),
        ('[[models]]\nid = "a"\n[[models.prices]]\ninput = "1"\noutput = "1"\ncurrency = "XYZ1"\n', 7, "no currency 'XYZ1'"),
    ],
)  # fmt: skip
def test_a_wrong_page_is_named_with_its_line(tmp_path, text, line, words):
    with pytest.raises(ConfigError, match=words) as caught:
        catalogue.load({}, page(tmp_path / "p", text), {})
    assert f"mine.toml:{line}" in caught.value.message or f"line {line}" in caught.value.message
    assert caught.value.hint


# Refreshed catalogues.

NEW_PRICE = """
name = "deepseek"
checked_on = 2026-11-24
source = "a refreshed catalogue"

[[models]]
id = "deepseek-flash"

[[models.prices]]
input = ".10"
output = ".40"
cache_read = ".002"

[[models]]
id = "deepseek-v5"
title = "DeepSeek V5"
context_window = 2000000
abilities = ["thinking"]

[[models.prices]]
input = "1"
output = "2"
"""


def test_a_refreshed_catalogue_is_added_with_a_date_and_the_past_keeps_its_price(tmp_path):
    done = merge(NEW_PRICE.encode(), tmp_path, NOW)
    assert (done.new, done.changed, done.refused) == (("deepseek/deepseek-v5",), ("deepseek/deepseek-flash",), ())
    assert [path.name for path in done.written] == ["deepseek.20261124T120000Z.toml"]
    assert done.written[0].stat().st_mode & 0o077 == 0
    found = catalogue.load({}, tmp_path, {})
    flash, million = found.pick("deepseek/deepseek-flash").model, TokenUsage(1_000_000)
    for when, amount in (("2026-11-23T02:00", ".30"), ("2026-11-23T12:00", ".15"), ("2026-11-24T11:59", ".15"), ("2026-11-24T12:00", ".10"), ("2026-11-25T02:00", ".10")):  # fmt: skip
        at = datetime.fromisoformat(when).replace(tzinfo=UTC)
        assert price.cost(flash, million, at, "prepaid").amount == Decimal(amount), when
    assert flash.context_window == 1_000_000  # what was not said stays
    assert found.pick("deepseek/deepseek-v5").model.context_window == 2_000_000
    assert found.providers["deepseek"].base_url == ALL.providers["deepseek"].base_url
    assert found.providers["anthropic"] == ALL.providers["anthropic"]


def test_a_catalogue_for_which_the_disk_has_no_room_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StateError, match="No space left"):
        merge(NEW_PRICE.encode(), tmp_path, NOW)
    assert list(tmp_path.iterdir()) == []


def test_the_same_catalogue_twice_adds_nothing_and_a_later_one_adds_to_it(tmp_path):
    merge(NEW_PRICE.encode(), tmp_path, NOW)
    again = merge(NEW_PRICE.encode(), tmp_path, NOW.replace(day=25))
    assert (again.written, again.new, again.changed) == ((), (), ())
    later = NEW_PRICE.replace('".10"', '".05"').replace("2026-11-24", "2026-11-26")
    done = merge(later.encode(), tmp_path, NOW.replace(day=26))
    assert done.changed == ("deepseek/deepseek-flash",)
    flash = catalogue.load({}, tmp_path, {}).pick("deepseek/deepseek-flash").model
    for day, amount in ((24, ".10"), (25, ".10"), (26, ".05")):
        assert price.price_at(flash, NOW.replace(day=day, hour=13)).input == Decimal(amount)


def test_a_dated_price_is_never_overwritten(tmp_path):
    row = {"id": "gemini-4-argon", "prices": [{"input": "99", "output": "99", "since": date(2026, 12, 1)}, {"input": "5", "output": "25", "since": date(2027, 6, 1)}]}  # fmt: skip
    done = merge({"name": "gemini", "models": [row]}, tmp_path, NOW)
    assert "2026-12-01" in done.refused[0]
    argon = catalogue.load({}, tmp_path, {}).pick("argon").model
    assert price.price_at(argon, datetime(2026, 12, 24, tzinfo=UTC)).input == Decimal(4)
    assert price.price_at(argon, datetime(2027, 7, 1, tzinfo=UTC)).input == Decimal(5)


def test_what_is_known_already_is_no_news(tmp_path):
    mine = discover.read_toml(__import__("pathlib").Path(catalogue.__file__).parent / "providers" / "anthropic.toml")
    assert merge(mine, tmp_path, NOW).written == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [("base_url", "https://evil.example"), ("key_names", ["ANTHROPIC_API_KEY"]), ("headers", {"x": "y"}), ("wire", "openai_chat"), ("payer", "free")],
)  # fmt: skip
def test_a_catalogue_from_elsewhere_moves_no_address_and_no_key(tmp_path, field, value):
    changed = {"name": "deepseek", field: value, "models": [{"id": "x"}]}
    if field == "wire":
        changed["wire"] = "anthropic_messages"
    done = merge(changed, tmp_path, NOW)
    assert done.written == ()
    assert field in done.refused[0]
    assert merge({"name": "evil", "base_url": "https://evil.example", "models": ["x"]}, tmp_path, NOW).written == ()
    assert list(tmp_path.iterdir()) == []


def test_an_addition_that_somebody_wrote_by_hand_moves_no_address_either(tmp_path):
    (tmp_path / "sly.toml").write_text('adds_to = "deepseek"\nbase_url = "https://evil.example"\nmodels = ["more"]\n')
    found = catalogue.load({}, tmp_path, {})
    assert found.providers["deepseek"].base_url == "https://api.deepseek.com"
    assert found.pick("deepseek/more").model.id == "more"


def test_a_catalogue_of_many_pages_in_either_notation(tmp_path):
    both = '[[providers]]\nname = "zai"\n[[providers.models]]\nid = "glm-6"\n\n[[providers]]\nname = "xai"\n[[providers.models]]\nid = "grok-5"\n'
    assert merge(both.encode(), tmp_path / "a", NOW).new == ("zai/glm-6", "xai/grok-5")
    text = {"providers": [{"name": "zai", "checked_on": "2026-11-24", "models": [{"id": "glm-6", "prices": [{"input": "1", "output": "2", "since": "2026-12-01T00:00:00Z"}]}]}]}  # fmt: skip
    assert merge(json.dumps(text).encode(), tmp_path / "b", NOW).new == ("zai/glm-6",)
    model = catalogue.load({}, tmp_path / "b", {}).pick("glm-6").model
    assert price.price_at(model, NOW) is None
    assert price.price_at(model, NOW.replace(month=12)).input == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("= 1", "line 1"), ("[1]", "catalogue"), ('{"a": 1}', "not a catalogue"), ("{", "new.toml"), ("name = 1", "not a catalogue"),
        ('name = "zai"\n\n[[models]]\nid = "glm-6"\nsize = 1\n', "new.toml:5"),
        ('[[providers]]\nname = "xai"\n\n[[providers]]\nname = "zai"\n\n[[providers.models]]\nid = "a"\n\n[[providers.models]]\nid = "b"\ncontext_window = -1\n', "new.toml:12"),
        ('name = "zai"\n[[models]]\nid = "a"\n[[models.prices]]\ninput = "x"\noutput = "1"\n', "new.toml:4"),
    ],
)  # fmt: skip
def test_a_refreshed_catalogue_that_is_wrong_is_refused_whole_with_its_line(tmp_path, text, words):
    with pytest.raises(ConfigError) as caught:
        merge(text.encode(), tmp_path, NOW, where="new.toml")
    assert words in caught.value.message
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError):
        merge(b"x" * (5 << 20), tmp_path, NOW)


@pytest.mark.parametrize(
    "provider", [each for each in ALL.providers.values() if each.models], ids=lambda each: each.name
)
def test_every_model_can_be_asked_at_its_own_sellers_address_only(provider):
    for model in provider.models:
        for effort in ("", *model.efforts):
            pick = ALL.pick(f"{model.name}:{effort}" if effort else model.name)
            wire = discover.part("assistant.models.wires", pick.provider.wire)
            call = wire.call(
                Request(pick.model, ("Be brief.",), (said("user", "Hello"),), 100, effort), pick.provider, "KEY-0"
            )
            assert call.url.startswith(provider.base_url.removesuffix("/v1"))
            assert "KEY-0" not in call.url
            assert b"KEY-0" not in call.body
            carrying = [name for name, value in call.headers.items() if "KEY-0" in value]
            assert len(carrying) == (1 if provider.key_needed else 0) or provider.payer in {"local", "practice"}, (
                carrying
            )
            assert isinstance(json.loads(call.body), dict)
