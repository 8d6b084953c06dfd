"""Unified diffs, right and spoilt."""

import re

from tests.edits.mutations.case import FAMILIES, family
from tests.edits.mutations.desk import joined
from tests.edits.mutations.edit_block import (
    blanks_to_tabs,
    bom,
    crlf,
    crlf_answer,
    executable,
    latin,
    no_eol,
    several,
    tabs_to_blanks,
    twin,
    written,
)
from tests.edits.mutations.notation import fenced, lines_of, one, quiet, steady, udiff, udiff_hunks, udiff_text


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
FAMILIES["udiff/no-fence"] = (
    "apply",
    lambda d: ud_case(
        d,
        lambda parts, _, p: udiff_text(p, parts),
        wrap=lambda t: d.rng.choice([t, "Here:\n\n" + t, t + "\nThat is all.\n"]),
    ),
)
FAMILIES["udiff/no-ab-prefix"] = ("apply", lambda d: ud_case(d, lambda parts, _, p: udiff_text(p, parts, "", "")))
FAMILIES["udiff/bare-at-signs"] = (
    "apply",
    lambda d: ud_case(d, lambda parts, _, p: udiff_text(p, [("@@", lines) for _, lines in parts])),
)
FAMILIES["udiff/no-numbers"] = (
    "apply",
    lambda d: ud_case(
        d, lambda parts, _, p: udiff_text(p, [(d.rng.choice(["@@ ... @@", "@@ @@"]), lines) for _, lines in parts])
    ),
)


@family("udiff/exact-model", "apply")
def _(desk):
    made = one(desk, None)
    if not made:
        return None
    path, before, after, _ = made
    parts = udiff_hunks(before, after, desk.rng.choice([0, 1, 2]))
    return (
        {path: before},
        "Sure.\n\n" + fenced(udiff_text(path, [("@@ ... @@", lines) for _, lines in parts])) + "\nDone!",
        {path: after},
    )


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
FAMILIES["udiff/ambiguous-right-number"] = (
    "either",
    ambiguous_ud(lambda d, at, other, size, _: f"@@ -{at},{size} +{at},{size} @@"),
)
FAMILIES["udiff/ambiguous-wrong-number"] = ("refuse", ambiguous_ud(wrong_number))


@family("udiff/binary-patch", "refuse")
def _(desk):
    path, text = desk.source()
    kind = desk.rng.choice(
        [
            "Binary files a/logo.png and b/logo.png differ\n",
            "GIT binary patch\nliteral 12\nTcmZQzU|?Y1\n\nliteral 0\nHcmV?d00001\n\n",
        ]
    )
    return (
        {path: text, "logo.png": b"\x89PNG\0\1"},
        fenced("diff --git a/logo.png b/logo.png\nindex 1234567..89abcde 100644\n" + kind),
        None,
    )


@family("udiff/blank-context-unprefixed", "apply")
def _(desk):
    def spoil(parts, _, path):
        bare = [(head, ["" if line == " " else line for line in lines]) for head, lines in parts]
        return udiff_text(path, bare) if bare != parts else None

    return ud_case(desk, spoil)


@family("udiff/context-unprefixed", "either")
def _(desk):
    bare = desk.rng.random() < 0.4
    spoil = lambda parts, _, p: udiff_text(p, [(h, [line.removeprefix(" ") for line in lines]) for h, lines in parts])
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
    kind = desk.rng.choice(
        [
            "index 83db48f..bf2a2b4 100644\n",
            "old mode 100644\nnew mode 100755\n",
            "old mode 100644\nnew mode 100755\nindex 1..2\n",
        ]
    )
    text = f"diff --git a/{path} b/{path}\n{kind}" + udiff(path, before, after)
    return {path: before}, fenced(text), {path: after}, {"modes_after": {path: 0o755 if "755" in kind else 0o644}}


@family("udiff/hallucinated", "refuse")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, _, found = made
    strange = [desk.fresh_line(line) for line in found[0][4]]
    return (
        {path: before},
        fenced(
            udiff_text(
                path, [(f"@@ -5,{len(strange)} +5,{len(strange) + 1} @@", [*(" " + x for x in strange), "+added()"])]
            )
        ),
        None,
    )


