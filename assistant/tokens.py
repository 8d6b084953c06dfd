"""Tokens: how many, of which kind, and what they cost."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from threading import Lock
from types import FunctionType
from typing import TYPE_CHECKING, Literal, NamedTuple

from assistant.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    import tiktoken

_SIGNS = {"USD": "$", "CNY": "¥", "EUR": "€", "GBP": "£"}
_MOST_PLACES = 8
CostStatus = Literal["metered", "reported", "included", "free", "unknown"]
CURRENCIES = frozenset((
    "USD", "EUR", "CNY", "GBP", "JPY", "INR", "KRW", "CAD", "AUD", "CHF", "SEK", "NOK", "DKK", "PLN", "CZK", "BRL", "MXN", "SGD", "HKD", "TWD", "ILS", "TRY", "ZAR", "NZD", "THB", "VND", "IDR", "MYR",
    "PHP", "RUB", "UAH", "AED", "SAR", "ARS", "CLP", "COP", "HUF", "RON", "BGN",
))  # fmt: skip
"""The currencies of prices and plans; any other name is a typing error."""


class TokenUsage(NamedTuple):
    """Disjoint token counts of one or several requests.

    `cache_write` is split by how long the provider keeps it; `cache_write_long` is kept for an hour or more. `exact` is
    False while any count is our own estimate.
    """

    fresh_input: int = 0
    cache_read: int = 0
    cache_write_short: int = 0
    cache_write_long: int = 0
    output: int = 0
    reasoning: int = 0
    exact: bool = True

    @property
    def cache_write(self) -> int:
        """Tokens written to the provider's cache, whatever their lifetime."""
        return self.cache_write_short + self.cache_write_long

    @property
    def total_input(self) -> int:
        """All that was sent, cached or not."""
        return self.fresh_input + self.cache_read + self.cache_write

    @property
    def total_output(self) -> int:
        """All that was written, including thoughts."""
        return self.output + self.reasoning

    @property
    def total(self) -> int:
        """Input and output together: what now fills the context window."""
        return self.total_input + self.total_output

    def __add__(self, other: TokenUsage) -> TokenUsage:  # type: ignore[override] # it is counts, no row of them
        return TokenUsage(
            self.fresh_input + other.fresh_input,
            self.cache_read + other.cache_read,
            self.cache_write_short + other.cache_write_short,
            self.cache_write_long + other.cache_write_long,
            self.output + other.output,
            self.reasoning + other.reasoning,
            self.exact and other.exact,
        )

    def __sub__(self, other: TokenUsage) -> TokenUsage:
        """Subtract counts that are part of these."""
        counts = [mine - its for mine, its in zip(self[:-1], other[:-1], strict=True)]
        return TokenUsage._make((*counts, self.exact))


class Cost(NamedTuple):
    """What something cost. `amount` is None exactly when `status` is "unknown" or "included"."""

    status: CostStatus
    amount: Decimal | None = None
    currency: str = "USD"

    def __str__(self) -> str:
        """Return the cost for people: "included", "free" and an unknown price say so, and never look like zero."""
        if self.amount is None or self.status == "free":
            return "price unknown" if self.status == "unknown" else self.status
        return money(self.amount, self.currency)


def percent(value: Decimal | float) -> str:
    """Format a percentage, 0 to 100: rounded half up, to one decimal where it is not whole."""
    return f"{Decimal(str(value)).quantize(Decimal('0.1'), ROUND_HALF_UP).normalize():f}%"


def money(amount: Decimal, currency: str = "USD") -> str:
    """Format an amount of money for people: two decimals; below 1 enough for three significant digits, at most eight.

    The format is the same everywhere, so that one amount never looks like two.
    """
    places = min(_MOST_PLACES, max(2, 2 - amount.adjusted())) if amount and abs(amount) < 1 else 2
    shown = abs(amount).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    whole, _, part = f"{shown:,f}".partition(".")
    return f"{'-' if amount < 0 else ''}{_sign(currency)}{whole}.{part.rstrip('0').ljust(2, '0')}"


def rate(amount: Decimal, currency: str = "USD") -> str:
    """Format a list price with all its digits, but without trailing zeros."""
    text = f"{amount:f}"
    return _sign(currency) + ((text.rstrip("0").rstrip(".") or "0") if "." in text else text)


def _sign(currency: str) -> str:
    return _SIGNS.get(currency, f"{currency} ")


