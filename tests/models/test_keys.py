"""Where keys come from, whose they are, and that none of them is ever seen."""

import subprocess
import sys

import pytest

from assistant import config
from assistant.config import Config
from assistant.errors import Auth
from assistant.models import catalogue, keys
from assistant.models.redact import redact

ALL = catalogue.load({}, None, {})


def key_of(provider, env, settings=None, **more):
    return keys.find_key(ALL.providers[provider], env, settings or Config(), **more)


def test_the_first_of_several_names_wins_and_each_provider_has_one_of_its_own():
    env = {"GOOGLE_API_KEY": "AIza-google-0123456789", "GEMINI_API_KEY": "AIza-gemini-0123456789"}
    assert key_of("gemini", env).source == "GEMINI_API_KEY"
    assert key_of("gemini", {"GOOGLE_API_KEY": "AIza-google-0123456789"}).source == "GOOGLE_API_KEY"
    assert key_of("nova", {"AMAZON_NOVA_API_KEY": "k" * 20}).source == "AMAZON_NOVA_API_KEY"
    assert key_of("openai", {}) is None
    assert all(provider.key_names for provider in ALL.providers.values() if provider.key_needed)


@pytest.mark.parametrize(
    ("provider", "key", "goes_to"),
    [
        ("openai", "sk-ant-0123456789abcdef", "anthropic"),
        ("anthropic", "sk-or-v1-0123456789abcdef", "openrouter"),
        ("deepseek", "sk-proj-0123456789abcdef", "openai"),
        ("kimi", "sk-kimi-0123456789abcdef", "kimi-code"),
        ("kimi-cn", "sk-kimi-0123456789abcdef", "kimi-code"),
        ("qwen", "sk-sp-0123456789abcdef", "qwen-coding"),
        ("qwen-cn", "sk-ws-0123456789abcdef", "qwen-coding"),
        ("openai", "sk-cp-0123456789abcdef", "minimax"),
        ("openai", "AIzaSy0123456789abcdef", "gemini"),
        ("openai", "nvapi-0123456789abcdef", "nvidia"),
        ("openrouter", "xai-0123456789abcdef", "xai"),
    ],
)
def test_a_key_at_the_wrong_address_is_explained_before_it_is_sent(provider, key, goes_to):
    seller = ALL.providers[provider]
    assert goes_to in keys.misplaced(key, seller)
    with pytest.raises(Auth, match="was not sent") as caught:
        key_of(provider, {seller.key_names[0]: key})
    assert goes_to in caught.value.hint
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("provider", "key"),
    [
        ("anthropic", "sk-ant-0123456789abcdef"), ("openai", "sk-0123456789abcdef0123"), ("openai", "sk-proj-0123456789abcdef"),
        ("kimi-code", "sk-kimi-0123456789abcdef"), ("qwen-coding", "sk-sp-0123456789abcdef"), ("qwen-coding-cn", "sk-sp-0123456789abcdef"),
        ("minimax", "sk-cp-0123456789abcdef"), ("minimax-cn", "sk-api-0123456789abcdef"), ("zai", "0123456789abcdef.abcdef"),
        ("deepseek", "sk-0123456789abcdef0123"), ("kimi", "sk-0123456789abcdef0123"), ("bedrock", "ABSKQmVkcm9ja0FQSUtleS0="),
        ("vllm", "anything-at-all-here"),
    ],
)  # fmt: skip
def test_a_key_that_may_be_right_is_sent(provider, key):
    assert keys.misplaced(key, ALL.providers[provider]) is None


