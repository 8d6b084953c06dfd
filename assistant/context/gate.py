"""The one door for bytes that leave the machine: secret files stay here, keys inside other files are masked.

`secrets.toml` lists what is secret. Keys are found by the shape that their makers gave them, between the marks of a
private key, and as random-looking values of names like `password` (`values`). Files, diffs and old versions all pass
this door. Reading is linear in the text, whatever the text is.
"""

from __future__ import annotations

import os
import re
import stat
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from assistant.context import colours, kept, values
from assistant.context.section import Masked
from assistant.discover import read_toml

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

_FACTS = Path(__file__).parent / "secrets.toml"
Allowed = tuple[str, str, str]
"""A secret that the user let through: path, kind and digest of a Masked."""


class _Files(NamedTuple):
    names: frozenset[str]
    suffixes: tuple[str, ...]
    pattern: re.Pattern[str]
    paths: tuple[tuple[str, ...], ...]
    folders: frozenset[str]
    public: re.Pattern[str]


@cache
def _facts() -> dict[str, Any]:
    found: dict[str, Any] = kept.kept("secrets", [str(_FACTS)], lambda: read_toml(_FACTS))
    return found


@cache
def _files() -> _Files:
    facts = _facts()["files"]
    paths = tuple(tuple(each.split("/")) for each in facts["paths"])
    return _Files(
        frozenset(facts["names"]),
        tuple(facts["suffixes"]),
        re.compile("|".join(f"(?:{each})" for each in facts["patterns"])),
        paths,
        frozenset(folder for folder, *_ in paths),
        re.compile("|".join(facts["public"])),
    )


_SHARED = ("//", "assw", "pass ", "uth", "sql", "ogin", "oken")
"""Pieces that several literal pieces have in common: most texts are searched once for these, not for each of the
others."""
_RUN = 15
"""Letters of the shortest key that is one run of characters."""
_WITHIN = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz.+/=~$%:-")
_APART = bytes(byte if byte in _WITHIN or byte > 127 else 32 for byte in range(256))
"""A table that turns every byte that no such key holds into a blank."""
_DRAWN = re.compile(rb"\d|[a-z]{16}")
"""What a run of small letters has if it is not just a name made of words."""
_LOOSE = re.compile(r"""\\s|[ "'\n]""")
"""What only the pattern of a key has that may contain blanks or quotes."""


class _Key(NamedTuple):
    """How one kind of key is found: its place in the list, its kind, its literal piece, and its pattern."""

    number: int
    kind: str
    hint: str
    shape: str


@cache
def _keys() -> tuple[tuple[tuple[bytes, _Key], ...], tuple[tuple[str, tuple[_Key, ...]], ...]]:
    """Return the keys that are one run, each with the bytes of its piece, and all others.

    The others are grouped by what a text must hold to contain any of the group.
    """
    runs: list[tuple[bytes, _Key]] = []
    found: dict[str, list[_Key]] = {}
    listed = [(kind, hint, shape) for kind, keys in _facts()["keys"].items() for hint, shape in keys.items()]
    for key in (_Key(number, *each) for number, each in enumerate(listed)):
        hint = key.hint.encode()
        if _WITHIN.issuperset(hint) and not _LOOSE.search(key.shape):
            runs.append((hint, key))
        else:
            held = next((each for each in _SHARED if each in key.hint), key.hint)
            found.setdefault(held, []).append(key)
    return tuple(runs), tuple((held, tuple(keys)) for held, keys in found.items())


def _likely(text: str) -> list[_Key]:
    """Return the keys that a text may hold, in their order.

    Most pieces are searched for only in the long runs that are not made of lower-case words: a twentieth of a text.
    """
    runs, others = _keys()
    spaced = text.encode("utf-8", "surrogatepass").translate(_APART)
    long = [run for run in spaced.split() if len(run) >= _RUN]
    dense = b" ".join([run for run in long if not run.islower() or _DRAWN.search(run)])
    # Nearly every text has the piece ".": there the key's pattern itself is searched for first.
    found = [key for hint, key in runs if hint in dense and (hint != b"." or re.search(key.shape.encode(), dense))]
    found += [key for held, keys in others if held in text for key in keys if key.hint in text]
    return sorted(found)


