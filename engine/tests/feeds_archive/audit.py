"""Reads a directory as any reader does, without the writer's code: manifests, then the files they name."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

from spark_crds.formats.archive import (
    MANIFEST_FILE,
    TICKS,
    SegmentFile,
    SeriesManifest,
    read_series_manifest,
)
from spark_engine.data.archive.digest import rows_digest
from spark_engine.data.archive.segment import (
    CandleRow,
    TickColumns,
    TickRow,
    candle_rows,
    joined,
    tick_columns,
    tick_rows,
)
from spark_engine.data.archive.segment_file import decode_candles, decode_ticks

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
        for file, body in zip(files, bodies, strict=True):
            require_as_stated(manifest, file, body)
        assert [hashlib.sha256(body).hexdigest() for body in bodies] == [file.sha256 for file in files]
        if manifest.timeframe == TICKS:
            ticks = tick_rows(joined([decode_ticks(body, "a segment") for body in bodies]))
            assert tick_day(ticks, manifest.commit) == (day.rows, day.sha256)
            assert day.last_commit == max(row.commit for row in ticks)
            rows += ticks
        else:
            candles = joined([decode_candles(body, "a segment") for body in bodies])
            assert (len(candles), rows_digest(candles)) == (day.rows, day.sha256)
            rows += candle_rows(candles)
    return rows


def tick_day(rows: Iterable[TickRow], commit: int) -> tuple[int, str]:
    """Rows and digest of a day of ticks as they were at a commit, as `data.archive.digest` spells it out."""
    seen = sorted((row for row in rows if row.commit <= commit), key=lambda row: row.commit)
    chain = b""
    for _, added in groupby(seen, lambda row: row.commit):
        chain = hashlib.sha256(chain + bytes.fromhex(rows_digest(tick_columns(added)))).digest()
    return len(seen), chain.hex()


def require_as_stated(manifest: SeriesManifest, file: SegmentFile, body: bytes) -> None:
    """Times, commits and their order are what the manifest says of a file."""
    columns = (decode_ticks if manifest.timeframe == TICKS else decode_candles)(body, "a segment")
    assert (file.first_ts, file.last_ts) == (min(columns.ts), max(columns.ts))
    assert (file.first_commit, file.last_commit) == (min(columns.commit), max(columns.commit))
    assert (file.rows, file.bytes) == (len(columns), len(body))
    if isinstance(columns, TickColumns):
        order = list(zip(columns.commit, columns.ts, columns.id, strict=True))
        assert order == sorted(order)


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
