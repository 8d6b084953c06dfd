"""A question from the command line through every wire to a server on loopback, and the line of JSON that comes of it."""

import pytest

from tests import loopback
from tests.models.streaming import FRAMINGS, WIRES, sse, stream
from tests.models.test_wire_streams import SAMPLES

KINDS = {"sse": "text/event-stream", "ndjson": "application/x-ndjson", "aws": "application/vnd.amazon.eventstream"}
NAMES = {
    "anthropic_messages": "messages_tool.sse", "bedrock_converse": "converse_events.txt", "gemini": "gemini_tool.sse",
    "ollama": "ollama_tool.ndjson", "openai_chat": "chat_tool.sse", "openai_responses": "responses_tool.sse",
}  # fmt: skip
PRICE = '[[providers.mine.models]]\nid = "some-model"\nabilities = ["thinking"]\nservice_tiers = { flex = "0.5" }\n[[providers.mine.models.prices]]\ninput = "1"\noutput = "10"\ncache_read = ".1"\ncache_write_short = "2"\ncache_write_long = "4"\n'


@pytest.fixture
def ask(wattson, tmp_path, env):
    def run(wire, *answers, paid="metered"):
        from assistant import config

        with loopback.Server(*answers) as server:
            place = config.places(env).config
            place.mkdir(parents=True, exist_ok=True)
            page = f'[providers.mine]\ntitle = "Mine"\nwire = "{wire}"\nbase_url = "{server.url}"\nkey_names = ["MINE_KEY"]\npayer = "{paid}"\n'
            (place / "config.toml").write_text(page + PRICE)
            code, lines, err = wattson(
                "ask", "-m", "mine/some-model", "--json", "hi", lines=True, MINE_KEY="sk-0123456789abcdef"
            )
            return code, lines[-1], server.asked, err

    return run


@pytest.mark.parametrize("wire", WIRES)
def test_a_question_through_every_wire(ask, wire):
    body, expected = stream(NAMES[wire]), SAMPLES[NAMES[wire]][1]
    code, end, asked, err = ask(wire, (200, {"content-type": KINDS[FRAMINGS.get(wire, "sse")]}, body))
    fresh, read, short, long, output, reasoning = expected["usage"]
    assert code == 0, err
    assert (end["text"], end["thought"], end["stop"], end["error"]) == (
        expected["text"],
        expected["thought"],
        "tool",
        None,
    )
    assert end["usage"] == {
        "fresh_input": fresh,
        "cache_read": read,
        "cache_write": short + long,
        "output": output,
        "reasoning": reasoning,
        "exact": True,
    }
    cost = (fresh + read / 10 + short * 2 + long * 4 + (output + reasoning) * 10) / 1_000_000
    assert (float(end["cost"]["amount"]), end["cost"]["status"]) == (pytest.approx(cost), "metered")
    assert end["served_model"] == expected.get("served", "")
    assert len(asked) == 1


@pytest.mark.parametrize("wire", WIRES)
def test_a_stream_that_breaks_through_every_wire(ask, wire):
    body = stream(NAMES[wire])
    code, end, asked, _ = ask(wire, body[: len(body) * 6 // 10])
    assert (code, end["stop"], end["error"]["class"], end["usage"]["exact"], len(asked)) == (
        75,
        "error",
        "stream_broken",
        False,
        1,
    )


def test_lines_that_stop_between_two_of_them_are_a_broken_answer(ask):
    line = b'{"model":"m","message":{"role":"assistant","content":"Hal"},"done":false}\n'
    for count in (1, 3):
        code, end, asked, _ = ask("ollama", (200, {"content-type": "application/x-ndjson"}, line * count))
        assert (code, end["error"]["class"], end["text"], len(asked)) == (75, "stream_broken", "Hal" * count, 1)


def test_the_tier_of_a_reply_is_what_it_costs(ask):
    body = sse({"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}], "service_tier": "flex"},
               {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 2}})  # fmt: skip
    _, end, _, _ = ask("openai_chat", body)
    assert end["cost"] == {"amount": "0.000015", "currency": "USD", "status": "metered"}


@pytest.mark.parametrize("wire", WIRES)
def test_a_key_that_is_refused_through_every_wire(ask, wire):
    reply = (
        401,
        {"content-type": "application/json"},
        b'{"error":{"message":"Incorrect API key provided: sk-0123456789abcdef"}}',
    )
    code, end, asked, err = ask(wire, reply)
    assert (code, end["error"]["class"], len(asked)) == (1, "auth", 1)
    assert "sk-0123456789abcdef" not in f"{end}{err}"


def test_a_reported_cost_through_the_line(ask):
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "cost": 0.00123}
    _, end, _, _ = ask(
        "openai_chat",
        sse(
            {"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]},
            {"choices": [], "usage": usage},
        ),
    )
    assert end["cost"] == {"amount": "0.00123", "currency": "USD", "status": "reported"}
