"""Keys, money and the line, as they go wrong: cases D3 to D8, E1 to E8 and F1 to F8 that are seen from outside.

What the door to the network does by itself in these cases stands in `tests/models/test_client.py`.
"""

import asyncio
import json
import shutil
import ssl
import stat
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from assistant import command, events
from assistant.edits.review import Review
from assistant.errors import BudgetError, ConfigError, PatchError
from assistant.models.client import Client
from assistant.models.message import said
from assistant.models.wire import Request, TextChunk
from assistant.tui import editor
from tests import loopback
from tests.models.peer import answer, peer
from tests.models.streaming import model, provider, sse, wire

CANARY = "sk-proj-CANARY0123456789abcdef"
JSON = {"content-type": "application/json"}
EDIT = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
ASK = ("ask", "-m", "openai/gpt-6.1-sol", "--json", "hi")


def echo(status):
    return (status, JSON, json.dumps({"error": {"message": f"wrong key {CANARY}", "code": CANARY}}).encode())


@pytest.mark.parametrize(
    "behaviour",
    [loopback.openai("fine"), loopback.openai("cut", cut=True), echo(401), echo(400), echo(429), b"data: {", b""],
)
def test_d3_the_key_is_in_no_file_and_on_no_stream(wattson, tmp_path, repo, behaviour):
    with loopback.Server(behaviour) as server:
        found = [wattson(*ASK, OPENAI_BASE_URL=server.url, OPENAI_API_KEY=CANARY, stdin="")]
        assert CANARY in str(server.asked)  # it went where it belongs
    found.append(wattson(*ASK, OPENAI_BASE_URL="https://127.0.0.1:9", OPENAI_API_KEY=CANARY))
    found.append(wattson("doctor", "--json", "--offline", OPENAI_API_KEY=CANARY))
    for _, out, err in found:
        assert CANARY not in out + err
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert kept == []


