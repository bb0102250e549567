"""The window of a run, settled: a clock must not decide what a repetition sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from spark_engine.data.candles import COLUMNS, Candles
from spark_engine.data.stamps import iso


def with_settled_end(spec: Mapping[str, Any], candles: Candles) -> Mapping[str, Any]:
    """`spec` with the end that the data room chose where it left out a bar that was still forming.

    An hour later the same bar would be complete, and the same spec would give another digest.
    """
    if not candles.quality_report.forming_bar_dropped:
        return spec
    last_close = candles.ts[len(candles) - 1] + candles.timeframe_ms
    return {**spec, "market": {**spec["market"], "end": iso(last_close)}}


def first_bars(candles: Candles, bars: int) -> Candles:
    """The warm-up and the first `bars` bars of the window, sharing memory."""
    rows = slice(0, candles.warmup + bars)
    columns = {name: getattr(candles, name)[rows] for name in (*COLUMNS, "ticks_close")}
    sessions = candles.sessions
    if sessions is not None:
        sessions = replace(
            sessions,
            close_ts=sessions.close_ts[rows],
            day=sessions.day[rows],
            follows_gap=sessions.follows_gap[rows],
        )
    return replace(candles, **columns, sessions=sessions)
