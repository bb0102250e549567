"""Numbers, times and names as a reader sees them. Every function is total: any float gives a text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

MINUS = "−"  # as wide as a digit, so that columns stay aligned
ABSENT = "–"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SMALLEST_PLAIN, LARGEST_PLAIN = 1e-6, 1e15
PROPER = {"cagr": "CAGR", "uri": "URI", "sharpe": "Sharpe", "sortino": "Sortino", "calmar": "Calmar"}


def money(value: float | None) -> str:
    """Two decimals from 1 upwards, four significant digits below."""
    if value is None:
        return ABSENT
    magnitude = abs(value)
    if magnitude >= 1 or value == 0:
        return number(value, 2)
    return significant(value, 4)


def number(value: float | None, decimals: int = 0) -> str:
    """Fixed decimals with thousand separators; scientific where plain digits would mislead."""
    if value is None:
        return ABSENT
    if not math.isfinite(value):
        return str(value)
    magnitude = abs(value)
    if magnitude >= LARGEST_PLAIN:
        return scientific(value)
    text = f"{magnitude:,.{decimals}f}"
    negative = value < 0 and any(digit in "123456789" for digit in text)
    return MINUS + text if negative else text


def significant(value: float | None, digits: int) -> str:
    """`digits` significant digits without trailing zeros: 0.00012345, 1.2e-8."""
    if value is None:
        return ABSENT
    if value == 0 or not math.isfinite(value):
        return f"{value:g}".lstrip("-")
    magnitude = abs(value)
    if not SMALLEST_PLAIN <= magnitude < LARGEST_PLAIN:
        return scientific(value, digits)
    decimals = max(0, digits - 1 - math.floor(math.log10(magnitude)))
    text = number(value, decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def scientific(value: float, digits: int = 4) -> str:
    mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{MINUS if value < 0 else ''}{mantissa}e{str(int(exponent)).replace('-', MINUS)}"


def percent(fraction: float | None, decimals: int = 2) -> str:
    if fraction is None:
        return ABSENT
    share = 100 * fraction
    if share != 0 and abs(share) < 0.5 * 10**-decimals:
        return f"{significant(share, 2)}%"
    return f"{number(share, decimals if abs(share) < 10_000 else 0)}%"


def signed_percent(fraction: float | None, decimals: int = 2) -> str:
    text = percent(fraction, decimals)
    return f"+{text}" if fraction is not None and fraction > 0 else text


def column_decimals(values: Iterable[float], digits: int = 6) -> int | None:
    """Decimals that leave the smallest value of a column `digits` significant digits; None: go scientific."""
    magnitudes = [abs(value) for value in values if value and math.isfinite(value)]
    if not magnitudes:
        return 2
    smallest, largest = min(magnitudes), max(magnitudes)
    if largest >= LARGEST_PLAIN or smallest < 1e-9:
        return None
    return max(0, min(12, digits - 1 - math.floor(math.log10(smallest))))


def aligned(value: float | None, decimals: int | None) -> str:
    """One value of a column whose `column_decimals` are given."""
    if value is None:
        return ABSENT
    return significant(value, 6) if decimals is None else number(value, decimals)


def duration(seconds: float | None) -> str:
    """The two largest units: 412 d 3 h, 5 h 20 min, 45 s."""
    if seconds is None:
        return ABSENT
    whole = round(seconds)
    days, hours, minutes = whole // 86_400, whole % 86_400 // 3_600, whole % 3_600 // 60
    if days:
        return f"{days:,} d {hours} h" if hours else f"{days:,} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    if minutes:
        return f"{minutes} min {whole % 60} s" if whole % 60 else f"{minutes} min"
    return f"{whole} s"


def byte_size(size: int) -> str:
    if size < 1_000:
        return f"{size} B"
    return f"{size / 1e3:,.1f} kB" if size < 1_000_000 else f"{size / 1e6:,.2f} MB"


def moment(ts: float) -> datetime | None:
    """A stamp in ms UTC as a datetime; None outside the years 1 to 9999."""
    try:
        return EPOCH + timedelta(milliseconds=ts)
    except OverflowError:
        return None


def utc(ts: float | None) -> str:
    """Minutes, seconds only where there are some: 2024-01-31 13:00."""
    if ts is None:
        return ABSENT
    at = moment(ts)
    if at is None:
        return str(ts)
    return at.strftime("%Y-%m-%d %H:%M:%S" if at.second else "%Y-%m-%d %H:%M")


def words(identifier: str) -> str:
    """A camelCase or snake_case name as a heading: maxDrawdownBars -> Max drawdown bars."""
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", identifier).replace("_", " ").split()
    text = " ".join(PROPER.get(part.lower(), part.lower()) for part in parts)
    return text[:1].upper() + text[1:]


def plural(count: int, noun: str) -> str:
    """1 trade, 2 trades."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
