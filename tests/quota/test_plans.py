"""Plans as pages: what ours say, what a user may write, and how a mistake is named."""

import tomllib
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from assistant import discover
from assistant.errors import ConfigError
from assistant.quota.plan import load_plan, load_plans, read_file
from assistant.quota.plan_page import read_plan
from tests.quota.estimating import estimate

D = Decimal
OURS = Path("assistant/quota/plans")
PLANS = load_plans(None)


def write(folder, text, name="mine.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_ours_are_all_there_and_name_their_source_and_date():
    wanted = {
        "alibaba-coding-pro", "alibaba-token-lite", "chatgpt-plus", "claude-max-20x", "claude-max-5x", "claude-pro", "copilot-pro",
        "deepseek-prepaid", "glm-cn-lite", "glm-lite", "glm-max", "glm-pro", "google-ai-pro", "kimi-code", "kimi-code-old",
        "minimax-go", "moonshot-prepaid", "opencode-go", "openrouter-prepaid", "practice", "volcengine-agent-medium",
        "volcengine-coding-lite",
    }  # fmt: skip
    assert wanted <= set(PLANS)
    for each in PLANS.values():
        assert each.source, each.name
        assert each.checked_on is not None, each.name
        assert each.reader in {"", *discover.part_names("assistant.quota.readers")}
        for about in each.fields:
            place = about.partition(".")[0]
            assert place in {"price", *(counted.name for counted in each.meters)}, (each.name, about)


def test_terms_are_data():
    assert not PLANS["claude-pro"].may_send
    assert not PLANS["google-ai-pro"].may_send
    assert PLANS["chatgpt-plus"].client == "own_sign_in"
    assert PLANS["glm-lite"].client == "listed_tools"
    for each in PLANS.values():
        assert each.client == "any" or each.client_source, each.name


def test_old_facts_say_so_field_by_field():
    glm = PLANS["glm-lite"]
    assert glm.staleness(date(2026, 11, 23)) == "limits last verified 81 days ago"
    assert glm.staleness(date(2026, 9, 10)) == ""
    assert glm.provenance("week.window").assumed
    assert glm.provenance("week.limit").checked_on == date(2026, 9, 3)
    lite = PLANS["alibaba-token-lite"]
    assert lite.provenance("month.limit").source.startswith("aliyun.com")
    assert lite.provenance("month.limit").assumed


def test_a_page_that_extends_another_gives_only_what_differs():
    maximum, lite = PLANS["glm-max"], PLANS["glm-lite"]
    assert [counted.limit for counted in maximum.meters[:2]] == [28000, 140000]
    assert maximum.meters[0].tariff == lite.meters[0].tariff
    assert maximum.price == 168
    assert maximum.addresses["openai_chat"] == "https://api.z.ai/api/coding/paas/v4"
    assert [counted.limit for counted in PLANS["volcengine-agent-medium"].meters] == [100_000, 35_000, 50_000, 10_000]


def test_a_user_extends_ours_with_the_instant_of_his_order(tmp_path):
    write(tmp_path, 'name = "my-glm"\nextends = "glm-lite"\nactivated_at = 2026-11-03T07:20:00Z\n')
    mine = load_plans(tmp_path)["my-glm"]
    week = next(counted for counted in mine.meters if counted.name == "week")
    assert week.window.origin == datetime(2026, 11, 3, 7, 20, tzinfo=UTC)
    found = {each.meter: each for each in estimate(mine, [], datetime(2026, 11, 23, 18, tzinfo=UTC))}
    assert found["week"].end == datetime(2026, 11, 24, 7, 20, tzinfo=UTC)
    assert load_plan(tmp_path, "my-glm") == mine
    assert read_file(tmp_path / "mine.toml").meters[0].limit == 2000


def test_one_plan_is_read_without_the_others(tmp_path):
    write(tmp_path, "this is not TOML", "broken.toml")
    assert load_plan(tmp_path, "deepseek-prepaid").default_for == ("deepseek",)
    assert load_plan(tmp_path, "practice").default_for == ("scripted",)
    assert load_plan(None, "nothing-of-the-kind") is None
    with pytest.raises(ConfigError, match=r"broken\.toml"):
        load_plans(tmp_path)


def test_the_users_page_of_the_same_name_wins(tmp_path):
    write(
        tmp_path, 'name = "practice"\n[[meters]]\nname = "day"\nunit = "tokens"\nwindow = "calendar_day"\nlimit = 7\n'
    )
    assert load_plans(tmp_path)["practice"].meters[0].limit == 7
    assert load_plan(tmp_path, "practice").meters[0].limit == 7


def test_the_readmes_own_example():
    text = 'name = "my-plan"\n[[meters]]\nname = "5 hours"\nunit = "requests"\nwindow = "first_use"\nhours = 5\nlimit = 120\n'
    page = read_plan(tomllib.loads(text), "my-plan.toml", text)
    assert (page.meters[0].limit, page.meters[0].window.length.total_seconds(), page.title) == (120, 18_000, "my-plan")


def test_every_key_of_the_template_is_read():
    text = (OURS / "TEMPLATE.md").read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in text.split("```toml\n")[1:]]
    assert len(blocks) >= 2
    for index, block in enumerate(blocks):
        page = read_plan(tomllib.loads(block), f"block {index}", block, {"glm-lite": discover.read_toml(OURS / "glm-lite.toml")})  # fmt: skip
        assert page.meters
    from assistant.quota.plan_page import METER_KEYS, PLAN_KEYS

    for key in (METER_KEYS | PLAN_KEYS) - {"source", "note"}:
        assert f"{key} " in text or f"[[meters.{key}]]" in text or f"[[{key}]]" in text or f"[{key}]" in text, key


