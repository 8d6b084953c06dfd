"""A plan that cannot pay a provider or a key pays nothing: that is said, the step is booked at its price, and caps hold."""

import pytest

from tests import loopback

KEY = "k" * 24
OPENAI = "OPENAI", "openai/gpt-6.1-sol", "sk-proj-" + KEY, "/v1", loopback.openai
ZAI = "ZAI", "zai/glm-5.3", KEY, "/api/paas/v4", loopback.openai
CODING = "ZAI", "zai/glm-5.3", KEY, "/api/coding/paas/v4", loopback.openai
MINIMAX = "MINIMAX", "minimax/MiniMax-M3", "sk-api-" + KEY, "/anthropic", loopback.anthropic
MINIMAX_CN = "MINIMAX_CN", "minimax-cn/MiniMax-M3", "sk-cp-" + KEY, "/anthropic", loopback.anthropic


@pytest.fixture
def asked(wattson, config):
    """Name a plan for a provider and run a command with its key at a server of our own."""

    def run(*args, plan, who, more="", **env):
        name, model, key, path, answer = who
        config(f'{more}[plans]\n{model.partition("/")[0]} = "{plan}"\n')
        with loopback.Server(answer("Hello.")) as server:
            args = args or ("ask", "-m", model, "--json", "hi")
            env = {f"{name}_BASE_URL": server.url + path, f"{name}_API_KEY": key, **env}
            code, found, said = wattson(*args, lines="--json" in args, **env)
            return code, found, said, len(server.asked)

    return run


CANNOT = [
    ("copilot-pro", OPENAI, "GitHub Copilot Pro pays nothing here: it is used by a sign-in of its vendor's"),
    ("chatgpt-plus", OPENAI, "pays nothing here: it is used by a sign-in of its vendor's, and pays for no key"),
    ("glm-lite", ZAI, "it is reached at https://api.z.ai/api/coding/paas/v4 or "),
    ("minimax-go", MINIMAX, "its keys begin with sk-cp-, and the one that is used is a pay-as-you-go key of MiniMax"),
    ("claude-pro", OPENAI, "its terms exclude other programs"),
]


@pytest.mark.parametrize(("plan", "who", "words"), CANNOT)
def test_what_a_plan_cannot_pay_is_booked_at_its_price_and_said(asked, plan, who, words):
    code, found, said, many = asked(plan=plan, who=who)
    assert (code, many) == (0, 1)
    assert found[-1]["cost"]["status"] in {"metered", "reported"}, found[-1]["cost"]
    assert any(words in each.get("text", "") for each in found if each["event"] == "notice"), said
    assert words in asked("ask", "-m", who[1], "hi", plan=plan, who=who)[2]
    code, found, _, _ = asked("plans", "--json", plan=plan, who=who)
    notes = [note for each in found[0]["plans"] for note in each["notes"]]
    assert any(words in note for note in notes)
    code, found, _, _ = asked("doctor", "--offline", "--json", plan=plan, who=who)
    assert [key["payer"] for key in found[0]["keys"] if key["provider"] == who[1].partition("/")[0]] != ["plan"]
    assert any(words in problem for problem in found[0]["problems"])


@pytest.mark.parametrize(("plan", "who", "words"), CANNOT)
def test_caps_hold_what_a_plan_cannot_pay(asked, plan, who, words):
    del words
    code, _, _, many = asked(plan=plan, who=who, more='cap_turn = "0.0000001"\n')
    assert (code, many) == (3, 0)


@pytest.mark.parametrize(
    ("plan", "who"),
    [
        ("glm-lite", CODING),
        ("minimax-go", MINIMAX_CN),
        ("minimax-go", (*MINIMAX[:2], "sk-cp-" + KEY, *MINIMAX[3:])),
        ("glm-lite", (*OPENAI[:3], "/glm/v1", OPENAI[4])),  # a relay of the user's: nobody can tell what is behind it
        ("glm-lite", OPENAI),
    ],
)
def test_a_plan_that_may_pay_is_believed(asked, plan, who):
    code, found, said, many = asked(plan=plan, who=who)
    assert (code, many, found[-1]["cost"]["status"]) == (0, 1, "included"), said
    assert "pays nothing" not in said
    assert not any(
        "pays nothing" in each for each in asked("doctor", "--offline", "--json", plan=plan, who=who)[1][0]["problems"]
    )


