"""Indexing, outside the face's process: py-tree-sitter holds the interpreter, and typing must never stutter.

The parent writes lines of "blob id TAB language TAB path" to the child and waits for no longer than it wants to; the
child saves in batches, so that what it has done is kept even when it is stopped.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.context import tag_cache
from assistant.context.language import language_of, languages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assistant.context.repo import FileFact
    from assistant.context.tags import Tags

_BATCH = 200


def refresh(root: Path, files: Sequence[FileFact], cache: Path, *, timeout_s: float) -> tuple[dict[str, Tags], int]:
    """Return tags by path, and how many files are still to be read when time was up."""
    wanted = {file.path: (file.blob, language.name) for file in files if (language := language_of(file.path))}
    known = tag_cache.load(cache, wanted.values())
    missing = {path: pair for path, pair in wanted.items() if pair not in known}
    if missing:
        lines = "".join(f"{blob}\t{name}\t{path}\n" for path, (blob, name) in missing.items() if "\n" not in path)
        argv = [sys.executable, "-m", "assistant.context.index", str(root), str(cache)]
        # The child must find this package whatever folder the user stands in, and nothing that lies in that folder.
        place = Path(__file__).parent.parent.parent
        child = subprocess.Popen(
            argv, stdin=subprocess.PIPE, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            child.communicate(lines.encode("utf-8", "surrogateescape"), timeout=timeout_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
        known |= tag_cache.load(cache, missing.values())
    return {path: known[pair] for path, pair in wanted.items() if pair in known}, sum(
        p not in known for p in wanted.values()
    )


def main(root: Path, cache: Path) -> None:
    """Read lines from standard input, save the tags of each file."""
    from assistant.context.tags import tags

    by_name = {language.name: language for language in languages().values()}
    batch = []
    for line in sys.stdin.buffer:
        blob, name, path = line.decode("utf-8", "surrogateescape").rstrip("\n").split("\t", 2)
        try:
            source = (root / path).read_bytes()
        except OSError:
            continue
        batch.append((blob, name, tags(source, by_name[name])))
        if len(batch) >= _BATCH:
            tag_cache.save(cache, batch)
            batch = []
    tag_cache.save(cache, batch)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