def test_d7_nobody_else_can_read_what_we_keep(repo, env, tmp_path):
    with loopback.Server(loopback.openai(EDIT)) as server:
        surroundings = {**env, "PYTHONPATH": str(Path.cwd()), "OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": CANARY}
        command = [sys.executable, "-m", "assistant", "ask", "-m", "openai/gpt-6.1-sol", "--apply", "hi"]
        done = subprocess.run(command, cwd=repo, env=surroundings, capture_output=True, umask=0)
    assert done.returncode == 0, done.stderr
    kept = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert len(kept) >= 3
    open_ones = [path.name for path in kept if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    assert open_ones == []


async def test_d8_no_program_that_we_start_sees_a_key(make_session, repo, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    seen = tmp_path / "seen"
    hook = repo / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nenv > {seen}\n")
    hook.chmod(0o755)
    with loopback.Server(loopback.openai(EDIT)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=CANARY)
        session.roster.choose("openai/gpt-6.1-sol")
        _ = [event async for event in session.ask("set it")]
        _ = [event async for event in session.deciding.apply(Review.of(session.proposed.patch, "take"))]
        _ = [event async for event in session.committing.commit("Start at one")]
        await session.close()
    assert "PATH=" in seen.read_text()
    assert "CANARY" not in seen.read_text()


async def test_d8_the_editor_sees_no_key(make_session, tmp_path):
    seen, script = tmp_path / "seen", tmp_path / "ed.sh"
    script.write_text(f'#!/bin/sh\nenv > {seen}\necho new words > "$1"\n')
    script.chmod(0o755)
    session = make_session(OPENAI_API_KEY=CANARY, EDITOR=str(script))

    class Stage:
        """As much of the screen as an editor needs."""

        def __init__(self):
            self.session, self.app = session, self

        def suspend(self):
            import contextlib

            return contextlib.nullcontext()

    assert await editor.edit(Stage(), "old words", ".md") == "new words\n"
    assert "PATH=" in seen.read_text()
    assert "CANARY" not in seen.read_text()


async def test_e1_a_limit_for_ever_ends_after_a_few_tries_and_says_how_long_each_waits(make_session):
    busy = (429, {**JSON, "retry-after": "0"}, b'{"error": {"message": "Rate limit reached"}}')
    with loopback.Server(busy) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=CANARY)
        session.roster.choose("openai/gpt-6.1-sol")
        found = [event async for event in session.ask("hi")]
        await session.close()
    waits = [event for event in found if isinstance(event, events.Retrying)]
    assert len(server.asked) == len(waits) + 1 <= 5  # E3: nobody else retries beneath us
    assert found[-1].error.kind == "rate_limited"
    assert session.accounts.usage.total == 0


async def test_e2_edits_that_never_fit_go_back_once_and_no_more(make_session):
    wrong = EDIT.replace("joules: float = 0.0", "no such line here")
    with loopback.Server(loopback.openai(wrong)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=CANARY)
        session.roster.choose("openai/gpt-6.1-sol")
        ended = [event async for event in session.ask("set it")][-1]
        await session.close()
    assert len(server.asked) == 1 + session.config.repairs == 2
    assert ended.misfits
    assert ended.patch is None
    assert ended.usage.total == 2 * 120  # both are counted


async def test_what_no_other_answer_can_mend_is_not_sent_back(make_session, repo):
    (repo / "kettle/photo.bin").write_bytes(b"\x00\x01\x02")
    binary = EDIT.replace("kettle/meter.py", "kettle/photo.bin")
    (repo / "kettle/meter.py").write_text((repo / "kettle/meter.py").read_text().replace("= 0.0", "= 1.0", 1))
    with loopback.Server(loopback.openai(binary + EDIT)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=CANARY)
        session.roster.choose("openai/gpt-6.1-sol")
        ended = [event async for event in session.ask("set it")][-1]
        assert [each.reason for each in ended.misfits] == ["unreadable", "already"]
        assert session.turns.quote_repair() is None
        with pytest.raises(PatchError, match="nothing to repair"):
            await anext(session.turns.repair())
        await session.close()
    assert len(server.asked) == 1


async def test_what_did_not_fit_can_be_sent_back_after_the_rest_is_written(make_session, repo, tmp_path):
    folder = tmp_path / "state" / "config"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("repairs = 0\n")
    wrong = EDIT.replace("joules: float = 0.0", "jules: float = 0", 1).replace("1.0", "2.0")
    good = "kettle/new.py\n```\nx = 1\n```\n"
    with loopback.Server(loopback.openai(good + wrong), loopback.openai(EDIT)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=CANARY)
        session.roster.choose("openai/gpt-6.1-sol")
        [event async for event in session.ask("set it")]
        [event async for event in session.deciding.apply(Review.of(session.proposed.patch, "take"))]
        assert (repo / "kettle/new.py").read_text() == "x = 1\n"
        quote = session.turns.quote_repair()
        [event async for event in session.turns.repair()]
        sent = server.asked[1][2]["messages"][-1]["content"]
        assert "jules: float" in sent
        assert "joules: float = 0.0" in sent  # the lines that come nearest
        assert quote.likely > 0
        assert session.proposed.misfits == ()
        [event async for event in session.deciding.apply(Review.of(session.proposed.patch, "take"))]
        await session.close()
    assert "joules: float = 1.0" in (repo / "kettle/meter.py").read_text()


async def test_a_repair_that_mends_nothing_leaves_the_misfit_standing(make_session):
    wrong = EDIT.replace("joules: float = 0.0", "no such line here").replace("joules: float = 1.0", "nor this")
    with loopback.Server(loopback.openai(EDIT + wrong), loopback.openai("Sorry, I cannot.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=CANARY)
        session.roster.choose("openai/gpt-6.1-sol")
        ended = [event async for event in session.ask("set it")][-1]
        await session.close()
    assert len(server.asked) == 2
    assert [each.reason for each in ended.misfits] == ["not_found"]
    assert ended.patch is not None  # the good one is still proposed


async def test_a_file_that_was_shown_in_part_is_not_replaced_whole(make_session, repo, tmp_path):
    (repo / "long.py").write_text("".join(f"def part_{n}():\n    return {n}\n\n\n" for n in range(2000)))
    folder = tmp_path / "state" / "config"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("repairs = 0\n")
    with loopback.Server(loopback.openai("long.py\n```\ndef part_7():\n    return 8\n```\n")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=CANARY)
        session.roster.choose("openai/gpt-6.1-sol")
        ended = [event async for event in session.ask("part_7 of long.py must return 8")][-1]
        await session.close()
    assert ended.patch is None
    assert [each.reason for each in ended.misfits] == ["unseen"]


async def test_a_model_that_hands_in_whole_files_is_shown_whole_files_and_says_so_before(make_session, repo, tmp_path):
    folder = tmp_path / "state" / "config" / "providers"
    folder.mkdir(parents=True)
    (folder / "tiny.toml").write_text(
        'name = "tiny"\ntitle = "Tiny"\nwire = "openai_chat"\nbase_url = "http://127.0.0.1:9/v1"\nkey_needed = false\n'
        'payer = "local"\n[[models]]\nid = "small"\ncontext_window = 8000\nedit_format = "whole_file"\n'
    )
    text = (repo / "kettle/meter.py").read_text()
    with loopback.Server(loopback.openai("fine")) as server:
        session = make_session(TINY_BASE_URL=server.url)
        session.roster.choose("tiny/small")
        looked = session.sight.look("what does joules in the meter count?")
        [event async for event in session.ask("what does joules in the meter count?")]
        await session.close()
    sent = server.asked[0][2]["messages"][-1]["content"]
    assert f"kettle/meter.py\n```\n{text.rstrip()}\n```\n" in sent
    assert looked.render() in sent


async def test_e7_a_question_that_cannot_fit_is_not_sent(make_session, tmp_path):
    folder = tmp_path / "state" / "config" / "providers"
    folder.mkdir(parents=True)
    (folder / "tiny.toml").write_text(
        'name = "tiny"\ntitle = "Tiny"\nwire = "openai_chat"\nbase_url = "http://127.0.0.1:9/v1"\nkey_needed = false\n'
        'payer = "local"\n[[models]]\nid = "small"\ncontext_window = 8000\n'
    )
    with loopback.Server(loopback.openai("fine")) as server:
        session = make_session(TINY_BASE_URL=server.url)
        session.roster.choose("tiny/small")
        ended = [event async for event in session.ask("word " * 12_000)][-1]
        assert isinstance(ended.error, BudgetError)
        assert "holds 8,000" in ended.error.message
        assert "Nothing was sent" in ended.error.message
        assert server.asked == []
        assert session.accounts.ledger.entries() == []
        found = [event async for event in session.ask("word " * 8_600)]
        assert any(isinstance(event, events.Notice) and "may be refused" in event.text for event in found)
        assert len(server.asked) == 1
        await session.close()


def test_f7_a_name_that_nobody_knows_is_named(wattson):
    code, lines, err = wattson(*ASK, lines=True, OPENAI_BASE_URL="https://nobody.invalid/v1", OPENAI_API_KEY=CANARY)
    assert (code, lines[-1]["error"]["class"]) == (75, "unreachable")
    assert "nobody.invalid" in lines[-1]["error"]["message"]
    assert "OPENAI_BASE_URL" in lines[-1]["error"]["message"]
    assert "Traceback" not in err


def test_f8_a_line_that_drops_after_the_first_of_two_edits_writes_nothing(wattson, repo):
    before = {path: path.read_bytes() for path in repo.rglob("*.py")}
    two = EDIT + "\n" + EDIT.replace("joules: float = 0.0", "litres: float = 0.0")
    whole = loopback.openai(two, cut=True)
    with loopback.Server(whole) as server:
        code, lines, _ = wattson(
            *ASK[:-1], "--apply", "hi", lines=True, OPENAI_BASE_URL=server.url, OPENAI_API_KEY=CANARY
        )
        assert len(server.asked) == 1
    assert (code, lines[-1]["stop"], lines[-1]["patch"]) == (75, "error", None)
    assert lines[-1]["text"] == two
    assert {path: path.read_bytes() for path in repo.rglob("*.py")} == before


async def _tunnel(reader, writer, asked, to):
    """Be a company's proxy: ask for a name and a password, then carry bytes to the one server there is."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    asked.append(head)
    if "proxy-authorization: basic dXNlcjpodW50ZXIyMg==" not in head.replace("Basic", "basic").replace(
        "Proxy-Auth", "proxy-auth"
    ):
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n\r\n")
        writer.close()
        return
    inner, outer = await asyncio.open_connection("127.0.0.1", to)
    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

    async def carry(source, sink):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
        sink.close()

    await asyncio.gather(carry(reader, outer), carry(inner, writer), return_exceptions=True)


@pytest.fixture
def company(tmp_path):
    """A certificate for models.example.invalid that no system trusts; returns the folder of cert.pem and key.pem."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "2", "-subj", "/CN=Company",
         "-addext", "subjectAltName=DNS:models.example.invalid", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    return tmp_path


async def test_d6_through_a_company_proxy_with_a_password_and_a_certificate_of_its_own(company):
    name = "models.example.invalid"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(company / "cert.pem", company / "key.pem")
    said_all = sse(
        {"model": "m", "choices": [{"index": 0, "delta": {"content": "through"}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    )

    async def behave(found, writer, number):
        return answer(200, said_all, content_type="text/event-stream")

    asked = []
    async with peer(behave, ssl=context) as found:
        port = int(found.url.rpartition(":")[2])
        proxy = await asyncio.start_server(lambda r, w: _tunnel(r, w, asked, port), "127.0.0.1", 0)
        here = proxy.sockets[0].getsockname()[1]
        client = Client(
            env={"HTTPS_PROXY": f"http://user:hunter22@127.0.0.1:{here}", "SSL_CERT_FILE": str(company / "cert.pem")}
        )
        request = Request(model(), (), (said("user", "hi"),))
        seller = provider("openai_chat", url=f"https://{name}/v1")
        text = "".join(
            [
                chunk.text
                async for chunk in client.stream(wire("openai_chat"), request, seller, CANARY)
                if isinstance(chunk, TextChunk)
            ]
        )
        await client.aclose()
        proxy.close()
    assert text == "through"
    assert asked[0].startswith(f"CONNECT {name}:443")
    assert CANARY not in asked[0]


def test_an_answer_without_edits_is_no_silent_success(wattson):
    with loopback.Server(loopback.openai("All is well as it is.")) as server:
        code, out, err = wattson(
            "ask", "-m", "openai/gpt-6.1-sol", "--apply", "mend it", OPENAI_BASE_URL=server.url, OPENAI_API_KEY=CANARY
        )
    assert (code, out) == (0, "All is well as it is.\n")
    assert "Nothing was written: the answer proposes no edits." in err


async def test_hunks_that_are_written_while_a_repair_runs_are_not_proposed_again(make_session, repo, tmp_path):
    folder = tmp_path / "state" / "config"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text("repairs = 0\n")
    wrong = EDIT.replace("joules: float = 0.0", "jules: float = 0", 1)
    new = "kettle/new.py\n```\nx = 1\n```\n"
    with loopback.Server(loopback.openai(new + wrong), loopback.openai(EDIT)) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=CANARY)
        session.roster.choose("openai/gpt-6.1-sol")
        [event async for event in session.ask("set it")]
        async with aclosing(session.turns.repair()) as stream:
            async for event in stream:
                if isinstance(event, events.RequestSent):
                    [_ async for _ in session.deciding.apply(Review.of(session.proposed.patch, "take"))]
        assert session.proposed.patch.paths == ("kettle/meter.py",)
        [event async for event in session.deciding.apply(Review.of(session.proposed.patch, "take"))]
        await session.close()
    assert (repo / "kettle/new.py").read_text() == "x = 1\n"
    assert "joules: float = 1.0" in (repo / "kettle/meter.py").read_text()


async def test_no_other_conversation_begins_while_a_turn_runs(make_session):
    with loopback.Server(loopback.openai("It is warm.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=CANARY)
        session.roster.choose("openai/gpt-6.1-sol")
        async with aclosing(session.ask("how warm is it?")) as stream:
            async for event in stream:
                if isinstance(event, events.RequestSent):
                    for begin in (session.clear, lambda: session.take_up("x")):
                        with pytest.raises(ConfigError, match="A turn is running"):
                            begin()
        assert [message.text for message in session.history] == ["how warm is it?", "It is warm."]
        [_ async for _ in command.submit(session, "/clear")]
        assert session.history == []
        await session.close()
