"""What of the files never leaves, though no context is gathered: repairs, side work, what became of edits."""

import json
import subprocess

import pytest

from assistant import command, events
from assistant.context import gate
from assistant.context.section import YOURS
from assistant.edits.review import Review
from assistant.errors import PatchError
from tests import loopback
from tests.turns import of, walk

ENV = "# production\nDB_HOST=db.internal.corp.example\nDB_PASSWORD=summer2024\nPIN=4711\nLICENSE_HOLDER=Corp\n"
DRAWN = "Zk3v9QpL2mX8tR5wY1bN7c"


def block(path, old, new):
    return f"Here.\n\n{path}\n```\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n```\n"


NEAR = "# production\nDB_HOST=db.internl.corp.example\nDB_PASSWORD=x"


def sent(server):
    return [json.dumps(body) for _, _, body in server.asked]


@pytest.fixture
def at(make_session):
    """Make a session that asks a server."""

    def make(server):
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.choose("openai/gpt-6.1-sol")
        return session

    return make


@pytest.mark.parametrize(
    ("path", "reply", "why"),
    [
        (".env", block(".env", NEAR, "# prod"), ".env is a file of secrets"),
        ("./.env", block("./.env", NEAR, "# prod"), ".env is a file of secrets"),
        (".env", "Here.\n\n.env\n```\nDB_HOST=x\n```\n", ".env is a file of secrets"),  # "unseen" quotes it
        ("private/notes.txt", block("private/notes.txt", NEAR, "# prod"), "named in .wattsonignore"),
        ("local/notes.txt", block("local/notes.txt", NEAR, "# prod"), "is ignored"),
        ("notes.txt", block("notes.txt", NEAR, "# prod"), "taken out of the context"),
        (  # moved first
            ".env",
            "Here.\n\n```diff\ndiff --git a/.env b/x.txt\nrename from .env\nrename to x.txt\n```\n\n"
            + block("x.txt", NEAR, "# prod"),
            ".env is a file of secrets",
        ),
    ],
)
async def test_no_repair_quotes_a_file_that_may_not_leave(at, repo, path, reply, why):
    (repo / path).parent.mkdir(exist_ok=True)
    (repo / path).write_text(ENV)
    (repo / ".wattsonignore").write_text("private/\n")
    (repo / ".gitignore").write_text("local/\n")
    with loopback.Server(loopback.openai(reply), loopback.openai("ok")) as server:
        session = at(server)
        session.sight.keep_out("notes.txt")
        found = await walk(command.submit(session, "what does boil do?"))
        (misfits,) = [each.misfits for each in of(found, events.EditsMisfit)]
        assert any(why in each.hint and not each.mendable for each in misfits)
        await walk(command.submit(session, "/repair"))
        assert len(server.asked) == 1
        await session.close()


async def test_what_is_dropped_before_a_repair_is_not_quoted(at, repo):
    (repo / "notes.txt").write_text(ENV)
    with loopback.Server(*map(loopback.openai, (block("notes.txt", NEAR, "# prod"), "?", "ok"))) as server:
        session = at(server)
        await walk(session.ask("what does boil do?"))
        assert "summer2024" in sent(server)[1]  # it may be shown
        session.sight.keep_out("notes.txt")
        await walk(session.turns.repair())
        assert "summer2024" not in json.dumps(server.asked[2][2]["messages"][-1])
        await session.close()


async def test_a_repair_masks_by_the_file_that_it_quotes_and_by_all_of_it(at, repo):
    (repo / "conf").mkdir()
    (repo / "conf" / "settings.yaml").write_text(
        f"port: 80\nname: x\napi_keys:\n  - {DRAWN}\n  - {DRAWN[::-1]}\nlast: 1\n"
    )
    reply = block("conf/settings.yaml", f"  - {DRAWN[:4]}\n  - {DRAWN[::-1][:8]}x\nlast: 2", "last: 3")
    with loopback.Server(loopback.openai(reply), loopback.openai("ok")) as server:
        session = at(server)
        await walk(session.ask("what does boil do?"))
        assert "conf/settings.yaml:4" in sent(server)[-1]
        assert DRAWN not in sent(server)[-1]
        assert DRAWN[::-1] not in sent(server)[-1]
        await session.close()


