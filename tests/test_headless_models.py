"""`wattson models` from outside: found, filtered, compared, and brought up to date on the user's word only."""

import re

import pytest

from tests import loopback
from tests.models.test_local import Speaks

OFFLINE = ("models", "--offline", "--json")
NEWS = """
name = "deepseek"
checked_on = 2026-11-24

[[models]]
id = "deepseek-flash"
context_window = 4000000

[[models.prices]]
input = ".01"
output = ".04"

[[models]]
id = "deepseek-v9"
title = "DeepSeek V9"
"""


@pytest.fixture
def models(wattson):
    def find(*words, **env):
        code, lines, _ = wattson(*OFFLINE, *words, lines=True, **env)
        assert code == 0
        return lines[0]["models"]

    return find


def test_words_and_filters_narrow_the_list(models):
    everything = models()
    assert len(everything) > 80
    assert [each["name"] for each in models("opus", "5.5")] == [each["name"] for each in models("opus 5.5")]
    assert models("claude-opus-5-5")[0]["name"] == "anthropic/claude-opus-5-5"
    deep = models("--provider", "deepseek")
    assert deep
    assert all(each["name"].startswith("deepseek/") for each in deep)
    for each in models("--ability", "images", "--ability", "thinking", "--window", "500000"):
        assert {"images", "thinking"} <= set(each["abilities"])
        assert each["context_window"] >= 500_000
    for each in models("--max-price", "1/5"):
        assert each["payer"] in {"plan", "free", "local"} or (float(each["input"]) <= 1 and float(each["output"]) <= 5)
    assert 0 < len(models("--max-price", "/5")) < len(everything)
    ready = {each["name"].partition("/")[0] for each in models("--ready", OPENAI_API_KEY="sk-proj-0123456789abcdef")}
    assert "openai" in ready
    assert "anthropic" not in ready
    assert models("no-such-model-anywhere") == []


@pytest.mark.parametrize("price", ["cheap", "nan", "1/inf"])
def test_a_price_that_is_none_is_named(wattson, price):
    code, _, told = wattson("models", "--offline", "--max-price", price)
    assert code == 2
    assert f"{price!r} is no price" in told


def test_some_are_compared(wattson, models):
    assert [each["name"] for each in models("--compare", "sonnet", "openai/gpt-6.1-sol")] == [
        "anthropic/claude-sonnet-5-5",
        "openai/gpt-6.1-sol",
    ]
    code, text, _ = wattson("models", "--offline", "--compare", "sonnet", "openrouter/some/thing")
    assert code == 0
    assert "context window" in text
    assert "a turn of 12,000 fresh" in text
    assert "unknown" in text
    assert wattson("models", "--offline", "--compare", "nothing-like-it")[0] == 1


def test_models_of_this_machine_stand_in_the_list(wattson):
    nowhere = "http://127.0.0.1:9"
    with Speaks({"/v1/models": {"data": [{"id": "mine", "max_model_len": 4096}]}}) as server:
        for _ in range(8):  # a server gets half a second: on a busy machine one may come too late
            _, lines, _ = wattson(
                "models", "mine", "--json", lines=True, VLLM_BASE_URL=server.url + "/v1", OLLAMA_BASE_URL=nowhere,
                LMSTUDIO_BASE_URL=nowhere, LLAMA_SERVER_BASE_URL=nowhere,
            )  # fmt: skip
            if any(each["name"] == "vllm/mine" for each in lines[0]["models"]):
                break
    (found,) = [each for each in lines[0]["models"] if each["name"] == "vllm/mine"]
    assert (found["context_window"], found["payer"]) == (4096, "local")


def window(models):
    return next(each for each in models("deepseek-flash") if each["name"] == "deepseek/deepseek-flash")[
        "context_window"
    ]


