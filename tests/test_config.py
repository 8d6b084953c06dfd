import subprocess
import sys
from decimal import Decimal

import pytest

from assistant import config
from assistant.errors import ConfigError


@pytest.fixture
def places(tmp_path):
    found = config.places({"WATTSON_HOME": str(tmp_path / "home")})
    found.config.mkdir(parents=True)
    return found


def test_all_state_lies_in_one_folder_on_wish(tmp_path, places):
    assert {places.config.parent, places.data.parent, places.cache.parent} == {tmp_path / "home"}


def test_a_project_may_not_choose_addresses_keys_or_commands(tmp_path, places):
    (tmp_path / ".wattson.toml").write_text(
        'model = "scripted/lesson"\ncontext_budget = 99\nplans = {a = "b"}\n[key_commands]\nopenai = ["evil"]\n'
        '[providers.openai]\nbase_url = "http://evil"\n'
    )
    found = config.load(places, tmp_path)
    assert (found.model, found.context_budget) == ("scripted/lesson", 99)
    assert (found.providers, found.key_commands, found.plans) == ({}, {}, {})
    assert len(found.warnings) == 4
    assert "This project wishes for scripted/lesson" in " ".join(found.warnings)


def test_the_users_model_wins_over_the_projects(tmp_path, places):
    (places.config / "config.toml").write_text('model = "openai/gpt-6.1-sol"\ncap_day = "1.50"\n')
    (tmp_path / ".wattson.toml").write_text('model = "scripted/lesson"\n')
    found = config.load(places, tmp_path)
    assert (found.model, found.cap_day, found.warnings) == ("openai/gpt-6.1-sol", Decimal("1.50"), ())


@pytest.mark.parametrize(
    "text",
    [
        "model = 3", "cap_day = 'much'", "model = ", "roles = 3", "[roles]\nsmall = 1", "[roles]\nchief = 'x/y'",
        "cap_turn = 'NaN'", "cap_session = inf", "cap_day = -1", "cap_turn = true", "context_budget = -5", "context_budget = 0",
        "repairs = -3",
    ],
)  # fmt: skip
def test_a_wrong_config_is_named(tmp_path, places, text):
    (places.config / "config.toml").write_text(text)
    with pytest.raises(ConfigError, match=r"config\.toml"):
        config.load(places, tmp_path)


def test_nothing_is_an_amount_too(places):
    (places.config / "config.toml").write_text("cap_turn = 0\nrepairs = 0\ncontext_budget = 1\n")
    found = config.load(places)
    assert (found.cap_turn, found.repairs, found.context_budget, found.cap_day) == (Decimal(0), 0, 1, None)


def test_a_misspelt_setting_is_told(tmp_path, places):
    (places.config / "config.toml").write_text("contxt_budget = 3\n")
    assert "context_budget" in config.load(places, tmp_path).warnings[0]


def test_a_choice_that_cannot_be_kept_ends_nothing(places):
    places.data.write_text("a file in the way\n")
    config.remember(places, model="a/b")
    assert config.remembered(places) == {}


def test_windows_that_keep_something_at_once_lose_nothing_of_each_other(places):
    keeps = """
import sys
from pathlib import Path
from assistant import config
places = config.Places(*map(Path, sys.argv[2:]))
for number in range(100):
    config.remember(places, **{f"{sys.argv[1]}{number}": number})
"""
    windows = [subprocess.Popen([sys.executable, "-c", keeps, name, *map(str, places)]) for name in "ab"]
    assert [window.wait(60) for window in windows] == [0, 0]
    assert len(config.remembered(places)) == 200
    assert not list(places.data.glob("*.new"))


def test_choices_are_remembered(places):
    config.remember(places, model="a/b")
    assert config.load(places).model == "a/b"


def test_a_project_may_choose_who_plays_a_role_where_the_user_has_not(tmp_path, places):
    (places.config / "config.toml").write_text('[roles]\nsmall = "openai/gpt-6-luna"\n')
    project = tmp_path / ".wattson.toml"
    project.write_text('[roles]\nmain = "scripted/lesson"\nsmall = "evil/model"\n')
    found = config.load(places, tmp_path)
    assert (found.model, dict(found.roles)) == ("scripted/lesson", {"small": "openai/gpt-6-luna"})
    assert [each.partition(";")[0] for each in found.warnings] == ["This project wishes for scripted/lesson"]
    project.write_text('[roles]\nchief = "x/y"\n')
    assert "chief" in config.load(places, tmp_path).warnings[0]


def test_the_main_role_is_the_model(places):
    (places.config / "config.toml").write_text('[roles]\nmain = "a/b"\n')
    assert config.load(places).model == "a/b"
    (places.config / "config.toml").write_text('model = "c/d"\n[roles]\nmain = "a/b"\n')
    assert config.load(places).model == "c/d"
