"""What error answers mean, vendor by vendor: status, headers and body in, a class and what it carries out."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import errors
from assistant.models import catalogue, failure, reset
from assistant.models.failure import classify
from assistant.models.provider import Provider

ALL = catalogue.load({}, None, {})
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def said(provider, status, body, headers=None, now=NOW):
    seller = ALL.providers.get(provider) or Provider(provider, provider, "openai_chat", "https://relay.example/v1")
    text = body if isinstance(body, str) else json.dumps(body)
    return classify(status, headers or {}, text, provider=seller, now=now)


def anthropic(kind, message, **details):
    more = {"details": details} if details else {}
    return {"type": "error", "error": {"type": kind, "message": message, **more}, "request_id": "req_1"}


def openai(message, kind, code):
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def gemini(code, message, status, *details):
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def glm(code, message):
    return {"error": {"code": code, "message": message}}


def minimax(code, message):
    return {"base_resp": {"status_code": code, "status_msg": message}}


INVALID = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
DELAY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "45s"}


def quota(quota_id):
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaMetric": "m", "quotaId": quota_id}]}  # fmt: skip


CASES = [
    ("anthropic", 401, anthropic("authentication_error", "invalid x-api-key"), "auth"),
    ("anthropic", 404, anthropic("not_found_error", "model: nope"), "unknown_model"),
    ("anthropic", 400, anthropic("invalid_request_error", "prompt is too long: 1000123 tokens > 1000000 maximum"), "context_overflow"),
    ("anthropic", 413, anthropic("request_too_large", "Request exceeds the maximum size"), "context_overflow"),
    ("anthropic", 429, anthropic("rate_limit_error", "Too fast."), "rate_limited"),
    ("anthropic", 429, anthropic("rate_limit_error", "Ramping.", error_code="ramp_limit_exceeded"), "rate_limited"),
    ("anthropic", 429, anthropic("rate_limit_error", "Cap reached.", error_code="enforced_spend_limit_reached"), "out_of_funds"),
    ("anthropic", 429, anthropic("rate_limit_error", "Cap reached.", error_code="contract_spend_limit_reached"), "out_of_funds"),
    ("anthropic", 402, anthropic("billing_error", "Payment needed."), "out_of_funds"),
    ("anthropic", 400, anthropic("invalid_request_error", "Your credit balance is too low to use the API."), "out_of_funds"),
    ("anthropic", 400, anthropic("invalid_request_error", "Third-party apps now draw from your extra usage, not your plan limits"), "permission"),
    ("anthropic", 529, anthropic("overloaded_error", "Overloaded"), "overloaded"),
    ("anthropic", None, anthropic("overloaded_error", "Overloaded"), "overloaded"),
    ("anthropic", 500, anthropic("api_error", "Internal server error"), "server"),
    ("anthropic", None, anthropic("api_error", "Internal server error"), "server"),
    ("anthropic", 403, anthropic("permission_error", "Not for you."), "permission"),
    ("openai", 401, openai("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"), "auth"),
    ("openai", 404, openai("The model does not exist.", "invalid_request_error", "model_not_found"), "unknown_model"),
    ("openai", 400, openai("Your input exceeds the context window of this model.", "invalid_request_error", "context_length_exceeded"), "context_overflow"),
    ("openai", 429, openai("Rate limit reached.", "tokens", "rate_limit_exceeded"), "rate_limited"),
    ("openai", 429, openai("Slower.", "requests", "slow_down"), "rate_limited"),
    ("openai", 429, openai("No credit left.", "insufficient_quota", "credit_balance_exhausted"), "out_of_funds"),
    ("openai", 429, openai("Project cap.", "insufficient_quota", "project_spend_limit_exceeded"), "out_of_funds"),
    ("openai", 429, openai("Cap.", "insufficient_quota", "organization_usage_limit_exceeded"), "out_of_funds"),
    ("openai", 503, openai("Busy.", "server_error", "server_is_overloaded"), "overloaded"),
    ("openai", 429, {"error": {"type": "usage_limit_reached", "message": "Limit reached.", "plan_type": "plus"}}, "window_exhausted"),
    ("openai", 429, openai("App cap used up.", "rate_limit_error", "subscription_sharing_usage_limit_exceeded"), "window_exhausted"),
    ("openai", 503, openai("Later.", "server_error", "subscription_sharing_usage_unavailable"), "overloaded"),
    ("openai", None, {"type": "error", "code": "rate_limit_exceeded", "message": "Slow down for 2s.", "param": None}, "rate_limited"),
    ("openai", None, {"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error", "message": "Something broke."}}}, "server"),
    ("openai", None, {"type": "response.failed", "response": {"status": "failed", "error": None}}, "server"),
    ("openai", None, {"type": "error", "error": {"type": "x", "code": "context_length_exceeded", "message": "Long."}}, "context_overflow"),
    ("gemini", 400, gemini(400, "API key not valid.", "INVALID_ARGUMENT", INVALID), "auth"),
    ("gemini", 403, gemini(403, "Caller may not.", "PERMISSION_DENIED"), "permission"),
    ("gemini", 404, gemini(404, "models/nope is not found.", "NOT_FOUND"), "unknown_model"),
    ("gemini", 400, gemini(400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "INVALID_ARGUMENT"), "context_overflow"),
    ("gemini", 400, gemini(400, "Unknown name.", "INVALID_ARGUMENT"), "bad_request"),
    ("gemini", 429, gemini(429, "Quota exceeded. Please retry in 45.8s.", "RESOURCE_EXHAUSTED", quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier"), DELAY), "rate_limited"),
    ("gemini", 429, gemini(429, "Quota exceeded.", "RESOURCE_EXHAUSTED", quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), DELAY), "window_exhausted"),
    ("gemini", 402, gemini(402, "Prepaid credit used up.", "RESOURCE_EXHAUSTED"), "out_of_funds"),
    ("gemini", 503, gemini(503, "The model is overloaded.", "UNAVAILABLE"), "overloaded"),
    ("gemini", 500, gemini(500, "An internal error has occurred.", "INTERNAL"), "server"),
    ("deepseek", 401, openai("Authentication failed.", "authentication_error", "invalid_request_error"), "auth"),
    ("deepseek", 402, openai("Insufficient Balance", "unknown_error", "invalid_request_error"), "out_of_funds"),
    ("deepseek", 429, openai("Rate limit reached", "", ""), "rate_limited"),
    ("deepseek", 503, openai("Server overloaded.", "service_unavailable_error", "service_unavailable"), "overloaded"),
    ("qwen", 401, openai("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"), "auth"),
    ("qwen", 400, openai("Range of input length should be [1, 991808]", "invalid_request_error", "invalid_parameter_error"), "context_overflow"),
    ("qwen", 429, openai("Requests rate limit exceeded.", "limit_requests", "limit_requests"), "rate_limited"),
    ("qwen", 429, openai("Request rate increased too quickly.", "limit_burst_rate", "limit_burst_rate"), "rate_limited"),
    ("qwen", 429, openai("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"), "window_exhausted"),
    ("qwen", 400, {"code": "Arrearage", "message": "Access denied, account overdue.", "request_id": "r"}, "out_of_funds"),
    ("qwen", 404, {"code": "ModelNotFound", "message": "no", "request_id": "r"}, "unknown_model"),
    ("qwen-coding", 400, openai("model 'x' is not supported", "invalid_request_error", None), "unknown_model"),
    ("qwen-coding", 401, openai("invalid access token or token expired", "invalid_request_error", None), "auth"),
    ("kimi", 401, {"error": {"message": "Invalid Authentication", "type": "invalid_authentication_error"}}, "auth"),
    ("kimi", 404, {"error": {"message": "Not found the model or no permission.", "type": "resource_not_found_error"}}, "unknown_model"),
    ("kimi", 400, {"error": {"message": "Invalid request: Your request exceeded model token limit: 262144", "type": "invalid_request_error"}}, "context_overflow"),
    ("kimi", 429, {"error": {"message": "Too many requests.", "type": "rate_limit_reached_error"}}, "rate_limited"),
    ("kimi", 429, {"error": {"message": "Balance is used up.", "type": "exceeded_current_quota_error"}}, "out_of_funds"),
    ("kimi", 429, {"error": {"message": "The engine is currently overloaded, please try again later", "type": "engine_overloaded_error"}}, "overloaded"),
    ("kimi-code", 401, {"error": {"message": "The API Key appears to be invalid or may have expired"}}, "auth"),
    ("kimi-code", 402, {"error": {"message": "unable to verify your membership benefits"}}, "out_of_funds"),
    ("kimi-code", 429, {"error": {"message": "We're receiving too many requests"}}, "rate_limited"),
    ("kimi-code", 429, {"error": {"message": "The engine is currently overloaded"}}, "overloaded"),
    ("minimax", 200, minimax(1008, "insufficient balance"), "out_of_funds"),
    ("minimax", 200, minimax(1002, "rate limit"), "rate_limited"),
    ("minimax", 200, minimax(1004, "login fail"), "auth"),
    ("minimax", 200, minimax(2049, "invalid api key"), "auth"),
    ("minimax", 200, minimax(2056, "usage limit exceeded"), "window_exhausted"),
    ("minimax", 200, minimax(1039, "token limit"), "context_overflow"),
    ("minimax", 200, minimax(2013, "invalid params, context window exceeds limit"), "context_overflow"),
    ("minimax", 400, minimax(2013, "invalid params"), "bad_request"),
    ("minimax", 200, minimax(1024, "internal"), "server"),
    ("minimax", None, minimax(1002, "rate limit"), "rate_limited"),
    ("zai", 401, glm("1000", "Authentication failed"), "auth"),
    ("zai", 400, glm("1211", "The model does not exist"), "unknown_model"),
    ("zai", 400, glm("1261", "Prompt exceeds max length"), "context_overflow"),
    ("zai", 500, glm("1234", "Network error"), "server"),
    ("zai", 429, glm("1305", "Too much traffic."), "overloaded"),
    ("zai-coding", 429, glm("1309", "Plan expired"), "permission"),
    ("zai-coding", 429, glm("1311", "This model is not in your plan."), "permission"),
    ("zai-coding", 429, glm("1313", "Fair use"), "permission"),
    ("bigmodel-coding", 429, glm(1315, "Wrong key"), "auth"),
    ("bigmodel-coding", 429, glm("1316", "limit"), "window_exhausted"),
    ("xai", 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided."}, "auth"),
    ("xai", 400, {"code": "Client specified an invalid argument", "error": "This model's maximum prompt length is 500000 but the request contains 500123 tokens."}, "context_overflow"),
    ("xai", 429, {"code": "Some resource has been exhausted", "error": "Too many requests."}, "rate_limited"),
    ("xai", 403, {"code": "x", "error": "Your team has used all available credits or reached its monthly spending limit."}, "out_of_funds"),
    ("nvidia", 429, {"detail": "ResourceExhausted: no workers"}, "overloaded"),
    ("bedrock", 403, {"message": "The security token included in the request is invalid."}, "auth"),
    ("bedrock", 429, {"message": "Too many tokens, please wait before trying again."}, "rate_limited"),
    ("bedrock", 503, {"message": "Service unavailable."}, "overloaded"),
    ("bedrock", 400, {"message": "Input is too long for requested model."}, "context_overflow"),
    ("bedrock", 400, {"message": "The provided model identifier is invalid."}, "unknown_model"),
    ("openrouter", 401, {"error": {"code": 401, "message": "No auth credentials found"}}, "auth"),
    ("openrouter", 429, {"error": {"code": 429, "message": "Provider is rate-limited.", "metadata": {"provider_name": "SomeHost", "raw": "..."}}}, "rate_limited"),
    ("openrouter", None, {"error": {"code": 502, "message": "Provider disconnected", "metadata": {"provider_name": "SomeHost", "error_type": "provider_unavailable"}}}, "server"),
    ("openrouter", 400, {"error": {"code": 400, "message": "x", "metadata": {"error_type": "context_length_exceeded"}}}, "context_overflow"),
    ("openrouter", 400, {"error": {"code": 400, "message": "x", "metadata": {"error_type": "content_policy_violation"}}}, "refused"),
    ("openrouter", 404, {"error": {"code": 404, "message": "No endpoints found for a/b."}}, "unknown_model"),
    ("ollama", 404, {"error": "model 'nope' not found"}, "unknown_model"),
    ("ollama", None, {"error": "an error was encountered while running the model"}, "server"),
    ("ollama", 500, {"error": "prompt too long; exceeded context length by 12 tokens"}, "context_overflow"),
    ("llama-server", 400, {"error": {"code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 8192}}, "context_overflow"),
    ("llama-server", 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, "overloaded"),
    ("vllm", 400, {"error": {"message": "This model's maximum context length is 32768 tokens. However, you requested 40000 tokens.", "type": "BadRequestError", "param": None, "code": 400}}, "context_overflow"),
    ("vllm", 404, {"error": {"message": "The model `x` does not exist.", "type": "NotFoundError", "param": None, "code": 404}}, "unknown_model"),
    ("lmstudio", None, {"error": {"message": "The number of tokens to keep from the initial prompt is greater than the context length."}}, "context_overflow"),
    ("relay", 422, {"detail": [{"loc": ["body", "messages"], "msg": "field required", "type": "missing"}]}, "bad_request"),
    ("relay", 401, {"detail": "Invalid token"}, "auth"),
    ("relay", 502, "<html><body>Bad Gateway</body></html>", "server"),
    ("relay", 200, "<!DOCTYPE html><html><body>Please log in</body></html>", "bad_endpoint"),
    ("relay", 403, "<html>proxy</html>", "bad_endpoint"),
    ("relay", 404, "", "bad_endpoint"),
    ("relay", 302, "", "bad_endpoint"),
    ("relay", None, {"error": {"message": "Upstream closed the connection", "type": "server_error", "param": None, "code": None}}, "server"),
    ("relay", 200, {"unexpected": True}, "server"),
]  # fmt: skip


@pytest.mark.parametrize(("provider", "status", "body", "kind"), CASES)
def test_status_and_body_together_make_the_class(provider, status, body, kind):
    assert said(provider, status, body).kind == kind


@pytest.mark.parametrize(
    ("provider", "status", "body", "headers", "kind", "window"),
    [
        ("zai-coding", 429, glm("1302", "High concurrency."), {}, "rate_limited", None),
        ("zai-coding", 429, glm("1308", "Usage limit reached for 5 hour. Your limit will reset at 2026-11-23 20:00:00"), {}, "window_exhausted", "5 hours"),
        ("zai-coding", 429, glm("1310", "Weekly limit reached. Your limit will reset at 2026-11-30 00:00:00"), {}, "window_exhausted", "week"),
        ("zai-coding", 429, glm("1310", "Monthly limit reached."), {}, "window_exhausted", "month"),
        ("zai", 429, glm("1113", "Account has no balance."), {}, "out_of_funds", None),
        ("kimi-code", 403, {"error": {"message": "You've reached your weekly (7-day) usage limit.", "type": "access_terminated_error"}}, {}, "window_exhausted", "week"),
        ("kimi-code", 403, {"error": {"message": "You've reached your usage limit for this billing cycle.", "type": "permission_error"}}, {}, "window_exhausted", ""),
        ("kimi-code", 429, {"error": {"message": "Your usage limit will reset when the current 5-hour window ends"}}, {}, "window_exhausted", "5 hours"),
        ("kimi-code", 403, {"error": {"message": "currently only available for Coding Agents", "type": "permission_error"}}, {}, "permission", None),
        ("deepseek", 402, openai("Insufficient Balance", "unknown_error", "invalid_request_error"), {}, "out_of_funds", None),
        ("openrouter", 402, {"error": {"code": 402, "message": "Budget in flight.", "metadata": {"limit_source": "openrouter_in_flight_budget"}}}, {"retry-after": "7"}, "rate_limited", None),
        ("openrouter", 402, {"error": {"code": 402, "message": "This request requires more credits."}}, {}, "out_of_funds", None),
        ("openai", 429, {"error": {"type": "usage_limit_reached", "message": "Limit reached.", "plan_type": "plus", "resets_at": 1795410000}}, {}, "window_exhausted", ""),
        ("minimax", 429, minimax(2056, "5-hour usage limit reached, resets at 2026-11-23T15:00:00Z (2056)"), {}, "window_exhausted", "5 hours"),
        ("qwen-coding", 429, openai("hour allocated quota exceeded", "insufficient_quota", None), {}, "window_exhausted", "5 hours"),
        ("qwen-coding", 429, openai("week allocated quota exceeded", "insufficient_quota", None), {}, "window_exhausted", "week"),
        ("qwen-coding", 429, openai("month allocated quota exceeded", "insufficient_quota", None), {}, "window_exhausted", "month"),
        ("anthropic", 429, anthropic("rate_limit_error", "Limit."), {"anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-representative-claim": "five_hour"}, "window_exhausted", "5 hours"),
        ("openai", 429, {"error": {"type": "usage_limit_reached", "message": "x"}}, {"x-codex-primary-used-percent": "100", "x-codex-primary-window-minutes": "10080"}, "window_exhausted", "week"),
    ],
)  # fmt: skip
def test_a_limit_that_is_used_up_is_told_from_a_throttle_a_balance_and_a_bad_login(
    provider, status, body, headers, kind, window
):
    error = said(provider, status, body, headers)
    assert (error.kind, getattr(error, "window", None)) == (kind, window)
    assert error.retryable is (kind == "rate_limited")


def test_a_plan_key_at_the_wrong_address_is_explained():
    error = said("zai", 429, glm("1113", "Account has no balance."))
    assert "https://api.z.ai/api/coding/paas/v4" in error.hint
    assert "zai-coding" in error.hint


@pytest.mark.parametrize(
    ("provider", "status", "body", "headers", "at"),
    [
        ("anthropic", 429, anthropic("rate_limit_error", "x"), {"retry-after": "12"}, NOW + timedelta(seconds=12)),
        ("openai", 429, openai("x", "tokens", "rate_limit_exceeded"), {"retry-after-ms": "1500"}, NOW + timedelta(seconds=1.5)),
        ("openai", 429, openai("x", "tokens", "rate_limit_exceeded"), {"retry-after": "Mon, 23 Nov 2026 18:00:12 GMT"}, datetime(2026, 11, 23, 18, 0, 12, tzinfo=UTC)),
        ("openai", 429, openai("Please try again in 6m0s.", "tokens", "rate_limit_exceeded"), {}, NOW + timedelta(minutes=6)),
        ("openai", 429, openai("Please try again in 20.5s. Visit", "tokens", "rate_limit_exceeded"), {}, NOW + timedelta(seconds=20.5)),
        ("openai", 429, openai("x", "tokens", "rate_limit_exceeded"), {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s", "x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "12ms"}, NOW + timedelta(minutes=6)),
        ("openai", None, {"type": "error", "code": "rate_limit_exceeded", "message": "Slow down for 2s."}, {}, NOW + timedelta(seconds=2)),
        ("openai", 429, {"error": {"type": "usage_limit_reached", "message": "x", "resets_at": 1795449600, "resets_in_seconds": 5400}}, {}, datetime(2026, 11, 23, 16, 0, tzinfo=UTC)),
        ("openai", 429, {"error": {"type": "usage_limit_reached", "message": "x", "resets_in_seconds": 5400}}, {}, NOW + timedelta(minutes=90)),
        ("anthropic", 429, anthropic("rate_limit_error", "x"), {"anthropic-ratelimit-input-tokens-remaining": "0", "anthropic-ratelimit-input-tokens-reset": "2026-11-23T09:00:03Z"}, NOW + timedelta(seconds=3)),
        ("anthropic", 429, anthropic("rate_limit_error", "x"), {"anthropic-ratelimit-unified-status": "rejected", "anthropic-ratelimit-unified-reset": "1795449600"}, datetime(2026, 11, 23, 16, 0, tzinfo=UTC)),
        ("gemini", 429, gemini(429, "Please retry in 45.8s.", "RESOURCE_EXHAUSTED", DELAY), {}, NOW + timedelta(seconds=45)),
        ("gemini", 429, gemini(429, "Please retry in 45.8s.", "RESOURCE_EXHAUSTED"), {}, NOW + timedelta(seconds=45.8)),
        ("zai-coding", 429, glm("1308", "Your limit will reset at 2026-11-23 20:00:00"), {}, datetime(2026, 11, 23, 12, 0, tzinfo=UTC)),
        ("minimax", 429, minimax(2056, "5-hour usage limit reached: resets at 2026-11-23T15:00:00Z (2056)"), {}, datetime(2026, 11, 23, 15, 0, tzinfo=UTC)),
        ("openrouter", 403, {"error": {"code": 403, "message": "Budget", "metadata": {"resets_at": "2026-11-24T00:00:00Z"}}}, {}, datetime(2026, 11, 24, tzinfo=UTC)),
        ("zai-coding", 429, glm("1308", "Your limit will reset at 2026-11-20 20:00:00"), {}, None),
        ("kimi", 429, {"error": {"message": "x", "type": "rate_limit_reached_error"}}, {"x-ratelimit-remaining": "499", "x-ratelimit-reset": "1795510060"}, None),
        ("relay", 429, "", {"retry-after": "soon"}, None),
    ],
)  # fmt: skip
def test_the_time_to_ask_again_is_read_wherever_it_stands(provider, status, body, headers, at):
    assert said(provider, status, body, headers).retry_at == at


def test_a_budget_window_of_the_relay_is_a_window_and_not_a_right():
    body = {"error": {"code": 403, "message": "Budget", "metadata": {"resets_at": "2026-11-24T00:00:00Z"}}}
    assert said("openrouter", 403, body).kind == "window_exhausted"


@pytest.mark.parametrize(
    ("provider", "message", "sent", "limit"),
    [
        ("anthropic", "prompt is too long: 1000123 tokens > 1000000 maximum", 1_000_123, 1_000_000),
        ("gemini", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", 1_200_000, 1_048_576),
        ("vllm", "This model's maximum context length is 32768 tokens. However, you requested 40,000 tokens.", 40_000, 32_768),
        ("xai", "This model's maximum prompt length is 500000 but the request contains 500123 tokens.", 500_123, 500_000),
        ("qwen", "Range of input length should be [1, 991808]", None, 991_808),
        ("kimi-code", "Your request exceeded model token limit: 262144 (requested: 300000)", 300_000, 262_144),
    ],
)  # fmt: skip
def test_an_overflow_says_how_much_of_how_much(provider, message, sent, limit):
    error = said(provider, 400, {"error": {"message": message}})
    assert (error.kind, error.sent, error.limit) == ("context_overflow", sent, limit)


def test_llama_server_gives_the_sizes_as_fields():
    body = {
        "error": {"message": "too big", "type": "exceed_context_size_error", "n_prompt_tokens": 9000, "n_ctx": 8192}
    }
    assert (said("llama-server", 400, body).sent, said("llama-server", 400, body).limit) == (9000, 8192)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, "bad_request", False), (401, "auth", False), (402, "out_of_funds", False), (403, "permission", False),
        (404, "unknown_model", False), (408, "server", True), (413, "context_overflow", False), (422, "bad_request", False),
        (429, "rate_limited", True), (500, "server", True), (502, "server", True), (503, "overloaded", True),
        (504, "server", True), (529, "overloaded", True), (418, "bad_request", False), (599, "server", True),
    ],
)  # fmt: skip
def test_a_body_that_nobody_knows_is_classed_by_its_status(status, kind, retryable):
    error = said("relay", status, {"message": "zzz"})
    assert (error.kind, error.retryable) == (kind, retryable)


def test_a_server_that_says_whether_to_retry_is_believed():
    assert said("openai", 429, openai("x", "", "slow_down"), {"x-should-retry": "false"}).retryable is False
    assert said("openai", 409, {"message": "conflict"}, {"x-should-retry": "true"}).retryable is True
    assert said("openai", 401, {"message": "no"}, {"x-should-retry": "true"}).retryable is False
    assert errors.RateLimited("x").retryable is True  # the class is not touched


def test_bedrock_names_its_exceptions_in_a_header():
    for name, kind in (
        ("ThrottlingException", "rate_limited"), ("ValidationException", "bad_request"), ("AccessDeniedException", "permission"),
        ("ModelNotReadyException", "overloaded"), ("ExpiredTokenException:http://x", "auth"), ("ModelErrorException", "server"),
    ):  # fmt: skip
        assert said("bedrock", 400, {"message": "zzz"}, {"x-amzn-errortype": name}).kind == kind


def test_a_named_exception_is_worth_more_than_the_words_beside_it():
    for words, kind in (("Slow down.", "bad_request"), ("Input is too long for requested model.", "context_overflow")):
        assert said("bedrock", 400, {"message": words}, {"x-amzn-errortype": "ValidationException"}).kind == kind


def test_a_body_of_minimax_is_known_behind_any_gateway():
    for code, kind in ((1004, "auth"), (2056, "window_exhausted"), (1008, "out_of_funds"), (1039, "context_overflow")):
        assert said("relay", 200, minimax(code, "zzz")).kind == kind


def test_rules_of_bedrock_hold_wherever_its_protocol_is_spoken():
    mine = Provider("gateway", "Gateway", "bedrock_converse", "https://gateway.example")
    for status, words, kind in (
        (403, "The security token included in the request is invalid.", "auth"), (400, "The provided model identifier is invalid.", "unknown_model"),
    ):  # fmt: skip
        assert classify(status, {}, json.dumps({"message": words}), provider=mine, now=NOW).kind == kind


@pytest.mark.parametrize(
    ("body", "says"),
    [('{"detail": "no"}', True), ('{"base_resp": {"status_code": 1, "status_msg": "no"}}', True), ('{"error": "no"}', True), ('[{"error": {"message": "no"}}]', True),
     ('{"message": {"content": "a"}, "done": false}', False), ('{"a": 1}\n{"b": 2}', False), ('{"error": "n', False), ("[]", False), ("", False)],
)  # fmt: skip
def test_the_beginning_of_an_answer_tells_of_no_failure(body, says):
    assert failure.tells({}, body) is says


def test_rules_of_a_vendor_hold_at_its_host_under_any_name():
    mine = Provider("my-glm", "My GLM", "openai_chat", "https://api.z.ai/api/coding/paas/v4")
    error = classify(429, {}, json.dumps(glm("1308", "x")), provider=mine, now=NOW)
    assert (error.kind, error.window) == ("window_exhausted", "5 hours")
    assert said("openai", 429, glm("1308", "x")).kind == "rate_limited"  # the code means nothing elsewhere


def test_no_key_is_shown_and_no_page_is_dumped():
    error = said(
        "openai", 401, openai("Incorrect API key provided: sk-proj-CANARY0123456789abcd", "x", "invalid_api_key")
    )
    assert "CANARY" not in str(error)
    page = said("relay", 502, "<html>" + "x" * 100_000)
    assert len(str(page)) < 400
    assert "xxx" not in str(page)


def test_every_rule_can_be_read_and_names_a_class():
    assert len(failure.rules()) > 80
    assert {rule.kind.kind for rule in failure.rules()} >= {"auth", "window_exhausted", "out_of_funds", "overloaded"}


@given(st.one_of(st.none(), st.integers(100, 599)), st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["error", "message", "code", "type", "details", "metadata", "detail", "base_resp", "violations", "response", "loc", "resets_at", "status_code"]), inner, max_size=5), max_leaves=12))  # fmt: skip
def test_any_body_is_some_provider_error(status, body):
    error = said("minimax", status, body, {"retry-after": "x"})
    assert isinstance(error, errors.ProviderError)
    assert error.message


def test_a_hostile_body_costs_little():
    for body in ("[" * 200_000, '{"error":' * 50_000, "resets at " * 100_000, '{"message": "' + "1" * 1_000_000 + '"}'):
        assert isinstance(said("openai", 429, body), errors.ProviderError)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("12ms", 0.012), ("1s", 1), ("6m0s", 360), ("1m7.5s", 67.5), ("2h3m", 7380), ("45s", 45), ("45.8s", 45.8), ("1d2h", 93_600), ("30", 30), ("soon", None), ("", None)],
)  # fmt: skip
def test_lengths_of_time_as_headers_write_them(text, seconds):
    found = reset.duration(text)
    assert (found.total_seconds() if found is not None else None) == seconds
