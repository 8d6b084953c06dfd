"""What may stand behind a command: words as they are cut, and what each command says of its own."""

import pytest

from assistant import arguments, command
from assistant.arguments import Suggestion
from assistant.edits.review import Review
from tests import loopback
from tests.turns import walk

KEY = "k" * 20
FREE = {"commit", "context"}
"""Commands with words of one's own behind them."""
ONE, TWO = (f"{name}.txt\n<<<<<<< SEARCH\n=======\n{name}\n>>>>>>> REPLACE\n" for name in ("one", "two"))


def offered(session, line):
    typed, offers = command.complete(session, line)
    return [each.text for each in arguments.fit(offers, typed, 99)]


@pytest.fixture
def session(make_session):
    with loopback.Server(*map(loopback.openai, (ONE, TWO))) as server:
        session = make_session(OPENAI_BASE_URL=server.url, OPENAI_API_KEY=KEY)
        session.roster.choose("openai/gpt-6.1-sol")
        yield session


@pytest.mark.parametrize(
    ("typed", "last", "words"),
    [
        ("", "", []),
        ("a.py b", "b", ["a.py", "b"]),
        ("a.py ", "", ["a.py"]),
        ('"my notes', '"my notes', ['"my', "notes"]),
        ('"my notes.md" x', "x", ["my notes.md", "x"]),
        ("it's", "it's", ["it's"]),
    ],
)
def test_words_are_cut_as_in_a_terminal(typed, last, words):
    assert arguments.last_word(typed) == last
    assert arguments.split(typed) == words


@pytest.mark.parametrize("name", ["a.py", "my notes.md", 'a "b".txt', "it's", "a\\b c", "back\\slash"])
def test_a_name_is_written_so_that_it_is_read_as_one(name):
    assert arguments.split(arguments.quote(name)) == [name]


def test_what_is_begun_comes_before_what_only_has_the_letters():
    offers = [Suggestion(text) for text in ("lesson", "claude-sonnet", "s-o-n", "sonar", "son", "none")]
    assert [each.text for each in arguments.fit(offers, "son", 9)] == [
        "son",
        "claude-sonnet",
        "sonar",
        "lesson",
        "s-o-n",
    ]
    assert [arguments.holds(each, "son") for each in offers] == [True, True, False, True, True, False]
    pairs = [Suggestion("editor=one/two"), Suggestion("small=one/two"), Suggestion("one/two")]
    assert [each.text for each in arguments.fit(pairs, "editor=tw", 9)] == ["editor=one/two"]


def test_every_command_that_takes_an_argument_says_what_it_may_be(session):
    for name, each in command.commands().items():
        found = offered(session, f"/{name} ")
        assert bool(found) == (bool(each.USAGE) and name not in FREE | {"diff", "resume"}), name
    assert [list(command.complete(session, f"/{name} ")[1])[-1].about for name in ("add", "drop")] == [
        "any file of the repository"
    ] * 2
    assert offered(session, "/nope ") == []
    assert offered(session, "/usage pl") == ["plans"]
    assert offered(session, "/compact brief x") == []


def test_models_come_with_their_roles_levels_and_ways(session):
    session.roster.like("anthropic/claude-opus-5-5")
    assert offered(session, "/model ")[:2] == ["anthropic/claude-opus-5-5", "openai/gpt-6.1-sol"]
    assert offered(session, "/model sonnet")[0] == "anthropic/claude-sonnet-5-5"
    assert offered(session, "/model edi")[0] == "editor="
    assert offered(session, "/model editor=sonnet")[0] == "editor=anthropic/claude-sonnet-5-5"
    assert offered(session, "/model small= sonnet")[0] == "anthropic/claude-sonnet-5-5"
    assert offered(session, "/model editor=no")[0] == "editor=none"
    assert offered(session, "/model openai/gpt-6.1-sol:h") == ["openai/gpt-6.1-sol:high"]
    assert offered(session, "/model openai/gpt-6.1-sol l") == ["last"]
    assert offered(session, "/think hi") == ["high"]
    assert offered(session, "/plan chatgpt-pl") == ["chatgpt-plus"]


