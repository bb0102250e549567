"""Drops of Borsa Istanbul: the real daily files, and small ones written for a test."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from spark_engine.feeds.market import Candle
from spark_engine.feeds.providers.bist_files import BistFiles, Poll
from spark_engine.feeds.settings import Endpoints, FeedSettings

DATA = Path(os.environ.get("SPARK_TEST_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))


class Kept:
    """What an archive keeps of deliveries: the latest revision of every bar."""

    def __init__(self) -> None:
        self.bars: dict[tuple[str, str, int], Candle] = {}

    def known(self, symbol: str, timeframe: str, from_ms: int, to_ms: int) -> dict[int, Candle]:
        return {
            ts: bar
            for (name, frame, ts), bar in self.bars.items()
            if (name, frame) == (symbol, timeframe) and from_ms <= ts < to_ms
        }

    def take(self, provider: BistFiles, poll: Poll) -> None:
        for delivery in poll.deliveries:
            for bar in delivery.candles:
                self.bars[bar.symbol, bar.timeframe, bar.ts_ms] = bar
        provider.acknowledge(poll)

    def series(self, symbol: str) -> list[Candle]:
        return [bar for (name, _frame, _ts), bar in sorted(self.bars.items()) if name == symbol]


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def real() -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        path = DATA / name
        if not path.exists():
            pytest.skip(f"{path} is absent: real market data, set SPARK_TEST_DATA")
        return path.read_bytes()

    return read


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., FeedSettings]:
    """Of a feed of THYAO and EREGL, daily, whose drop is the folder `drop`."""
    (tmp_path / "drop").mkdir()

    def make(
        symbols: tuple[str, ...] = ("THYAO", "EREGL"),
        timeframes: tuple[str, ...] = ("1d",),
        files: str | None = None,
    ) -> FeedSettings:
        return FeedSettings(
            name="bist",
            provider="bist-files",
            symbols=symbols,
            channels=("trade",),
            timeframes=timeframes,
            archive_uri=str(tmp_path / "archive"),
            endpoints=Endpoints(files=files or str(tmp_path / "drop")),
            calendar="XIST",
        )

    return make


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file of the drop as of a time, ms UTC. It is there at once: a feed may be looking."""

    def write(name: str, content: str | bytes, written_ms: int) -> Path:
        path, unseen = tmp_path / "drop" / name, tmp_path / "unseen"
        path.parent.mkdir(parents=True, exist_ok=True)
        unseen.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(unseen, ns=(written_ms * 1_000_000,) * 2)
        return unseen.replace(path)

    return write