FAMILIES["udiff/hunks-reordered"] = (
    "either",
    lambda d: ud_case(d, lambda parts, _, p: udiff_text(p, parts[::-1]) if len(parts) > 1 else None, 3),
)


@family("udiff/insert-no-context", "either")
def _(desk):
    path, text = desk.source()
    rows = text.split("\n")[:-1]
    at = desk.rng.randrange(3, len(rows))
    line = desk.fresh_line(rows[at])
    title = desk.rng.choice([f"@@ -{at},0 +{at + 1},1 @@", "@@"])
    return (
        {path: text},
        fenced(udiff_text(path, [(title, ["+" + line])])),
        {path: joined([*rows[:at], line, *rows[at:]])},
    )


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
    return (
        {path: text},
        fenced(diff),
        {path: text, name: joined(rows)},
        {"modes_after": {name: 0o755 if git and mode == "755" else 0o644}},
    )


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
    return (
        {path: before},
        fenced(udiff_text(path, [(f"@@ -{at},3 +{at},3 @@", lines)])),
        {path: after if kind == 1 else after[:-1]},
    )


@family("udiff/rename", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    name = "moved/" + path.rsplit("/", 1)[-1]
    pure = desk.rng.random() < 0.4
    head = (
        f"diff --git a/{path} b/{name}\nsimilarity index 9{0}%\nrename from {path}\nrename to {name}\n"
        if desk.rng.random() < 0.7
        else ""
    )
    if pure and head:
        return {path: before}, fenced(head), {name: before}
    body = "".join(h + "\n" + joined(lines) for h, lines in udiff_hunks(before, after))
    return {path: before}, fenced(head + f"--- a/{path}\n+++ b/{name}\n" + body), {name: after}


@family("udiff/second-file-missing", "refuse")
def _(desk):
    made = several(desk)
    text = "".join(udiff(p, b, a) for p, b, a, _ in made)
    return {made[0][0]: made[0][1]}, fenced(text), None


@family("udiff/spaces-for-tabs", "either")
def _(desk):
    def spoil(parts, _, path):
        spoilt = [(head, [line[:1] + line[1:].expandtabs(4) for line in lines]) for head, lines in parts]
        fresh = [line[1:] for _, lines in parts for line in lines if line[0] == "+"]
        # Where new lines are meant to have tabs and then blanks as wide as one, nobody could tell any more.
        mixed = any(blanks_to_tabs(tabs_to_blanks([line])) != [line] for line in fresh)
        return None if mixed else udiff_text(path, spoilt)

    return ud_case(desk, spoil, None, lambda p, t: "\n\t" in t)


@family("udiff/trailing-ws-trimmed", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, found = made
    kept = steady(*found[0][4:6])
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
    if "\n@@" not in cut or any(
        cut + rest == text[: len(cut) + len(rest)] and rest.startswith("@@") for rest in [text[len(cut) :]]
    ):
        return None
    if cut.rsplit("\n", 1)[-1] == "" and text[len(cut)] == "@":
        return None
    return {path: before}, cut, None


def recount(parts, desk):
    out = []
    for head, lines in parts:
        a, b, c, d = map(int, re.findall(r"\d+", head))
        out.append(
            (
                f"@@ -{a},{max(0, b + desk.rng.choice([-2, -1, 1, 3]))} +{c},{max(0, d + desk.rng.choice([-1, 2, 5]))} @@",
                lines,
            )
        )
    return out


def renumber(parts, desk):
    out = []
    for head, lines in parts:
        a, b, c, d = map(int, re.findall(r"\d+", head))
        off = desk.rng.choice([-7, -2, 1, 4, 30, 500])
        out.append((f"@@ -{max(1, a + off)},{b} +{max(1, c + off)},{d} @@", lines))
    return out


FAMILIES["udiff/wrong-counts"] = (
    "apply",
    lambda d: ud_case(
        d, lambda parts, desk, p: udiff_text(p, recount(parts, desk)), wrap=d.rng.choice([fenced, fenced, lambda t: t])
    ),
)
FAMILIES["udiff/wrong-line-numbers"] = (
    "apply",
    lambda d: ud_case(d, lambda parts, desk, p: udiff_text(p, renumber(parts, desk))),
)
