# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, call-overload"
"""The bars of a window as an exchange reads them, with the finer bars inside. Compiled; see `kernel`."""

from __future__ import annotations

import cython

from spark_engine.data.candles import Candles

INFINITY = cython.declare(cython.double, float("inf"))
DAY_MS = cython.declare(cython.longlong, 86_400_000)
NEGLIGIBLE = cython.declare(cython.double, 1e-9)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def utc_day(ts: cython.longlong) -> cython.longlong:
    """Days since 1970, rounded down before it too."""
    # Python and C round a quotient differently below 0: none is taken there.
    return ts // DAY_MS if ts >= 0 else -((DAY_MS - 1 - ts) // DAY_MS)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def agree(x: cython.double, y: cython.double) -> cython.bint:
    return abs(x - y) <= NEGLIGIBLE * y


@cython.cclass
class Bars:
    """`candles[warmup:]`: when each bar opens and closes, and on which day or session it falls."""

    def __init__(self, candles: Candles) -> None:
        warmup = candles.warmup
        self.ts, self.open = candles.ts[warmup:], candles.open[warmup:]
        self.high, self.low, self.close = candles.high[warmup:], candles.low[warmup:], candles.close[warmup:]
        self.count = len(candles) - warmup
        self.timeframe = candles.timeframe_ms
        self.has_sessions = candles.sessions is not None
        if candles.sessions is not None:
            self.close_ts = candles.sessions.close_ts[warmup:]
            self.session_day = candles.sessions.day[warmup:]

    def close_time(self, i: cython.Py_ssize_t) -> cython.longlong:
        return self.close_ts[i] if self.has_sessions else self.ts[i] + self.timeframe

    def day(self, i: cython.Py_ssize_t) -> cython.longlong:
        return self.session_day[i] if self.has_sessions else utc_day(self.ts[i])


@cython.cclass
class FinerBars:
    """`candles.finer`; those inside the bar that was asked for last are [begin, end)."""

    def __init__(self, candles: Candles) -> None:
        finer = candles.finer
        self.present = finer is not None
        self.begin = self.end = 0
        if finer is not None:
            self.count, self.timeframe = len(finer), finer.timeframe_ms
            self.ts, self.open, self.high = finer.ts, finer.open, finer.high
            self.low, self.close = finer.low, finer.close

    def cover(self, bars: Bars, i: cython.Py_ssize_t) -> cython.bint:
        """Whether they are all there and agree with bar i. Bars are asked for in order."""
        j: cython.Py_ssize_t = self.end
        due: cython.longlong = bars.ts[i]
        closes: cython.longlong = bars.close_time(i)
        high: cython.double = 0.0
        low: cython.double = INFINITY
        whole: cython.bint = True
        while j < self.count and self.ts[j] < due:
            j += 1
        self.begin = j
        while j < self.count and self.ts[j] < closes:
            whole = whole and self.ts[j] == due
            due += self.timeframe
            high = max(high, self.high[j])
            low = min(low, self.low[j])
            j += 1
        self.end = j
        if not whole or j == self.begin or due < closes:
            return False
        return (
            agree(self.open[self.begin], bars.open[i])
            and agree(high, bars.high[i])
            and agree(low, bars.low[i])
            and agree(self.close[j - 1], bars.close[i])
        )
