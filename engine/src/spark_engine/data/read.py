"""From a URI to the bars that a run sees."""

from __future__ import annotations

import time
from dataclasses import replace

from spark_engine.data.candles import Candles
from spark_engine.data.decode import decode
from spark_engine.data.prepare import prepared
from spark_engine.data.request import CandleRequest
from spark_engine.data.sample import SCHEME, check_sample, find_sample
from spark_engine.data.source import open_source
from spark_engine.errors import InvalidData


def read_candles(request: CandleRequest, now_ms: int | None = None) -> Candles:
    """Reads, checks, resamples and records the candles of `request`.

    `now_ms` (the clock by default) decides only whether the last bar is still forming. Raises `InvalidData`
    for data that a run must not use, naming the field that governs it, `StoreUnavailable` for a silent store.
    """
    if request.uri.startswith(SCHEME):
        check_sample(find_sample(request.uri), request.symbol, request.timeframe)
    source = open_source(request.uri)
    _require_sha256(request.sha256, source.sha256)
    table = decode(source.files, request.symbol, request.timestamps)
    candles = prepared(table, request, time.time_ns() // 1_000_000 if now_ms is None else now_ms)
    return replace(candles, source_sha256=source.sha256, source_bytes=source.size)


def _require_sha256(expected: str | None, found: str) -> None:
    if expected is not None and expected.removeprefix("sha256:").lower() != found:
        raise InvalidData(f"is {expected[:100]}, but that of the data is {found}", field="spec.data.sha256")
