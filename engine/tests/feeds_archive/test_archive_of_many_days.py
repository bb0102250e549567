"""Of daily bars each day is a row, so that an archive of many symbols has days by the hundred thousand."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from spark_crds.formats.archive import SeriesManifest
from spark_engine.data.archive.segment import candle_columns
from spark_engine.feeds.archive import compaction, series_files
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.archive.directory_store import Directory
from spark_engine.feeds.archive.pending import SeriesKey
from spark_engine.feeds.archive.series_files import SeriesFiles

from engine.tests.feeds_archive.audit import content
from engine.tests.feeds_archive.scenario import DAY_MS, FIRST_MS, VENUE, Piece, candle, instrument

BTC = instrument("BTCTRY")


class Watched(Directory):
    """A directory that remembers of which dates segments were read, and how often manifests were written."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, str(root))
        self.dates: list[str] = []
        self.manifests = 0

    def get(self, name: str) -> bytes | None:
        if name.endswith(".parquet"):
            self.dates.append(name.split("/")[3])
        return super().get(name)

    def replace(self, name: str, content: bytes) -> None:
        self.manifests += name.endswith("manifest.json")
        super().replace(name, content)


def append(archive: Archive, days: Sequence[int], close: int) -> None:
    bars = tuple(candle("BTCTRY", day, close, timeframe="1d") for day in days)
    archive.append(Piece(BTC, candles=bars))
    archive.flush()


def test_a_day_that_is_held_costs_memory_however_few_rows_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series_files, "HELD_ROWS", 200)
    store = Watched(tmp_path / "archive")
    archive = Archive(store, venue=VENUE, journal=tmp_path / "journal", writer="test")
    days = [FIRST_MS + n * DAY_MS for n in range(10)]
    append(archive, days, close=5)
    store.dates.clear()
    assert len(archive.candles("BTCTRY", "1d", days[-2], days[-1] + 1)) == 2
    assert store.dates == []
    assert len(archive.candles("BTCTRY", "1d", days[0], days[1])) == 1
    assert store.dates == ["2023-11-15"]
    archive.close()


def test_holding_a_day_does_not_look_at_all_that_are_held(tmp_path: Path) -> None:
    """A flush of thousands of days took hours."""
    files = SeriesFiles(Watched(tmp_path), VENUE)
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1

    columns = candle_columns([])
    sys.setprofile(count)
    try:
        for n in range(1_000):
            files.hold(SeriesKey("BTCTRY", "1d"), f"day {n}", [], columns)
    finally:
        sys.setprofile(None)
    assert calls < 50_000


def test_a_manifest_is_not_written_anew_for_each_day_that_is_compacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names all days: of a history that was corrected throughout that took hours, and no flush came by."""
    store = Watched(tmp_path / "archive")
    archive = Archive(store, venue=VENUE, journal=tmp_path / "journal", writer="test")
    days = [FIRST_MS + n * DAY_MS for n in range(30)]
    append(archive, days, close=5)
    append(archive, days, close=6)
    store.manifests = 0
    monkeypatch.setattr(compaction, "MOST_RUNS", 20)
    assert archive.compact(days[-1] + DAY_MS) == 2 * 30
    assert store.manifests == 2
    assert len(content(tmp_path / "archive" / VENUE / "BTCTRY" / "1d", held(archive))) == 2 * 30
    archive.close()


def held(archive: Archive) -> SeriesManifest:
    found = archive.manifest("BTCTRY", "1d")
    assert found is not None
    return found
