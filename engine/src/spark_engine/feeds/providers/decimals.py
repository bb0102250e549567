"""Decimal text to integers, exactly: "586950.50" at scale 2 is 58695050."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

from spark_engine.feeds.provider import Malformed

MOST_SCALE: Final = 18
MOST_UNITS: Final = 2**63 - 1  # what an archive's column holds
MOST_CHARACTERS: Final = 64
POWERS: Final[tuple[int, ...]] = tuple(10**power for power in range(MOST_SCALE + 1))
_WIDE: Final = Context(prec=100, rounding=ROUND_HALF_EVEN)


class TooFine(Exception):
    """A number has more decimals than the scale: `scale` is what it needs, at most `MOST_SCALE`."""

    def __init__(self, scale: int) -> None:
        super().__init__(scale)
        self.scale = scale


def units(text: str, scale: int) -> int:
    """`text` times 10^scale, from 0 to `MOST_UNITS`. `scale`: 0 to `MOST_SCALE`.

    Only digits with at most one point between them: no sign, exponent, comma or space. Zeros at the end cost
    no decimals. Raises `TooFine` rather than round, `Malformed` for everything that is no such number.
    """
    whole, point, fraction = text.partition(".")
    decimals = fraction.rstrip("0")
    digits = whole + decimals
    if (
        not whole
        or (point and not fraction)
        or len(text) > MOST_CHARACTERS
        or not (digits.isdigit() and digits.isascii())
    ):
        raise Malformed(f"{text!r:.40} is no plain decimal number")
    missing = scale - len(decimals)
    if missing < 0:
        _require_possible(text, digits, len(decimals))
        raise TooFine(len(decimals))
    number = int(digits) * POWERS[missing]
    if number > MOST_UNITS:
        raise Malformed(f"{text:.40} does not fit into 64 bits with {scale} decimals")
    return number


def _require_possible(text: str, digits: str, scale: int) -> None:
    if scale > MOST_SCALE:
        raise Malformed(f"{text:.40} has more than {MOST_SCALE} decimals")
    if int(digits) > MOST_UNITS:
        raise Malformed(f"{text:.40} does not fit into 64 bits with {scale} decimals")


def rounded(number: Decimal, scale: int) -> int:
    """The integer nearest to `number` times 10^scale, ties to even: for venues that send floats.

    Raises `Malformed` for what is negative, not finite or too large.
    """
    if not number.is_finite() or number < 0 or number.adjusted() > MOST_SCALE:
        raise Malformed(f"{number!s:.40} is no price or volume")
    if number.adjusted() < -2 * MOST_SCALE:
        return 0
    nearest = int(number.scaleb(scale, _WIDE).to_integral_value(context=_WIDE))
    if nearest > MOST_UNITS:
        raise Malformed(f"{number!s:.40} does not fit into 64 bits with {scale} decimals")
    return nearest


def decimals_of(step: str) -> int:
    """How many decimals a step such as "0.01000000" has: 2. Raises `Malformed`."""
    try:
        units(step, 0)
    except TooFine as finer:
        return finer.scale
    return 0
