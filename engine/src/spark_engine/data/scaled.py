"""Decimals of rows as whole numbers of 10^-scale, as archives have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from spark_engine.data.request import MAX_PRICE_SCALE
from spark_engine.errors import InvalidData

MOST: Final = 2**63 - 1  # of an archive's column


@dataclass(frozen=True, slots=True)
class Scaled:
    """exact: every value is its decimal text. Else it was rounded to the finest scale, half to even."""

    columns: tuple[tuple[int, ...], ...]
    scale: int
    exact: bool


def scaled(columns: Sequence[Iterable[float]], what: str) -> Scaled:
    """The smallest scale up to 9 that fits the shortest text of every value. Values are finite.

    Raises `InvalidData` for what fits no int64. Prices that were adjusted backwards have as many decimals as
    a float holds: they are not exact.
    """
    decimals = [[Decimal(repr(value)) for value in column] for column in columns]
    places = max((_places(value) for column in decimals for value in column), default=0)
    scale = min(places, MAX_PRICE_SCALE)
    whole = tuple(
        tuple(int(value.scaleb(scale).to_integral_value(ROUND_HALF_EVEN)) for value in column)
        for column in decimals
    )
    if any(abs(value) > MOST for column in whole for value in column):
        raise InvalidData(
            f"{what} has numbers too large for 64 bits at {scale} decimals", field="spec.data.uri"
        )
    return Scaled(whole, scale, places <= MAX_PRICE_SCALE)


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