def is_secret_file(path: str, root: Path | None = None) -> bool:
    """Say whether a file is kept back by its name alone, however the name is spelt.

    `path` is relative to the root, with "/" or "\\" between names. With `root`, the target of a symbolic link is judged
    by its own name as well, wherever it lies: a link must not make a secret look harmless.
    """
    if _secret_name(path):
        return True
    if root is None:
        return False
    try:
        base = _real(str(root))
        if not _linked(base, path):  # then its real name is the one judged above
            return False
        real = os.path.realpath(f"{base}{os.sep}{path}")
        if Path(real).is_symlink():  # a loop
            return True
    except (OSError, ValueError):
        return True
    inside = real.startswith(base + os.sep)
    return real != f"{base}{os.sep}{path}" and _secret_name(real[len(base) + 1 :] if inside else real)


_real = lru_cache(maxsize=8)(os.path.realpath)


def _linked(base: str, path: str) -> bool:
    """Say whether a part of a path is a link or not a plain name.

    Most paths have none, and resolving the real path takes ten times as long.
    """
    place = base
    for name in path.split("/"):
        if name in {"", ".", ".."} or os.sep != "/":
            return True
        place = f"{place}/{name}"
        try:
            if stat.S_ISLNK(os.lstat(place).st_mode):
                return True
        except OSError:
            return False
    return False


def _secret_name(path: str) -> bool:
    facts = _files()
    # Case, width and composition do not make it another file; nor do trailing dots and spaces on some systems.
    if not path.isascii():
        import unicodedata

        path = unicodedata.normalize("NFKC", path)
    plain = path.replace("\\", "/").casefold()
    names = [name.rstrip(". ") or name for name in plain.split("/") if name not in {"", "."}]
    if not names:
        return False
    name = names[-1]
    for suffix in ("~", ".bak", ".old", ".orig", ".save", ".swp", ".backup", ".copy"):
        name = name.removesuffix(suffix)
    if facts.public.search(name):
        return False
    return (
        name in facts.names
        or name.endswith(facts.suffixes)
        or bool(facts.pattern.fullmatch(name))
        or (not facts.folders.isdisjoint(names) and any(_ends(names, wanted) for wanted in facts.paths))
    )


def _ends(names: Sequence[str], wanted: Sequence[str]) -> bool:
    """Say whether a path ends in the wanted names; a star stands for any name."""
    last = names[-len(wanted) :]
    return len(last) == len(wanted) and all(one in {"*", name} for name, one in zip(last, wanted, strict=True))


def digest(secret: str) -> str:
    """Return the digest that names a secret which the user lets through; it is never sent."""
    import hashlib  # imported late: most texts hold no secret

    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def mask(text: str, path: str, allowed: Collection[Allowed] = ()) -> tuple[str, tuple[Masked, ...]]:
    """Replace the secrets in the text of a file by their kind; return the text and what was masked, with 1-based lines.

    `path` decides how values are written in the file; ValueError is raised without one, `mask_words` is for text of no
    file. The text keeps its number of lines, so that a range can be cut from it afterwards: mask the whole file first,
    then cut, or half a key may pass. `allowed` are secrets that the user let through in files they named.
    """
    if not path:
        raise ValueError("a text of a file is masked by the name of the file")
    return _mask(text, path, allowed, path)


def mask_words(text: str, allowed: Collection[Allowed] = (), where: str = "") -> tuple[str, tuple[Masked, ...]]:
    """Replace the secrets in words that belong to no file, as in a commit message; values need no quotes there.

    `where` is reported in place of a path: `section.YOURS` for what the user wrote.
    """
    return _mask(text, where, allowed, "words.txt")


def is_mask(words: str) -> bool:
    """Say whether words are what `mask` writes in place of a secret."""
    kind = words.removeprefix("[masked ").removesuffix("]")
    return words == f"[masked {kind}]" and (kind in {"secret", "private key"} or kind in _facts()["keys"])


