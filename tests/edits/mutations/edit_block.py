"""SEARCH/REPLACE blocks, right and spoilt."""

import difflib
import html
import re

from tests.edits.mutations.case import FAMILIES, family
from tests.edits.mutations.desk import HERE, hunks, joined, stands
from tests.edits.mutations.notation import block, info, one, quiet, said, sr, steady


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
    return (
        {path: before},
        "Sure! Here's what I'd do.\n\n"
        + "\n".join(desk.rng.choice(words) + "\n" + part for part in parts)
        + "\nThis keeps the behaviour:\n\n- one\n- two",
        {path: after},
    )


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
    spoil = desk.rng.choice(
        [lambda line: line + "  ", lambda line: "   " + line, lambda line: line.replace("e", "ee", 1)]
    )
    old = [spoil(line) if line.strip() else line for line in part]
    if old == part:
        return None
    return {path: joined(rows)}, said([block(path, old, [old[0], desk.touch(old[1]), *old[2:]])]), None


@family("sr/blank-lines-dropped", "either")
def _(desk):
    drop = lambda lines: [line for line in lines if line.strip()]
    return sr_case(desk, lambda old, new, _: (drop(old), drop(new)) if "" in joined(old).strip().split("\n") else None)


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
    return (
        {p: t.replace("\n", "\r\n") for p, t in before.items()},
        reply,
        {p: t.replace("\n", "\r\n") for p, t in after.items()},
    )


def crlf_answer(desk, before, reply, after):
    return before, reply.replace("\n", "\r\n"), after


def no_eol(desk, before, reply, after):
    if any(t.endswith("\n\n") for t in [*before.values(), *after.values()]):
        return None  # a file that ends in a blank line still has an end when one is cut off
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
    def spoil(old, new, _):
        if [curl(x) for x in old] == old and [curl(x) for x in new] != new:
            return None  # nothing shows that these were not meant: a page of prose may have them
        return [curl(x) for x in old], [curl(x) for x in new]

    return sr_case(desk, spoil)


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
        return (
            {path: text},
            said([block(path, old_words, new_words)]),
            {path: joined([*rows[:at], *new, *rows[at + 18 :]])},
        )

    return make


def comment(path):
    return {"py": "#", "ts": "//", "go": "//", "rs": "//", "sql": "--", "css": "/*", "md": "<!--"}.get(
        path.rsplit(".", 1)[-1], "#"
    )


FAMILIES["sr/elided-dots"] = ("either", elided(lambda line, _: re.match(r"\s*", line)[0] + "..."))
FAMILIES["sr/elided-comment"] = (
    "either",
    elided(lambda line, p: re.match(r"\s*", line)[0] + f"{comment(p)} ... existing code ..."),
)


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
    path, text = "docs/" + desk.rng.choice(["guide.md", "use.md"]), (HERE / "sources" / "guide.md.txt").read_text()
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
    return [line[size:] if line.strip() else line for line in old], [
        line[size:] if line.strip() else line for line in new
    ]


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
    return (
        {path: before},
        said([block(path, old if kind == 2 else number(old), new if kind == 1 else number(new))]),
        {path: after},
    )


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
    mixed = "".join(line + end for line, end in zip(rows, ends, strict=True))
    old, new = rows, after.split("\n")[:-1]
    out = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        out += (
            [line + end for line, end in zip(old[a:b], ends[a:b], strict=True)]
            if tag == "equal"
            else [line + "\n" for line in new[c:d]]
        )
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
    name = desk.rng.choice(
        ["new/deep/made.py", "made.py", "docs/made.md", "web/src/Made.tsx", ".github/made.yml", "bin/Makefile"]
    )
    return (
        {path: text},
        said([block(name, [], text.split("\n")[:20])]),
        {path: text, name: joined(text.split("\n")[:20])},
    )


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
    more = "\n".join(
        f"{other[0]}\n<<<<<<< SEARCH\n{joined(old)}=======\n{joined(new)}>>>>>>> REPLACE\n" for *_, old, new in other[3]
    )
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
        bad = line[:cut] + (
            line[cut + 1] + line[cut] + line[cut + 2 :]
            if kind == 0
            else line[cut + 1 :]
            if kind == 1
            else line[cut] + line[cut:]
        )
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
path_case(
    "sr/path-basename-two-files",
    "refuse",
    lambda d, p, o, n: named(p.rsplit("/", 1)[-1], p, o, n),
    lambda p, b: {p.replace("src/", "lib/"): b},
)
path_case("sr/path-missing", "either", lambda d, p, o, n: named(d.rng.choice(["", "Change this:\n"]), p, o, n))
path_case("sr/path-wrong-dir", "either", lambda d, p, o, n: named(p.replace("src/", "source/"), p, o, n))
path_case(
    "sr/path-inside-fence",
    "apply",
    lambda d, p, o, n: (
        f"```{info(p)}\n{d.rng.choice(['{}', '# {}', '// {}', '`{}`', './{}']).format(p)}\n"
        + block(p, o, n).split("\n", 2)[2]
    ),
)


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

    def spoil(old, new, _):
        # Where new lines are meant to have tabs and then blanks as wide as one, nobody could tell any more.
        if any(blanks_to_tabs(tabs_to_blanks([line], width), width) != [line] for line in new if line not in old):
            return None
        return tabs_to_blanks(old, width), tabs_to_blanks(new, width)

    return sr_case(desk, spoil, None, lambda p, t: "\n\t" in t)


@family("sr/tabs-for-spaces", "either")
def _(desk):
    def spoil(old, new, _):
        spoilt = blanks_to_tabs(old)
        # Where tabs are right and only new lines were spoilt (blanks within a literal), the reply is a flawless one
        # for another wish: nobody could tell.
        if spoilt == old and any(line.startswith("\t") for line in old):
            return None
        return spoilt, blanks_to_tabs(new)

    return sr_case(desk, spoil)


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
        return [
            line + desk.rng.choice([" ", "  ", "\t"]) if line.strip() and desk.rng.random() < share else line
            for line in lines
        ]

    def spoil(old, new, desk):
        if any(line != line.rstrip() for line in new if line not in old):
            return None  # meant, and not to be told from what is added
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
    kept = steady(old, new)
    seen = set(before.split("\n")) - set(old)
    add = lambda text: "".join(
        (line + "  " if line in kept and line not in seen and line.strip() else line) + "\n"
        for line in text.split("\n")[:-1]
    )
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
    if (
        cut.rstrip().endswith("```")
        and cut.count("```") % 2 == 0
        and cut.count("<<<<<<<") == cut.count(">>>>>>> REPLACE")
    ):
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
