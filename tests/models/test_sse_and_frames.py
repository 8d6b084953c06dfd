"""The decoders alone: what a body is cut into, whatever way its bytes come, and what it may not do to us."""

import json
import struct
import tracemalloc
from binascii import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.errors import StreamBroken
from assistant.models.aws_frames import FrameDecoder
from assistant.models.decode import Decoder
from assistant.models.json_lines import JsonDecoder
from assistant.models.sse import SseDecoder
from tests.models.streaming import stream


def cut(decoder, body, cuts=()):
    found, at = [], 0
    for end in [*sorted(set(cuts)), len(body)]:
        found += decoder.feed(body[at:end])
        at = end
    return [(event.name, event.data) for event in found + decoder.close()]


def sse(body, cuts=()):
    return cut(SseDecoder(), body, cuts)


TORTURE = [
    (b"data: a\n\n", [("", "a")]),
    (b"data:a\n\n", [("", "a")]),
    (b"data:  a\n\n", [("", " a")]),
    (b"data\n\n", [("", "")]),
    (b"data:\n\n", [("", "")]),
    (b"data: a\ndata: b\ndata\n\n", [("", "a\nb\n")]),
    (b"event: x\ndata: a\n\ndata: b\n\n", [("x", "a"), ("", "b")]),
    (b"event: x\n\ndata: b\n\n", [("", "b")]),
    (b"event:x\nid: 7\nretry: 9\ndata: a\n\n", [("x", "a")]),
    (b": hello\n\n:\n\n", [(":", "hello"), (":", "")]),
    (b"data: a\r\rdata: b\r\r", [("", "a"), ("", "b")]),
    (b"data: a\r\n\r\ndata: b\r\n\r\n", [("", "a"), ("", "b")]),
    (b"data: a\r\n\rdata: b\n\n", [("", "a"), ("", "b")]),
    (b"\xef\xbb\xbfdata: a\n\n", [("", "a")]),
    (b"data: \xef\xbb\xbfa\n\n", [("", "\ufeffa")]),
    ("data: \U0001f600é\n\n".encode(), [("", "\U0001f600é")]),
    (b"data: a\xffb\n\n", [("", "a\ufffdb")]),
    (b"data: a\xf0\x9f\n\n", [("", "a\ufffd")]),
    (b"data: [DONE]", [("", "[DONE]")]),
    (b"data: a\n", [("", "a")]),
    (b"\n\n\n", []),
    (b"", []),
    (b'data: a\n\n{"error":{\n"code":503}}\n', [("", "a"), ("", '{"error":{\n"code":503}}')]),
    (b"data: a\n\nsome words\n", [("", "a")]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "events"), TORTURE)
def test_torture_cut_at_every_place(body, events):
    assert sse(body) == events
    assert sse(body, range(1, len(body))) == events
    for at in range(1, len(body)):
        assert sse(body, [at]) == events


@settings(deadline=None, max_examples=200)
@given(
    st.lists(
        st.sampled_from(
            [b"data: x", b"data:", b":c", b"event: e", b"\n", b"\r", b"\r\n", b"\n\n", b"\xc3", b"\xa9", b"zz", b"{}"]
        ),
        max_size=30,
    ),
    st.data(),
)
def test_any_bytes_cut_any_way_give_the_same_events(parts, data):
    body = b"".join(parts)
    cuts = data.draw(st.lists(st.integers(1, max(1, len(body) - 1)), max_size=8))
    assert sse(body, [at for at in cuts if at < len(body)]) == sse(body)


def test_comments_alone_are_signs_of_life():
    assert sse(b": keep-alive\n\n" * 3) == [(":", "keep-alive")] * 3


def fed(decoder, piece, times):
    """Feed the piece again and again, which must be refused; return the peak of memory."""
    tracemalloc.start()
    try:
        with pytest.raises(StreamBroken):
            [decoder.feed(piece) for _ in range(times)]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("begin", [b"data: ", b"", b'{"x": "', b": "])
def test_a_line_without_end_is_refused_before_it_fills_memory(begin):
    decoder = Decoder("sse")
    decoder.feed(begin + b"x")
    assert fed(decoder, b"y" * 65_536, 3_200) < 64_000_000


def test_an_event_without_end_is_refused_by_its_lines_and_by_its_bytes():
    decoder = SseDecoder()
    assert fed(decoder, b"data:\n" * 1000, 1_000) < 64_000_000
    assert fed(SseDecoder(), b"data: " + b"x" * 60_000 + b"\n", 3_200) < 64_000_000
    lines = JsonDecoder()
    lines.feed(b"{\n")
    with pytest.raises(StreamBroken):
        [lines.feed(b'"x": [1,\n' * 1000) for _ in range(1000)]


def test_stray_lines_are_kept_up_to_a_limit():
    decoder = SseDecoder()
    for _ in range(2000):
        decoder.feed(b"not a field at all, and long enough to add up\n")
    assert sum(map(len, decoder._stray)) < 70_000


