"""Times as sources write them, into ms UTC. Times without a zone are UTC."""

from __future__ import annotations

import re
from array import array
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from spark_engine.data import scan

EARLIEST_MS: Final = -2_208_988_800_000  # 1900-01-01
LATEST_MS: Final = 7_258_118_400_000  # 2200-01-01
FIRST_DATE, LAST_DATE = 19_000_101, 21_991_231  # 20240131 is a day, not a second of 1970
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
ALLOWED: Final = (
    "a time must be an epoch in s, ms, us or ns, a day as 20240131, or ISO 8601 as 2024-01-31T00:00:00Z, "
    "between 1900 and 2200"
)
TWELVE_HOURS: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d{1,2})(?::(\d\d))?(?::(\d\d))?[ -]?([AP]M)", re.ASCII | re.IGNORECASE
)


class BadStamp(Exception):
    """The time in `row` cannot be read."""

    def __init__(self, row: int, text: str) -> None:
        super().__init__(row, text)
        self.row = row
        self.text = text


def stamps_from_integers(values: memoryview) -> memoryview:
    """Epochs of a unit told by magnitude, or days as 20240131, value by value. Raises `BadStamp`."""
    bad = scan.epochs_to_ms(values, EARLIEST_MS, LATEST_MS, FIRST_DATE, LAST_DATE)
    if bad >= 0:
        for row in range(bad, len(values)):  # epochs_to_ms stopped there: what follows is as it was
            values[row] = _required(_integer_ms(values[row]), row, values[row])
    return values


def stamps_from_floats(values: memoryview) -> memoryview:
    """As `stamps_from_integers`, rounded to the nearest ms. Raises `BadStamp`."""
    return memoryview(
        array("q", (_required(_float_ms(value), row, value) for row, value in enumerate(values)))
    )


def stamps_from_texts(texts: Sequence[str | None]) -> memoryview:
    """Every cell on its own: epochs, days and ISO 8601 may be mixed. Raises `BadStamp`."""
    return memoryview(array("q", (_required(stamp_ms(text), row, text) for row, text in enumerate(texts))))


def stamp_ms(text: str | None) -> int | None:
    """One time, or None where it is none or lies outside 1900 to 2200."""
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 20:
        return _integer_ms(int(text))
    try:
        return _float_ms(float(text)) if text.isascii() and "_" not in text else None
    except ValueError:
        return _calendar_ms(text)


def iso(ms: int) -> str:
    """2024-01-31T00:00:00Z."""
    stamp = EPOCH + timedelta(milliseconds=ms)
    return stamp.isoformat(timespec="milliseconds" if ms % 1000 else "seconds").replace("+00:00", "Z")


def _required(ms: int | None, row: int, value: object) -> int:
    if ms is None:
        raise BadStamp(row, "nothing" if value is None else repr(value)[:60])
    return ms


def _integer_ms(value: int) -> int | None:
    if FIRST_DATE <= value <= LAST_DATE:
        year, month, day = value // 10_000, value // 100 % 100, value % 100
        return _calendar_ms(f"{year:04}-{month:02}-{day:02}")
    size = abs(value)
    if size < 10**11:
        return _bounded(value * 1000)
    if size < 10**14:
        return _bounded(value)
    return _bounded(value // (1000 if size < 10**17 else 1_000_000))


def _float_ms(value: float) -> int | None:
    if not abs(value) < 1e19:
        return None
    if value.is_integer() and abs(value) < 10**14:
        return _integer_ms(int(value))
    size = abs(value)
    return _bounded(
        round(
            value * 1000 if size < 1e11 else value if size < 1e14 else value / (1e3 if size < 1e17 else 1e6)
        )
    )


def _calendar_ms(text: str) -> int | None:
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return _twelve_hours_ms(text)
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=UTC)
    return _bounded((stamp - EPOCH) // MILLISECOND)


def _twelve_hours_ms(text: str) -> int | None:
    """`2017-08-17 04-AM`, `2017-08-17 04:30 PM`."""
    match = TWELVE_HOURS.fullmatch(text)
    if match is None or not 1 <= int(match[2]) <= 12:
        return None
    hour = int(match[2]) % 12 + (12 if match[5].upper() == "PM" else 0)
    try:
        day = date.fromisoformat(match[1])
        stamp = datetime(
            day.year, day.month, day.day, hour, int(match[3] or 0), int(match[4] or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    return _bounded((stamp - EPOCH) // MILLISECOND)


def _bounded(ms: int) -> int | None:
    return ms if EARLIEST_MS <= ms < LATEST_MS else None