def _mask(text: str, path: str, allowed: Collection[Allowed], written: str) -> tuple[str, tuple[Masked, ...]]:
    """Mask a text by the rules for a file with the name `written`."""
    found: list[Masked] = []
    parts: list[str] = []
    at = line = 0
    for start, end, kind in _spans(text, written):
        secret = text[start:end]
        mark = digest(secret)
        if (path, kind, mark) in allowed:
            continue
        line += text.count("\n", at, start)
        found.append(Masked(path, line + 1, kind, mark))
        # A secret of several lines leaves empty lines, so that line numbers stay.
        lines = secret.count("\n")
        parts += (text[at:start], f"[masked {kind}]", "\n" * lines)
        at = end
        line += lines
    return ("".join([*parts, text[at:]]) if found else text), tuple(found)


def _spans(text: str, path: str) -> list[tuple[int, int, str]]:
    """Return start, end and kind of each secret, in order and without overlaps; secrets that overlap are joined."""
    joined: list[tuple[int, int, str]] = []
    for start, end, kind in sorted(_found(text, path), key=lambda span: (span[0], -span[1])):
        if joined and start < joined[-1][1]:
            if end > joined[-1][1]:
                joined[-1] = (joined[-1][0], end, joined[-1][2])
        else:
            joined.append((start, end, kind))
    return joined


def _found(text: str, path: str) -> Iterator[tuple[int, int, str]]:
    """Yield what is found in a text, and in the text without its colours.

    Colours may stand inside a key, or between a name and its sign.
    """
    yield from _found_in(text, path)
    if bare := colours.taken_out(text):
        clean, place = bare
        for start, end, kind in _found_in(clean, path):
            yield place(start), place(end - 1) + 1, kind


def _found_in(text: str, path: str) -> Iterator[tuple[int, int, str]]:
    yield from _private_keys(text)
    for _, kind, _, shape in _likely(text):  # where two kinds fit, the first in the list is reported
        # `re` caches compiled patterns, and most of these are never needed.
        for match in re.finditer(shape, text):
            group = match.lastgroup or 0
            start, secret = match.start(), match[group]
            if not group and secret[0].isalnum() and _goes_on(text, start):
                continue  # a key does not begin in the middle of a word
            if not values.stands_in(secret) and (kind not in _GUESSED or values.drawn(secret, _GUESSED[kind])):
                yield *match.span(group), kind
    for start, end in (*values.find(text, path), *values.of_kubernetes(text)):
        yield start, end, "secret"


_ESCAPE = rf"(?:{colours.COLOUR}|\\[nrtbfv]|\\u[0-9A-Fa-f]{{4}}|\\x[0-9A-Fa-f]{{2}}|%[0-9A-Fa-f]{{2}})$"


def _goes_on(text: str, at: int) -> bool:
    """Say whether a word goes on at `at`: the letter before it is not the end of an escape such as `\\n`."""
    return text[at - 1 : at].isalnum() and not re.search(_ESCAPE, text[max(0, at - 48) : at])


_GUESSED = {"authorization": 3.5, "token in an address": 3.5, "password of a command": 3.0, "password": 3.0}
"""Kinds whose shape alone is not certain, and how many bits a letter their values must have."""


_BEGIN = r"-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}|PuTTY-User-Key-File-\d: "
_END = r"-{4,5} ?END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}"
_BODY = r"[A-Za-z0-9+/=\s\\\"',:.|>#*-]{0,40000}"
_DENSE = r"[A-Za-z0-9+/=]{20,}"
_ROW = re.compile(
    r"[ \t\"'+#*|-]{0,12}(?=[^a-z\n]{0,40}[a-z])(?=[^A-Z\n]{0,40}[A-Z])[A-Za-z0-9+/]{40,76}={0,2}(?:\\n)?[\"',+\\ \t]{0,6}\r?$",
    re.MULTILINE,
)
_HUNK = r"^@@@? -[-+, \d]{1,80} @@@? ?"