SETTINGS = f'DB_PASSWORD = "{DRAWN}"\nSTRIPE = "sk_live_{DRAWN}"\nTIMEOUT = 5\n'


async def test_an_edit_may_touch_what_was_masked_and_the_secret_stays_here_and_in_its_file(at, repo):
    (repo / "config.py").write_text(SETTINGS)
    shown = gate.mask(SETTINGS, "config.py")[0]
    assert shown.count("[masked") == 2
    reply = block("config.py", shown.rstrip(), shown.rstrip().replace("= 5", "= 10"))
    with loopback.Server(loopback.openai(reply), loopback.openai("ok")) as server:
        session = at(server)
        found = await walk(session.ask("@config.py set the timeout to ten"))
        assert not of(found, events.EditsMisfit)
        await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
        await walk(session.ask("@config.py and now?"))
        assert (repo / "config.py").read_text() == SETTINGS.replace("= 5", "= 10")
        assert len(server.asked) == 2
        assert DRAWN not in "".join(sent(server))
        await session.close()


async def test_a_repair_says_that_a_masked_line_is_to_be_left_out(at, repo):
    (repo / "config.py").write_text(SETTINGS)
    shown = gate.mask(SETTINGS, "config.py")[0]
    reply = block("config.py", shown.rstrip().replace("= 5", "= 6"), "TIMEOUT = 10")
    with loopback.Server(loopback.openai(reply), loopback.openai("ok")) as server:
        session = at(server)
        found = await walk(session.ask("@config.py set the timeout to ten"))
        (misfit,) = of(found, events.EditsMisfit)[0].misfits
        assert "which secret it stands for" in misfit.message
        assert "Leave masked lines out" in sent(server)[1]
        assert DRAWN not in "".join(sent(server))
        await session.close()


TOKEN = "ghp_" + (DRAWN * 2)[:36]
CLIENT = f'import os\nclient = make_client(host="api.github.com", auth="{TOKEN}")\nDEBUG = 1\n'


async def test_a_repair_never_quotes_the_beginning_of_a_key(at, repo):
    (repo / "a.py").write_text(CLIENT)
    reply = "Here is the whole file.\n\na.py\n```python\nimport os\nDEBUG = 2\n```\n"
    with loopback.Server(loopback.openai(reply), loopback.openai("I leave it.")) as server:
        session = at(server)
        await walk(session.ask("set DEBUG to 2 in @a.py"))
        assert "would remove 1 lines" in sent(server)[1]
        assert not [each for each in sent(server) if TOKEN[:6] in each]
        await session.close()


def test_a_secret_that_moves_into_another_file_is_not_lost(wattson, repo):
    (repo / "a.py").write_text(CLIENT)
    line = CLIENT.splitlines()[1].replace(TOKEN, "[masked GitHub token]")
    moved = block("a.py", line, line.replace('"[masked GitHub token]"', "settings.TOKEN"))
    reply = f'settings.py\n```python\nTOKEN = "[masked GitHub token]"\n```\n\n{moved}'
    code, _, told = wattson("apply", stdin=reply)
    assert code
    assert "Leave masked lines out of the edit" in told
    assert (repo / "a.py").read_text() == CLIENT
    assert not (repo / "settings.py").exists()


def test_a_reply_on_standard_input_may_have_masks(wattson, repo):
    (repo / "config.py").write_text(SETTINGS)
    shown = gate.mask(SETTINGS, "config.py")[0].rstrip()
    assert wattson("apply", stdin=block("config.py", shown, shown.replace("= 5", "= 10")))[0] == 0
    assert (repo / "config.py").read_text() == SETTINGS.replace("= 5", "= 10")


