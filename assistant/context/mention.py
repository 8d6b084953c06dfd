"""What a question names: files, lines, folders, symbols, diffs and commits, by `@` or pasted from an error.

Marked with `@`: `@src/a.py`, `@a.py:10`, `@a.py:10-40`, `@"my file.py"`, `@src/`, `@make_tea`, `@diff`, `@commit`,
`@HEAD~1`, `@3f2a91c`. Without a mark a file counts when its whole path or a unique end of it stands in the text, and so
does a place in an error of Python, Node, Go, Rust, Java or a compiler; its line comes with some lines around it.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from assistant import visible
from assistant.context.files import PATH, Files
from assistant.context.listing import LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
    from pathlib import Path

    from assistant.context.out import Out

Kind = Literal["file", "folder", "symbol", "diff", "commit"]
_WINDOW = 12
"""Lines shown on each side of a line that an error names."""
_LONGEST = 200_000
"""The most characters of a question that are read: a longer one is a log, of which the first and the last half of
this are read."""


class Mention(NamedTuple):
    """A thing that a question names.

    `path` is a file or a folder (which ends with "/"). `name` is a symbol (`path` is then its file, if that was named
    as well) or the name of a commit. Lines are 1-based, 0 for the whole file. `sure` says that it was marked with `@`,
    `source` is the text as it was written. `inside` is what a symbol is part of, as written: for `@Pot.boil` it is
    `Pot`. `beside` holds the names that stand with a line, each as written, with what it is part of: in a frame, the
    function that was called. `line` is the one line that an error names, where `first` and `last` are around it; of
    such places, the one with the lowest `rank` is nearest to the fault.
    """

    path: str
    first: int = 0
    last: int = 0
    sure: bool = False
    kind: Kind = "file"
    name: str = ""
    source: str = ""
    inside: str = ""
    beside: tuple[str, ...] = ()
    line: int = 0
    rank: int = 0


# A mark counts only at the beginning of a word: a@b.c is an address, {@code x} stands in comments of Java. At the
# beginning of a line it may be a decorator.
_MARKED = (
    r"""(?<![\w@.\\/`'"{-])@(?:"(?P<quoted>[^"\n]{1,300})"|'(?P<single>[^'\n]{1,300})'|(?P<bare>[^\s"'`,;()<>\[\]{}|@][^\s"'`,;()<>|]{0,300}))"""
    r"(?::(?P<first>\d{1,7})(?:-(?P<last>\d{1,7}))?)?"
)
_ASSIGNED = r"(?<![\w@])@%s\s*(?:\|\||&&|[-+*/])?=(?![=~>])"
_FILE = r"\.?[\w-]+(?:\.[\w-]+)*\.(?:[a-z]{1,5}|[a-z]\d)$|\.\w[\w.-]*$"
_LINES = r":L?(\d{1,7})(?:[-\u2013]L?(\d{1,7}))?(?::\d{1,7})?$|#L(\d{1,7})(?:-L?(\d{1,7}))?$"
_HUNK = r"(?m)^@@ -\d{1,7}(?:,\d{1,7})? \+(\d{1,7})(?:,(\d{1,7}))? @@([^\n]{0,300})"
# Text between a path and its line, or behind a line: `x.py: no such name (4:9)`, `x.py, error at line 4`, `line 4 of
# x.py`.
_LATER = r"""([^\n/\\]{0,120}?)(?:\b(?:[Ll]ine(?:no)?|Zeile|ligne)["']?\s?[=:]?\s?|:\s(?=\d{1,7}:)|\s\((?=\d{1,7}:\d))(\d{1,7})(?![\d-]|\s(?:of|in)\b)"""
_BEFORE = r"\b[Ll]ines?\s(\d{1,7})(?:\s?[-\u2013]\s?(\d{1,7}))?\s(?:of|in)\s(?:the\s)?(?:file\s)?[`'\"(]?$"
_NAMED = r"\w\.[A-Za-z]\w{0,4}\b"
_CALLED = r"(?<![\w$])[A-Za-z_$][\w$]{0,100}(?:(?:\.\(\*?|\)?\.|::|#|->|\\|/)[\w$<>{}]{1,100}){0,12}"
"""A name with what it is part of, as frames write it: `a.b.C.run`, `Pot::boil`, `Pot#boil`, `a/b.(*Pot).Boil.func1`, `Pot->boil`."""
_BESIDE = 300
"""Characters before and behind a place in which names count as standing with it."""
_TASK = r"[\w.-]{1,100}/[\w.-]{1,100}:[\w:.-]{1,100}$"
"""What Turborepo puts before a line of output, behind an `@`: a package and its task."""
_HUNKS = 20
"""The most places of one file in a pasted diff that are shown."""
_CODE = r"_|[a-z][A-Z]"
_UNBROKEN = r"[^\s`<>|]{1,300}"
_SIGNS = frozenset("./\\~")
_PUNCTUATION = frozenset("',;()\"")
_SHORT = 2
"""Letters of words like "at" and "in", which name nothing."""
_TRIED = 200
"""The most paths of a question that are looked for on the disk if there was no time to list all files."""
_FEW = 3
"""The most files of one name that a note lists."""
_JOINTS = r"\.|::|#|->"
_REVISION = r"(?:HEAD|[0-9a-f]{7,40})(?:[~^]\d{0,4}){0,5}$"
# Places as programs print them: `File "x.py", line 10`, `x.py", line 10`, `x.ts(10,5)`, `x.go:12`, `x.rs:10:5`, `x.php on line 10`,
# `x.cs:line 10`, `x.js#L10-L20`.
_PLACE = (
    r"""["'](?P<py>[^"'\n]{1,400})["'](?:,\s{1,3}line\s|\]:)(?P<py_line>\d{1,7})"""
    # A folder may have brackets, which tell a router its kind: `app/(shop)/[id]/page.tsx`.
    r"""|(?P<at>@)?(?P<path>(?:[A-Za-z]:[\\/])?[\w.\-/\\+~$@%]{1,400}"""
    r"""(?:(?:(?<=/)\([\w.-]{1,60}\)(?=/)|(?<=[/.])\[{1,2}[\w.-]{1,60}\]{1,2}(?=[/.]))[\w.\-/\\+~$@%]{0,400}){0,12})(?:\?[\w=&.-]{0,80}(?=:\d))?"""
    r"""(?:(?::?[(\[]|:?\s\((?=\d{1,7}[:,]))(?P<paren>\d{1,7})(?:[,:]\s?\d{1,7})?[)\]]|:L?(?P<first>\d{1,7})(?:-(?P<last>\d{1,7}))?(?P<column>:\d{1,7})?|\s{1,4}(?P<apart>\d{1,7}):\d{1,7}(?![:\d])|\#L(?P<mark>\d{1,7})(?:-L?(?P<until>\d{1,7}))?|(?::|,?\s(?:on\s|at\s)?)line\s(?P<words>\d{1,7}))?"""
)


def read(
    question: str,
    paths: Collection[str] | Files,
    *,
    root: Path | None = None,
    symbols: Container[str] = (),
    revision: Callable[[str], str | None] | None = None,
) -> list[Mention]:
    """Return all that a question names, each once: marked mentions first, each group in the order of the text.

    `root` lets absolute paths count, unless the paths are `Files` that know it; `symbols` holds the defined names; `revision` returns the commit that a name means
    (`Repo.revision`). Without the last two, no symbol or commit is found.
    """
    if len(question) > _LONGEST:
        question = f"{question[: _LONGEST // 2]}\n{question[-_LONGEST // 2 :]}"
    files = paths if isinstance(paths, Files) else Files(paths, str(root) if root else "")
    found: dict[tuple[str, str, str, int], Mention] = {}
    taken: list[tuple[int, int]] = []
    for match in re.finditer(_MARKED, question) if "@" in question else ():
        if one := _marked(match, files, symbols, revision):
            found.setdefault((one.kind, one.path, f"{one.inside}.{one.name}", one.first), one)
            taken.append((match.start(), match.start() + len(one.source)))
    files.vague.clear()  # of marks that mean nothing `nowhere` tells
    seen = {(one.path, one.first) for one in found.values()}
    spots: dict[int, tuple[str, int]] = {}
    starts = iter(taken)
    span = next(starts, None)
    for match in re.finditer(_PLACE, question) if _may_hold_places(question) else ():
        while span and span[1] <= match.start():
            span = next(starts, None)
        if span and span[0] < match.end() and match.start() < span[1]:
            continue
        one = _place(match, files)
        if one and one.first:
            one = one._replace(beside=_beside(match))
            spots[match.start("py") - 1 if match["py"] else match.start()] = (one.path, one.first)
        if (
            one
            and (one.path, one.first) not in seen
            and not (one.first == 0 and any(path == one.path for path, _ in seen))
        ):
            seen.add((one.path, one.first))
            found.setdefault((one.kind, one.path, one.name, one.first), one)
        if one and not one.first and question[max(0, match.start() - 5) : match.start()] in {"\n+++ ", "+++ "}:
            for hunk in _hunks(one, question, match.end()):
                found.setdefault((hunk.kind, hunk.path, hunk.name, hunk.first), hunk)
    return list(_ranked(found.values(), spots, question))


def _ranked(found: Iterable[Mention], spots: Mapping[int, tuple[str, int]], text: str) -> Iterable[Mention]:
    """Give their ranks to places, of which `spots` tells where they stand in the text; a place may stand there twice."""
    if len(spots) < 2:
        return found
    from assistant.context import frames  # most questions name no place

    ranks: dict[tuple[str, int], int] = {}
    for spot, rank in frames.order(text, spots).items():
        ranks.setdefault(spots[spot], rank)
    return (one._replace(rank=ranks.get((one.path, one.first), 0)) for one in found)


def _may_hold_places(question: str) -> bool:
    """Say whether a question may name a place. A place needs a dot, a slash or a line, and most questions have none."""
    return not _SIGNS.isdisjoint(question) or any(map(str.isdecimal, question))


def _hunks(one: Mention, text: str, at: int) -> list[Mention]:
    """Return the places of a file in a pasted diff: the new lines of its hunks."""
    end = text.find("\n+++ ", at)
    hunks = islice(re.compile(_HUNK).finditer(text, at, end if end != -1 else len(text)), _HUNKS)
    found = []
    for hunk in hunks:
        first, size = max(1, int(hunk[1])), int(hunk[2] or 1)
        beside = tuple(re.findall(_CALLED, hunk[3]))
        found.append(one._replace(first=first, last=first + max(0, size - 1), beside=beside))
    return found


def _beside(match: re.Match[str]) -> tuple[str, ...]:
    """Return the names on the line of a place; if there are none, those on the line above, as in Go and Rust."""
    text = match.string
    start, end = text.rfind("\n", 0, match.start()) + 1, text.find("\n", match.end())
    before = text[max(start, match.start() - _BESIDE) : match.start()]
    behind = text[match.end() : min(end if end >= 0 else len(text), match.end() + _BESIDE)]
    if not (found := [each for part in (before, behind) for each in re.findall(_CALLED, part) if len(each) > _SHORT]):
        found = re.findall(
            _CALLED, text[max(text.rfind("\n", 0, max(0, start - 1)) + 1, start - _BESIDE) : max(0, start - 1)]
        )
    return tuple(found)


def written(question: str, root: Path, stand: str = "") -> list[str]:
    """Return the paths that are marked or stand in an error, in the form of a listing; they need not exist.

    They are read from the root and from the folder where the user stands, as in `Files`.
    """
    if len(question) > _LONGEST:
        question = f"{question[: _LONGEST // 2]}\n{question[-_LONGEST // 2 :]}"
    found: list[str] = []
    for match in re.finditer(_MARKED, question) if "@" in question else ():
        found += filter(None, (match["quoted"] or match["single"], _longer(match), match["bare"]))
    places = re.finditer(_PLACE, question) if _may_hold_places(question) else ()
    found += filter(None, (match["py"] or match["path"] for match in places))
    above = f"{root}/".replace("\\", "/")
    bare = (re.sub(_LINES, "", each).rstrip(".:!?*_").replace("\\", "/") for each in found)
    names = [each.removeprefix("file://").removeprefix(above).removeprefix("./") for each in bare]
    names = [way for each in names if "." in each or "/" in each for way in (each, f"{stand}{each}")]
    return list(islice(dict.fromkeys(names), _TRIED))


def marks(question: str) -> list[str]:
    """Return what is marked with `@`, as it is written, without quotes and without the full stop of a sentence."""
    found = re.finditer(_MARKED, question[:_LONGEST])
    named = (each["quoted"] or each["single"] or _longer(each) or each["bare"].rstrip(".:!?*_") for each in found)
    return list(dict.fromkeys(islice(named, _TRIED)))


def nowhere(
    question: str,
    found: Iterable[Mention],
    root: Path,
    *,
    paths: Collection[str] | Files,
    out: Out,
    symbols: Container[str] | None,
    away: Callable[[str], Sequence[str]],
    late: bool,
) -> list[str]:
    """Return a note for each mark that means nothing which may be shown, with the reason.

    So it does for a path without a mark that fits several files, and for a name that a file had before it was renamed.
    Names are judged only where all `symbols` are known, and only if they look like code: `@alice` is a person. `away`
    returns those files kept `out` that define a name; `late` says that there was no time to list all files.
    """
    known = {each.source for each in found}
    files = paths if isinstance(paths, Files) else Files(paths, str(root))
    notes: dict[str, None] = {}
    for match in re.finditer(_MARKED, question[:_LONGEST]) if "@" in question else ():
        text = match["quoted"] or match["single"] or match["bare"].rstrip(".:!?*_")
        name = re.sub(_LINES, "", text)
        if not known.isdisjoint((f"@{text}", match[0], f"@{_longer(match)}")) or _decorates(match) or name == "diff":
            continue
        if re.match(_TASK, name) and question[max(0, match.start() - 1) : match.start()].strip() == "":
            continue
        if name == "commit" or name.startswith(("commit:", "HEAD")):
            called = name.removeprefix("commit:")
            notes[f"there is no commit {called}" if called not in {"", "commit"} else "there is no commit here"] = None
            continue
        *above, bare = re.split(_JOINTS, name.removesuffix("()"))
        # As it is written, as a folder, and as the file of a test or a symbol:
        hidden = any(map(out.hides, (name, f"{name}/", name.partition(":")[0])))
        if (
            not hidden
            and "/" not in name
            and (not re.match(_FILE, name) or (symbols and above and above[-1] in symbols))
        ):
            if symbols is not None and bare.isidentifier() and (above or re.search(_CODE, bare)):
                homes = ", ".join(sorted(away(bare))[:_FEW])
                why = f"in {homes}, taken out of the context" if homes else "nowhere that the index sees"
                notes[f"@{name} is defined {why}"] = None
            continue
        if hidden:
            why = "taken out of the context"
        elif same := files.ending(name):
            why = _one_of(same)
        else:
            here = f"{files.stand}{name}"
            why = _hidden(here if files.stand and (root / here).exists() else name, root, late)
        notes[f"@{name} is {why}"] = None
    for name, some in islice(files.vague.items(), _FEW):
        notes[f"{visible.name(name)} is {_one_of(some)}"] = None
    for name, path in islice(files.old.items(), _FEW):
        notes[f"{visible.name(name)} is {visible.name(path)} now"] = None
    return list(notes)


def _one_of(paths: Sequence[str]) -> str:
    return f"one of {len(paths)} files: {', '.join(sorted(paths)[:_FEW])}"


def _hidden(name: str, root: Path, late: bool) -> str:
    """Say why a path is not among the files that may be shown."""
    if name.startswith(("/", "~")) or ".." in name or len(name) >= PATH:
        return "no file of this folder"
    place = root / name
    below = [above for above in place.parents if root in above.parents]
    try:
        if place.is_symlink():
            return "a link, and so not shown"
        if any(above.is_symlink() for above in below):
            return "behind a link, and so not shown"
        if place == root:
            return "the whole of this folder: name a part of it"
        if not place.is_file() and not place.is_dir():
            return "no file that is found yet" if late else "no file here"
        if any((above / ".git").exists() for above in (place, *below)):
            return "in another repository, and so not shown"
        if place.is_dir():
            new = "in which new files are not looked for yet"
            return f"a folder {new if late else 'without a file that may be shown'}"
        if place.stat().st_size > LARGEST:
            return "too large to be shown"
        return "not looked at yet, and so not shown" if late else "ignored, and so not shown"
    except OSError:  # such as a name that is too long
        return "no file here"


def _longer(match: re.Match[str]) -> str:
    """Return a bare mark together with the quotes, commas and brackets behind it: file names may contain these."""
    if not match["bare"] or match.string[match.end() : match.end() + 1] not in _PUNCTUATION:
        return ""
    whole = re.compile(_UNBROKEN).match(match.string, match.start("bare"))
    return whole[0].rstrip(".:!?*_,;)('\"") if whole else ""


def _marked(
    match: re.Match[str], files: Files, symbols: Container[str], revision: Callable[[str], str | None] | None
) -> Mention | None:
    quoted = match["quoted"] or match["single"]
    text = quoted or match["bare"].rstrip(".:!?*_")
    if longer := _longer(match):
        lines = re.search(_LINES, longer)
        if longer in files.whole or (lines and longer[: lines.start()] in files.whole):
            text = longer
    whole = match[0] if quoted else f"@{text}"
    first, last = int(match["first"] or 0), int(match["last"] or match["first"] or 0)
    name = text
    if not first and text not in files.whole and (lines := re.search(_LINES, text)):
        name = text[: lines.start()]
        first = int(lines[1] or lines[3])
        last = int(lines[2] or lines[4] or first)
    if first > last:
        first, last = last, first
    if path := files.find(name, text=match.string, at=match.start()):
        return Mention(path, first, last, True, source=whole)
    if name == "diff":
        return Mention("", sure=True, kind="diff", source=whole)
    if name.endswith(("/", "\\")) and (folder := files.folder(name)):
        return Mention(folder, sure=True, kind="folder", source=whole)
    if revision is not None:
        called = "HEAD" if name == "commit" else name.removeprefix("commit:")
        if (name in {"commit", "HEAD"} or called != name or re.match(_REVISION, name)) and revision(called):
            return Mention("", sure=True, kind="commit", name=called, source=whole)
    head, _, tail = name.partition(":")
    path = files.find(head) if tail else None  # a test as pytest names it, or a symbol of a file
    *above, bare = re.split(_JOINTS, (tail.lstrip(":").partition("[")[0] if path else name).removesuffix("()"))
    if bare in symbols and not _decorates(match):
        part = above[-1] if above else ""
        return Mention(path or "", sure=True, kind="symbol", name=bare, source=whole, inside=part)
    if path:
        return Mention(path, sure=True, source=whole)
    if folder := files.folder(name):
        return Mention(folder, sure=True, kind="folder", source=whole)
    if path := files.renamed(name):
        return Mention(path, first, last, True, source=whole)
    return None


def _decorates(match: re.Match[str]) -> bool:
    """Say whether an `@name` stands in pasted code.

    It does as a decorator, alone on its line with a definition below, and as a variable of Ruby, to which something is
    assigned in the same text.
    """
    text = match.string
    if (name := re.match(r"\w+", match["bare"] or "")) and re.search(_ASSIGNED % name[0], text):
        return True
    before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
    end = text.find("\n", match.end())
    below = text[end + 1 : end + 200].lstrip() if end != -1 else ""
    return not before.strip() and below.startswith(("def ", "async ", "class ", "@", "public ", "private ", "protected ", "export ", "fun ", "function "))  # fmt: skip


def _place(match: re.Match[str], files: Files) -> Mention | None:
    """Return the file and lines of a place that stands in the text without a mark."""
    text, at = match.string, match.start()
    if match["py"]:
        name, line = match["py"], int(match["py_line"])
        path = files.find(name, placed=True, text=text, at=at) or files.renamed(name)
        return _window(path, line, match[0]) if path else None
    name = match["path"]
    bare = name.strip("./~\\").rstrip(".")
    if not bare or ("." not in bare and "/" not in name and "\\" not in name and bare not in files.whole):
        return None
    if "@" in name and name not in files.whole:
        name = name.rsplit("@", 1)[-1] if name.startswith("@") else name
    line = int(match["first"] or match["paren"] or match["words"] or match["mark"] or match["apart"] or 0)
    before = text[max(0, at - PATH) : at]
    path = files.find(name, placed=bool(line), text=text, at=at)
    if path is None and (path := files.guess(name, before, placed=bool(line))):
        files.vague.pop(name, None)
    if path is None and name not in files.vague:
        path = files.renamed(name)
    if path is None or ("/" not in path and "." not in path and not line):
        return None
    if not line and not match["at"]:
        if said := re.search(_BEFORE, before):
            line = int(said[1])
            if said[2]:
                return Mention(path, min(line, int(said[2])), max(line, int(said[2])), source=match[0])
        elif (said := re.compile(_LATER).match(match.string, match.end())) and not re.search(_NAMED, said[1]):
            line = int(said[2])
    if last := int(match["last"] or match["until"] or 0):
        return Mention(path, min(line, last), max(line, last), bool(match["at"]), source=match[0])
    if line and not match["at"]:
        return _window(path, line, match[0])
    return Mention(path, line, line, bool(match["at"]), source=match[0])


def _window(path: str, line: int, source: str) -> Mention:
    return Mention(path, max(1, line - _WINDOW), line + _WINDOW, source=source, line=line)