async def test_turns_steps_files_and_conversations_come_from_what_was_done(session, repo):
    await walk(session.ask("make one"))
    await walk(session.ask("make two"))
    assert offered(session, "/diff ") == ["2", "1"]
    await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
    assert offered(session, "/diff ") == ["1"]
    assert offered(session, "/undo ") == ["turn", "session", "now", "1", "two.txt"]
    assert offered(session, "/redo ") == ["turn", "session", "now"]
    assert offered(session, "/undo turn ") == ["2"]
    assert offered(session, "/undo session ") == []
    (shown,) = await walk(command.submit(session, "/undo turn 2"))
    assert shown.preview.patch.paths == ("two.txt",)
    (shown,) = await walk(command.submit(session, "/undo turn 1"))
    assert "nothing of turn 1 to undo" in shown.text
    await walk(session.deciding.undo())
    assert offered(session, "/redo two") == ["two.txt", "1"]
    assert offered(session, "/export ") == ["talk.md"]
    (repo / "talk.md").touch()
    assert offered(session, "/export ") == ["talk-2.md"]
    assert offered(session, "/resume ") == []
    name = session.id
    session.clear()
    assert any(name in each for each in offered(session, "/resume one")), name
    await session.close()


async def test_a_turn_s_hunks_are_shown_wherever_they_wait(session):
    await walk(session.ask("make one"))
    await walk(session.ask("make two"))

    async def shown(line):
        return [
            getattr(event, "what", getattr(event, "text", "")) for event in await walk(command.submit(session, line))
        ]

    assert await shown("/diff 2") == ["diff"]
    assert session.proposed.turn == 2
    assert await shown("/diff 1") == ["diff"]
    assert await shown("/diff 1") == ["diff"]
    assert session.proposed.turn == 1
    assert await shown("/diff 7") == ["No hunks of turn 7 wait. Those that do: /diff 1, /diff 2."]
    await session.close()


async def test_a_plan_is_told_of_by_its_name(session):
    (told,) = await walk(command.submit(session, "/plan chatgpt-plus"))
    assert told.text.startswith("ChatGPT Plus")
    (told,) = await walk(command.submit(session, "/plan chatgpt-pluss"))
    assert "There is no plan 'chatgpt-pluss'" in told.text
    assert "chatgpt-plus" in told.text.partition("Near it")[2]


async def test_files_with_blanks_are_pinned_and_dropped_by_the_same_words(session, repo):
    (repo / "my notes.md").write_text("x\n")
    await walk(command.submit(session, '/add "my notes.md" kettle/boil.py'))
    assert session.sight.pinned == ["my notes.md", "kettle/boil.py"]
    assert offered(session, "/drop ")[:2] == ['"my notes.md"', "kettle/boil.py"]
    await walk(command.submit(session, '/drop "my notes.md" kettle/meter.py'))
    assert session.sight.pinned == ["kettle/boil.py"]
    assert session.sight.dropped == ["kettle/meter.py"]


async def test_a_folder_is_dropped_with_all_its_files_as_one_decision(session, repo):
    await walk(command.submit(session, "/add kettle/boil.py"))
    (told,) = await walk(command.submit(session, "/drop ./kettle/"))
    assert told.text == "kettle/ is shown no more; /add kettle/ brings it back."
    assert (session.sight.pinned, session.sight.dropped) == ([], ["kettle/"])
    (repo / "kettle" / "new.py").write_text("PLAN = 'to the moon'\n")  # what comes later stays out as well
    (repo / "kettle" / "meter.py").write_text("x = 1\n")
    context = session.sight.look("@kettle/ and @kettle/meter.py and @kettle/new.py and @diff: to the moon")
    assert "moon" not in context.render()
    assert session.sight.private()("kettle/new.py")
    assert not [each.path for each in context.sections if each.path.startswith("kettle/")]
    assert "@kettle/ is taken out of the context" in context.note
    assert session.sight.undo()
    assert (session.sight.pinned, session.sight.dropped) == (["kettle/boil.py"], [])
    await walk(command.submit(session, "/drop kettle"))
    await walk(command.submit(session, "/add kettle/boil.py"))  # that one, and no other
    assert (session.sight.pinned, session.sight.dropped) == (["kettle/boil.py"], ["kettle/"])
    context = session.sight.look("what does @kettle/meter.py do?")
    shown = [each.path for each in context.sections]
    assert "kettle/boil.py" in shown
    assert "kettle/meter.py" not in shown
    assert "@kettle/meter.py is taken out of the context" in context.note
    await walk(command.submit(session, "/drop README.md"))
    assert session.sight.pinned == ["kettle/boil.py"]