def test_the_largest_real_event_passes():
    body = b"data: " + json.dumps({"x": "y" * 5_000_000}).encode() + b"\n\n"
    assert len(sse(body, range(65_536, len(body), 65_536))[0][1]) > 5_000_000


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        (b'{"a":1}\n{"b":2}\n', ['{"a":1}', '{"b":2}']),
        (b'{"a":1}\r\n\r\n{"b":2}', ['{"a":1}', '{"b":2}']),
        (b'{"a":\n {"b": "}\\"{"}\n}\n{"c":1}\n', ['{"a":\n {"b": "}\\"{"}\n}', '{"c":1}']),
        (b'[{"a":1},\n{"b":2}]\n', ['[{"a":1},\n{"b":2}]']),
        (b'{"a": {"b":1}\n}\n', ['{"a": {"b":1}\n}']),
        (b'{"a": "}"\n}\n', ['{"a": "}"\n}']),
        (b'\xef\xbb\xbf{"a":1}\n', ['{"a":1}']),
        (b'{"a":1', ['{"a":1']),
        (b"\n \n", []),
    ],
)  # fmt: skip
def test_json_texts_are_cut_where_they_end(body, texts):
    assert [data for _, data in cut(JsonDecoder(), body)] == texts
    assert [data for _, data in cut(JsonDecoder(), body, range(1, len(body)))] == texts


def test_golden_frames():
    assert cut(FrameDecoder(), stream("converse_stop.hex")) == [("messageStop", '{"stopReason":"end_turn"}')]
    assert cut(FrameDecoder(), stream("converse_throttled.hex")) == [
        ("exception:throttlingException", '{"message":"Slow down."}')
    ]


def test_frames_together_and_in_pieces():
    body = stream("converse_stop.hex") + stream("converse_throttled.hex")
    assert cut(FrameDecoder(), body) == cut(FrameDecoder(), body, range(1, len(body)))
    assert len(cut(FrameDecoder(), body)) == 2
    assert cut(FrameDecoder(), body[:-1]) == cut(FrameDecoder(), stream("converse_stop.hex"))


def test_headers_of_every_type_are_passed_over():
    headers = b""
    for kind, value in (
        (0, b""),
        (1, b""),
        (2, b"\x01"),
        (3, b"\x01\x02"),
        (4, b"1234"),
        (5, b"12345678"),
        (6, b"\x00\x03abc"),
        (8, b"12345678"),
        (9, b"1" * 16),
    ):
        headers += bytes([2]) + b"h" + str(kind).encode() + bytes([kind]) + value
    headers += b"\x0b:event-type\x07\x00\x01x"
    head = struct.pack(">II", len(headers) + 18, len(headers))
    whole = head + struct.pack(">I", crc32(head)) + headers + b"{}"
    assert cut(FrameDecoder(), whole + struct.pack(">I", crc32(whole))) == [("x", "{}")]


def bad(total, headers, crc=None, rest=b""):
    head = struct.pack(">II", total, headers)
    return head + struct.pack(">I", crc32(head) if crc is None else crc) + rest


@pytest.mark.parametrize(
    "body",
    [
        bad(122, 81, crc=1), bad(2**31, 0), bad(25_165_824 + 131_072 + 17, 131_072), bad(2**20, 131_073), bad(15, 0), bad(20, 30),
        stream("converse_stop.hex")[:-1] + b"\x00", stream("converse_stop.hex").replace(b"end_turn", b"tool_use"),
    ],
)  # fmt: skip
def test_frames_that_lie_are_refused_at_once(body):
    with pytest.raises(StreamBroken):
        FrameDecoder().feed(body)


@pytest.mark.parametrize("headers", [b"\x05ab", b"\x01a\x63", b"\x01a\x07\xff\xff", b"\x01a\x07\x00"])
def test_headers_that_lie_are_refused(headers):
    head = struct.pack(">II", len(headers) + 16, len(headers))
    whole = head + struct.pack(">I", crc32(head)) + headers
    with pytest.raises(StreamBroken):
        FrameDecoder().feed(whole + struct.pack(">I", crc32(whole)))


@pytest.mark.parametrize(
    ("framing", "body", "look"),
    [
        ("sse", b"data: x\n\n", "stream"), ("sse", b' \n {"a":1}', "json"), ("sse", b"<html>", "page"), ("ndjson", b"data: {}\n\n", "stream"), ("ndjson", b"{}\n", "json"),
        ("aws", stream("converse_stop.hex"), "stream"), ("aws", b'{"message":"x"}', "json"), ("aws", b"\n<!doctype html>", "page"), ("sse", b"\xef\xbb\xbf[1]", "json"), ("sse", b"  ", ""),
    ],
)  # fmt: skip
def test_what_came_is_told_by_its_first_byte(framing, body, look):
    for size in (1, len(body)):
        decoder = Decoder(framing)
        events = [
            event for at in range(0, len(body), size) for event in decoder.feed(body[at : at + size])
        ] + decoder.close()
        assert decoder.look == look
        assert bool(events) is (look in {"stream", "json"})
