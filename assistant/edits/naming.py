"""Reading a path out of the line that a model put above its edit, decorated or not.

A line can be read in several ways; all are handed on, the likeliest first, and the file that exists decides.
"""

from __future__ import annotations

import re
import unicodedata

_MARK = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|[-*+][ \t]+|\d+[.)][ \t]+|>[ \t]+)+")
_LABEL = re.compile(
    r"^(?:(?:new |the )?file(?:[ \t]?name|[ \t]?path)?|new|path|update|updated|edit|modify|modified|change|create|created|add|delete|in|for|to)"
    r"(?:[ \t]*[:=][ \t]*|[ \t]+)",
    re.IGNORECASE,
)
_BOLD_LABEL = re.compile(
    r"^(?:\*\*|__)(?:new )?(?:file(?:[ \t]?name|[ \t]?path)?|path)[ \t]*:?(?:\*\*|__)[ \t]*:?[ \t]*", re.IGNORECASE
)
_LINK = re.compile(r"^\[([^\]\n]+)\]\([^)\n]*\)$")
_SPOKEN = re.compile(r"^(?:the|a|an|this|now|then|next|here|first|finally|also|and|we|i|let)\b", re.IGNORECASE)
_TICKED = re.compile(
    r"``([^\n]+?)``|`([^`\n]+)`|\*\*([^*\n]+)\*\*|\"([^\"\n]+)\"|\[([^\]\n]+)\]\([^)\n]*\)|<(?:file|path)[^>\n]*?=\"([^\"\n]+)\""
)
_TOKEN = re.compile(r"[^\s`*\"',;<>]+")
_COMMENT = re.compile(r"^(?://[ \t]+|/\*[ \t]*|<!--[ \t]*|(?:#|--|;|%)[ \t]+)(.*?)[ \t]*(?:\*/|-->)?$")
_RULED = re.compile(r"^([-=*]{2,})[ \t]+(.+?)[ \t]+\1$")
_NOTED = re.compile(
    r"^(.*\S)[ \t]+(?:\((?:new|new file|modified|updated|existing|created|changed|edited|deleted|unchanged|lines? [\d\u2013 -]+)\)|[-\u2013\u2014][ \t].*)$",
    re.IGNORECASE,
)
_ANNOUNCES = re.compile(
    r"\b(?:creat\w+|new|full|complete|entire|whole|rewrit\w+|(?:replace|overwrite)\b.{0,30}\b(?:contents?|file|text)|contents? of|saved? (?:as|in|to)|looks? like)\b",
    re.IGNORECASE,
)
_RANGED = re.compile(r"^(.*\S):L?\d+(?:[-\u2013]L?\d+)?$")
_PROSE = re.compile(
    r"\b(?:of|to|for|from|in|at|with|and|or|run|cat|see|old|contents?|outputs?|results?|changes?|diff)\b", re.IGNORECASE
)
"""Words that stand between others, and before a path that they speak of; hardly in the name of a folder."""
_EXTENSION = re.compile(r"[^\s.][^/\\]*\.(?=[\w~+-]*[A-Za-z~+])[\w~+-]{1,12}$")
_BARE = {
    "Makefile", "Dockerfile", "LICENSE", "README", "Rakefile", "Gemfile", "Procfile", "Justfile", "justfile", "CHANGELOG", "NOTICE", "Vagrantfile",
    "Jenkinsfile", "Containerfile", "Brewfile", "CODEOWNERS", "AUTHORS", "BUILD", "WORKSPACE", "Pipfile", "makefile", "dockerfile",
}  # fmt: skip
_LOWER = re.compile(r"^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$")
_HEADINGS = set(
    """usage output outputs example examples before after result results test tests note notes change changes summary explanation code run file
    files now then new old diff patch input command commands terminal console log logs error errors expected actual response answer solution fix
    bash sh shell zsh fish python py javascript js typescript ts json yaml yml toml xml html css sql go rust ruby php java kotlin swift c cpp lua
    text txt plaintext markdown md make makefile dockerfile powershell batch perl r scala haskell elixir""".split()  # noqa: SIM905
)
"""What stands above a block without being the name of its file."""
PATCHES = (".patch", ".diff", ".rej")
"""Files whose text is edits of other files."""
_DEVICE = re.compile(r"^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.\w+)?$", re.IGNORECASE)
_GIT = re.compile(r"^(?:\S+[\\/])?\.git[. ]*[\\/]\S*$", re.IGNORECASE)
_OPTION = re.compile(r"\s--?[A-Za-z]")
_CLIMBS = re.compile(r"[/\\]\.{1,2}$")
_LONGEST = 300
_SIGNS = (
    ("**", "**"),
    ("__", "__"),
    ("`", "`"),
    ('"', '"'),
    ("'", "'"),
    ("*", "*"),
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
    if len(raw) > _LONGEST:
        return [raw] if _overlong(raw) else []
    stages = _stages(raw)
    ticked = [next(filter(None, match.groups())).strip(" \t") for match in _TICKED.finditer(raw)]
    tokens = [token.rstrip(".:)").lstrip("(") for token in _TOKEN.findall(stages[-1])]
    whole = [name for name in reversed(stages) if " " not in name]
    whole += [cut[1] for name in whole if (cut := _RANGED.match(name))]  # "path:10-42", as the lines were shown
    spaced = [name for name in reversed(stages) if " " in name and not _SPOKEN.match(name)]
    likely = [name for name in tokens if looks(name) and not _DEVICE.match(name)] if " " in stages[-1] else []
    strong: list[str] = []
    groups = [whole, ticked, spaced, likely] if len(ticked) == 1 or len(set(ticked)) == 1 else [whole, spaced, likely]
    for group in groups:
        strong += [name for name in group if looks(name)]
    weak = [*stages[:1], *reversed(stages), *ticked, *([] if strong else tokens[-1:]), line]
    if raw.startswith("//"):
        weak.append(raw.lstrip("/"))  # a comment, or a path from the root of the disk: only a file that exists tells
    ordered = list(dict.fromkeys([*(strong or [""]), *(name for name in weak if name)]))
    # A line that is a name as it stands comes before any that is cut out of it.
    if looks(raw) and " " in raw and raw == stages[-1]:
        ordered = [raw, *(name for name in ordered if name not in {raw, ""})]
    return ordered


def bare_word(line: str) -> str:
    """Return the one word of a line, decorated or not, that is no path by its looks; it may be a file all the same."""
    name = _stages(line.strip(" \t"))[-1]
    return "" if " " in name or looks(name) else name


def _stages(raw: str) -> list[str]:
    """Return a line with ever less decoration; the last has none left."""
    found = [raw]

    def put(name: str) -> str:
        name = name.strip(" \t")
        if name and name != found[-1]:
            found.append(name)
        return found[-1]

    name = put(_BOLD_LABEL.sub("", put(_MARK.sub("", raw))))
    for _ in range(6):
        before = name
        for pattern, group in ((_RULED, 2), (_LINK, 1), (_COMMENT, 1), (_NOTED, 1)):
            match = pattern.match(name)
            if match and match[group]:
                name = put(match[group])
        name = put(name.rstrip(":")) if name.rstrip(":") else name
        for opened, closed in _SIGNS:
            size = len(opened) + len(closed)
            if len(name) > size and name.startswith(opened) and name.endswith(closed):
                inner = name[len(opened) : -len(closed)]
                if opened not in inner and closed not in inner:
                    name = put(inner)
        if " " in name or "=" in name or ":" in name:
            name = put(_LABEL.sub("", name))
        if name == before:
            break
    return found


def looks(name: str) -> bool:
    """Say whether a string can be meant as a path."""
    if not name or name in {"//", "-", "*"}:
        return False
    if len(name) > _LONGEST:
        return _overlong(name)
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} for sign in name):
        return True  # never a name that may be written, and never words
    if _GIT.match(name):
        return True  # however it is dressed: it is refused as a name, not passed over as words
    if name in _BARE or _DEVICE.match(name) or name.lower().startswith("file:"):
        return True
    if name.startswith(("/", "~", "..", "\\")):
        return " " not in name or "/" in name[1:]
    if re.match(r"^[A-Za-z]:[\\/]", name):
        return True
    if _CLIMBS.search(name):
        return True  # it ends in a folder, and is refused as the name of one
    if name.endswith((".", ",", "!", "?", ";")) or "://" in name:
        return False
    last = re.split(r"[/\\]", name.rstrip("/"))[-1]
    if " " in name and _SPOKEN.match(name):
        return False
    return "/" in name or "\\" in name or bool(re.match(r"^\.\w", last)) or bool(_EXTENSION.match(last))


