"""Other clients' logs: each request once, each byte once, whatever the logs look like."""

import json
import random
import sqlite3
import tempfile
import zlib
from array import array
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain, permutations
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import discover
from assistant.quota.counted import MOST, Book, Counted, Overtaken
from assistant.quota.counted import build as counted_build
from assistant.quota.importers import claude_code
from assistant.quota.imports import Imports
from assistant.quota.marks import Seen, marks
from assistant.quota.marks import build as marks_build
from assistant.quota.marks import mark as mark_of
from assistant.tokens import TokenUsage

AT = "2026-11-24T12:00:00.000Z"


@pytest.fixture
def imports(tmp_path):
    imports = Imports(tmp_path / "imports.sqlite")
    yield imports
    imports.close()


def write(path, *lines, end="\n", mode="w"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open(mode) as log:
        log.write("".join((line if isinstance(line, str) else json.dumps(line)) + end for line in lines))
    return path


def run(imports, home, client):
    (found,) = imports.run({}, home, [client])
    return found


def counted(imports, *by):
    return {total.key: (total.steps, total.usage) for total in imports.totals(by or ("client",))}


def test_every_importer_offers_what_the_seam_asks():
    for part in discover.parts("assistant.quota.importers"):
        assert (
            part.__name__.rpartition(".")[2].replace("_", "-") == part.CLIENT
        )  # by which it is found without being loaded
        assert part.places({}, Path("/home/u"))
        for kind in part.KINDS.values():
            assert callable(getattr(part, {"lines": "line", "whole": "whole", "base": "base"}[kind]))
        assert getattr(part, "NEEDLES", ()) or "lines" not in part.KINDS.values()


def test_without_logs_nothing_is_said_and_nothing_made(imports, tmp_path):
    assert imports.run({}, tmp_path) == []
    assert imports.totals() == []
    assert not (tmp_path / "imports.sqlite").exists()


# Claude Code.


def claude(number, output=10, request=None, at=AT, **more):
    usage = {
        "input_tokens": 1,
        "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 20,
        "output_tokens": output,
    }
    return {
        "type": "assistant", "timestamp": at, "cwd": "/p", "requestId": f"req_{number}" if request is None else request,
        "message": {"id": f"msg_{number}", "model": "claude-sonnet-5", "usage": usage, "content": [{"type": "text", "text": "x"}]}, **more,
    }  # fmt: skip


def session(home, name="a", project="p"):
    return home / ".claude" / "projects" / project / f"{name}.jsonl"


def test_the_blocks_of_a_reply_count_once_with_the_largest_output(imports, tmp_path):
    write(session(tmp_path), claude(1, output=2), claude(1, output=50), claude(1, output=50), claude(2))
    found = run(imports, tmp_path, "claude-code")
    assert counted(imports) == {("claude-code",): (2, TokenUsage(2, 200, 40, 0, 60))}
    assert (found.uses, found.copies, found.torn) == (2, 2, 0)


def test_what_a_reply_costs_grows_with_it(imports, tmp_path):
    path = write(session(tmp_path), claude(1, output=10, costUSD=0.1), claude(2, costUSD="0.3"), claude(3))
    run(imports, tmp_path, "claude-code")
    write(path, claude(1, output=50, costUSD=0.25), claude(3, costUSD=0.5), claude(1, output=50, costUSD=0.2), mode="a")
    run(imports, tmp_path, "claude-code")
    found = {total.status: (total.steps, total.usage.output, total.amount) for total in imports.totals(("client",))}
    assert found["reported"] == (2, 60, Decimal("0.75"))
    assert found["unknown"] == (1, 10, 0)  # a text is no money, and takes no tokens with it


def test_a_reply_that_grows_between_two_runs_counts_what_it_grew_by(imports, tmp_path):
    write(session(tmp_path), claude(1, output=2))
    run(imports, tmp_path, "claude-code")
    write(session(tmp_path), claude(1, output=50), claude(1, output=50), mode="a")
    run(imports, tmp_path, "claude-code")
    assert counted(imports) == {("claude-code",): (1, TokenUsage(1, 100, 20, 0, 50))}


def test_a_copied_session_adds_only_what_is_new_in_it(imports, tmp_path):
    write(session(tmp_path, "a"), claude(1), claude(2))
    write(session(tmp_path, "b"), claude(1), claude(2), claude(3))
    write(session(tmp_path, "c", "q"), claude(2, isSidechain=True))
    assert run(imports, tmp_path, "claude-code").copies == 3
    write(session(tmp_path, "d"), claude(3), claude(4))
    run(imports, tmp_path, "claude-code")
    assert counted(imports)["claude-code",][0] == 4


def test_a_request_that_was_really_sent_twice_counts_twice(imports, tmp_path):
    """Same message id, other request id: both were billed."""
    write(session(tmp_path), claude(1, request="r1"), claude(1, request="r2"), claude(1, request="r1"))
    run(imports, tmp_path, "claude-code")
    write(session(tmp_path, "copy"), claude(1, request="r2"), claude(1, request="r1"))
    run(imports, tmp_path, "claude-code")
    assert counted(imports)["claude-code",][0] == 2


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("name", ["0", "z"])
def test_the_larger_total_of_a_copied_reply_counts_where_it_stands(imports, tmp_path, at_once, name):
    write(session(tmp_path, "m"), claude(1, output=9, at="2026-11-24T12:59:00Z"), claude(2))
    if not at_once:
        run(imports, tmp_path, "claude-code")
    write(session(tmp_path, name), claude(1, output=30, at="2026-11-24T13:01:00Z"))
    run(imports, tmp_path, "claude-code")
    expected = {
        ("2026-11-24", "12"): (1, TokenUsage(1, 100, 20, 0, 10)),
        ("2026-11-24", "13"): (1, TokenUsage(1, 100, 20, 0, 30)),
    }
    assert counted(imports, "day", "hour") == expected
    assert sorted((span.at.hour, span.steps, span.usage.output) for span in imports.spans(None)) == [
        (12, 1, 10),
        (13, 1, 30),
    ]
    write(session(tmp_path, "y"), claude(1, output=9, at="2026-11-24T12:59:00Z"))
    assert run(imports, tmp_path, "claude-code").copies == 1
    assert counted(imports, "day", "hour") == expected


@pytest.mark.parametrize("request_id", ["req_1", "another", None])
@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("name", ["0", "z"])
def test_a_side_chain_that_repeats_a_message_counts_no_second_time(imports, tmp_path, request_id, at_once, name):
    side = {**claude(1, output=500), "requestId": request_id, "isSidechain": True}
    write(session(tmp_path, name), side, {**side, "requestId": "third"})
    if not at_once:
        run(imports, tmp_path, "claude-code")
        assert counted(imports)["claude-code",] == (1, TokenUsage(1, 100, 20, 0, 500))
    write(session(tmp_path, "m"), claude(1))
    run(imports, tmp_path, "claude-code")
    assert counted(imports)["claude-code",] == (1, TokenUsage(1, 100, 20, 0, 10))


def test_what_is_counted_elsewhere_is_taken_back_from_the_plan_that_it_was_booked_to(imports, tmp_path):
    write(session(tmp_path), claude(1, output=9))
    run(imports, tmp_path, "claude-code")
    imports.attribute(lambda client, provider: "mine")
    write(session(tmp_path, "b"), claude(1, output=30, at="2026-11-24T12:20:00Z"))
    imports.run({}, tmp_path, plan_of=lambda client, provider: "other")
    assert imports.spans("mine") == []
    assert [span.usage.output for span in imports.spans("other")] == [30]
    assert counted(imports, "plan") == {("other",): (1, TokenUsage(1, 100, 20, 0, 30))}


def test_a_reply_whose_instant_cannot_be_read_gives_way_to_one_that_can(imports, tmp_path):
    write(session(tmp_path, "a"), claude(1, output=90, at="some day"))
    assert run(imports, tmp_path, "claude-code").torn == 1
    write(session(tmp_path, "b"), claude(1, output=9), claude(1, output=90, at="some day"))
    run(imports, tmp_path, "claude-code")
    assert counted(imports)["claude-code",] == (1, TokenUsage(1, 100, 20, 0, 9))


# Whatever order lines come in, in whichever files, over however many imports: what counts is what counts.

AN_HOUR = (
    "2026-11-24T12:00:00.000Z",
    "2026-11-24T12:09:59.000Z",
    "2026-11-24T12:10:00.000Z",
    "2026-11-24T14:40:00+01:00",
)


def told(line):
    """Say of a line what decides which of several counts."""
    message, usage = line["message"], line["message"]["usage"]
    at = datetime.fromisoformat(line["timestamp"])
    tokens = (
        usage["input_tokens"], usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"], 0, usage["output_tokens"], 0
    )  # fmt: skip
    cost = line.get("costUSD")
    paid = None if cost is None else Decimal(str(float(cost)))
    where = (int(at.timestamp()) // 600, message["model"], line["cwd"])
    return {
        "tokens": tokens,
        "paid": paid,
        "key": (*where[1:], at.astimezone(UTC).isoformat()[:10], str(at.astimezone(UTC).hour), "unknown" if paid is None else "reported"),
        # The largest is preferred: so what sorts first is turned round.
        "rank": (sum(tokens), -1 if paid is None else paid),
        "late": (*where, tokens),
    }  # fmt: skip


def truth(lines):
    """Count in memory: a dictionary by message and request; one of a side chain by its message."""
    chosen: dict[tuple, dict] = {}
    main = {line["message"]["id"] for line in lines if not line.get("isSidechain")}
    for line in lines:
        name, is_side = line["message"]["id"], line.get("isSidechain")
        if is_side and name in main:
            continue
        key = (name, None if is_side else line.get("requestId") or "")
        new, old = told(line), chosen.get(key)
        if old is None or new["rank"] > old["rank"] or (new["rank"] == old["rank"] and new["late"] < old["late"]):
            chosen[key] = new
    sums: dict[tuple, list] = {}
    for each in chosen.values():
        row = sums.setdefault(each["key"], [0, TokenUsage(), Decimal(0)])
        row[0] += 1
        row[1] += TokenUsage(*each["tokens"])
        row[2] += each["paid"] or 0
    return {key: tuple(row) for key, row in sums.items()}


def found_in(imports):
    names = ("model", "project", "day", "hour")
    return {(*total.key, total.status): (total.steps, total.usage, total.amount) for total in imports.totals(names)}


def a_line(message, request, side, output, cost, at, model, cwd):
    line = claude(message, output=output, request=request, at=at, cwd=cwd, isSidechain=side, costUSD=cost)
    line["message"]["model"] = model
    if request == "":
        del line["requestId"]
    return line


_a_line = st.builds(
    a_line, st.integers(0, 3), st.sampled_from(["r1", "r2", ""]), st.sampled_from([False, False, True]), st.sampled_from([1, 1, 2, 70_000]),
    st.sampled_from([None, None, 0.1, 0.3]), st.sampled_from(AN_HOUR), st.sampled_from(["m1", "m2"]), st.sampled_from(["/p", "/q"]),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(_a_line, st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=14),
    st.permutations(["a", "b", "c", "d"]),
)
def test_imports_equal_the_deduplicated_truth(placed, names):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        imports = Imports(home / "imports.sqlite")
        uses = 0
        for step in range(3):
            for line, file, when in placed:
                if when == step:
                    write(session(home, names[file]), line, mode="a")
            uses += sum(found.uses for found in imports.run({}, home))
        assert found_in(imports) == truth([line for line, _, _ in placed])
        spans = imports.spans(None)
        assert uses == sum(span.steps for span in spans) == sum(total.steps for total in imports.totals())
        assert sum((span.usage for span in spans), TokenUsage()) == sum(
            (total.usage for total in imports.totals()), TokenUsage()
        )
        imports.close()


@pytest.mark.parametrize("seed", range(3))
def test_many_lines_in_any_order_equal_the_deduplicated_truth(tmp_path, seed):
    rnd = random.Random(seed)
    lines = [
        a_line(
            rnd.randrange(2500), rnd.choice(["r1", "r1", "r1", "r2", ""]), rnd.random() < 0.2, rnd.choice([1, 9, 300, 70_000]),
            rnd.choice([None, None, None, 0.25]), f"2026-11-{rnd.randrange(10, 25)}T{rnd.randrange(24):02d}:{rnd.randrange(60):02d}:00.000Z",
            rnd.choice(["m1", "m2"]), rnd.choice(["/p", "/q"]),
        )
        for _ in range(6000)
    ]  # fmt: skip
    lines += rnd.sample(lines, 1000)
    imports = Imports(tmp_path / "imports.sqlite")
    rnd.shuffle(lines)
    for part in (lines[:4000], lines[4000:4010], lines[4010:]):
        for number in range(5):
            write(
                session(tmp_path, f"{rnd.randrange(100)}"),
                *({**line, "pad": "x" * 1500} for line in part[number::5]),
                mode="a",
            )
        run(imports, tmp_path, "claude-code")
    assert found_in(imports) == truth(lines)
    imports.close()


def test_lines_without_ids_are_known_by_what_they_say(imports, tmp_path):
    first, second = claude(1), claude(1, at="2026-11-24T12:00:01.000Z")
    for line in (first, second):
        del line["message"]["id"]
    write(session(tmp_path), first, second)
    write(session(tmp_path, "copy"), first)
    run(imports, tmp_path, "claude-code")
    assert counted(imports)["claude-code",][0] == 2


def test_cache_writes_are_told_apart_by_lifetime_and_costs_are_kept(imports, tmp_path):
    line = claude(1, costUSD=0.125)
    line["message"]["usage"]["cache_creation"] = {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 15}
    write(session(tmp_path), line, claude(2))
    run(imports, tmp_path, "claude-code")
    found = {total.status: total for total in imports.totals(("client",))}
    assert found["reported"].usage == TokenUsage(1, 100, 5, 15, 10)
    assert (found["reported"].amount, found["reported"].currency) == (Decimal("0.125"), "USD")
    assert (found["unknown"].amount, found["unknown"].steps) == (Decimal(0), 1)


@pytest.mark.parametrize(
    "odd",
    [
        "",
        "not json at all",
        '{"type":"assistant","message":{"usage":{"output_tok',
        '{"message":"text that says \\"output_tokens\\""}',
        '{"message":{"usage":null},"output_tokens":1}',
        '{"message":{"usage":{"output_tokens":"many"}},"timestamp":"x"}',
        '{"message":{"usage":{"output_tokens":5},"id":"z"},"timestamp":"the other day"}',
        '{"message":{"usage":{"output_tokens":0},"id":"z"},"timestamp":"2026-11-24T12:00:00Z"}',
        '["output_tokens"]',
        "\x00\x00\x00",
    ],
)
def test_an_odd_line_costs_only_itself(imports, tmp_path, odd):
    write(session(tmp_path), claude(1), odd, claude(2))
    run(imports, tmp_path, "claude-code")
    assert counted(imports)["claude-code",] == (2, TokenUsage(2, 200, 40, 0, 20))


def test_a_mark_before_the_first_letter_costs_no_line(imports, tmp_path):
    path = session(tmp_path)
    write(path, claude(1), claude(2))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    found = run(imports, tmp_path, "claude-code")
    assert (found.uses, found.torn, list(found.notes)) == (2, 0, [])
    write(path, claude(3), mode="a")
    assert run(imports, tmp_path, "claude-code").uses == 1


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"])
def test_an_instant_at_the_edge_of_the_calendar_costs_only_its_line(imports, tmp_path, at):
    write(session(tmp_path), claude(1), claude(2, at=at), claude(3))
    assert run(imports, tmp_path, "claude-code").uses == 2
    assert [(total.key, total.steps) for total in imports.totals(("day",))] == [(("2026-11-24",), 2)]


def test_a_torn_line_is_named_in_numbers(imports, tmp_path):
    write(session(tmp_path), claude(1), '{"message":{"usage":{"output_tokens":1', claude(2))
    assert run(imports, tmp_path, "claude-code").torn == 1


def test_a_line_on_its_way_is_read_when_it_has_come(imports, tmp_path):
    line = json.dumps(claude(2))
    write(session(tmp_path), json.dumps(claude(1)) + "\n" + line[:90], end="")
    assert run(imports, tmp_path, "claude-code").uses == 1
    write(session(tmp_path), line[90:], end="", mode="a")
    assert run(imports, tmp_path, "claude-code").uses == 1
    write(session(tmp_path), "", claude(3), mode="a")
    assert run(imports, tmp_path, "claude-code").uses == 1
    assert counted(imports)["claude-code",][0] == 3


def test_only_what_was_appended_is_read_again(imports, tmp_path):
    write(session(tmp_path, "a"), claude(1))
    write(session(tmp_path, "b"), claude(2))
    run(imports, tmp_path, "claude-code")
    again = run(imports, tmp_path, "claude-code")
    assert (again.files, again.read, again.uses) == (2, 0, 0)
    write(session(tmp_path, "b"), claude(3), mode="a")
    again = run(imports, tmp_path, "claude-code")
    assert (again.read, again.uses, again.copies) == (1, 1, 0)


@pytest.mark.parametrize("again", [[2], [2, 1, 3], [1, 2, 3, 4]])
def test_a_file_that_was_replaced_is_read_anew_and_counts_nothing_twice(imports, tmp_path, again):
    path = write(session(tmp_path), claude(1), claude(2))
    run(imports, tmp_path, "claude-code")
    other = write(tmp_path / "other", *map(claude, again))
    other.replace(path)
    run(imports, tmp_path, "claude-code")
    assert counted(imports)["claude-code",][0] == len({1, 2, *again})


def test_sums_outlive_the_logs(imports, tmp_path):
    path = write(session(tmp_path), claude(1))
    run(imports, tmp_path, "claude-code")
    path.unlink()
    assert run(imports, tmp_path, "claude-code").files == 0
    assert counted(imports)["claude-code",][0] == 1


def test_a_file_is_read_over_many_pieces(imports, tmp_path):
    lines = [claude(number, output=number + 1, padding="é" * (number % 700)) for number in range(3000)]
    write(session(tmp_path), *lines)
    run(imports, tmp_path, "claude-code")
    assert session(tmp_path).stat().st_size > 10 * 65536
    assert counted(imports)["claude-code",] == (3000, TokenUsage(3000, 300_000, 60_000, 0, 3000 * 3001 // 2))


@pytest.mark.parametrize("expected", [0, 1000, 1 << 30])
def test_marks_tell_requests_apart_in_runs(expected):
    found = marks([f"msg_{number:024d}|req_{number:024d}" for number in range(5000)])
    numbers = {mark: number for number, mark in enumerate(found, 1)}

    def known(start, end):
        return {mark: numbers[mark] for mark in found[start:end]}

    assert len(numbers) == 5000
    base = sqlite3.connect(":memory:")
    marks_build(base)
    seen = Seen("a")
    seen.expect(expected)
    assert seen.count(found[:2000], 1) == {}
    assert seen.count(found[1500:2500], 2001) == known(1500, 2000)
    assert (seen.find(found[2499]), seen.find(found[2500])) == (2500, None)
    first = seen.save(base)
    assert first == seen.save(base)  # a write that failed is written again
    assert [run.tolist() for run, _ in first] == [sorted(run) for run, _ in first]
    assert {mark: number for run in first for mark, number in zip(*run, strict=True)} == known(0, 2500)
    seen.commit(first)
    assert seen.count(found[:4000], 2501) == known(0, 2500)
    assert seen.count(found[:4000], 4001) == known(0, 4000)
    assert sorted(chain(*(run for run, _ in seen.save(base)))) == sorted(found[2500:4000])
    again = Seen("a")
    again.open(base)
    assert again.count(found, 4001) == known(0, 4000)
    assert again.count(found, 5001) == known(0, 5000)
    other = Seen("b")
    other.open(base)
    assert other.count(found, 1) == {}


def test_more_marks_than_the_table_was_made_for_keep_their_numbers():
    found = marks([f"msg_{number}" for number in range(40_000)])
    seen = Seen("a")
    for start in range(0, len(found), 1000):
        assert seen.count(found[start : start + 1000], 7 + start) == {}
    seen.add(mark_of("another name"), 3)  # of a row that was counted before the table was made
    assert [seen.find(each) for each in found] == list(range(7, 40_007))
    for each in (*found, mark_of("another name")):  # a few at a time, however many have found no place in the table
        assert seen.count(array("Q", [each]), 50_000) == {each: seen.find(each)}
    base = sqlite3.connect(":memory:")
    marks_build(base)
    seen.commit(seen.save(base))
    assert seen.find(mark_of("another name")) == 3
    assert [seen.find(found[at]) for at in (0, 16_383, 16_384, 39_999)] == [7, 16_390, 16_391, 40_006]


def test_a_row_of_the_book_is_found_again_and_may_change():
    base = sqlite3.connect(":memory:")
    counted_build(base)

    def new():
        book = Book("a", lambda rows: [rows(base)])
        book.open(base)
        return book

    def row(number):
        return Counted(
            number % 7,
            number,
            (number, 0, number << 20 & MOST, 1, 0, 0),
            Decimal(number) / 8 if number % 3 else None,
        )

    book = new()
    numbers = [book.append(row(number)) for number in range(1, 10_001)]
    assert numbers == list(range(1, 10_001))
    changed = {5: row(50), 4096: row(90), 9999: row(12_345), 10_000: row(1)}

    def told(number):
        return changed.get(number) or row(number)

    for number in (5, 10_000):
        book.put(number, changed[number])
    book.save(base)
    book.commit()
    for number in (4096, 9999):
        book.put(number, changed[number])
    for number in range(10_001, 10_101):  # as many short imports leave it
        book.append(row(number))
        book.save(base)
        book.commit()
        book.merge(base)
    assert book.following == 10_101
    assert base.execute("SELECT COUNT(*) FROM counted").fetchone()[0] < 40
    book = new()
    assert book.following == 10_101
    assert [book.get(number) for number in range(1, 10_101)] == [told(number) for number in range(1, 10_101)]


def test_much_is_written_part_by_part(imports, tmp_path):
    line = '{"timestamp":"%s","message":{"id":"%d","usage":{"output_tokens":2}}}'
    for name in ("one", "two"):
        write(session(tmp_path, name), *(line % (AT, number) for number in range(30_000)))
    found = run(imports, tmp_path, "claude-code")
    assert (found.uses, found.copies) == (30_000, 30_000)
    assert counted(imports)["claude-code",] == (30_000, TokenUsage(output=60_000))
    (runs,) = imports.store.read(
        lambda base: base.execute("SELECT length(marks), length(numbers) FROM seen").fetchall()
    )
    assert len(runs) > 1
    assert [sum(lengths) for lengths in zip(*runs, strict=True)] == [30_000 * 8, 30_000 * 4]
    assert run(imports, tmp_path, "claude-code").read == 0


def test_many_runs_become_few_and_forget_nothing(imports, tmp_path):
    for number in range(12):
        write(session(tmp_path, f"s{number}"), claude(number))
        run(imports, tmp_path, "claude-code")
    base = sqlite3.connect(tmp_path / "imports.sqlite")
    assert base.execute("SELECT COUNT(*), SUM(length(marks)) FROM seen").fetchone() == (5, 12 * 8)
    base.close()
    write(session(tmp_path, "copies"), *map(claude, range(13)))
    assert run(imports, tmp_path, "claude-code").copies == 12


@pytest.mark.parametrize(
    ("zone", "at", "day", "hour"),
    [
        ("UTC", "2026-11-24T23:59:59.999Z", "2026-11-24", "23"),
        ("Asia/Kolkata", "2026-11-24T18:29:59Z", "2026-11-24", "23"),
        ("Asia/Kolkata", "2026-11-24T18:30:00Z", "2026-11-25", "0"),
        ("Asia/Kathmandu", "2026-11-24T18:15:00Z", "2026-11-25", "0"),
        ("America/New_York", "2026-11-25T04:59:00Z", "2026-11-24", "23"),
        ("America/New_York", "2026-11-25T06:59:00+02:00", "2026-11-24", "23"),
        ("UTC", "2026-11-24T23:00:00", "2026-11-24", "23"),
    ],
)
def test_a_day_is_one_of_the_users_clock(tmp_path, zone, at, day, hour):
    imports = Imports(tmp_path / "i.sqlite", ZoneInfo(zone))
    write(session(tmp_path), *(claude(number, at=at) for number in range(2)), claude(9, at="2026-11-20T12:00:00Z"))
    run(imports, tmp_path, "claude-code")
    assert (day, hour) in {total.key for total in imports.totals(("day", "hour"))}
    assert next(line for line in imports.hours() if line[0] == day)[:3] == (day, int(hour), 2)
    imports.close()


def test_the_places_may_be_set(imports, tmp_path):
    write(tmp_path / "one" / "projects" / "p" / "a.jsonl", claude(1))
    write(tmp_path / "two" / "projects" / "p" / "a.jsonl", claude(2))
    env = {"CLAUDE_CONFIG_DIR": f"{tmp_path / 'one'}, {tmp_path / 'two'}"}
    assert [found.uses for found in imports.run(env, tmp_path)] == [2]


def test_links_lead_nowhere(imports, tmp_path):
    write(session(tmp_path), claude(1))
    (session(tmp_path).parent / "loop").symlink_to(session(tmp_path).parent)
    (session(tmp_path).parent / "b.jsonl").symlink_to(session(tmp_path))
    assert run(imports, tmp_path, "claude-code").files == 1


# Codex.


def codex(total, last=None, at=AT, limits=None):
    def counts(each):
        return dict(
            zip(("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens"), each, strict=True)
        )

    info = None if total is None else {"total_token_usage": counts(total), "last_token_usage": last and counts(last)}
    return {
        "timestamp": at,
        "type": "event_msg",
        "payload": {"type": "token_count", "info": info, "rate_limits": limits},
    }


def meta(name, **more):
    return {"timestamp": AT, "type": "session_meta", "payload": {"id": name, "cwd": "/p", **more}}


def context(model="gpt-5.5", **more):
    return {"timestamp": AT, "type": "turn_context", "payload": {"model": model, **more}}


def rollout(home, name="a"):
    return home / ".codex" / "sessions" / "2026" / "11" / "24" / f"rollout-{name}.jsonl"


def test_counters_that_grow_become_what_each_request_used(imports, tmp_path):
    write(
        rollout(tmp_path), meta("a"), context(),
        codex((100, 40, 20, 5), (100, 40, 20, 5)), codex((250, 140, 50, 10), (150, 100, 30, 5)),
        context("gpt-5.5-mini", cwd="/q"), codex((260, 140, 55, 10), (10, 0, 5, 0)),
    )  # fmt: skip
    run(imports, tmp_path, "codex")
    assert counted(imports, "model", "project") == {
        ("gpt-5.5", "/p"): (2, TokenUsage(110, 140, 0, 0, 40, 10)),
        ("gpt-5.5-mini", "/q"): (1, TokenUsage(10, 0, 0, 0, 5)),
    }


def test_the_provider_is_the_one_that_a_session_names(imports, tmp_path):
    write(rollout(tmp_path), meta("a", model_provider="ollama"), context("qwen"), codex((100, 0, 20, 0)))
    write(rollout(tmp_path, "b"), meta("b"), context(), codex((70, 0, 20, 0), at="2026-11-24T15:00:00Z"))
    run(imports, tmp_path, "codex")
    write(rollout(tmp_path), codex((140, 0, 20, 0), at="2026-11-24T13:00:00Z"), mode="a")
    run(imports, tmp_path, "codex")  # its beginning is not read again
    assert counted(imports, "provider") == {
        ("ollama",): (2, TokenUsage(140, 0, 0, 0, 20)),
        ("openai",): (1, TokenUsage(70, 0, 0, 0, 20)),
    }


def test_an_event_told_again_counts_once(imports, tmp_path):
    first = codex((100, 0, 20, 0), (100, 0, 20, 0))
    write(
        rollout(tmp_path),
        meta("a"),
        context(),
        first,
        codex(None, limits={"primary": {}}),
        {**first, "timestamp": "2026-11-24T12:00:09Z"},
    )
    run(imports, tmp_path, "codex")
    write(
        rollout(tmp_path),
        {**first, "timestamp": "2026-11-24T12:01:09Z"},
        codex((110, 0, 20, 0), (10, 0, 0, 0)),
        mode="a",
    )
    run(imports, tmp_path, "codex")
    assert counted(imports)["codex",] == (2, TokenUsage(110, 0, 0, 0, 20))


def test_without_a_last_count_totals_are_told_by_how_they_grow(imports, tmp_path):
    write(
        rollout(tmp_path), meta("a"), context(), codex((100, 0, 20, 0)), codex((100, 0, 20, 0)), codex((175, 50, 25, 0))
    )
    run(imports, tmp_path, "codex")
    write(rollout(tmp_path), codex((180, 50, 25, 0), at="2026-11-24T13:00:00Z"), mode="a")
    run(imports, tmp_path, "codex")
    assert counted(imports)["codex",] == (3, TokenUsage(130, 50, 0, 0, 25))


def test_counters_of_several_agents_in_one_file_never_inflate(imports, tmp_path):
    """Two agents take turns; each total restarts from its own. 1,000 and 120 were used."""
    one = [(400, 0, 0, 0), (700, 0, 0, 0), (1000, 0, 0, 0)]
    two = [(40, 0, 0, 0), (80, 0, 0, 0), (120, 0, 0, 0)]
    lasts = {
        **dict(zip(one, ((400, 0, 0, 0), (300, 0, 0, 0), (300, 0, 0, 0)), strict=True)),
        **dict.fromkeys(two, (40, 0, 0, 0)),
    }
    turns = [one[0], two[0], one[1], two[1], two[2], one[2]]
    write(rollout(tmp_path), meta("a"), context(), *(codex(total, lasts[total]) for total in turns))
    run(imports, tmp_path, "codex")
    assert counted(imports)["codex",] == (6, TokenUsage(1120))
    write(rollout(tmp_path, "b"), meta("b"), context(), *(codex(total, at="2026-11-24T15:00:00Z") for total in turns))
    run(imports, tmp_path, "codex")
    assert (
        counted(imports)["codex",][1].fresh_input == 2120
    )  # no last counts: the larger agent's, never more than there was


@pytest.mark.parametrize("new_times", [False, True])
@pytest.mark.parametrize("how", ["forked_from_id", "thread_spawn", "copied meta"])
def test_a_fork_adds_only_its_own(imports, tmp_path, how, new_times):
    mine = [codex((100, 0, 20, 0), (100, 0, 20, 0)), codex((200, 0, 40, 0), (100, 0, 20, 0))]
    write(rollout(tmp_path, "1"), meta("one"), context(), *mine)
    told = [{**each, "timestamp": "2026-11-24T14:00:00.000Z"} for each in mine] if new_times else mine
    head = {
        "forked_from_id": [meta("two", forked_from_id="one")],
        "thread_spawn": [meta("two", source={"subagent": {"thread_spawn": {"parent_thread_id": "one"}}})],
        "copied meta": [meta("two"), meta("one")],
    }[how]
    write(rollout(tmp_path, "2"), *head, context(), *told, codex((230, 0, 41, 0), (30, 0, 1, 0)))
    write(
        rollout(tmp_path, "3"),
        meta("three", forked_from_id="two"),
        context(),
        *told,
        codex((230, 0, 41, 0), (30, 0, 1, 0)),
    )
    found = run(imports, tmp_path, "codex")
    assert counted(imports)["codex",] == (3, TokenUsage(230, 0, 0, 0, 41))
    assert found.copies == 5


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_a_family_of_forks_is_counted_the_same_in_whatever_order_it_is_read(imports, tmp_path, order):
    """Each begins with the events of the one before it, under new instants, and adds one; the last forks the second."""
    files, events = [], []
    for generation, parent in enumerate((None, 0, 1, 1)):
        head = meta(f"s{generation}") if parent is None else meta(f"s{generation}", forked_from_id=f"s{parent}")
        events.append(
            [
                *([] if parent is None else events[parent]),
                ((generation + 1) * 1000 + generation, 0, 10, 0),
            ]
        )
        at = f"2026-11-24T{10 + generation}:00:00.000Z"
        files.append([head, context(), *(codex(total, (100 + total[0], 0, 5, 0), at=at) for total in events[-1])])
    for number in order:
        write(rollout(tmp_path, f"{number}"), *files[number])
        if number % 2:
            run(imports, tmp_path, "codex")
    run(imports, tmp_path, "codex")
    own = [total[-1] for total in events]
    assert counted(imports, "hour") == {
        (f"{10 + number}",): (1, TokenUsage(min(100 + total[0], total[0]), 0, 0, 0, 5))
        for number, total in enumerate(own)
    }


def test_an_event_that_shows_two_to_be_one_leaves_one(imports, tmp_path):
    """Nobody says that the second session is a copy of the first, until a line has the name of one and the instant of the other."""
    event, later = codex((100, 0, 20, 0), (100, 0, 20, 0)), "2026-11-24T14:00:00.000Z"
    write(rollout(tmp_path, "1"), meta("one"), context(), event)
    write(rollout(tmp_path, "2"), meta("two"), context(), {**event, "timestamp": later})
    assert run(imports, tmp_path, "codex").uses == 2
    write(rollout(tmp_path, "3"), meta("two"), context(), event)
    assert run(imports, tmp_path, "codex").uses == -1
    assert counted(imports, "hour") == {("12",): (1, TokenUsage(100, 0, 0, 0, 20))}
    write(rollout(tmp_path, "4"), meta("one"), context(), {**event, "timestamp": later})
    assert run(imports, tmp_path, "codex").uses == 0


def test_two_sessions_that_begin_alike_are_two(imports, tmp_path):
    event = codex((100, 0, 20, 0), (100, 0, 20, 0))
    write(rollout(tmp_path, "1"), meta("one"), context(), event)
    write(rollout(tmp_path, "2"), meta("two"), context(), {**event, "timestamp": "2026-11-24T12:00:01.000Z"})
    run(imports, tmp_path, "codex")
    assert counted(imports)["codex",][0] == 2


def test_the_newest_limits_of_the_plan_come_along(imports, tmp_path):
    limits = {"primary": {"used_percent": 7.0, "window_minutes": 300}}
    write(
        rollout(tmp_path),
        meta("a"),
        codex(None, limits={"old": 1}),
        codex(None, limits=limits, at="2026-11-24T12:30:00Z"),
    )
    found = run(imports, tmp_path, "codex")
    ((text, seen_at),) = found.limits
    assert (json.loads(text), seen_at) == (limits, datetime(2026, 11, 24, 12, 30, tzinfo=UTC))
    assert run(imports, tmp_path, "codex").limits == found.limits


def test_the_limits_of_one_model_stand_beside_those_of_the_plan(imports, tmp_path):
    own = {"limit_id": "codex", "primary": {"used_percent": 12.0, "window_minutes": 300}}
    spark = {"limit_id": "codex_bengalfox", "limit_name": "Spark", "primary": {"used_percent": 97.0}}
    late = "2026-11-24T12:30:00Z"
    write(rollout(tmp_path), meta("a"), codex(None, limits=own), codex(None, limits=spark, at=late))
    found = run(imports, tmp_path, "codex")
    assert [json.loads(text) for text, _ in found.limits] == [own, spark]
    write(rollout(tmp_path), codex(None, limits={**spark, "primary": None}, at="2026-11-24T12:40:00Z"), mode="a")
    assert [json.loads(text)["primary"] for text, _ in run(imports, tmp_path, "codex").limits] == [own["primary"], None]


# Gemini CLI.


def gemini(number, tokens, **more):
    return {
        "id": f"m{number}",
        "timestamp": AT,
        "type": "gemini",
        "model": "gemini-3-pro",
        "content": "x",
        "tokens": tokens,
        **more,
    }


INSIDE = {"input": 1000, "output": 50, "cached": 800, "thoughts": 30, "tool": 20, "total": 1100}
APART = {**INSIDE, "total": 1900}


def chats(home, name):
    return home / ".gemini" / "tmp" / "abc123" / "chats" / name


@pytest.mark.parametrize(("tokens", "fresh"), [(INSIDE, 220), (APART, 1020), ({**INSIDE, "total": None}, 220)])
def test_what_was_cached_is_inside_the_prompt_unless_the_total_says_otherwise(imports, tmp_path, tokens, fresh):
    write(
        chats(tmp_path, "session-1.json"),
        {"sessionId": "s", "messages": [{"type": "user", "id": "u"}, gemini(1, tokens)]},
    )
    run(imports, tmp_path, "gemini-cli")
    assert counted(imports, "model", "project") == {
        ("gemini-3-pro", "abc123"): (1, TokenUsage(fresh, 800, 0, 0, 50, 30))
    }


def test_a_session_written_again_whole_adds_its_new_messages(imports, tmp_path):
    path = chats(tmp_path, "session-1.json")
    write(path, {"sessionId": "s", "messages": [gemini(1, INSIDE), gemini(2, None)]})
    run(imports, tmp_path, "gemini-cli")
    write(
        path,
        {"sessionId": "s", "messages": [gemini(1, {**INSIDE, "output": 60}), gemini(2, INSIDE), gemini(3, INSIDE)]},
    )
    run(imports, tmp_path, "gemini-cli")
    assert counted(imports)["gemini-cli",] == (3, TokenUsage(660, 2400, 0, 0, 160, 90))


def test_a_session_of_lines_with_updates_counts_each_message_once(imports, tmp_path):
    lines = [
        {"sessionId": "s", "projectHash": "abc"},
        gemini(1, {**INSIDE, "output": 1}),
        {"$set": {"lastUpdated": AT}},
        gemini(1, INSIDE),
        gemini(2, INSIDE),
    ]
    write(chats(tmp_path, "session-1.jsonl"), *lines)
    run(imports, tmp_path, "gemini-cli")
    assert counted(imports)["gemini-cli",] == (2, TokenUsage(440, 1600, 0, 0, 100, 60))


@pytest.mark.parametrize("late", [False, True])
def test_a_session_in_its_old_and_its_new_form_counts_the_larger_of_both(imports, tmp_path, late):
    write(
        chats(tmp_path, "session-1.json"),
        {"sessionId": "s", "messages": [gemini(1, {**INSIDE, "output": 60}), gemini(2, INSIDE)]},
    )
    if late:
        run(imports, tmp_path, "gemini-cli")
    lines = [
        gemini(1, INSIDE),
        gemini(2, {**INSIDE, "output": 70}),
        *(gemini(number, INSIDE) for number in range(3, 60)),
    ]
    path = write(chats(tmp_path, "session-1.jsonl"), {"sessionId": "s"}, *lines)
    run(imports, tmp_path, "gemini-cli")
    write(path, gemini(3, {**INSIDE, "output": 51}), mode="a")  # one that was written long before it grows
    run(imports, tmp_path, "gemini-cli")
    assert counted(imports)["gemini-cli",] == (
        59,
        TokenUsage(59 * 220, 59 * 800, 0, 0, 56 * 50 + 60 + 70 + 51, 59 * 30),
    )


def test_what_lies_beside_the_sessions_is_neither_read_nor_torn(imports, tmp_path):
    write(chats(tmp_path, "session-1.json"), {"sessionId": "t", "messages": [gemini(1, INSIDE)]})
    beside = tmp_path / ".gemini" / "tmp" / "abc123"
    write(beside / "logs.json", [{"sessionId": "t", "messageId": 0, "message": "hello"}])
    write(beside / "checkpoint-tag.json", [{"role": "user", "parts": []}])
    write(chats(tmp_path, "notes.json"), [1, 2])  # whole, and nothing of ours
    found = run(imports, tmp_path, "gemini-cli")
    assert (found.files, found.torn) == (2, 0)
    assert counted(imports)["gemini-cli",][0] == 1


def test_a_torn_session_is_left_out_and_named(imports, tmp_path):
    write(chats(tmp_path, "session-1.json"), '{"sessionId":"s","messages":[{"type":"gem')
    write(chats(tmp_path, "session-2.json"), {"sessionId": "t", "messages": [gemini(1, INSIDE)]})
    assert run(imports, tmp_path, "gemini-cli").torn == 1
    assert counted(imports)["gemini-cli",][0] == 1


def test_a_window_whose_chunks_another_has_put_together_begins_anew(imports, tmp_path):
    log = tmp_path / ".claude" / "projects" / "p" / "s.jsonl"
    for number in range(31):  # each short import leaves a short chunk
        write(log, claude(number), mode="a")
        run(imports, tmp_path, "claude-code")
    book = Book("claude-code", imports.store.read)
    imports.store.read(book.open)
    write(log, claude(31), mode="a")
    run(imports, tmp_path, "claude-code")  # another window: this one puts them together
    with pytest.raises(Overtaken):
        book.get(20)


# opencode.


def message(number, output=10, done=True, created=1_795_521_600_000, **more):
    return {
        "id": f"msg_{number}", "role": "assistant", "modelID": "glm-5.3", "providerID": "zai", "cost": 0.002,
        "tokens": {"input": 5, "output": output, "reasoning": 3, "cache": {"read": 100, "write": 7}},
        "time": {"created": created, **({"completed": created + 9} if done else {})}, "path": {"cwd": "/p/sub", "root": "/p"}, **more,
    }  # fmt: skip


def store(home, *messages):
    path = home / ".local" / "share" / "opencode" / "opencode.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    base = sqlite3.connect(path)
    base.execute(
        "CREATE TABLE IF NOT EXISTS message (id TEXT PRIMARY KEY, session_id TEXT, time_created INTEGER, data TEXT)"
    )
    for each in messages:
        data = {name: value for name, value in each.items() if name != "id"}
        base.execute("INSERT OR IGNORE INTO message VALUES (?, 's', 0, '{}')", (each["id"],))
        base.execute("UPDATE message SET data = ? WHERE id = ?", (json.dumps(data), each["id"]))
    base.commit()
    base.close()
    return path


def test_messages_are_read_from_the_database_and_each_once(imports, tmp_path):
    store(tmp_path, {"id": "u", "role": "user"}, message(1), message(2))
    run(imports, tmp_path, "opencode")
    store(tmp_path, message(3))
    assert run(imports, tmp_path, "opencode").uses == 1
    (total,) = imports.totals(("provider", "model", "project"))
    assert (total.key, total.steps, total.usage, total.amount) == (
        ("zai", "glm-5.3", "/p"), 3, TokenUsage(15, 300, 21, 0, 30, 9), Decimal("0.006"),
    )  # fmt: skip


@pytest.mark.parametrize("odd", [None, 5, 1.5, b"\xff\xfe", '{"role": 5}', "{", ""])
def test_a_row_that_holds_no_message_is_passed_over(imports, tmp_path, odd):
    path = store(tmp_path, message(1), message(2))
    base = sqlite3.connect(path)
    base.execute("INSERT INTO message VALUES ('odd', 's', 0, ?)", (odd,))
    base.commit()
    base.close()
    store(tmp_path, message(3))
    found = run(imports, tmp_path, "opencode")
    assert (found.uses, found.notes) == (3, [])


@pytest.mark.parametrize("cost", ["nan", "inf", "-inf", "Infinity"])
def test_a_cost_that_is_no_number_is_no_money(imports, tmp_path, cost):
    store(tmp_path, message(1), message(2, cost=cost))
    run(imports, tmp_path, "opencode")
    totals = imports.totals(("provider",))
    assert (sum(each.steps for each in totals), sum(each.amount for each in totals)) == (2, Decimal("0.002"))


def test_a_reply_that_was_not_complete_is_read_again(imports, tmp_path):
    store(tmp_path, message(1), message(2, output=1, done=False), message(3))
    run(imports, tmp_path, "opencode")
    store(tmp_path, message(2, output=90))
    run(imports, tmp_path, "opencode")
    assert counted(imports)["opencode",] == (3, TokenUsage(15, 300, 21, 0, 110, 9))


def test_a_reply_that_was_completed_late_is_known_in_a_fork(imports, tmp_path):
    """It has its name of instants and counts only from then on, and many came since it was first read."""
    created = [1_795_521_600_123 + 1009 * number for number in range(60)]
    store(
        tmp_path,
        *(
            message(number, output=1 + 9 * (number > 0), done=number > 0, created=at)
            for number, at in enumerate(created)
        ),
    )
    run(imports, tmp_path, "opencode")
    store(tmp_path, message(0, created=created[0]))
    run(imports, tmp_path, "opencode")
    store(tmp_path, {**message(0, created=created[0]), "id": "msg_fork"})
    run(imports, tmp_path, "opencode")
    assert counted(imports)["opencode",] == (60, TokenUsage(300, 6000, 420, 0, 600, 180))


def test_old_files_and_their_migrated_rows_are_the_same_messages(imports, tmp_path):
    root = tmp_path / ".local" / "share" / "opencode" / "storage"
    write(root / "message" / "ses_1" / "msg_1.json", message(1))
    write(root / "part" / "msg_1" / "prt.json", {"tokens": {"input": 9}, "role": "assistant"})
    run(imports, tmp_path, "opencode")
    store(tmp_path, message(1), message(2))
    run(imports, tmp_path, "opencode")
    assert counted(imports)["opencode",][0] == 2


@pytest.mark.parametrize("what", ["not a database", "no such table", "odd rows"])
def test_a_database_that_cannot_be_read_is_named_and_left(imports, tmp_path, what):
    path = store(tmp_path, message(1))
    if what == "not a database":
        path.write_bytes(b"x" * 5000)
    else:
        base = sqlite3.connect(path)
        base.execute("DROP TABLE message" if what == "no such table" else "UPDATE message SET data = '{\"time'")
        base.commit()
        base.close()
    before = path.read_bytes()
    found = run(imports, tmp_path, "opencode")
    assert bool(found.notes) == (what != "odd rows")
    assert (path.read_bytes(), found.uses) == (before, 0)


# All together.


def test_clients_do_not_share_their_marks(imports, tmp_path):
    write(session(tmp_path), claude(1))
    store(tmp_path, message(1, id="msg_1|req_1"))
    assert [found.uses for found in imports.run({}, tmp_path)] == [1, 1]


def test_a_damaged_index_is_set_aside_and_the_logs_are_read_again(imports, tmp_path):
    write(session(tmp_path), claude(1))
    run(imports, tmp_path, "claude-code")
    imports.close()
    (tmp_path / "imports.sqlite").write_bytes(zlib.compress(b"x" * 90000) * 50)
    again = Imports(tmp_path / "imports.sqlite")
    run(again, tmp_path, "claude-code")
    assert counted(again)["claude-code",][0] == 1
    assert again.warnings
    again.close()


def test_where_nothing_can_be_written_logs_are_still_counted(tmp_path):
    (tmp_path / "file").write_text("in the way")
    imports = Imports(tmp_path / "file" / "i.sqlite")
    write(session(tmp_path), claude(1), claude(2))
    run(imports, tmp_path, "claude-code")
    assert counted(imports)["claude-code",][0] == 2


def test_sums_of_the_first_version_are_kept_and_gain_plans(imports, tmp_path):
    write(session(tmp_path, "one"), claude(1), claude(2))
    run(imports, tmp_path, "claude-code")
    before = counted(imports)
    imports.close()
    base = sqlite3.connect(tmp_path / "imports.sqlite")
    columns = [row[1] for row in base.execute("PRAGMA table_info(used)") if row[1] != "plan"]
    base.execute(f"CREATE TABLE old AS SELECT {', '.join(columns)} FROM used")
    for words in ("DROP TABLE used", "DROP TABLE spans", "ALTER TABLE old RENAME TO used", "PRAGMA user_version = 1"):
        base.execute(words)
    base.commit()
    base.close()
    again = Imports(tmp_path / "imports.sqlite")
    assert counted(again) == before
    write(session(tmp_path, "two"), claude(3), claude(3))
    (found,) = again.run({}, tmp_path, ["claude-code"], plan_of=lambda client, provider: f"{client} of {provider}")
    assert (found.uses, found.copies) == (1, 1)
    assert [(span.steps, span.client) for span in again.spans("claude-code of anthropic")] == [(1, "claude-code")]
    again.attribute(lambda client, provider: "later")
    assert [total.key for total in again.totals(("plan",))] == [("claude-code of anthropic",), ("later",)]
    assert counted(again)["claude-code",][0] == 3
    again.close()


def test_a_file_of_the_second_version_keeps_all_and_gains_its_index(imports, tmp_path):
    write(session(tmp_path), claude(1), claude(2))
    imports.run({}, tmp_path, plan_of=lambda client, provider: f"{client}-{provider}")
    before = imports.totals(("model", "project", "day", "hour", "plan")), imports.spans("claude-code-anthropic")
    files = imports.store.read(lambda base: base.execute("SELECT * FROM files").fetchall())
    for words in ("DROP INDEX files_read", "PRAGMA user_version = 2"):
        imports.store.write(lambda base, words=words: base.execute(words))
    imports.close()
    again = Imports(imports.store.path)
    assert (again.totals(("model", "project", "day", "hour", "plan")), again.spans("claude-code-anthropic")) == before
    assert again.store.read(lambda base: base.execute("SELECT * FROM files").fetchall()) == files
    query = "SELECT name FROM sqlite_master WHERE type = 'index' AND name = 'files_read'"
    assert again.store.read(lambda base: base.execute(query).fetchall()) == [[("files_read",)]]
    assert again.store.read(lambda base: base.execute("PRAGMA user_version").fetchone()[0]) == [6]
    # Nothing is read or counted a second time: not a file as it was, not one that grew, not a copy of what came since.
    assert again.run({}, tmp_path)[0].read == 0
    write(session(tmp_path), claude(1), claude(2), claude(3))
    write(session(tmp_path, "fork"), claude(3), claude(4))
    (found,) = again.run({}, tmp_path)
    assert (found.read, found.uses, found.copies) == (2, 2, 1)
    assert again.totals(("client",))[0].steps == 4
    again.close()


def test_tens_of_minutes_hold_what_hours_hold(tmp_path):
    imports = Imports(tmp_path / "imports.sqlite", ZoneInfo("Asia/Kathmandu"))
    times = ("10:09:59.5Z", "10:10:00Z", "10:14:59Z", "10:15:00Z", "10:19:00Z", "16:04:00+05:45")
    write(
        session(tmp_path, "one"),
        *({**claude(number), "timestamp": f"2026-11-24T{at}"} for number, at in enumerate(times)),
    )
    imports.run({}, tmp_path, ["claude-code"], plan_of=lambda client, provider: "mine")
    assert [(each.at.isoformat()[11:19], each.until.isoformat()[11:16], each.steps) for each in imports.spans("mine")] == [
        ("10:09:59", "10:10", 1), ("10:10:00", "10:20", 5),
    ]  # fmt: skip
    assert imports.hours() == [("2026-11-24", 15, 3, 393), ("2026-11-24", 16, 3, 393)]
    imports.close()


def test_a_fork_of_a_session_has_its_messages_under_new_names(imports, tmp_path):
    store(tmp_path, message(1, created=1_795_521_600_123), message(2, created=1_795_521_601_456))
    assert run(imports, tmp_path, "opencode").uses == 2
    store(tmp_path, {**message(1, created=1_795_521_600_123), "id": "msg_9"}, message(3, created=1_795_521_602_789))
    found = run(imports, tmp_path, "opencode")
    assert (found.uses, found.copies) == (1, 2)  # the other copy is the row that was read last
    assert counted(imports)["opencode",][0] == 3


def test_what_a_client_has_only_written_ahead_is_read(imports, tmp_path):
    path = tmp_path / ".local" / "share" / "opencode" / "opencode.db"
    store(tmp_path, message(1))
    with sqlite3.connect(path, isolation_level=None) as base:
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA wal_autocheckpoint=0")
        assert run(imports, tmp_path, "opencode").uses == 1
        size = path.stat().st_size
        base.execute("INSERT INTO message VALUES ('msg_2', 's', 0, ?)", (json.dumps(message(2)),))
        assert path.stat().st_size == size
        assert run(imports, tmp_path, "opencode").uses == 1
        assert run(imports, tmp_path, "opencode").read == 0
    assert counted(imports)["opencode",][0] == 2


def test_a_log_that_was_cut_and_written_on_is_read_from_its_start(imports, tmp_path):
    lines = [claude(number, extra="x" * 300) for number in range(8)]
    write(session(tmp_path), *lines)
    assert run(imports, tmp_path, "claude-code").uses == 8
    write(session(tmp_path), *lines[:2], claude("new", extra="y" * 4000), *lines[2:])
    assert run(imports, tmp_path, "claude-code").uses == 1
    assert counted(imports)["claude-code",][0] == 9


@pytest.mark.parametrize("many", [1, 5000])
def test_nobody_has_used_less_than_nothing(imports, tmp_path, many):
    usage = {"input_tokens": -5, "output_tokens": 7, "cache_read_input_tokens": -1}
    odd = {**claude("odd"), "message": {"id": "odd", "model": "m", "usage": usage}}
    write(session(tmp_path), odd, *(claude(number, extra="x" * 1000) for number in range(many)))
    run(imports, tmp_path, "claude-code")
    assert imports.totals(("model",))[-1].usage.fresh_input >= 0
    assert counted(imports, "model")["m",] == (1, TokenUsage(output=7))


def test_a_reply_that_grew_costs_what_its_last_block_says(imports, tmp_path):
    write(session(tmp_path), {**claude(1, output=3), "costUSD": 0.1}, {**claude(1, output=50), "costUSD": 0.2})
    run(imports, tmp_path, "claude-code")
    (total,) = imports.totals(("client",))
    assert (total.usage.output, total.amount) == (50, Decimal("0.2"))


def test_windows_that_read_the_same_logs_at_once_count_each_request_once(tmp_path):
    write(session(tmp_path), *map(claude, range(300)))
    windows = [Imports(tmp_path / "imports.sqlite") for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda each: run(each, tmp_path, "claude-code").uses, windows))
    assert sum(found) == 300
    assert counted(windows[0])["claude-code",][0] == 300
    for each in windows:
        each.close()


# Few lines are read by Python's own JSON, many at once by a quicker one.

_texts = st.one_of(st.none(), st.text(max_size=8), st.just("2026-11-24T12:00:00Z"), st.integers())
_numbers = st.one_of(st.none(), st.integers(0, 1 << 40), st.booleans(), st.text(max_size=3))
_usages = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "other"),
            _numbers,
        ),
        "cache_creation": st.one_of(
            st.none(), st.integers(), st.fixed_dictionaries({}, optional={"ephemeral_1h_input_tokens": _numbers})
        ),
    },
)
_lines = st.fixed_dictionaries(
    {},
    optional={
        "timestamp": _texts, "requestId": _texts, "cwd": _texts, "extra": st.lists(_texts, max_size=2),
        "isSidechain": st.one_of(st.none(), st.booleans(), st.text(max_size=3)),
        "costUSD": st.one_of(st.none(), st.integers(0, 99), st.floats(0, 99), st.text(max_size=2), st.booleans()),
        "message": st.one_of(
            st.none(), _texts, st.fixed_dictionaries({}, optional={"id": _texts, "model": _texts, "usage": st.one_of(st.none(), _usages)})
        ),
    },
)  # fmt: skip


