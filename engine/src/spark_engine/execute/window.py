"""The window of a run, settled: neither a clock nor a feed must decide what a repetition sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from spark_engine.data.candles import COLUMNS, Candles
from spark_engine.data.stamps import iso


def settled(spec: Mapping[str, Any], candles: Candles) -> Mapping[str, Any]:
    """`spec` with everything that the data room chose: where the window ends, what of an archive was read."""
    return _with_settled_archive(_with_settled_end(spec, candles), candles)


def _with_settled_end(spec: Mapping[str, Any], candles: Candles) -> Mapping[str, Any]:
    """The end, where a bar that was still forming was left out.

    An hour later the same bar would be complete, and the same spec would give another digest.
    """
    if not candles.quality_report.forming_bar_dropped:
        return spec
    last_close = candles.ts[len(candles) - 1] + candles.timeframe_ms
    return {**spec, "market": {**spec["market"], "end": iso(last_close)}}


def _with_settled_archive(spec: Mapping[str, Any], candles: Candles) -> Mapping[str, Any]:
    """The commit that was read, and the first bar of a window without a start, since retention may remove
    what lies before it. There is no warm-up without a start."""
    if candles.pinned_uri is None:
        return spec
    data = {**spec["data"], "uri": candles.pinned_uri, "sha256": candles.source_sha256}
    market = dict(spec["market"])
    if market.get("start") is None:
        market["start"] = iso(candles.ts[candles.warmup])
        market |= {"warmupBars": 0} if "warmupBars" in market else {}
    return {**spec, "data": data, "market": market}


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