def _overlong(name: str) -> bool:
    """Whether a string far too long for a name is one all the same: it is refused as such, not passed over as words."""
    return not re.search(r"\s", name) and ("/" in name or bool(re.search(r"\.\w{1,12}$", name)))


def only_path(line: str) -> tuple[str, bool]:
    """Return the path that a line consists of, decoration aside, and whether it is sure to be one.

    Empty when the line says anything else. A bare word is no sure path, nor are words or a command that end like a file
    name; they count where a file of that very name exists.
    """
    raw = line.strip(" \t")
    if not raw or len(raw) > _LONGEST:
        return (raw, True) if _overlong(raw) else ("", False)
    if any(unicodedata.category(sign) in {"Cc", "Zl", "Zp"} for sign in raw) and " " not in raw:
        return raw, True  # no words look like this; it is refused as a name
    if len(raw) < 3 and not raw.strip("\"'`"):
        return raw, True  # quotes around no name
    plain = _stages(raw)[-1]
    if plain.startswith("./") and len(plain) > 2:
        plain = plain[2:]
        if re.match(r"^[\w@$%~+-]+$", plain):
            return plain, True
    named = " " in raw and not _TICKED.search(raw) and bool(_EXTENSION.match(re.split(r"[/\\]", raw)[-1]))
    if named and looks(raw):
        dressed = any(pattern.match(raw) for pattern in (_MARK, _COMMENT, _LABEL, _LINK, _RULED, _NOTED))
        plain = plain if dressed else raw
    if _GIT.match(plain):
        return plain, True
    words = plain.split(" ")
    if looks(plain):
        spoken = len(words) > 1 and (
            len(words) > 5
            or _SPOKEN.match(plain)
            or _OPTION.search(plain)
            or (len(words) > 1 and "/" in words[-1] and _PROSE.search(" ".join(words[:-1])))
            or not _EXTENSION.match(re.split(r"[/\\]", plain)[-1])
        )
        if not spoken:
            return plain, True
    ticked = [next(filter(None, match.groups())).strip(" \t") for match in _TICKED.finditer(raw)]
    if len(words) == 1 and re.match(r"^[\w@$%~+.-]+$", plain) and (ticked == [plain] or plain == raw.rstrip(":")):
        return plain, False
    return (raw, False) if named else ("", False)


