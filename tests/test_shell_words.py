"""Messages name commands of the screen; the command line says in its own words what does the same there."""

import pytest

from assistant.headless.shell_words import in_shell


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("Choose another model with /model, or wait.", "Choose another model with -m, or wait."),
        ("Wait, or switch with /model", "Wait, or switch with -m"),
        ("/history lists the steps.", "`wattson undo --list` lists the steps."),
        (
            "Set aside: /diff 1 brings them back.",
            "Set aside: /diff 1 brings them back. (/diff is a command of the screen: `wattson -c`.)",
        ),
        (
            "Make it short with /compact, or choose with /model editor=none.",
            "Make it short with /compact, or choose with /model editor=none. "
            "(/compact and /model are commands of the screen: `wattson -c`.)",
        ),
        ("Wrote src/model.py, /add/x and /no-command.", "Wrote src/model.py, /add/x and /no-command."),
        ("There is no file '/drop'.", "There is no file '/drop'."),
    ],
)
def test_a_command_of_the_screen_is_named_as_the_command_line_does_it(words, told):
    assert in_shell(words) == told
