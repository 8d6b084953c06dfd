"""Pictures that go along with a question: who takes them, what they count, where they are listed, and what a switch says."""

import base64
import json
import os
import struct
import subprocess

import pytest

from assistant import command, config, events, transcript
from assistant.errors import StateError
from assistant.headless import shapes
from assistant.models import catalogue, picture
from assistant.models.message import Image
from assistant.session import Session
from assistant.tui.manifest import rows
from tests import loopback
from tests.turns import of, walk

ALL = catalogue.load({}, None, {})
CLAUDE, GPT, GEMINI = (ALL.providers[name] for name in ("anthropic", "openai", "gemini"))


def png(width, height, more=0):
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0" + b"\0" * more


def jpeg(width, height):
    app = b"\xff\xe0\0\x10JFIF\0" + b"\0" * 9
    return b"\xff\xd8" + app + b"\xff\xc0\0\x11\x08" + struct.pack(">HH", height, width) + b"\x03" + b"\0" * 12


WEBP = {
    b"VP8X": b"\0\0\0\0" + (799).to_bytes(3, "little") + (599).to_bytes(3, "little"),
    b"VP8L": b"\x2f" + ((599 << 14) | 799).to_bytes(4, "little") + b"\0" * 5,
    b"VP8 ": b"\0\0\0\x9d\x01\x2a" + (800).to_bytes(2, "little") + (600).to_bytes(2, "little"),
}


def webp(kind):
    return b"RIFF\0\0\0\0WEBP" + kind + b"\0\0\0\0" + WEBP[kind]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (png(800, 600), "image/png"), (jpeg(800, 600), "image/jpeg"), (b"GIF89a" + struct.pack("<HH", 800, 600), "image/gif"),
        *((webp(kind), "image/webp") for kind in WEBP),
    ],
)  # fmt: skip
def test_kind_and_size_are_read_from_the_head_of_the_file(data, kind):
    found = picture.read(data)
    assert (found.media_type, picture.size(found)) == (kind, (800, 600))
    for cut in range(len(data)):  # a file that ends early tells nothing, and breaks nothing
        part = picture.read(data[:cut])
        assert part is None or picture.size(part) in {None, (800, 600)}


@pytest.mark.parametrize("data", [b"", b"%PDF-1.7", b"<svg/>", b"BM" + b"\0" * 40, b"RIFF\0\0\0\0WAVE" + b"\0" * 30])
def test_what_is_no_picture_is_none(data):
    assert picture.read(data) is None


def test_a_picture_counts_as_its_provider_counts_and_unknown_is_said():
    small, large = Image("image/png", png(750, 750)), Image("image/png", png(4_000, 3_000))
    assert picture.tokens(small, CLAUDE) == (750, 750, 750)
    assert picture.tokens(large, CLAUDE) == (1_600, 4_784, 4_784)  # scaled down, and newer models less so
    assert picture.tokens(large, GEMINI) == (1_120, 1_120, 1_120)
    assert picture.tokens(large, GPT) == picture.UNKNOWN
    assert "unknown" in picture.told(large, GPT)
    assert picture.told(small, CLAUDE) == "PNG 750x750, 0 kB, ~750 tokens at Anthropic"
    assert picture.tokens(Image("image/png", b"\x89PNG\r\n\x1a\n"), CLAUDE) == picture.UNKNOWN


def test_who_cannot_take_a_picture_says_why():
    pick = ALL.pick
    assert not picture.refusal(Image("image/png", png(8, 8)), pick("openai/gpt-6.1-sol"))
    assert "not known to look" in picture.refusal(Image("image/png", png(8, 8)), pick("scripted/lesson"))
    assert "takes no GIF" in picture.refusal(Image("image/gif", b"GIF89a"), ALL.pick("gemini/gemini-4-argon"))
    assert "5 MB at most" in picture.refusal(Image("image/png", png(8, 8, 5_000_000)), pick("sonnet"))
    assert "8,000 pixels" in picture.refusal(Image("image/png", png(9_000, 8)), pick("sonnet"))


@pytest.fixture
def shot(repo):
    (repo / "a shot.png").write_bytes(png(750, 750))
    return repo / "a shot.png"


