"""What an archive holds after appends, flushes, compaction and retention, as a reader sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
from spark_crds.formats.archive import TICKS, SeriesManifest, merged_coverage
from spark_engine.data.archive.days import Days
from spark_engine.data.archive.find import Pin, find_series
from spark_engine.errors import InvalidData
from spark_engine.feeds.market import Interval

from engine.tests.feeds_archive.audit import archived, content, leftovers, manifests
from engine.tests.feeds_archive.scenario import (
    DAY_MS,
    FIRST_MS,
    STEP_MS,
    VENUE,
    Piece,
    candle,
    instrument,
    piece,
    tick,
    time_of,
)
from engine.tests.feeds_archive.writers import opened

BTC = instrument("BTCTRY")


def snapshot(root: Path, timeframe: str = "1m", pin: Pin | None = None) -> tuple[Pin, str]:
    """The digest that a run pins, by the engine's own reader."""
    series = find_series(str(root / "archive"), "BTCTRY", timeframe)
    assert series is not None
    at = pin or Pin(series.manifest.commit, series.manifest.known_to_ms)
    return at, Days(series, at).snapshot().sha256


def manifest_of(root: Path, timeframe: str = TICKS) -> SeriesManifest:
    found = [each for each in manifests(root / "archive").values() if each.timeframe == timeframe]
    assert len(found) == 1
    return found[0]


def test_what_is_appended_comes_back_before_and_after_a_flush(tmp_path: Path) -> None:
    archive = opened(tmp_path, timeframes=("1m", "5m"))
    for n in (3, 6, 9, 12):
        archive.append(piece(n))
    expected = sorted((each for n in (3, 6, 9, 12) for each in piece(n).ticks), key=lambda each: each.ts_ms)
    before = archive.ticks_since("BTCTRY", 0), archive.last_candles("BTCTRY", "1m", 2)
    assert before[0] == expected
    assert before[1] == [piece(9).candles[0], piece(12).candles[0]]
    assert archive.journal_rows() == 4 * (3 + 1)
    assert archive.flush().commits == 3
    assert archive.flush().commits == 0
    assert (archive.ticks_since("BTCTRY", 0), archive.last_candles("BTCTRY", "1m", 2)) == before
    assert archive.journal_rows() == 0
    archive.close()
    again = opened(tmp_path)
    assert (again.ticks_since("BTCTRY", 0), again.last_candles("BTCTRY", "1m", 2)) == before
    assert again.ticks_since("BTCTRY", time_of(9)) == [each for each in expected if each.ts_ms >= time_of(9)]
    seen = tuple(Interval(time_of(n), time_of(n + 1)) for n in (3, 6, 9, 12))
    assert again.coverage("BTCTRY") == again.coverage("BTCTRY", "5m") == seen


