"""`backtest feed replay`: a recording of a real socket, whose host's clock is 1.27 s behind the venue's."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from spark_engine.errors import InvalidData
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.market import Quality
from spark_engine.feeds.providers.registry import stream_provider
from spark_engine.feeds.run.replay import NS, recorded, replay
from spark_engine.feeds.settings import FeedSettings

from tests.exchange.recording import Recording, load

Backtest = Callable[..., subprocess.CompletedProcess[str]]
MINUTE = 60_000
SETTINGS = FeedSettings("recorded", "binance-spot", ("BTCUSDT",), ("trade", "ticker"), ("1m", "5m"), "")


@pytest.fixture(scope="module")
def recording(market_data: Callable[[str], Path]) -> Path:
    return market_data("ws_binance_spot_btcusdt_20240809.gz")


@pytest.fixture(scope="module")
def truth(recording: Path) -> Recording:
    return load(recording)


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    manifest = {
        "apiVersion": "spark.trading/v1alpha1",
        "kind": "MarketDataFeed",
        "metadata": {"name": "recorded"},
        "spec": {
            "provider": "binance-spot",
            "symbols": ["BTCUSDT"],
            "channels": ["trade", "ticker"],
            "timeframes": ["1m", "5m"],
            "storage": {"uri": "archive"},
        },
    }
    path = tmp_path / "feed.json"
    path.write_text(json.dumps(manifest))
    return path


def opened(folder: Path) -> Archive:
    return Archive.open(
        str(folder / "archive"),
        venue="binance-spot",
        journal=folder / "journal",
        writer="test",
        timeframes=SETTINGS.timeframes,
    )


def test_a_recording_becomes_the_trades_and_bars_that_it_holds(
    backtest: Backtest, recording: Path, truth: Recording, feed: Path, tmp_path: Path
) -> None:
    shown = backtest("feed", "replay", recording, "-f", feed, "--output", "json")
    assert shown.returncode == 0, shown.stderr
    told = json.loads(shown.stdout)
    assert told["frames"] == len(truth.frames)
    assert told["ticks"] == len(truth.trades)
    assert (told["gaps"], told["duplicates"], told["reordered"], told["malformed"]) == (0, 0, 0, 0)
    assert told["candles"] == {"1m": 6, "5m": 2}
    archive = opened(tmp_path)
    try:
        require_all(archive, truth)
    finally:
        archive.close()


def require_all(archive: Archive, truth: Recording) -> None:
    price_scale, quantity_scale = archive.scales("BTCUSDT") or (0, 0)
    raw = [trade for _, trade in truth.trades]
    assert [
        (tick.id, tick.ts_ms, tick.price, tick.quantity) for tick in archive.ticks_since("BTCUSDT", 0)
    ] == [
        (
            str(trade["t"]),
            trade["T"],
            int(Decimal(trade["p"]).scaleb(price_scale)),
            int(Decimal(trade["q"]).scaleb(quantity_scale)),
        )
        for trade in sorted(raw, key=lambda trade: (trade["T"], trade["t"]))
    ]
    bars = archive.candles("BTCUSDT", "1m", 0, 1 << 45)
    for bar in bars:
        inside = [trade for trade in raw if bar.ts_ms <= trade["T"] < bar.ts_ms + MINUTE]
        prices = [int(Decimal(trade["p"]).scaleb(price_scale)) for trade in inside]
        assert (bar.open, bar.high, bar.low, bar.close) == (prices[0], max(prices), min(prices), prices[-1])
        assert bar.trades == len(inside)
        assert bar.volume == sum(int(Decimal(trade["q"]).scaleb(quantity_scale)) for trade in inside)
    first, *inner, last = [bar.quality for bar in bars]
    assert (first, last) == (Quality.PARTIAL, Quality.PARTIAL)
    assert set(inner) == {Quality.COMPLETE}


def test_raw_lag_is_negative_and_compensated_lag_never_is(
    backtest: Backtest, recording: Path, feed: Path
) -> None:
    told = json.loads(backtest("feed", "replay", recording, "-f", feed, "--output", "json").stdout)
    raw, compensated = told["lagMs"]["raw"], told["lagMs"]["compensated"]
    assert raw["p99"] < -1_000
    assert 0 <= compensated["least"] <= compensated["p50"] <= compensated["p95"] <= compensated["p99"] < 100
    assert -8 < told["driftPpm"] < -3  # it loses 0.25 to 0.3 ms a minute
    assert told["offsetMs"] == pytest.approx(1_276, abs=2)


def test_the_table_has_what_a_person_asks_for(backtest: Backtest, recording: Path, feed: Path) -> None:
    shown = backtest("feed", "replay", recording, "-f", feed)
    for label in ("frames", "ticks", "candles", "gaps", "duplicates", "clock drift", "raw", "compensated"):
        assert any(line.strip().startswith(label) for line in shown.stdout.splitlines()), label


def test_playing_it_again_changes_nothing(tmp_path: Path, recording: Path) -> None:
    commits = []
    for _ in range(2):
        archive = opened(tmp_path)
        replay(recorded(recording), SETTINGS, stream_provider("binance-spot"), archive)
        archive.close()
        archive = opened(tmp_path)
        commits.append([archive.manifest("BTCUSDT", name) for name in ("trades", "1m", "5m")])
        archive.close()
    assert commits[0] == commits[1]
    assert None not in commits[0]


def test_a_recording_in_two_parts_is_the_whole(tmp_path: Path, recording: Path, truth: Recording) -> None:
    with gzip.open(recording, "rb") as source:
        lines = source.read().splitlines(keepends=True)
    parts = []
    for number, part in enumerate((lines[:30_000], lines[30_000:])):
        path = tmp_path / f"part{number}"
        path.write_bytes(b"".join(part))
        parts.append(path)
    archive = opened(tmp_path)
    try:
        for path in parts:
            replay(recorded(path), SETTINGS, stream_provider("binance-spot"), archive)
        assert len(archive.ticks_since("BTCUSDT", 0)) == len(truth.trades)
        for timeframe, step in (("1m", MINUTE), ("5m", 5 * MINUTE)):
            counted = Counter(trade["T"] // step * step for _, trade in truth.trades)
            bars = archive.candles("BTCUSDT", timeframe, 0, 1 << 45)
            assert {bar.ts_ms: bar.trades for bar in bars} == counted
    finally:
        archive.close()


def test_speed_paces_by_the_times_of_the_recording_alone(tmp_path: Path, recording: Path) -> None:
    now = [1_000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    archive = opened(tmp_path)
    try:
        result = replay(
            recorded(recording),
            SETTINGS,
            stream_provider("binance-spot"),
            archive,
            speed=10.0,
            clock=lambda: now[0],
            sleep=sleep,
        )
    finally:
        archive.close()
    assert now[0] - 1_000.0 == pytest.approx((result.last_ns - result.first_ns) / 1e9 / 10.0)


def test_what_the_provider_does_not_know_is_counted_and_no_failure(
    backtest: Backtest, market_data: Callable[[str], Path], feed: Path
) -> None:
    """Of the futures market: other streams, and one answer of REST among the frames."""
    futures = market_data("ws_binance_usdm_btcusdt_20240808.gz")
    shown = backtest("feed", "replay", futures, "-f", feed, "--output", "json")
    assert shown.returncode == 0, shown.stderr
    told: dict[str, Any] = json.loads(shown.stdout)
    assert told["ticks"] == 21_313
    assert told["lagMs"]["raw"]["p50"] < -1_000
    assert told["lagMs"]["compensated"]["least"] >= 0
    assert told["notices"] + told["malformed"] == 6_551 + 1


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"1723161600001658384\n", "line 1 is not `<received ns> <frame>`"),
        (b"noon {}\n", "line 1 is not `<received ns> <frame>`"),
        (b"1723161600001 {}\n", "line 1 is not `<received ns> <frame>`"),
        (b"", "the recording has no frame"),
        (gzip.compress(b"1723161600001658384 {}\n" * 1000)[:40], "cannot be read after line"),
        (b"1723161600001658384 \xff\xfe\n", "line 1 is no text"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_line(
    backtest: Backtest, feed: Path, tmp_path: Path, content: bytes, complaint: str
) -> None:
    (tmp_path / "broken").write_bytes(content)
    shown = backtest("feed", "replay", "broken", "-f", feed)
    assert shown.returncode == 11
    assert complaint in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize("line", [1, 30, 60])
def test_a_line_that_is_far_ahead_in_time_of_those_around_it_is_refused(tmp_path: Path, line: int) -> None:
    """Else its time would close bars as complete, and the trades of the next lines would be late."""
    path = tmp_path / "garbled"
    times = [1_723_161_600_000_000_000 + number * NS for number in range(60)]
    times[line - 1] += 3600 * NS
    path.write_text("".join(f"{time} {{}}\n" for time in times))
    if line == 60:  # nothing comes later that could be lost
        assert len(list(recorded(path))) == 60
    else:
        with pytest.raises(InvalidData, match=f"line {line} is far ahead in time"):
            list(recorded(path))


def test_a_clock_that_was_set_is_no_garbled_line(tmp_path: Path) -> None:
    path = tmp_path / "set"
    hours = [0, 0, 3600, 3600, 0, 0]
    times = [1_723_161_600_000_000_000 + (number + hour) * NS for number, hour in enumerate(hours)]
    path.write_text("".join(f"{time} {{}}\n" for time in times))
    assert [time for time, _ in recorded(path)] == times


def test_a_file_that_is_not_there_and_a_speed_of_nothing_are_misuse(backtest: Backtest, feed: Path) -> None:
    assert "no such file" in backtest("feed", "replay", "nowhere.gz", "-f", feed).stderr
    assert "it is no file" in backtest("feed", "replay", feed.parent, "-f", feed).stderr
    assert "--speed must be above 0" in backtest("feed", "replay", "x", "-f", feed, "--speed", "0").stderr
