"""The seam of edit formats: a reply becomes edits as it streams, whichever notation the model chose.

A format is a parser in `formats/` and nothing else. Every line of the reply is read once. Outside an edit, each format
is asked whether the line begins one of its own; inside, only the format that began it is fed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Protocol

from assistant import discover
from assistant.edits.announced import announces
from assistant.edits.edit import Edit, Misfit
from assistant.edits.fence import DEEPEST, Fence, item
from assistant.edits.filename import is_name, named_by
from assistant.edits.naming import only_path, remarked
from assistant.edits.passage import opens_string
from assistant.edits.remarks import Remarks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BLOCK_HEAD = re.compile(
    r"^\s{0,3}(?:(?P<signs><{3,40}|>{3,40}|-{5,9}|(?:&lt;){3,40})\s*SEARCH\b\s*>?\s*(?P<path>\S.*)?"
    r"|(?P<other><{5,9}|(?:&lt;){5,9})\s*(?:ORIGINAL|HEAD|OLD)?\s*)$",
    re.IGNORECASE,
)
"""The first marker of a SEARCH/REPLACE block, perhaps escaped for HTML; no whole file begins with it."""
_DEEP = re.compile(r"^(?: {4}|\t)\s*(?:<{5,9} SEARCH|\*\*\* Begin Patch)\s*$")
_CITED = re.compile(r"^\s{0,3}>\s?(.*)$")
_THOUGHT = re.compile(r"^\s*<(think|thinking|thought|reasoning)>", re.IGNORECASE)
_THOUGHT_ENDS = re.compile(r"^\s*</(?:think|thinking|thought|reasoning)>", re.IGNORECASE)
_MID_SENTENCE = re.compile(r"[\w,;(\[{&/+=]$")
_ITEM = re.compile(r"^\s*(?:[-*+>|#]|\d+[.)])\s")
_BULLET = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s")
_HALF_MARK = re.compile(r"^\s*(?:<{3,}|`{1,2}|~{1,2}|\*\*\* ?(?:B|A|U|D|E)|@@|@$|\+\+\+|---)[^`]{0,24}$")
_LONE = re.compile(r"^\s*(?:#{1,6}|[*_<`~+]{1,3}|\d{1,3}[.)]|[-+*])\s*$")
"""A sign that begins something, with nothing after it."""
_HEAD = re.compile(r"^\s{0,3}#{1,6}\s+\S")
_SAYS_CUT = re.compile(
    r"^\s*[\[(*_]+\s*(?:(?:the |my )?(?:response|output|answer|reply|message|code|rest)\s+)?(?:was |is |has been )?"
    r"(?:truncated|cut off|to be continued|continued? (?:in|below|with)|continues)\b"
    r"|^(?!.*\bif you\b).*(?:\bwill\b|\w['\u2019]ll\b).{0,60}\bin (?:the|my) next (?:message|response|reply|answer|turn)\b|^\W*(?:(?:shall|should) I |want me to )?(?:continue|go on)\?\W*$"
    r"|.*\b(?:output|response|answer|reply) (?:was |is )?truncated\W*$|.*\b(?:say|type|reply|send) [\"'\u201c]?continue\b|.*(?:下一条(?:消息|回复)|下一則|未完待续|次のメッセージ)"
    r"|^.{0,80}\bcontinued?\b.{0,60}\bnext (?:message|response|reply|answer|turn)\b|^\s*(?:\.{3}|…)?\s*\(continued\)\s*$",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"^\s{0,3}<(?:write_to_file|replace_in_file|apply_diff|str_replace(?:_\w+)?|create_file|edit_file|write_file|insert_content|search_and_replace|function_calls|tool_call|tool_use"
    r"|(?:file|edit|create|write|modify)\s+(?:path|name|file|filename|filepath|src)=[\"'][^\"']+[\"'](?:\s[^>]*)?)>"
)
"""A tool call of other programs, whose edit is in a notation that is not read here."""
_OLD_TEXT = re.compile(r'"(?:old_str|old_string|old_text|oldText|oldString)"\s*:')
"""The same as a JSON object."""
_NO_CODE = {"", "json", "xml", "text", "txt", "plaintext"}
_REPLACES = re.compile(r"\b(?:replace|change|swap)\b.*:\W*$|^\W*find\b.*:\W*$", re.IGNORECASE)
_WITH = re.compile(r"^\W*(?:with|by|to|into|with this|by this|to this|with the following)\b.{0,40}:\W*$", re.IGNORECASE)
"""Words above the second of two blocks, which shall replace the first."""
_TAG = re.compile(r"^\s*</?[A-Za-z][\w-]*>\s*$")
_SENTENCE = 400
_ABOVE = 8
_ENTERS = re.compile(
    r"(?:^|[\s(;&|])(?:(?:cd|pushd) +|git +-C +|patch\b.*? -d *)(?P<folder>'[^']*'|\"[^\"]*\"|[^\s;&|)]+)"
)
"""A shell command that enters another folder."""


@dataclass(frozen=True, slots=True)
class Place:
    """A parser's position in the reply: 1-based line, the lines above, the open fence, the last path and word.

    `deepest` is the most blanks that a fence may have before it here.
    """

    number: int
    above: Sequence[str]
    fence: Fence | None
    deepest: int
    last_path: str
    last_nearer: str

    @property
    def info(self) -> str:
        """What the open fence says of its block."""
        return self.fence.info if self.fence else ""

    @property
    def elsewhere(self) -> str:
        """Why paths are wrong below a line such as `cd sub && apply_patch <<EOF`; empty if they are not."""
        inside = takewhile(lambda line: not Fence.of(line, deepest=self.deepest), reversed(self.above))
        shell = [line for line in inside if line.strip()]
        if not shell or "<<" not in shell[0]:
            return ""
        found = next(filter(None, map(_ENTERS.search, shell)), None)
        folder = found["folder"].strip("'\"") if found else ""
        if folder.rstrip("/") in {"", "."}:
            return ""
        return f"it is for a shell in the folder {folder[:60]!r}, and paths are read from the root"


class Parser(Protocol):
    """Reads one stretch of a reply that is in its format."""

    done: bool
    path: str
    back: list[str]
    """Lines that turned out not to be its own, once `done`; they are read again as if the parser had not begun."""

    def line(self, line: str, number: int) -> list[Edit | Misfit]:
        """Take one line without its end; set `done` after the parser's own last line."""

    def close(self, *, whole: bool) -> list[Edit | Misfit]:
        """Take the end of the reply; anything unfinished becomes a Misfit. `whole`: the last line had an end."""


