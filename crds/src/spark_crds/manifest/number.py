"""Numbers as the API server stores them: an integral value within 64 bits is an integer, else a float64."""

from __future__ import annotations

import math
from decimal import Decimal

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
MAX_INTEGER_DIGITS = 20  # of a 64-bit integer; also keeps Python from quadratic conversions


def stored_float(value: float) -> int | float:
    """30.0 as 30; raises `OverflowError` for what JSON cannot hold."""
    if not math.isfinite(value):
        raise OverflowError("a number must be finite")
    if value.is_integer() and abs(value) < 1e21:
        written = int(Decimal(repr(value)))  # Go writes the shortest digits, then zeros
        if INT64_MIN <= written <= INT64_MAX:
            return written
    return value


def stored_integer(digits: str) -> int | float:
    """A decimal integer of any length; beyond 64 bits a float64. Raises `OverflowError` as `stored_float`."""
    if len(digits.lstrip("+-0")) <= MAX_INTEGER_DIGITS:
        value = int(digits)
        if INT64_MIN <= value <= INT64_MAX:
            return value
    return stored_float(float(digits))
