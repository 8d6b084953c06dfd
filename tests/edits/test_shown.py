"""C6 of the checklist: what is shown is what is written. `git apply` makes the same bytes out of the diff that we print."""

import subprocess

import pytest

from assistant.edits import git_diff, match, text
from assistant.edits.edit import Edit
from assistant.edits.format import open_parser
from tests.edits.mutations import FAMILIES, case

KINDS = sorted(name for name, (must, _) in FAMILIES.items() if must in {"apply", "either"} and "large" not in name)
BLANKS = ["git", "apply", "--whitespace=nowarn", "--unsafe-paths"]


def patched(made):
    """Return the patch of a case, None where the reply has none or something in it was refused."""
    parser = open_parser()
    found = [*parser.feed(made.reply.decode("utf-8", "surrogateescape")), *parser.close()]
    files = {path: (data, made.modes.get(path, 0o644)) for path, data in made.before.items()}
    fitted = match.fit([each for each in found if isinstance(each, Edit)], files.get)
    return None if fitted.misfits or not all(isinstance(each, Edit) for each in found) else fitted.patch


def applied(made, diff, root):
    """Let git write what a diff says; returns the files after."""
    for path, data in made.before.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    subprocess.run(BLANKS, cwd=root, input=diff, check=True, capture_output=True, env={"GIT_CEILING_DIRECTORIES": "/"})
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def drawn(file):
    """Put the lines that are shown in place of those they say they replace; returns the file after, as it would be shown."""
    lines = [text.show(line) for line in (file.before or b"").splitlines(keepends=True)]
    for hunk in reversed(file.hunks):
        first = hunk.at - len(hunk.above)
        assert [line.text for line in hunk.lines if line.kind != "+"] == lines[first : first + hunk.old_count]
        lines[first : first + hunk.old_count] = [line.text for line in hunk.lines if line.kind != "-"]
    return lines


@pytest.mark.parametrize("name", KINDS)
def test_c6_another_program_makes_the_same_bytes_of_what_is_shown(name, tmp_path):
    for seed in range(4):
        made = case(name, seed)
        patch = patched(made) if made and not made.links else None
        if patch is None or not patch.files:
            continue
        after = dict(made.before)
        for file in patch.files:
            after.pop(file.path, None)
            if file.after is not None:
                after[file.target] = file.after
        diff = "".join(map(git_diff.write, patch.files)).encode("utf-8", "surrogateescape")
        root = tmp_path / str(seed)
        root.mkdir()
        assert applied(made, diff, root) == after
        for file in patch.files:
            if b"\0" not in (file.before or b"") + (file.after or b""):  # two bytes a letter: lines end otherwise
                assert drawn(file) == [text.show(line) for line in (file.after or b"").splitlines(keepends=True)]