HEAD = 'name = "mine"\n\n[[meters]]\nname = "week"\n'
WRONG = [
    ('title = "x"\n', "a plan has a name", 0),
    ('name = "mine"\n', "a plan has a name and meters", 0),
    ('name = "mine"\ncolour = "red"\n', "knows no 'colour'", 2),
    ('name = "mine"\ncurrency = "DOUBLOON"\n[[meters]]\nname="a"\nunit="tokens"\nwindow="balance"\n', "no currency 'DOUBLOON'", 2),
    (HEAD + 'unit = "tokens"\n', "missing: window", 3),
    (HEAD + 'unit = "tokens"\nwindow = "fortnight"\n', "no window 'fortnight'", 6),
    (HEAD + 'unit = "parsecs"\nwindow = "balance"\n', "no unit 'parsecs'", 5),
    (HEAD + 'unit = "tokens"\nwindow = "first_use"\n', "needs its hours", 6),
    (HEAD + 'unit = "tokens"\nwindow = "first_use"\nhours = -5\n', "hours must be", 7),
    (HEAD + 'unit = "tokens"\nwindow = "first_use"\nlength = "soon"\n', "length is not a length", 7),
    (HEAD + 'unit = "tokens"\nwindow = "first_use"\nlength = "99999999999 days"\n', "at most ten years", 7),
    (HEAD + 'unit = "tokens"\nwindow = "calendar_day"\nzone = "Mars/Olympus"\n', "no time zone", 7),
    (HEAD + 'unit = "tokens"\nwindow = "calendar_week"\nanchor_weekday = "someday"\n', "not a weekday", 7),
    (HEAD + 'unit = "tokens"\nwindow = "calendar_day"\nanchor_time = "25:00"\n', "not a time of day", 7),
    (HEAD + 'unit = "tokens"\nwindow = "calendar_month"\nanchor_day = 32\n', "anchor_day must be", 7),
    (HEAD + 'unit = "tokens"\nwindow = "grid"\ndays = 7\nactivated_at = "some day"\n', "not an instant", 8),
    (HEAD + 'unit = "tokens"\nwindow = "balance"\nlimit = "much"\n', "limit is not a number", 7),
    (HEAD + 'unit = "tokens"\nwindow = "balance"\nlimit = -1\n', "limit must be at least 0", 7),
    (HEAD + 'unit = "tokens"\nwindow = "balance"\nweights = { thought = 2 }\n', "weights knows no 'thought'", 7),
    (HEAD + 'unit = "tokens"\nwindow = "balance"\nweights = { output = "x" }\n', "weights.output is not a number", 7),
    (HEAD + 'unit = "money"\nwindow = "balance"\ncurrency = "usd"\n', "no currency 'usd'", 7),
    (HEAD + 'unit = "tokens"\nwindow = "balance"\nhuors = 5\n', "Did you mean 'hours'", 7),
    (HEAD + 'window = "calendar_week"\npool = "month"\npercent = 5\n', "is not a meter above it", 6),
    (HEAD + 'unit = "tokens"\nwindow = "balance"\n[[meters.rules]]\nhours = "9 to 5"\nfactor = 2\n', "not a part of the day", 8),
    (HEAD + 'unit = "tokens"\nwindow = "balance"\n[[meters.rules]]\ndays = "mon"\n', "a rule needs its factor", 7),
    (HEAD + 'unit = "tokens"\nwindow = "balance"\n[[meters]]\nname = "week"\nunit = "tokens"\nwindow = "balance"\n', "two meters called 'week'", 8),
    ('name = "mine"\nextends = "nothing"\n', "no plan of that name", 2),
    ('name = "mine"\nmeters = 5\n', "meters must be tables", 2),
    ('name = "mine"\nchecked_on = "lately"\n[[meters]]\nname="a"\nunit="tokens"\nwindow="balance"\n', "checked_on is not a date", 2),
    ('name = "mine"\n[holidays]\ncn = ["2026-13-01"]\n[[meters]]\nname="a"\nunit="tokens"\nwindow="balance"\n', "holds no date", 3),
    (HEAD + 'unit = "tokens"\nwindow = "first_use"\nhours = 5\n[[meters.lots]]\namount = 5\n', "only a balance has lots", 3),
    (HEAD + 'unit = "percent"\nwindow = "balance"\nlimit = 100\n[[meters.lots]]\namount = 5\n', "a meter of percents counts none", 9),
    ('name = "mine"\nprice = 18\nperiod = "yaer"\n[[meters]]\nname="a"\nunit="tokens"\nwindow="balance"\n', "there is no period 'yaer'", 3),
    ('name = "mine"\naddresses = 5\n[[meters]]\nname="a"\nunit="tokens"\nwindow="balance"\n', "addresses must be a table", 2),
    ('name = "mine"\n[addresses]\nopenai_chat = "https://[bad"\n[[meters]]\nname="a"\nunit="tokens"\nwindow="balance"\n', "is no address", 3),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words", "line"), WRONG, ids=[each[1] for each in WRONG])
def test_a_mistake_is_named_by_file_line_and_word(tmp_path, text, words, line):
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        read_file(path)
    assert words in str(error.value)
    place = f"{path}:{line}" if line else f"{path}"
    assert str(error.value).startswith(place), str(error.value)


def test_plans_cannot_go_in_circles(tmp_path):
    write(tmp_path, 'name = "a"\nextends = "b"\n', "a.toml")
    write(tmp_path, 'name = "b"\nextends = "a"\n', "b.toml")
    with pytest.raises(ConfigError, match="extends itself"):
        load_plans(tmp_path)
    write(tmp_path, 'name = "practice"\nextends = "practice"\n', "a.toml")
    (tmp_path / "b.toml").unlink()
    with pytest.raises(ConfigError, match="cannot extend itself"):
        load_plans(tmp_path)


def test_not_toml_is_named_with_its_line(tmp_path):
    with pytest.raises(ConfigError, match=r"mine\.toml.*line 2"):
        read_file(write(tmp_path, 'name = "mine"\n[[meters\n'))


def test_our_pages_are_named_as_their_plans_so_that_each_is_read_when_it_is_asked_for():
    plans = load_plans(None)
    assert all(plan.name == name for name, plan in plans.items())
    assert len(plans) == len(list(plans.values())) > 20
    assert plans.natural("deepseek").name == "deepseek-prepaid"
    assert plans.natural("no-such-provider") is None
    with pytest.raises(KeyError):
        plans["no-such-plan"]


@pytest.mark.parametrize("where", ["plan", "meter", "rule"])
def test_the_clock_of_a_rule_is_its_own_or_the_meters_or_the_plans(where):
    zone = {"zone": "Asia/Shanghai"}
    said = {name: zone if name == where else {} for name in ("plan", "meter", "rule")}
    rule = {"factor": 2, "hours": ["09:00-12:00"], **said["rule"]}
    meter = {"name": "day", "unit": "requests", "window": "calendar_day", "limit": 9, "rules": [rule], **said["meter"]}
    plan = read_plan({"name": "mine", "meters": [meter], **said["plan"]}, "mine.toml")
    at = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)  # half past nine there
    assert plan.meters[0].tariff.factor("m", at).point == 2
    assert plan.meters[0].tariff.factor("m", at.replace(hour=9, minute=30)).point == 1


@pytest.mark.parametrize("quote", ['"""', "'''"])
def test_what_stands_in_a_text_of_several_lines_is_no_line_of_the_page(tmp_path, quote):
    note = f"note = {quote}\nlimit = 1\n[[meters]]\n{quote}\n"
    meter = '[[meters]]\nname = "week" # """\nunit = "tokens"\nwindow = "first_use"\nhours = 5\nlimit = "zzz"\n'
    with pytest.raises(ConfigError, match=r"mine\.toml:11 \[week\]: limit"):
        read_file(write(tmp_path, f'name = "mine"\n{note}{meter}'))


def test_a_reader_that_does_not_exist_is_named_with_those_that_do(tmp_path):
    with pytest.raises(ConfigError, match=r"mine\.toml:2: there is no reader 'zzz'") as error:
        read_file(
            write(tmp_path, 'name = "mine"\nreader = "zzz"\n[[meters]]\nname = "d"\nunit = "tokens"\nwindow = "day"\n')
        )
    assert "glm" in error.value.hint
