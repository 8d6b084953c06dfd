"""Shows the rules of a repository with a question: those of its root, and those of the folders that it touches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.context import choose, rules
from assistant.context.choose import RULED, RULES, Shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from assistant.context.out import Out
    from assistant.context.reader import Reader
    from assistant.context.rules import Ruled, RuleFile

_SHARE = 4
"""Rules take at most a quarter of the budget."""
_TOLD = 20
"""The most rules files without room that are listed by name; the others are counted."""


class Ruling:
    """The rules that go along with one question, in a quarter of the budget.

    `ruled` says which the conversation has been told of, None where it begins: what it began with stands before it, and
    the rules of folders that were touched later stand with each question. `named` are the files and folders that the
    question names: the rules of those that are marked, or pinned, come before those that are remembered, and are
    remembered themselves, as `folders`; rules of files that are merely shown come last, and go with their question.
    """

    def __init__(
        self,
        reader: Reader,
        budget: int,
        paths: Sequence[str],
        out: Out,
        ruled: Ruled | None,
        named: Mapping[str, bool],
    ) -> None:
        """`named` says of each file or folder whether it is marked."""
        self.folders: list[str] = []
        self._reader = reader
        self._left = self._share = budget // _SHARE
        self._paths = paths
        self._out = out
        self._ruled = ruled
        self._marked = rules.folders(path for path, marked in named.items() if marked)
        told = ruled.foremost if ruled else ()
        self._before = [*self._marked, *told, *rules.folders(named)]
        self._named = named
        self._known: set[str] = set()
        self._full: list[str] = []

    def of(self, touched: Iterable[str] = (), pinned: Collection[str] = ()) -> list[Shown]:
        """Return the rules that apply to what is named, and to other files, without those returned before.

        Rules files that the user named are shown as such, unless the conversation was told of them: then they stay
        where they are, as long as they are not `pinned`.
        """
        reader, out, shown = self._reader, self._out, []
        may_be_shown = lambda path: path in self._paths or out.hides(path)  # noqa: E731 - one of the question's rules
        for each in rules.rules(reader.repo, touched, before=self._before, may_be_shown=may_be_shown):
            if each.path in self._known:
                continue
            self._known.add(each.path)
            own = each.path in pinned or (each.path in self._named and not self._was_told(each))
            if own or out.hides(each.path) or out.hides(each.link):
                continue
            if (each.link and reader.keeps_back(each.link)) or (each.unread and reader.keeps_back(each.path)):
                continue
            if each.unread:
                self._tell(each)
            elif reader.read(each.path, named=True) is not None and (file := self._fitting(each)):
                shown.append(file)
                self.folders += [each.folder] * (each.folder in self._marked)
        return shown

    def _tell(self, each: RuleFile) -> None:
        """Note why rules are not sent; where there are too many, the first by name and the others by their number."""
        why = f"{each.unread}: its rules are not sent"
        self._full += [each.path] * (each.unread == rules.FULL)
        if len(self._full) <= _TOLD or each.unread != rules.FULL:
            self._reader.left_out[each.path] = why
        else:
            self._reader.left_out[self._full[_TOLD - 1]] = f"{why}; and {len(self._full) - _TOLD} more like it"

    def _was_told(self, each: RuleFile) -> bool:
        return self._ruled is not None and each.folder in {"", *self._ruled.all}

    def _fitting(self, each: RuleFile) -> Shown | None:
        """Return the section of a rules file; None, which the user is told, where there is no room for it."""
        lines = each.text.split("\n")
        linked = [f"{each.link} is a link to it"] if each.link else []
        why = "; ".join(["rules of this repository", *linked, *each.warnings])
        lasts = each.folder in {"", *(self._marked if self._ruled is None else self._ruled.first)}
        file = Shown(
            each.path, lines, None, why, ranges=[choose.whole(lines)], must=True, place=RULES if lasts else RULED
        )
        size = self._reader.measure.count(file.draw())
        if size > self._left:
            long = "rules longer" if size > self._share else "rules longer, with those before them,"
            self._reader.left_out[each.path] = f"{long} than a quarter of the budget; pin the file to send it"
            return None
        self._left -= size
        return file


def touched(shown: Iterable[Shown]) -> list[str]:
    """Return the files, and listed folders, of which lines are shown; rules files touch no folder by themselves."""
    return [file.path for file in shown if file.ranges and file.path.rpartition("/")[2] not in rules.NAMES]
