"""How much of what a commit needed is in the context that its message gets, at 1k, 2k, 4k and 8k tokens.

Usage: python -m benchmarks.context FOLDER [--cases N] [--only NAME] [--no-history] [--json FILE]

FOLDER holds git repositories (bare ones too, at any depth of two). A case is one commit: the question is its message
with paths, addresses and trailers taken out, the repository is its parent's tree, the answer is what the commit touched:
files, the innermost definitions around its hunks, and the lines it changed or deleted. Two baselines are measured on the
same cases: BM25 over files shown as definition lines, and BM25 over chunks of 30 lines.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from assistant import tokens
from assistant.context.language import language_of
from assistant.context.repo import Repo
from assistant.context.tags import tags

BUDGETS = (1_000, 2_000, 4_000, 8_000)
_SOURCES = frozenset({
    ".py", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".svelte", ".go", ".rs", ".java", ".kt", ".c", ".h", ".cc", ".cpp", ".hpp",
    ".cs", ".rb", ".php", ".swift", ".scala", ".lua", ".sh",
})  # fmt: skip
# `Style/SoleNestedConditional` or and/or are words; a path has two slashes, a suffix, or begins at a root.
_PATH = re.compile(
    r"\S*[/\\]\S*[/\\]\S*|(?<!\S)[.~]{0,2}/\S+|\S+/\S+\.\w+|\b[\w.-]+\.(?:py|js|jsx|ts|tsx|svelte|go|rs|java|kt|c|h|cc|cpp|rb|php|md|json|toml|yml)\b"
)
_NOISE = re.compile(
    r"(?im)^(?:signed-off-by|co-authored-by|reviewed-by|closes|fixes|ref|reported-by|assisted-by|bug):?.*$|\(#\d+\)|#\d+"
)
_DULL = re.compile(
    r"(?i)^(?:merge|revert|bump|release|version|prepare|chore|build\(deps|update changelog|\[pre-commit)"
)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]+")
# The title of a test is a sentence; a name that code can hold is a symbol, with the ? and ! of Ruby.
_SYMBOL = re.compile(r"[^\W\d][\w$]*[?!=]?")
_BIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+")


@dataclass(slots=True)
class Case:
    """One commit: the question, and by path the gold symbols and the texts of the gold lines."""

    repo: str
    commit: str
    question: str
    symbols: dict[str, set[str]] = field(default_factory=dict)
    lines: dict[str, list[str]] = field(default_factory=dict)


def git(folder: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True).stdout.decode("utf-8", "replace")


def _listed(folder: Path, *args: str) -> str:
    return subprocess.run(["git", *args], cwd=folder, check=False, capture_output=True).stdout.decode(
        "utf-8", "replace"
    )


def cases(folder: Path, name: str, wanted: int) -> list[Case]:
    """Choose commits spread over the newest 3,000 of the main line."""
    # A mirror may lack objects of some large file: what git could list before it met one is enough.
    log = _listed(
        folder, "log", "--no-merges", "--no-renames", "-n", "3000", "--format=%x01%H%x02%B%x02", "--raw", "--numstat"
    )
    fit: list[tuple[str, str, list[str]]] = []
    for entry in log.split("\x01")[1:]:
        commit, message, facts = entry.split("\x02", 2)
        changed, size, plain = [], 0, True
        for row in facts.splitlines():
            cells = row.split("\t")
            if row.startswith(":"):
                path = cells[-1]
                if Path(path).suffix in _SOURCES:
                    plain &= row.split(" ")[4][0] == "M"
            elif len(cells) == 3 and cells[0].isdigit() and Path(cells[2]).suffix in _SOURCES:
                changed.append(cells[2])
                size += int(cells[0]) + int(cells[1])
        question = _NOISE.sub("", _PATH.sub("", message)).strip()
        if plain and 1 <= len(changed) <= 5 and 5 <= size <= 150 and len(question) >= 20 and not _DULL.match(question):
            fit.append((commit, question[:2_000], changed))
    step = max(1, len(fit) // wanted)
    return [_case(folder, name, *each) for each in fit[::step][:wanted]]


def _case(folder: Path, name: str, commit: str, question: str, changed: list[str]) -> Case:
    case = Case(name, commit, question)
    for path in changed:
        before = git(folder, "show", f"{commit}~1:{path}").split("\n")
        rows = [
            (int(match[1]), int(match[2] or 1))
            for line in git(folder, "diff", "-U0", "--no-ext-diff", f"{commit}~1", commit, "--", path).splitlines()
            if (match := _HUNK.match(line))
        ]
        language = language_of(path)
        defs = tags("\n".join(before).encode("utf-8", "replace"), language).defs if language else ()
        touched: set[str] = set()
        case.lines[path] = []
        for first, count in rows:
            inside = range(first, first + count) if count else range(first, first + 2)
            for number in inside:
                around = [tag for tag in defs if tag.start <= number <= tag.end and _SYMBOL.fullmatch(tag.name)]
                if around:
                    touched.add(max(around, key=lambda tag: tag.start).name)
            case.lines[path] += [before[n - 1].strip() for n in range(first, first + count) if n <= len(before)]
        case.lines[path] = [line for line in case.lines[path] if len(line) > 2]
        case.symbols[path] = touched
    return case


def sections(text: str, paths: set[str]) -> dict[str, str]:
    """Cut a rendered context at the lines that begin with a path."""
    found: dict[str, list[str]] = {}
    here = found.setdefault("", [])
    for line in text.split("\n"):
        head = re.match(r"[^\s:,]+", line)
        if head and head[0] in paths:
            here = found.setdefault(head[0], [])
        here.append(line)
    return {path: "\n".join(rows) for path, rows in found.items()}


def judge(case: Case, text: str, paths: set[str]) -> tuple[float | None, float | None, float]:
    """Return the share of gold symbols, of gold lines, and of gold files that a context holds."""
    shown = sections(text, paths)
    names = [(path, name) for path, some in case.symbols.items() for name in some]
    rows = [(path, line) for path, some in case.lines.items() for line in some]
    held = {path: {line.strip() for line in part.split("\n")} for path, part in shown.items() if path in case.lines}
    return (
        sum(_names(shown.get(path, ""), name) for path, name in names) / len(names) if names else None,
        sum(line in held.get(path, ()) for path, line in rows) / len(rows) if rows else None,
        sum(path in shown for path in case.lines) / len(case.lines),
    )


def _names(text: str, name: str) -> bool:
    """Say whether a text holds a name as a word."""
    return re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text) is not None


def bits(text: str) -> list[str]:
    return [bit.lower() for word in _WORD.findall(text) for bit in _BIT.findall(word)]


def bm25(question: str, documents: list[Counter[str]]) -> list[float]:
    """Score documents given as counts of words."""
    lengths = [sum(each.values()) for each in documents]
    mean = sum(lengths) / max(1, len(lengths))
    scores = [0.0] * len(documents)
    for word in set(bits(question)):
        holders = [i for i, each in enumerate(documents) if word in each]
        weight = math.log(1 + (len(documents) - len(holders) + 0.5) / (len(holders) + 0.5))
        for i in holders:
            times = documents[i][word]
            scores[i] += weight * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * lengths[i] / mean))
    return scores


class Baselines:
    """Both baselines over one checked-out tree; counts are kept by blob id from case to case."""

    def __init__(self) -> None:
        self.counts: dict[str, tuple[Counter[str], list[str], list[Counter[str]]]] = {}

    def texts(self, root: Path, case: Case, files: list[tuple[str, str]]) -> tuple[str, str]:
        """Return the text of either baseline for a case, the best first, uncut."""
        for path, blob in files:
            if blob not in self.counts:
                data = (root / path).read_bytes()
                text = "" if b"\0" in data[:8_000] else data.decode("utf-8", "replace")
                lines = text.split("\n")
                language = language_of(path)
                defs = tags(data, language).defs if language and text else ()
                shown = [lines[tag.declared - 1].rstrip()[:160] for tag in defs]
                chunks = [Counter(bits("\n".join(lines[at : at + 30]))) for at in range(0, len(lines), 30)]
                whole: Counter[str] = Counter(bits(path))
                for each in chunks:
                    whole.update(each)
                self.counts[blob] = (whole, shown, chunks)
        docs = [self.counts[blob][0] for _, blob in files]
        order = sorted(enumerate(bm25(case.question, docs)), key=lambda pair: -pair[1])[:150]
        first = "\n".join("\n".join([files[i][0], *self.counts[files[i][1]][1]]) for i, score in order if score > 0)
        places = [(i, at) for i, (_, blob) in enumerate(files) for at in range(len(self.counts[blob][2]))]
        pieces = [self.counts[files[i][1]][2][at] for i, at in places]
        order = sorted(enumerate(bm25(case.question, pieces)), key=lambda pair: -pair[1])[:60]
        second = []
        for number, _ in order:
            path = files[places[number][0]][0]
            at = places[number][1] * 30
            lines = (root / path).read_text(encoding="utf-8", errors="replace").split("\n")
            second += [path, *lines[at : at + 30]]
        return first, "\n".join(second)


def cut(text: str, budget: int) -> str:
    """Cut a text at a number of tokens, at the end of a line."""
    left, rows = budget, []
    for line in text.split("\n"):
        left -= tokens.count(line + "\n")
        if left < 0:
            break
        rows.append(line)
    return "\n".join(rows)


def run(
    folder: Path, name: str, wanted: int, scratch: Path, *, history: bool, baselines: bool
) -> list[dict[str, object]]:
    """Measure one repository; returns a row for each case, method and budget."""
    from assistant.context.pack import pack

    work = scratch / name
    if not work.exists():
        subprocess.run(["git", "clone", "-q", "--shared", "--no-checkout", str(folder), str(work)], check=True)
    cache = scratch / f"{name}.cache" / "tags.sqlite"
    rows: list[dict[str, object]] = []
    base = Baselines()
    for case in cases(folder, name, wanted):
        git(work, "checkout", "-q", "-f", f"{case.commit}~1")
        if not history:
            (work / ".git").rename(scratch / f"{name}.git")
        try:
            repo = Repo.open(work)
            files = [(each.path, each.blob) for each in repo.files()]
            paths = {path for path, _ in files}
            found = []
            if baselines:
                coded = [(path, blob) for path, blob in files if Path(path).suffix in _SOURCES]
                first, second = base.texts(work, case, coded)
                for budget in BUDGETS:
                    found += [("files", budget, cut(first, budget), 0.0), ("chunks", budget, cut(second, budget), 0.0)]
            pack(case.question, repo=repo, cache=cache, budget=1_000, timeout_s=120)
            for budget in BUDGETS:
                start = time.process_time()
                context = pack(case.question, repo=repo, cache=cache, budget=budget, timeout_s=120)
                spent = time.process_time() - start
                text = context.render()
                size = tokens.count(text)
                if size > budget:
                    sys.stdout.write(f"OVER BUDGET: {name} {case.commit[:9]} {budget}: {size}\n")
                found.append(("ours", budget, text, spent))
            for method, budget, text, spent in found:
                symbols, lines, named = judge(case, text, paths)
                rows.append(
                    {"repo": name, "commit": case.commit[:9], "method": method, "budget": budget, "symbols": symbols,
                     "lines": lines, "files": named, "cpu": spent}
                )  # fmt: skip
        finally:
            if not history:
                (scratch / f"{name}.git").rename(work / ".git")
    return rows


def mean(values: list[float | None]) -> float:
    known = [each for each in values if each is not None]
    return sum(known) / len(known) if known else float("nan")


def table(title: str, rows: list[dict[str, object]]) -> None:
    by: dict[tuple[str, int], list[dict[str, object]]] = defaultdict(list)
    for row in rows:
        by[row["method"], row["budget"]].append(row)  # type: ignore[index]
    count = len({(row["repo"], row["commit"]) for row in rows})
    sys.stdout.write(f"{title} ({count} cases)\n")
    for method in sorted({key[0] for key in by}):
        cells = []
        for measure in ("symbols", "lines", "files"):
            figures = [mean([row[measure] for row in by[method, budget]]) for budget in BUDGETS]  # type: ignore[misc]
            cells.append(f"{measure} " + " ".join(f"{each:.2f}".lstrip("0") for each in figures))
        sys.stdout.write(f"  {method:7} " + "   ".join(cells) + "\n")


def main() -> None:
    """Print recall by method and budget, for the tuning half and the held-out half of the repositories."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cases", type=int, default=12)
    parser.add_argument("--only", default="")
    parser.add_argument("--scratch", type=Path)
    parser.add_argument("--no-history", action="store_true")
    parser.add_argument("--no-baselines", action="store_true")
    parser.add_argument("--held-out", default="", help="names of repositories not used for tuning, separated by commas")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = sorted({path.parent for depth in ("*", "*/*", "*/*/*") for path in options.folder.glob(f"{depth}/HEAD")})
    rows: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as folder:
        for place in found:
            name = place.parent.name if place.name in {"repo", ".git"} else place.name
            if options.only and not any(part in name for part in options.only.split(",")):
                continue
            some = run(
                place, name, options.cases, options.scratch or Path(folder),
                history=not options.no_history, baselines=not options.no_baselines,
            )  # fmt: skip
            table(name, some)
            sys.stdout.flush()
            rows += some
    held = {name for name in options.held_out.split(",") if name}
    if held:
        table("TUNING", [row for row in rows if not any(name in str(row["repo"]) for name in held)])
        table("HELD OUT", [row for row in rows if any(name in str(row["repo"]) for name in held)])
    table("ALL", rows)
    if options.json:
        options.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
