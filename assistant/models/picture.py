"""Pictures: their kind and size, who takes them, and how many tokens they cost. Pure, but for our page of facts."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.discover import read_toml
from assistant.models.message import Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from assistant.models.catalogue import Pick
    from assistant.models.provider import Provider

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
LARGEST = 20_000_000
"""Bytes of the largest picture that is read at all."""
UNKNOWN = (600, 1_500, 3_000)
"""Tokens of a picture if nobody says how they are counted: low, likely and high."""


def read(data: bytes) -> Image | None:
    """Return bytes as a picture, its kind told by the first bytes; None unless they are PNG, JPEG, GIF or WebP."""
    kind = ""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        kind = "image/png"
    elif data.startswith(b"\xff\xd8\xff"):
        kind = "image/jpeg"
    elif data[:6] in {b"GIF87a", b"GIF89a"}:
        kind = "image/gif"
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "image/webp"
    return Image(kind, data) if kind else None


def size(image: Image) -> tuple[int, int] | None:
    """Return width and height in pixels; None if the head of the file does not say."""
    data = image.data
    match image.media_type:
        case "image/png" if len(data) >= 24:
            found = _number(data[16:20]), _number(data[20:24])
        case "image/gif" if len(data) >= 10:
            found = _number(data[6:8], "little"), _number(data[8:10], "little")
        case "image/jpeg":
            found = _jpeg(data)
        case "image/webp" if len(data) >= 30:
            found = _webp(data)
        case _:
            found = 0, 0
    return found if all(found) else None


def refusal(image: Image, pick: Pick) -> str:
    """Say why a model cannot be shown a picture; empty if it can."""
    if "images" not in pick.model.abilities:
        return f"{pick.model.name} is not known to look at pictures"
    rule = _rule(pick.provider)
    if image.media_type not in rule.get("kinds", (image.media_type,)):
        return f"{pick.provider.title} takes no {image.media_type.partition('/')[2].upper()}"
    if len(image.data) > rule["most_bytes"]:
        return f"{pick.provider.title} takes {rule['most_bytes'] / 1e6:g} MB at most, it has {len(image.data) / 1e6:.1f} MB"
    pixels = size(image)
    if pixels and max(pixels) > rule.get("most_edge", max(pixels)):
        return f"{pick.provider.title} takes edges of {rule['most_edge']:,} pixels at most, it has {max(pixels):,}"
    return ""


def tokens(image: Image, provider: Provider) -> tuple[int, int, int]:
    """Return the tokens of a picture at a provider: low, likely, high; UNKNOWN if nobody says how it counts."""
    rule, pixels = _rule(provider), size(image)
    if "tokens" in rule:
        return (rule["tokens"],) * 3
    if "pixels_a_token" not in rule or pixels is None:
        return UNKNOWN
    counts = []
    for edge, most in zip(rule["edge"], rule["most_tokens"], strict=True):
        scale = min(1.0, edge / max(pixels))
        counts.append(min(most, round(pixels[0] * pixels[1] * scale * scale / rule["pixels_a_token"]) or 1))
    return min(counts), max(counts), max(counts)


def total(images: Iterable[Image], provider: Provider) -> tuple[int, int, int]:
    """Return the tokens of pictures together: low, likely, high."""
    counts = [tokens(image, provider) for image in images]
    return sum(each[0] for each in counts), sum(each[1] for each in counts), sum(each[2] for each in counts)


def told(image: Image, provider: Provider) -> str:
    """Say kind, size and tokens of a picture in one line."""
    pixels = size(image)
    where = f" {pixels[0]}x{pixels[1]}" if pixels else ""
    low, likely, high = tokens(image, provider)
    count = f"~{likely:,} tokens" if low == high else f"{low:,} to {high:,} tokens"
    if (low, likely, high) == UNKNOWN:
        count = f"tokens unknown, {count} expected"
    kind = image.media_type.partition("/")[2].upper()
    return f"{kind}{where}, {len(image.data) / 1_000:,.0f} kB, {count} at {provider.title}"


@cache
def _rules() -> Mapping[str, Any]:
    return read_toml(Path(__file__).parent / "pictures.toml")


def _rule(provider: Provider) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _rules().get(provider.name, _rules()["others"])
    return found


def _number(data: bytes, order: str = "big") -> int:
    return int.from_bytes(data, order)  # type: ignore[arg-type]


def _jpeg(data: bytes) -> tuple[int, int]:
    """Walk the segments to the one that starts a frame."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], _number(data[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            return _number(data[at + 7 : at + 9]), _number(data[at + 5 : at + 7])
        at += 2 + max(2, length)
    return 0, 0


def _webp(data: bytes) -> tuple[int, int]:
    match data[12:16]:
        case b"VP8X":
            return _number(data[24:27], "little") + 1, _number(data[27:30], "little") + 1
        case b"VP8L":
            bits = _number(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case _:
            return _number(data[26:28], "little") & 0x3FFF, _number(data[28:30], "little") & 0x3FFF
