"""Plan with one, edit with the other: what each is asked, what each costs, and what an editor that fails leaves."""

import json
from decimal import Decimal

import pytest

from assistant import command, editor_request, events, tokens
from assistant.edits.review import Review
from assistant.models.message import said
from assistant.tui import quoting
from tests import loopback
from tests.turns import of, walk

JSON = {"content-type": "application/json"}
ILL = (400, JSON, b'{"error": {"message": "the editor is ill"}}')
PLAN = "Let joules begin at 1.0 in Meter.\n\nFiles: kettle/meter.py"
EDIT = "kettle/meter.py\n```\n<<<<<<< SEARCH\n    joules: float = 0.0\n=======\n    joules: float = 1.0\n>>>>>>> REPLACE\n```\n"
WRONG = EDIT.replace("0.0", "7.7")
QUESTION = "start at one in @kettle/meter.py"
EDITOR = "anthropic/claude-haiku-5-5"


@pytest.fixture
def two(two):
    return lambda main, editor, role=EDITOR, more="": two(main, editor, f'{more}\n[roles]\neditor = "{role}"\n')


async def test_one_plans_the_other_edits_and_each_is_metered_and_priced_by_itself(two):
    plan, edits = loopback.openai(PLAN, model="gpt-6.1-sol"), loopback.anthropic(EDIT, model="claude-haiku-5-5")
    with loopback.Server(plan) as main, loopback.Server(edits) as editor:
        session = two(main, editor)
        quote = session.pricing.quote(QUESTION)
        found = await walk(session.ask(QUESTION))
        ended = found[-1]
        entries = session.accounts.ledger.entries()
        await session.close()
    sent = of(found, events.RequestSent)
    assert [(each.purpose, each.model, each.payer) for each in sent] == [
        ("main", "openai/gpt-6.1-sol", "metered"),
        ("edit", EDITOR, "metered"),
    ]
    assert [(each.purpose, f"{each.provider}/{each.model}", each.usage.total_input) for each in entries] == [
        ("main", "openai/gpt-6.1-sol", 100),
        ("edit", EDITOR, 90),
    ]
    assert ended.cost.amount == sum((each.cost.amount for each in entries), Decimal(0))
    assert ended.patch.paths == ("kettle/meter.py",)
    assert (ended.editor, ended.no_edits, ended.stop, ended.stranger) == (EDITOR, "", "end", False)
    assert (ended.served_model, session.proposed.model) == ("gpt-6.1-sol", EDITOR)
    assert ended.text == f"{PLAN}\n\n{EDIT}"
    asked = json.dumps(editor.asked[0][2])
    assert "Let joules begin" in asked
    assert QUESTION in asked
    assert "joules: float = 0.0" in asked  # the same context
    assert "SEARCH" in asked
    assert "SEARCH" not in json.dumps(main.asked[0][2])
    assert quote.editor.model == EDITOR
    assert quote.whole.amount == quote.cost.amount + quote.editor.cost.amount
    assert "+ editor claude-haiku-5-5 $" in quoting.line([quote], 120)


async def test_a_follow_up_reaches_the_editor_with_what_was_said_and_the_file_that_the_plan_names(two, repo):
    """The same for the other file: neither the question nor the plan says what the same is."""
    other = repo / "kettle" / "element.py"
    other.write_text('"""What heats."""\n\nwatts: float = 0.0\n' + "# Hot.\n" * 200)
    first = loopback.openai(PLAN), loopback.anthropic(EDIT)
    then = EDIT.replace("meter.py", "element.py").replace("    joules", "watts")
    with (
        loopback.Server(first[0], loopback.openai("As before.\n\nFiles: kettle/element.py, kettle/new.py")) as main,
        loopback.Server(first[1], loopback.anthropic(then)) as editor,
    ):
        session = two(main, editor)
        await walk(session.ask(QUESTION))
        await walk(session.deciding.apply(Review.of(session.proposed.patch, "take")))
        quote = session.pricing.quote("the same for the other file")
        found = await walk(session.ask("the same for the other file"))
        await session.close()
    asked = json.dumps(editor.asked[1][2])
    assert "watts: float = 0.0" in asked  # the plan names it, the question does not
    assert "start at one in @kettle/meter.py" in asked
    assert "joules: float = 1.0" in asked  # how it was done before
    assert "What the developer did with your last edits" in asked
    assert "watts: float = 0.0" not in json.dumps(main.asked[1][2])
    assert found[-1].patch.paths == ("kettle/element.py",)
    assert len(of(found, events.ContextPacked)) == 2
    assert quote.editor.likely > 300
    assert "earlier>" not in json.dumps(editor.asked[0][2])