def test_news_are_shown_first_and_taken_only_on_the_users_word(wattson, models, repo):
    (repo / "news.toml").write_text(NEWS)
    before = window(models)
    code, text, told = wattson("models", "update", "news.toml")
    assert code == 3
    assert "Nothing was written" in told
    assert "new      deepseek/deepseek-v9" in text
    assert f"context_window: {before} -> 4000000" in text
    assert ".01 in, .04 out USD per million" in text
    assert window(models) == before
    code, lines, _ = wattson("models", "update", "news.toml", "--yes", "--json", lines=True)
    assert code == 0
    assert lines[0]["new"] == ["deepseek/deepseek-v9"]
    assert lines[0]["changed"] == ["deepseek/deepseek-flash"]
    assert len(lines[0]["written"]) == 1
    assert window(models) == 4_000_000
    assert "Nothing in it is news" in wattson("models", "update", "news.toml", "--yes")[1]


def test_an_address_is_asked_once_and_only_when_it_is_named(wattson, models):
    with Speaks({"/catalogue.toml": NEWS.encode()}) as server:
        models()
        assert server.asked == []
        code, _, _ = wattson("models", "update", f"{server.url}/catalogue.toml", "--yes")
        assert code == 0
        assert [path for path, _ in server.asked] == ["/catalogue.toml"]
        assert not any("key" in name or name == "authorization" for _, names in server.asked for name in names)
        assert window(models) == 4_000_000
        code, _, told = wattson("models", "update", f"{server.url}/nothing", "--yes")
        assert code != 0
        assert "404" in told


@pytest.mark.parametrize(
    ("source", "words", "code"),
    [
        ("nowhere.toml", "cannot be read", 1), ("http://192.0.2.1/x", "https://", 1), ("evil.toml", "which only you may", 0), ("wrong.toml", "wrong.toml:5", 1),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_named_and_nothing_is_written(wattson, repo, tmp_path, source, words, code):
    (repo / "evil.toml").write_text('name = "deepseek"\nbase_url = "https://evil.example"\nmodels = ["x"]\n')
    (repo / "wrong.toml").write_text('name = "zai"\n\n[[models]]\nid = "glm-6"\nsize = 1\n')
    found, _, told = wattson("models", "update", source, "--yes")
    assert words in told
    assert found == code
    assert not list((tmp_path / "state").rglob("*.toml"))


def test_a_wish_that_cannot_be_met_is_said(wattson, tmp_path):
    folder = tmp_path / "state" / "config"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('model = "openai/gpt-6.1-sol"\n[roles]\nsmall = "no-such-model"\n')
    _, lines, _ = wattson("doctor", "--json", "--offline", lines=True, OPENAI_API_KEY="sk-proj-0123456789abcdef")
    assert lines[0]["roles"] == {"small": "no-such-model"}
    (problem,) = [each for each in lines[0]["problems"] if each.startswith(("role", "model"))]
    assert "role small: There is no model called 'no-such-model'" in problem
    (folder / "config.toml").write_text('model = "openai/gpt-6.1-sol"\n[roles]\nsmall = "deepseek/deepseek-flash"\n')
    problems = wattson("doctor", "--json", "--offline", lines=True)[1][0]["problems"]
    assert [each.partition(":")[0] for each in problems if "no key for" in each] == ["model", "role small"]


def test_who_really_answered_is_said_without_a_screen_too(wattson):
    with loopback.Server(loopback.openai("fine", model="gpt-6-luna")) as server:
        _, _, told = wattson(
            "ask", "-m", "openai/gpt-6.1-sol", "hi", OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20
        )
    assert "openai answered with gpt-6-luna; gpt-6.1-sol was asked" in told


@pytest.mark.parametrize("seconds", ["inf", "nan", "1e9", "soon"])
def test_a_wait_that_is_none_is_named(wattson, seconds):
    code, _, told = wattson("context", "where is it", WATTSON_CONTEXT_WAIT=seconds)
    assert (code, f"WATTSON_CONTEXT_WAIT={seconds!r} is" in told, "Traceback" in told) == (1, True, False)


def test_names_of_any_length_keep_the_columns_of_doctor(wattson):
    _, out, _ = wattson("doctor", "--offline")
    lines = [line for line in out.splitlines() if line.startswith("no key")]
    assert len({re.match(r"no key +\S+ +", line).end() for line in lines}) == 1