def test_at_an_address_of_the_users_own_any_key_may_be_right():
    moved = catalogue.load({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, None, {}).providers["openai"]
    assert keys.misplaced("sk-ant-0123456789abcdef", moved) is None
    mine = catalogue.load({}, None, {"mine": {"base_url": "http://127.0.0.1:1/v1"}}).providers["mine"]
    assert keys.misplaced("sk-or-0123456789abcdef", mine) is None


def test_a_misplaced_key_gives_way_to_a_right_one_under_another_name():
    env = {"MOONSHOT_API_KEY": "sk-kimi-0123456789abcdef", "MOONSHOTAI_API_KEY": "sk-platform-0123456789"}
    assert key_of("kimi", env).source == "MOONSHOTAI_API_KEY"
    listed = {each.provider.name for each in keys.found(ALL, {"KIMI_API_KEY": "sk-kimi-0123456789abcdef"}, Config())}
    assert listed == {"kimi-code"}


def test_regions_do_not_lend_each_other_their_keys():
    for one, other in (("kimi", "kimi-cn"), ("qwen", "qwen-cn"), ("minimax", "minimax-cn"), ("zai", "bigmodel")):
        assert not set(ALL.providers[one].key_names) & set(ALL.providers[other].key_names)


def test_a_command_of_the_users_config_gives_a_key():
    command = [sys.executable, "-c", "print('from-a-command-0123')"]
    settings = Config(key_commands={"openai": command})
    assert key_of("openai", {}, settings).value == "from-a-command-0123"
    assert key_of("openai", {"OPENAI_API_KEY": "from-the-environment"}, settings).source == "OPENAI_API_KEY"
    assert key_of("openai", {}, Config(providers={"openai": {"key_command": command}})).source == "your key command"
    for broken in (["/no/such/program"], [sys.executable, "-c", "raise SystemExit(1)"], [sys.executable, "-c", ""]):
        with pytest.raises(Auth, match="key command"):
            key_of("openai", {}, Config(key_commands={"openai": broken}))


def test_a_key_command_sees_a_small_environment_and_no_other_key():
    told = "import os; print('+'.join(sorted(os.environ)) + '=' + os.environ['HOME'])"
    env = {"PATH": "/bin", "HOME": "/home/me", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "GNUPGHOME": "/gpg"}
    others = {"ANTHROPIC_API_KEY": "a" * 20, "AWS_SECRET_ACCESS_KEY": "s" * 20, "TERM": "xterm", "GITHUB_TOKEN": "t"}
    found = key_of("openai", {**env, **others}, Config(key_commands={"openai": [sys.executable, "-c", told]}))
    names, _, home = found.value.partition("=")
    assert home == "/home/me"
    assert set(env) <= set(names.split("+")) <= {*env, "LC_CTYPE"}  # Python itself may set one


def test_the_keyring_is_asked_last_by_service_and_provider():
    asked = []

    def vault(service, name):
        asked.append((service, name))
        return "from-the-keyring-0123"

    assert key_of("openai", {"OPENAI_API_KEY": "from-the-environment"}, vault=vault).source == "OPENAI_API_KEY"
    assert asked == []
    assert key_of("openai", {}, vault=vault).value == "from-the-keyring-0123"
    assert asked == [("wattson", "openai")]
    with pytest.raises(Auth, match="was not sent"):
        key_of("anthropic", {}, vault=lambda *_: "sk-or-v1-0123456789abcdef")


def test_the_extra_is_used_when_it_is_there_and_a_broken_one_has_no_key(tmp_path):
    (tmp_path / "keyring").mkdir()
    (tmp_path / "keyring" / "errors.py").write_text("class KeyringError(Exception): ...\n")
    script = (
        "from assistant.config import Config\nfrom assistant.models import catalogue, keys\n"
        "p = catalogue.load({}, None, {}).providers['openai']\nprint(keys.find_key(p, {}, Config()))\n"
    )
    for body, shown in (
        ("def get_password(service, name): return f'{service}/{name}-0123456789abcdef'\n", "Key(wat…cdef, the keyring)"),
        ("from keyring.errors import KeyringError\ndef get_password(service, name): raise KeyringError('locked')\n", "None"),
    ):  # fmt: skip
        (tmp_path / "keyring" / "__init__.py").write_text(body)
        done = subprocess.run(
            [sys.executable, "-B", "-c", script],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(tmp_path)},
            cwd=str(config.__file__).rsplit("/assistant", 1)[0],
        )
        assert done.stdout.strip() == shown


