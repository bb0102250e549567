"""Corporate actions: prices and volumes before a split or dividend, as if it had always been so.

Back-adjusted: the last row of the source stays as it is, so a later factor file changes earlier prices.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Final

from spark_engine.data import scan
from spark_engine.data.files import FIELD as CANDLES
from spark_engine.data.files import Source
from spark_engine.data.names import OPEN_TIMES
from spark_engine.data.request import UNITS_MS
from spark_engine.data.rows import Rows
from spark_engine.data.series import Series, SeriesLayout, column_named, read_series, series_of
from spark_engine.data.stamps import iso
from spark_engine.data.timetable import Timetable
from spark_engine.errors import InvalidData

FIELD: Final = "spec.data.adjustmentUri"
DAY_MS: Final = UNITS_MS["d"]
NAMES: Final = ("price_factor", "split_factor", "split", "dividend")
DATES: Final = ("date", "ex_date", *OPEN_TIMES)
SPLITS: Final = ("split", "splits", "stock_splits", "split_ratio")
DIVIDENDS: Final = ("dividend", "dividends", "cash", "amount")


@dataclass(frozen=True, slots=True)
class Factors:
    """Of rows of a date up to and with `last_day[k]` and after `last_day[k - 1]`; after the last one, 1.

    last_day: days since 1970-01-01, rising. split, price: what a price is multiplied by.
    """

    last_day: Sequence[int]
    split: Sequence[float]
    price: Sequence[float]


@dataclass(frozen=True, slots=True)
class Adjusted:
    """rows: how many changed. splits, dividends: how often their factor changes between the rows."""

    rows: int
    splits: int
    dividends: int


def read_actions(uri: str) -> Series:
    """A factor file of LEAN (date, price factor, split factor, ...), or date, split and dividend.

    Raises `InvalidData` that names the field, `StoreUnavailable` for a silent store.
    """
    return read_series(uri, FIELD, NAMES, _layout)


def actions_of(source: Source) -> Series:
    """The same of files that were read. Raises `InvalidData` that names the field."""
    return series_of(source, FIELD, NAMES, _layout)


def factors_of(actions: Series, rows: Rows, timetable: Timetable) -> Factors:
    """`rows`: all of the source, unadjusted, for the close before a dividend. Raises `InvalidData`."""
    days = [stamp // DAY_MS for stamp in actions.ts]
    columns = [actions.columns[name] for name in NAMES]
    table = sorted(zip(days, *columns, strict=True))
    for (before, *_), (day, *_rest) in pairwise(table):
        if before == day:
            raise InvalidData(f"there are two rows of {iso(day * DAY_MS)[:10]}", field=FIELD)
    if all(price != price for _day, price, *_rest in table):
        return _from_actions(table, rows, timetable)
    for day, price, split, *_rest in table:
        _require_factor(price, "price factor", day)
        _require_factor(split, "split factor", day)
    return Factors([row[0] for row in table], [row[2] for row in table], [row[1] for row in table])


def adjust(rows: Rows, factors: Factors, timetable: Timetable, dividends: bool) -> Adjusted:
    """Multiplies prices and divides volumes, in place. Raises `InvalidData` for prices beyond float64."""
    changed, seen = 0, []
    for begin, end, split, price in _spans(rows, factors, timetable, dividends):
        seen.append((split, price))
        if split == 1.0 and price == 1.0:
            continue
        changed += end - begin
        for column in rows.prices():
            scan.multiply(column[begin:end], price, split)
        scan.divide(rows.volume[begin:end], split)
    _missing, _infinite, _low, no_price = scan.price_faults(*rows.prices())
    _null, _zero, _bad, no_volume = scan.volume_faults(rows.volume)
    first = max(no_price, no_volume)
    if first >= 0:
        what = "price" if first == no_price else "volume"
        raise InvalidData(f"the factors leave no {what} at {iso(rows.ts[first])}", field=FIELD)
    return Adjusted(
        changed,
        sum(before[0] != after[0] for before, after in pairwise(seen)),
        sum(before[1] != after[1] for before, after in pairwise(seen)),
    )


def _spans(
    rows: Rows, factors: Factors, timetable: Timetable, dividends: bool
) -> Iterator[tuple[int, int, float, float]]:
    """Rows [begin, end), not empty, with their split and dividend factors."""
    begin = 0
    for day, split, price in zip(factors.last_day, factors.split, factors.price, strict=True):
        end = timetable.first_row_after(rows.ts, day)
        if end > begin:
            yield begin, end, split, price if dividends else 1.0
            begin = end
    if begin < len(rows):
        yield begin, len(rows), 1.0, 1.0


def _from_actions(table: list[tuple[float, ...]], rows: Rows, timetable: Timetable) -> Factors:
    """Each action divides what came before its ex-date: by the split, and by the dividend's share of the
    last close before it. Actions beyond the last row of the source change nothing."""
    last_day, splits, prices = array("q"), array("d"), array("d")
    split = price = 1.0
    for day, _price, _split, ratio, dividend in reversed(table):
        before = timetable.first_row_after(rows.ts, int(day) - 1)
        if before in (0, len(rows)):
            continue
        split = split / _ratio(ratio, day)
        price = price * _remaining(dividend, rows.close[before - 1], day)
        last_day.append(int(day) - 1)
        splits.append(split)
        prices.append(price)
    return Factors(last_day[::-1], splits[::-1], prices[::-1])


def _ratio(ratio: float, day: float) -> float:
    """New shares for one old; nothing, and the 0 that some vendors write, is no split."""
    if ratio != ratio or ratio == 0.0:
        return 1.0
    _require_factor(ratio, "split", day)
    return ratio


def _remaining(dividend: float, close: float, day: float) -> float:
    if dividend != dividend or dividend == 0.0:
        return 1.0
    if not 0.0 < dividend < close:
        raise InvalidData(
            f"{_day(day)}: the dividend {dividend!r} must lie between 0 and the close before it, {close!r}",
            field=FIELD,
        )
    return 1.0 - dividend / close


def _require_factor(factor: float, name: str, day: float) -> None:
    if not (isfinite(factor) and factor > 0.0):
        raise InvalidData(f"{_day(day)}: the {name} must be above 0; is {factor!r}", field=FIELD)


def _day(day: float) -> str:
    return iso(int(day) * DAY_MS)[:10]


def _layout(names: Sequence[str] | None, columns: int, what: str) -> SeriesLayout:
    if names is None:
        if columns < 3:
            raise InvalidData(
                f"{what} has no header and {columns} columns; without one these are date, price factor and "
                "split factor",
                field=CANDLES,
            )
        return SeriesLayout(0, {"price_factor": 1, "split_factor": 2})
    time = column_named(names, DATES, what)
    if "price_factor" in names:
        factors = ("price_factor", "split_factor")
        return SeriesLayout(time, {name: column_named(names, (name,), what) for name in factors})
    found = {"split": _first(names, SPLITS), "dividend": _first(names, DIVIDENDS)}
    numbers = {name: position for name, position in found.items() if position is not None}
    if not numbers:
        raise InvalidData(
            f"{what} has neither price_factor and split_factor, nor split or dividend; found "
            f"{', '.join(names)[:200]}",
            field=CANDLES,
        )
    return SeriesLayout(time, numbers)


def _first(names: Sequence[str], aliases: Sequence[str]) -> int | None:
    return next((names.index(alias) for alias in aliases if alias in names), None)
