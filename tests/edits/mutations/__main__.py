"""Runs cases and prints what became of them.

Usage: python -m tests.edits.mutations [FIRST LAST [FAMILY]] [--keep FOLDER] [--commits REPOSITORY ...]. With repositories,
the edits are those that their last commits made, not ours. With a folder, one small case of each family is written there as a
scenario.
"""

import re
import sys
from collections import Counter
from pathlib import Path

from tests.edits.mutations.case import FAMILIES, case
from tests.edits.mutations.desk import use_commits
from tests.edits.mutations.judge import GOOD, check

SMALL = 8_000
NOTATIONS = {
    "sr": "edit_block",
    "udiff": "unified_diff",
    "ap": "apply_patch",
    "whole": "whole_file",
    "real-chat": "real_chat",
}


def main(first, last, only="", keep=""):
    import tempfile

    totals = Counter()
    for name in FAMILIES:
        if only and not re.search(only, name):
            continue
        tally = Counter()
        notation, kind = name.split("/")
        for seed in range(first, last):
            made = case(name, seed)
            if made is None:
                tally["none"] += 1
                continue
            with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
                became, words = check(made, Path(folder), write=False)
            tally[became] += 1
            totals[name.split("/")[0], made.must, became] += 1
            if keep and became in GOOD[made.must] and sum(map(len, [made.reply, *made.before.values()])) < SMALL:
                write_scenario(made, Path(keep) / NOTATIONS.get(notation, notation) / kind)
            if became not in GOOD[made.must]:
                sys.stdout.write(f"BAD {name} seed {seed}: {became} {words[:2]}\n")
        sys.stdout.write(f"{name:34} {FAMILIES[name][0]:10} {dict(tally)}\n")
    for key, count in sorted(totals.items()):
        sys.stdout.write(" ".join(map(str, (*key, count))) + "\n")


def write_scenario(made, folder):
    """Write a case as a folder for `test_scenarios`; an earlier one stays."""
    if folder.exists() or made.links or made.modes or any("\n" in path or path.startswith("/") for path in made.before):
        return
    trees = {"before": made.before, "after": made.after or {}}
    for path, data in [(f"{when}/{path}", data) for when, tree in trees.items() for path, data in tree.items()]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    (folder / "reply.md").write_bytes(made.reply)
    if made.must == "refuse":
        (folder / "refuse").touch()
    if made.must == "either":
        (folder / "or_refuse").touch()


if __name__ == "__main__":
    words, _, repositories = " ".join(sys.argv[1:]).partition("--commits")
    words, _, folder = words.partition("--keep")
    for repository in repositories.split():
        sys.stdout.write(f"{use_commits(repository)} real edits with those of {repository}\n")
    numbers = [int(each) for each in words.split()[:2]] or [0, 4]
    main(*numbers, "".join(words.split()[2:3]), folder.strip())
