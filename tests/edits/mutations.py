"""Cases for the edit engine: real files, real edits of them, written in each notation, then spoilt as models spoil them.

Everything follows from a family's name and a seed. What must become of the tree is known because the edit is made first
and the reply written after it. `python -m tests.edits.mutations [FIRST LAST]` prints what became of the cases.
"""

import difflib
import hashlib
import html
import importlib.util
import random
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent
FAMILIES = {}


@dataclass
class Case:
    family: str
    must: str  # apply, refuse, either, unchanged
    before: dict[str, bytes]
    reply: bytes
    after: dict[str, bytes] | None = None
    modes: dict[str, int] = field(default_factory=dict)
    modes_after: dict[str, int] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


def family(name, must):
    def note(make):
        FAMILIES[name] = (must, make)
        return make

    return note


def case(name, seed):
    """Make one case; None where the dice gave nothing that shows the family."""
    must, make = FAMILIES[name]
    rng = random.Random(int(hashlib.sha256(f"{name}:{seed}".encode()).hexdigest()[:12], 16))
    for _ in range(60):
        made = make(Desk(rng))
        if made is not None:
            before, reply, after, *more = made
            extra = more[0] if more else {}
            encoded = {path: data if isinstance(data, bytes) else data.encode() for path, data in before.items()}
            wanted = None
            if after is not None:
                wanted = {path: data if isinstance(data, bytes) else data.encode() for path, data in after.items()}
            if must == "unchanged":
                wanted = encoded
            words = reply if isinstance(reply, bytes) else reply.encode("utf-8", "surrogateescape")
            return Case(name, must, encoded, words, wanted, **extra)
    return None


# Sources.


@lru_cache
def sources():
    found = [(path.name, path.read_text()) for path in sorted((HERE / "sources").iterdir()) if path.is_file()]
    for package, under in (("rich", "*.py"), ("textual", "widgets/_*.py"), ("pygments", "formatters/*.py"), ("git", "objects/*.py"), ("httpx", "_*.py"), ("markdown_it", "rules_*/*.py")):
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            continue
        folder = Path(spec.submodule_search_locations[0])
        for path in sorted(folder.glob(under))[:14]:
            text = path.read_bytes().decode()
            if 30 < text.count("\n") < 900 and "\r" not in text and text.endswith("\n") and "<<<<<<<" not in text:
                found.append((f"src/{package}/{path.name}", text))
    return found


WORDS = ["limit", "retries", "buffer", "offset", "label", "target", "window", "region", "cursor", "marker"]


class Desk:
    """Dice, a source, an edit of it."""

    def __init__(self, rng):
        self.rng = rng

    def source(self, want=None):
        return self.rng.choice([each for each in sources() if want is None or want(*each)])

    def fresh_line(self, like):
        lead = re.match(r"\s*", like)[0]
        word, other = self.rng.sample(WORDS, 2)
        number = self.rng.randrange(100)
        return lead + self.rng.choice(
            [f"{word}_{number} = {other}({number})", f"if {word} > {number}: {other}()", f"# {word} before {other}, {number}", f'print("{word}", {other}_{number})', f"{word}.{other}(a={number}, b='{word}')"]
        )

    def touch(self, line):
        """Change one line as a person would."""
        lead, core = re.match(r"\s*", line)[0], line.strip()
        words = re.findall(r"[A-Za-z_]{3,}", core)
        if words and self.rng.random() < 0.7:
            word = self.rng.choice(words)
            return lead + core.replace(word, f"{word}_{self.rng.choice(WORDS)}", 1)
        return lead + core + f"  # {self.rng.choice(WORDS)} {self.rng.randrange(100)}"

    def edit(self, text, sites=None):
        """Return the text with a few changes, at least some lines apart."""
        lines = text.split("\n")[:-1]
        count = sites or self.rng.choice([1, 1, 1, 2, 2, 3])
        places, tries = [], 0
        while len(places) < count and tries < 100:
            tries += 1
            at = self.rng.randrange(2, max(3, len(lines) - 4))
            if lines[at].strip() and all(abs(at - other) > 14 for other in places):
                places.append(at)
        for at in sorted(places, reverse=True):
            kind = self.rng.choice(["replace", "replace", "replace2", "insert", "delete", "grow"])
            if kind == "replace":
                lines[at] = self.touch(lines[at])
            elif kind == "replace2":
                lines[at : at + 2] = [self.touch(lines[at]), self.fresh_line(lines[at])]
            elif kind == "insert":
                lines[at:at] = [self.fresh_line(lines[at]) for _ in range(self.rng.choice([1, 2, 4]))]
            elif kind == "delete":
                del lines[at : at + self.rng.choice([1, 2])]
            else:
                lines[at : at + 1] = [self.touch(lines[at]), "", self.fresh_line(lines[at])]
        return "\n".join(lines) + "\n"

    def pair(self, want=None, sites=None):
        path, text = self.source(want)
        return path, text, self.edit(text, sites)


def stands(lines, part):
    """How often lines stand in a file, blanks aside."""
    have, want = [line.strip() for line in lines], [line.strip() for line in part]
    return sum(have[at : at + len(want)] == want for at in range(len(have) - len(want) + 1))


