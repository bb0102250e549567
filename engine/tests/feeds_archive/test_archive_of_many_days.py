"""Of daily bars each day is a row, so that an archive of many symbols has days by the hundred thousand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.archive.segment import candle_columns
from spark_engine.feeds.archive import series_files
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.archive.directory_store import Directory
from spark_engine.feeds.archive.pending import SeriesKey
from spark_engine.feeds.archive.series_files import SeriesFiles

from engine.tests.feeds_archive.scenario import DAY_MS, FIRST_MS, VENUE, Piece, candle, instrument

BTC = instrument("BTCTRY")


class Reads(Directory):
    """A directory that remembers of which dates segments were read."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, str(root))
        self.dates: list[str] = []

    def get(self, name: str) -> bytes | None:
        if name.endswith(".parquet"):
            self.dates.append(name.split("/")[3])
        return super().get(name)


def test_a_day_that_is_held_costs_memory_however_few_rows_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series_files, "HELD_ROWS", 200)
    store = Reads(tmp_path / "archive")
    archive = Archive(store, venue=VENUE, journal=tmp_path / "journal", writer="test")
    days = [FIRST_MS + n * DAY_MS for n in range(10)]
    archive.append(Piece(BTC, candles=tuple(candle("BTCTRY", day, 5, timeframe="1d") for day in days)))
    archive.flush()
    store.dates.clear()
    assert len(archive.candles("BTCTRY", "1d", days[-2], days[-1] + 1)) == 2
    assert store.dates == []
    assert len(archive.candles("BTCTRY", "1d", days[0], days[1])) == 1
    assert store.dates == ["2023-11-15"]
    archive.close()


def test_holding_a_day_does_not_look_at_all_that_are_held(tmp_path: Path) -> None:
    """A flush of thousands of days took hours."""
    files = SeriesFiles(Reads(tmp_path), VENUE)
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
