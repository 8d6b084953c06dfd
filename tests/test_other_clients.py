"""The names that other clients' logs give to providers: whose plan is burnt, and at whose list price."""

import json
from datetime import UTC, datetime

import pytest

from assistant import usage_review
from assistant.models import catalogue
from assistant.other_clients import OtherClients
from assistant.quota.imports import provider_names
from assistant.quota.ledger import Ledger

AT = datetime(2026, 11, 20, 10, tzinfo=UTC)
NAMED = {
    "google": "gemini", "amazon-bedrock": "bedrock", "moonshotai": "kimi", "moonshotai-cn": "kimi-cn",
    "kimi-for-coding": "kimi-code", "zai": "zai", "zai-coding-plan": "zai-coding", "zhipuai": "bigmodel",
    "zhipuai-coding-plan": "bigmodel-coding", "alibaba": "qwen", "alibaba-cn": "qwen-cn",
    "alibaba-coding-plan": "qwen-coding", "alibaba-coding-plan-cn": "qwen-coding-cn", "alibaba-token-plan": "qwen-token",
    "alibaba-token-plan-cn": "qwen-token-cn", "minimax": "minimax", "minimax-coding-plan": "minimax",
    "minimax-cn-coding-plan": "minimax-cn", "deepseek": "deepseek", "xai": "xai", "github-copilot": "copilot",
    "opencode-go": "opencode-go",
}  # fmt: skip
"""What opencode calls a provider, as models.dev does, and what we call it."""


@pytest.fixture
def imported(tmp_path):
    """Import replies of opencode's, each from a provider and a model, with plans by our name of the provider."""
    ledger, other_clients = Ledger(tmp_path / "ledger.sqlite"), OtherClients(tmp_path)

    def run(replies, plans):
        folder = tmp_path / "opencode/storage/message/s"
        folder.mkdir(parents=True)
        for number, (provider, model) in enumerate(replies):
            reply = {
                "id": f"msg_{number}", "role": "assistant", "providerID": provider, "modelID": model, "cost": 0,
                "time": {"created": AT.timestamp() * 1000 + number, "completed": AT.timestamp() * 1000 + 500},
                "tokens": {"input": 1000 + number, "output": 100}, "path": {"cwd": "/p", "root": "/p"},
            }  # fmt: skip
            (folder / f"msg_{number}.json").write_text(json.dumps(reply))
        other_clients.take_in(ledger.sources, {}, ["opencode"], [tmp_path / "opencode"], plans)
        return other_clients

    yield run
    other_clients.close()
    ledger.close()


def test_a_plan_is_burnt_by_whatever_name_a_client_has_for_its_provider(imported):
    found = imported([(name, "m") for name in NAMED], {ours: f"plan of {ours}" for ours in NAMED.values()})
    assert dict(total.key for total in found.totals(("provider", "plan"))) == {
        name: f"plan of {ours}" for name, ours in NAMED.items()
    }


def test_each_provider_for_which_a_plan_may_be_named_is_one_that_the_config_may_name(imported):
    assert {*NAMED.values()} - {*catalogue.load({}, None, {}).providers} <= {*imported([], {}).sellers()}


def test_a_list_price_is_found_by_whatever_name_a_client_has_for_its_provider(imported):
    known = catalogue.load({}, None, {}).providers
    priced = {
        name: next((m for m in known[ours].models if m.prices), None) for name, ours in NAMED.items() if ours in known
    }
    replies = [(name, model.id) for name, model in priced.items() if model is not None]
    assert {"minimax-coding-plan", "google", "moonshotai"} < {name for name, _ in replies}
    totals = imported(replies, {}).totals((*usage_review.PRICED_BY, "provider"))
    rows = usage_review.by_token(totals, catalogue.load({}, None, {}))
    assert {row.key[0] for row in rows if row.unpriced} == set()
    assert {row.key[0] for row in rows} == {name for name, _ in replies}


def test_each_name_of_ours_is_a_provider_or_a_plan_that_pays_no_key_of_ours():
    assert {*provider_names().values()} - {*catalogue.load({}, None, {}).providers} == {"copilot", "opencode-go"}
