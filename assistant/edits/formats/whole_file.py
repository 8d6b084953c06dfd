"""Whole files: a line that is only a path, then a fence with the file's new text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from assistant.edits.announced import (
    adds,
    asks,
    folders,
    follows,
    heading,
    mentions,
    names_whole,
    noted,
)
from assistant.edits.edit import Edit, Misfit
from assistant.edits.fence import Fence, outdented
from assistant.edits.filename import PATCHES, named_by
from assistant.edits.format import BLOCK_HEAD
from assistant.edits.naming import as_it_stands, only_path, speaks_of
from assistant.edits.passage import is_open

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assistant.edits.format import Place

_SHELLS = {
    "bash",
    "sh",
    "shell",
    "console",
    "zsh",
    "fish",
    "powershell",
    "shell-session",
    "shellsession",
    "terminal",
    "cmd",
    "bat",
    "output",
}
_SCRIPTS = (".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd")
_PLAIN = {"", "text", "txt", "plaintext", "log"}
_NOT_FILES = {"diff", "patch", "udiff"}
_OTHER_FORMAT = re.compile(r"^\s{0,3}(\*\*\* (Begin|Add|Update|Delete)|diff --git |@@ |--- (a/|/dev/null))")
_HEADER = re.compile(r"^(?:(?:---|\+\+\+) (?:[ab]/)?|diff --git a/.* b/)(?P<path>[^\t]+?)\s*$")
_INTRODUCES = re.compile(r"^(?:---|\+\+\+|Index: |===|[$#]? ?.*<<-?\s*['\"\\]?\w+|\*\*\* ).*$")
"""Lines allowed above the first line of another notation: headers of a diff, a shell command that is fed with it."""
_SAYS_WHAT = re.compile(r"[\w{.]")
"""How the words on a fence begin that opens a block inside a file."""
_RULE = re.compile(r"^\s*([-*_])(?:\s*\1){2,}\s*$")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s")
_LISTS = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s|^.*\bfiles?\b.*:\W*$", re.IGNORECASE)
_LOOK_AHEAD = 3
_LOOK_UP = 3
"""Lines above a file that are searched for the folder of a bare name."""
_MOST_ASKED = 10
"""Most bare fences of one program that are looked at closely."""
_USUAL = 3
_GLUED = re.compile(
    r"^\S+\s+(?:(?:import|from|package|use|using|const|let|var|def|class|func|fn|module|require|public|export)\s+\S|#include|#!|//|/\*|#\s|<\?php|\w[^={]*[;{(]$)"
)
"""A fence line that holds, after the language, the first line of the text."""
_PAGES = (".md", ".mdx", ".markdown", ".rst", ".txt", ".qmd", ".rmd", ".adoc")


class Named(NamedTuple):
    """What the words above a fence say of its text: the path, and the line that names it.

    A path that is not `sure` counts only if such a file exists. A `part` may be only shown, unless it looks like the
    whole file or the file is `new`. `stands` is the whole line read as a name, which is tried first. `between` says
    that other words stand between the name and the text.
    """

    path: str
    line: str
    sure: bool = True
    part: bool = False
    new: bool = False
    between: bool = False
    stands: str = ""
    folders: tuple[str, ...] = ()


def begin(line: str, place: Place) -> File | None:
    """Begin at a fence below a path."""
    fence = Fence.of(line, deepest=place.deepest)
    if place.fence or fence is None:
        return None
    above = [each for each in reversed(place.above) if each.strip() and not _RULE.match(each)]
    words = fence.info.lower().split(" ")[0]
    if words in _PLAIN and above and _ITEM.match(above[0]) and _LISTS.match("\n".join(above[1:2])):
        return None  # a list of files, followed by what a program says about them
    named = _named(above)
    path = named.path
    if not path or (words in _NOT_FILES and not path.endswith(PATCHES)):
        return None
    if (
        words in _SHELLS
        and not path.endswith(_SCRIPTS)
        and ("." in path or ("/" not in path and path != named.line.strip()))
    ):
        return None
    if named.between and words in _PLAIN and not path.endswith(_PAGES) and follows(named.line):
        named = named._replace(new=False)  # it may still be output: it creates no file, but is not skipped either
    elif named.between and words in _PLAIN and not path.endswith(_PAGES):
        named = Named(as_it_stands(named.line) or named.stands, named.line, sure=False)  # else it is output, or words
        if not named.path:
            return None
    inside = () if "/" in named.path or "./" in named.line else tuple(folders(above[:_LOOK_UP]))
    return File(named._replace(folders=inside), line, fence, place.number)


def _named(above: Sequence[str]) -> Named:
    """Read the lines above a fence, the nearest first; the path is empty where they name none."""
    line = above[0] if above else ""
    path, sure = only_path(line)
    head = "" if path else heading(above[1:4], line)
    announced = "" if sure else names_whole(line)
    if announced and head in {"", announced}:
        return Named(announced, line)
    if path and (sure or " " not in path):
        return Named(path, line, sure)
    if spoken := speaks_of(line):
        return Named(spoken, line, part=True)
    if remarked := noted(line):
        return Named(remarked, line, part=True, new=True)
    if head:
        return Named(head, line, part=True, new=True, between=True)
    if mentioned := mentions(line):
        sure = adds(line) or (follows(line) and line.rstrip(" *_").endswith(":"))
        return Named(mentioned, line, sure=sure, part=True, between=True, stands=path)
    return Named(path or as_it_stands(line), line, sure=False)


class File:
    """One file between its fences."""

    def __init__(self, named: Named, line: str, fence: Fence, number: int) -> None:
        self.done = False
        self.back: list[str] = []
        self.path = named.path if named.sure and not named.part else ""
        self._named = named
        self._path = path = named.path
        self._first = line
        self._glued = _GLUED.match(line.strip().strip("`~")) is not None and not named_by(line.strip("`~ "))
        self._fence = fence
        self._number = number
        self._lines: list[str] = []
        self._inner: Fence | None = None
        self._page = path.lower().endswith(_PAGES) or fence.info.lower().split(" ")[0] in {"markdown", "md"}
        self._closed = False
        self._asked = self._doubt = 0
        self._below = ""

    def line(self, line: str, number: int) -> list[Edit | Misfit]:
        """Take one line of the file; give lines back if they turn out to be another format."""
        if self._below:
            return self._below_a_path(line, number)
        if self._closed:
            return self._after(line)
        if self._is_other_format(line):
            self.done = True
            self.back = [self._first, *self._lines, line]
            return []
        if self._inner and self._ends(line, self._inner):
            self._inner = None
        elif not self._inner and self._ends(line, self._fence) and self._is_text():
            self._inner, self._doubt = self._fence, len(self._lines)
        elif not self._inner and self._ends(line, self._fence):
            self._closed = True
            self.done = not self._page or self._fence.marks.startswith("<") or len(self._fence.marks) > _USUAL
            return [self._whole()] if self.done else []
        elif not self._inner and (inner := Fence.of(line, deepest=self._fence.indent)) and _SAYS_WHAT.match(inner.info):
            self._inner = inner
        self._lines.append(line)
        return []

    def close(self, *, whole: bool) -> list[Edit | Misfit]:
        """Report a file that has no end; below a sentence that only mentions a file, it is an unfinished example."""
        del whole
        if self._closed and not self._below:
            return [self._whole()]
        if self._doubt and not any(map(Fence.of, self._lines[self._doubt + 1 :])):
            self.back = self._lines[self._doubt + 1 :]  # no fence followed, so that one was the end
            self._lines = self._lines[: self._doubt]
            return [self._whole() if any(map(Fence.of, self._lines)) else self._edit()]
        if not self._named.sure and (self._named.part or " " in self._path):
            return []
        words = f"The text of {self._path} (line {self._number} of the reply) has no closing fence; the reply may be cut short."
        return [Misfit(self._edit(), "incomplete", words)]

    def _is_other_format(self, line: str) -> bool:
        """Say whether the fence holds an edit in another notation at its top; further down, such lines are text.

        A diff in a patch file is text too, unless it changes that very file.
        """
        if len(self._lines) >= _LOOK_AHEAD:
            return False
        line, *above = (outdented(each, self._fence.indent) for each in (line, *self._lines))
        found = _OTHER_FORMAT.match(line) or BLOCK_HEAD.match(line)
        if self._path.endswith(PATCHES) and line.startswith(("diff ", "@@", "---", "+++")):
            head = _HEADER.match(line)
            found = head if head and head["path"] == self._path.removeprefix("./") else None
        return bool(found) and all(not each.strip() or _INTRODUCES.match(each) or only_path(each)[0] for each in above)

    def _is_text(self) -> bool:
        """Say whether a bare fence stands inside a string or comment of a program, and so is part of its text."""
        self._asked += 1
        return not self._page and self._asked < _MOST_ASKED and is_open(self._path, self._lines)

    def _after(self, line: str) -> list[Edit | Misfit]:
        """Take the line after a bare fence in a page of prose: if words follow at once, it opened an inner block."""
        if not line.strip():
            self.done, self.back = True, [line]
            return [self._whole()]
        if only_path(line)[1]:
            self._below = line
            return []
        self._reopen(line)
        return []

    def _below_a_path(self, line: str, number: int) -> list[Edit | Misfit]:
        """Take the line after that fence and a path: either the next file begins here, or the path is text."""
        path, self._below = self._below, ""
        if self._ends(line, self._fence):
            self.done = True
            words = f"{self._path}: whether its text ends at the fence at line {number - 2} of the reply cannot be told; a longer fence around all of it would say so."
            return [Misfit(self._edit(), "malformed", words)]
        if not line.strip() or Fence.of(line) or _OTHER_FORMAT.match(line) or BLOCK_HEAD.match(line):
            self.done, self.back = True, [path, line]
            return [self._whole()]
        self._reopen(path, line)
        return []

    def _reopen(self, *lines: str) -> None:
        """Continue the page: the fence that seemed to end it opened a block inside it, with these lines."""
        self._closed = False
        self._lines += [" " * self._fence.indent + self._fence.marks, *lines]
        self._inner = None if self._ends(lines[-1], self._fence) else self._fence

    def _ends(self, line: str, fence: Fence) -> bool:
        """Say whether a line closes a fence; one indented further than the first fence is text of the file."""
        return fence.closes(line, deepest=self._fence.indent)

    def _whole(self) -> Edit | Misfit:
        """Return the file; a Misfit if a fence was taken for text of a string that never closes: it may be the end."""
        edit = self._edit()
        if self._glued:
            words = f"{self._path}: the text begins on the line of its fence (line {self._number} of the reply), and may not be whole."
            return Misfit(edit, "malformed", words)
        bare = [line for line in self._lines if not Fence.of(line)]  # fences may be what seems to close the string
        if not self._doubt or not is_open(self._path, bare):
            return edit
        words = f"{self._path}: whether its text ends at the fence at line {self._number + 1 + self._doubt} of the reply cannot be told; a longer fence around all of it would say so."
        return Misfit(edit, "malformed", words)

    def _edit(self) -> Edit:
        blanks = " " * self._fence.indent  # the indentation of the list item that the fence is in
        if blanks and all(line.startswith(blanks) for line in self._lines if line.strip()):
            lines = [line[len(blanks) :] for line in self._lines]
        else:
            lines = self._lines
        text = "".join(line + "\n" for line in lines)
        first = self._number + 1
        told = [at for at, line in enumerate(lines) if line.strip()]
        marks = [at for at, line in enumerate(lines) if Fence.of(line)]
        if (
            not self._page
            and len(told) > 2
            and marks == [told[0], told[-1]]
            and lines[marks[1]].strip() == self._fence.marks
        ):
            lines = lines[marks[0] + 1 : marks[1]]  # one fence inside another
            text, first = "".join(line + "\n" for line in lines), first + marks[0] + 1
        numbers = range(first, first + len(lines))
        written = self._named.line
        also = (written,) if written.strip() == self._path != written else ()
        if f"./{self._path}" in written:
            also = (f"./{self._path}",)  # then it is the file in the root, even if a deeper one has the same name
        return Edit(
            "whole",
            self._path,
            "",
            text,
            self._number,
            "whole_file",
            also=also,
            after_lines=numbers,
            maybe=not self._named.sure,
            nearer=as_it_stands(written) or self._named.stands,
            part=self._named.part,
            rivals=tuple(f"{folder}/{self._path}" for folder in self._named.folders),
            asked=not self._named.part and asks(written),
            may_be_new=self._named.part and self._named.new,
        )
