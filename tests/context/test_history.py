"""What git history says of lines: where they are now, how fresh, and for what words they changed."""

import subprocess

import pytest

from assistant.context import history, segments
from assistant.context.history import Touch
from assistant.context.pack import pack
from assistant.context.query import ask
from assistant.context.repo import Repo

GIT = ["git", "-c", "user.name=T", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]


@pytest.fixture
def commit(tmp_path):
    root = tmp_path / "r"
    root.mkdir()
    subprocess.run([*GIT, "init", "-q"], cwd=root, check=True)

    def make(message, **files):
        for name, text in files.items():
            (root / name).write_text(text)
        subprocess.run([*GIT, "add", "-A"], cwd=root, check=True)
        subprocess.run([*GIT, "commit", "-qm", message], cwd=root, check=True)

    make.root = root
    return make


def spans(root, path="tea"):
    """By message the places in a file, the newest commit first."""
    subjects = [each.subject for each in Repo.open(root).history(100)]
    commits = history.unpack(history.pack(history.read(Repo.open(root)))).commits
    return {
        subject: list(dict(zip(files, places, strict=False)).get(path, []))
        for subject, (_, files, places) in zip(subjects, commits, strict=True)
    }


def numbered(count, **changed):
    return [changed.get(f"at{number}", f"line {number}") for number in range(1, count + 1)]


def test_lines_are_numbered_as_they_are_after_newer_commits(commit):
    lines = numbered(40)
    commit("one", tea="\n".join(lines))
    lines[29] = "boiled"
    commit("change", tea="\n".join(lines))
    lines[2:2] = ["new"] * 5
    commit("insert above", tea="\n".join(lines))
    del lines[20:23]
    commit("delete between", tea="\n".join(lines))
    lines[38:38] = ["new"] * 2
    commit("insert below", tea="\n".join(lines))
    assert lines[31] == "boiled"
    assert spans(commit.root) == {
        "insert below": [39, 40], "delete between": [20, 21], "insert above": [3, 7], "change": [32, 32], "one": [],
    }  # fmt: skip


def test_what_was_put_behind_a_line_is_not_part_of_it(commit):
    lines = numbered(9)
    commit("one", tea="\n".join(lines))
    lines[4] = "boiled"
    commit("change", tea="\n".join(lines))
    lines[5:5] = ["new"] * 3
    commit("insert behind", tea="\n".join(lines))
    assert spans(commit.root)["change"] == [5, 5]


def test_lines_that_look_like_heads_of_a_diff_are_lines(commit):
    commit("one", tea="-- a/pot\na\nb", pot="c\n")
    commit("two", tea="++ b/pot\na\n++ b/pot", pot="d\n")
    assert spans(commit.root)["two"] == [1, 1, 3, 3]
    assert spans(commit.root, "pot")["two"] == [1, 1]


def test_paths_with_blanks_and_letters_of_any_language(commit):
    for text in ("a\n", "b\n"):
        commit(text.strip(), **{"two words.py": text, "tée.py": text, "a\tb.py": text})
    assert spans(commit.root, "two words.py")["b"] == [1, 1]
    assert spans(commit.root, "tée.py")["b"] == [1, 1]
    assert spans(commit.root, "a\tb.py")["b"] == []


def test_a_change_all_over_a_file_tells_of_no_line_but_moves_those_of_older_ones(commit):
    lines = numbered(100)
    commit("one", tea="\n".join(lines))
    lines[98] = "boiled"
    commit("change", tea="\n".join(lines))
    commit("wide", tea="\n".join(f"{line}\nnew" if at % 2 and at < 90 else line for at, line in enumerate(lines)))
    assert spans(commit.root) == {"wide": [], "change": [99 + 45, 99 + 45], "one": []}


def test_a_log_that_is_cut_anywhere_gives_what_is_whole(commit):
    for number in range(4):
        commit(str(number), tea=f"{number}\n\\ x\n{number}", pot=f"{number}\n")
    repo = Repo.open(commit.root)
    log = repo.hunks([each.id for each in repo.history(10)])
    full = history.places(history.hunks(log))
    assert len(full) == 3
    for size in range(len(log)):
        for commit_id, files in history.places(history.hunks(log[:size])).items():
            if len(commit_id) == 40:
                assert all(full[commit_id][path][: len(held)] == held for path, held in files.items())