async def test_a_picture_goes_along_is_listed_priced_and_stays_in_the_conversation(make_session, shot):
    with loopback.Server(loopback.anthropic("A kettle.", model="claude-sonnet-5-5")) as server:
        session = make_session(ANTHROPIC_BASE_URL=server.url, ANTHROPIC_API_KEY="a" * 20)
        session.roster.choose("anthropic/claude-sonnet-5-5")
        plain = session.pricing.quote("what is it?")
        (notice,) = await walk(command.submit(session, '/add "a shot.png"'))
        assert "~750 tokens" in notice.text
        assert session.pricing.quote("what is it?").likely - plain.likely == pytest.approx(750, abs=2)
        context = session.sight.look("what is it?")
        assert shapes.context(context)["pictures"][0]["tokens"] == 750
        assert [row.title for row in rows(context, []) if row.kind == "picture"] == ["a shot.png"]
        found = await walk(session.ask("what is it?"))
        (sent,) = of(found, events.RequestSent)
        assert sent.likely - sent.low < sent.likely - 700  # the picture's count has no band
        content = server.asked[0][2]["messages"][0]["content"]
        assert [part["type"] for part in content] == ["image", "text"]
        assert base64.b64decode(content[0]["source"]["data"]) == shot.read_bytes()
        assert session.sight.pictures == {}
        assert session.roster.learned == {}  # what pictures count teaches nothing of words
        await walk(session.ask("and its colour?"))
        assert "image" in json.dumps(server.asked[1][2])
        sheet = session.handover.offer("deepseek/deepseek-v4-pro").sheet
        assert sheet.left_behind.images == 1
        await session.close()


async def test_a_picture_is_refused_before_anything_is_sent_and_can_be_dropped(make_session, shot):
    with loopback.Server(loopback.openai("Fine.")) as server:
        session = make_session(
            OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20, DEEPSEEK_BASE_URL=server.url, DEEPSEEK_API_KEY="d" * 20
        )
        session.roster.choose("deepseek/deepseek-v4-pro")
        (notice,) = await walk(command.submit(session, '/add "a shot.png"'))
        assert (notice.level, session.sight.pictures) == ("error", {})
        assert "not known to look" in notice.text
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(command.submit(session, '/add "a shot.png"'))
        session.roster.choose("deepseek/deepseek-v4-pro")
        (notice,) = await walk(command.submit(session, "look"))
        assert "Nothing was sent" in notice.text
        assert server.asked == []
        (notice,) = await walk(command.submit(session, "/drop a shot.png"))
        assert "a shot.png" in notice.text
        await walk(command.submit(session, "look"))
        assert len(server.asked) == 1
        for path in ("nowhere.png", "kettle/meter.png"):
            (notice,) = await walk(command.submit(session, f"/add {path}"))
            assert notice.level == "error"
        await session.close()


async def test_a_picture_outlives_the_program_and_one_that_is_gone_is_told(make_session, shot):
    with loopback.Server(loopback.anthropic("A kettle.", model="claude-sonnet-5-5")) as server:
        where = {"ANTHROPIC_BASE_URL": server.url, "ANTHROPIC_API_KEY": "a" * 20}
        session = make_session(**where)
        session.roster.choose("anthropic/claude-sonnet-5-5")
        for words in ("what is it?", "and now?"):
            await walk(command.submit(session, '/add "a shot.png"'))
            await walk(session.ask(words))
        await session.close()
        (kept,) = session.conversations.folder.glob("*.pictures/*")  # shown twice, kept once
        assert kept.read_bytes() == shot.read_bytes()
        assert (kept.stat().st_mode & 0o77, kept.parent.stat().st_mode & 0o77) == (0, 0)

        again = make_session(**where)
        assert again.take_up() == 4
        assert [message.pictures for message in again.history] == [1, 0, 1, 0]
        again.roster.choose("anthropic/claude-sonnet-5-5")
        await walk(again.ask("its colour?"))
        content = server.asked[-1][2]["messages"][0]["content"]
        assert [part["type"] for part in content] == ["image", "text"]
        await walk(again.handover.go("anthropic/claude-haiku-5-5", "everything"))
        await again.close()

        kept.write_bytes(b"something else")
        last = make_session(**where)
        last.take_up()
        assert sum(message.pictures for message in last.history) == 0
        last.roster.choose("anthropic/claude-sonnet-5-5")
        found = await walk(last.ask("look again"))
        await last.close()
    assert "A picture of this conversation is gone" in str(of(found, events.Notice))