def _private_keys(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield private keys, whole or cut at either end."""
    at = 0
    if "PRIVATE KEY" in text or "PuTTY-User-Key-File" in text:
        while begin := re.compile(_BEGIN).search(text, at):
            at = begin.end()
            stop = text.find("----", at)
            body = re.compile(_BODY).match(text, at, stop if stop != -1 else len(text))
            inner = body[0] if body else ""
            end = re.compile(_END).match(text, stop) if at + len(inner) == stop else None
            if end:
                last = end.end()
            else:
                dense = list(re.finditer(_DENSE, inner))
                last = at + (dense[-1].end() if dense else 0)
            # The marks alone are no key: a program may look for them, or put them around a variable.
            if sum(len(row) for row in re.findall(_DENSE, inner)) >= 40 or (end and _rows_only(inner)):
                yield begin.start(), last, "private key"
                at = last
        for mark in re.finditer(_END, text):
            start = _rows_before(text, text.rfind("\n", 0, mark.start()) + 1)
            if start < text.rfind("\n", 0, mark.start()):
                yield start, mark.end(), "private key"
    # A piece from the middle of a key: rows at the beginning of the text or of a hunk, which may include the hunk's
    # heading.
    hunks = re.finditer(_HUNK, text, re.MULTILINE) if "@@ -" in text else ()
    for start in (0, *(_below(text, hunk.end()) for hunk in hunks)):
        if last := _rows_from(text, start):
            yield start, last, "private key"


def _below(text: str, heading: int) -> int:
    """Return where the lines of a hunk begin: at its heading if that is itself a row of a key, else below it."""
    return heading if _ROW.match(text, heading) else (text.find("\n", heading) + 1 or len(text))


def _rows_from(text: str, start: int) -> int:
    """Return where the rows of a key that begin at `start` end; 0 where there are fewer than four."""
    rows, at = 0, start
    while at < len(text) and rows < 1_000 and (row := _ROW.match(text, at)):
        rows, at = rows + 1, row.end() + 1
    return min(at - 1, len(text)) if rows >= 4 else 0


def _rows_only(inner: str) -> bool:
    rows = [row.strip("\"', \t\r") for row in re.split(r"\n|\\n", inner)]
    return len(rows) > 1 and any(rows) and all(re.fullmatch(r"[A-Za-z0-9+/=]*", row) for row in rows)


def _rows_before(text: str, start: int) -> int:
    """Return where the rows of a key that end before `start`, the beginning of a line, begin."""
    for _ in range(2_000):
        before = text.rfind("\n", 0, max(0, start - 1)) + 1
        row = text[before : start - 1] if start else ""
        if start == 0 or len(row) > 120 or not _ROW.match(row):
            break
        start = before
    return start


_DIFF = r'(?m)^diff --(?:git|cc|combined) (?:"?a/(?P<old>.+?)"? "?b/)?(?P<new>.+?)"?$'


def mask_diff(text: str, allowed: Collection[Allowed] = ()) -> tuple[str, tuple[Masked, ...]]:
    """Mask a unified diff of git: of secret files only the name stays, in other files keys are masked.

    It also takes `git show` and `git log -p`: text before the first file is masked as words.
    """
    heads = list(re.finditer(_DIFF, text))
    out: list[str] = []
    found: list[Masked] = []
    edges = [0, *(head.start() for head in heads), len(text)]
    for head, (start, end) in zip([None, *heads], pairwise(edges), strict=True):
        piece, path = text[start:end], head["new"] if head else ""
        names = (head["old"] or "", head["new"]) if head else ()
        if any(name and is_secret_file(name) for name in _renamed(piece, names)):
            head_line = piece.split("\n", 1)[0]
            out.append(f"{head_line}\n[a file of secrets: its lines are not shown]\n")
            found.append(Masked(path, 0, "secret file"))
            continue
        piece = re.sub(_HEADING, _heading, piece, flags=re.MULTILINE)
        clean, masked = mask(piece, path, allowed) if head else mask_words(piece)
        out.append(clean)
        found += masked
    return "".join(out), tuple(found)


_HEADING = rf"({_HUNK})(.{{20,80}})$"
_HEADING_BYTES = 80


def _heading(hunk: re.Match[str]) -> str:
    """Cut the heading of a hunk after a word if git has cut it: half a key would not be recognised as one."""
    whole = len(hunk[2].encode("utf-8", "surrogateescape")) < _HEADING_BYTES
    return hunk[0] if whole else hunk[1] + hunk[2].rpartition(" ")[0]


_RENAMED = r'(?m)^(?:rename (?:from|to) |copy (?:from|to) |(?:---|\+\+\+) "?[ab]/)(.+?)"?$'


def _renamed(piece: str, names: Iterable[str]) -> list[str]:
    """Return all names that a piece of a diff gives to its file."""
    head = piece.partition("\n@@")[0]
    return [*names, *re.findall(_RENAMED, head)]