def test_the_log_is_cut_when_it_is_too_long(commit):
    for number in range(3):
        commit(str(number), tea=f"{number}\n" * 5_000)
    repo = Repo.open(commit.root)
    ids = [each.id for each in repo.history(10)]
    whole, cut = repo.hunks(ids), repo.hunks(ids, size=30_000)
    assert len(cut) == 30_000
    assert whole.startswith(cut)
    assert len(history.places(history.hunks(whole))) == 2


def test_a_diff_that_would_run_a_program_runs_none(commit, tmp_path):
    mark = tmp_path / "MARK"
    commit("one", tea="a\n", **{".gitattributes": "tea diff=evil\n"})
    commit("two", tea="b\n")
    for key in ("diff.evil.command", "diff.evil.textconv", "diff.external"):
        subprocess.run([*GIT, "config", key, f"touch {mark}; cat"], cwd=commit.root, check=True)
    assert spans(commit.root)["two"] == [1, 1]
    assert not mark.exists()


def test_notes_from_before_lines_were_known_are_read():
    past = history.unpack('[[["tea"],["a.py","b.py"]]]')
    assert past.touched(ask("tea"), {"tea": 1.0}) == {}
    assert {path for path, _, _ in past.votes(ask("tea"), {"tea": 1.0})} == {"a.py", "b.py"}


def test_newer_commits_and_messages_like_the_question_say_more_of_lines():
    rows = [(["milk"], ["a.py"], [[1, 2]]), (["tea"], ["a.py", "b.py"], [[5, 6], []]), (["tea"], ["c.py"], [[7, 8]])]
    found = history.unpack(history.pack(rows)).touched(ask("tea"), {"tea": 1.0, "milk": 1.0})
    assert set(found) == {"a.py", "c.py"}
    milk, tea = found["a.py"]
    assert (list(milk.spans), milk.fresh, milk.alike) == ([1, 2], 1.0, 0.0)
    assert tea.alike == pytest.approx(0.5**0.5)
    assert found["c.py"][0].fresh < milk.fresh
    assert found["c.py"][0].alike > tea.alike


def test_a_piece_that_changed_lately_or_for_words_like_these_is_worth_more_and_says_so():
    lines = ["tea", *[""] * 39, "tea", *[""] * 39, "tea"]
    pieces = [segments.Segment("a.py", first, first, None) for first in (1, 41, 81)]
    touched = [Touch([40, 41], 1.0, 0.0), Touch([2, 3], 1.0, 1.0), Touch([81, 90], 0.001, 1.0)]
    found = {each.first: each for each in segments.weigh(pieces, lines, ask("tea"), {"tea": 3.0}, touched)}
    assert [found[first].why for first in (1, 41, 81)] == [
        "", "lines changed lately", "lines changed for words like these",
    ]  # fmt: skip
    assert found[1].past == 1
    assert found[41].past == pytest.approx(1 + segments.W_FRESH / (1 + segments.HALF_FRESH))


def test_of_equal_pieces_the_one_that_changed_lately_is_shown(commit, tmp_path):
    body = "".join(f"    value += {number}\n" for number in range(20))
    parts = [f"def boil_{name}(value):\n    # the kettle\n{body}    return value\n" for name in "abcdef"]
    commit("one", **{"pot.py": "\n\n".join(parts)}, **{f"{name}.py": "x = 1\n" for name in "abcdef"})
    parts[4] = parts[4].replace("value += 7", "value += 70")
    commit("unlike", **{"pot.py": "\n\n".join(parts)})
    context = pack(
        "the kettle", repo=Repo.open(commit.root), cache=tmp_path / "s" / "t", budget=300,
        timeout_s=60,
    )  # fmt: skip
    section = next(each for each in context.sections if each.path == "pot.py")
    assert "value += 70" in section.text
    assert "boil_a(value)" not in section.text
    assert "lines changed lately" in section.why
