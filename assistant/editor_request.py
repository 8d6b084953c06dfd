"""What an editor model is sent: the plan, the end of the conversation before it, and the files that the plan names.

An editor does not follow the conversation: it is asked once for each plan. "The same for the other file" means nothing
without the last exchange, and a file that is not shown cannot be edited; anything more would be paid for but not read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assistant import prompts

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from assistant.models.message import Message

EARLIER = 2_000
"""The most o200k tokens of the conversation before the plan that an editor reads, newest first: two or three
exchanges."""
_FILES = re.compile(r"^[\s>*_`#-]*Files\b[\s*_`]*:(.*)$", re.IGNORECASE | re.MULTILINE)
_NONE = re.compile(r"[\s*_`-]*(none\b|no\b|$)", re.IGNORECASE)


def files(plan: str) -> tuple[str, ...]:
    """Return the files that a plan will change, as its line "Files: ..." names them."""
    named = _FILES.findall(plan)
    if not named or _NONE.match(named[-1]):
        return ()
    found = (each.strip(" \t\r*_`'\"") for each in named[-1].split(","))
    return tuple(each for each in found if each)


def unseen(plan: str, shown: Collection[str]) -> bool:
    """Say whether a plan names a file that the editor would not be shown."""
    return any(each.removeprefix("./") not in shown for each in files(plan))


def words(question: str, plan: str, history: Sequence[Message]) -> str:
    """Return the text of the request to an editor. Counts tokens: call it in a thread."""
    from assistant.models import switch

    before = switch.told(history, EARLIER).replace("</earlier>", "</ earlier>")
    earlier = prompts.fill("earlier", conversation=before) if before else ""
    return prompts.fill("edit", earlier=earlier, question=question, plan=plan)
