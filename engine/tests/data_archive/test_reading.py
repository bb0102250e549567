"""What a run reads out of an archive: which series, which rows, at which commit, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.archive.place import _Folder  # the place of a race, and nothing else
from spark_engine.data.candles import PARTIAL, Candles
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest
from spark_engine.errors import InvalidData
from spark_engine.evidence.digests import candles_digest

from tests.archives import DAY, FIRST, HOUR, MINUTE, Writer, into, minute, minutes

NOW = FIRST + 1000 * DAY


def read(uri: object, timeframe: str = "1m", symbol: str = "BTCTRY", **request: Any) -> Candles:
    return read_candles(CandleRequest(str(uri), symbol, timeframe, **request), NOW)


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(into(tmp_path))


@pytest.fixture
def three_days(writer: Writer) -> Writer:
    """Three whole days, a commit each."""
    for day in range(3):
        begin = FIRST + day * DAY
        writer.commit(minutes(begin, 1440), [(begin, begin + DAY)])
    return writer


def test_any_folder_above_a_series_names_it(three_days: Writer, tmp_path: Path) -> None:
    whole = read(tmp_path)
    assert len(whole) == 3 * 1440
    for folder in ("btcturk", "btcturk/BTCTRY", "btcturk/BTCTRY/1m"):
        assert candles_digest(read(tmp_path / folder)) == candles_digest(whole)
        assert read(f"file://{tmp_path / folder}").source_sha256 == whole.source_sha256
    assert read(tmp_path, symbol="BTC/TRY").source_sha256 == whole.source_sha256


def test_the_coarsest_series_that_divides_the_timeframe_is_read(three_days: Writer, tmp_path: Path) -> None:
    for timeframe in ("5m", "15m"):
        coarser = Writer(into(tmp_path), timeframe=timeframe)
        coarser.commit([minute(FIRST, price=77_000)], [(FIRST, FIRST + DAY)])
    assert read(tmp_path, "15m").quality_report.resampled_from is None
    assert read(tmp_path, "30m").quality_report.resampled_from == "15m"
    assert read(tmp_path, "10m").quality_report.resampled_from == "5m"
    assert read(tmp_path, "7m", partial_bars="Keep").quality_report.resampled_from == "1m"
    finer = read(tmp_path, "30m", resolve_with="10m", end_ms=FIRST + HOUR)
    assert finer.quality_report.resampled_from == "5m"


def test_what_is_not_there_is_told_with_what_is(three_days: Writer, tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"spec\.data\.uri.*no ETHTRY in bars of 1m.*btcturk/BTCTRY/1m"):
        read(tmp_path, symbol="ETHTRY")
    with pytest.raises(InvalidData, match=r"no BTCTRY in bars of 30s"):
        read(tmp_path, "30s")


def test_two_venues_are_ambiguous_and_one_of_them_is_not(three_days: Writer, tmp_path: Path) -> None:
    other = Writer(into(tmp_path), venue="binance")
    other.commit(minutes(FIRST, 60), [(FIRST, FIRST + HOUR)])
    with pytest.raises(InvalidData, match=r"more than once, name one of .*binance.*btcturk"):
        read(tmp_path)
    assert len(read(tmp_path / "binance")) == 60


def test_a_folder_without_a_manifest_of_ours_is_read_as_ever(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"schema": "of somebody else"}')
    (tmp_path / "x.csv").write_text(
        "ts,open,high,low,close\n" + f"{FIRST},1,1,1,1\n{FIRST + MINUTE},1,1,1,1\n"
    )
    candles = read(tmp_path)
    assert (len(candles), candles.pinned_uri) == (2, None)
    assert candles.quality_report.missing_feed_down is None


def test_a_pinned_run_reads_the_same_rows_whatever_happens_to_the_archive(
    three_days: Writer, tmp_path: Path
) -> None:
    first = read(tmp_path, "1h")
    pinned, sha256 = first.pinned_uri, first.source_sha256
    assert pinned is not None
    assert pinned.endswith(f"/btcturk/BTCTRY/1m?commit=3&to={FIRST + 3 * DAY}")

    def same() -> bool:
        again = read(pinned, "1h", sha256=sha256)
        return candles_digest(again) == candles_digest(first) and again.pinned_uri == pinned

    for step in range(12):
        begin = three_days.known_to
        three_days.commit(minutes(begin, 60), [(begin, begin + HOUR)])
        amended = three_days.rows[step * 997 % len(three_days.rows)]
        revision = 1 + max(row.revision for row in three_days.rows if row.ts == amended.ts)
        three_days.commit([minute(amended.ts, price=20_000, revision=revision)])
        assert same()
        if step % 3 == 2:
            for path in three_days.compact():
                (tmp_path / three_days.path / path).unlink()
            assert same()
    assert candles_digest(read(tmp_path, "1h", end_ms=FIRST + 3 * DAY)) != candles_digest(first)


def test_an_amended_bar_is_read_in_its_highest_revision(three_days: Writer, tmp_path: Path) -> None:
    three_days.commit([minute(FIRST + MINUTE, price=50_000, revision=1)])
    three_days.commit([minute(FIRST + MINUTE, price=60_000, revision=2)])
    assert read(tmp_path).open[1] == minute(FIRST + MINUTE, price=60_000).open / 100
    at_4 = f"{tmp_path}/btcturk/BTCTRY/1m?commit=4&to={FIRST + 3 * DAY}"
    assert read(at_4).open[1] == minute(FIRST + MINUTE, price=50_000).open / 100
    assert len(read(at_4)) == 3 * 1440


def test_a_pin_that_was_never_is_refused(three_days: Writer, tmp_path: Path) -> None:
    series = tmp_path / three_days.path
    with pytest.raises(InvalidData, match=r"pins commit 99 .* has got to 3"):
        read(f"{series}?commit=99&to={FIRST}")
    with pytest.raises(InvalidData, match=r"pins a series of an archive as <series>\?commit"):
        read(f"{series}?commit=3")
    with pytest.raises(InvalidData, match="there is no archive at"):
        read(f"{tmp_path / 'nowhere'}?commit=1&to={FIRST}")


def test_another_digest_than_the_pinned_one_is_refused(three_days: Writer, tmp_path: Path) -> None:
    sha256 = read(tmp_path).source_sha256
    three_days.commit([minute(FIRST, price=50_000, revision=1)])
    with pytest.raises(InvalidData, match=r"spec\.data\.sha256: .*at commit 4 .*grown since.*\?commit="):
        read(tmp_path, sha256=sha256)
    rewritten = Writer(three_days.put)
    rewritten.commit(minutes(FIRST, 1441), [(FIRST, FIRST + 3 * DAY)])
    with pytest.raises(InvalidData, match=r"spec\.data\.sha256: .*rewritten, or it is another"):
        read(f"{tmp_path / three_days.path}?commit=1&to={FIRST + 3 * DAY}", sha256=sha256)


@pytest.mark.parametrize("suffix", [".parquet", ".json"])
def test_a_corrupt_byte_anywhere_is_refused_in_words(writer: Writer, tmp_path: Path, suffix: str) -> None:
    writer.commit(minutes(FIRST, 30), [(FIRST, FIRST + 30 * MINUTE)])
    (path,) = tmp_path.rglob(f"*{suffix}")
    whole = path.read_bytes()
    for place in range(0, len(whole), 1 + len(whole) // 200):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(InvalidData, match=r"spec\.data\.uri: .*(is damaged|cannot be used)"):
            read(tmp_path)
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidData, match=r"spec\.data\.uri"):
            read(tmp_path)


def test_only_the_days_of_the_window_are_read(three_days: Writer, tmp_path: Path) -> None:
    damaged = next((tmp_path / three_days.path / "2024-01-01").iterdir())
    damaged.write_bytes(b"PAR1 not at all PAR1")
    assert len(read(tmp_path, start_ms=FIRST + DAY)) == 2 * 1440
    with pytest.raises(InvalidData, match=r"2024-01-01/1-1-.* is damaged"):
        read(tmp_path, start_ms=FIRST + DAY - MINUTE)


@pytest.mark.parametrize("bars", [1, 24, 40, 47, 48, 1000])
def test_a_warm_up_reaches_as_far_back_as_it_must(three_days: Writer, tmp_path: Path, bars: int) -> None:
    start = FIRST + 2 * DAY
    candles = read(tmp_path, "1h", start_ms=start, warmup_bars=bars)
    assert candles.warmup == min(bars, 48)
    assert candles.ts[candles.warmup] == start


def test_a_warm_up_goes_on_before_bars_that_are_dropped(three_days: Writer, tmp_path: Path) -> None:
    hole = Writer(into(tmp_path / "hole"))
    hole.commit(minutes(FIRST, 600), [(FIRST, FIRST + 600 * MINUTE)])
    for day in range(20, 22):  # nothing in between: the feed was down for weeks
        hole.commit(minutes(FIRST + day * DAY, 1440), [(FIRST + day * DAY, FIRST + (day + 1) * DAY)])
    candles = read(tmp_path / "hole", "1h", start_ms=FIRST + 21 * DAY, warmup_bars=30, partial_bars="Drop")
    assert candles.warmup == 30
    assert candles.ts[0] == FIRST + 4 * HOUR


def test_days_that_retention_removed_are_named_where_a_run_needs_them(
    three_days: Writer, tmp_path: Path
) -> None:
    pinned = read(tmp_path).pinned_uri
    later = read(tmp_path, start_ms=FIRST + DAY)
    three_days.retire("2024-01-01")
    with pytest.raises(InvalidData, match="retention removed the days 2024-01-01, which the run needs"):
        read(pinned, start_ms=FIRST)
    with pytest.raises(InvalidData, match="retention removed the days 2024-01-01"):
        read(pinned, start_ms=FIRST + DAY, warmup_bars=10)
    again = read(later.pinned_uri, start_ms=FIRST + DAY, sha256=later.source_sha256)
    assert candles_digest(again) == candles_digest(later)
    assert read(tmp_path).ts[0] == FIRST + DAY


def test_days_that_were_amended_and_then_removed_cannot_be_proved(three_days: Writer, tmp_path: Path) -> None:
    pinned = read(tmp_path).pinned_uri
    three_days.commit([minute(FIRST, price=50_000, revision=1)])
    three_days.retire("2024-01-01")
    with pytest.raises(InvalidData, match=r"spec\.data\.sha256: .*2024-01-01 were amended later, and then"):
        read(pinned, start_ms=FIRST + DAY)


def test_files_that_compaction_takes_away_under_a_reader_are_no_fault(
    three_days: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = read(tmp_path)
    honest = _Folder.read
    overtaken = 0

    def overtaking(self: _Folder, paths: list[str]) -> list[bytes | None]:
        nonlocal overtaken
        if overtaken < 3 and any(path.endswith(".parquet") for path in paths):
            overtaken += 1
            three_days.commit([minute(FIRST, price=50_000, revision=overtaken)])
            for path in three_days.compact():
                (tmp_path / three_days.path / path).unlink()
        return honest(self, paths)

    monkeypatch.setattr(_Folder, "read", overtaking)
    again = read(whole.pinned_uri, sha256=whole.source_sha256)
    assert (overtaken, candles_digest(again)) == (3, candles_digest(whole))


def test_a_file_that_is_simply_gone_is_named(three_days: Writer, tmp_path: Path) -> None:
    gone = next((tmp_path / three_days.path / "2024-01-02").iterdir())
    gone.unlink()
    with pytest.raises(InvalidData, match=rf"names 2024-01-02/{gone.name}, which is not there"):
        read(tmp_path)


def test_an_archive_stamps_bars_at_their_open(three_days: Writer, tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"spec\.data\.timestamps"):
        read(tmp_path, timestamps="Close")


def test_a_bar_that_the_archive_does_not_know_to_its_end_is_still_forming(
    writer: Writer, tmp_path: Path
) -> None:
    known = FIRST + 2 * HOUR + 34 * MINUTE
    writer.commit(minutes(FIRST, 154), [(FIRST, known)])
    candles = read(tmp_path, "1h")
    assert list(candles.ts) == [FIRST, FIRST + HOUR]
    assert candles.quality_report.forming_bar_dropped
    assert PARTIAL not in candles.quality
