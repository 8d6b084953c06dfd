"""Bytes in, bytes out: encodings, marks and line ends through the matcher, or a refusal."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.edits import text
from assistant.edits.edit import Edit
from assistant.edits.match import fit
from assistant.edits.text import Coding, coding, cut, decode, split_lines


def put(data, old, new):
    """Replace a line through the matcher; returns the bytes after, or the reason of the refusal."""
    fitted = fit([Edit("replace", "f", old, new)], {"f": (data, 0o644)}.get)
    return fitted.misfits[0].reason if fitted.misfits else fitted.patch.files[0].after


LEGACY = [
    ("latin-1", "café ümlaut"), ("cp1252", "“café” €"), ("iso8859-15", "naïve €"), ("cp1251", "привет"), ("koi8-r", "привет"),
    ("gbk", "中文注释"), ("gb18030", "中文𠀀"), ("big5", "中文註釋"), ("shift_jis", "表示ソ能"), ("euc_jp", "日本語"), ("euc_kr", "한국어"), ("cp437", "é░"),
]  # fmt: skip


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("codec", "words"), LEGACY)
def test_foreign_bytes_go_through_untouched(codec, words, end):
    data = f"# {words}{end}b = 1{end}s = '{words}'{end}".encode(codec)
    assert put(data, "b = 1\n", "b = 2\n") == data.replace(b"1", b"2")


@pytest.mark.parametrize(("codec", "words"), LEGACY)
def test_new_letters_are_refused_where_the_encoding_is_not_known(codec, words):
    data = f"# {words}\nb = 1\n".encode(codec)
    assert put(data, "b = 1\n", "b = 'ŵ字я'\n") == "unreadable"


NAMED = [
    "# -*- coding: {} -*-\n", "#!/usr/bin/python\n# vim: set fileencoding={} :\n", "# coding={}\n", "// -*- coding: {} -*-\n",
    "/* coding: {} */\n", '<?xml version="1.0" encoding="{}"?>\n', "<!-- coding: {} -->\n", "# -*- coding: {}-unix -*-\n",
]  # fmt: skip


@pytest.mark.parametrize("head", NAMED)
@pytest.mark.parametrize(("codec", "words"), LEGACY)
def test_an_encoding_that_the_file_names_is_used_for_new_letters(codec, words, head):
    before = f"{head.format(codec)}# {words}\nb = 1\n"
    assert put(before.encode(codec), "b = 1\n", f"b = '{words}'\n") == before.replace("b = 1", f"b = '{words}'").encode(
        codec
    )
    assert put(before.encode(codec), f"# {words}\n", f"# {words}!\n") == before.replace(
        f"# {words}\n", f"# {words}!\n"
    ).encode(codec)


@pytest.mark.parametrize(
    ("head", "codec", "new"),
    [
        ('<!doctype html>\n<meta charset="iso-8859-1">\n', "cp1252", "€"),
        ("<html><head><META http-equiv='Content-Type' content='text/html; charset=gb2312'>\n", "gbk", "镕"),
        ('@charset "shift_jis";\n', "cp932", "①"),
    ],
)
def test_what_a_page_names_is_read_as_the_web_reads_it(head, codec, new):
    before = f"{head}<p>x\nb\n<p>{new}\n"
    assert put(before.encode(codec), "b\n", f"{new}\n") == before.replace("b\n", f"{new}\n").encode(codec)


@pytest.mark.parametrize(
    ("data", "new"),
    [
        ("# coding: latin-1\n# é\nb\n".encode("latin-1"), "€\n"),
        (b"# coding: ascii\nb\n", "é\n"),
        (b"# coding: latin-1\nb\n", "字\n"),
        (b"# coding: utf-8\n# caf\xe9\nb\n", "é\n"),  # it says UTF-8 and is not
        ("# coding: latin-1\n# é\nb\n".encode(), "é\n"),  # it says Latin-1 and is UTF-8
        ("# coding: gbk\n# 一\nb\n".encode("gbk"), "中\n"),  # these bytes are UTF-8 as well
        (b"# coding: rot13\n\xe9\nb\n", "é\n"),
        (b"# coding: utf-7\n\xe9\nb\n", "é\n"),
        (b"# coding: no-such-thing\n\xe9\nb\n", "é\n"),
        ("日本語\nb\n".encode("iso2022_jp"), "é\n"),
        (b"\n\n# coding: latin-1\n\xe9\nb\n", "é\n"),  # the third line names nothing
        (b"x = 'coding: latin-1'\n\xe9\nb\n", "é\n"),
    ],
)
def test_letters_that_would_be_a_guess_are_refused_and_ascii_is_not(data, new):
    assert put(data, "b\n", new) == "unreadable"
    assert put(data, "b\n", "c\n") == data[:-2] + b"c\n"


def test_an_ascii_file_that_names_its_encoding_gets_letters_in_it():
    data = b"# coding: latin-1\nb\n"
    assert put(data, "b\n", "é\n") == b"# coding: latin-1\n\xe9\n"


@pytest.mark.parametrize(
    ("codec", "body", "words", "how"),
    [
        ("latin-1", "# le café noir\n", "café", "latin-1"),
        ("latin-1", "# caféine, thé\n", "caféine thé é", "latin-1"),
        ("cp1251", "# привет мир\n", "привет при", None),  # six Cyrillic sets could differ; see below
        ("gbk", "# 中文注释\n", "中文注释 文", "gbk"),
        ("shift_jis", "# 表示する\n", "表示する 示", "shift_jis"),
        ("latin-1", "# café\n", "naïve", None),  # ï does not stand there
        ("latin-1", "# café\n", "é", None),  # one letter alone is too little
        ("gbk", "# 中閕ne\n", "é", None),
        ("latin-1", "# Ã\x81\x9f\n", "\udc81", None),
    ],
)
def test_words_that_stand_in_the_file_settle_its_encoding(codec, body, words, how):
    data = body.encode(codec)
    found = coding(data, words)
    if how is None and codec == "cp1251":
        assert found.foreign or decode(data, found) == body
    elif how is None:
        assert found == Coding(foreign=True)
    else:
        assert decode(data, found) == body
        assert found.encode(words) == words.encode(how)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_utf_16_keeps_its_mark_and_its_ends(codec, end):
    mark = text.codecs.BOM_UTF16_LE if codec.endswith("le") else text.codecs.BOM_UTF16_BE
    data = mark + f"a\u0a0a{end}b{end}字𠀀{end}".encode(codec)
    assert put(data, "b\n", "ü\n") == mark + f"a\u0a0a{end}ü{end}字𠀀{end}".encode(codec)


@pytest.mark.parametrize(
    "data",
    [
        "a\nb\n".encode("utf-32"), "a\nb\n".encode("utf-16-le"), b"\xff\xfea\0\n\0b", b"\xff\xfe\0\xd8\n\0", b"\0asm\1\0\0\0",
        b"a\0b\n", b"\xff\xfea\0\0\0b\0", b"\x89PNG\r\n\x1a\n\0\0",
    ],
)  # fmt: skip
def test_what_is_no_text_is_refused(data):
    assert coding(data) is None
    assert put(data, "b\n", "c\n") == "unreadable"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\r\nb\nc\r\nd\r\n", b"a\r\nB\nc\r\nd\r\n"),
        (b"a\nb\r\nc\nd\n", b"a\nB\r\nc\nd\n"),
        (b"\xef\xbb\xbfa\r\nb\r\nc", b"\xef\xbb\xbfa\r\nB\r\nc"),
        (b"a\rx\nb\n", b"a\rx\nB\n"),
        (b"a\x0cx\x0b\x1c\nb\n\xc2\x85\xe2\x80\xa8\n", b"a\x0cx\x0b\x1c\nB\n\xc2\x85\xe2\x80\xa8\n"),
        (b"\ta\t \nb\n\t\n  \n", b"\ta\t \nB\n\t\n  \n"),
        (b"a\nb", b"a\nB"),
        (b"a\nb\n\n\n", b"a\nB\n\n\n"),
        (b"a\r\nb", b"a\r\nB"),
    ],
)
def test_ends_marks_tabs_and_blanks_outside_the_change_are_kept(before, after):
    assert put(before, "b\n", "B\n") == after


BOM, WIDE = b"\xef\xbb\xbf", b"\xff\xfe"


def utf16(*lines):
    return tuple(line.encode("utf-16-le") for line in lines)


@pytest.mark.parametrize(
    ("words", "lines", "beside", "ended", "out"),
    [
        ("a\nx\n", (b"a\n", b"b\n"), (), True, (b"a\n", b"x\n")),
        ("caf\ufffd\nx\n", (b"caf\xe9\n", b"b\n"), (), True, (b"caf\xe9\n", b"x\n")),
        ("x\n", (b"b\n",), (b"caf\xe9\n",), True, (b"x\n",)),
        ("x\nü\n", (b"b\r\n",), (b"c\r\n",), True, (b"x\r\n", "ü\r\n".encode())),
        ("x\n", (BOM + b"a\n",), (), True, (BOM + b"x\n",)),
        ("n\na\n", (BOM + b"a\n",), (), True, (BOM + b"n\n", b"a\n")),
        ("", (BOM + b"a\n",), (), True, (BOM,)),
        ("", (b"a\n",), (), True, ()),
        ("x\ny\n", (b"a\n", b"b"), (), False, (b"x\n", b"y")),
        ("x\n", (b"a",), (b"c\n",), True, (b"x\n",)),
        ("x\n字\n", (WIDE + "a\n".encode("utf-16-le"),), utf16("ä\n"), True, (WIDE + "x\n".encode("utf-16-le"), "字\n".encode("utf-16-le"))),
        ("ä\nx\n", utf16("ä\r\n", "b\r\n"), (), True, utf16("ä\r\n", "x\r\n")),
        ("x\n", utf16("b"), utf16("a\n"), False, utf16("x")),
        ("\ufffd\nx\n\ufffd\n", (b"\xe9\n", b"\xe8\n"), (), True, (b"\xe9\n", b"x\n", b"\xe8\n")),
        ("a\nx\nb\n", (b"a\r\n", b"b\n"), (b"c\r\n",), True, (b"a\r\n", b"x\r\n", b"b\n")),
        ("ok \ufffd\n", ("ok \ufffd\n".encode(),), (), True, ("ok \ufffd\n".encode(),)),
    ],
)  # fmt: skip
def test_lines_that_a_person_left_as_shown_keep_their_bytes(words, lines, beside, ended, out):
    assert text.retype(words, lines, beside, ended=ended) == out


@pytest.mark.parametrize(
    ("words", "lines"), [("é\n", (b"caf\xe9\n",)), ("caf\ufffd!\n", (b"caf\xe9\n",)), ("\ufffd\n", (b"a\n",))]
)
def test_letters_typed_into_an_encoding_that_is_not_known_are_refused(words, lines):
    with pytest.raises(UnicodeEncodeError):
        text.retype(words, lines, ())


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.sampled_from([b"a", b"\xe9", b"\xe8", b"", b"b\t", "ü".encode()]), min_size=1, max_size=6),
    st.sampled_from([b"\n", b"\r\n"]),
    st.booleans(),
    st.sampled_from([b"", BOM]),
)
def test_what_nobody_touched_comes_back(bodies, end, ended, mark):
    lines = [body + end for body in bodies]
    if not ended and bodies[-1]:
        lines[-1] = bodies[-1]
    lines[0] = mark + lines[0]
    shown = "".join(text.show(line) + "\n" for line in lines)
    assert text.retype(shown, lines, [b"z" + end] * 9, ended=False) == tuple(lines)


@settings(deadline=None, max_examples=300)
@given(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            b"\xfe\xff",
            b"# coding: gbk\n",
            b"# coding: cp1252\n",
            b"<?xml encoding='big5'?>",
        ]
    ),
    st.text(max_size=20),
)
def test_any_bytes_come_back_or_are_refused(data, head, words):
    data = head + data
    assert b"".join(split_lines(data)) == data
    for how in (coding(data), coding(data, words)):
        if how is not None:
            whole = decode(data, how)
            assert how.mark + whole.encode(how.name, "surrogateescape") == data
            assert how.mark + b"".join(line.encode(how.name, "surrogateescape") for line in cut(whole)) == data
