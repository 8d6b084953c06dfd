"""Writing a patch as a unified diff with git's headers, byte for byte what `git apply` takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from assistant.edits.compare import changes
from assistant.gitnames import quote

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from assistant.edits.file_patch import FilePatch
    from assistant.edits.hunk import Hunk


def write(file: FilePatch) -> str:
    """Write one file's part of a diff."""
    a, b = quote(f"a/{file.path}"), quote(f"b/{file.target}")
    head = [f"diff --git {a} {b}"]
    if file.before is None:
        head.append(f"new file mode 100{file.mode_after or 0o644:o}")
    elif file.after is None:
        head.append(f"deleted file mode 100{file.mode_before or 0o644:o}")
    elif file.mode_before != file.mode_after:
        head += [f"old mode 100{file.mode_before or 0o644:o}", f"new mode 100{file.mode_after or 0o644:o}"]
    if file.target != file.path:
        head += [f"rename from {quote(file.path)}", f"rename to {quote(file.target)}"]
    body = [hunk for hunk in file.hunks if hunk.kind not in {"rename", "mode"} and (hunk.old or hunk.new)]
    if body:
        head += [
            "--- " + ("/dev/null" if file.before is None else a),
            "+++ " + ("/dev/null" if file.after is None else b),
        ]
    for hunk in body:
        head.append(hunk.header)
        for line in _raw_lines(hunk):
            head.append(line)
    return "\n".join(head) + "\n"


def only(diff: str, lines: Container[int]) -> str:
    """Return those hunks of a diff made by `write` that begin on one of `lines` (1-based), each below its file's head.

    A file without hunks, which is only renamed, begins at its head.
    """
    kept: list[str] = []
    number = 1
    for file in re.split(r"(?m)^(?=diff --git )", diff):
        head, *hunks = re.split(r"(?m)^(?=@@)", file)
        # Of a file that is renamed and changed, what begins in the head may be the rename.
        chosen = [head] if any(each in lines for each in range(number, number + head.count("\n"))) else []
        number += head.count("\n")
        for hunk in hunks:
            if number in lines:
                chosen = [*(chosen or [head]), hunk]
            number += hunk.count("\n")
        kept += chosen
    return "".join(kept)


def join(diff: str, more: str) -> str:
    """Put the files of another diff behind those of one; hunks of a file that both change stand below one head."""
    files: dict[str, list[str]] = {}
    for each in (diff, more):
        for file in filter(None, re.split(r"(?m)^(?=diff --git )", each)):
            name = file.partition("\n")[0]
            head, *hunks = re.split(r"(?m)^(?=@@)", file)
            known = files.setdefault(name, [head])
            known[0] = max(known[0], head, key=len)  # without hunks it names no sides
            known += hunks
    return "".join("".join(each) for each in files.values())


def _raw_lines(hunk: Hunk) -> list[str]:
    """Write a hunk's lines for a machine: keep carriage returns, and mark a missing final line end."""
    raw = iter(_raw(hunk))
    lines = []
    for line in hunk.lines:
        data = next(raw)
        lines.append(line.kind + data.removesuffix(b"\n").decode("utf-8", "surrogateescape"))
        if not line.ended:
            lines.append("\\ No newline at end of file")
    return lines


def _raw(hunk: Hunk) -> Iterable[bytes]:
    yield from hunk.above
    done = 0
    for a, b, c, d in changes(hunk.old, hunk.new):
        yield from hunk.old[done:a]
        yield from hunk.old[a:b]
        yield from hunk.new[c:d]
        done = b
    yield from hunk.old[done:]
    yield from hunk.below
