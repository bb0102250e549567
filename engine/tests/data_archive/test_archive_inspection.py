"""`backtest data inspect` of an archive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from spark_engine.command.data_archive import print_archive
from spark_engine.data.archive.inspect import inspect_archive
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest
from spark_engine.errors import InvalidData

from tests.archives import DAY, FIRST, HOUR, Writer, into, minute, minutes


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    writer = Writer(into(tmp_path))
    writer.commit(minutes(FIRST, 60), [(FIRST, FIRST + HOUR)])
    writer.commit(minutes(FIRST + DAY, 60), [(FIRST + DAY, FIRST + DAY + HOUR)])
    writer.commit([minute(FIRST, price=20_000, revision=1)])
    return tmp_path


def test_a_series_is_told_with_its_commit_coverage_and_revisions(archive: Path) -> None:
    (series,) = inspect_archive(str(archive))
    assert (series.venue, series.symbol, series.timeframe) == ("btcturk", "BTCTRY", "1m")
    assert (series.commit, series.rows, series.amended, series.days) == (3, 121, 1, 2)
    assert series.uncovered == ((FIRST + HOUR, FIRST + DAY),)
    candles = read_candles(CandleRequest(series.pinned_uri, "BTCTRY", "1m", end_ms=FIRST + HOUR), FIRST)
    assert candles.source_sha256 == series.sha256


def test_it_is_printed_as_a_table_and_as_json(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_archive(str(archive), "table")
    table = capsys.readouterr().out
    assert "btcturk BTCTRY (BTCTRY) 1m" in table
    assert "2024-01-01 01:00 → 2024-01-02 00:00   not seen" in table
    assert print_archive(str(archive), "json")
    (told,) = json.loads(capsys.readouterr().out)["series"]
    assert (told["commit"], told["amended"]) == (3, 1)


def test_a_gap_within_a_minute_is_told_to_the_millisecond(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = Writer(into(tmp_path))
    writer.commit(minutes(FIRST, 2), [(FIRST, FIRST + 60_500), (FIRST + 61_042, FIRST + 120_000)])
    assert print_archive(str(tmp_path), "table")
    table = capsys.readouterr().out
    assert "2024-01-01 00:01:00.500 → 2024-01-01 00:01:01.042   not seen" in table
    assert "1 interval\n" in table


def test_an_ordinary_folder_is_left_to_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not print_archive(str(tmp_path), "table")
    assert not print_archive("sample://btcusdt-1h", "table")
    assert capsys.readouterr().out == ""


def test_a_damaged_manifest_is_told_in_words(archive: Path) -> None:
    path = next(archive.rglob("manifest.json"))
    path.write_bytes(path.read_bytes().replace(b"BTCTRY", b"BTCTRX"))
    with pytest.raises(InvalidData, match=r"manifest\.json cannot be used: sha256: .*the file is damaged"):
        inspect_archive(str(archive))


def test_every_series_of_a_large_archive_is_told(archive: Path) -> None:
    """As many symbols and timeframes as one feed may have."""
    manifest = (archive / "btcturk" / "BTCTRY" / "1m" / "manifest.json").read_bytes()
    for symbol in range(400):
        for timeframe in range(4):
            into(archive)(f"btcturk/S{symbol}/{timeframe + 1}h/manifest.json", manifest)
    assert len(inspect_archive(str(archive))) == 1 + 400 * 4