def hunks(before, after, context=2):
    """Return (i1, i2, j1, j2) of each change with context, grown until its old lines stand once."""
    old, new = before.split("\n")[:-1], after.split("\n")[:-1]
    codes = [code for code in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"]
    spans = []
    for _, i1, i2, j1, j2 in codes:
        above = below = context
        while True:
            a, b = max(0, i1 - above), min(len(old), i2 + below)
            if stands(old, old[a:b]) == 1 or (a == 0 and b == len(old)):
                break
            above, below = above + 1, below + 1
        spans.append([a, b, j1 - (i1 - a), j2 + (b - i2)])
    merged = []
    for span in spans:
        if merged and span[0] <= merged[-1][1]:
            merged[-1][1], merged[-1][3] = span[1], span[3]
        else:
            merged.append(span)
    return [(*span, old[span[0] : span[1]], new[span[2] : span[3]]) for span in merged]


def joined(lines):
    return "".join(line + "\n" for line in lines)


# Notations.


def info(path):
    return {"py": "python", "ts": "typescript", "go": "go", "rs": "rust", "md": "markdown", "css": "css", "sql": "sql"}.get(path.rsplit(".", 1)[-1], "")


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
    return f"*** Update File: {path}\n" + "".join("@@\n" + joined(lines_of(old, new)) for *_, old, new in hunks(before, after, context))


def ap(*parts):
    return "*** Begin Patch\n" + "".join(parts) + "*** End Patch\n"


def whole(path, text, fence="```"):
    return f"{path}\n{fence}{info(path)}\n{text}{fence}\n"


PLAIN_WORDS = re.compile(r"^(?:```|~~~|\s*<{5,}|\s*={5,}|\s*>{5,})", re.MULTILINE)


def quiet(text):
    return not PLAIN_WORDS.search(text)


def one(desk, sites=1, want=None):
    path, before, after = desk.pair(lambda p, t: quiet(t) and (want is None or want(p, t)), sites)
    found = hunks(before, after)
    return (path, before, after, found) if found and before != after else None


# SEARCH/REPLACE.


def sr_case(desk, spoil, sites=None, want=None, keep=None):
    """A case with every block's lines spoilt: spoil(old, new, desk) gives lines, or None to throw again."""
    made = one(desk, sites, want)
    if made is None:
        return None
    path, before, after, found = made
    parts = []
    changed = False
    for *_, old, new in found:
        spoilt = spoil(old, new, desk)
        if spoilt is None:
            return None
        changed |= spoilt != (old, new)
        parts.append(block(path, *spoilt))
    if not changed and keep is None:
        return None
    return {path: before}, said(parts), {path: after}


@family("sr/exact", "apply")
def _(desk):
    return sr_case(desk, lambda old, new, _: (old, new), keep=True)


@family("sr/exact-model", "apply")
def _(desk):
    made = one(desk, None)
    if not made:
        return None
    path, before, after, _ = made
    parts = [block(path, old, new) for *_, old, new in hunks(before, after, desk.rng.choice([0, 1, 5]))]
    words = ["First, the main part:\n", "Then the rest.\n", "And finally this one:\n"]
    return {path: before}, "Sure! Here's what I'd do.\n\n" + "\n".join(desk.rng.choice(words) + "\n" + part for part in parts) + "\nThis keeps the behaviour:\n\n- one\n- two", {path: after}


@family("sr/already-applied", "refuse")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, found = made
    if not any(line.strip() for line in found[0][5]):
        return None
    return {path: after}, said(sr(path, before, after)), None


def twin(desk, lines=3):
    """A file in which some lines stand twice, and an edit of one of the two."""
    path, text = desk.source(lambda p, t: quiet(t))
    rows = text.split("\n")[:-1]
    at = desk.rng.randrange(1, len(rows) - lines - 2)
    part = rows[at : at + lines]
    if sum(bool(line.strip()) for line in part) < 2 or stands(rows, part) != 1:
        return None
    rows += ["", *part, ""]
    return path, rows, at, part


@family("sr/ambiguous", "refuse")
def _(desk):
    made = twin(desk)
    if not made:
        return None
    path, rows, _, part = made
    return {path: joined(rows)}, said([block(path, part, [part[0], desk.touch(part[1]), *part[2:]])]), None


@family("sr/ambiguous-fuzzy", "refuse")
def _(desk):
    made = twin(desk)
    if not made:
        return None
    path, rows, _, part = made
    spoil = desk.rng.choice([lambda line: line + "  ", lambda line: "   " + line, lambda line: line.replace("e", "ee", 1)])
    old = [spoil(line) if line.strip() else line for line in part]
    if old == part:
        return None
    return {path: joined(rows)}, said([block(path, old, [old[0], desk.touch(old[1]), *old[2:]])]), None


@family("sr/blank-lines-dropped", "either")
def _(desk):
    drop = lambda lines: [line for line in lines if line.strip()]
    return sr_case(desk, lambda old, new, _: (drop(old), drop(new)) if drop(old) != old else None)


@family("sr/blocks-reordered", "apply")
def _(desk):
    made = one(desk, 3)
    if not made or len(made[3]) < 2:
        return None
    path, before, after, found = made
    parts = [block(path, old, new) for *_, old, new in found]
    return {path: before}, said(parts[::-1]), {path: after}


def written(make, spoil):
    """A case whose bytes are spoilt after it is made."""

    def made(desk):
        found = make(desk)
        return spoil(desk, *found) if found else None

    return made


def plain_sr(desk, sites=None, want=None):
    return sr_case(desk, lambda old, new, _: (old, new), sites, want, keep=True)


def bom(desk, before, reply, after):
    mark = "\ufeff"
    return {p: mark + t for p, t in before.items()}, reply, {p: mark + t for p, t in after.items()}


def crlf(desk, before, reply, after):
    return {p: t.replace("\n", "\r\n") for p, t in before.items()}, reply, {p: t.replace("\n", "\r\n") for p, t in after.items()}


def crlf_answer(desk, before, reply, after):
    return before, reply.replace("\n", "\r\n"), after


def no_eol(desk, before, reply, after):
    return {p: t[:-1] for p, t in before.items()}, reply, {p: t[:-1] for p, t in after.items()}


def executable(desk, before, reply, after):
    return before, reply, after, {"modes": dict.fromkeys(before, 0o755), "modes_after": dict.fromkeys(after, 0o755)}


def latin(desk, before, reply, after):
    line = "# caf\xe9 \xfc\n".encode("latin-1")
    return {p: line + t.encode() for p, t in before.items()}, reply, {p: line + t.encode() for p, t in after.items()}


FAMILIES["sr/bom"] = ("apply", written(plain_sr, bom))
FAMILIES["sr/crlf-file"] = ("apply", written(plain_sr, crlf))
FAMILIES["sr/crlf-answer"] = ("apply", written(plain_sr, crlf_answer))
FAMILIES["sr/no-eol"] = ("apply", written(plain_sr, no_eol))
FAMILIES["sr/exec-bit"] = ("apply", written(plain_sr, executable))
FAMILIES["sr/latin-1"] = ("either", written(plain_sr, latin))


@family("sr/bom-first-line", "apply")
def _(desk):
    path, text = desk.source(lambda p, t: quiet(t) and t.split("\n")[0].strip())
    rows = text.split("\n")[:-1]
    new = [desk.touch(rows[0]), *rows[1:3]]
    mark = desk.rng.choice(["", "\ufeff"])
    reply = said([block(path, [mark + rows[0], *rows[1:3]], [mark + new[0], *new[1:]])])
    return {path: "\ufeff" + text}, reply, {path: "\ufeff" + joined([*new, *rows[3:]])}


@family("sr/conflicting-blocks", "refuse")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, _, found = made
    *_, old, new = found[0]
    kind = desk.rng.randrange(3)
    if kind == 0:
        other = block(path, old, [desk.fresh_line(old[0]), *new])
    elif kind == 1:
        other = block(path, old, [*new, desk.fresh_line(old[-1]), desk.fresh_line(old[0])])
    else:
        other = block(path, old, [desk.touch(line) if line.strip() else line for line in old])
    if other == block(path, old, new):
        return None
    return {path: before}, said([block(path, old, new), other]), None


CURLY = [("'", "\u2019"), ('"', "\u201c")]


def curl(text):
    return re.sub(r'"([^"\n]*)"', "\u201c\\1\u201d", text).replace("'", "\u2019")


@family("sr/curly-quotes-in-answer", "either")
def _(desk):
    return sr_case(desk, lambda old, new, _: ([curl(x) for x in old], [curl(x) for x in new]))


@family("sr/curly-quotes-in-file", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, found = made
    *_, old, new = found[0]
    if curl(joined(old)) == joined(old):
        return None
    known = set(before.split("\n"))
    bent = "\n".join(curl(line) if line in known else line for line in after.split("\n"))
    return {path: "\n".join(map(curl, before.split("\n")))}, said([block(path, old, new)]), {path: bent}


@family("sr/divider-in-content", "either")
def _(desk):
    path, text = desk.source(lambda p, t: quiet(t))
    rows = text.split("\n")[:-1]
    at = desk.rng.randrange(2, len(rows) - 3)
    size = desk.rng.choice([5, 6, 7, 9, 12])
    rows[at:at] = ["Heading", "=" * size, ""]
    old = rows[at - 1 : at + 3]
    new = [old[0], "Headings", *old[2:]]
    after = [*rows[: at - 1], *new, *rows[at + 3 :]]
    return {path: joined(rows)}, said([block(path, old, new)]), {path: joined(after)}


@family("sr/duplicate-block", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    return {path: before}, said(sr(path, before, after) * 2), {path: after}


def elide_middle(text, desk):
    rows = text.split("\n")[:-1]
    at = desk.rng.randrange(2, max(3, len(rows) - 24))
    part = rows[at : at + 18]
    if len(part) < 18 or not all(line.strip() for line in (part[1], part[16])):
        return None
    return rows, at, part


def elided(marker):
    def make(desk):
        path, text = desk.source(lambda p, t: quiet(t))
        made = elide_middle(text, desk)
        if not made:
            return None
        rows, at, part = made
        new = [*part[:1], desk.touch(part[1]), *part[2:]]
        sign = marker(part[4], path)
        old_words, new_words = [*part[:4], sign, *part[14:]], [*new[:4], sign, *new[14:]]
        if desk.rng.random() < 0.3:
            old_words = part
        return {path: text}, said([block(path, old_words, new_words)]), {path: joined([*rows[:at], *new, *rows[at + 18 :]])}

    return make


def comment(path):
    return {"py": "#", "ts": "//", "go": "//", "rs": "//", "sql": "--", "css": "/*", "md": "<!--"}.get(path.rsplit(".", 1)[-1], "#")


FAMILIES["sr/elided-dots"] = ("either", elided(lambda line, _: re.match(r"\s*", line)[0] + "..."))
FAMILIES["sr/elided-comment"] = ("either", elided(lambda line, p: re.match(r"\s*", line)[0] + f"{comment(p)} ... existing code ..."))


@family("sr/empty-search-existing", "refuse")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, _, found = made
    return {path: before}, said([block(path, [], found[0][5])]), None


@family("sr/extra-blank-first-line", "either")
def _(desk):
    both = desk.rng.random() < 0.5
    return sr_case(desk, lambda old, new, _: (["", *old], ["", *new] if both else new))


@family("sr/fence-inside", "apply")
def _(desk):
    path, text = "docs/" + desk.rng.choice(["guide.md", "use.md"]), (HERE / "sources" / "guide.md").read_text()
    rows = text.split("\n")[:-1]
    at = rows.index("    pip install kettle")
    rows[at : at + 1] = ["```sh", "pip install kettle", "```"]
    old = rows[at - 2 : at + 4]
    new = [*old[:3], desk.rng.choice(["pip install kettle[lid]", "pipx install kettle"]), "kettle --version", *old[4:]]
    fence = desk.rng.choice(["```", "````", "~~~", "<source>"])
    reply = block(path, old, new, fence)
    if fence == "<source>":
        reply = reply.replace("<source>markdown", "<source>").replace("REPLACE\n<source>", "REPLACE\n</source>")
    return {path: joined(rows)}, said([reply]), {path: joined([*rows[: at - 2], *new, *rows[at + 4 :]])}


@family("sr/hallucinated", "refuse")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, _, found = made
    *_, old, new = found[0]
    strange = [desk.fresh_line(line) for line in old]
    return {path: before}, said([block(path, strange, [*strange, "added()"])]), None


@family("sr/html-escaped", "either")
def _(desk):
    quote = desk.rng.random() < 0.5
    escape = lambda lines: [html.escape(line, quote=quote) for line in lines]
    return sr_case(desk, lambda old, new, _: (escape(old), escape(new)))


def shift_left(old, new, desk):
    leads = [re.match(r"[ \t]*", line)[0] for line in (*old, *new) if line.strip()]
    least = min(leads, key=len)
    if not least or not all(lead.startswith(least) for lead in leads):
        return None
    size = len(least) if desk.rng.random() < 0.6 else max(1, len(least) // 2)
    return [line[size:] if line.strip() else line for line in old], [line[size:] if line.strip() else line for line in new]


FAMILIES["sr/indent-shift-left"] = ("apply", lambda desk: sr_case(desk, shift_left))


@family("sr/indent-shift-right", "either")
def _(desk):
    more = desk.rng.choice(["    ", "  ", "\t"])
    shift = lambda lines: [more + line if line.strip() else line for line in lines]
    return sr_case(desk, lambda old, new, _: (shift(old), shift(new)))


def big(desk):
    rng = desk.rng
    return "".join(f"def step_{n}(x):\n    y = x * {rng.randrange(9)}\n    return y + {n}\n\n" for n in range(4_000))


@family("sr/large-file", "apply")
def _(desk):
    before = big(desk)
    after = before.replace("return y + 2345\n", "return y - 2345\n")
    return {"big.py": before}, said(sr_big(before, 2345)), {"big.py": after}


def sr_big(before, number):
    rows = before.split("\n")
    at = rows.index(f"    return y + {number}")
    return [block("big.py", rows[at - 2 : at + 1], [*rows[at - 2 : at], rows[at].replace("+", "-")])]


@family("sr/large-file-miss", "refuse")
def _(desk):
    before = big(desk)
    part = sr_big(before, 2345)
    return {"big.py": before.replace("step_2345", "step_other")}, said(part), None


@family("sr/line-numbers-in-answer", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, found = made
    i1, _, _, _, old, new = found[0]
    sign = desk.rng.choice([" | ", "| ", ": ", "\t", ":"])
    number = lambda lines: [f"{i1 + 1 + n}{sign}{line}" for n, line in enumerate(lines)]
    kind = desk.rng.randrange(3)
    return {path: before}, said([block(path, old if kind == 2 else number(old), new if kind == 1 else number(new))]), {path: after}


@family("sr/marker-length", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, found = made
    *_, old, new = found[0]
    sizes = [desk.rng.choice([5, 6, 7, 8, 9]) for _ in range(3)]
    return {path: before}, said([block(path, old, new, "```", *sizes)]), {path: after}


@family("sr/mixed-eol", "apply")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, found = made
    rows = before.split("\n")[:-1]
    i1, i2, *_ = found[0]
    ends = ["\r\n" if at < i1 - 1 or at > i2 else "\n" for at in range(len(rows))]
    mixed = "".join(line + end for line, end in zip(rows, ends))
    old, new = rows, after.split("\n")[:-1]
    out = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        out += [line + end for line, end in zip(old[a:b], ends[a:b])] if tag == "equal" else [line + "\n" for line in new[c:d]]
    return {path: mixed}, said(sr(path, before, after)), {path: "".join(out)}


def several(desk, count=2):
    made = []
    for _ in range(60):
        found = one(desk)
        if found and found[0] not in {each[0] for each in made}:
            made.append(found)
        if len(made) == count:
            return made
    return None


@family("sr/multi-file", "apply")
def _(desk):
    made = several(desk, desk.rng.choice([2, 3]))
    parts = [part for path, before, after, _ in made for part in sr(path, before, after)]
    desk.rng.shuffle(parts)
    return {m[0]: m[1] for m in made}, said(parts), {m[0]: m[2] for m in made}


@family("sr/new-file", "apply")
def _(desk):
    path, text = desk.source(lambda p, t: quiet(t))
    name = desk.rng.choice(["new/deep/made.py", "made.py", "docs/made.md", "web/src/Made.tsx", ".github/made.yml", "bin/Makefile"])
    return {path: text}, said([block(name, [], text.split("\n")[:20])]), {path: text, name: joined(text.split("\n")[:20])}


@family("sr/no-op", "unchanged")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, _, found = made
    return {path: before}, said([block(path, found[0][4], found[0][4])]), None


@family("sr/one-fence", "apply")
def _(desk):
    made = one(desk, 3)
    if not made or len(made[3]) < 2:
        return None
    path, before, after, found = made
    inner = "\n".join(f"<<<<<<< SEARCH\n{joined(old)}=======\n{joined(new)}>>>>>>> REPLACE\n" for *_, old, new in found)
    if desk.rng.random() < 0.5:
        return {path: before}, f"All in one:\n\n{path}\n```\n{inner}```\n", {path: after}
    other = several(desk, 1)[0]
    if other[0] == path:
        return None
    more = "\n".join(f"{other[0]}\n<<<<<<< SEARCH\n{joined(old)}=======\n{joined(new)}>>>>>>> REPLACE\n" for *_, old, new in other[3])
    return {path: before, other[0]: other[1]}, f"```\n{path}\n{inner}\n{more}```\n", {path: after, other[0]: other[2]}


@family("sr/one-of-many-wrong", "refuse")
def _(desk):
    made = one(desk, 3)
    if not made or len(made[3]) < 2:
        return None
    path, before, _, found = made
    parts = [block(path, old, new) for *_, old, new in found]
    at = desk.rng.randrange(len(parts))
    *_, old, new = found[at]
    parts[at] = block(path, [desk.fresh_line(old[0]), *old[1:]], [desk.fresh_line(old[0]), *new[1:]])
    return {path: before}, said(parts), None


@family("sr/one-typo", "either")
def _(desk):
    def spoil(old, new, desk):
        rows = [at for at, line in enumerate(old) if len(line.strip()) > 8]
        if not rows:
            return None
        at = desk.rng.choice(rows)
        line = old[at]
        cut = desk.rng.randrange(len(line) - len(line.lstrip()) + 1, len(line) - 1)
        kind = desk.rng.randrange(3)
        bad = line[:cut] + (line[cut + 1] + line[cut] + line[cut + 2 :] if kind == 0 else line[cut + 1 :] if kind == 1 else line[cut] + line[cut:])
        fixed = [bad if each == line else each for each in new]
        return ([*old[:at], bad, *old[at + 1 :]], fixed if desk.rng.random() < 0.5 else new)

    return sr_case(desk, spoil)


def path_case(name, must, spoil, more=None):
    def make(desk):
        made = one(desk)
        if not made:
            return None
        path, before, after, found = made
        path = f"src/pkg/{path.rsplit('/', 1)[-1]}"
        reply = spoil(desk, path, *found[0][4:])
        if reply is None:
            return None
        extra = more(path, before) if more else {}
        return {path: before, **extra}, reply, {path: after, **extra}

    FAMILIES[name] = (must, make)


def named(line, path, old, new):
    return said([line + block(path, old, new)[len(path) :]])


DECORATED = [
    "**{}**", "`{}`", "### {}", "#### `{}`", "File: {}", "File: `{}`", "**File:** `{}`", "{}:", "`{}`:", "**`{}`**", "1. {}", "- `{}`", "# {}",
    "// {}", "./{}", "<{}>", '"{}"', "Path: {}", "filename: {}", "In `{}`:", "Update `{}` like this:", "### 1. `{}`", "{} (modified)", "**{}:**", "=== {} ===",
    "[{0}]({0})", "Here is the change to {}:", "<!-- {} -->", "> {}", "* **{}**", "`{}` - the main module",
]  # fmt: skip
path_case("sr/path-decorated", "apply", lambda d, p, o, n: named(d.rng.choice(DECORATED).format(p), p, o, n))
path_case("sr/path-absolute-inside", "either", lambda d, p, o, n: named(f"/work/tree/{p}", p, o, n))
path_case("sr/path-basename-only", "either", lambda d, p, o, n: named(p.rsplit("/", 1)[-1], p, o, n))
path_case("sr/path-basename-two-files", "refuse", lambda d, p, o, n: named(p.rsplit("/", 1)[-1], p, o, n), lambda p, b: {p.replace("src/", "lib/"): b})
path_case("sr/path-missing", "either", lambda d, p, o, n: named(d.rng.choice(["", "Change this:\n"]), p, o, n))
path_case("sr/path-wrong-dir", "either", lambda d, p, o, n: named(p.replace("src/", "source/"), p, o, n))
path_case("sr/path-inside-fence", "apply", lambda d, p, o, n: f"```{info(p)}\n{d.rng.choice(['{}', '# {}', '// {}', '`{}`', './{}']).format(p)}\n" + block(p, o, n).split("\n", 2)[2])


@family("sr/prose-only", "unchanged")
def _(desk):
    path, text = desk.source()
    part = joined(text.split("\n")[3:9])
    words = desk.rng.choice(
        [
            "Nothing needs doing; the code is right.\n", f"You could call it so:\n\n```python\n{part}```\n\nBut I would not.", f"Look at `{path}`. It says:\n\n```\n{part}```\n",
            "- first look\n- then think\n\n| a | b |\n|---|---|\n| 1 | 2 |\n", "Run this:\n\n```bash\npytest -q\n```\n", "A rule:\n\n---\n\nand words.\n\n--- Someone\n",
        ]
    )  # fmt: skip
    return {path: text}, words, None


@family("sr/second-file-wrong", "refuse")
def _(desk):
    made = several(desk)
    (p1, b1, a1, _), (p2, b2, _, f2) = made
    *_, old, new = f2[0]
    strange = [desk.fresh_line(line) for line in old]
    return {p1: b1, p2: b2}, said([*sr(p1, b1, a1), block(p2, strange, new)]), None


def tabs_to_blanks(lines, width=4):
    return [line.expandtabs(width) for line in lines]


def blanks_to_tabs(lines, width=4):
    return [re.sub(r"^ +", lambda m: "\t" * (len(m[0]) // width) + " " * (len(m[0]) % width), line) for line in lines]


@family("sr/spaces-for-tabs", "either")
def _(desk):
    width = desk.rng.choice([2, 4, 8])
    return sr_case(desk, lambda old, new, _: (tabs_to_blanks(old, width), tabs_to_blanks(new, width)), None, lambda p, t: "\n\t" in t)


@family("sr/tabs-for-spaces", "either")
def _(desk):
    return sr_case(desk, lambda old, new, _: (blanks_to_tabs(old), blanks_to_tabs(new)))


@family("sr/stale-file", "refuse")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, found = made
    i1, i2, *_ = found[0]
    rows = before.split("\n")[:-1]
    told = [at for at in range(i1, i2) if rows[at].strip()]
    at = desk.rng.choice(told[1:] or told)
    kind = desk.rng.randrange(5)
    if kind == 0:
        rows[at] = desk.touch(rows[at])
    elif kind == 1:
        rows[at:at] = [desk.fresh_line(rows[at])]
        if at == i1:
            return None
    elif kind == 2:
        if not rows[at].strip():
            return None
        del rows[at]
    elif kind == 3:
        rows[at] = re.sub(r"\d", lambda m: str((int(m[0]) + 1) % 10), rows[at])
    else:
        rows[at] = rows[at].replace("self", "this").replace("True", "False")
    stale = joined(rows)
    if stale == before or stands(rows, found[0][4]):
        return None
    return {path: stale}, said(sr(path, before, after)), None


@family("sr/trailing-ws-added", "apply")
def _(desk):
    def add(lines, share):
        return [line + desk.rng.choice([" ", "  ", "\t"]) if line.strip() and desk.rng.random() < share else line for line in lines]

    def spoil(old, new, desk):
        spoilt = add(old, 1.0)
        return spoilt, desk.rng.choice([new, add(new, 1.0)])

    return sr_case(desk, spoil)


@family("sr/trailing-ws-trimmed", "apply")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, found = made
    *_, old, new = found[0]
    kept = set(old) & set(new)
    seen = set(before.split("\n")) - set(old)
    add = lambda text: "".join((line + "  " if line in kept and line not in seen and line.strip() else line) + "\n" for line in text.split("\n")[:-1])
    if add(before) == before:
        return None
    return {path: add(before)}, said(sr(path, before, after)), {path: add(after)}


def cut_at(text, desk, low=0.3, high=0.97):
    return text[: int(len(text) * desk.rng.uniform(low, high))]


@family("sr/truncated", "refuse")
def _(desk):
    made = one(desk, 3)
    if not made or len(made[3]) < 2:
        return None
    path, before, after, _ = made
    parts = sr(path, before, after)
    first = len(parts[0]) + 1
    text = "\n".join(parts)
    cut = text[: desk.rng.randrange(first + 2, len(text) - 5)]
    if cut.rstrip().endswith("```") and cut.count("```") % 2 == 0 and cut.count("<<<<<<<") == cut.count(">>>>>>> REPLACE"):
        return None  # cut between two whole blocks: nothing shows it
    return {path: before}, cut, None


@family("sr/truncated-single", "refuse")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    text = sr(path, before, after)[0]
    start = text.index("SEARCH")
    return {path: before}, text[: desk.rng.randrange(start, len(text) - 4)], None


@family("sr/twin-files", "apply")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    other = "other/" + path
    return {path: before, other: before}, said(sr(other, before, after)), {path: before, other: after}


# Unified diffs.


def ud_case(desk, spoil, sites=None, want=None, wrap=fenced):
    """A case with all hunks spoilt: spoil(parts, desk, path) gives the diff."""
    made = one(desk, sites, want)
    if made is None:
        return None
    path, before, after, _ = made
    text = spoil(udiff_hunks(before, after), desk, path)
    return None if text is None else ({path: before}, wrap(text), {path: after})


def plain_ud(desk, sites=None, want=None):
    return ud_case(desk, lambda parts, d, path: udiff_text(path, parts), sites, want)


FAMILIES["udiff/exact"] = ("apply", plain_ud)
FAMILIES["udiff/bom"] = ("either", written(plain_ud, bom))
FAMILIES["udiff/crlf-file"] = ("apply", written(plain_ud, crlf))
FAMILIES["udiff/crlf-answer"] = ("apply", written(plain_ud, crlf_answer))
FAMILIES["udiff/exec-bit"] = ("apply", written(plain_ud, executable))
FAMILIES["udiff/latin-1"] = ("either", written(plain_ud, latin))
FAMILIES["udiff/no-eol-unmarked"] = ("apply", written(plain_ud, no_eol))
FAMILIES["udiff/no-fence"] = ("apply", lambda d: ud_case(d, lambda parts, _, p: udiff_text(p, parts), wrap=lambda t: d.rng.choice([t, "Here:\n\n" + t, t + "\nThat is all.\n"])))
FAMILIES["udiff/no-ab-prefix"] = ("apply", lambda d: ud_case(d, lambda parts, _, p: udiff_text(p, parts, "", "")))
FAMILIES["udiff/bare-at-signs"] = ("apply", lambda d: ud_case(d, lambda parts, _, p: udiff_text(p, [("@@", lines) for _, lines in parts])))
FAMILIES["udiff/no-numbers"] = ("apply", lambda d: ud_case(d, lambda parts, _, p: udiff_text(p, [(d.rng.choice(["@@ ... @@", "@@ @@"]), lines) for _, lines in parts])))


@family("udiff/exact-model", "apply")
def _(desk):
    made = one(desk, None)
    if not made:
        return None
    path, before, after, _ = made
    parts = udiff_hunks(before, after, desk.rng.choice([0, 1, 2]))
    return {path: before}, "Sure.\n\n" + fenced(udiff_text(path, [("@@ ... @@", lines) for _, lines in parts])) + "\nDone!", {path: after}


@family("udiff/already-applied", "refuse")
def _(desk):
    made = one(desk)
    if not made or not any(line.startswith("+") and line[1:].strip() for line in udiff(*made[:3]).split("\n")[2:]):
        return None
    return {made[0]: made[2]}, fenced(udiff(*made[:3])), None


@family("udiff/reversed", "refuse")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    return {path: before}, fenced(udiff(path, after, before)), None


def ambiguous_ud(head):
    def make(desk):
        made = twin(desk)
        if not made:
            return None
        path, rows, at, part = made
        new = [part[0], desk.touch(part[1]), *part[2:]]
        twin_at = len(rows) - len(part) - 1
        title = head(desk, at + 1, twin_at + 1, len(part), len(rows))
        if title is None:
            return None
        after = [*rows[:at], *new, *rows[at + len(part) :]]
        return {path: joined(rows)}, fenced(udiff_text(path, [(title, lines_of(part, new))])), {path: joined(after)}

    return make


def wrong_number(desk, right, other, size, count):
    at = desk.rng.choice([right + 3, right + 17, count + 40, max(1, right - 4), (right + other) // 2])
    return None if at in {right, other} else f"@@ -{at},{size} +{at},{size} @@"


FAMILIES["udiff/ambiguous-no-numbers"] = ("refuse", ambiguous_ud(lambda d, *_: d.rng.choice(["@@", "@@ ... @@"])))
FAMILIES["udiff/ambiguous-right-number"] = ("either", ambiguous_ud(lambda d, at, other, size, _: f"@@ -{at},{size} +{at},{size} @@"))
FAMILIES["udiff/ambiguous-wrong-number"] = ("refuse", ambiguous_ud(wrong_number))


@family("udiff/binary-patch", "refuse")
def _(desk):
    path, text = desk.source()
    kind = desk.rng.choice(["Binary files a/logo.png and b/logo.png differ\n", "GIT binary patch\nliteral 12\nTcmZQzU|?Y1\n\nliteral 0\nHcmV?d00001\n\n"])
    return {path: text, "logo.png": b"\x89PNG\0\1"}, fenced("diff --git a/logo.png b/logo.png\nindex 1234567..89abcde 100644\n" + kind), None


FAMILIES["udiff/blank-context-unprefixed"] = (
    "apply",
    lambda d: ud_case(d, lambda parts, _, p: (lambda t: udiff_text(p, [(h, ["" if line == " " else line for line in lines]) for h, lines in parts]) if any(line == " " for _, ls in parts for line in ls) else None)(0)),
)


@family("udiff/context-unprefixed", "either")
def _(desk):
    bare = desk.rng.random() < 0.4
    spoil = lambda parts, _, p: udiff_text(p, [(h, [line[1:] if line.startswith(" ") else line for line in lines]) for h, lines in parts])
    return ud_case(desk, spoil, wrap=(lambda t: t) if bare else fenced)


@family("udiff/delete-file", "apply")
def _(desk):
    path, text = desk.source(lambda p, t: t.count("\n") < 200)
    rows = text.split("\n")[:-1]
    head = f"diff --git a/{path} b/{path}\ndeleted file mode 100644\nindex 1..0\n" if desk.rng.random() < 0.5 else ""
    diff = head + f"--- a/{path}\n+++ /dev/null\n@@ -1,{len(rows)} +0,0 @@\n" + joined("-" + line for line in rows)
    return {path: text, "keep.txt": "x\n"}, fenced(diff), {"keep.txt": "x\n"}


@family("udiff/git-headers", "apply")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    kind = desk.rng.choice(["index 83db48f..bf2a2b4 100644\n", "old mode 100644\nnew mode 100755\n", "old mode 100644\nnew mode 100755\nindex 1..2\n"])
    text = f"diff --git a/{path} b/{path}\n{kind}" + udiff(path, before, after)
    return {path: before}, fenced(text), {path: after}, {"modes_after": {path: 0o755 if "755" in kind else 0o644}}


@family("udiff/hallucinated", "refuse")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, _, found = made
    strange = [desk.fresh_line(line) for line in found[0][4]]
    return {path: before}, fenced(udiff_text(path, [(f"@@ -5,{len(strange)} +5,{len(strange) + 1} @@", [*(" " + x for x in strange), "+added()"])])), None


FAMILIES["udiff/hunks-reordered"] = ("either", lambda d: ud_case(d, lambda parts, _, p: udiff_text(p, parts[::-1]) if len(parts) > 1 else None, 3))


@family("udiff/insert-no-context", "either")
def _(desk):
    path, text = desk.source()
    rows = text.split("\n")[:-1]
    at = desk.rng.randrange(3, len(rows))
    line = desk.fresh_line(rows[at])
    title = desk.rng.choice([f"@@ -{at},0 +{at + 1},1 @@", "@@"])
    return {path: text}, fenced(udiff_text(path, [(title, ["+" + line])])), {path: joined([*rows[:at], line, *rows[at:]])}


@family("udiff/last-hunk-wrong", "refuse")
def _(desk):
    def spoil(parts, desk, path):
        if len(parts) < 2:
            return None
        head, lines = parts[-1]
        return udiff_text(path, [*parts[:-1], (head, [" " + desk.fresh_line("x"), *lines])])

    return ud_case(desk, spoil, 3)


@family("udiff/multi-file", "apply")
def _(desk):
    made = several(desk, 3)
    gap = desk.rng.choice(["", "\n"])
    text = gap.join(udiff(p, b, a) for p, b, a, _ in made)
    return {m[0]: m[1] for m in made}, fenced(text), {m[0]: m[2] for m in made}


@family("udiff/new-file", "apply")
def _(desk):
    path, text = desk.source()
    rows = text.split("\n")[:12]
    name = desk.rng.choice(["made/x.py", "y.ts", ".config/z.toml"])
    git = desk.rng.random() < 0.4
    mode = desk.rng.choice(["644", "755"])
    head = f"diff --git a/{name} b/{name}\nnew file mode 100{mode}\nindex 0..1\n" if git else ""
    diff = head + f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{len(rows)} @@\n" + joined("+" + line for line in rows)
    return {path: text}, fenced(diff), {path: text, name: joined(rows)}, {"modes_after": {name: 0o755 if git and mode == "755" else 0o644}}


@family("udiff/no-eol-marked", "apply")
def _(desk):
    path, text = desk.source(lambda p, t: quiet(t))
    rows = text.split("\n")[:-1]
    if not rows[-1].strip() or not rows[-2].strip():
        return None
    last = desk.touch(rows[-1])
    mark = "\\ No newline at end of file"
    kind = desk.rng.randrange(3)
    old, new = [" " + rows[-3], " " + rows[-2], "-" + rows[-1]], ["+" + last]
    lines = [*old, mark, *new, mark] if kind == 0 else [*old, mark, *new] if kind == 1 else [*old, *new, mark]
    before = text[:-1] if kind < 2 else text
    after = joined([*rows[:-1], last])
    at = len(rows) - 2
    return {path: before}, fenced(udiff_text(path, [(f"@@ -{at},3 +{at},3 @@", lines)])), {path: after if kind == 1 else after[:-1]}


@family("udiff/rename", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    name = "moved/" + path.rsplit("/", 1)[-1]
    pure = desk.rng.random() < 0.4
    head = f"diff --git a/{path} b/{name}\nsimilarity index 9{0}%\nrename from {path}\nrename to {name}\n" if desk.rng.random() < 0.7 else ""
    if pure and head:
        return {path: before}, fenced(head), {name: before}
    body = "".join(h + "\n" + joined(lines) for h, lines in udiff_hunks(before, after))
    return {path: before}, fenced(head + f"--- a/{path}\n+++ b/{name}\n" + body), {name: after}


@family("udiff/second-file-missing", "refuse")
def _(desk):
    made = several(desk)
    text = "".join(udiff(p, b, a) for p, b, a, _ in made)
    return {made[0][0]: made[0][1]}, fenced(text), None


FAMILIES["udiff/spaces-for-tabs"] = (
    "either",
    lambda d: ud_case(d, lambda parts, _, p: udiff_text(p, [(h, [line[:1] + line[1:].expandtabs(4) for line in lines]) for h, lines in parts]), None, lambda p, t: "\n\t" in t),
)


@family("udiff/trailing-ws-trimmed", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, found = made
    kept = {line for line in found[0][4] if line.strip()} & set(found[0][5])
    add = lambda text: "".join((line + "  " if line in kept else line) + "\n" for line in text.split("\n")[:-1])
    return {path: add(before)}, fenced(udiff(path, before, after)), {path: add(after)}


@family("udiff/truncated", "refuse")
def _(desk):
    made = one(desk, 2)
    if not made:
        return None
    path, before, after, _ = made
    text = udiff(path, before, after)
    if desk.rng.random() < 0.6:
        full = fenced(text)
        return {path: before}, full[: desk.rng.randrange(full.index("@@") + 2, len(full) - 5)], None
    cut = text[: desk.rng.randrange(text.index("@@ ") + 3, len(text) - 3)]
    if "\n@@" not in cut or any(cut + rest == text[: len(cut) + len(rest)] and rest.startswith("@@") for rest in [text[len(cut) :]]):
        return None
    if cut.rsplit("\n", 1)[-1] == "" and text[len(cut)] == "@":
        return None
    return {path: before}, cut, None


def recount(parts, desk):
    out = []
    for head, lines in parts:
        a, b, c, d = map(int, re.findall(r"\d+", head))
        out.append((f"@@ -{a},{max(0, b + desk.rng.choice([-2, -1, 1, 3]))} +{c},{max(0, d + desk.rng.choice([-1, 2, 5]))} @@", lines))
    return out


def renumber(parts, desk):
    out = []
    for head, lines in parts:
        a, b, c, d = map(int, re.findall(r"\d+", head))
        off = desk.rng.choice([-7, -2, 1, 4, 30, 500])
        out.append((f"@@ -{max(1, a + off)},{b} +{max(1, c + off)},{d} @@", lines))
    return out


FAMILIES["udiff/wrong-counts"] = ("apply", lambda d: ud_case(d, lambda parts, desk, p: udiff_text(p, recount(parts, desk)), wrap=d.rng.choice([fenced, fenced, lambda t: t])))
FAMILIES["udiff/wrong-line-numbers"] = ("apply", lambda d: ud_case(d, lambda parts, desk, p: udiff_text(p, renumber(parts, desk))))


# apply_patch.


def ap_case(desk, spoil=lambda t, *_: t, sites=None, want=None):
    made = one(desk, sites, want)
    if not made:
        return None
    path, before, after, _ = made
    text = spoil(ap(ap_update(path, before, after)), desk, path)
    return None if text is None else ({path: before}, text, {path: after})


FAMILIES["ap/exact"] = ("apply", ap_case)
FAMILIES["ap/crlf-file"] = ("apply", written(ap_case, crlf))
FAMILIES["ap/no-eol"] = ("apply", written(ap_case, no_eol))
FAMILIES["ap/fenced-with-prose"] = ("apply", lambda d: ap_case(d, lambda t, *_: f"I will do this.\n\n```{d.rng.choice(['', 'diff', 'patch', 'text'])}\n{t}```\n\nDone."))
FAMILIES["ap/heredoc"] = ("apply", lambda d: ap_case(d, lambda t, *_: d.rng.choice(["apply_patch <<'EOF'\n{}EOF\n", "```bash\napply_patch <<'EOF'\n{}EOF\n```\n", "<<EOF\n{}EOF\n", 'apply_patch <<"PATCH"\n{}PATCH\n']).format(t)))
FAMILIES["ap/end-marker-missing"] = ("refuse", lambda d: (lambda m: m and (m[0], m[1], None))(ap_case(d, lambda t, *_: t.replace("*** End Patch\n", ""))))
FAMILIES["ap/bad-header"] = (
    "refuse",
    lambda d: (lambda m: m and (m[0], m[1], None))(
        ap_case(
            d,
            lambda t, _, p: d.rng.choice(
                [
                    t.replace("*** Update File:", "*** Modify File:"), t.replace("*** Update File:", "*** Update:"), t.replace("*** Begin Patch", "*** Start Patch"), t.replace("*** Update File:", "** Update File:"),
                    t.replace("*** Begin Patch\n", ""), t.replace("*** Update File: ", f"--- a/{p}\n+++ b/"), t.replace("*** Update File:", "*** Change File:"), t.replace("*** Update File:", "Update File:"),
                ]
            ),
        )
    ),
)  # fmt: skip
FAMILIES["ap/blank-context-unprefixed"] = ("either", lambda d: ap_case(d, lambda t, *_: re.sub(r"(?m)^ $", "", t) if re.search(r"(?m)^ $", t) else None))
FAMILIES["ap/truncated"] = ("refuse", lambda d: (lambda m: m and (m[0], m[1][: d.rng.randrange(m[1].index("@@"), len(m[1]) - 5)], None))(ap_case(d)))
FAMILIES["ap/trailing-ws-trimmed"] = (
    "either",
    lambda d: (lambda m: m and ({p: "".join(x + "  \n" if "  " + x in m[1] or " " + x + "\n" in m[1] and x.strip() else x + "\n" for x in t.split("\n")[:-1]) for p, t in m[0].items()}, m[1], None) and None)(ap_case(d)),
)


@family("ap/trailing-ws-trimmed", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, found = made
    kept = {line for line in found[0][4] if line.strip()} & set(found[0][5])
    add = lambda text: "".join((line + " " if line in kept else line) + "\n" for line in text.split("\n")[:-1])
    return {path: add(before)}, ap(ap_update(path, before, after)), {path: add(after)}


@family("ap/exact-model", "apply")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    rows = before.split("\n")
    text = f"*** Update File: {path}\n"
    for i1, _, _, _, old, new in hunks(before, after, desk.rng.choice([1, 2])):
        head = next((rows[at].strip() for at in range(i1 - 1, -1, -1) if re.match(r"\s*(def|class|func|fn|export|impl)\b", rows[at])), "")
        text += (f"@@ {head}\n" if head else "@@\n") + joined(lines_of(old, new))
    return {path: before}, ap(text), {path: after}


@family("ap/add-existing", "either")
def _(desk):
    path, text = desk.source()
    rows = text.split("\n")[:8]
    return {path: text}, ap(f"*** Add File: {path}\n" + joined("+" + x for x in rows)), {path: joined(rows)}


@family("ap/add-file", "apply")
def _(desk):
    path, text = desk.source()
    rows = text.split("\n")[:15]
    return {path: text}, ap("*** Add File: deep/er/made.py\n" + joined("+" + x for x in rows)), {path: text, "deep/er/made.py": joined(rows)}


@family("ap/ambiguous", "refuse")
def _(desk):
    made = twin(desk)
    if not made:
        return None
    path, rows, _, part = made
    return {path: joined(rows)}, ap(f"*** Update File: {path}\n@@\n" + joined(lines_of(part, [part[0], desk.touch(part[1]), *part[2:]]))), None


ANCHORED = {
    "py": ("class {}:\n    def load(self, path):\n        data = path.read_text()\n        return data\n\n    def size(self):\n        return 1\n\n", "class {}:", "def load(self, path):"),
    "py2": ("def {}(rows):\n    total = 0\n    for row in rows:\n        total += row\n    return total\n\n\n", "def {}(rows):", None),
    "js": ("function {}(rows) {{\n  let total = 0;\n  for (const row of rows) {{\n    total += row;\n  }}\n  return total;\n}}\n\n", "function {}(rows) {{", None),
    "toml": ("[tool.{}]\nname = \"x\"\nline-length = 100\nstrict = true\n\n", "[tool.{}]", None),
    "md": ("## {}\n\nSome words here.\nUse it with care.\n\n", "## {}", None),
    "go": ("func {}(rows []int) int {{\n\ttotal := 0\n\tfor _, row := range rows {{\n\t\ttotal += row\n\t}}\n\treturn total\n}}\n\n", "func {}(rows []int) int {{", None),
}
CHANGES = {"py": "data = path.read_text()", "py2": "total += row", "js": "total += row;", "toml": "line-length = 100", "md": "Use it with care.", "go": "total += row"}


@family("ap/anchored", "apply")
def _(desk):
    kind = desk.rng.choice(list(ANCHORED))
    shape, head, inner = ANCHORED[kind]
    names = desk.rng.sample(["Alpha", "Beta", "Gamma", "Delta"], 3)
    target = desk.rng.choice(names)
    text = "".join(shape.format(name) for name in names)
    part = shape.format(target)
    line = next(each for each in part.split("\n") if CHANGES[kind] in each)
    after = text.replace(part, part.replace(line, line + "  # new"))
    above = part.split("\n")[part.split("\n").index(line) - 1]
    anchors = f"@@ {head.format(target)}\n" + (f"@@     {inner}\n" if inner else "")
    path = f"x.{kind.rstrip('2')}"
    return {path: text}, ap(f"*** Update File: {path}\n{anchors} {above}\n-{line}\n+{line}  # new\n"), {path: after}


@family("ap/wrong-anchor", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    rows = [x.strip() for x in before.split("\n") if re.match(r"\s*(def|class|func|fn)\b", x)]
    wrong = desk.rng.choice([*rows, "def no_such_thing(self):", "class Nowhere:"])
    return {path: before}, ap(ap_update(path, before, after).replace("@@\n", f"@@ {wrong}\n")), {path: after}


@family("ap/curly-quotes-in-context", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    text = ap_update(path, before, after)
    spoilt = "\n".join(curl(line) if line.startswith(" ") else line for line in text.split("\n"))
    return None if spoilt == text else ({path: before}, ap(spoilt), {path: after})


@family("ap/delete-directory", "refuse")
def _(desk):
    path, text = desk.source()
    return {"lib/" + path: text}, ap(f"*** Delete File: {desk.rng.choice(['lib', 'lib/', './lib'])}\n"), None


@family("ap/delete-file", "apply")
def _(desk):
    path, text = desk.source()
    return {path: text, "keep/me": "x\n"}, ap(f"*** Delete File: {path}\n"), {"keep/me": "x\n"}


@family("ap/delete-missing", "refuse")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    return {path: before}, ap(ap_update(path, before, after), "*** Delete File: no/such.py\n"), None


@family("ap/empty", "unchanged")
def _(desk):
    path, text = desk.source()
    return {path: text}, desk.rng.choice([ap(), "```\n" + ap() + "```\n"]), None


@family("ap/empty-hunk", "refuse")
def _(desk):
    path, text = desk.source()
    rows = text.split("\n")
    body = desk.rng.choice(["", "@@\n", f"@@ {rows[5].strip() or 'x'}\n", "@@\n@@\n", "@@\n" + joined(" " + x for x in rows[3:6])])
    return {path: text}, ap(f"*** Update File: {path}\n{body}"), None


@family("ap/hallucinated", "refuse")
def _(desk):
    path, text = desk.source()
    x = desk.fresh_line("    ")
    return {path: text}, ap(f"*** Update File: {path}\n@@\n {x}\n-{x}1\n+{x}2\n"), None


@family("ap/move-file", "apply")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    text = ap_update(path, before, after)
    head, rest = text.split("\n", 1)
    pure = desk.rng.random() < 0.3
    return {path: before}, ap(f"{head}\n*** Move to: moved/to/{path}\n" + ("" if pure else rest)), {f"moved/to/{path}": before if pure else after}


@family("ap/move-onto-existing", "refuse")
def _(desk):
    made = several(desk)
    (p1, b1, a1, _), (p2, b2, _, _) = made
    head, rest = ap_update(p1, b1, a1).split("\n", 1)
    return {p1: b1, p2: b2}, ap(f"{head}\n*** Move to: {p2}\n{rest}"), None


@family("ap/multi-file", "apply")
def _(desk):
    made = several(desk, 3)
    return {m[0]: m[1] for m in made}, ap(*(ap_update(p, b, a) for p, b, a, _ in made), "*** Add File: fresh.txt\n+one\n+\n+two\n"), {**{m[0]: m[2] for m in made}, "fresh.txt": "one\n\ntwo\n"}


@family("ap/second-file-wrong", "refuse")
def _(desk):
    made = several(desk)
    (p1, b1, a1, _), (p2, b2, a2, _) = made
    return {p1: b1, p2: desk.rng.choice([b1, a2])}, ap(ap_update(p1, b1, a1), ap_update(p2, b2, a2)), None


@family("ap/update-missing", "refuse")
def _(desk):
    made = several(desk)
    (p1, b1, a1, _), (p2, b2, a2, _) = made
    return {p1: b1}, ap(ap_update(p1, b1, a1), ap_update(p2, b2, a2)), None


# Whole files.


def whole_case(desk, sites=None, want=None):
    made = one(desk, sites, want)
    return made and ({made[0]: made[1]}, said([whole(made[0], made[2])]), {made[0]: made[2]})


FAMILIES["whole/exact"] = ("apply", whole_case)
FAMILIES["whole/bom"] = ("apply", written(whole_case, bom))
FAMILIES["whole/crlf-file"] = ("apply", written(whole_case, crlf))
FAMILIES["whole/no-eol"] = ("apply", written(whole_case, no_eol))


@family("whole/elided", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    rows = after.split("\n")[:-1]
    c = comment(path)
    mark = desk.rng.choice([f"{c} ... rest of the file unchanged ...", f"{c} ... existing code ...", "...", f"{c} (rest of the code remains the same)", f"{c} ... (unchanged)", f"{c} Rest of the file stays the same", f"{c} [previous code unchanged]", f"{c} ..."])
    at = desk.rng.randrange(5, len(rows))
    return {path: before}, said([whole(path, joined([*rows[:at], mark, *rows[at + 30 :]]))]), {path: after}


@family("whole/extra-shell-fence", "apply")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    shell = desk.rng.choice(["Run the tests:\n\n```bash\npytest -q\n```\n", "```sh\nnpm install\n```\n", f"Then:\n```console\n$ python {path}\n```\n", "```bash\nmkdir -p x && touch x/y\n```\n"])
    edit = whole(path, after)
    return {path: before}, desk.rng.choice([f"{shell}\n{edit}", f"{edit}\n{shell}"]), {path: after}


@family("whole/fence-inside", "apply")
def _(desk):
    text = (HERE / "sources" / "guide.md").read_text()
    tag = desk.rng.choice(["sh", "python", ""])
    body = text.replace("    pip install kettle\n", f"```{tag}\npip install kettle\n```\n")
    after = body.replace("MIT.", "Apache.")
    fence = desk.rng.choice(["````", "~~~", "<source>", "```"])
    reply = whole("README.md", after, fence)
    if fence == "<source>":
        reply = reply.replace("<source>markdown", "<source>")[: -len("<source>\n")] + "</source>\n"
    return {"README.md": body}, said([reply]), {"README.md": after}


@family("whole/multi-file", "apply")
def _(desk):
    made = several(desk, 3)
    gap = desk.rng.choice(["", "\n"])
    return {m[0]: m[1] for m in made}, "Here they are.\n\n" + gap.join(whole(p, a) for p, _, a, _ in made), {m[0]: m[2] for m in made}


@family("whole/new-file", "apply")
def _(desk):
    path, text = desk.source(lambda p, t: quiet(t))
    name = desk.rng.choice(["made/new.py", "pkg/__init__.py", "Dockerfile", ".env.example", "web/app/[id]/page.tsx"])
    body = "" if name.endswith("__init__.py") else text
    return {path: text}, said([whole(desk.rng.choice(["{}", "**{}**", "`{}`", "### {}"]).format(name), body)]), {path: text, name: body}


@family("whole/truncated", "refuse")
def _(desk):
    made = several(desk, desk.rng.choice([1, 2]))
    text = "".join(whole(p, a) for p, _, a, _ in made)
    first = len(whole(made[0][0], made[0][2])) if len(made) > 1 else 0
    cut = text[: desk.rng.randrange(max(first, len(made[0][0]) + 20), len(text) - 4)]
    if cut.endswith("```\n") and cut.count("```") % 2 == 0:
        return None
    return {m[0]: m[1] for m in made}, cut, None


# Paths.

ODD_NAMES = [
    "with space.py", "two  spaces.txt", "\u00fcml\u00e4ut.py", "\u65e5\u672c\u8a9e.md", "it's.py", 'quo"te.py', "-rf.txt", "--help.py", "#hash.md", "[id].tsx", "app/[slug]/page.tsx", "(group)/page.tsx",
    "$money.sh", "@scope/pkg.json", "percent%20.txt", "star*.txt", "semi;colon.py", "and&more.py", "comma,name.py", "UPPER.PY", "many.dots.in.name.txt", ".hidden", ".config/.deep", "no_extension", "emoji\U0001f600.txt",
    "tilde~.txt", "a=b.cfg", "plus+plus.cpp", "caret^.txt", "{brace}.j2", "back`tick.md", "excl!.txt", "pipe|.txt", "q?.txt", "dir with space/file name.js", "e\u0301.txt", "1. numbered.md", "- dash.md", "new file.txt", "README", "x.y/z",
]  # fmt: skip


def odd(write):
    def make(desk):
        name = desk.rng.choice(ODD_NAMES)
        before = "alpha = 1\nbeta = 2\ngamma = 3\n"
        return {name: before, "plain.py": "x\n"}, write(desk, name), {name: before.replace("beta = 2", "beta = 20"), "plain.py": "x\n"}

    return make


FAMILIES["paths/odd-names"] = ("apply", odd(lambda d, name: said([block(name, ["alpha = 1", "beta = 2"], ["alpha = 1", "beta = 20"])])))
FAMILIES["paths/odd-names-ap"] = ("apply", odd(lambda d, name: ap(f"*** Update File: {name}\n@@\n alpha = 1\n-beta = 2\n+beta = 20\n")))
ODD_TARGETS = [
    "/etc/passwd", "../outside.txt", "a/../../outside.txt", "~/.bashrc", "~root/x", "C:\\Windows\\x.ini", "C:/x.txt", "\\\\server\\share\\x", ".git/config", ".GIT/config", ".Git/hooks/pre-commit", "sub/.git/config", ".git",
    "git~1/config", ".git./config", ".g\u200cit/config", "a\x00b.txt", "a\x1b[31m.txt", "bell\x07.py", "x\x7f.py", "x\x85.py", "tail\x1f", "file:///etc/passwd", "..", ".", "./", "sub/", "link_out/x.txt", "link_file", "aux.txt", "CON", "sub\\..\\..\\x",
    "x\u2028y.txt", "link_out/deep/x.txt", "/", "..\\x.txt", ".git ", "./.git/config", "./../x.txt", "a/./../../x", "\x0bx.txt", "x.txt\x0c", "nul",
]  # fmt: skip


def target(write, names=ODD_TARGETS):
    def make(desk):
        name = desk.rng.choice(names)
        before = {"real.py": "x = 1\ny = 2\n", "sub/other.py": "z = 3\n"}
        return before, write(desk, name), None, {"links": {"link_out": "../outside", "link_file": "../outside/secret.txt", "inner": "sub", "inner_file.py": "real.py"}}

    return make


OUT = ["../outside/new.txt", "/tmp/wattson-out/new.txt", "link_out/new.txt", "link_file", ".git/hooks/pre-commit", ".git/config", "sub/../../outside/new.txt", "link_out/../x"]
EDIT_OUT = ["../outside/secret.txt", "link_out/secret.txt", "link_file", ".git/config", "sub/../../outside/secret.txt"]


def sr_new(d, name):
    return said([block(name, [], ["owned"])])


def ud_new(d, name):
    return fenced(f"--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+owned\n")


def ap_new(d, name):
    return ap(f"*** Add File: {name}\n+owned\n")


def whole_new(d, name):
    return said([whole(name, "owned\n")])


def ap_edit(d, name):
    return ap(f"*** Update File: {name}\n@@\n-secret\n+owned\n")


for _name, _write in (("sr", sr_new), ("udiff", ud_new), ("apply_patch", ap_new), ("whole", whole_new)):
    FAMILIES[f"paths/odd-target-{_name}"] = ("refuse", target(_write))
    FAMILIES[f"paths/write-{_name}"] = ("refuse", target(_write, OUT))
FAMILIES["paths/edit-outside-sr"] = ("refuse", target(lambda d, n: said([block(n, ["secret"], ["owned"])]), EDIT_OUT))
FAMILIES["paths/edit-outside-udiff"] = ("refuse", target(lambda d, n: fenced(f"--- a/{n}\n+++ b/{n}\n@@ -1 +1 @@\n-secret\n+owned\n"), EDIT_OUT))
FAMILIES["paths/delete"] = ("refuse", target(lambda d, n: ap(f"*** Delete File: {n}\n"), EDIT_OUT))
FAMILIES["paths/delete-udiff"] = ("refuse", target(lambda d, n: fenced(f"--- a/{n}\n+++ /dev/null\n@@ -1 +0,0 @@\n-secret\n"), EDIT_OUT))
FAMILIES["paths/delete-link"] = ("either", lambda d: target(lambda d, n: ap(f"*** Delete File: {n}\n"), ["link_file", "link_out", "inner_file.py"])(d))
FAMILIES["paths/move"] = ("refuse", target(lambda d, n: ap(f"*** Update File: real.py\n*** Move to: {n}\n@@\n-x = 1\n+x = 2\n"), OUT))
FAMILIES["paths/create-symlink"] = ("refuse", target(lambda d, n: fenced(f"diff --git a/ln b/ln\nnew file mode 120000\nindex 0..1\n--- /dev/null\n+++ b/ln\n@@ -0,0 +1 @@\n+{n}\n\\ No newline at end of file\n"), OUT))
FAMILIES["paths/symlink-then-write"] = (
    "refuse",
    target(lambda d, n: fenced(f"diff --git a/ln b/ln\nnew file mode 120000\n--- /dev/null\n+++ b/ln\n@@ -0,0 +1 @@\n+../outside\n\\ No newline at end of file\ndiff --git a/ln/x b/ln/x\nnew file mode 100644\n--- /dev/null\n+++ b/ln/x\n@@ -0,0 +1 @@\n+owned\n"), OUT),
)  # fmt: skip
FAMILIES["paths/inner-symlink"] = ("either", target(lambda d, n: said([block(n, ["x = 1"], ["x = 2"])]), ["inner_file.py", "inner/other.py"]))


# Replies as they came from models, in miniature: several shapes at once.


@family("real-chat/exact", "apply")
def _(desk):
    made = one(desk, 2)
    if not made:
        return None
    path, before, after, _ = made
    parts = sr(path, before, after, desk.rng.choice([0, 2, 6]))
    return {path: before}, "To fix this, we need to change how it is done. Here are the changes:\n\n" + "\n".join(parts) + "\nThese changes do it. Let me know if you want more!", {path: after}


@family("real-chat/fuzzy", "apply")
def _(desk):
    kind = desk.rng.randrange(2)
    return sr_case(desk, shift_left) if kind else FAMILIES["sr/trailing-ws-added"][1](desk)


@family("real-chat/ambiguous", "either")
def _(desk):
    made = twin(desk)
    if not made:
        return None
    path, rows, _, part = made
    new = [part[0], desk.touch(part[1]), *part[2:]]
    text, swapped = joined(rows), joined(rows).replace(joined(part), joined(new))
    return {path: text}, said([block(path, part, new)] * 2), {path: swapped}


@family("real-chat/rejected-by-aider", "either")
def _(desk):
    return FAMILIES["sr/one-typo"][1](desk)


# Running.


def check(made, tmp, *, write=True):
    """Run one case in a scratch tree; returns exact, refused, unchanged, wrong, partial or escaped, and the messages."""
    import os

    from assistant.edits import disk, match
    from assistant.edits.edit import Edit
    from assistant.edits.format import open_parser
    from assistant.errors import PatchError

    root, outside = tmp / "root", tmp / "outside"
    outside.mkdir(parents=True)
    (outside / "secret.txt").write_text("secret\n")
    root.mkdir()
    (root / ".git").mkdir()
    (root / ".git" / "config").write_text("secret\n")
    for path, data in made.before.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(made.modes.get(path, 0o644))
    for name, to in made.links.items():
        (root / name).symlink_to(to)
    parser = open_parser()
    found = [*parser.feed(made.reply.decode("utf-8", "surrogateescape")), *parser.close()]
    fitted = match.fit([each for each in found if isinstance(each, Edit)], lambda path: disk.read(root, path))
    misfits = [*(each for each in found if not isinstance(each, Edit)), *fitted.misfits]
    refused = bool(misfits)
    words = [each.message for each in misfits]
    if not misfits and fitted.patch.files:
        try:
            if write:
                disk.write(root, fitted.patch)
            else:
                disk.check(root, fitted.patch)
        except PatchError as error:
            refused, words = True, [str(error)]
    tree = {}
    for folder, _, files in os.walk(root):
        for name in files:
            place = Path(folder) / name
            if not place.is_symlink() and ".git" not in place.relative_to(root).parts:
                tree[str(place.relative_to(root))] = place.read_bytes()
    modes = {path: (root / path).lstat().st_mode & 0o777 for path in tree}
    if not write and not refused:
        for file in fitted.patch.files:
            tree.pop(file.path, None)
            if file.after is not None:
                tree[file.target], modes[file.target] = file.after, file.mode_after
    if {p.name: p.read_bytes() for p in outside.iterdir()} != {"secret.txt": b"secret\n"} or (root / ".git" / "config").read_text() != "secret\n" or len(list((root / ".git").iterdir())) != 1:
        return "escaped", words
    if refused:
        return ("refused" if tree == made.before else "partial"), words
    if made.must == "unchanged":
        return ("unchanged" if tree == made.before else "wrong"), words
    if made.after is not None and tree == made.after:
        for path, mode in made.modes_after.items():
            if modes[path] != mode:
                return "wrong", [f"{path}: mode {modes[path]:o}"]
        return "exact", words
    return ("unchanged" if tree == made.before else "wrong"), words


GOOD = {"apply": {"exact"}, "refuse": {"refused"}, "either": {"exact", "refused"}, "unchanged": {"unchanged"}}


def main(first, last, only=""):
    import tempfile

    totals = Counter()
    for name in FAMILIES:
        if only and not re.search(only, name):
            continue
        tally = Counter()
        for seed in range(first, last):
            made = case(name, seed)
            if made is None:
                tally["none"] += 1
                continue
            with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
                try:
                    became, words = check(made, Path(folder), write=False)
                except Exception as error:
                    became, words = f"raised {type(error).__name__}", [str(error)]
            tally[became] += 1
            totals[name.split("/")[0], made.must, became] += 1
            if became not in GOOD[made.must]:
                print(f"BAD {name} seed {seed}: {became} {words[:2]}")
        print(f"{name:34} {FAMILIES[name][0]:10} {dict(tally)}")
    for key, count in sorted(totals.items()):
        print(*key, count)


if __name__ == "__main__":
    numbers = [int(each) for each in sys.argv[1:3]] or [0, 4]
    main(*numbers, *(sys.argv[3:4]))