def test_a_repository_sets_neither_an_address_nor_a_key(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-evil\nOPENAI_BASE_URL=http://127.0.0.1:9/v1\n")
    (tmp_path / ".wattson.toml").write_text(
        'key_commands = { openai = ["touch", "MARK"] }\n[providers.openai]\nbase_url = "http://127.0.0.1:9/v1"\n'
    )
    monkeypatch.chdir(tmp_path)
    home = {"WATTSON_HOME": str(tmp_path / "home")}
    settings = config.load(config.places(home), tmp_path)
    assert not settings.providers
    assert not settings.key_commands
    assert len(settings.warnings) == 2
    seller = catalogue.load(home, None, settings.providers).providers["openai"]
    assert (seller.base_url, seller.address_from) == ("https://api.openai.com/v1", "")
    assert keys.find_key(seller, {"OPENAI_API_KEY": "sk-real-0123456789"}, settings).value == "sk-real-0123456789"


CANARY = "CANARY0123456789abcdefXYZ"


@pytest.mark.parametrize(
    "text",
    [
        f"Incorrect API key provided: sk-{CANARY}", f"authorization: Bearer {CANARY}", f"X-API-KEY: {CANARY}",
        f'{{"api_key": "{CANARY}"}}', f"https://user:{CANARY}@proxy.example:3128 refused", f"GET /v1/models?key={CANARY}&x=1",
        f"token={CANARY}", f"AIza{CANARY}", f"xai-{CANARY}", f"nvapi-{CANARY}", f"sk-ant-api03-{CANARY}", f"gsk_{CANARY}",
        f"eyJ{CANARY}.eyJzdWIiOiIx.c2ln", f"AWS_SECRET_ACCESS_KEY={CANARY}", f"Basic {CANARY}",
    ],
)  # fmt: skip
def test_what_looks_like_a_key_is_masked(text):
    assert "CANARY" not in redact(text)


def test_what_is_known_to_be_a_key_is_masked_whatever_it_looks_like():
    secret = "plain words would not give it away"
    assert "plain" not in redact(f"failed with {secret}!", [secret])
    assert "abcdefghijkl" not in redact("shown as abcdefghijkl...", ["abcdefghijklmnopqrstuvwxyz"])


@pytest.mark.parametrize(
    "text",
    ["max_tokens: 4096", "prompt is too long: 1000123 tokens > 1000000 maximum", "model token limit: 262144", "https://api.openai.com/v1/models", "def key(value): return value", ""],
)  # fmt: skip
def test_other_words_stay(text):
    assert redact(text) == text


def test_a_key_is_never_shown_whole():
    key = keys.Key("sk-" + CANARY, "X")
    assert "CANARY0" not in repr(key) + key.masked + str(key)
    assert keys.masked("short") == "…"


def test_only_pages_that_name_a_variable_are_read_and_none_is_missed():
    """What is there is found as if all pages had been read, in their order; the others are left unread."""
    every = {name for provider in ALL.providers.values() for name in provider.key_names}
    whole = catalogue.Catalogue(dict(ALL.providers))
    commands = Config(key_commands={"xai": ["pass", "x"], "bigmodel-coding": ["pass", "b"]})
    for settings in (Config(), commands):
        for names in (every, *([name] for name in sorted(every))):
            env = dict.fromkeys(names, "k" * 24) | {"HOME": "/h", "EMPTY": "", "ODD\udc80": "x"}
            fresh = catalogue.load({}, None, {})
            assert keys.found(fresh, env, settings) == keys.found(whole, env, settings)
    fresh = catalogue.load({}, None, {})
    assert [each.provider.name for each in keys.found(fresh, {"DEEPSEEK_API_KEY": "k" * 24}, Config())] == ["deepseek"]
    unread = [name for name in fresh.providers if not fresh.providers.mentions(name, set())]
    assert len(unread) == len(fresh.providers) - 1


def test_what_users_wrote_of_a_provider_counts_beside_our_page(tmp_path):
    (tmp_path / "deepseek.toml").write_text(
        'title = "Mine"\nwire = "openai_chat"\nbase_url = "https://x.test"\nkey_names = ["OWN_KEY"]\n'
    )
    loaded = catalogue.load({}, tmp_path, {"zai": {"key_names": ["OTHER_KEY"]}})
    env = {"OWN_KEY": "k" * 24, "OTHER_KEY": "k" * 24, "DEEPSEEK_API_KEY": "k" * 24}
    assert [(each.provider.name, each.source) for each in keys.found(loaded, env, Config())] == [
        ("deepseek", "OWN_KEY"), ("zai", "OTHER_KEY"),
    ]  # fmt: skip
