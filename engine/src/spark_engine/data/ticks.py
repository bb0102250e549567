"""Prices as whole ticks of 10^-scale (SEMANTICS section 2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from spark_engine.data import scan
from spark_engine.data.rows import Rows, zeros
from spark_engine.errors import InvalidData

FINEST_SCALE: Final = 9
POWERS: Final = tuple(10.0**scale for scale in range(FINEST_SCALE + 1))
MOST_TICKS: Final = 9.2e18  # int64, with room


@dataclass(frozen=True, slots=True)
class Ticks:
    """close: int64 ticks. exact: every price is one. snapped: rows whose prices changed by it."""

    close: memoryview
    scale: int
    exact: bool
    snapped: int


def in_ticks(rows: Rows, price_scale: int | None) -> Ticks:
    """Finds the scale, or takes the given one, and replaces prices in place by ticks / 10^scale.

    Prices that fit no scale stay as they are, with ticks of 10^-9. Prices are finite and above 0.
    Raises `InvalidData` for prices too large for int64 ticks or, with a given scale, below half a tick.
    """
    found = tick_scale(rows) if price_scale is None else price_scale
    scale = FINEST_SCALE if found is None else found
    power, half_even = POWERS[scale], price_scale is not None
    _require_in_range(rows, power, scale, half_even)
    close, changed = zeros("q", len(rows)), zeros("b", len(rows))
    scan.ticks(rows.close, power, half_even, close)
    for prices in rows.prices() if found is not None else ():
        scan.snap(prices, power, half_even, changed)
    return Ticks(close, scale, found is not None, bytes(changed).count(1))


def snapped(rows: Rows, ticks: Ticks, given: bool) -> memoryview:
    """Replaces prices in place by the scale that other rows were found to have; the ticks of the closes.

    `given`: the scale is that of the spec. Raises `InvalidData` as `in_ticks`.
    """
    power = POWERS[ticks.scale]
    _require_in_range(rows, power, ticks.scale, given)
    close = zeros("q", len(rows))
    scan.ticks(rows.close, power, given, close)
    changed = zeros("b", len(rows))
    for prices in rows.prices() if ticks.exact else ():
        scan.snap(prices, power, given, changed)
    return close


def tick_scale(rows: Rows) -> int | None:
    """The smallest scale in 0..9 that every price fits. Prices are finite and above 0."""
    for scale, power in enumerate(POWERS):
        if all(scan.first_misfit(prices, power) < 0 for prices in rows.prices()):
            return scale
    return None


def _require_in_range(rows: Rows, power: float, scale: int, given: bool) -> None:
    highest, lowest = max(rows.high), min(rows.low)
    if highest * power >= MOST_TICKS:
        raise InvalidData(
            f"price {highest!r} is too large: prices must stay below {MOST_TICKS:.2g} ticks of 1e-{scale}",
            field="spec.market.priceScale" if given else "spec.data.uri",
        )
    if given and round(lowest * power) == 0:
        raise InvalidData(
            f"{scale} decimals round the price {lowest!r} to 0; more are needed",
            field="spec.market.priceScale",
        )
