"""What other clients burnt, at list prices: those of each request's own prompt, hour and service tier."""

import json
import sqlite3
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from assistant import usage_review
from assistant.models.price import price_at
from assistant.quota.entry import Total
from assistant.tokens import TokenUsage
from tests import loopback

HAIKU = "claude-haiku-5-5"


def reply(name, at, fresh, *, read=0, written=0, output=0, model=HAIKU, **usage):
    """A reply of Claude Code's log."""
    counts = {"input_tokens": fresh, "cache_read_input_tokens": read, "cache_creation_input_tokens": written}
    return {
        "type": "assistant", "timestamp": at, "cwd": "/home/u/p", "requestId": f"r{name}",
        "message": {"id": f"m{name}", "model": model, "usage": {**counts, "output_tokens": output, **usage}},
    }  # fmt: skip


def opencode(name, at, model, **counts):
    """A reply of opencode's, in a file of its own."""
    tokens = {"input": 0, "output": 0, "reasoning": 0, "cache": {"read": 0, "write": 0}, **counts}
    times = {"created": datetime.fromisoformat(at).timestamp() * 1000 + 1, "completed": 1 + float(name)}
    return {"id": f"msg_{name}", "role": "assistant", "providerID": "deepseek", "modelID": model, "cost": 0,
            "time": times, "tokens": tokens, "path": {"cwd": "/p", "root": "/p"}}  # fmt: skip


@pytest.fixture
def listed(wattson, tmp_path):
    """Import logs and return what they come to by model at list prices, as `usage --json` says it."""

    def run(*replies, **env):
        for each in replies:
            if "message" in each:
                path = tmp_path / "home/.claude/projects/p/one.jsonl"
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a") as log:
                    log.write(json.dumps(each) + "\n")
            else:
                path = tmp_path / f"home/.local/share/opencode/storage/message/s/{each['id']}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(each))
        code, _, said = wattson("usage", "import", "all", **env)
        assert code == 0, said
        (found,) = wattson("usage", "--json", lines=True, **env)[1][0]["other_clients"]
        return found

    return run


def haiku(fresh, read=0, written=0, output=0):
    """The list price of one request, from the vendor's page: above 100,000 tokens all of it costs five times as much."""
    factor = 5 if fresh + read + written > 100_000 else 1
    rates = Decimal("0.1"), Decimal("0.01"), Decimal("0.125"), Decimal("0.5")
    return factor * sum(map(lambda rate, count: rate * count, rates, (fresh, read, written, output))) / 1_000_000


@pytest.mark.parametrize(
    "sizes",
    [
        [(100_000, 0, 0, 0), (100_001, 0, 0, 0), (2, 0, 0, 0)],
        [(60_000, 0, 0, 1000), (160_000, 0, 0, 1000)],
        [(2000, 20_000 * each, 1000, 500) for each in range(1, 13)],
        [(1000, 150_000 if each % 3 == 0 else 5000, 500, 500) for each in range(1, 300)],
    ],
)
def test_each_request_has_the_price_of_its_own_prompt(listed, sizes):
    log = [
        reply(number, f"2026-11-20T10:{number // 60:02}:{number % 60:02}Z", fresh, read=read, written=written, output=output)
        for number, (fresh, read, written, output) in enumerate(sizes)
    ]  # fmt: skip
    found = listed(*log)
    assert Decimal(found["by_token"]["USD"]) == sum(haiku(*each) for each in sizes)
    assert (found["steps"], found["by_token_exact"]) == (len(sizes), True)


def test_a_reply_that_grew_beyond_the_edge_counts_once_and_where_it_ended(listed, wattson):
    first, *rest = [reply(1, "2026-11-20T10:00:00Z", 99_000, written=written) for written in (0, 900, 2000)]
    assert Decimal(listed(first)["by_token"]["USD"]) == haiku(99_000)
    found = listed(*rest)  # the line that counted is taken back from the short prompts
    assert (found["steps"], Decimal(found["by_token"]["USD"])) == (1, haiku(99_000, 0, 2000))


@pytest.mark.parametrize(
    ("zone", "at", "paid"),
    [
        ("Asia/Kolkata", ["2026-11-23T00:45:00Z"], "0.063"),
        ("Asia/Kolkata", ["2026-11-23T01:00:00Z"], "0.126"),
        ("Asia/Kolkata", ["2026-11-23T03:45:00Z"], "0.126"),
        ("America/St_Johns", ["2026-11-23T00:59:59Z", "2026-11-23T01:00:00Z"], "0.189"),
        ("Asia/Kathmandu", ["2026-11-23T00:59:59Z", "2026-11-23T01:00:00Z", "2026-11-23T03:59:59Z"], "0.315"),
    ],
)
def test_peak_hours_hold_in_zones_that_are_half_an_hour_off(listed, zone, at, paid):
    cache = {"read": 1_000_000, "write": 0}
    log = [
        opencode(number, each, "deepseek-flash", input=200_000, output=50_000, cache=cache)
        for number, each in enumerate(at)
    ]
    assert Decimal(listed(*log, TZ=zone)["by_token"]["USD"]) == Decimal(paid)


