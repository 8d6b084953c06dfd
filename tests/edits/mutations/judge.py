"""Runs one case in a scratch tree and says what became of it."""

from pathlib import Path


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
    if (
        {p.name: p.read_bytes() for p in outside.iterdir()} != {"secret.txt": b"secret\n"}
        or (root / ".git" / "config").read_text() != "secret\n"
        or len(list((root / ".git").iterdir())) != 1
    ):
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