def test_pictures_have_their_room_and_go_with_their_conversation(tmp_path):
    book = transcript.Transcript(tmp_path / "a.jsonl")
    book.append({"kind": "user", "text": "x"})
    name = book.keep(b"p" * 60, most=100)
    assert book.kept(name) == b"p" * 60
    assert book.keep(b"p" * 60, most=100) == name
    with pytest.raises(StateError, match="not kept"):
        book.keep(b"q" * 60, most=100)
    assert book.kept("../a.jsonl") is None
    assert len(list(book.pictures.iterdir())) == 1
    newer = transcript.Transcript(tmp_path / "b.jsonl")
    newer.append({"kind": "user", "text": "y"})
    os.utime(book.path, (1, 1))
    assert transcript.prune(tmp_path, most_bytes=80) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["b.jsonl"]


async def test_a_question_that_got_no_answer_keeps_its_picture(make_session, shot):
    ill = (400, {"content-type": "application/json"}, b'{"error": {"message": "ill"}}')
    with loopback.Server(ill) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.choose("openai/gpt-6.1-sol")
        await walk(command.submit(session, '/add "a shot.png"'))
        await walk(session.ask("what is it?"))
        assert list(session.sight.pictures) == ["a shot.png"]
        waits = '"a shot.png" goes along with the next question again: /drop "a shot.png" leaves it out.'
        assert session.sight.still_waits() == waits
        await walk(command.submit(session, '/drop "a shot.png"'))
        assert not session.sight.still_waits()
        await session.close()


