"""What of the files never leaves, though no context is gathered: repairs, side work, what became of edits."""

import json

import pytest

from assistant import command, events
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
        await walk(session.repair())
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
