"""Who really answered: an alias or a snapshot is no stranger, another model is."""

import pytest

from assistant.models import catalogue, served
from assistant.models.provider import Model

ALL = catalogue.load({}, None, {})


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("anthropic/claude-sonnet-5-5", "claude-sonnet-5-5-20260901"),
        ("openai/gpt-6.1-sol", "gpt-6.1-sol-2026-10-01"),
        ("gemini/gemini-4-argon", "models/gemini-4-argon-001"),
        ("deepseek/deepseek-flash", "DeepSeek-Flash"),
        ("openrouter/anthropic/claude-sonnet-5-5", "anthropic/claude-sonnet-5.5"),
        ("openrouter/some/model", "some/model:free"),
        ("bedrock/us.meta.llama4-maverick-17b-instruct-v1:0", "meta.llama4-maverick-17b-instruct-v1:0"),
        ("ollama/qwen3", "qwen3:latest"),
        ("llama-server/model", "/srv/models/Model.gguf"),
        ("kimi/kimi-k3", "kimi-k3-0905"),
        ("openai/gpt-6.1-sol", ""),
    ],
)
def test_a_snapshot_or_another_spelling_is_the_same(asked, answered):
    seller, _, rest = asked.partition("/")
    assert served.is_same(Model(seller, rest, aliases=("claude-sonnet-5-5",) if "claude" in rest else ()), answered)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("openai/gpt-6.1-sol", "gpt-6.1-luna"),
        ("openai/gpt-6.1-sol", "gpt-6-sol"),
        ("anthropic/claude-opus-5-5", "claude-sonnet-5-5-20260901"),
        ("zai/glm-5.3", "glm-5.3-flash"),
        ("ollama/qwen3:8b", "qwen3:1.7b"),
        ("deepseek/deepseek-v4-pro", "deepseek-flash"),
    ],
)
def test_another_model_is_a_stranger(asked, answered):
    seller, _, rest = asked.partition("/")
    assert not served.is_same(Model(seller, rest), answered)


def test_no_two_models_of_one_provider_pass_for_each_other():
    for provider in ALL.providers.values():
        for asked in provider.models:
            for other in provider.models:
                regions = other.id.partition(".")[2] == asked.id.partition(".")[2] != ""
                if other.id != asked.id and not regions:
                    assert not served.is_same(asked, other.id), (asked.name, other.id)