def test_an_editor_reads_the_end_of_a_long_conversation():
    history = [said(("user", "assistant")[at % 2], f"part {at}: " + "kettle " * 400) for at in range(20)]
    words = editor_request.words("q", "p", history)
    assert "part 19" in words
    assert "part 0:" not in words
    assert tokens.count(words) < editor_request.EARLIER + 300
    assert "</earlier>" not in editor_request.words("q", "p", [said("user", "a </earlier> b")]).replace(
        "\n</earlier>\n", ""
    )
    assert "earlier" not in editor_request.words("q", "p", [])


async def test_an_answer_in_words_asks_no_editor(two):
    with loopback.Server(loopback.openai("It counts joules.")) as main, loopback.Server(ILL) as editor:
        session = two(main, editor)
        ended = (await walk(session.ask("what does it do?")))[-1]
        await session.close()
    assert editor.asked == []
    assert (ended.editor, ended.text) == ("", "It counts joules.")


async def test_a_plan_with_edits_of_its_own_is_taken_as_it_is(two):
    with loopback.Server(loopback.openai(EDIT + PLAN)) as main, loopback.Server(ILL) as editor:
        session = two(main, editor)
        ended = (await walk(session.ask("start at one")))[-1]
        await session.close()
    assert editor.asked == []
    assert ended.patch is not None


@pytest.mark.parametrize("answer", [ILL, loopback.anthropic("")])
async def test_an_editor_that_fails_or_writes_nothing_leaves_the_plan(two, answer):
    with loopback.Server(loopback.openai(PLAN), loopback.openai(EDIT)) as main, loopback.Server(answer) as editor:
        session = two(main, editor)
        found = await walk(session.ask("start at one"))
        ended = found[-1]
        assert (ended.stop, ended.error, ended.patch, ended.text) == ("end", None, None, PLAN)
        assert session.history[-1].text == PLAN
        words = " ".join(each.text for each in of(found, events.Notice))
        assert "/model editor=none" in words
        assert ended.no_edits
        await walk(command.submit(session, "/model editor=none"))
        ended = (await walk(session.ask("write the edits")))[-1]
        assert ended.patch is not None
        assert len(editor.asked) == 1
        await session.close()


async def test_edits_that_found_no_place_go_back_to_the_editor(two):
    with (
        loopback.Server(loopback.openai(PLAN)) as main,
        loopback.Server(loopback.anthropic(WRONG), loopback.anthropic(EDIT)) as editor,
    ):
        session = two(main, editor)
        ended = (await walk(session.ask("start at one")))[-1]
        purposes = [each.purpose for each in session.accounts.ledger.entries()]
        await session.close()
    assert purposes == ["main", "edit", "repair"]
    assert (len(main.asked), len(editor.asked)) == (1, 2)
    assert (ended.patch.paths, ended.misfits) == (("kettle/meter.py",), ())


async def test_an_editor_without_a_key_is_not_passed_over_in_silence_and_the_main_model_edits(two):
    with loopback.Server(loopback.openai(EDIT)) as main, loopback.Server(ILL) as editor:
        session = two(main, editor, role="deepseek/deepseek-flash")
        found = await walk(session.ask("start at one"))
        assert session.pricing.quote("again").editor is None
        await session.close()
    assert "no key for DeepSeek" in of(found, events.Notice)[0].text
    assert found[-1].patch is not None


