"""Deliveries through the real archive, and files that nobody would write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest
from spark_engine.errors import BacktestError
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.market import Candle
from spark_engine.feeds.providers.bist.actions import read_actions_file
from spark_engine.feeds.providers.bist.drop import Wanted, read_drop
from spark_engine.feeds.providers.bist_files import BistFiles, Poll
from spark_engine.feeds.settings import FeedSettings

NOW = round(datetime(2026, 11, 20, tzinfo=UTC).timestamp() * 1000)
WHOLE_WEEK = round(datetime(2026, 8, 3, tzinfo=UTC).timestamp() * 1000)  # the last one, without a gap
HEADER = "date,open,high,low,close,volume\n"


class Feed:
    """A provider of files, and the archive that it fills."""

    def __init__(self, settings: FeedSettings, journal: Path) -> None:
        self.provider = BistFiles(settings)
        self.archive = Archive.open(settings.archive_uri, venue="bist", journal=journal, writer="test")

    def known(self, symbol: str, timeframe: str, from_ms: int, to_ms: int) -> dict[int, Candle]:
        held = self.archive.last_candles(symbol, timeframe, 1 << 30)
        return {bar.ts_ms: bar for bar in held if from_ms <= bar.ts_ms < to_ms}

    def step(self) -> Poll:
        polled = asyncio.run(self.provider.poll(NOW, self.known))
        self.archive.append_many(polled.deliveries)
        self.archive.flush()
        self.provider.acknowledge(polled)
        return polled


def test_the_real_file_is_archived_once_and_a_run_reads_what_it_says(
    settings: Callable[..., FeedSettings],
    put: Callable[..., Path],
    real: Callable[[str], bytes],
    tmp_path: Path,
) -> None:
    content = real("bist_thyao_1d_2021_2026.parquet")
    put("bist_thyao_1d_2021_2026.parquet", content, NOW - 60_000)
    (tmp_path / "source.parquet").write_bytes(content)
    feed = Feed(settings(), tmp_path / "journal")
    feed.step()
    restarted = BistFiles(settings())
    again = asyncio.run(restarted.poll(NOW, feed.known))
    assert (again.deliveries[0].candles, again.deliveries[0].changes.unchanged) == ((), 1249)
    feed.archive.close()
    direct, archived = (
        read_candles(CandleRequest(uri, "THYAO", "1d", start_ms=WHOLE_WEEK, calendar="XIST"))
        for uri in (str(tmp_path / "source.parquet"), settings().archive_uri)
    )
    assert list(archived.ts) == list(direct.ts)
    assert [round(price, 8) for price in archived.close] == [round(price, 8) for price in direct.close]
    assert list(archived.volume) == list(direct.volume)


def test_a_correction_is_the_next_revision_in_the_archive(
    settings: Callable[..., FeedSettings], put: Callable[..., Path], tmp_path: Path
) -> None:
    feed = Feed(settings(), tmp_path / "journal")
    put("THYAO.csv", HEADER + "2026-11-18,10,11,9,10,5\n2026-11-19,10,11,9,10,5\n", NOW - 60_000)
    feed.step()
    put("THYAO.csv", HEADER + "2026-11-18,10,11,9,10,5\n2026-11-19,10,11,9,10.5,5\n", NOW - 30_000)
    feed.step()
    bars = feed.archive.last_candles("THYAO", "1d", 10)
    assert [(bar.close / 10**bar.price_scale, bar.revision) for bar in bars] == [(10, 0), (10.5, 1)]
    feed.archive.close()


def test_a_run_trades_on_bars_of_weeks_as_whole_ones(
    settings: Callable[..., FeedSettings], put: Callable[..., Path], tmp_path: Path
) -> None:
    mondays = ("2026-10-19", "2026-10-26", "2026-11-02", "2026-11-09")  # 2026-10-29 is a holiday
    put("THYAO_1w.csv", HEADER + "".join(f"{day},10,11,9,10,5\n" for day in mondays), NOW - 60_000)
    feed = Feed(settings(timeframes=("1w",)), tmp_path / "journal")
    feed.step()
    feed.archive.close()
    archived = read_candles(CandleRequest(settings().archive_uri, "THYAO", "1w", calendar="XIST"))
    assert (list(archived.close), set(archived.quality)) == ([10, 10, 10, 10], {0})


cells = st.sampled_from(
    [
        "",
        "nan",
        "inf",
        "-1",
        "0",
        "10",
        "1e300",
        "1e-12",
        "9" * 30,
        "2024-01-02",
        "20240102",
        "x",
        '"',
        "\x00",
    ]
)
lines = st.lists(cells, min_size=4, max_size=8).map(",".join)
texts = st.tuples(
    st.sampled_from([HEADER, "", "symbol," + HEADER, "date,split\n", "symbol,date,dividend\n"]),
    st.lists(lines, max_size=6).map("\n".join),
).map(lambda parts: "".join(parts).encode())
contents = st.one_of(
    st.binary(max_size=200), texts, st.binary(max_size=60).map(lambda b: b"PAR1" + b + b"PAR1")
)


@limits(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(contents, st.sampled_from(["THYAO.csv", "THYAO.parquet", "THYAO.csv.gz"]))
def test_whatever_a_file_holds_it_is_read_or_refused(content: bytes, name: str) -> None:
    try:
        drop = read_drop(name, content, Wanted(("THYAO",), ("1d",)), NOW, NOW)
    except BacktestError as refused:
        assert refused.message
    else:
        assert all(bar.low > 0 for series in drop.series for bar in series.candles)


@limits(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(contents)
def test_whatever_a_file_of_actions_holds_it_is_read_or_refused(content: bytes) -> None:
    try:
        found = read_actions_file("THYAO.actions.csv", content, ("THYAO",))
    except BacktestError as refused:
        assert refused.message
    else:
        assert all(actions.rows for actions in found)
