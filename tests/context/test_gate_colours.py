"""The gate where a text is coloured: by the escapes of a terminal, or by what is written for them in a source or a log."""

import pytest

from assistant.context import colours, gate
from tests.context.test_gate_shapes import VALUE

TOKEN = "ghp_" + "aB3dE5fG7h" * 4
SPELT = ["\\u001b", "\\u001B", "\\033", "\\33", "\\e", "\\E", "\\x1b", "\\x1B", "\\u{1b}", "\\\\u001b"]
FILES = ["build.log", "a.json", "a.sh", "a.py", "words.txt"]


@pytest.fixture(params=["\x1b", *SPELT])
def colour(request):
    """Write a text in colours: `{c}` begins one, `{o}` ends it, `{e}` ends it as `tput sgr0` does."""
    escape = request.param
    return lambda text: text.format(c=f"{escape}[1;38;5;208m", o=f"{escape}[0m", e=f"{escape}(B{escape}[m")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("{c}{}{o}", TOKEN),
        ("INFO{c}{}{o}", TOKEN),
        ("{e}{}{e}", TOKEN),
        ("{c}API_TOKEN{o}={c}{}{o}", VALUE),
        ("{c}API_TOKEN {o}={c}{}{o}", VALUE),
        ("{c}API_TOKEN{o}={}", VALUE),
        ("{e}DB_PASSWORD{e}: {c}{}", VALUE),
        ("{c}{c}{c}DB_PASSWORD{o}{o}{o} {c}{c}={o}{o} {c}{c}{c}{}{o}{o}", VALUE),
    ],
)
def test_what_is_coloured_is_masked_as_what_is_not(colour, text, secret):
    for path in ("build.log", "words.txt"):
        inside = colour(text.replace("{}", "SECRET"))
        masked, found = gate.mask(f"one\n{inside.replace('SECRET', secret)}\ntwo\n", path)
        assert [each.line for each in found] == [2]
        assert masked == f"one\n{inside.replace('SECRET', f'[masked {found[0].kind}]')}\ntwo\n"


@pytest.mark.parametrize("escape", SPELT)
def test_what_a_log_in_json_says_in_colours_is_masked(escape):
    for inside in (f"{escape}[32m{TOKEN}{escape}[0m", f"{escape}[36mDB_PASSWORD{escape}[0m={VALUE}"):
        masked, (one,) = gate.mask('{"m":"' + inside + '"}', "a.json")
        left = inside.replace(TOKEN, f"[masked {one.kind}]").replace(VALUE, f"[masked {one.kind}]")
        assert masked == '{"m":"' + left + '"}'


def test_a_key_of_which_a_part_was_found_and_coloured_goes_whole(colour):
    for path in FILES:
        masked, found = gate.mask(colour(f"a {TOKEN[:10]}{{c}}{TOKEN[10:20]}{{o}}{TOKEN[20:]} b"), path)
        assert masked == "a [masked GitHub token] b"
        assert len(found) == 1


def test_the_users_own_words_are_masked_behind_colours_of_every_kind():
    for end in ("\x1b(B\x1b[m", "\x1b[0m", "\\u001b[0m", "\\e(B"):
        words = f"why?\n{end}API_TOKEN{end}={end}{VALUE}{end}"
        masked, found = gate.mask_words(colours.plain(words))
        assert VALUE not in masked
        assert [each.line for each in found] == [2]
    assert colours.plain("\x1b(B\x1b[mAPI\x1b(B") == "API"


@pytest.mark.parametrize(
    "line",
    [
        "RED=$(printf '\\033[31m'); echo \"${RED}$API_TOKEN\\033[0m\"",
        'print("\\033[" + code + "mtoken = " + name_of_token)',
        r"_ANSI = re.compile(r'\x1b\[[0-?]*[ -/]*[@-~]')",
        'echo -e "\\e[1mpassword:\\e[0m changeme"',
        "\x1b[32mpassword: ok\x1b[0m",
        "graph" + TOKEN,
    ],
)
def test_what_only_colours_words_stays(line):
    for path in FILES:
        assert gate.mask(line, path) == (line, ())