async def said(session, words):
    return [each.text for each in await walk(command.submit(session, words))]


async def test_a_folder_that_is_dropped_again_takes_what_was_added_from_it_meanwhile(session):
    sight = session.sight
    for words in ("/drop kettle/", "/add kettle/boil.py", "/drop kettle/"):
        await said(session, words)
    assert (sight.pinned, sight.dropped) == ([], ["kettle/"])
    assert not [each.path for each in sight.look("how hot?").sections if each.path.startswith("kettle")]
    assert sight.undo()
    assert (sight.pinned, sight.dropped) == (["kettle/boil.py"], ["kettle/"])


@pytest.mark.parametrize("words", ["kettle", "kettle/", "./kettle//", "kettle/.", "@kettle/"])
async def test_a_folder_that_was_kept_out_is_added_again_however_it_is_written(session, words):
    sight = session.sight
    assert await said(session, f"/drop {words}") == ["kettle/ is shown no more; /add kettle/ brings it back."]
    assert await said(session, f"/add {words}") == ["kettle/ is shown again."]
    assert (sight.pinned, sight.dropped) == ([], [])
    assert "kettle/boil.py" in [each.path for each in sight.look("how does boil work?").sections]
    assert sight.undo()
    assert sight.dropped == ["kettle/"]


async def test_what_is_kept_out_by_another_word_stays_out_when_a_folder_is_added(session, repo):
    (repo / "kettle" / "sub").mkdir()
    (repo / "kettle" / "sub" / "plan.py").write_text("x = 1\n")
    for words in ("/drop kettle/boil.py", "/drop kettle/"):
        await said(session, words)
    assert await said(session, "/add kettle/sub/") == [
        "kettle/sub/ lies in kettle/, which is kept out. /add kettle/ brings that back, and a file of it is added by its name."
    ]
    await said(session, "/drop kettle/sub/")
    assert "lies in kettle/" in str(await said(session, "/add kettle/sub/"))
    assert await said(session, "/add kettle/") == ["kettle/ is shown again, but kettle/boil.py, kettle/sub/."]
    assert await said(session, "/add kettle/sub") == ["kettle/sub/ is shown again."]
    assert session.sight.dropped == ["kettle/boil.py"]
    assert await said(session, "/add kettle/") == [
        "kettle/ is a folder, and only files are pinned. Name a file of it, or ask about @kettle/."
    ]


async def test_a_folder_that_is_dropped_takes_no_pin_of_a_file_of_its_name(session, repo):
    (repo / "parts").mkdir()
    (repo / "parts" / "kettle").write_text("x\n")
    await said(session, "/add parts/kettle")
    await said(session, "/drop kettle/")
    assert (session.sight.pinned, session.sight.dropped) == (["parts/kettle"], ["kettle/"])
    await said(session, "/drop ./")  # the whole is no part
    assert (session.sight.pinned, session.sight.dropped) == (["parts/kettle"], ["kettle/"])


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/login", "`wattson doctor` names them"),
        ("/key", "`wattson doctor` names them"),
        ("/editor x", "/model editor=NAME"),
    ],
)
async def test_what_other_programs_have_as_a_command_is_said_to_be_elsewhere(make_session, typed, told):
    (notice,) = [event async for event in command.submit(make_session(), typed)]
    assert told in notice.text
