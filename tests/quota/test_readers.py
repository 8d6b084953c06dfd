"""What each source says, from bodies and headers as they are sent; and what a refusal means."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from assistant import discover
from assistant.errors import Auth, OutOfFunds, ProviderError
from assistant.quota import exhaustion, money
from assistant.quota.reading import (
    Asked,
    Reading,
    due,
    due_at,
    duration,
    from_body,
    from_headers,
    from_json,
    retry_after,
    to_json,
)

D = Decimal
NOW = datetime(2026, 11, 23, 18, tzinfo=UTC)


def read(body, host, now=NOW, reader=""):
    return from_body(body, host, now, reader)


def by_name(readings):
    return {each.meter: each for each in readings}


# --- endpoints ---------------------------------------------------------------------------------------------------------


def glm(kind):
    limits = [
        {"type": kind, "unit": 3, "number": 5, "usage": 2000, "currentValue": 267, "remaining": 1732, "percentage": 13,
         "nextResetTime": 1787396197660},
        {"type": kind, "unit": 6, "number": 1, "usage": 10000, "currentValue": 634, "remaining": 9365, "percentage": 6,
         "nextResetTime": 1787927853998},
    ]  # fmt: skip
    return {"code": 200, "success": True, "data": {"level": "lite", "limits": limits}}


@pytest.mark.parametrize("kind", ["CREDIT_LIMIT", "TOKENS_LIMIT"])
def test_t23_glm(kind):
    found = by_name(read(glm(kind), "api.z.ai", datetime(2026, 8, 22, 8, tzinfo=UTC)))
    five, week = found["5 hours"], found["week"]
    assert (five.used, five.limit, five.remaining, five.percent, five.rounding) == (267, 2000, 1732, 13, "truncated")
    assert five.resets_at == datetime.fromisoformat("2026-08-22T10:56:37.660+00:00")
    assert (week.used, week.limit, week.resets_at) == (
        634, 10000, datetime.fromisoformat("2026-08-28T14:37:33.998+00:00"),
    )  # fmt: skip


def test_t23_an_unknown_kind_is_kept_raw_and_counted_by_nothing():
    (found,) = read({"data": {"limits": [{"type": "NEW_LIMIT", "unit": 3, "number": 5, "percentage": 5}]}}, "api.z.ai")
    assert (found.mapped, found.meter) == (False, "NEW_LIMIT 5 hours")
    assert json.loads(found.raw)["type"] == "NEW_LIMIT"


def test_glm_percent_alone_and_tools():
    limits = [
        {"type": "TOKENS_LIMIT", "unit": 3, "number": 5, "percentage": 33, "nextResetTime": 1795456800000},
        {
            "type": "TIME_LIMIT",
            "unit": 5,
            "number": 1,
            "usage": 1000,
            "currentValue": 40,
            "remaining": 960,
            "percentage": 4,
        },
    ]
    found = by_name(read({"data": {"limits": limits}}, "open.bigmodel.cn"))
    assert (found["5 hours"].percent, found["5 hours"].unit) == (33, "percent")
    assert (found["mcp month"].used, found["mcp month"].limit, found["mcp month"].feature) == (40, 1000, "mcp")


def minimax(**more):
    return {"model_remains": [{"model_name": "general", **more}], "base_resp": {"status_code": 0}}


OLD = {"current_interval_total_count": 1500, "current_interval_usage_count": 300}


@pytest.mark.parametrize(
    ("host", "used", "percent"),
    [("api.minimax.io", 1200, 80), ("api.minimaxi.com", 300, 20), ("www.minimaxi.com", 300, 20)],
)
def test_t24_minimax_counts_the_other_way_round_abroad(host, used, percent):
    (found,) = read(minimax(**OLD), host)
    assert (found.used, found.percent, found.limit) == (used, percent, 1500)


def test_t24_minimax_percents_unknown_unlimited_and_exhausted():
    empty = {"current_interval_total_count": 0, "current_interval_usage_count": 0}
    (rest,) = read(minimax(**empty, current_interval_remaining_percent=97), "api.minimax.io")
    assert (rest.percent, rest.used) == (3, None)
    (unknown,) = read(minimax(**empty), "api.minimax.io")
    assert (unknown.status, unknown.percent, unknown.used) == ("unknown", None, None)
    (endless,) = read(minimax(current_weekly_status=3), "api.minimax.io")
    assert (endless.meter, endless.status) == ("week", "unlimited")
    (spent,) = read(minimax(current_weekly_status=2), "api.minimax.io")
    assert spent.status == "exhausted"


def test_t24_minimax_refuses_a_key_with_http_200():
    for code, error in ((1004, Auth), (1008, OutOfFunds), (1002, ProviderError)):
        with pytest.raises(error):
            read({"base_resp": {"status_code": code, "status_msg": "login fail"}}, "api.minimax.io")


def test_minimax_as_it_is_sent_now():
    body = minimax(
        start_time=1795438800000, end_time=1795456800000, current_interval_total_count=1500, current_interval_usage_count=0,
        current_interval_remaining_percent=71, current_interval_status=1, weekly_start_time=1795392000000,
        weekly_end_time=1795996800000, current_weekly_total_count=15000, current_weekly_usage_count=0,
        current_weekly_remaining_percent=88, current_weekly_status=1,
    )  # fmt: skip
    found = by_name(read(body, "api.minimax.io"))
    assert (found["5 hours"].percent, found["week"].percent) == (29, 12)
    assert found["5 hours"].resets_at == datetime(2026, 11, 23, 18, tzinfo=UTC)


def test_t25_kimi_new_and_old():
    new = by_name(read({"usages": {"limit_5h": {"used_ratio": 0.07}, "limit_month_total": {"used_ratio": 0.418},
                                   "limit_month_code": {"used_ratio": 0.50}}}, "api.kimi.com"))  # fmt: skip
    assert [str(new[name].percent) for name in ("5 hours", "month", "month code")] == ["7.00", "41.800", "50.0"]
    assert (new["week"].status, new["week"].percent) == ("not_in_plan", None)
    old = {"usage": {"limit": "2048", "used": "214"}, "limits": [{"window": {"duration": 300, "timeUnit": "TIME_UNIT_MINUTE"},
           "detail": {"limit": "100", "used": "26", "resetTime": "2026-11-23T20:00:00Z"}}]}  # fmt: skip
    found = by_name(read(old, "api.kimi.com"))
    assert (found["5 hours"].percent, found["week"].used, found["week"].limit) == (26, 214, 2048)


def test_kimi_unknown_slot_and_wallet():
    body = {
        "usages": {"limit_5h": {"used_ratio": 1}, "limit_moon": {"used_ratio": 0.2}},
        "boosterWallet": {"balance": {"amount": "1000", "amountLeft": "640"}},
    }
    found = by_name(read(body, "api.kimi.com"))
    assert (found["5 hours"].status, found["limit_moon"].mapped) == ("exhausted", False)
    assert (found["booster"].remaining, found["booster"].limit) == (640, 1000)


def test_t27_codex_two_windows():
    headers = {
        "x-codex-primary-used-percent": "100", "x-codex-primary-window-minutes": "300", "x-codex-primary-reset-at": "1777936568",
        "x-codex-secondary-used-percent": "80", "x-codex-secondary-window-minutes": "10080",
        "x-codex-secondary-reset-at": "1778239400",
    }  # fmt: skip
    found = by_name(from_headers(headers, "chatgpt.com", datetime(2026, 5, 4, 20, tzinfo=UTC)))
    five, week = found["5 hours"], found["week"]
    assert (five.status, five.resets_at) == ("exhausted", datetime(2026, 5, 4, 23, 16, 8, tzinfo=UTC))
    assert (week.percent, week.resets_at) == (80, datetime(2026, 5, 8, 11, 23, 20, tzinfo=UTC))


def test_codex_is_named_by_length_and_not_by_slot():
    headers = {
        "X-Codex-Primary-Used-Percent": "12", "X-Codex-Primary-Window-Minutes": "10080",
        "X-Codex-Secondary-Used-Percent": "0", "X-Codex-Secondary-Window-Minutes": "0",
        "x-codex-spark-primary-used-percent": "5", "x-codex-spark-primary-window-minutes": "300",
        "x-codex-spark-limit-name": "Spark", "x-codex-credits-has-credits": "True", "x-codex-credits-balance": "12.5",
    }  # fmt: skip
    found = by_name(from_headers(headers, "chatgpt.com", NOW))
    assert set(found) == {"week", "5 hours Spark", "credits"} or set(found) == {"week", "5 hours spark", "credits"}
    assert found["credits"].remaining == D("12.5")


def test_codex_body_and_event():
    window = {"used_percent": 37, "limit_window_seconds": 18000, "reset_after_seconds": 5400, "reset_at": 1795466000}
    week = {"used_percent": 61, "limit_window_seconds": 604800, "reset_after_seconds": 600}
    body = {"rate_limit": {"primary_window": window, "secondary_window": week}, "credits": {"has_credits": False}}
    found = by_name(read(body, "chatgpt.com"))
    assert (found["5 hours"].percent, found["week"].percent, found["week"].resets_at) == (
        37, 61, NOW + timedelta(minutes=10),
    )  # fmt: skip
    event = {"rate_limits": {"primary": {"used_percent": 37, "window_minutes": 300, "reset_at": 1795466000}}}
    assert read(event, "chatgpt.com")[0].meter == "5 hours"


SPARK = {"used_percent": 97.0, "window_minutes": 300, "reset_at": 1795466000}


@pytest.mark.parametrize(
    ("body", "family"),
    [
        ({"rate_limits": {"limit_id": "codex_bengalfox", "limit_name": "GPT-5.3-Codex-Spark", "primary": SPARK}}, "GPT-5.3-Codex-Spark"),
        ({"rate_limits": {"limit_id": "codex_bengalfox", "limit_name": None, "primary": SPARK}}, "codex_bengalfox"),
        ({"type": "codex.rate_limits", "metered_limit_name": "codex_bengalfox", "rate_limits": {"primary": SPARK}}, "codex_bengalfox"),
        ({"type": "codex.rate_limits", "metered_limit_name": "codex_bengalfox", "limit_name": "Spark", "rate_limits": {"primary": SPARK}}, "Spark"),
        ({"additional_rate_limits": {"codex_bengalfox": {"limit_name": "Spark", "rate_limit": {"primary_window": SPARK}}}}, "Spark"),
        ({"additional_rate_limits": {"codex_bengalfox": {"primary": SPARK}}}, "codex_bengalfox"),
        ({"additional_rate_limits": [{"limit_name": "Spark", "rate_limit": {"primary_window": SPARK}}]}, "Spark"),
        ({"additional_rate_limits": [{"metered_feature": "codex_bengalfox", "primary_window": SPARK}]}, "codex_bengalfox"),
    ],
)  # fmt: skip
def test_a_limit_of_codex_for_one_model_is_a_window_of_its_own_and_never_the_plans(body, family):
    (found,) = read(body, "chatgpt.com")
    assert (found.meter, found.percent, found.mapped) == (f"5 hours {family}", 97, False)


@pytest.mark.parametrize(
    "name", [{"limit_id": "codex"}, {"limit_id": None}, {"limit_id": "codex", "limit_name": "Codex"}]
)
def test_the_plans_own_windows_of_codex_may_carry_its_name(name):
    (found,) = read({"rate_limits": {**name, "primary": SPARK}}, "chatgpt.com")
    assert (found.meter, found.mapped) == ("5 hours", True)


def test_opencode_go_tells_resets_in_its_own_words():
    body = {
        "usage": {
            "rolling": {"status": "ok", "percent": 12, "resetsAt": "2026-11-24T15:09:04.847Z"},
            "weekly": {"status": "ok", "percent": 54, "resetAt": "2026-11-30T00:00:00Z"},
            "monthly": {"status": "rate-limited", "percent": 100, "resetsAt": "2026-12-19T00:31:00Z"},
        }
    }
    found = by_name(read(body, "opencode.ai"))
    assert found["5 hours"].resets_at == datetime(2026, 11, 24, 15, 9, 4, 847000, tzinfo=UTC)
    assert found["week"].resets_at == datetime(2026, 11, 30, tzinfo=UTC)
    assert (found["month"].resets_at, found["month"].status) == (
        datetime(2026, 12, 19, 0, 31, tzinfo=UTC),
        "exhausted",
    )


def test_a_body_of_glm_that_says_that_it_failed_is_no_reading():
    limits = [{"type": "CREDIT_LIMIT", "unit": 3, "number": 5, "usage": 2000, "currentValue": 7, "percentage": 0}]
    with pytest.raises(Auth, match=r"does not accept this key"):
        read({"success": False, "code": 1001, "msg": "no token", "data": {"limits": limits}}, "api.z.ai")
    with pytest.raises(ProviderError, match=r"\(code 500\)"):
        read({"success": False, "code": 500, "msg": "later", "data": {"limits": limits}}, "api.z.ai")
    assert read({"success": True, "code": 200, "data": {"limits": limits}}, "api.z.ai")[0].used == 7


def test_a_reset_that_only_kimis_older_shape_tells_is_not_lost():
    window = {"duration": 300, "timeUnit": "TIME_UNIT_MINUTE"}
    detail = {"limit": "100", "remaining": "100", "resetTime": "2026-11-24T14:00:00Z"}
    body = {
        "usages": {"limit_5h": {"used_ratio": 0}, "limit_month_code": {"used_ratio": 0.5}},
        "usage": {"limit": "100", "used": "40", "resetTime": "2026-12-01T00:00:00Z"},
        "limits": [{"window": window, "detail": detail}],
    }
    found = by_name(read(body, "api.kimi.com"))
    assert (found["5 hours"].percent, found["5 hours"].resets_at) == (0, datetime(2026, 11, 24, 14, tzinfo=UTC))
    assert (found["month code"].percent, found["month code"].resets_at) == (50, None)
    assert found["week"].status == "not_in_plan"  # whose window the one without a length is, nobody says


def test_minimax_may_wrap_what_remains():
    remains = [{"model_name": "general", "current_interval_remaining_percent": 60}]
    (found,) = [
        each
        for each in read({"data": {"model_remains": remains, "base_resp": {"status_code": 0}}}, "api.minimax.io")
        if each.meter == "5 hours"
    ]
    assert found.percent == 40
    with pytest.raises(Auth):
        read({"data": {"model_remains": [], "base_resp": {"status_code": 1004}}}, "api.minimax.io")


def test_deepseek_and_moonshot_balances():
    infos = [
        {"currency": "CNY", "total_balance": "110.00", "granted_balance": "10.00", "topped_up_balance": "100.00"},
        {"currency": "USD", "total_balance": "5.00", "granted_balance": "0.00", "topped_up_balance": "5.00"},
    ]
    cny, usd = read({"is_available": True, "balance_infos": infos}, "api.deepseek.com")
    assert (cny.remaining, cny.currency, usd.remaining, usd.currency) == (110, "CNY", 5, "USD")
    assert money.spent(cny.parts, D("12.00")) == {"granted": 0, "topped_up": 98}
    (moon,) = read(
        {"data": {"available_balance": 49.58, "voucher_balance": 46.58, "cash_balance": 3.0}}, "api.moonshot.cn"
    )
    assert (moon.remaining, moon.currency, moon.parts["cash"]) == (D("49.58"), "CNY", 3)


def test_t29_openrouter_keeps_key_and_account_apart():
    key = {"data": {"limit": 50, "limit_remaining": 37.50, "limit_reset": "monthly", "usage": 12.5}}
    account = {"data": {"total_credits": 100.00, "total_usage": 98.20}}
    (limit,) = read(key, "openrouter.ai")
    (balance,) = read(account, "openrouter.ai")
    assert (limit.remaining, limit.resets_at, balance.remaining) == (
        D("37.5"),
        datetime(2026, 12, 1, tzinfo=UTC),
        D("1.8"),
    )
    (none,) = read({"data": {"limit": None, "limit_remaining": None, "usage": 3}}, "openrouter.ai")
    assert (none.status, none.limit) == ("unlimited", "unlimited")
    (below,) = read({"data": {"total_credits": 10, "total_usage": 10.1}}, "openrouter.ai")
    assert (below.status, below.remaining) == ("exhausted", D("-0.1"))


def test_openrouter_free_models():
    data = {"limit": None, "usage": 0, "free_model_daily_requests": {"limit": 50, "used": 50, "remaining": 0}}
    free = by_name(read({"data": data}, "openrouter.ai"))["free models"]
    assert (free.status, free.models, free.resets_at) == ("exhausted", ("*:free",), datetime(2026, 11, 24, tzinfo=UTC))


def test_copilot():
    snapshots = {
        "premium_interactions": {"entitlement": 1500, "remaining": 375, "percent_remaining": 25.0, "unlimited": False},
        "chat": {"entitlement": 0, "remaining": 0, "unlimited": True},
    }
    found = by_name(read({"quota_snapshots": snapshots, "quota_reset_date": "2026-12-01"}, "api.github.com"))
    assert (found["month"].used, found["month"].resets_at) == (1125, datetime(2026, 12, 1, tzinfo=UTC))
    assert (found["chat"].status, found["chat"].mapped) == ("unlimited", False)


def test_the_rest_of_the_endpoints():
    go = by_name(read({"usage": {"rolling": {"usagePercent": 12, "resetInSec": 600}, "weekly": {"used": 3.5, "limit": 30}}}, "opencode.ai"))  # fmt: skip
    assert (go["5 hours"].percent, go["5 hours"].resets_at, go["week"].used) == (
        12,
        NOW + timedelta(minutes=10),
        D("3.5"),
    )
    synthetic = read({"subscription": {"limit": 135, "requests": 27, "renewsAt": "2026-11-23T20:00:00Z"}, "odd": {"limit": 5, "requests": 1}}, "api.synthetic.new")  # fmt: skip
    assert [(each.meter, each.used, each.mapped) for each in synthetic] == [("5 hours", 27, True), ("odd", 1, False)]
    ollama = by_name(read({"limits": {"session": {"usage": 0.12}, "weekly": {"usage": 0.4}}}, "ollama.com"))
    assert (ollama["5 hours"].percent, ollama["week"].percent) == (12, 40)
    buckets = read({"buckets": [{"modelId": "gemini-3-pro", "remainingFraction": 0.25}]}, "cloudcode-pa.googleapis.com")
    assert (buckets[0].percent, buckets[0].models) == (75, ("gemini-3-pro",))


def test_claude_status_line_is_for_display():
    body = {"rate_limits": {"five_hour": {"used_percentage": 24.0, "resets_at": 1795464000}, "seven_day": {"used_percentage": 58}}}  # fmt: skip
    found = by_name(read(body, "", reader="claude_statusline"))
    assert (found["5 hours"].percent, found["5 hours"].source, found["week"].percent) == (24, "file", 58)
    scoped = {"limits": [{"kind": "weekly_scoped", "percent": 12, "scope": {"model": {"display_name": "Fable"}}}]}
    assert by_name(read(scoped, "claude.ai"))["week Fable"].models == ("*fable*",)


# --- headers -----------------------------------------------------------------------------------------------------------


def test_anthropic_headers():
    unified = {
        "Anthropic-Ratelimit-Unified-5h-Utilization": "0.83", "anthropic-ratelimit-unified-5h-reset": "1795464000",
        "anthropic-ratelimit-unified-5h-status": "allowed_warning", "anthropic-ratelimit-unified-7d-utilization": "0.41",
        "anthropic-ratelimit-unified-7d-reset": "1795968000", "anthropic-ratelimit-unified-7d_oi-utilization": "1.0",
        "anthropic-ratelimit-unified-7d_oi-status": "rejected",
    }  # fmt: skip
    found = by_name(from_headers(unified, "api.anthropic.com", NOW))
    assert (found["5 hours"].percent, found["week"].percent) == (83, 41)
    assert (found["week oi"].status, found["week oi"].mapped) == ("exhausted", False)
    key = {"anthropic-ratelimit-input-tokens-limit": "2000000", "anthropic-ratelimit-input-tokens-remaining": "1988000",
           "anthropic-ratelimit-input-tokens-reset": "2026-11-23T18:00:03Z"}  # fmt: skip
    (tokens,) = from_headers(key, "api.anthropic.com", NOW)
    assert (tokens.used, tokens.unit, tokens.resets_at) == (12_000, "tokens", NOW + timedelta(seconds=3))


def test_openai_headers():
    headers = {
        "x-ratelimit-limit-requests": "5000", "x-ratelimit-remaining-requests": "4999", "x-ratelimit-reset-requests": "12ms",
        "x-ratelimit-limit-tokens": "2000000", "x-ratelimit-remaining-tokens": "1993210", "x-ratelimit-reset-tokens": "1m7.5s",
    }  # fmt: skip
    found = by_name(from_headers(headers, "api.openai.com", NOW))
    assert found["tokens pace"].resets_at == NOW + timedelta(seconds=67.5)
    assert found["requests pace"].used == 1
    (plain,) = from_headers({"X-RateLimit-Limit": "500", "X-RateLimit-Remaining": "499", "X-RateLimit-Reset": "1795464060"}, "api.moonshot.ai", NOW)  # fmt: skip
    assert plain.resets_at == datetime(2026, 11, 23, 20, 1, tzinfo=UTC)


@pytest.mark.parametrize("reset", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", 10**30])
def test_a_reset_at_the_edge_of_the_calendar_is_none(reset):
    (found,) = read({"usage": {"limit": "2048", "used": "214", "resetTime": reset}}, "api.kimi.com")
    assert (found.used, found.resets_at) == (214, None)


def test_a_window_whose_reset_has_passed_is_unknown():
    headers = {"x-codex-primary-used-percent": "100", "x-codex-primary-window-minutes": "300", "x-codex-primary-reset-at": "1795400000"}  # fmt: skip
    (found,) = from_headers(headers, "chatgpt.com", NOW)
    assert (found.status, found.resets_at) == ("unknown", None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12ms", 0.012), ("1s", 1), ("6m0s", 360), ("1m7.5s", 67.5), ("2h3m", 7380), ("45.8s", 45.8), ("12", 12), ("soon", None), ("", None), ("-5", None)],
)  # fmt: skip
def test_lengths(text, seconds):
    assert duration(text) == (timedelta(seconds=seconds) if seconds is not None else None)


def test_retry_after_in_all_its_forms():
    forms = [{"retry-after": "12"}, {"retry-after": "Mon, 23 Nov 2026 18:00:12 GMT"}, {"retry-after-ms": "12000"}]
    assert [retry_after(each, NOW) for each in forms] == [NOW + timedelta(seconds=12)] * 3
    assert retry_after({"retry-after": "later"}, NOW) is None


# --- hostile input -----------------------------------------------------------------------------------------------------

HOSTILE = [
    "<html><body>Log in</body></html>", b"\xff\xfe", "[]", "null", "{}", '"text"', "[" * 50_000, "{", "",
    '{"data": null}', '{"data": {"limits": "none"}}', '{"data": {"limits": [null, 5, {"type": [], "unit": {}, "number": []}]}}',
    '{"usages": {"limit_5h": null, "limit_7d": [], "x": {"used_ratio": {}}}}', '{"usages": [{"detail": null}, 5], "limits": 7}',
    '{"model_remains": [{"model_name": null, "current_interval_total_count": "x", "end_time": 1e400}], "base_resp": 5}',
    '{"balance_infos": [{"total_balance": "NaN"}, null]}', '{"data": {"total_credits": "Infinity", "total_usage": {}}}',
    '{"rate_limit": {"primary_window": {"used_percent": 5, "reset_at": 99999999999999999999}}}',
    '{"quota_snapshots": {"chat": 5, "x": {"entitlement": []}}, "quota_reset_date": "never"}',
    '{"limits": [{"percent": 5, "scope": 7}], "rate_limits": {"five_hour": {"used_percentage": 1, "resets_at": -1e30}}}',
    '{"buckets": [{"remainingFraction": "half"}]}', '{"subscription": {"limit": 5, "requests": null}}',
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_no_body_breaks_a_reader(body):
    for name in discover.part_names("assistant.quota.readers"):
        for each in from_body(body, "api.example.com", NOW, name):
            assert each.percent is None or each.percent.is_finite()


def test_no_header_breaks_a_reader():
    names = ["anthropic-ratelimit-unified-5h-utilization", "anthropic-ratelimit-unified-5h-reset", "x-codex-primary-used-percent",
             "x-codex-primary-reset-after-seconds", "x-ratelimit-limit-tokens", "x-ratelimit-reset-tokens",
             "anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-unified-é-utilization"]  # fmt: skip
    for value in ("", "NaN", "1e999", "-5", "x" * 10_000, "\x00"):
        from_headers(dict.fromkeys(names, value), "x", NOW)


# --- asking, and remembering --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reader", "base", "url"),
    [
        ("glm", "https://api.z.ai/api/coding/paas/v4", "https://api.z.ai/api/monitor/usage/quota/limit"),
        ("glm", "http://127.0.0.1:8123/z/api/coding/paas/v4/", "http://127.0.0.1:8123/z/api/monitor/usage/quota/limit"),
        ("minimax", "https://api.minimaxi.com/anthropic", "https://api.minimaxi.com/v1/token_plan/remains"),
        ("kimi", "https://api.kimi.com/coding/v1", "https://api.kimi.com/coding/v1/usages"),
        ("deepseek", "https://api.deepseek.com", "https://api.deepseek.com/user/balance"),
        ("moonshot", "https://api.moonshot.cn/v1", "https://api.moonshot.cn/v1/users/me/balance"),
        ("openrouter", "https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1/key"),
        ("opencode_go", "https://opencode.ai/zen/go/v1", "https://opencode.ai/zen/go/v1/usage"),
        ("synthetic", "https://api.synthetic.new/openai/v1", "https://api.synthetic.new/v2/quotas"),
        ("ollama_cloud", "https://ollama.com/api", "https://ollama.com/api/usage"),
    ],
)
def test_a_key_goes_to_the_host_of_its_own_address(reader, base, url):
    found = discover.part("assistant.quota.readers", reader).call(base, "sk-secret")
    assert (found.url, found.method) == (url, "GET")
    assert found.headers["Authorization"] == "Bearer sk-secret"
    assert "sk-secret" not in repr(found)


def test_every_reader_says_what_it_reads():
    for part in discover.parts("assistant.quota.readers"):
        assert part.FROM in {"headers", "body"}
        assert part.HOSTS
        assert callable(part.read)


def test_a_reading_survives_a_store():
    for each in [*read(glm("CREDIT_LIMIT"), "api.z.ai"), Reading("week", "you", NOW, limit="unlimited", parts={"cash": D("1.10")})]:  # fmt: skip
        assert from_json(json.loads(json.dumps(to_json(each)))) == each
    assert from_json({**to_json(Reading("week", "you", NOW)), "of_a_newer_version": 1}).meter == "week"
    for torn in ({}, {"meter": "x"}, {"meter": "x", "source": "you", "observed_at": "no"}, {"meter": "x", "source": "you", "observed_at": NOW.isoformat(), "used": "much"}):  # fmt: skip
        with pytest.raises(ValueError):
            from_json(torn)


MINUTE = timedelta(minutes=1)
USUAL = {"every": MINUTE, "resets_at": None, "burst": False, "seed": ""}


@pytest.mark.parametrize(
    ("asked", "later", "more", "want"),
    [
        (Asked(), 0, {}, True),
        (Asked(NOW), 59, {}, False),
        (Asked(NOW), 60, {}, True),
        (Asked(NOW), 6, {"burst": True}, True),
        (Asked(NOW), 4, {"burst": True}, False),
        (Asked(NOW, ok=False), 60, {}, False),
        (Asked(NOW, ok=False), 240, {}, True),
        (Asked(NOW, ok=False, retry_at=NOW + timedelta(seconds=600)), 599, {"burst": True}, False),
        (Asked(NOW, ok=False, retry_at=NOW + timedelta(seconds=600)), 600, {}, True),
        (Asked(NOW), 10, {"resets_at": NOW + timedelta(seconds=3)}, True),
        (Asked(NOW), 10, {"resets_at": NOW + timedelta(seconds=30)}, False),
        (Asked(NOW), -30, {}, False),
        (Asked(NOW), -400, {}, True),
        (Asked(NOW, ok=False, retry_at=NOW + timedelta(seconds=600)), -86_400, {}, True),
        (Asked(NOW, ok=False, retry_at=NOW + timedelta(seconds=600)), -30, {}, False),
        (Asked(NOW, retry_at=NOW + timedelta(days=4000)), 86_399, {}, False),
        (Asked(NOW, retry_at=NOW + timedelta(days=4000)), 86_400, {}, True),
        (Asked(retry_at=NOW + timedelta(days=4000)), 90, {}, True),
    ],
)
def test_when_a_source_may_be_asked(asked, later, more, want):
    assert due(asked, NOW + timedelta(seconds=later), **{**USUAL, **more}) is want


def test_jitter_is_of_the_account_and_stays_within_a_quarter():
    first = [
        next(s for s in range(60, 80) if due(Asked(NOW), NOW + timedelta(seconds=s), **{**USUAL, "seed": f"a{n}"}))
        for n in range(40)
    ]
    assert len(set(first)) > 5
    assert first == [next(s for s in range(60, 80) if due(Asked(NOW), NOW + timedelta(seconds=s), **{**USUAL, "seed": f"a{n}"})) for n in range(40)]  # fmt: skip
    assert due_at(Asked(NOW, retry_at=NOW + MINUTE * 9), NOW, every=MINUTE) == NOW + MINUTE * 9


# --- refusals ----------------------------------------------------------------------------------------------------------

Z = "https://api.z.ai/api/coding/paas/v4"
KIMI = "https://api.kimi.com/coding/v1"
ROUTER = "https://openrouter.ai/api/v1"


def says(code, message=""):
    return {"error": {"code": code, "message": message}}


REFUSALS = [
    ("GLM too fast", 429, {}, says("1302"), Z, ("transient", "", None)),
    ("GLM five hours", 429, {}, says("1308", "Your limit will reset at 2026-11-23 20:00:00"), Z,
     ("quota", "5 hours", datetime(2026, 11, 23, 12, tzinfo=UTC))),
    ("GLM week", 429, {}, says("1310", "reset at 2026-11-30 00:00:00"), Z,
     ("quota", "long", datetime(2026, 11, 29, 16, tzinfo=UTC))),
    ("GLM wrong address", 429, {}, says("1113", "no balance"), "https://api.z.ai/api/paas/v4", ("address", "", None)),
    ("GLM expired", 429, {}, says("1309"), Z, ("plan", "", None)),
    ("Kimi week", 403, {}, {"error": {"type": "access_terminated_error", "message": "You've reached your weekly (7-day) usage limit"}},
     KIMI, ("quota", "week", None)),
    ("Kimi cycle", 403, {}, {"error": {"type": "permission_error", "message": "You've reached your usage limit for this billing cycle."}},
     KIMI, ("quota", "", None)),
    ("Kimi client", 403, {}, {"error": {"message": "Kimi For Coding is currently only available for Coding Agents"}}, KIMI,
     ("client_refused", "", None)),
    ("Kimi busy", 429, {}, {"error": {"message": "The engine is currently overloaded"}}, KIMI, ("transient", "", None)),
    ("DeepSeek", 402, {}, {"error": {"message": "Insufficient Balance"}}, "https://api.deepseek.com", ("balance", "", None)),
    ("OpenRouter in flight", 402, {"Retry-After": "7"}, says(402, "Budget in flight."), ROUTER,
     ("transient", "", NOW + timedelta(seconds=7))),
    ("OpenRouter credits", 402, {}, says(402, "requires more credits"), ROUTER, ("balance", "", None)),
    ("OpenRouter budget", 403, {}, {"error": {"metadata": {"resets_at": "2026-11-24T00:00:00Z"}}}, ROUTER,
     ("quota", "budget", datetime(2026, 11, 24, tzinfo=UTC))),
    ("Codex", 429, {}, {"error": {"type": "usage_limit_reached", "resets_at": 1795464000}}, "https://chatgpt.com",
     ("quota", "", datetime(2026, 11, 23, 20, tzinfo=UTC))),
    ("MiniMax", 429, {}, {"error": {"message": "5-hour usage limit reached, resets at 2026-11-23T20:00:00Z (2056)"}},
     "https://api.minimax.io/v1", ("quota", "5 hours", datetime(2026, 11, 23, 20, tzinfo=UTC))),
    ("MiniMax no plan", 429, {}, {"error": {"message": "5-hour usage limit reached (0/0 used) (2056)"}}, "https://api.minimax.io/v1",
     ("plan", "5 hours", None)),
    ("Alibaba", 429, {}, {"error": {"message": "week allocated quota exceeded."}}, "https://coding-intl.dashscope.aliyuncs.com/v1",
     ("quota", "week", None)),
    ("Claude plan", 429, {"anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": "1795464000",
     "anthropic-ratelimit-unified-representative-claim": "five_hour"}, {}, "https://api.anthropic.com",
     ("quota", "5 hours", datetime(2026, 11, 23, 20, tzinfo=UTC))),
    ("a bad key is none of our business", 401, {}, says("invalid_api_key"), Z, ("none", "", None)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "status", "headers", "body", "base", "want"), REFUSALS, ids=[each[0] for each in REFUSALS]
)
def test_t31_what_a_refusal_means(why, status, headers, body, base, want):
    found = exhaustion.classify(status, headers, json.dumps(body), base_url=base, now=NOW, plan_key=True)
    assert (found.kind, found.window, found.until) == want


def test_t31_advice_and_readings():
    wrong = exhaustion.classify(429, {}, json.dumps(says("1113")), base_url="https://api.z.ai/api/paas/v4", now=NOW, plan_key=True)  # fmt: skip
    assert "https://api.z.ai/api/coding/paas/v4" in wrong.advice
    cycle = exhaustion.classify(
        403, {}, json.dumps(says("", "usage limit for this billing cycle")), base_url=KIMI, now=NOW
    )
    assert cycle.wants_reading
    assert cycle.reading(NOW).meter == "some window"
    five = exhaustion.classify(429, {}, json.dumps(says("1308", "reset at 2026-11-24 02:00:00")), base_url=Z, now=NOW)
    assert (five.reading(NOW).status, five.reading(NOW).meter) == ("exhausted", "5 hours")


@pytest.mark.parametrize(
    "body", ["", "<html>", "[]", "{}", '{"error": []}', '{"error": {"code": {}, "message": []}}', "[" * 50_000]
)
def test_no_refusal_breaks_the_classifier(body):
    for status in (400, 402, 403, 429, 500):
        exhaustion.classify(status, {}, body, base_url="nonsense", now=NOW)


@pytest.mark.parametrize("odd", [{"a": 1}, [1], None, 5, "", True])
def test_a_refusal_or_an_answer_with_anything_in_place_of_a_word_is_read(odd):
    for body in ({"error": {"type": odd, "code": odd, "message": odd}}, {"error": odd}, {"code": odd, "msg": odd}, odd):
        found = exhaustion.classify(429, {}, json.dumps(body), base_url="https://api.example.com", now=NOW)
        assert found.kind == "transient"
    body = {"base_resp": {"status_code": odd}}
    if odd is None:
        assert read(body, "api.minimax.io") == []
    else:
        with pytest.raises(ProviderError, match="does not tell the quota"):
            read(body, "api.minimax.io")


def test_what_was_recorded_of_claudes_own_endpoint_is_read_by_its_host():
    body = {"five_hour": {"utilization": 24, "resets_at": "2026-11-23T20:00:00Z"}}
    assert [(each.meter, each.percent) for each in read(body, "api.anthropic.com")] == [("5 hours", D(24))]