def names_whole(line: str) -> str:
    """Return the path in a sentence that announces all the text of a file ("Create a new file `a/b.py` with this content:")."""
    ticked = [next(filter(None, match.groups())).strip(" \t") for match in _TICKED.finditer(line)]
    ticked = ticked or [name for name in (each.rstrip(".:)") for each in _TOKEN.findall(line)) if "/" in name]
    if len(ticked) != 1 or not line.rstrip(" *_").endswith(":") or not _ANNOUNCES.search(line) or not looks(ticked[0]):
        return ""
    return ticked[0] if _EXTENSION.match(re.split(r"[/\\]", ticked[0])[-1]) or ticked[0] in _BARE else ""


def named_by(info: str) -> str:
    """Return the path that the words behind a fence name: `python:src/a.py`, `src/a.py`, `py title="src/a.py"`."""
    for word in info.split():
        name = word.rpartition("=")[2].strip("\"'{}")
        language, _, rest = name.partition(":")
        name = rest if rest and language.isalpha() else name
        last = re.split(r"[/\\]", name)[-1]
        hidden = bool(re.match(r"^\.\w", last)) and (name != word or "/" in name)  # `{.python}` is a class
        if ":" not in name and "{" not in word and (_EXTENSION.match(last) or last in _BARE or hidden):
            return name
    return ""


def remarked(line: str) -> str:
    """Return the path in a folder that a remark consists of (`# src/a.py`), as some stand on the first line of a block."""
    match = _COMMENT.match(line.strip())
    name = match[1].removeprefix("File:").removeprefix("file:").strip() if match else ""
    return name if "/" in name and " " not in name and _EXTENSION.match(name.rpartition("/")[2]) else ""


def may_be_new(word: str) -> bool:
    """Whether a word alone on the line above a block may be the name of a new file, and no heading or language."""
    return bool(_LOWER.match(word)) and word not in _HEADINGS


def opens_string(line: str) -> bool:
    """Whether the text of a string begins behind a line of code: its last quotes open and do not close."""
    end = line.rstrip().removesuffix("\\").rstrip()
    return any(end.endswith(quotes) and end.count(quotes) % 2 for quotes in ('"""', "'''", "`"))
