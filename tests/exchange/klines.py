"""Bars as the venue makes them: only where a trade happened, the last one still forming."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

DAY = 86_400
_WEEK_ORIGIN = 4 * DAY  # 1970-01-05, a Monday
_WORDS = {"1D": DAY, "1W": 7 * DAY, "1Y": 365 * DAY}


class Traded(Protocol):
    """What a bar is made of; `id` is decimal digits."""

    @property
    def id(self) -> str: ...
    @property
    def time_ms(self) -> int: ...
    @property
    def price(self) -> str: ...
    @property
    def amount(self) -> str: ...


@dataclass(frozen=True)
class Bar:
    """`time` is the open in seconds; prices and the volume of the base are exact."""

    time: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    trades: int


def seconds_of(resolution: str) -> int | None:
    """The length of a bar, or None for a resolution that the venue does not know."""
    word = resolution.replace(" ", "").upper()
    if word in _WORDS:
        return _WORDS[word]
    return int(word) * 60 if word.isdecimal() and 0 < int(word) <= 1440 else None


def open_of(time_s: int, seconds: int) -> int:
    """Weeks begin on Monday; everything else divides the Unix epoch."""
    origin = _WEEK_ORIGIN if seconds == _WORDS["1W"] else 0
    return (time_s - origin) // seconds * seconds + origin


def bars(trades: Iterable[Traded], seconds: int) -> list[Bar]:
    """By open time. Inside a bar trades count in order of (time, id)."""
    members: dict[int, list[Traded]] = {}
    for trade in trades:
        members.setdefault(open_of(trade.time_ms // 1000, seconds), []).append(trade)
    return [_bar(time, members[time]) for time in sorted(members)]


def _bar(time: int, trades: Sequence[Traded]) -> Bar:
    ordered = sorted(trades, key=lambda trade: (trade.time_ms, int(trade.id)))
    prices = [Decimal(trade.price) for trade in ordered]
    volume = sum((Decimal(trade.amount) for trade in ordered), Decimal(0))
    return Bar(time, prices[0], max(prices), min(prices), prices[-1], volume, len(ordered))


def float32_noise(value: float) -> float:
    """What a 32-bit float leaves of a number, in 14 digits: 6.0229997634888 for 6.023."""
    return float(f"{struct.unpack('f', struct.pack('f', value))[0]:.14g}")
