"""An edit written in each notation, as it should be."""

import difflib
import re
from collections import Counter

from tests.edits.mutations.desk import hunks, joined


def info(path):
    return {
        "py": "python",
        "ts": "typescript",
        "go": "go",
        "rs": "rust",
        "md": "markdown",
        "css": "css",
        "sql": "sql",
    }.get(path.rsplit(".", 1)[-1], "")


def block(path, old, new, fence="```", head=7, middle=7, tail=7, tag=None):
    tag = info(path) if tag is None else tag
    return f"{path}\n{fence}{tag}\n{'<' * head} SEARCH\n{joined(old)}{'=' * middle}\n{joined(new)}{'>' * tail} REPLACE\n{fence}\n"


def sr(path, before, after, context=2):
    return [block(path, old, new) for *_, old, new in hunks(before, after, context)]


def said(parts, rng=None):
    return "I changed it as you asked.\n\n" + "\n".join(parts) + "\nThat is all.\n"


def lines_of(old, new):
    """Return diff lines of one hunk."""
    out = []
    for tag, i1, i2, j1, j2 in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            out += [" " + line for line in old[i1:i2]]
        else:
            out += ["-" + line for line in old[i1:i2]] + ["+" + line for line in new[j1:j2]]
    return out


def udiff_hunks(before, after, context=3):
    found = []
    for i1, i2, j1, j2, old, new in hunks(before, after, context):
        found.append((f"@@ -{i1 + 1},{i2 - i1} +{j1 + 1},{j2 - j1} @@", lines_of(old, new)))
    return found


def udiff_text(path, parts, a="a/", b="b/"):
    body = "".join(head + "\n" + joined(lines) for head, lines in parts)
    return f"--- {a}{path}\n+++ {b}{path}\n{body}"


def udiff(path, before, after, context=3):
    return udiff_text(path, udiff_hunks(before, after, context))


def fenced(diff, tag="diff"):
    return f"Here is the change:\n\n```{tag}\n{diff}```\n"


def ap_update(path, before, after, context=3):
    return f"*** Update File: {path}\n" + "".join(
        "@@\n" + joined(lines_of(old, new)) for *_, old, new in hunks(before, after, context)
    )


def ap(*parts):
    return "*** Begin Patch\n" + "".join(parts) + "*** End Patch\n"


def whole(path, text, fence="```"):
    return f"{path}\n{fence}{info(path)}\n{text}{fence}\n"


PLAIN_WORDS = re.compile(r"^(?:```|~~~|\s*<{5,}|\s*={5,}|\s*>{5,})", re.MULTILINE)


def quiet(text):
    return not PLAIN_WORDS.search(text)


def steady(old, new):
    """Return the lines that an edit leaves as and where they are, all of them: neither moved nor said again."""
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    same = Counter(line for block in blocks for line in old[block.a : block.a + block.size] if line.strip())
    return {line for line, count in same.items() if old.count(line) == new.count(line) == count}


def one(desk, sites=1, want=None):
    path, before, after = desk.pair(lambda p, t: quiet(t) and (want is None or want(p, t)), sites)
    found = hunks(before, after)
    return (path, before, after, found) if found and before != after else None
