"""The texts that are sent to models: Markdown files with `$names`, filled in here.

They lie in `prompts/` at the top of a checkout, which an editable install reads as well; a wheel carries them inside
the package as `_words`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from string import Template

from assistant.errors import PromptError

_PACKED = Path(__file__).parent / "_words"
_CHECKOUT = Path(__file__).parent.parent / "prompts"


def folder() -> Path:
    """Return the folder of these texts; raises PromptError when this installation has none."""
    for place in (_PACKED, _CHECKOUT):
        if (place / "system.md").is_file():
            return place
    raise PromptError("The prompts of Wattson are missing.", "Install it again.")


@cache
def _template(name: str) -> Template:
    try:
        return Template((folder() / f"{name}.md").read_text(encoding="utf-8").rstrip("\n"))
    except OSError as error:
        raise PromptError(f"There are no words called {name!r}.", "Install Wattson again.") from error


def fill(name: str, **values: str) -> str:
    """Return the text of `name` ("system", "formats/edit_block", ...) with every `$name` filled.

    Values are put in as they are: a `$` inside them means nothing. Raises PromptError for a missing file and for a
    `$name` without a value.
    """
    try:
        return _template(name).substitute(values)
    except KeyError as error:
        raise PromptError(
            f"prompts/{name}.md asks for ${error.args[0]}, which nobody fills.", "Mend the file."
        ) from error
    except ValueError as error:
        raise PromptError(f"prompts/{name}.md: {error}.", "Write $$ for a dollar sign.") from error