@pytest.mark.parametrize(
    ("said", "times"),
    [
        ({"speed": "fast"}, 2),
        ({"speed": "standard", "service_tier": "standard"}, 1),
        ({"speed": None, "service_tier": "batch"}, Decimal("0.5")),
        ({"service_tier": "standard"}, 1),
    ],
)
def test_a_reply_of_claude_code_has_the_price_of_its_service_tier(listed, said, times):
    plain = reply(1, "2026-11-20T10:00:00Z", 1000, output=100, model="claude-opus-5-5")
    found = listed(plain, reply(2, "2026-11-20T10:01:00Z", 1000, output=100, model="claude-opus-5-5", **said))
    assert Decimal(found["by_token"]["USD"]) == Decimal("0.006") * (1 + times)


def test_sums_of_an_older_version_are_kept_and_said_to_be_near(listed, wattson, tmp_path, env):
    """Its sums do not tell which prompts were long; what is read from now on is exact, and so is what is taken back."""
    old = [reply(1, "2026-11-20T10:00:00Z", 60_000), reply(2, "2026-11-20T10:01:00Z", 160_000)]
    listed(*old)
    base = sqlite3.connect(tmp_path / "state/data/imports.sqlite", isolation_level=None)
    columns = "client, plan, provider, model, project, day, hour, cost_status, currency"
    sums = "steps, fresh_input, cache_read, cache_write_short, cache_write_long, output, reasoning"
    added = ", ".join(f"SUM({name})" for name in sums.split(", "))
    base.executescript(f"""
        CREATE TABLE before ({columns}, {sums}, amount, PRIMARY KEY ({columns}));
        INSERT INTO before SELECT {columns}, {added}, '0' FROM used GROUP BY {columns};
        DROP TABLE used;
        ALTER TABLE before RENAME TO used;
        ALTER TABLE places DROP COLUMN utc;
        ALTER TABLE places DROP COLUMN tier;
        ALTER TABLE places DROP COLUMN above;
        ALTER TABLE places DROP COLUMN upto;
        PRAGMA user_version = 5;
    """)
    base.close()
    found = listed()
    assert (found["steps"], found["by_token_exact"]) == (2, False)
    assert Decimal(found["by_token"]["USD"]) == 5 * Decimal(220_000) / 10_000_000  # that of the mean prompt
    assert "~$0.11" in wattson("usage", "--by", "model")[1]
    found = listed(reply(2, "2026-11-20T10:01:00Z", 160_000, output=10), reply(3, "2026-11-20T10:02:00Z", 150_000))
    assert (found["steps"], found["by_token_exact"]) == (3, True)  # of the old sum one request is left
    assert Decimal(found["by_token"]["USD"]) == haiku(60_000) + haiku(160_000, output=10) + haiku(150_000)


async def test_a_price_with_other_edges_than_those_of_the_import_is_near(make_session):
    catalogue = make_session().roster.catalogue
    usage, paid = TokenUsage(500_000), Decimal(0)

    def listed(above, upto, steps, day="2026-11-24", model="claude-haiku-5-5", provider="anthropic", hour="3"):
        key = (provider, model, day, hour, "-1", "", str(above), str(upto))
        (row,) = usage_review.by_token([Total(key, "unknown", "USD", steps, 0, 0, 0, usage, paid)], catalogue)
        return row.inexact

    assert listed(0, 100_000, 9) == 0
    assert listed(100_000, 0, 4) == 0
    assert listed(50_000, 200_000, 4) == 4  # 100,000 lies between
    assert listed(0, 90_000, 9) == 0
    assert listed(0, 0, 1) == 0
    assert listed(0, 0, 5) == 5
    assert listed(0, 0, 5, model="claude-opus-5-5") == 0  # its price hangs on no size
    # Nobody knows yet which days of that year are holidays: it may be half as much.
    utc = int(datetime(2027, 1, 1, 2, tzinfo=UTC).timestamp()) // 3600
    for hour, near in ((utc, 2), (utc + 3, 0)):
        key = ("deepseek", "deepseek-flash", "2027-01-01", "2", str(hour), "", "0", "0")
        (row,) = usage_review.by_token([Total(key, "unknown", "USD", 2, 0, 0, 0, usage, paid)], catalogue)
        assert (row.inexact, bool(row.money)) == (near, True)
    assert price_at(catalogue.pick("deepseek/deepseek-flash").model, datetime(2027, 1, 1, 2, tzinfo=UTC)) is not None


def test_costs_have_one_shape_in_a_report_and_what_has_no_amount_is_counted(wattson, listed):
    """No script takes the prose of `cost` apart to know how many steps an amount leaves out."""
    listed(reply(1, "2026-11-20T10:00:00Z", 60_000), reply(2, "2026-11-20T10:01:00Z", 1_000))
    with loopback.Server(loopback.openai("Hello.")) as server:
        env = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "k" * 24}
        for model in ("openai/gpt-6.1-sol", "openai/nobody-knows-this"):
            assert wattson("ask", "-m", model, "hello", **env)[0] == 0
    (found,) = wattson("usage", "--json", "--by", "provider", lines=True)[1]
    (ours,), (theirs,) = found["usage"], found["other_clients"]
    assert set(ours["costs"]) == {"USD", "unknown"}
    assert (ours["unpriced"], ours["included"], ours["free"]) == (1, 0, 0)
    assert theirs["costs"] == {"unknown": None}
    assert (theirs["unpriced"], theirs["included"], theirs["free"]) == (2, 0, 0)