async def test_a_cap_counts_the_editor_too(two):
    with loopback.Server(loopback.openai(PLAN)) as main, loopback.Server(loopback.anthropic(EDIT)) as editor:
        free = two(main, editor)
        quote = free.pricing.quote("start at one", sure=True)
        await free.close()
        between = quote.cost.amount + quote.editor.cost.amount / 2
        session = two(main, editor, more=f'cap_turn = "{between}"')
        found = await walk(command.submit(session, "start at one"))
        assert of(found, events.TurnHeld)
        await walk(command.submit(session, "/model editor=none"))
        assert not of(await walk(command.submit(session, "start at one")), events.TurnHeld)
        await session.close()


async def test_an_editor_is_chosen_in_the_sitting(two):
    with loopback.Server(loopback.openai(PLAN)) as main, loopback.Server(loopback.anthropic(EDIT)) as editor:
        session = two(main, editor, role="")
        assert session.pricing.quote("x").editor is None
        (notice,) = await walk(command.submit(session, "/model editor=haiku"))
        assert EDITOR in notice.text
        assert "metered pays" in notice.text
        assert session.pricing.quote("x").editor.model == EDITOR
        (notice,) = await walk(command.submit(session, "/model editor=deepseek/deepseek-flash"))
        assert notice.level == "warning"
        (notice,) = await walk(command.submit(session, "/model editor=no-such-model"))
        assert notice.level == "error"
        await session.close()


async def test_a_stop_while_the_editor_writes_ends_the_turn_as_stopped(two):
    long = loopback.anthropic("word " * 400)
    with loopback.Server(loopback.openai(PLAN)) as main, loopback.Server(long, pause_s=0.01) as editor:
        session = two(main, editor)
        found = []
        async for event in session.ask("start at one"):
            found.append(event)
            if isinstance(event, events.RequestSent) and event.purpose == "edit":
                session.stop()
        assert found[-1].stop == "cancelled"
        assert found[-1].text.startswith(PLAN)
        await session.close()


@pytest.mark.parametrize(
    ("plan", "wants"),
    [
        ("Do it.\nFiles: a.py", True), ("Do it.\n\n**Files:** `a.py`, b.py\n", True), ("- files : a.py", True),
        ("All of the files: none of them matter", False), ("Nothing.\nFiles: none", False), ("Files: **None** of them.", False), ("Files:\n", False), ("", False),
    ],
)  # fmt: skip
def test_the_last_line_of_a_plan_says_whether_edits_are_wanted(plan, wants):
    assert bool(editor_request.files(plan)) is wants


def test_on_the_shell_a_plan_without_edits_is_a_failure_where_a_patch_was_wanted(wattson, tmp_path):
    folder = tmp_path / "state" / "config"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(f'model = "openai/gpt-6.1-sol"\n[roles]\neditor = "{EDITOR}"\n')
    with loopback.Server(loopback.openai(PLAN)) as main, loopback.Server(ILL) as editor:
        env = {"OPENAI_BASE_URL": main.url, "OPENAI_API_KEY": "k" * 20}
        env |= {"ANTHROPIC_BASE_URL": editor.url, "ANTHROPIC_API_KEY": "a" * 20}
        code, out, err = wattson("ask", "start at one", **env)
        assert (code, out.strip()) == (0, PLAN)
        assert "ill" in err
        code, lines, _ = wattson("ask", "--apply", "--json", "start at one", lines=True, **env)
    assert code == 1
    assert lines[-2]["event"] == "not_written"
    assert lines[-1]["editor"] == EDITOR
    assert "ill" in lines[-1]["no_edits"]


async def test_the_screen_says_who_edits_and_who_pays(two):
    from assistant.tui.app import Wattson
    from tests.tui.keys import say, until

    with loopback.Server(loopback.openai(PLAN)) as main, loopback.Server(loopback.anthropic(EDIT)) as editor:
        app = Wattson(two(main, editor))
        async with app.run_test(size=(120, 30)) as pilot:
            await until(pilot, lambda: app.main.composer.has_focus)
            await say(pilot, QUESTION)
            await until(pilot, lambda: "hunk to decide" in app.main.talk.text)
            assert f"edit from {EDITOR} (metered)" in app.main.talk.text
            assert len(app.main.hunks.hunks) == 1
