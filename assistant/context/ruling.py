"""Shows the rules of a repository with a question: those of its root, and those of the folders that it touches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.context import choose, rules
from assistant.context.choose import RULED, RULES, Shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from assistant.context.out import Out
    from assistant.context.reader import Reader
    from assistant.context.rules import Ruled, RuleFile

_SHARE = 4
"""Rules take at most a quarter of the budget."""


class Ruling:
    """The rules that go along with one question, in a quarter of the budget.

    `ruled` says which the conversation has been told of, None where it begins: what it began with stands before it, and
    the rules of folders that were touched later stand with each question.
    """

    def __init__(self, reader: Reader, budget: int, paths: Sequence[str], out: Out, ruled: Ruled | None) -> None:
        self.folders: list[str] = []
        self._reader = reader
        self._left = budget // _SHARE
        self._paths = paths
        self._out = out
        self._ruled = ruled
        self._known: set[str] = set()

    def of(self, touched: Iterable[str], named: Collection[str] = (), pinned: Collection[str] = ()) -> list[Shown]:
        """Return the rules that apply to some files, without those that this has returned before.

        Rules files that the user `named` are shown as such, unless the conversation was told of them: then they stay
        where they are, as long as they are not `pinned`.
        """
        reader, out, shown = self._reader, self._out, []
        told = [*(self._ruled.all if self._ruled else ()), *self.folders]
        may_be_shown = lambda path: path in self._paths or out.hides(path)  # noqa: E731 - one of the question's rules
        for each in rules.rules(reader.repo, touched, told=told, may_be_shown=may_be_shown):
            if each.path in self._known:
                continue
            self._known.add(each.path)
            own = each.path in pinned or (each.path in named and not self._was_told(each))
            if own or out.hides(each.path) or out.hides(each.link):
                continue
            if (each.link and reader.keeps_back(each.link)) or (each.unread and reader.keeps_back(each.path)):
                continue
            if each.unread:
                reader.left_out[each.path] = f"{each.unread}: its rules are not sent"
            elif reader.read(each.path) is not None and (file := self._fitting(each)):
                shown.append(file)
                self.folders += filter(None, [each.folder])
        return shown

    def _was_told(self, each: RuleFile) -> bool:
        return self._ruled is not None and each.folder in {"", *self._ruled.all}

    def _fitting(self, each: RuleFile) -> Shown | None:
        """Return the section of a rules file; None, which the user is told, where there is no room for it."""
        lines = each.text.split("\n")
        linked = [f"{each.link} is a link to it"] if each.link else []
        why = "; ".join(["rules of this repository", *linked, *each.warnings])
        lasts = self._ruled is None or each.folder in {"", *self._ruled.first}
        file = Shown(
            each.path, lines, None, why, ranges=[choose.whole(lines)], must=True, place=RULES if lasts else RULED
        )
        size = self._reader.measure.count(file.draw())
        if size > self._left:
            self._reader.left_out[each.path] = "rules longer than a quarter of the budget; pin the file to send it"
            return None
        self._left -= size
        return file


def touched(shown: Iterable[Shown]) -> list[str]:
    """Return the files, and listed folders, of which lines are shown; rules files touch no folder by themselves."""
    return [file.path for file in shown if file.ranges and file.path.rpartition("/")[2] not in rules.NAMES]
