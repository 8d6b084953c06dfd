"""Reading a path from the line that a model put above its edit, decorated or not.

A line can be read in several ways; all readings are returned, likeliest first, and the file that exists decides.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from assistant.edits.filename import (
    DEVICE,
    EXTENSION,
    GIT,
    LONGEST,
    PRODUCTS,
    RANGED,
    is_name,
    looks,
    may_be_words,
    overlong,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_MARK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|[-*+][ \t]+|\d+[.)][ \t]+|>[ \t]+)+")
_LABEL = re.compile(
    r"^(?:(?:new |the )?file(?:[ \t]?name|[ \t]?path)?|new|path|update|updated|edit|modify|modified|change|create|created|add|delete|in|for|to|(?:step|part|file)[ \t]\d+(?=[:.)]))"
    r"(?:[ \t]*[:=][ \t]*|[.)]?[ \t]+)",
    re.IGNORECASE,
)
_BOLD_LABEL = re.compile(
    r"^(?:\*\*|__)(?:new )?(?:file(?:[ \t]?name|[ \t]?path)?|path)[ \t]*:?(?:\*\*|__)[ \t]*:?[ \t]*", re.IGNORECASE
)
_LINK = re.compile(r"^\[([^\]\n]+)\]\((?!\w+://)([^)\n]*)\)$|^\[([^\]\n]+)\]\([^)\n]*\)$")
FULL_WIDTH = {0xFF1A: ": ", 0xFF08: " (", 0xFF09: ")"}
_NUMBER = re.compile(r"^\d{1,2}[.)][ \t]+(?=[`*])")
_STATED = re.compile(
    r"^[\[(](?:new|modified|updated|changed|edited|created|added|create|update|modify)[\])][ \t:]+", re.IGNORECASE
)
_TAGGED = re.compile(r"^(?:<(?!(?:file|path) )\w+(?: [^<>]*)?>\s*)+([^<>]+?)\s*(?:</\w+>\s*)+$")
_PICTURES = {"So", "Sk", "Mn", "Cf", "Sm"}
"""Unicode categories that pictures are made of: symbols, skin tones, joiners, arrows."""
TICKED = re.compile(
    r"``([^\n]+?)``|`([^`\n]+)`|\*\*([^*\n]+)\*\*|\"([^\"\n]+)\"|\[([^\]\n]+)\]\([^)\n]*\)|<(?:file|path)[^>\n]*?=\"([^\"\n]+)\""
)
_TOKEN = re.compile(r"[^\s`*\"',;<>]+")
_COMMENT = re.compile(r"^(?://[ \t]+|/\*[ \t]*|<!--[ \t]*|(?:#|--|;|%)[ \t]+)(.*?)[ \t]*(?:\*/|-->)?$")
_RULED = re.compile(r"^([-=*]{2,})[ \t]+(.+?)[ \t]+\1$")
NOTED = re.compile(
    r"^(.*\S)[ \t]+(?:\((?:new|new file|modified|updated|existing|created|changed|edited|deleted|unchanged|create|add|added|modify|update|edit|change|full|full file|complete|complete file|lines? [\d\u2013 -]+)\)|[-\u2013\u2014][ \t].*)$",
    re.IGNORECASE,
)
_PART = re.compile(
    r"^(?:in(?:side|to)?|for|to|within|from|of|(?:add(?:ed|ing)?|append(?:ed)?|insert(?:ed)?|put|paste|goes|belongs) (?:it |this |these |them |that )?(?:at|in|to|into|inside|for|below|above)"
    r"|(?:top|end|bottom|beginning|start|rest|part) of)\b[ \t`*]",
    re.IGNORECASE,
)
"""How a line begins that speaks of some text in a file, and not of all of it."""
_GONE = re.compile(r"^(?:delete|deleted|deleting|remove|removed|removing)\b[ \t`*:]", re.IGNORECASE)
NO_TEXT = re.compile(
    r"\b(?:unchanged|before|old|original(?:ly)?|current(?:ly)?|existing|excerpts?|snippets?|partial(?:ly)?|parts?|sections?|relevant|reference|examples?|usage|outputs?|only|deleted?|removed?|lines?)\b",
    re.IGNORECASE,
)
"""Words after a name which say that the text is not the whole file, or no longer its text."""
_SAYS_FILE = re.compile(
    r"^(?:\*\*|__)?(?:(?:new |the )?file(?:[ \t]?name|[ \t]?path)?|path)(?:\*\*|__)?[ \t]*[:=]|^(?:create|new file)[ \t:]",
    re.IGNORECASE,
)
_SAYS_NEW = re.compile(r"\(new(?: file)?\)[*_:]*$", re.IGNORECASE)
_SIGNS = (
    ("**", "**"),
    ("__", "__"),
    ("`", "`"),
    ('"', '"'),
    ("'", "'"),
    ("*", "*"),
    ("_", "_"),
    ("\u201c", "\u201d"),
    ("\u2018", "\u2019"),
    ("\u00ab", "\u00bb"),
    ("\u300c", "\u300d"),
    ("\u3010", "\u3011"),
    ("<", ">"),
    ("(", ")"),
    ("[", "]"),
)


def readings(line: str) -> list[str]:
    """Return the paths that a line may name, the likeliest first; the first is empty when none is likely.

    The others may be mere words: they count where a file of that name exists.
    """
    raw = line.strip(" \t")
    if not raw or raw.startswith(("```", "~~~", "<<<<<", ">>>>>", "=====")):
        return []
    if len(raw) > LONGEST:
        return [raw] if overlong(raw) else []
    stages = peeled(raw)
    ticked = ticked_in(raw)
    tokens = possible_names(stages[-1])
    whole = [name for name in reversed(stages) if " " not in name]
    whole += [cut[1] for name in whole if (cut := RANGED.match(name))]  # "path:10-42", as the lines were shown
    bare = as_it_stands(raw)
    marked = bool(bare) and [each.strip("`*\"'") for each in ticked] == [bare]
    spaced = [
        name
        for name in reversed(stages)
        if " " in name
        and not may_be_words(name, whole=marked and name == bare)
        and not any(name.startswith(opened) and name.endswith(closed) for opened, closed in _SIGNS)
    ]
    odd = [name for name in tokens if DEVICE.match(name) or name.lower() in PRODUCTS]
    likely = [name for name in tokens if looks(name) and name not in odd] if " " in stages[-1] else []
    strong: list[str] = []
    ticked = [name for name in ticked if " " not in name or not may_be_words(name, whole=True)]
    groups = [whole, ticked, spaced, likely] if len(ticked) == 1 or len(set(ticked)) == 1 else [whole, spaced, likely]
    for group in groups:
        strong += [
            name
            for name in group
            if looks(name) or (marked and name == bare and EXTENSION.match(name.rpartition("/")[2]))
        ]
    weak = [*stages[:1], *reversed(stages), *ticked, *([] if strong else tokens[-1:]), line]
    if raw.startswith("//"):
        weak.append(raw.lstrip("/"))  # a comment, or an absolute path: only a file that exists decides
    ordered = list(dict.fromkeys([*(strong or [""]), *(name for name in weak if name)]))
    # A line that is a name as it stands comes before the names that are cut out of it.
    if looks(raw) and " " in raw and raw == stages[-1] and not may_be_words(raw, whole=False):
        ordered = [raw, *(name for name in ordered if name not in {raw, ""})]
    return ordered


def ticked_in(line: str) -> list[str]:
    """Return what is marked as a name in a line: in backticks, bold, quotes, a link or a tag."""
    return [next(filter(None, match.groups())).strip(" \t") for match in TICKED.finditer(line)]


def possible_names(line: str) -> list[str]:
    """Return the words of a line as names, without the signs of the sentence around them.

    Brackets around a name go, and those of its own stay, as in `(shop)/page.tsx`.
    """
    found = []
    for token in _TOKEN.findall(line):
        name = token.rstrip(".:)")
        unclosed = max(0, name.count("(") - name.count(")"))
        found.append(name[:unclosed].lstrip("(") + name[unclosed:])
    return found


def names_in(line: str) -> list[str]:
    """Return what surely names a file in a line, each once: of what is marked as a name, else of all its words."""
    named = ticked_in(line) or possible_names(line)
    return [name for name in dict.fromkeys(named) if looks(name) and is_name(name)]


def bare_word(line: str) -> str:
    """Return the only word of a line, without decoration, if it does not look like a path; it may still name a file."""
    name = peeled(line.strip(" \t"))[-1]
    return "" if " " in name or looks(name) else name


def as_it_stands(line: str) -> str:
    """Return a line, without decoration, that may be a file name with spaces in it; empty if it is not."""
    name = peeled(line.strip(" \t"), labels=False)[-1]
    likely = "/" in name or EXTENSION.match(name) is not None
    return name if " " in name and likely and len(name) <= LONGEST else ""


def peeled(raw: str, *, labels: bool = True) -> list[str]:
    """Return a line with ever less decoration; the last reading has none, nor a label before the name (`labels`)."""
    raw = raw.translate(FULL_WIDTH)
    found = [raw]
    ticked = False

    def put(name: str) -> str:
        name = name.strip(" \t")
        if name and name != found[-1]:
            found.append(name)
        return found[-1]

    name = put(_BOLD_LABEL.sub("", put(_MARK.sub("", put(_undressed(raw))))))
    for _ in range(6):
        before = name
        if match := _LINK.match(name):
            text, target = match[1] or match[3], (match[2] or "").split("#")[0].removeprefix("./")
            name = put(target if target.endswith("/" + text.strip("`*")) else text)
        for pattern, group in ((_RULED, 2), (_COMMENT, 1), (NOTED, 1)):
            match = pattern.match(name)
            if match and match[group]:
                name = put(match[group])
        name = put(name.rstrip(":")) if name.rstrip(":") else name
        name = put(_undressed(name))
        name = put(_STATED.sub("", _NUMBER.sub("", name)))
        for opened, closed in _SIGNS:
            size = len(opened) + len(closed)
            if len(name) > size and name.startswith(opened) and name.endswith(closed):
                inner = name[len(opened) : -len(closed)]
                if opened not in inner and closed not in inner:
                    name = put(inner)
                    ticked |= opened == "`"
        if labels and (":" in name or "=" in name or (" " in name and not ticked)):  # a ticked `to do.md` is all name
            name = put(_LABEL.sub("", name))
        if name == before:
            break
    return found


def _undressed(name: str) -> str:
    """Remove pictures around a name, and HTML tags."""
    tagged = _TAGGED.match(name)
    name = tagged[1] if tagged else name
    words = name.split(" ")
    while len(words) > 1 and words[0] and all(_is_picture(sign) for sign in words[0]):
        words.pop(0)
    while len(words) > 1 and words[-1] and all(_is_picture(sign) for sign in words[-1]):
        words.pop()
    return " ".join(words)


def _is_picture(sign: str) -> bool:
    return not sign.isascii() and unicodedata.category(sign) in _PICTURES


def only_path(line: str) -> tuple[str, bool]:
    """Return the path that a line consists of, without decoration, and whether it is surely one.

    Empty if the line says anything else. A bare word is not surely a path, nor are words or a command that end like a
    file name; they count if a file of that very name exists.
    """
    raw = line.strip(" \t")
    if not raw or len(raw) > LONGEST:
        return (raw, True) if overlong(raw) else ("", False)
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} for sign in raw) and " " not in raw:
        return raw, True  # not words, so it is refused as a name
    if len(raw) < 3 and not raw.strip("\"'`"):
        return raw, True  # quotes around no name
    stages = peeled(raw)
    plain = stages[-1]
    if plain.startswith("./") and len(plain) > 2:
        plain = plain[2:]
        if re.match(r"^[\w@$%~+-]+$", plain):
            return plain, True
    named = " " in raw and not TICKED.search(raw) and bool(EXTENSION.match(re.split(r"[/\\]", raw)[-1]))
    if named and looks(raw):
        dressed = any(pattern.match(raw) for pattern in (_MARK, _COMMENT, _LABEL, _LINK, _RULED, NOTED, _STATED))
        plain = plain if dressed or _undressed(raw) != raw else raw
    if GIT.match(plain):
        return plain, True
    words = plain.split(" ")
    ticked = ticked_in(raw)
    if looks(plain):
        if any(plain != stage and (_PART.match(stage) or _GONE.match(stage) or _says_part(stage)) for stage in stages):
            return "", False
        marked = [each.strip("`*\"'") for each in ticked] == [plain]
        said = any(map(_SAYS_FILE.match, stages)) or any(map(_SAYS_NEW.search, stages))
        if said and (len(words) == 1 or marked or not may_be_words(plain, whole=True)):
            return plain, True
        if not may_be_words(plain, whole=marked):
            small = not plain[0].isupper() and not raw.endswith(":")  # a sentence begins or ends differently
            return plain, len(words) == 1 or "/" in plain or marked or small
        if len(words) == 1 and plain.lower() not in PRODUCTS:
            return plain, plain == raw
    if len(words) == 1 and re.match(r"^[\w@$%~+.-]+$", plain) and (ticked == [plain] or plain == raw.rstrip(":")):
        return plain, False
    return (raw, False) if named else ("", False)


def _says_part(stage: str) -> bool:
    """Say whether words after a name say that the text is not the whole file."""
    note = NOTED.match(stage)
    return note is not None and NO_TEXT.search(stage[note.end(1) :]) is not None


def speaks_of(line: str) -> str:
    """Return the path in a line about part of a file ("Add to `a/b.py`:"); empty if the line is not about a part."""
    stages = peeled(line.strip(" \t"))
    name = stages[-1]
    said = any(name != stage and _PART.match(stage) for stage in stages)
    return name if said and " " not in name and looks(name) and not may_be_words(name, whole=False) else ""


def remarked(line: str) -> str:
    """Return the path, with a folder, that a comment consists of (`# src/a.py`), as some blocks have on top."""
    match = _COMMENT.match(line.strip())
    name = match[1].removeprefix("File:").removeprefix("file:").strip() if match else ""
    return name if "/" in name and " " not in name and EXTENSION.match(name.rpartition("/")[2]) else ""


def rivals(source: str, above: Sequence[str]) -> tuple[str, ...]:
    """Return other files that words naming one may mean: the name on a line of its own above, and all they mention.

    The first is empty if there is no such line. If the words are only a name themselves, the result is empty.
    """
    if only_path(source)[1]:
        return ()
    head = next((path for path, sure in map(only_path, above) if sure), "")
    named = (*ticked_in(source), *possible_names(source))
    return (head, *dict.fromkeys(name for name in named if looks(name) and name != head))