def commit(repo, message):
    subprocess.run(["git", "add", "-A"], cwd=repo, check=True)
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", message], cwd=repo, check=True)


async def test_the_message_of_a_commit_is_drafted_from_what_may_leave(at, repo):
    (repo / "settings.yaml").write_text(f"name: x\nport: 80\napi_key: {DRAWN}\ndebug: no\n")
    (repo / "notes.txt").write_text("PIN=4711\nfirst\n")
    (repo / "private").mkdir()
    (repo / "private" / "plan.txt").write_text("PIN=4712\nfirst\n")
    (repo / ".wattsonignore").write_text("private/\n")
    (repo / ".env").write_text("PIN=4713\nfirst\n")
    commit(repo, f"the ci has password = {DRAWN[::-1]}")
    blocks = [block(path, "first", "second") for path in ("notes.txt", "private/plan.txt", ".env")]
    reply = "\n".join((*blocks, block("settings.yaml", "port: 80", "port: 81")))
    with loopback.Server(*map(loopback.openai, (reply, "ok"))) as server:
        session = at(server)
        session.sight.keep_out("notes.txt")
        await walk(session.ask("change the port"))
        await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
        await walk(command.submit(session, "/commit"))
        asked = sent(server)[-1]
        assert "port: 81" in asked
        assert "the ci has" in asked
        for path in ("notes.txt", "private/plan.txt", ".env"):
            assert f"{path}: changed, and not shown" in asked
        assert not [each for each in (DRAWN, DRAWN[::-1], "4711", "4712", "4713") if each in asked]
        await session.close()


async def test_nobody_else_is_asked_of_a_hunk_whose_file_may_not_leave(at, repo):
    (repo / ".env").write_text(ENV)
    (repo / "a.txt").write_text("one\n")
    reply = block(".env", "# production", "# prod") + block("a.txt", "one", "two")
    with loopback.Server(*map(loopback.openai, (reply, "good"))) as server:
        session = at(server)
        await walk(session.ask("change it"))
        hunks = {hunk.path: hunk for hunk in session.proposed.patch.hunks}
        with pytest.raises(PatchError, match="file of secrets"):
            await walk(session.turns.second_opinion(hunks[".env"], "openai/gpt-6.1-sol"))
        await walk(session.turns.second_opinion(hunks["a.txt"], "openai/gpt-6.1-sol"))
        assert "+two" in json.loads(sent(server)[1])["messages"][-1]["content"]
        await session.close()


async def test_what_is_told_of_decisions_quotes_no_file_that_may_not_leave(at, repo):
    (repo / ".env").write_text(ENV)
    (repo / "a.txt").write_text("one\n")
    reply = block(".env", "# production", "# prod") + block("a.txt", "one", "two")
    with loopback.Server(*map(loopback.openai, (reply, "good", "fine"))) as server:
        session = at(server)
        await walk(session.ask("change it"))
        review = Review.of(session.proposed.patch, "take")
        for at_, hunk in enumerate(review.patch.hunks):
            review = review.edit(at_, f"{hunk.new_text}mine = 1999\n").comment(at_, 0, "why?")
        await walk(session.deciding.apply(review))
        await walk(session.ask("what now?"))
        told = json.loads(sent(server)[1])["messages"][-1]["content"].rpartition("</context>")[2]
        assert "two\nmine = 1999" in told
        assert "edited the hunk at .env:1 before taking it; " in told
        assert told.count("mine = 1999") == 1
        assert "summer2024" not in told
        assert "(as it was: 'one')" in told
        assert told.count("as it was") == 1
        await walk(session.ask("and now?"))
        last = json.loads(sent(server)[2])["messages"][-1]["content"].rpartition("</context>")[2]
        assert "mine = 1999" not in last  # it has been said
        await session.close()