def test_at_the_vendors_own_address_the_page_decides(make_session, config):
    """Nothing is sent: only whom a plan pays is looked at."""

    def payers(**more):
        roster = make_session(ZAI_API_KEY=KEY, OPENAI_API_KEY="eyJ" + KEY, MINIMAX_API_KEY=KEY, **more).roster
        return {name: roster.payer(provider) for name, provider in roster.catalogue.providers.items()}

    config('[plans]\nzai = "glm-lite"\nopenai = "chatgpt-plus"\nminimax = "minimax-go"\nqwen-coding-cn = "alibaba-coding-pro"\n'
           'bigmodel-coding = "minimax-go"\ndeepseek = "glm-lite"\nzai-coding = "glm-lite"\n')  # fmt: skip
    found = payers()
    assert (found["zai"], found["zai-coding"]) == ("prepaid", "plan")
    assert found["openai"] == "plan"  # the token of a sign-in
    assert found["minimax"] == "metered"  # a key of another shape
    assert found["qwen-coding-cn"] == "plan"  # the same plan in another region: nothing else is sold there
    assert found["bigmodel-coding"] == "plan"  # by nature, as before
    assert found["deepseek"] == "prepaid"
    assert payers(ZAI_BASE_URL="https://api.z.ai/api/coding/paas/v4")["zai"] == "plan"
    assert payers(ZAI_BASE_URL="https://api.z.ai/api/paas/v4")["zai"] == "prepaid"


BROKEN = 'name = "broken"\n[[meters]\n'


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"DASHSCOPE_API_KEY": "sk-sp-" + KEY}, ["DASHSCOPE_API_KEY is set (sk-…kkkk), and is not sent to", "Alibaba", "qwen-coding"]),
        ({"MOONSHOT_API_KEY": "sk-kimi-" + KEY}, ["MOONSHOT_API_KEY is set", "Kimi Code membership", "KIMI_CODE_API_KEY for kimi-code"]),
    ],
)  # fmt: skip
def test_doctor_says_whose_a_key_is_that_is_set_and_not_sent(wattson, env, words):
    problems = wattson("doctor", "--offline", "--json", lines=True, **env)[1][0]["problems"]
    (told,) = [each for each in problems if next(iter(env)) in each]
    assert [each for each in words if each not in told] == []
    assert not any("No key and no local server" in each for each in problems)
    assert env.popitem()[1] not in "".join(problems)


def test_a_key_that_another_provider_takes_from_the_same_variable_is_no_stray(wattson):
    found = wattson("doctor", "--offline", "--json", lines=True, KIMI_API_KEY="sk-kimi-" + KEY)[1][0]
    assert [each["provider"] for each in found["keys"]] == ["kimi-code"]
    assert not any("KIMI_API_KEY is set" in each for each in found["problems"])


def test_misspelt_names_of_plans_and_providers_are_told(wattson, config):
    config('[plans]\nzai-codng = "glm-lite"\nclaude-code = "claude-pro"\nopencode-go = "opencode-go"\n')
    problems = wattson("doctor", "--offline", "--json", lines=True)[1][0]["problems"]
    assert [each for each in problems if "[plans]" in each] == [
        "[plans] zai-codng: there is no provider or client of that name. Near it: zai-coding, qwen-coding."
    ]
    code, _, said = wattson("plans")
    assert (code, "[plans] zai-codng: there is no provider" in said) == (0, True)
    config('[plans]\nzai-coding = "glm-light"\n')
    code, out, _ = wattson("doctor", "--offline", ZAI_CODING_API_KEY=KEY)
    assert (code, '[plans] zai-coding = "glm-light": there is no plan of that name. Near it: glm-lite' in out) == (
        0,
        True,
    )
    code, _, said = wattson("plans", ZAI_CODING_API_KEY=KEY)
    assert (code, "names the plan 'glm-light' for zai-coding" in said, "glm-lite" in said) == (1, True, True)


def test_a_broken_page_that_the_config_names_hides_no_other_plan(wattson, config):
    config('[plans]\nzai-coding = "broken"\n', broken=BROKEN)
    code, out, said = wattson("plans", "--all", ZAI_CODING_API_KEY=KEY, DEEPSEEK_API_KEY=KEY)
    assert code == 1
    assert "broken.toml" in said
    assert "DeepSeek prepaid balance" in out
    assert "Claude Pro" in out
    assert "names the plan 'broken' for zai-coding" in out
    assert "broken.toml" in wattson("doctor", "--offline", ZAI_CODING_API_KEY=KEY)[1]
    code, _, said = wattson("plans", ZAI_CODING_API_KEY=KEY)  # of one's own board it is a part
    assert (code, "broken.toml" in said) == (1, True)
