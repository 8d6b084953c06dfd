"""What the words around a text say of it: whether it is a whole file, and which; only shown; or a change to make."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assistant.edits.filename import COMMANDS, ORDERS, PRODUCTS, is_name
from assistant.edits.naming import FULL_WIDTH, NO_TEXT, NOTED, TICKED, names_in, only_path, peeled, ticked_in

if TYPE_CHECKING:
    from collections.abc import Sequence

_LABELLED = re.compile(
    r"^(?:#{1,6}[ \t]+|[-*+][ \t]+)?[*_]*([^\W\d_][\w ]{0,20}):[*_]*[ \t]*(`[^`]+`|\*\*[^*]+\*\*|\S+)[*_]*$"
)
"""A word of any language, a colon and a name."""
_REMARK = re.compile(r"^(.*\S)[ \t]*\([^()]{1,30}\)$")
"""A name followed by a short remark in brackets, which is ignored."""
_SENTENCES = re.compile(r"(?<=[.!?;])\s+")
_ANNOUNCES = re.compile(
    r"\b(?:creat\w+|new|rewrit\w+|saved? (?:it |this |that |them )?(?:as|in|to)|looks? like|as follows|replace\b.{0,90}\bwith)\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(
    r"\b(?:full|complete|entire|whole|(?:replace|overwrite)\b.{0,30}\b(?:contents?|file|text)|contents? of)\b",
    re.IGNORECASE,
)
_FOLLOWS = re.compile(
    r"\b(?:becomes?|now|new|full|complete|entire|whole|contents?|updated?|replace|rewrit\w+|write|save|put|add|creat\w+|final|finally|version)\b",
    re.IGNORECASE,
)
_PRINTS = re.compile(
    r"\b(?:prints?|printed|outputs?|says|said|shows?|shown|reports?|returns?|returned|gives?|logs?|fails?|failed|pass(?:es|ed)?|rais\w+|runs?|ran|running|errors?|warnings?|calls?|results?|see|expect\w*|terminal|console|commands?|shell|tests)\b",
    re.IGNORECASE,
)
"""Words that introduce the output of a program rather than the text of a file."""
_ADDS = re.compile(r"\b(?:add|creat\w+|new|write|save|put|introduce)\b", re.IGNORECASE)
_ASKS = re.compile(r"^\W*(?:please|can|could|would|send|share|paste|show|give|what|which|if you)\b", re.IGNORECASE)
_SHOWN = re.compile(r"\b(?:examples?|usage|demo|sample)\b", re.IGNORECASE)
_MENDED = re.compile(r"\b(?:updated?|modified|revised|corrected|fixed|refactored|improved)\b", re.IGNORECASE)
_PIECE = re.compile(
    r"\b(?:functions?|methods?|class(?:es)?|sections?|parts?|snippets?|lines?|blocks?|imports?|tests? cases?|components?|hooks?|handlers?|routes?|fields?|properties|changes?|diff|usage|examples?)\b",
    re.IGNORECASE,
)
"""Words for something less than a whole file."""
_LIKE = re.compile(
    r"\b(?:cop(?:y|ies|ied|ying)(?: of| from)?|based on|modell?ed (?:on|after)|similar to|derived from|inspired by|like|mirrors|same as)\W+(?:the\W+)?$",
    re.IGNORECASE,
)
"""Words before the name of another file that the text is modelled on."""
_FOLDER = re.compile(
    r"(?:^|[\s`*(\"])((?:[\w.-]+/)*[\w.-]*\w)/(?=[\s`*)\":,]|$)|\b(?:folder|directory|dir)\b(?:\s+(?:called|named))?[:\s]+[`*\"]+([\w./-]*\w)/?[`*\"]"
    r"|^\W*(?:folder|directory|dir)\s*:\s*[`*]*([\w./-]*\w)/?[`*]*\s*$|[`*\"]([\w./-]*\w)/?[`*\"]+\s+(?:folder|directory)\b|\bcd\s+(?:in)?to\s+[`*\"]([\w./-]*\w)|^\W*\U0001F4C1\s*([\w./-]*\w)",
    re.IGNORECASE,
)
_HERE = {"root", "project", "current", "this", "same", "the", "top-level", "working", "and", "or"}
_LIKE_NOW = re.compile(
    r"\b(?:current(?:ly)?|existing|at present|right now|at the moment|before|previous(?:ly)?|original(?:ly)?|old|as it is)\b",
    re.IGNORECASE,
)
_WISHES = re.compile(r"^(?:add|update|updated|edit|modify|modified|change|changed|replace)\b[ \t:`*]", re.IGNORECASE)
_SHOWS = COMMANDS | set(
    """running ran test testing tests try output outputs result results usage use used using example examples sample see call called import install
    load read print prints check verify error errors warning log logs trace traceback old before from compare versus original current""".split()
)
"""First words of a line above a text that is only shown."""


def heading(above: Sequence[str], words: str) -> str:
    """Return the file that a heading names when only words stand between it and a text; empty if there is none.

    `words` is the line right above the text, `above` the lines above that, nearest first. The result is also empty if
    the words say that the text is not the file's content: how it is used, what it prints, what it was before.
    """
    said = re.findall(r"\w+", words.lower())
    last = _SENTENCES.split(TICKED.sub(" ", words).strip())[-1]
    if not said or (said[0] in _SHOWS and not says_all(words)):
        return ""
    announces = last.rstrip(" *_").endswith(":") and not says_all(last)
    if announces and any(each.search(last) for each in (_LIKE_NOW, NO_TEXT, _PIECE)):
        return ""
    for line in above:
        path, sure = only_path(line)
        if sure and (line.lstrip().startswith("#") or ticked_in(line) or line.strip().rstrip(":") == path):
            return path
        if path or line.lstrip().startswith(("#", "```", "~~~", "<")):
            return ""
    return ""


def mentions(line: str) -> str:
    """Return the one file that a line mentions and may announce below; empty if the text below is only shown."""
    if line.lstrip().startswith(("==>", "$", ">", "|")):
        return ""
    words = TICKED.sub(" ", line)
    said = re.findall(r"\w+", words.lower())
    if (said and said[0] in _SHOWS) or NO_TEXT.search(words) or _SHOWN.search(words):
        return ""
    named = names_in(line)
    return named[0] if len(named) == 1 and named[0].lower() not in PRODUCTS else ""


def follows(line: str) -> bool:
    """Say whether a line announces text below it, other than the output of a program."""
    words = TICKED.sub(" ", line)
    return _FOLLOWS.search(words) is not None and not _PRINTS.search(words)


def adds(line: str) -> bool:
    """Say whether a line speaks of adding or creating something, so that a file it mentions may be new."""
    return _ADDS.search(TICKED.sub(" ", line)) is not None


def noted(line: str) -> str:
    """Return the file that a line names beside words to ignore: a label before it, or a remark in brackets after."""
    words = line.strip().translate(FULL_WIDTH).rstrip(": ")
    if match := _REMARK.match(words):
        name, more = match[1], words[len(match[1]) :]
    elif match := _LABELLED.match(words):
        name, more = match[2], match[1]
        if not more.isascii() and is_name(name.strip("`*")):
            return name.strip("`*")
        if more.split()[0].lower() in ORDERS or not ticked_in(name):
            return ""
    else:
        return ""
    path, sure = only_path(name)
    return path if sure and not NO_TEXT.search(more) and not _LIKE_NOW.search(more) else ""


def asks(line: str) -> bool:
    """Say whether a line asks for a change to the file it names: the text below may be all of the file, or a part."""
    stages = peeled(line.strip(" \t"))
    asked = any(_WISHES.match(stage) for stage in stages[:-1]) or any(map(NOTED.match, stages))
    return asked or (bool(names_whole(line)) and not _WHOLE.search(line))


def names_whole(line: str) -> str:
    """Return the path in a sentence that announces all the text of a file ("Create a new file `a/b.py` with this content:")."""
    line = _SENTENCES.split(line.strip())[-1]
    words = TICKED.sub(" ", line)  # the words without the name
    if not line.rstrip(" *_").endswith(":") or _LIKE_NOW.search(words) or _ASKS.match(words) or _SHOWN.search(words):
        return ""
    if not _WHOLE.search(words) and (_PIECE.search(words) or not (_ANNOUNCES.search(words) or _MENDED.search(words))):
        return ""
    named = names_in(line)
    return named[0] if len(named) == 1 and not _LIKE.search(line.partition(named[0])[0]) else ""


def announces(line: str) -> bool:
    """Say whether words announce the text of a file, without saying which file."""
    words = _SENTENCES.split(TICKED.sub(" ", line).strip())[-1]
    return bool(_WHOLE.search(words) or _MENDED.search(words)) and not _SHOWN.search(words)


def says_all(line: str) -> bool:
    """Say whether a line says that the text below it is a whole file."""
    return _WHOLE.search(line) is not None


def folders(above: Sequence[str]) -> list[str]:
    """Return the folders that lines mention, either with a trailing slash or called a folder."""
    found = [next(filter(None, match.groups())) for line in above for match in _FOLDER.finditer(line)]
    return [name for name in dict.fromkeys(found) if name.lower() not in _HERE]