@given(st.one_of(_lines, st.lists(_texts, max_size=2)), st.booleans())
def test_both_readers_of_a_line_tell_the_same(value, escaped):
    raw = json.dumps(value, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    told: dict[str, tuple] = {}
    try:
        again = claude_code.lines(raw, told)
    except msgspec.DecodeError:
        return  # then all lines around it are read one by one, by the other
    assert claude_code.line(raw, {}, {}) == next(iter((*told.values(), *again)), None)


def test_many_lines_are_read_as_few_are(tmp_path):
    padding = "x" * 2000
    lines = [claude(number, output=number + 1, extra=padding) for number in range(3000)]
    lines[7:7] = [
        '{"message":{"usage":{"output_tokens":1',
        claude(5, output=9000),
        claude(6, request="other"),
        '{"message":{"usage":{"output_tokens":"many"}}}',
    ]
    results = []
    for name, step in (("many", len(lines)), ("few", 400)):
        home = tmp_path / name
        imports = Imports(home / "imports.sqlite")
        found = []
        for first in range(0, len(lines), step):
            write(session(home), *lines[first : first + step], mode="a")
            found.append(run(imports, home, "claude-code"))
        results.append(
            (counted(imports), [sum(getattr(each, count) for each in found) for count in ("uses", "copies", "torn")])
        )
        imports.close()
    assert results[0] == results[1]
    assert results[0][1] == [3001, 1, 1]


@pytest.mark.parametrize("odd", [b'"\xff\xfe"', b'"\\ud800"', b"NaN", b"[" * 100_000, b"1e999", b"9" * 5000])
def test_what_only_one_reader_takes_costs_only_itself(imports, tmp_path, odd):
    good = json.dumps(claude(1)).encode()
    path = write(session(tmp_path))
    path.write_bytes(
        good
        + b"\n"
        + json.dumps(claude(2))[:-1].encode()
        + b', "cwd": '
        + odd
        + b"}\n"
        + json.dumps(claude(3)).encode()
        + b"\n"
    )
    found = run(imports, tmp_path, "claude-code")
    assert (found.uses, found.torn) in {(2, 1), (3, 0), (2, 0)}
    assert counted(imports)["claude-code",][0] == found.uses
