"""A commit of ticks costs what it brings, not what its day holds; and its digest is proved all the same."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from spark_crds.formats.archive import TICKS, SegmentFile, SeriesManifest, Snapshot, latest_snapshot
from spark_engine.data.archive.segment import TickRow
from spark_engine.errors import InvalidData
from spark_engine.feeds.archive import flush
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.archive.directory_store import Directory

from engine.tests.feeds_archive.audit import content, tick_day
from engine.tests.feeds_archive.scenario import DAY_MS, FIRST_MS, VENUE, Piece, instrument, tick
from engine.tests.feeds_archive.writers import opened

BTC = instrument("BTCTRY")
SERIES = f"{VENUE}/BTCTRY/{TICKS}"


class Counting(Directory):
    """A directory that remembers which files were read, and how many bytes of them."""

    def __init__(self, root: Path) -> None:
        super().__init__(root, str(root))
        self.read: dict[str, int] = {}

    def get(self, name: str) -> bytes | None:
        found = super().get(name)
        self.read[name] = self.read.get(name, 0) + len(found or b"")
        return found

    def segments(self) -> dict[str, int]:
        """Bytes of each segment of ticks that was read since this was asked last."""
        found = {name.removeprefix(f"{SERIES}/"): size for name, size in self.read.items() if SERIES in name}
        self.read.clear()
        return {name: size for name, size in found.items() if name.endswith(".parquet")}


@pytest.fixture
def store(tmp_path: Path) -> Counting:
    return Counting(tmp_path / "archive")


@pytest.fixture
def archive(store: Counting, tmp_path: Path) -> Archive:
    return Archive(store, venue=VENUE, journal=tmp_path / "journal", writer="test", grace_seconds=0.0)


def append(archive: Archive, numbers: Iterable[int]) -> SeriesManifest:
    """Flushed; tick n is of the n-th millisecond of the day."""
    archive.append(Piece(BTC, ticks=tuple(tick("BTCTRY", n, FIRST_MS + n) for n in numbers)))
    archive.flush()
    return held(archive)


def held(archive: Archive) -> SeriesManifest:
    found = archive.manifest("BTCTRY")
    assert found is not None
    return found


def shape(files: Iterable[SegmentFile]) -> list[tuple[int, int, int]]:
    return [(file.rows, file.first_commit, file.last_commit) for file in files]


def rows_of(archive: Archive, root: Path) -> list[TickRow]:
    return [row for row in content(root / SERIES, held(archive)) if isinstance(row, TickRow)]


@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize("day", [1_000, 60_000])
def test_a_commit_reads_no_segment_but_the_one_it_writes_however_many_ticks_the_day_holds(
    archive: Archive, store: Counting, day: int, compacted: bool
) -> None:
    for begin in range(0, day, day // 10):
        append(archive, range(begin, begin + day // 10))
    if compacted:
        assert archive.compact(FIRST_MS, open_segments=2) == 10
    store.segments()
    new = append(archive, range(day, day + 20)).files[-1]
    assert store.segments() == {new.path: new.bytes}
    assert new.bytes < 5_000


def test_ticks_out_of_order_read_the_segments_of_their_time_and_no_other(
    archive: Archive, store: Counting
) -> None:
    for begin in range(0, 1_000, 100):
        append(archive, range(begin, begin + 100, 2))
    before = held(archive)
    store.segments()
    late = append(archive, (205, 999, *range(1_000, 1_100)))
    touched = {file.path: file.bytes for file in (before.files[2], late.files[-1])}
    assert store.segments() == touched
    assert (late.days[0].rows, late.files[-1].rows) == (602, 102)
    for known in (200, 205, 298, 999, 1_099):
        assert append(archive, [known]) == late


def test_ticks_that_come_again_hours_later_are_dropped_after_compaction_too(
    archive: Archive, tmp_path: Path
) -> None:
    for begin in range(0, 600, 60):
        append(archive, range(begin, begin + 60))
    append(archive, [900])
    append(archive, [700])
    archive.compact(FIRST_MS + DAY_MS, most_ticks=250)
    assert len(held(archive).files) == 3
    before = held(archive)
    assert append(archive, range(600)) == append(archive, [900]) == before
    archive.close()
    again = opened(tmp_path)
    assert append(again, (*range(599, 0, -7), 800)).days[0].rows == 603
    assert len({row.id for row in rows_of(again, tmp_path / "archive")}) == 603


def test_compaction_makes_segments_of_a_bounded_size_and_leaves_those_alone_that_have_it(
    archive: Archive, store: Counting
) -> None:
    for begin in range(0, 1_000, 100):
        append(archive, range(begin, begin + 100))
    assert archive.compact(FIRST_MS, open_segments=7, most_ticks=350) == 0, "it would save six"
    assert archive.compact(FIRST_MS, open_segments=6, most_ticks=350) == 9
    assert shape(held(archive).files) == [(300, 1, 3), (300, 4, 6), (300, 7, 9), (100, 10, 10)]
    kept = held(archive).files[:3]
    append(archive, range(1_000, 1_100))
    store.segments()
    assert archive.compact(FIRST_MS + DAY_MS, most_ticks=350) == 2
    assert not {file.path for file in kept} & set(store.segments())
    assert held(archive).files[:3] == kept
    assert archive.compact(FIRST_MS + DAY_MS, most_ticks=350) == 0


def test_segments_of_other_rows_than_their_manifest_says_are_not_put_together(
    archive: Archive, tmp_path: Path
) -> None:
    for begin in (0, 10):
        manifest = append(archive, range(begin, begin + 10))
    first, last = manifest.files
    (day,) = manifest.days
    wrong = replace(manifest, files=(replace(first, rows=11), last), days=(replace(day, rows=21),))
    (tmp_path / "archive" / SERIES / "manifest.json").write_bytes(wrong.content())
    with pytest.raises(InvalidData, match="2023-11-15 has 20 rows, but its manifest says 21"):
        archive.compact(FIRST_MS + DAY_MS)
    assert held(archive) == wrong


def test_every_snapshot_of_a_day_of_ticks_can_be_made_again_from_its_rows(
    archive: Archive, tmp_path: Path
) -> None:
    """Late ticks and compaction in between; `content` proves each manifest from its files alone."""
    seen: list[Snapshot] = []
    for n in range(30):
        append(archive, (*range(100 * n, 100 * n + 10), max(0, 100 * n - 1_050)))
        seen.append(latest_snapshot(held(archive)))
        if n % 7 == 6:
            archive.compact(FIRST_MS, open_segments=2, most_ticks=80)
            assert latest_snapshot(held(archive)) == seen[-1]
            content(tmp_path / "archive" / SERIES, held(archive))
    archive.compact(FIRST_MS + DAY_MS)
    rows = rows_of(archive, tmp_path / "archive")
    assert [snapshot.days for snapshot in seen] == [
        (("2023-11-15", *tick_day(rows, snapshot.commit)),) for snapshot in seen
    ]
    assert len({snapshot.sha256 for snapshot in seen}) == len(seen)


def test_a_long_journal_is_flushed_some_rows_at_a_time(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flush, "MOST_ROWS", 100)
    archive.append_many(Piece(BTC, ticks=(tick("BTCTRY", n, FIRST_MS + n),)) for n in range(450))
    flushed = archive.flush()
    assert (flushed.commits, flushed.rows, archive.journal_rows()) == (5, 450, 0)
    assert shape(held(archive).files) == [(100, n, n) for n in range(1, 5)] + [(50, 5, 5)]
    assert len(rows_of(archive, tmp_path / "archive")) == 450


def test_the_last_ticks_are_had_without_reading_the_day(archive: Archive, store: Counting) -> None:
    for begin in range(0, 1_000, 100):
        append(archive, range(begin, begin + 100))
    archive.append(Piece(BTC, ticks=(tick("BTCTRY", 1_000, FIRST_MS + 1_000),)))
    files = held(archive).files
    store.segments()
    assert [each.id for each in archive.ticks_since("BTCTRY", FIRST_MS + 998)] == ["t998", "t999", "t1000"]
    assert set(store.segments()) == {files[-1].path}
    assert len(archive.ticks_since("BTCTRY", FIRST_MS + 899)) == 102
    store.segments()
    last = archive.ticks_since("BTCTRY", FIRST_MS + 998, least=150)
    assert [each.id for each in last] == [f"t{n}" for n in range(850, 1_001)]
    assert set(store.segments()) == {files[-1].path, files[-2].path}
    assert len(archive.ticks_since("BTCTRY", FIRST_MS + 5_000, least=2_000)) == 1_001
    assert archive.ticks_since("BTCTRY", FIRST_MS + 5_000) == []