def total_cost(costs: Iterable[Cost]) -> Cost:
    """Add up costs of one currency; one unknown part makes the sum unknown, and an empty sum is free.

    Money outweighs "included", and "included" outweighs "free", so that the sum never hides what is paid.
    """
    parts = list(costs)
    statuses = {cost.status for cost in parts}
    if not parts:
        return Cost("free", Decimal(0))
    if "unknown" in statuses or len({cost.currency for cost in parts if cost.amount}) > 1:
        return Cost("unknown")
    currency = next((cost.currency for cost in parts if cost.amount), parts[0].currency)
    amount = sum((cost.amount for cost in parts if cost.amount is not None), Decimal(0))
    for status in ("metered", "reported"):
        if status in statuses:
            return Cost(status, amount, currency)
    return Cost("included") if "included" in statuses else Cost("free", Decimal(0), currency)


# The o200k vocabulary, for counting offline. Its form is that of OpenAI's tiktoken (MIT, see NOTICE): the SHA-256 is of
# the unpacked resource; scripts/pack_vocabulary.py makes it from the file that tiktoken itself pins.
_VOCABULARY = Path(__file__).parent / "data" / "o200k_base.xz"
_VOCABULARY_SHA256 = "2f451f31d7403017d0b0dc6319ded23a09f33f573b1635c001fc6b91a1c21302"
_PIECE = 20_000
"""Characters given to the encoder at once: on a long run of one character its time grows faster than linearly."""
_loading = Lock()
_encoding: tiktoken.Encoding | None = None


def vocabulary() -> dict[bytes, int]:
    """Read the shipped vocabulary: token bytes to rank. Raises StateError when the file is damaged or missing."""
    import hashlib
    import lzma

    try:
        packed = lzma.decompress(_VOCABULARY.read_bytes())
    except (OSError, lzma.LZMAError) as error:
        raise StateError("The token vocabulary of Wattson cannot be read.", "Install Wattson again.") from error
    if hashlib.sha256(packed).hexdigest() != _VOCABULARY_SHA256:
        raise StateError("The token vocabulary of Wattson is damaged.", "Install Wattson again.")
    size = int.from_bytes(packed[:4], "big")
    ranks: dict[bytes, int] = {}
    at = 4 + size
    for rank, length in enumerate(packed[4 : 4 + size]):
        ranks[packed[at : at + length]] = rank
        at += length
    return ranks


def warm() -> None:
    """Load the vocabulary now (some 0.25 CPU s and 80 MB); safe to call from several threads."""
    global _encoding  # noqa: PLW0603 - one vocabulary for the process, loaded late
    with _loading:
        if _encoding is None:
            import tiktoken
            from tiktoken_ext import openai_public

            # tiktoken gives the pattern; the vocabulary is our own copy, so that nothing is downloaded.
            _encoding = tiktoken.Encoding(
                name="o200k_base",
                pat_str=_pattern(openai_public),
                mergeable_ranks=vocabulary(),
                special_tokens={},
            )


def _pattern(source: ModuleType) -> str:
    """Take o200k's splitting pattern from tiktoken's own constructor without letting it load its file."""
    constructor = source.o200k_base
    free = FunctionType(constructor.__code__, {**vars(source), "load_tiktoken_bpe": lambda *_, **__: {}})
    return str(free()["pat_str"])


def count(text: str) -> int:
    """Count o200k tokens exactly, offline. Text that looks like a special token is counted as plain text."""
    if _encoding is None:
        warm()
    encoding = _encoding
    assert encoding is not None  # noqa: S101 - warm() has set it or raised
    if len(text) <= _PIECE:
        return len(encoding.encode_ordinary(text))
    total = at = 0
    while at < len(text):
        end = _cut(text, at)
        total += len(encoding.encode_ordinary(text[at:end]))
        at = end
    return total


def _cut(text: str, at: int) -> int:
    """Return where the piece that begins at `at` ends: after a line if possible, so that counts stay exact."""
    end = at + _PIECE
    if end >= len(text):
        return len(text)
    line = text.rfind("\n", at + _PIECE // 2, end)
    # A token may reach over a line end only into white space, so do not cut before white space.
    while line != -1 and line + 1 < len(text) and text[line + 1].isspace():
        line = text.rfind("\n", at + 1, line)
    return line + 1 if line > at else end
