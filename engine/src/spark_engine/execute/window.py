"""The window of a run, settled: a clock must not decide what a repetition sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.data.stamps import iso


def with_settled_end(spec: Mapping[str, Any], candles: Candles) -> Mapping[str, Any]:
    """`spec` with the end that the data room chose where it left out a bar that was still forming.

    An hour later the same bar would be complete, and the same spec would give another digest.
    """
    if not candles.quality_report.forming_bar_dropped:
        return spec
    last_close = candles.ts[len(candles) - 1] + candles.timeframe_ms
    return {**spec, "market": {**spec["market"], "end": iso(last_close)}}
