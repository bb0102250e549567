"""A feed recorded from an exchange, and backtests on it while it goes on: the same evidence later."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from spark_crds.formats.archive import SeriesManifest, read_series_manifest
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.archive.stores import open_store

from tests.exchange.clock import Clock
from tests.exchange.market import Activity
from tests.exchange.threaded import ExchangeThread
from tests.feed_process import FeedProcess, endpoints_of, manifest_of

MINUTE_MS = 60_000
DAY_MS = 86_400_000
BARS = 12
Backtest = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def exchange() -> Iterator[ExchangeThread]:
    """A trade in each minute of the last hour: the fifty of a snapshot are as many bars. Its minute ends in
    15 s."""
    now_ms = time.time_ns() // 1_000_000
    clock = Clock(offset_ms=(now_ms // MINUTE_MS + 1) * MINUTE_MS - 15_000 - now_ms)
    first_prices = {"BTCTRY": 3_765_490, "ETHTRY": 120_450}
    with ExchangeThread(symbols=first_prices, clock=clock, activity=Activity(0), limits=False) as running:
        begin_ms = running.exchange.clock.now_ms() - 60 * MINUTE_MS
        for minute in range(60):
            for symbol, first in first_prices.items():
                price = first + minute * 4 % 11  # up and down
                running.trade(symbol, price=str(price), at_ms=begin_ms + minute * MINUTE_MS)
        yield running


@pytest.fixture
def run_file(tmp_path: Path) -> Path:
    """Two averages on the minutes of BTCTRY; recording began within one."""
    run = {
        "apiVersion": "spark.trading/v1alpha1",
        "kind": "BacktestRun",
        "metadata": {"name": "on-a-feed"},
        "spec": {
            "strategy": {"name": "sma-cross", "params": {"fast": 1, "slow": 2}},
            "market": {"symbol": "BTCTRY", "timeframe": "1m"},
            "data": {"feedRef": {"name": "recorded"}, "partialBars": "Drop"},
        },
    }
    path = tmp_path / "run.json"
    path.write_text(json.dumps(run))
    return path


@pytest.fixture
def pod(tmp_path: Path) -> Callable[[Path], dict[str, Any]]:
    """The engine as its container runs a resolved run; gives the termination message."""

    def call(document: Path) -> dict[str, Any]:
        message = tmp_path / "termination-log"
        variables = {"SPARK_RUN_FILE": str(document), "SPARK_TERMINATION_LOG": str(message)}
        finished = subprocess.run(
            [sys.executable, "-m", "spark_engine.pod"],
            env={**os.environ, **variables, "SPARK_JOB_UID": "job-1"},
            capture_output=True,
            text=True,
        )
        assert finished.returncode == 0, message.read_text()
        found: dict[str, Any] = json.loads(message.read_bytes())
        return found

    return call


def series(archive: Path) -> SeriesManifest:
    """The minutes of BTCTRY as the archive has them now."""
    path = archive / "btcturk-spot" / "BTCTRY" / "1m" / "manifest.json"
    return read_series_manifest(path.read_bytes())


def known_minutes(archive: Path) -> int:
    """How many minutes the feed says it knows."""
    try:
        return sum(entry.to_ms - entry.from_ms for entry in series(archive).coverage) // MINUTE_MS
    except FileNotFoundError:
        return 0


def is_later(archive: Path, then: SeriesManifest) -> bool:
    return series(archive).known_to_ms >= then.known_to_ms + MINUTE_MS


def evidence(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "evidence.json").read_bytes())
    return found


def test_a_backtest_on_a_feed_repeats_while_the_feed_goes_on_and_after_compaction(
    exchange: ExchangeThread,
    run_file: Path,
    tmp_path: Path,
    backtest: Backtest,
    pod: Callable[[Path], dict[str, Any]],
) -> None:
    archive = tmp_path / "archive"
    feed_manifest = manifest_of(
        "recorded", archive, endpoints=endpoints_of(exchange), timeframes=["1m", "5m"]
    )

    def run(out: str, *arguments: object) -> dict[str, Any]:
        finished = backtest("run", "-f", *arguments, "--out", out, "-q", "--no-report")
        assert finished.returncode == 0, finished.stderr
        return evidence(tmp_path / out)

    with FeedProcess(feed_manifest, tmp_path / "feed") as feed:
        feed.until(lambda: known_minutes(archive) > 2 * BARS, "no bars came")
        first = run("first", run_file, "--data", archive)
        recorded = tmp_path / "first" / "spec.json"
        data = json.loads(recorded.read_bytes())["spec"]["data"]
        pinned = f"{archive}/btcturk-spot/BTCTRY/1m?commit="
        assert data["uri"].startswith(pinned) and "&to=" in data["uri"]
        assert data["sha256"] == first["run"]["data"]["sha256"]
        assert first["result"]["counts"]["bars"] >= BARS
        assert first["result"]["counts"]["fills"] > 0

        then = series(archive)
        late = exchange.trade("BTCTRY", price="1", at_ms=exchange.exchange.clock.now_ms() - 3 * MINUTE_MS)
        feed.until(lambda: amended(archive, late.time_ms), "no bar was amended")
        feed.until(lambda: exchange.trade("BTCTRY") and is_later(archive, then), "no minute came", 120.0)

        assert run("second", recorded)["digest"] == first["digest"]
        assert pod(recorded)["digest"] == first["digest"]
        latest = run("latest", run_file, "--data", archive)
        assert latest["digest"] != first["digest"]
        assert latest["result"]["counts"]["bars"] > first["result"]["counts"]["bars"]
        assert backtest("verify", "first", "--rerun").returncode == 0
        assert feed.stopped() == 0

    names = {file.path for file in series(archive).files}
    store, journal = open_store(str(archive)), archive / ".journal" / "btcturk-spot" / "recorded"
    writer = Archive(store, venue="btcturk-spot", journal=journal, writer="recorded", grace_seconds=0)
    writer.compact(exchange.exchange.clock.now_ms() + 2 * DAY_MS)
    writer.close()
    assert not names & {file.path for file in series(archive).files}
    assert not any((archive / "btcturk-spot" / "BTCTRY" / "1m" / name).exists() for name in names)
    assert backtest("verify", "first", "--rerun").returncode == 0
    assert run("third", recorded)["digest"] == first["digest"]
    assert pod(recorded)["digest"] == first["digest"]


def amended(archive: Path, time_ms: int) -> bool:
    """Whether a reader sees the bar of that time with the low of 1."""
    candles = read_candles(CandleRequest(str(archive), "BTCTRY", "1m", partial_bars="Keep"))
    return 1.0 in [low for ts, low in zip(candles.ts, candles.low, strict=True) if ts <= time_ms]
