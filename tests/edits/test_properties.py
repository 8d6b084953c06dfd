"""What holds for every reply and every patch, whatever they are."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.edits.edit import Edit, Misfit
from assistant.edits.file_patch import FilePatch
from assistant.edits.format import open_parser
from assistant.edits.match import describe, fit
from assistant.edits.patch import Patch
from tests.edits.mutations import FAMILIES, case
from tests.edits.turning import back

RELIED_ON = settings(deadline=None, max_examples=120)
NAMES = [name for name in FAMILIES if "large-file" not in name]
LINES = [
    "a.py", "`b.py`", "```", "```python", "````", "~~~", "<source>", "</source>", "```diff", "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "--- a/a.py", "+++ b/a.py", "+++ /dev/null", "--- /dev/null",
    "@@ -1,2 +1,2 @@", "@@", "@@ def f", "diff --git a/a.py b/a.py", "new file mode 100644", "new file mode 120000", "rename from a.py", "rename to b.py", "GIT binary patch", "*** Begin Patch", "*** Update File: a.py",
    "*** Add File: c.py", "*** Delete File: a.py", "*** Move to: d.py", "*** End of File", "*** End Patch", "+x", "-a", " a", "a", "b", "", "  b", "...", "# ... existing code ...", "\\ No newline at end of file", "1 | a", "words and words.",
]  # fmt: skip
REPLIES = st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=12)), max_size=30).map("\n".join)
BODY = b"a\nb\n\nc\na\n  b\n"


def parse(reply, cuts=()):
    parser = open_parser()
    found, done = [], 0
    for cut in (*cuts, len(reply)):
        found += parser.feed(reply[done:cut])
        done = cut
    return [*found, *parser.close()]


def seen(found):
    """Edits as they compare; ranges and lists of line numbers alike."""
    return [
        (
            type(each).__name__,
            repr(getattr(each, "edit", each)).replace("after_lines=range", ""),
            getattr(each, "reason", ""),
        )
        for each in found
    ]


@RELIED_ON
@given(REPLIES, st.data())
def test_a_reply_reads_the_same_however_it_is_cut(reply, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(reply)), max_size=12)))
    assert seen(parse(reply, cuts)) == seen(parse(reply))
    assert seen(parse(reply, range(len(reply)))) == seen(parse(reply))


@RELIED_ON
@given(REPLIES)
def test_no_reply_raises_and_what_is_found_can_be_told(reply):
    files = {"a.py": (BODY, 0o644), "b.py": (b"", 0o644)}
    found = parse(reply)
    fitted = fit([each for each in found if isinstance(each, Edit)], files.get)
    for each in (*fitted.misfits, *(each for each in found if isinstance(each, Misfit))):
        assert each.message
        assert each.hint in describe(each)
    assert isinstance(fitted.patch.diff(), str)
    for hunk in fitted.patch.hunks:
        assert hunk.header
        assert sum(each.kind != "+" for each in hunk.lines) == hunk.old_count


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(NAMES), st.integers(0, 50), st.data())
def test_any_prefix_of_a_spoilt_answer_parses_and_what_was_whole_stays(name, seed, data):
    made = case(name, seed)
    reply = made.reply.decode("utf-8", "surrogateescape")
    cut = data.draw(st.integers(0, len(reply)))
    parser = open_parser()
    early = parser.feed(reply[:cut])
    late = parser.feed(reply[cut:])
    assert seen([*early, *late, *parser.close()]) == seen(parse(reply))
    parse(reply[:cut])


WORDS = st.lists(
    st.sampled_from([b"a\n", b"b\n", b"\n", b"c\r\n", b"dd\n", b"e\n", b"f\n", b"g\n", b"h\n"]), max_size=40
)


def patch(old, new):
    made = Patch((FilePatch("f", b"".join(old), b"".join(new), 0o644, 0o644),))
    return made if made.files[0].changes else None


def after(made, whole):
    return made.files[0].after if made.files else whole


@RELIED_ON
@given(WORDS, WORDS)
def test_all_is_all_and_none_is_none_on_the_way_back_too(old, new):
    made = patch(old, new)
    if made is None:
        return
    assert made.keep(made.hunks) == made
    assert made.keep(()) == Patch()
    taken = back(made)
    assert taken.keep(taken.hunks) == taken


@RELIED_ON
@given(WORDS, WORDS, st.randoms(use_true_random=False))
def test_a_part_and_then_the_rest_is_the_whole(old, new, dice):
    made = patch(old, new)
    if made is None:
        return
    parts = [part for hunk in made.hunks for part in hunk.split()]
    taken = [part for part in parts if dice.random() < 0.5]
    first, rest = made.part(taken, [part for part in parts if part not in taken])
    now = after(first, b"".join(old))
    if rest.files:
        assert rest.files[0].before == now
        now = rest.keep(rest.hunks).files[0].after
    assert now == b"".join(new)


@RELIED_ON
@given(WORDS, WORDS, st.integers(0, 60))
def test_cut_anywhere_and_joined_again_nothing_is_lost(old, new, at):
    made = patch(old, new)
    if made is None:
        return
    cut = [part for hunk in made.hunks for part in hunk.split_at(at)]
    assert made.keep(cut) == made
    assert made.keep([made.join(cut)]) == made
    assert made.keep([made.join(made.hunks)]) == made
    for hunk in made.hunks:
        for part in hunk.split_at(at):
            assert part.added + part.removed > 0
            assert made.keep([part]).files


@RELIED_ON
@given(WORDS, WORDS, st.integers(0, 60))
def test_each_half_of_a_cut_is_a_patch_of_its_own(old, new, at):
    made = patch(old, new)
    if made is None:
        return
    for hunk in made.hunks:
        halves = hunk.split_at(at)
        if len(halves) == 2:
            first, rest = made.part([halves[0]], [halves[1]])
            assert rest.files[0].after == made.keep([hunk]).files[0].after


def test_every_new_line_knows_its_line_of_the_reply():
    told = 0
    for name in (
        "sr/exact",
        "sr/multi-file",
        "udiff/exact",
        "udiff/no-numbers",
        "ap/exact",
        "ap/multi-file",
        "whole/exact",
        "sr/trailing-ws-added",
        "sr/crlf-file",
    ):
        for seed in range(4):
            made = case(name, seed)
            reply = made.reply.decode().split("\n")
            edits = [each for each in parse(made.reply.decode()) if isinstance(each, Edit)]
            fitted = fit(edits, lambda path, files=made.before: (files[path], 0o644) if path in files else None)
            dice = random.Random(seed)
            for hunk in fitted.patch.keep([each for each in fitted.patch.hunks if dice.random() < 0.9]).hunks:
                assert hunk.origins
                for line, origin in zip(hunk.new, hunk.came, strict=True):
                    if origin is not None:
                        told += 1
                        assert line.decode().strip() in reply[origin.line - 1]
                        assert origin.edit in {each.reply_line for each in edits}
                assert ("trailing blanks" in hunk.rungs) == (name == "sr/trailing-ws-added")
    assert told > 50


def test_reworded_lines_have_no_origin_and_the_others_keep_theirs():
    edit = Edit("replace", "f", "b\n", "x\ny\nz\n", 7, after_lines=(10, 11, 12))
    (hunk,) = fit([edit], {"f": (b"a\nb\nc\n", 0o644)}.get).patch.hunks
    assert [each.line for each in hunk.came] == [10, 11, 12]
    assert [each.edit for each in hunk.went] == [7]
    edited = hunk.with_text("x\nother\nz\n")
    assert [each and each.line for each in edited.came] == [10, None, 12]
