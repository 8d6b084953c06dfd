"""Packs OpenAI's o200k vocabulary as Wattson ships it.

Usage: pack_vocabulary.py o200k_base.tiktoken

The source file lists "base64 rank" lines with ranks 0, 1, 2, ...; packed are the lengths (one byte each), then the bytes
of all tokens in order of rank, as xz; beside it a table for counting without the encoder. The source must have the SHA-256 that tiktoken itself pins.
"""

from __future__ import annotations

import base64
import hashlib
import lzma
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from assistant.context import measure

PINNED = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
TARGET = Path(__file__).parent.parent / "assistant" / "data" / "o200k_base.xz"


def main() -> None:
    """Check, pack, and print the SHA-256 that `assistant/tokens.py` must name."""
    source = Path(sys.argv[1]).read_bytes()
    if hashlib.sha256(source).hexdigest() != PINNED:
        sys.exit("This is not the o200k_base.tiktoken that tiktoken pins.")
    words = [base64.b64decode(line.split()[0]) for line in source.splitlines() if line]
    packed = len(words).to_bytes(4, "big") + bytes(map(len, words)) + b"".join(words)
    TARGET.write_bytes(lzma.compress(packed, preset=9 | lzma.PRESET_EXTREME))
    table = sorted(measure.mark(word) + rank for rank, word in enumerate(words))
    numbers = b"".join(number.to_bytes(8, "little") for number in table)
    measure.TABLE.write_bytes(zlib.crc32(numbers).to_bytes(4, "little") + numbers)
    sys.stdout.write(hashlib.sha256(packed).hexdigest() + "\n")


if __name__ == "__main__":
    main()
