"""apply_patch envelopes, right and spoilt."""

import re

from tests.edits.mutations.case import FAMILIES, family
from tests.edits.mutations.desk import hunks, joined
from tests.edits.mutations.edit_block import crlf, curl, no_eol, several, twin, written
from tests.edits.mutations.notation import ap, ap_update, lines_of, one, steady


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
FAMILIES["ap/fenced-with-prose"] = (
    "apply",
    lambda d: ap_case(
        d, lambda t, *_: f"I will do this.\n\n```{d.rng.choice(['', 'diff', 'patch', 'text'])}\n{t}```\n\nDone."
    ),
)
FAMILIES["ap/heredoc"] = (
    "apply",
    lambda d: ap_case(
        d,
        lambda t, *_: d.rng.choice(
            [
                "apply_patch <<'EOF'\n{}EOF\n",
                "```bash\napply_patch <<'EOF'\n{}EOF\n```\n",
                "<<EOF\n{}EOF\n",
                'apply_patch <<"PATCH"\n{}PATCH\n',
            ]
        ).format(t),
    ),
)


def refused(spoil):
    """A case that must be refused: the right envelope, spoilt."""

    def make(desk):
        made = ap_case(desk, spoil)
        return made and (made[0], made[1], None)

    return make


def bad_header(text, desk, path):
    line = "*** Update File:"
    wrong = ["*** Modify File:", "*** Update:", "** Update File:", "*** Change File:", "Update File:"]
    return desk.rng.choice(
        [
            *(text.replace(line, each) for each in wrong),
            text.replace("*** Begin Patch", "*** Start Patch"),
            text.replace("*** Begin Patch\n", ""),
            text.replace(f"{line} ", f"--- a/{path}\n+++ b/"),
        ]
    )


def blank_unprefixed(text, *_):
    bare = re.sub(r"(?m)^ $", "", text)
    return bare if bare != text else None


FAMILIES["ap/end-marker-missing"] = ("refuse", refused(lambda text, *_: text.replace("*** End Patch\n", "")))
FAMILIES["ap/bad-header"] = ("refuse", refused(bad_header))
FAMILIES["ap/blank-context-unprefixed"] = ("either", lambda desk: ap_case(desk, blank_unprefixed))
FAMILIES["ap/truncated"] = (
    "refuse",
    refused(lambda text, desk, _: text[: desk.rng.randrange(text.index("@@"), len(text) - 5)]),
)


@family("ap/trailing-ws-trimmed", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, found = made
    kept = steady(*found[0][4:6])
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
        head = next(
            (
                rows[at].strip()
                for at in range(i1 - 1, -1, -1)
                if re.match(r"\s*(def|class|func|fn|export|impl)\b", rows[at])
            ),
            "",
        )
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
    return (
        {path: text},
        ap("*** Add File: deep/er/made.py\n" + joined("+" + x for x in rows)),
        {path: text, "deep/er/made.py": joined(rows)},
    )


@family("ap/ambiguous", "refuse")
def _(desk):
    made = twin(desk)
    if not made:
        return None
    path, rows, _, part = made
    return (
        {path: joined(rows)},
        ap(f"*** Update File: {path}\n@@\n" + joined(lines_of(part, [part[0], desk.touch(part[1]), *part[2:]]))),
        None,
    )


ANCHORED = {
    "py": (
        "class {}:\n    def load(self, path):\n        data = path.read_text()\n        return data\n\n    def size(self):\n        return 1\n\n",
        "class {}:",
        "def load(self, path):",
    ),
    "py2": (
        "def {}(rows):\n    total = 0\n    for row in rows:\n        total += row\n    return total\n\n\n",
        "def {}(rows):",
        None,
    ),
    "js": (
        "function {}(rows) {{\n  let total = 0;\n  for (const row of rows) {{\n    total += row;\n  }}\n  return total;\n}}\n\n",
        "function {}(rows) {{",
        None,
    ),
    "toml": ('[tool.{}]\nname = "x"\nline-length = 100\nstrict = true\n\n', "[tool.{}]", None),
    "md": ("## {}\n\nSome words here.\nUse it with care.\n\n", "## {}", None),
    "go": (
        "func {}(rows []int) int {{\n\ttotal := 0\n\tfor _, row := range rows {{\n\t\ttotal += row\n\t}}\n\treturn total\n}}\n\n",
        "func {}(rows []int) int {{",
        None,
    ),
}
CHANGES = {
    "py": "data = path.read_text()",
    "py2": "total += row",
    "js": "total += row;",
    "toml": "line-length = 100",
    "md": "Use it with care.",
    "go": "total += row",
}


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
    body = desk.rng.choice(
        ["", "@@\n", f"@@ {rows[5].strip() or 'x'}\n", "@@\n@@\n", "@@\n" + joined(" " + x for x in rows[3:6])]
    )
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
    return (
        {path: before},
        ap(f"{head}\n*** Move to: moved/to/{path}\n" + ("" if pure else rest)),
        {f"moved/to/{path}": before if pure else after},
    )


@family("ap/move-onto-existing", "refuse")
def _(desk):
    made = several(desk)
    (p1, b1, a1, _), (p2, b2, _, _) = made
    head, rest = ap_update(p1, b1, a1).split("\n", 1)
    return {p1: b1, p2: b2}, ap(f"{head}\n*** Move to: {p2}\n{rest}"), None


@family("ap/multi-file", "apply")
def _(desk):
    made = several(desk, 3)
    return (
        {m[0]: m[1] for m in made},
        ap(*(ap_update(p, b, a) for p, b, a, _ in made), "*** Add File: fresh.txt\n+one\n+\n+two\n"),
        {**{m[0]: m[2] for m in made}, "fresh.txt": "one\n\ntwo\n"},
    )


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
