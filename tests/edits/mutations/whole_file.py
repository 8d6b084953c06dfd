"""Whole files, right and spoilt."""

from tests.edits.mutations.case import FAMILIES, family
from tests.edits.mutations.desk import HERE, joined
from tests.edits.mutations.edit_block import bom, comment, crlf, no_eol, several, written
from tests.edits.mutations.notation import one, quiet, said, whole


def whole_case(desk, sites=None, want=None):
    made = one(desk, sites, want)
    return made and ({made[0]: made[1]}, said([whole(made[0], made[2])]), {made[0]: made[2]})


FAMILIES["whole/exact"] = ("apply", whole_case)
FAMILIES["whole/bom"] = ("apply", written(whole_case, bom))
FAMILIES["whole/crlf-file"] = ("apply", written(whole_case, crlf))


@family("whole/no-eol", "apply")
def _(desk):
    made = whole_case(desk)
    # Without its last newline, a text that ends with a blank line ends with a newline: of such a file nothing is lost.
    return no_eol(desk, *made) if made and not any(t.endswith("\n\n") for t in made[0].values()) else None


@family("whole/elided", "either")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    rows = after.split("\n")[:-1]
    c = comment(path)
    mark = desk.rng.choice(
        [
            f"{c} ... rest of the file unchanged ...",
            f"{c} ... existing code ...",
            "...",
            f"{c} (rest of the code remains the same)",
            f"{c} ... (unchanged)",
            f"{c} Rest of the file stays the same",
            f"{c} [previous code unchanged]",
            f"{c} ...",
        ]
    )
    at = desk.rng.randrange(5, len(rows))
    return {path: before}, said([whole(path, joined([*rows[:at], mark, *rows[at + 30 :]]))]), {path: after}


@family("whole/extra-shell-fence", "apply")
def _(desk):
    made = one(desk)
    if not made:
        return None
    path, before, after, _ = made
    shell = desk.rng.choice(
        [
            "Run the tests:\n\n```bash\npytest -q\n```\n",
            "```sh\nnpm install\n```\n",
            f"Then:\n```console\n$ python {path}\n```\n",
            "```bash\nmkdir -p x && touch x/y\n```\n",
        ]
    )
    edit = whole(path, after)
    return {path: before}, desk.rng.choice([f"{shell}\n{edit}", f"{edit}\n{shell}"]), {path: after}


@family("whole/fence-inside", "apply")
def _(desk):
    text = (HERE / "sources" / "guide.md.txt").read_text()
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
    return (
        {m[0]: m[1] for m in made},
        "Here they are.\n\n" + gap.join(whole(p, a) for p, _, a, _ in made),
        {m[0]: m[2] for m in made},
    )


@family("whole/new-file", "apply")
def _(desk):
    path, text = desk.source(lambda p, t: quiet(t))
    name = desk.rng.choice(["made/new.py", "pkg/__init__.py", "Dockerfile", ".env.example", "web/app/[id]/page.tsx"])
    body = "" if name.endswith("__init__.py") else text
    return (
        {path: text},
        said([whole(desk.rng.choice(["{}", "**{}**", "`{}`", "### {}"]).format(name), body)]),
        {path: text, name: body},
    )


@family("whole/truncated", "refuse")
def _(desk):
    made = several(desk, desk.rng.choice([1, 2]))
    text = "".join(whole(p, a) for p, _, a, _ in made)
    first = len(whole(made[0][0], made[0][2])) if len(made) > 1 else 0
    cut = text[: desk.rng.randrange(max(first, len(made[0][0]) + 20), len(text) - 4)]
    if cut.endswith("```\n") and cut.count("```") % 2 == 0:
        return None
    return {m[0]: m[1] for m in made}, cut, None
