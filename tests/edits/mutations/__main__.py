"""Runs cases and prints what became of them.

Usage: python -m tests.edits.mutations [FIRST LAST [FAMILY]] [--commits REPOSITORY ...]. With repositories, the edits are
those that their last commits made, not ours.
"""

import re
import sys
from collections import Counter
from pathlib import Path

from tests.edits.mutations.case import FAMILIES, case
from tests.edits.mutations.desk import use_commits
from tests.edits.mutations.judge import GOOD, check


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
                became, words = check(made, Path(folder), write=False)
            tally[became] += 1
            totals[name.split("/")[0], made.must, became] += 1
            if became not in GOOD[made.must]:
                sys.stdout.write(f"BAD {name} seed {seed}: {became} {words[:2]}\n")
        sys.stdout.write(f"{name:34} {FAMILIES[name][0]:10} {dict(tally)}\n")
    for key, count in sorted(totals.items()):
        sys.stdout.write(" ".join(map(str, (*key, count))) + "\n")


if __name__ == "__main__":
    words, _, repositories = " ".join(sys.argv[1:]).partition("--commits")
    for repository in repositories.split():
        sys.stdout.write(f"{use_commits(repository)} real edits with those of {repository}\n")
    numbers = [int(each) for each in words.split()[:2]] or [0, 4]
    main(*numbers, *(words.split()[2:3]))
