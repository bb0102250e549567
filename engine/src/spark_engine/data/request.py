"""What a run asks of the data room: which candles, of which span, under which policies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from spark_engine.errors import InvalidData, InvalidSpec

SECOND_MS: Final = 1000
UNITS_MS: Final = {
    "s": SECOND_MS,
    "m": 60 * SECOND_MS,
    "h": 3600 * SECOND_MS,
    "d": 86_400 * SECOND_MS,
    "w": 7 * 86_400 * SECOND_MS,
}
LONGEST_MS: Final = 366 * UNITS_MS["d"]
MONDAY_MS: Final = 4 * UNITS_MS["d"]  # 1970-01-05, where weeks are counted from
TIMEFRAME: Final = re.compile(r"([1-9][0-9]{0,8})([smhdw])", re.ASCII)
RESOLVE_WITH: Final = "spec.execution.resolveWith"
MAX_PRICE_SCALE: Final = 9
MAX_WARMUP_BARS: Final = 10_000_000
POLICIES: Final = {
    "timestamps": ("Open", "Close"),
    "gaps": ("Keep", "Fail"),
    "duplicates": ("Fail", "KeepLast"),
    "partialBars": ("Fail", "Drop", "Keep"),
    "adjustment": ("None", "Splits", "SplitsAndDividends"),
}


@dataclass(frozen=True, slots=True)
class CandleRequest:
    """Candles of `symbol` in [start_ms, end_ms), ms UTC, and `warmup_bars` rows before it.

    `resolve_with`: the timeframe of `Candles.finer`. `adjustment_uri`: the factor file of `adjustment`.
    Raises `InvalidSpec` for a value that the spec does not allow, `InvalidData` for an empty range.
    """

    uri: str
    symbol: str
    timeframe: str
    start_ms: int | None = None
    end_ms: int | None = None
    warmup_bars: int = 0
    sha256: str | None = None
    timestamps: str = "Open"
    gaps: str = "Keep"
    duplicates: str = "Fail"
    partial_bars: str = "Fail"
    price_scale: int | None = None
    calendar: str = "24x7"
    adjustment: str = "None"
    adjustment_uri: str | None = None
    funding_uri: str | None = None
    resolve_with: str | None = None

    def __post_init__(self) -> None:
        timeframe_ms(self.timeframe)
        _allowed("timestamps", self.timestamps)
        _allowed("gaps", self.gaps)
        _allowed("duplicates", self.duplicates)
        _allowed("partialBars", self.partial_bars)
        _allowed("adjustment", self.adjustment)
        _bounded("market.warmupBars", self.warmup_bars, MAX_WARMUP_BARS)
        if self.price_scale is not None:
            _bounded("market.priceScale", self.price_scale, MAX_PRICE_SCALE)
        if self.start_ms is not None and self.end_ms is not None and self.start_ms >= self.end_ms:
            raise InvalidData("must be after spec.market.start: the window is empty", field="spec.market.end")
        if self.adjustment != "None" and self.adjustment_uri is None:
            raise InvalidSpec(
                f"is required by spec.data.adjustment: {self.adjustment}", field="spec.data.adjustmentUri"
            )
        if self.resolve_with is not None:
            self._check_resolve_with(self.resolve_with)

    def _check_resolve_with(self, text: str) -> None:
        finer, asked = timeframe_ms(text, RESOLVE_WITH), timeframe_ms(self.timeframe)
        if finer >= asked or asked % finer:
            raise InvalidSpec(
                f"must be a whole part of spec.market.timeframe, {self.timeframe}; is {text:.60}",
                field=RESOLVE_WITH,
            )


def timeframe_ms(text: str, field: str = "spec.market.timeframe") -> int:
    """The length of a bar: a count and one of s, m, h, d, w, at most 366 days. Raises `InvalidSpec`."""
    match = TIMEFRAME.fullmatch(text) if isinstance(text, str) else None
    length = int(match[1]) * UNITS_MS[match[2]] if match else 0
    if not 0 < length <= LONGEST_MS:
        raise InvalidSpec(
            f"must be a count and one of s, m, h, d, w, at most 366d (5m, 1h, 1d); is {text!r:.60}",
            field=field,
        )
    return length


def timeframe_text(length_ms: int) -> str:
    """The shortest spelling of a bar's length: 3600000 is 1h."""
    for unit in ("w", "d", "h", "m", "s"):
        if length_ms % UNITS_MS[unit] == 0:
            return f"{length_ms // UNITS_MS[unit]}{unit}"
    return f"{length_ms}ms"


def anchor_ms(timeframe: str) -> int:
    """Where buckets are counted from: 1970-01-01, weeks from Monday 1970-01-05 (SEMANTICS section 1)."""
    return MONDAY_MS if timeframe.endswith("w") else 0


def _allowed(name: str, value: str) -> None:
    if value not in POLICIES[name]:
        raise InvalidSpec(
            f"must be {' or '.join(POLICIES[name])}; is {value!r:.60}", field=f"spec.data.{name}"
        )


def _bounded(name: str, value: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise InvalidSpec(f"must be a whole number from 0 to {most}; is {value!r:.60}", field=f"spec.{name}")
