"""Real files, and edits of them as a person would make them."""

import difflib
import importlib.util
import re
import subprocess
from functools import lru_cache
from pathlib import Path


@lru_cache
def sources():
    found = [(path.stem, path.read_text()) for path in sorted((HERE / "sources").iterdir()) if path.is_file()]
    for package, under in (
        ("rich", "*.py"),
        ("textual", "widgets/_*.py"),
        ("pygments", "formatters/*.py"),
        ("git", "objects/*.py"),
        ("httpx", "_*.py"),
        ("markdown_it", "rules_*/*.py"),
    ):
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            continue
        folder = Path(spec.submodule_search_locations[0])
        for path in sorted(folder.glob(under))[:14]:
            text = path.read_bytes().decode()
            if plain(text):
                found.append((f"src/{package}/{path.name}", text))
    return found


def plain(text):
    return 30 < text.count("\n") < 900 and "\r" not in text and text.endswith("\n") and "<<<<<<<" not in text


def use_commits(repo, most=300):
    """Let the edits of the cases be those of a repository's last commits; returns how many there are."""

    def git(*args, words=None):
        return subprocess.run(["git", "-C", str(repo), *args], input=words, capture_output=True, check=True).stdout

    raw = git("log", f"-n{most}", "--no-merges", "--raw", "--no-abbrev", "--diff-filter=M", "--format=")
    rows = [
        line.split(None, 5) for line in raw.decode("utf-8", "replace").splitlines() if line.startswith(":100644 100644")
    ]
    names = "".join(f"{old}\n{new}\n" for _, _, old, new, _, _ in rows)
    data, at, texts = git("cat-file", "--batch", words=names.encode()), 0, []
    while at < len(data):
        head = data[at : data.index(b"\n", at)]
        words = head.split()
        size = int(words[2]) if len(words) == 3 else 0  # one that is missing has a line of two words
        start = at + len(head) + 1
        texts.append(data[start : start + size])
        at = start + size + (len(words) == 3)
    for row, old, new in zip(rows, texts[::2], texts[1::2], strict=True):
        path = row[5]
        try:
            before, after = old.decode(), new.decode()
        except UnicodeDecodeError:
            continue
        if before != after and plain(before) and plain(after) and path.isascii() and '"' not in path:
            COMMITS.append((path, before, after))
    return len(COMMITS)


COMMITS = []
HERE = Path(__file__).parent.parent
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
            [
                f"{word}_{number} = {other}({number})",
                f"if {word} > {number}: {other}()",
                f"# {word} before {other}, {number}",
                f'print("{word}", {other}_{number})',
                f"{word}.{other}(a={number}, b='{word}')",
            ]
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
        for found in self.rng.sample(COMMITS, min(60, len(COMMITS))):
            if (want is None or want(*found[:2])) and (sites is None or len(hunks(*found[1:])) == sites):
                return found
        path, text = self.source(want)
        return path, text, self.edit(text, sites)


def stands(lines, part):
    """How often lines stand in a file, blanks aside."""
    have, want = [line.strip() for line in lines], [line.strip() for line in part]
    return sum(have[at : at + len(want)] == want for at in range(len(have) - len(want) + 1))


def hunks(before, after, context=2):
    """Return (i1, i2, j1, j2) of each change with context, grown until its old lines stand once."""
    old, new = before.split("\n")[:-1], after.split("\n")[:-1]
    codes = [
        code for code in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"
    ]
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
