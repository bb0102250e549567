"""Funding rates of a perpetual future, as venues export them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Final

from spark_engine.data.candles import Funding
from spark_engine.data.files import FIELD as CANDLES
from spark_engine.data.names import OPEN_TIMES
from spark_engine.data.rows import typed
from spark_engine.data.series import Series, SeriesLayout, column_named, read_series
from spark_engine.data.stamps import iso
from spark_engine.errors import InvalidData

FIELD: Final = "spec.data.fundingUri"
TIMES: Final = ("funding_time", "fundingtime", "calc_time", "fundingratetimestamp", *OPEN_TIMES)
RATES: Final = ("rate", "funding_rate", "fundingrate", "last_funding_rate")
SECOND_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class FundingSource:
    """All rates of a source, each time once. duplicates: exact ones that were dropped."""

    rates: Funding
    duplicates: int
    sha256: str

    def between(self, after_ms: int, until_ms: int) -> Funding:
        """Those with after_ms < T <= until_ms."""
        begin, end = bisect_right(self.rates.ts, after_ms), bisect_right(self.rates.ts, until_ms)
        return Funding(self.rates.ts[begin:end], self.rates.rate[begin:end])


def read_funding(uri: str) -> FundingSource:
    """Raises `InvalidData` that names the field, `StoreUnavailable` for a silent store.

    Times are cut to whole seconds: venues stamp a payment some ms after the hour for which it is due.
    """
    series = read_series(uri, FIELD, ("rate",), _layout)
    if not len(series.ts):
        raise InvalidData(f"there are no rows in {uri[:200]}", field=FIELD)
    return _once(series)


def _layout(names: Sequence[str] | None, columns: int, what: str) -> SeriesLayout:
    if names is not None:
        return SeriesLayout(column_named(names, TIMES, what), {"rate": column_named(names, RATES, what)})
    if columns != 2:
        raise InvalidData(
            f"{what} has no header and {columns} columns; without one these are time and rate", field=CANDLES
        )
    return SeriesLayout(0, {"rate": 1})


def _once(series: Series) -> FundingSource:
    rates = series.columns["rate"]
    found: dict[int, float] = {}
    duplicates = 0
    for row, (stamp, rate) in enumerate(zip(series.ts, rates, strict=True)):
        time = stamp // SECOND_MS * SECOND_MS
        if not isfinite(rate):
            raise InvalidData(f"row {row + 1} at {iso(time)}: the rate {rate} is not finite", field=FIELD)
        if time in found:
            duplicates += 1
        if found.setdefault(time, rate) != rate:
            raise InvalidData(
                f"there are two rates of {iso(time)}: {found[time]!r} and {rate!r} (row {row + 1})",
                field=FIELD,
            )
    order = sorted(found)
    funding = Funding(typed("q", order), typed("d", map(found.__getitem__, order)))
    return FundingSource(funding, duplicates, series.sha256)
