"""A window of candles with the rows before it that its indicators may see: what walk-forward runs on."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

from spark_engine.data.candles import COLUMNS, Candles, Funding, Sessions


def cut(candles: Candles, begin: int, end: int, lookback: int) -> Candles:
    """The window rows [begin, end) of `candles`, sharing memory, and up to `lookback` rows before as warm-up.

    Rows are counted from the first bar of the window of `candles`; the rows before it serve as warm-up too.
    Funding of bars before the cut stays behind. 0 <= begin <= end <= bars of the window.
    """
    first, last = candles.warmup + begin, candles.warmup + end
    from_row = max(0, first - lookback)
    return replace(
        candles,
        **{name: getattr(candles, name)[from_row:last] for name in (*COLUMNS, "ticks_close")},
        warmup=first - from_row,
        sessions=_sessions(candles.sessions, from_row, last),
        funding=_funding(candles, first),
    )


def _sessions(sessions: Sessions | None, from_row: int, last: int) -> Sessions | None:
    if sessions is None:
        return None
    return replace(
        sessions,
        close_ts=sessions.close_ts[from_row:last],
        day=sessions.day[from_row:last],
        follows_gap=sessions.follows_gap[from_row:last],
    )


def _funding(candles: Candles, first: int) -> Funding | None:
    """Without what fell due up to the close of the bar before `first`: that bar paid it."""
    if candles.funding is None or first == 0:
        return candles.funding
    if candles.sessions is None:
        paid = candles.ts[first - 1] + candles.timeframe_ms
    else:
        paid = candles.sessions.close_ts[first - 1]
    due = bisect_right(candles.funding.ts, paid)
    return Funding(ts=candles.funding.ts[due:], rate=candles.funding.rate[due:])
