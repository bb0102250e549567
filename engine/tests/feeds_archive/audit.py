"""Reads a directory as any reader does, without the writer's code: manifests, then the files they name."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from spark_crds.formats.archive import MANIFEST_FILE, TICKS, SeriesManifest, read_series_manifest
from spark_engine.data.archive.digest import day_digest
from spark_engine.data.archive.segment import (
    CandleRow,
    TickRow,
    candle_rows,
    decode_candles,
    decode_ticks,
    joined,
    tick_rows,
)

from engine.tests.feeds_archive.scenario import Piece

Rows = dict[tuple[str, str], list[TickRow] | list[CandleRow]]


def manifests(root: Path) -> dict[Path, SeriesManifest]:
    return {path.parent: read_series_manifest(path.read_bytes()) for path in root.rglob(MANIFEST_FILE)}


def content(folder: Path, manifest: SeriesManifest) -> list[TickRow] | list[CandleRow]:
    """All rows of a series; every file and every day is what the manifest says."""
    rows: list[TickRow | CandleRow] = []
    for day in manifest.days:
        files = [file for file in manifest.files if file.date == day.date]
        if not files:
            continue  # retired
        bodies = [(folder / file.path).read_bytes() for file in files]
        assert [hashlib.sha256(body).hexdigest() for body in bodies] == [file.sha256 for file in files]
        if manifest.timeframe == TICKS:
            ticks = joined([decode_ticks(body, "a segment") for body in bodies])
            assert (len(ticks), day_digest(ticks)) == (day.rows, day.sha256)
            rows += tick_rows(ticks)
        else:
            candles = joined([decode_candles(body, "a segment") for body in bodies])
            assert (len(candles), day_digest(candles)) == (day.rows, day.sha256)
            rows += candle_rows(candles)
    return rows


def archived(root: Path) -> Rows:
    return {
        (manifest.symbol, manifest.timeframe): content(folder, manifest)
        for folder, manifest in manifests(root).items()
    }


def leftovers(root: Path) -> list[str]:
    """Files below `root` that are neither a manifest, nor named by one, nor a lock."""
    named = {folder / file.path for folder, manifest in manifests(root).items() for file in manifest.files}
    return sorted(
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file()
        and path not in named
        and path.name not in (MANIFEST_FILE, ".writer.lock")
        and path.suffix != ".journal"
    )


def require_each_once(root: Path, acknowledged: Iterable[Piece], appended: Iterable[Piece]) -> None:
    """All that was acknowledged is there, nothing is there twice, and nothing that was never appended."""
    rows = archived(root)
    ticks = Counter(
        (symbol, row.id, row.ts, row.price, row.quantity, row.side)
        for (symbol, timeframe), found in rows.items()
        if timeframe == TICKS
        for row in found
        if isinstance(row, TickRow)
    )
    candles = Counter(
        (symbol, timeframe, row.ts, row.revision, row.close)
        for (symbol, timeframe), found in rows.items()
        for row in found
        if isinstance(row, CandleRow)
    )
    for found, of in ((ticks, _ticks), (candles, _candles)):
        assert all(count == 1 for count in found.values())
        assert set().union(*map(of, acknowledged := list(acknowledged))) <= set(found)
        assert set(found) <= set().union(*map(of, appended := list(appended)))


def _ticks(piece: Piece) -> set[tuple[object, ...]]:
    return {(tick.symbol, tick.id, tick.ts_ms, tick.price, tick.quantity, tick.side) for tick in piece.ticks}


def _candles(piece: Piece) -> set[tuple[object, ...]]:
    return {(bar.symbol, bar.timeframe, bar.ts_ms, bar.revision, bar.close) for bar in piece.candles}
