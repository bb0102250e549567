"""From a URI to the bars that a run sees."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from spark_engine.data.archive.read import Archived, read_archive
from spark_engine.data.candles import Candles
from spark_engine.data.decode import decode
from spark_engine.data.prepare import prepared
from spark_engine.data.request import CandleRequest
from spark_engine.data.sample import SCHEME, check_sample, find_sample
from spark_engine.data.source import open_source
from spark_engine.errors import InvalidData

if TYPE_CHECKING:
    from spark_engine.data.series import Series


def read_candles(request: CandleRequest, now_ms: int | None = None) -> Candles:
    """Reads, checks, resamples and records the candles of `request`.

    `now_ms` (the clock by default) decides only whether the last bar is still forming. Raises `InvalidData`
    for data that a run must not use, naming the field that governs it, `StoreUnavailable` for a silent store.
    """
    if request.uri.startswith(SCHEME):
        check_sample(find_sample(request.uri), request.symbol, request.timeframe)
    archived = read_archive(request)
    if archived is not None:
        return _from_archive(archived, request)
    source = open_source(request.uri)
    _require_sha256(request.sha256, source.sha256)
    table = decode(source.files, request.symbol, request.timestamps)
    actions = _actions(request)
    candles = prepared(table, request, time.time_ns() // 1_000_000 if now_ms is None else now_ms, actions)
    return _with_funding(
        replace(
            candles,
            source_sha256=source.sha256,
            source_bytes=source.size,
            adjustment_sha256="" if actions is None else actions.sha256,
        ),
        request,
    )


def _from_archive(archived: Archived, request: CandleRequest) -> Candles:
    """What the archive knew decides which bar is still forming, and no clock: a repetition sees the same."""
    actions = _actions(request)
    candles = prepared(archived.table, request, archived.known_to_ms, actions)
    return _with_funding(
        replace(
            candles,
            source_sha256=archived.sha256,
            source_bytes=archived.bytes,
            adjustment_sha256="" if actions is None else actions.sha256,
            pinned_uri=archived.uri,
        ),
        request,
    )


def _actions(request: CandleRequest) -> Series | None:
    if request.adjustment == "None" or request.adjustment_uri is None:
        return None
    from spark_engine.data.adjust import read_actions

    return read_actions(request.adjustment_uri)


def _with_funding(candles: Candles, request: CandleRequest) -> Candles:
    """Rates due in the window: after the open of its first bar, until the close of its last."""
    if request.funding_uri is None:
        return candles
    from spark_engine.data.funding import read_funding

    source = read_funding(request.funding_uri)
    due = source.between(candles.ts[candles.warmup], candles.close_time(len(candles) - 1))
    quality = replace(candles.quality_report, funding_rows=len(due), funding_duplicates=source.duplicates)
    return replace(candles, funding=due, funding_sha256=source.sha256, quality_report=quality)


def _require_sha256(expected: str | None, found: str) -> None:
    if expected is not None and expected.removeprefix("sha256:").lower() != found:
        raise InvalidData(f"is {expected[:100]}, but that of the data is {found}", field="spec.data.sha256")