def test_a_text_of_a_file_is_never_masked_without_its_name():
    with pytest.raises(ValueError, match="name of the file"):
        gate.mask("password: x", "")
    assert DRAWN not in gate.mask_words(f"the password: {DRAWN}, for ci")[0]


async def test_a_secret_in_what_the_user_says_stays_here_until_he_lets_it_through(at, repo):
    words = f"why does this fail?\nDB_PASSWORD={DRAWN} and @secret.txt"
    with loopback.Server(*map(loopback.openai, (block("a.txt", "", "x"), "ok", "ok"))) as server:
        session = at(server)
        (masked,) = session.sight.look(words).masked
        assert (masked.path, masked.line) == (YOURS, 2)
        (told,) = of(await walk(session.ask(words)), events.ContextPacked)
        assert told.context.masked == (masked,) == session.sight.sent[1].masked
        assert "DB_PASSWORD=[masked secret] and @secret.txt" in sent(server)[-1]
        session.mark(Review.of(session.proposed.patch).comment(0, 0, f"the token: {DRAWN[::-1]}"))
        session.sight.allow(masked)
        assert session.sight.look(words).masked == ()
        await walk(session.ask(words))
        last = json.loads(sent(server)[-1])["messages"][-1]["content"]
        assert f"DB_PASSWORD={DRAWN} and" in last
        assert "the token: [masked secret]" in last
        assert DRAWN[::-1] not in last
        session.sight.hide(masked)
        await walk(session.ask(words))
        assert DRAWN not in json.loads(sent(server)[-1])["messages"][-1]["content"]
        await session.close()


def test_a_log_that_is_piped_in_is_masked_and_told_of(wattson):
    with loopback.Server(loopback.openai("Because.")) as server:
        keys = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k" * 20}
        log = f"connecting\nAPI_TOKEN={DRAWN}\nrefused\n"
        code, _, said = wattson("ask", "-m", "openai/gpt-6.1-sol", "-", stdin=log, **keys)
        assert (code, DRAWN in sent(server)[0]) == (0, False)
        assert "API_TOKEN=[masked secret]" in sent(server)[0]
        assert "masked: your words:2 (secret)" in said
        assert "masked: your words:" in wattson("context", "-", stdin=log)[2]


async def test_a_coloured_log_is_masked_as_one_without_colours(at):
    token = "ghp_" + "aB3dE5fG7h" * 4
    with loopback.Server(loopback.openai("ok")) as server:
        session = at(server)
        await walk(
            session.ask(
                f"why?\n\x1b[32m{token}\x1b[0m\n\x1b[36mAPI_TOKEN\x1b[0m=\x1b[33m{DRAWN}\x1b[0m\nx\\n{token}%3D{token}"
            )
        )
        (asked,) = sent(server)
        assert token not in asked
        assert DRAWN not in asked
        await session.close()


def test_a_key_behind_an_escape_in_a_file_is_masked_and_within_a_word_it_is_none():
    token = "ghp_" + "aB3dE5fG7h" * 4
    for before in ("\x1b[32m", "\\n", "\\t", "%3D", "\\u003d", "\\x3d"):
        assert token not in gate.mask(f"a{before}{token}\n", "a.log")[0]
    assert gate.mask(f"graph{token}", "a.log")[1] == ()


async def test_a_question_that_a_provider_refuses_comes_back_as_it_was_typed(at):
    used = {
        "error": {
            "message": "You have used up your quota",
            "type": "usage_limit_reached",
            "code": "usage_limit_reached",
            "resets_in_seconds": 7200,
        }
    }
    head = {"content-type": "application/json", "retry-after": "7200"}
    words = f"why does DB_PASSWORD={DRAWN} fail?"
    with loopback.Server((429, head, json.dumps(used).encode())) as server:
        session = at(server)
        (held,) = of(await walk(command.submit(session, words)), events.TurnHeld)
        assert held.hold.text == words
        assert DRAWN not in sent(server)[0]
        await session.close()
