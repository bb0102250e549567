"""The archive as its files are, read without the code that writes them: what was doubled shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from spark_crds.formats.archive import (
    MANIFEST_FILE,
    TICKS,
    SeriesManifest,
    latest_snapshot,
    read_series_manifest,
)
from spark_engine.data.archive.segment import CandleRow, TickRow, candle_rows, tick_rows
from spark_engine.data.archive.segment_file import decode_candles, decode_ticks

from tests.soak.folder import VENUE

Spans = tuple[tuple[int, int], ...]


def ticks(root: Path, symbol: str) -> list[TickRow]:
    """Every row of every file that the manifest names."""
    folder = root / VENUE / symbol / TICKS
    return [row for content, name in _files(folder) for row in tick_rows(decode_ticks(content, name))]


def bars(root: Path, symbol: str, timeframe: str) -> dict[int, CandleRow]:
    """By opening time in ms, each in its highest revision."""
    found: dict[int, CandleRow] = {}
    for content, name in _files(root / VENUE / symbol / timeframe):
        for row in candle_rows(decode_candles(content, name)):
            if row.ts not in found or row.revision > found[row.ts].revision:
                found[row.ts] = row
    return found


def coverage(root: Path, symbol: str, timeframe: str = TICKS) -> Spans:
    manifest = _manifest(root / VENUE / symbol / timeframe)
    return () if manifest is None else tuple(latest_snapshot(manifest).coverage)


def _manifest(folder: Path) -> SeriesManifest | None:
    """None for a series of which nothing was ever written."""
    path = folder / MANIFEST_FILE
    return read_series_manifest(path.read_bytes()) if path.exists() else None


def _files(folder: Path) -> Iterator[tuple[bytes, str]]:
    manifest = _manifest(folder)
    for file in manifest.files if manifest is not None else ():
        path = folder / file.path
        yield path.read_bytes(), str(path)