class Format(Protocol):
    """What a module in `formats/` offers."""

    def begin(self, line: str, place: Place) -> Parser | None:
        """Return a parser when this line begins an edit in this format; the line is not fed to it again."""


class EditParser:
    """Reads one reply. Safe on every prefix; the cost is linear in the length of the reply."""

    def __init__(self) -> None:
        self._formats: list[Format] = list(discover.parts("assistant.edits.formats"))
        self._rest: list[str] = []
        self._number = 0
        self._above: list[str] = []
        self._fence: Fence | None = None
        self._opened = self._item = 0
        self._active: Parser | None = None
        self._last_path = ""
        self._last: Edit | None = None
        self._just_done = False
        self._begun = False
        self._thought = ""
        self._quoted = False
        self._paths: set[str] = set()
        self._named = ("", 0)
        self._passed: list[tuple[str, int]] = []
        self._cited = self._deep = 0
        self._told = False
        self._remarks = Remarks()
        self._foreign = self._swaps = 0

    def feed(self, text: str) -> list[Edit | Misfit]:
        """Take a piece of the reply; return the edits that are complete now."""
        if "\n" not in text:
            self._rest.append(text)
            return []
        *lines, rest = ("".join(self._rest) + text).split("\n")
        self._rest = [rest]
        return [each for line in lines for each in self._line(line.removesuffix("\r"))]

    def close(self) -> list[Edit | Misfit]:
        """Take the end of the reply; an edit that was, or may have been, cut short is a Misfit."""
        rest = "".join(self._rest)
        found = []
        if not self._number and "\r" in rest.rstrip("\r"):  # classic Mac line ends throughout the reply
            *lines, rest = rest.split("\r")
            found = [each for line in lines for each in self._line(line)]
        found += self._line(rest.removesuffix("\r")) if rest else []
        self._rest = []
        if self._thought:
            words = f"The thoughts that open the reply, with <{self._thought}>, have no end; there is no answer behind them."
            return [Misfit(Edit("replace", ""), "incomplete", words)]
        while self._active is not None:
            parser = self._active
            broken = parser.close(whole=not rest)
            if self._quoted:
                broken = [each if isinstance(each, Misfit) else _quotation(each) for each in broken]
            self._active = None
            found += self._heard(broken)
            if not parser.back:
                return found
            self._fence = None
            found += self._heard(self._again(parser.back))
        why = self._cut_short(rest) if self._last is not None else ""
        if why and self._last is not None:
            words = f"The reply may be cut short: {why}. Nothing of it is written."
            edit = Edit("replace", self._last_path, reply_line=self._number, format=self._last.format)
            found.append(Misfit(edit, "incomplete", words))
        if (
            self._last is not None or self._told
        ):  # alone, it is only shown; beside other edits, the patch would be half of what is meant
            found += [_passed_over(path, number) for path, number in self._passed if path not in self._paths]
        if taken := self._remarks.taken_back:
            words = f"Line {taken} of the reply takes back what stands above it; which of the edits are meant cannot be told."
            edit = Edit("replace", "", reply_line=taken)
            found.append(Misfit(edit, "doubtful", words))
        if self._foreign:
            words = f"The edit at line {self._foreign} of the reply is in a notation that is not read here."
            found.append(Misfit(Edit("replace", "", reply_line=self._foreign), "malformed", words))
        if self._deep:
            words = f"The edit at line {self._deep} of the reply is indented too deep to be read; whether it is meant cannot be told."
            found.append(Misfit(Edit("replace", "", reply_line=self._deep), "malformed", words))
        elif self._cited and self._last is None:
            words = f"The edit at line {self._cited} of the reply stands in a quotation, behind '> '; whether it is meant cannot be told."
            found.append(Misfit(Edit("replace", "", reply_line=self._cited), "malformed", words))
        return found

    def _cut_short(self, rest: str) -> str:
        """Say why a reply with edits seems to end too early; empty if it does not."""
        if self._fence:
            return f"the fence opened at line {self._opened} is not closed"
        last = next((line for line in reversed(self._above) if line.strip() and not _TAG.match(line)), "")
        if not last:
            return ""
        if _LONE.match(last) or _HEAD.match(last) or (_HALF_MARK.match(last) and last.strip("- ")):
            return f"its last line is {last.strip()[:40]!r}"
        if len(last) < _SENTENCE and _SAYS_CUT.match(last):
            return f"it says so itself, {last.strip()[:40]!r}"
        path, sure = only_path(last) if not self._is_listed(last) else ("", False)
        known = " " in last.strip() and any(word.strip("`*\"'():,") in self._paths for word in last.split())
        if path and sure and not known and not last.rstrip().endswith("."):
            return f"it ends with the name of a file, {path[:60]!r}, and no edit for it"
        if rest and (last.count("`") % 2 or last.count("**") % 2):
            return f"it ends within a name, {last.strip()[-40:]!r}"
        word = last = last.rstrip()
        word = word.strip()
        if rest and " " not in word and ("/" in word or "\\" in word or word[:1].islower()):
            return f"it ends with {word[:60]!r}"
        if last.rstrip().endswith(":") or (rest and _MID_SENTENCE.search(last) and not _ITEM.match(last)):
            return f"it ends in the middle of a sentence, {last.strip()[-40:]!r}"
        return ""

    def _is_listed(self, last: str) -> bool:
        """Say whether a line is one of several list items, or the only item below words that announce a list."""
        told = [line for line in self._above if line.strip()]
        before = told[told.index(last) - 1] if last in told[1:] else ""
        return bool(_BULLET.match(last)) and (bool(_BULLET.match(before)) or before.rstrip(" *_").endswith(":"))

    def _line(self, line: str) -> list[Edit | Misfit]:
        self._number += 1
        if not self._begun or self._thought:
            line = self._behind_thoughts(line)
            if self._thought:
                return []
        return self._heard(self._inside(line, self._active) if self._active is not None else self._outside(line))

    def _heard(self, found: list[Edit | Misfit]) -> list[Edit | Misfit]:
        """Remember edits, and mark those that the words around them say are not meant."""
        for at, each in enumerate(found):
            self._last = each.edit if isinstance(each, Misfit) else each
            self._paths.add(self._last.path)
            why = self._remarks.doubt(self._last.reply_line)
            if why and isinstance(each, Edit) and not each.part and not each.maybe:
                found[at] = replace(each, doubt=why)
        return found

    def _behind_thoughts(self, line: str) -> str:
        """Return what follows on a line after the thoughts a reply may open with: edits tried there are no answer."""
        if not self._begun and line.strip():
            self._begun, line = True, line.removeprefix("\ufeff")
            opened = _THOUGHT.match(line)
            self._thought = opened[1].lower() if opened else ""
        if self._thought:
            end = re.search(f"</{self._thought}>", line, re.IGNORECASE)
            if end is None:
                return ""
            self._thought, line = "", line[end.end() :].lstrip(" \t")
        return line

    def _inside(self, line: str, parser: Parser) -> list[Edit | Misfit]:
        found = parser.line(line, self._number)
        if self._quoted:
            found = [each if isinstance(each, Misfit) else _quotation(each) for each in found]
        self._last_path = parser.path or self._last_path
        if parser.done:
            self._active = None
            if not parser.back and self._fence and self._fence.closes(line):
                self._fence = None
            if parser.back:
                if found:  # its path is used up; else the lines may hold the same edit in another notation
                    self._above = []
                return [*found, *self._again(parser.back)]
            self._above = []
            self._just_done = self._fence is None and not Fence.of(line, deepest=self._item + DEEPEST)
        return found

    def _again(self, back: list[str]) -> list[Edit | Misfit]:
        """Read lines that a parser gave back as if it had not begun; the first of several is read as words only."""
        found: list[Edit | Misfit] = []
        if not back:
            return found
        self._number -= len(back)
        for at, line in enumerate(back):
            self._number += 1
            if self._active is not None:
                found += self._inside(line, self._active)
            elif at == 0 and len(back) > 1:
                self._words(line)
            else:
                found += self._outside(line)
        return found

    def _outside(self, line: str) -> list[Edit | Misfit]:
        if self._last is not None and not self._fence and _THOUGHT_ENDS.match(line):
            words = f"Line {self._number} of the reply ends thoughts that it did not begin; whether the edits above it are meant cannot be told."
            return [Misfit(Edit("replace", "", reply_line=self._number), "malformed", words)]
        nearer = self._last.nearer if self._last is not None else ""
        place = Place(self._number, self._above, self._fence, self._item + DEEPEST, self._last_path, nearer)
        for each in self._formats:
            self._active = each.begin(line, place)
            if self._active is not None:
                self._named = ("", 0)
                self._last_path = self._active.path or self._last_path
                self._quoted = self._fence is not None and self._is_in_string(self._fence)
                return []
        self._words(line)
        return []

    def _is_in_string(self, fence: Fence) -> bool:
        """Say whether code above in the fence has opened a string, so that what follows is text of a program."""
        inside = list(takewhile(lambda line: not Fence.of(line, deepest=fence.indent), reversed(self._above)))
        return len(inside) < len(self._above) and any(map(opens_string, inside))

    def _words(self, line: str) -> None:
        """Take a line that is not an edit: open or close a fence, and remember the last few lines."""
        fence = Fence.of(line, deepest=self._item + DEEPEST)
        if self._fence and self._fence.closes(line):
            if self._named[0]:
                self._passed.append(self._named)
            self._fence = None
            self._above, self._named = [], ("", 0)
            return
        if fence and not self._fence:
            if self._just_done and not fence.info and not fence.marks.startswith("<"):
                self._just_done = False  # closes a fence that was never opened
                return
            self._fence = fence
            self._opened = self._number
            self._named = (named_by(fence.info), self._number)
            last = next((each for each in reversed(self._above) if each.strip()), "")
            self._told |= bool(self._named[0]) and announces(last)
        elif self._fence and self._opened == self._number - 1 and not self._named[0]:
            self._named = (remarked(line), self._number)
        if line.strip():
            self._just_done = False
            if not self._fence or line.startswith("$ "):
                self._remarks.words(line, self._number)
        if not self._foreign:
            self._look_for_others(line)
        cited = _CITED.match(line) if not self._fence and not self._cited else None
        if cited and (BLOCK_HEAD.match(cited[1]) or cited[1].startswith(("*** Begin Patch", "diff --git "))):
            self._cited = self._number
        if not self._deep and (not self._fence or self._fence.indent > DEEPEST) and _DEEP.match(line):
            self._deep = self._number
        if not self._fence:
            self._item = item(line, self._above[-1] if self._above else "", self._item)
        self._above.append(line)
        del self._above[:-_ABOVE]

    def _look_for_others(self, line: str) -> None:
        """Remember the line of an edit in a notation that is not read here; the reply means it all the same."""
        called = _FOREIGN.match(line) or (line.lstrip()[:1] in {"{", "[", '"'} and _OLD_TEXT.search(line))
        if called and (not self._fence or self._fence.info.lower() in _NO_CODE):
            self._foreign = self._number
        elif self._fence or len(line) > _SENTENCE:
            return
        elif _REPLACES.search(line) and any(map(is_name, [word.strip("`*\"',:()") for word in line.split()])):
            self._swaps = self._number
        elif self._swaps and _WITH.match(line):
            self._foreign = self._swaps


def _passed_over(path: str, number: int) -> Misfit:
    words = f"The block at line {number} of the reply names {path} in its fence or its first line, where it may only be shown; the text of a file has its name on the line above the fence."
    return Misfit(Edit("whole", path, reply_line=number, format="whole_file"), "malformed", words)


def _quotation(edit: Edit) -> Misfit:
    words = f"The edit at line {edit.reply_line} of the reply stands in a string of a program; whether it is meant cannot be told."
    return Misfit(edit, "malformed", words)


def open_parser() -> EditParser:
    """Make a parser for one reply."""
    return EditParser()


def read(reply: str) -> list[Edit | Misfit]:
    """Read a reply that has come as a whole."""
    parser = open_parser()
    return [*parser.feed(reply), *parser.close()]


def edits(found: Iterable[Edit | Misfit]) -> Iterator[Edit]:
    """Yield the edits of what was read, without the parts of files that a reply only shows."""
    return (each for each in found if isinstance(each, Edit) and not each.part)