async def test_a_picture_that_was_sent_is_said_to_stay_where_one_would_drop_it(make_session, shot):
    with loopback.Server(loopback.openai("A kettle.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.choose("openai/gpt-6.1-sol")
        (notice,) = await walk(command.submit(session, "/drop"))
        assert notice.text == "Nothing is pinned."
        await walk(command.submit(session, '/add "a shot.png"'))
        await walk(session.ask("what is it?"))
        for typed in ("/drop", "/drop a shot.png"):
            told = " ".join(each.text for each in await walk(command.submit(session, typed)))
            assert "1 picture of the conversation goes along with each question: /compact or /clear ends that." in told
        await session.close()


def test_on_the_shell(wattson, shot):
    with loopback.Server(loopback.openai("A kettle.")) as server:
        env = {"OPENAI_BASE_URL": server.url, "OPENAI_API_KEY": "k" * 20}
        code, out, err = wattson("ask", "-m", "openai/gpt-6.1-sol", "--image", str(shot), "what is it?", **env)
        assert (code, out.strip()) == (0, "A kettle.")
        assert "picture: " in err
        assert "data:image/png;base64," in json.dumps(server.asked[0][2])
        code, _, err = wattson("ask", "-m", "scripted/lesson", "--image", str(shot), "what is it?", **env)
        assert code != 0
        assert "not known to look" in err


async def test_a_picture_that_was_kept_out_comes_back(make_session, repo):
    (repo / "shot.png").write_bytes(png(8, 8))
    session = make_session(OPENAI_API_KEY="k" * 20)
    session.roster.choose("openai/gpt-6.1-sol")
    sight = session.sight
    sight.show_picture("shot.png")
    sight.keep_out("shot.png")
    found = [
        each
        for each in rows(sight.look("what is in shot.png?"), sight.pinned, [*sight.withheld])
        if each.path == "shot.png"
    ]
    assert [(each.kind, bool(sight.pictures)) for each in found] == [("dropped", False)]
    sight.bring_back("shot.png")
    found = [
        each
        for each in rows(sight.look("what is in shot.png?"), sight.pinned, [*sight.withheld])
        if each.path == "shot.png"
    ]
    assert [each.kind for each in found] == ["picture"]
    assert [sight.undo(), sight.undo(), sight.undo()] == [True, True, False]
    assert list(sight.pictures) == ["shot.png"]
    sight.keep_out("shot.png")
    sight.bring_back("shot.png")
    sight.shown(sight.pictures.values())
    while sight.undo():
        assert sight.pictures == {}, "it is in the conversation by now"
    await session.close()


def urls(body):
    """Count the pictures of a request's last message."""
    return sum(part["type"] == "image_url" for part in body["messages"][-1]["content"] if isinstance(part, dict))


async def test_a_picture_that_a_question_marks_goes_along(make_session, repo, shot):
    (repo / "logo.png").write_bytes(b"no picture at all")
    with loopback.Server(loopback.openai("A kettle.")) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k" * 20)
        session.roster.choose("openai/gpt-6.1-sol")
        sight = session.sight
        question = f'what is in @"{shot.name}", and what is wrong with @logo.png?'
        context = sight.look(question)
        assert [(each.path, each.why) for each in context.pictures] == [("a shot.png", "a picture that you marked")]
        assert not dict(context.left_out).get("a shot.png")
        priced = session.pricing.quote(question).likely - session.pricing.quote(question.replace("@", "")).likely
        assert priced > 200  # of a picture of 800 by 600
        await walk(session.ask(question))
        sight.keep_out("a shot.png")
        await walk(session.ask('and in @"a shot.png"?'))
        await walk(command.submit(session, "/export talk.md"))
        await session.close()
        assert [urls(body) for _, _, body in server.asked] == [1, 0]
    first, second = (repo / "talk.md").read_text().split("## 2.")
    assert "(with a picture: PNG)" in first
    assert "picture" not in second


async def test_a_model_that_cannot_look_is_asked_without_the_picture_and_that_is_said(make_session, shot):
    session = make_session()
    session.roster.choose("scripted/lesson")
    found = await walk(session.ask('rename @"a shot.png" to shot.png'))
    (notice,) = [each.text for each in of(found, events.Notice) if "picture" in each.text]
    assert notice.startswith("a shot.png goes without its picture: ")
    assert "not known to look" in notice
    assert "not known to look" in dict(session.sight.look('@"a shot.png"').left_out)["a shot.png"]
    await session.close()


@pytest.mark.parametrize("written", ["{}", "'{}'", "{escaped}", "file://{quoted}", ' "{}"\n'])
def test_the_path_of_a_picture_that_is_dropped_onto_the_terminal_becomes_a_mark(make_session, shot, written, tmp_path):
    (tmp_path / "my own.png").write_bytes(shot.read_bytes())
    sight = make_session().sight
    for place, mark in ((shot, '@"a shot.png"'), (tmp_path / "my own.png", f'/add "{tmp_path / "my own.png"}"')):
        escaped, quoted = str(place).replace(" ", "\\ "), str(place).replace(" ", "%20")
        assert sight.mark(written.format(place, escaped=escaped, quoted=quoted)) == mark


@pytest.mark.parametrize("words", ["look at {}", "{}\n{}", "/no/such.png", "~nobody/x.png", "x" * 2_000_000 + ".png"])
def test_what_is_no_path_of_a_picture_stays_what_it_was(make_session, shot, words):
    assert make_session().sight.mark(words.format(shot, shot)) == ""


async def test_a_mark_fetches_no_picture_from_elsewhere(make_session, repo, shot, tmp_path):
    """What is quoted in a question may be anybody's words."""
    (tmp_path / "own.png").write_bytes(shot.read_bytes())
    (repo / "link.png").symlink_to(tmp_path / "own.png")
    (repo / ".wattsonignore").write_text("priv/\n")
    (repo / "priv").mkdir()
    (repo / "priv" / "x.png").write_bytes(shot.read_bytes())
    session = make_session(OPENAI_API_KEY="k" * 20)
    session.roster.choose("openai/gpt-6.1-sol")
    question = f"what is in @{tmp_path}/own.png, @../own.png, @~/own.png, @~nobody/x.png, @link.png, @priv/x.png?"
    assert session.sight.pictures_with(question, session.roster.present()) == ({}, {})
    await session.close()


async def test_a_picture_that_was_added_and_is_marked_goes_once(make_session, shot):
    session = make_session(OPENAI_API_KEY="k" * 20)
    session.roster.choose("openai/gpt-6.1-sol")
    session.sight.show_picture(f"./{shot.name}")
    found, _ = session.sight.pictures_with(f'what is in @"{shot.name}"?', session.roster.present())
    assert list(found) == [shot.name]
    assert session.sight.drop(f"./{shot.name}") == [shot.name]
    await session.close()


def test_below_the_root_a_pasted_picture_is_marked_from_the_root(repo, shot, env):
    (repo / "sub").mkdir()
    (repo / "sub" / shot.name).write_bytes(b"another")
    subprocess.run(["git", "add", "."], cwd=repo, check=True)
    places = config.places(env)
    sight = Session(repo / "sub", places=places, config=config.load(places, repo), env=env).sight
    assert sight.mark(str(shot)) == '@"/a shot.png"'