def test_coverage_grows_in_place_only_where_knowledge_ended(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    known = []
    for begin, end in ((0, 10), (10, 20), (40, 50), (20, 30), (50, 60)):
        archive.append(Piece(BTC, covered_ticks=(Interval(begin, end),)))
        archive.flush()
        manifest = manifest_of(tmp_path)
        known.append((manifest.commit, manifest.known_to_ms, merged_coverage(manifest.coverage, 99, 99)))
    assert len(manifest.coverage) == 3
    assert known[-1][2] == ((0, 30), (40, 60))
    for commit, to_ms, seen in known:
        assert merged_coverage(manifest.coverage, commit, to_ms) == seen


def test_a_snapshot_is_what_it_was_after_appends_amendments_and_compaction(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    pins = []
    for n in range(3, 300, 3):
        archive.append(piece(n))
        archive.flush()
        if n % 30 == 0:
            pins.append(snapshot(tmp_path))
    files = len(manifest_of(tmp_path, "1m").files)
    assert archive.compact(time_of(300), open_segments=5) > 90
    archive.append(piece(300))
    archive.flush()
    assert len(manifest_of(tmp_path, "1m").files) < files / 10
    assert [snapshot(tmp_path, pin=pin) for pin, _ in pins] == pins
    assert len({sha256 for _, sha256 in pins}) == len(pins)


def test_compaction_leaves_an_open_day_alone_until_it_has_many_segments(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    for n in range(3, 18, 3):
        archive.append(Piece(BTC, candles=(candle("BTCTRY", time_of(n), 5),)))
        archive.flush()
    assert archive.compact(time_of(18), open_segments=5) == 0
    assert archive.compact(time_of(18), open_segments=4) == 5
    assert archive.compact(time_of(18) + DAY_MS) == 0
    assert [
        (file.first_commit, file.last_commit, file.rows) for file in manifest_of(tmp_path, "1m").files
    ] == [(1, 5, 5)]


def test_superseded_files_stay_for_a_grace_period(tmp_path: Path) -> None:
    now = [0.0]
    archive = opened(tmp_path, clock=lambda: now[0], grace_seconds=30.0)
    for n in range(3, 12, 3):
        archive.append(Piece(BTC, candles=(candle("BTCTRY", time_of(n), 5),)))
        archive.flush()
    archive.compact(time_of(12) + DAY_MS)
    now[0] = 29.0
    archive.flush()
    assert len(leftovers(tmp_path)) == 3
    now[0] = 31.0
    archive.flush()
    assert leftovers(tmp_path) == []


def test_a_segment_that_a_crash_left_and_that_is_written_again_is_not_discarded(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    archive.append(piece(3))
    archive.close()
    for path in (tmp_path / "archive").rglob("manifest.json"):
        path.unlink()  # as if the crash had come before them, and the journal's volume were lost
    now = [0.0]
    again = opened(tmp_path, journal=tmp_path / "new", clock=lambda: now[0], grace_seconds=30.0)
    assert len(leftovers(tmp_path)) == 2
    again.append(piece(3))
    again.flush()
    now[0] = 31.0
    again.flush()
    assert {name: len(rows) for name, rows in archived(tmp_path / "archive").items()} == {
        ("BTCTRY", TICKS): 3,
        ("BTCTRY", "1m"): 1,
    }


def test_retention_removes_whole_days_and_keeps_their_digests(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    for n in range(3, 300, 3):
        archive.append(piece(n))
    archive.flush()
    before = manifest_of(tmp_path, "1m")
    pin, sha256 = snapshot(tmp_path)
    now = FIRST_MS + 3 * DAY_MS + 1
    assert archive.retire(now, candles_ms=2 * DAY_MS) == 1
    after = manifest_of(tmp_path, "1m")
    assert after.days == before.days
    assert {file.date for file in before.files} - {file.date for file in after.files} == {"2023-11-15"}
    assert snapshot(tmp_path) == (pin, sha256)
    assert manifest_of(tmp_path).files, "ticks have a limit of their own"
    archive.append(Piece(BTC, candles=(candle("BTCTRY", FIRST_MS, 7),)))
    assert archive.flush().refused_rows == 1
    assert leftovers(tmp_path) == []


def test_a_row_that_is_appended_twice_is_one_row(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    for _ in range(3):
        archive.append(piece(3))
    archive.flush()
    first = manifest_of(tmp_path)
    archive.append(piece(3))
    archive.flush()
    assert manifest_of(tmp_path) == first
    assert first.days[0].rows == 3


def test_a_bar_that_differs_from_the_one_of_its_revision_becomes_the_next(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    for close, revision in ((5, 0), (6, 0), (6, 0), (5, 1), (5, 7)):
        archive.append(Piece(BTC, candles=(candle("BTCTRY", FIRST_MS, close, revision=revision),)))
        archive.flush()
    rows = archived(tmp_path / "archive")["BTCTRY", "1m"]
    assert [(row.close, row.revision, row.commit) for row in rows] == [
        (5, 0, 1),
        (6, 1, 2),
        (5, 2, 3),
        (5, 7, 4),
    ]


def test_ticks_keep_their_scale_when_a_venue_adds_decimals(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    archive.append(Piece(BTC, ticks=(tick("BTCTRY", 1, FIRST_MS, price=150),)))
    archive.flush()
    archive.append(Piece(instrument("BTCTRY", 4), ticks=(tick("BTCTRY", 2, FIRST_MS + 1, price=15_001),)))
    archive.flush()
    assert archive.scales("BTCTRY") == (4, 8)
    assert [each.price for each in archive.ticks_since("BTCTRY", 0)] == [15_000, 15_001]
    rows = archived(tmp_path / "archive")["BTCTRY", TICKS]
    assert [(row.price, row.price_scale) for row in rows] == [(150, 2), (15_001, 4)]


def test_what_no_file_could_hold_is_refused_before_it_is_acknowledged(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    archive.append(piece(3))
    for bad, words in (
        (Piece(BTC, ticks=(tick("BTCTRY", 1, FIRST_MS, price=1 << 63),)), "price"),
        (Piece(BTC, ticks=(tick("BTCTRY", 1, -1),)), "time"),
        (Piece(BTC, ticks=(tick("ETHTRY", 1, FIRST_MS),)), "ETHTRY"),
        (Piece(instrument("../x")), "symbol"),
        (Piece(BTC, candles=(candle("BTCTRY", FIRST_MS, 5, timeframe="1 min"),)), "timeframe"),
    ):
        with pytest.raises(InvalidData, match=words):
            archive.append_many([piece(6), bad])
    archive.flush()
    assert len(archive.ticks_since("BTCTRY", 0)) == 3


def test_a_damaged_series_stops_itself_and_no_other(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    for n in (1, 2, 3):
        archive.append(piece(n))
    archive.flush()
    damaged = tmp_path / "archive" / VENUE / "BTCTRY" / "1m" / "manifest.json"
    good = damaged.read_bytes()
    damaged.write_bytes(good.replace(b'"commit":1', b'"commit":9', 1))
    for n in (4, 5, 6):
        archive.append(piece(n))
    with pytest.raises(InvalidData, match=r"BTCTRY/1m/manifest\.json"):
        archive.flush()
    damaged.write_bytes(good)
    rows = {name: len(found) for name, found in archived(tmp_path / "archive").items()}
    assert rows["ETHTRY", "1m"] == 2
    assert rows["BTCTRY", "1m"] == 1
    archive.flush()
    assert len(archived(tmp_path / "archive")["BTCTRY", "1m"]) == 2


def test_a_series_that_was_damaged_before_its_first_flush_stops_no_other(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    for n in (1, 2, 3):
        archive.append(piece(n))
    archive.close()
    again = opened(tmp_path)
    damaged = tmp_path / "archive" / VENUE / "BTCTRY" / "1m" / "manifest.json"
    good = damaged.read_bytes()
    damaged.write_bytes(good.replace(b'"commit":1', b'"commit":9', 1))
    for n in (4, 5, 6):
        again.append(piece(n))
    with pytest.raises(InvalidData, match=r"BTCTRY/1m/manifest\.json"):
        again.flush()
    damaged.write_bytes(good)
    rows = {name: len(found) for name, found in archived(tmp_path / "archive").items()}
    assert (rows["ETHTRY", "1m"], rows["BTCTRY", "1m"]) == (2, 1)
    again.flush()
    assert len(archived(tmp_path / "archive")["BTCTRY", "1m"]) == 2


def test_a_damaged_series_stops_the_upkeep_of_itself_and_no_other(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    for n in (1, 2, 3, 4, 5, 6):
        archive.append(piece(n))
        archive.flush()
    damaged = tmp_path / "archive" / VENUE / "BTCTRY" / "1m" / "manifest.json"
    good = damaged.read_bytes()
    damaged.write_bytes(good.replace(b'"commit":2', b'"commit":9', 1))

    def files() -> dict[str, int]:
        return {
            folder.parent.name: len(held.files)
            for folder, held in manifests(tmp_path / "archive").items()
            if held.timeframe == "1m"
        }

    with pytest.raises(InvalidData, match=r"BTCTRY/1m/manifest\.json"):
        archive.compact(time_of(6) + DAY_MS)
    damaged.write_bytes(good)
    assert files() == {"BTCTRY": 2, "ETHTRY": 1, "USDTTRY": 1}
    damaged.write_bytes(good.replace(b'"commit":2', b'"commit":9', 1))
    with pytest.raises(InvalidData, match=r"BTCTRY/1m/manifest\.json"):
        archive.retire(FIRST_MS + 9 * DAY_MS, ticks_ms=DAY_MS, candles_ms=DAY_MS)
    damaged.write_bytes(good)
    assert files() == {"BTCTRY": 2, "ETHTRY": 0, "USDTTRY": 0}


def test_a_journal_that_was_flushed_by_another_process_is_not_flushed_twice(tmp_path: Path) -> None:
    """The journal of an old volume comes back after another journal went on."""
    archive = opened(tmp_path)
    archive.append(piece(3))
    archive.append(piece(6))
    kept = {path.name: path.read_bytes() for path in (tmp_path / "journal").glob("*.journal")}
    archive.close()
    other = opened(tmp_path, journal=tmp_path / "other")
    other.append(piece(9))
    other.close()
    (tmp_path / "old").mkdir()
    for name, body in kept.items():
        (tmp_path / "old" / name).write_bytes(body)
    again = opened(tmp_path, journal=tmp_path / "old")
    assert again.recovered_rows == 0
    folder = tmp_path / "archive" / VENUE / "BTCTRY" / TICKS
    assert len(content(folder, manifest_of(tmp_path))) == 9
    assert again.coverage("BTCTRY")[0] == Interval(time_of(3), time_of(3) + STEP_MS)
