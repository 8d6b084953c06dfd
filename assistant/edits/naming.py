"""Reading a path out of the line that a model put above its edit, decorated or not."""

from __future__ import annotations

import re

_MARK = re.compile(r"^\s*(?:#{1,6}\s+|[-*+]\s+|\d+[.)]\s+|>\s+)+")
_LABEL = re.compile(r"^(?:file(?:name| ?path)?|path|update|edit|modify|create|new file|in)\s*:?\s+", re.IGNORECASE)
_TICKED = re.compile(r"`([^`\n]+)`|\*\*([^*\n]+)\*\*|\"([^\"\n]+)\"")
_TOKEN = re.compile(r"[^\s`*\"'(),;]+")
_COMMENT = re.compile(r"^(?://|#|--|/\*|<!--|;)\s*(.*?)\s*(?:\*/|-->)?$")
_BARE = {
    "Makefile",
    "Dockerfile",
    "LICENSE",
    "README",
    "Rakefile",
    "Gemfile",
    "Procfile",
    "Justfile",
    "CHANGELOG",
    "NOTICE",
}
_LONGEST = 300


def readings(line: str) -> list[str]:
    """Return the paths that a line may name, the likeliest first; empty when it names none."""
    raw = line.strip()
    if not raw or len(raw) > _LONGEST or raw.startswith(("```", "~~~", "<<<<<", ">>>>>", "=====")):
        return []
    found: list[str] = []

    def put(name: str) -> None:
        if name and name not in found and _looks(name):
            found.append(name)

    plain = _undress(raw)
    if plain == raw or " " not in plain:
        put(plain)
    for match in _TICKED.finditer(raw):
        put(next(filter(None, match.groups())).strip())
    if " " in plain:
        tokens = [token.rstrip(".:") for token in _TOKEN.findall(plain)]
        likely = [token for token in tokens if "/" in token or re.search(r"\w\.\w{1,8}$", token)]
        if len(likely) == 1 and len(tokens) > 1 and not re.search(r"\.\w{1,8}$", plain.replace(likely[0], "")):
            put(likely[0])
        put(plain)
    put(raw)
    return found


def _undress(name: str) -> str:
    name = _MARK.sub("", name).strip()
    comment = _COMMENT.match(name)
    if comment and comment[1]:
        name = comment[1]
    for _ in range(3):
        before = name
        name = name.strip().rstrip(":").strip()
        for sign in ("**", "__", "`", '"', "'", "*"):
            if len(name) > 2 * len(sign) and name.startswith(sign) and name.endswith(sign):
                name = name[len(sign) : -len(sign)]
        if " " in name:
            name = _LABEL.sub("", name)
        if name == before:
            break
    return name.removeprefix("./") if not name.startswith("./.") else name[2:]


def _looks(name: str) -> bool:
    """Say whether a string can be meant as a path."""
    if name in _BARE or name.startswith(("/", "~", "..")):
        return True
    if name.endswith(("/", ".", ",", "!", "?", ";")) or "://" in name or len(name) > _LONGEST:
        return False
    last = name.rsplit("/", 1)[-1].rsplit("\\", 1)[-1]
    return "/" in name or "\\" in name or bool(re.search(r"^\.\w|[^\s.]\.[\w~+-]{1,12}$", last))


def only_path(line: str) -> str:
    """Return the path that a line consists of, decoration aside; empty when the line says anything else."""
    plain = _undress(line.strip())
    if not plain or not _looks(plain):
        return ""
    words = plain.split(" ")
    if len(words) > 1 and (len(words) > 4 or line.rstrip().endswith(":") or not re.search(r"\.\w{1,8}$", plain)):
        return ""
    return plain
