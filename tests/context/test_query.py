"""What of a question are its own words."""

import pytest

from assistant.context.query import ask

FORM = """\
### Is there an existing issue for this?
- [X] I have searched the existing issues

### Describe the bug

The cookies of a redirect are lost.

**To Reproduce**
1. fetch it
**Expected behavior:** they are kept
- OS: macOS 14
- Browser [e.g. chrome]: Firefox
- Version 22
- Node: 20.1.0
- [x] rename alpha_tool
<!-- please write
markdown -->
"""


def test_the_words_of_a_form_are_not_those_of_the_question():
    query = ask(FORM)
    assert query.title == "The cookies of a redirect are lost."
    assert {"cooky", "redirect", "kept", "alpha_tool"} <= {*query.weights}
    assert query.weights.keys().isdisjoint(
        {"bug", "reproduc", "firefox", "maco", "node", "search", "markdown", "exist", "brows"}
    )


@pytest.mark.parametrize(
    "question",
    [
        "os.environ is read twice at startup\nfix it",
        "Browser tab title is never updated\n\nsee render_title",
        "OS: the wrong separator\nfix",
        "Version 2\nof the parser",
        "- [ ] rename alpha_tool\n- [x] drop gamma_cache",
        "Expected behavior of join_paths?\nIt adds a slash.",
        "Version: 2\nVersion: 3",
    ],
)
def test_a_text_that_is_no_form_loses_no_word(question):
    query = ask(question)
    assert query.title == question.split("\n")[0]
    alone = {term for row in question.split("\n") for term in ask(row).weights}
    assert alone == {*query.weights}
