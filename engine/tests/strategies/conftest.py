"""Strategies as a user writes them: modules on the path, candles of the sample, one way to run them."""

from __future__ import annotations

import importlib
import sys
from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from spark_engine.data.candles import Candles, DataQuality
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest
from spark_engine.errors import BacktestError, InvalidStrategy
from spark_engine.simulation.ledger import Account, Ledger
from spark_engine.strategies.load import load
from spark_engine.strategies.registry import check_parameters
from spark_engine.strategies.simulate import simulate_strategy
from spark_engine.strategies.table import Strategy

HOUR = 3_600_000
START = 1_577_836_800_000  # 2020-01-01

Written = Callable[..., Strategy]
Run = Callable[..., Ledger]


@pytest.fixture(scope="session")
def sample() -> Candles:
    """3,000 hours of BTCUSDT after 50 of warm-up, from inside the package."""
    return read_candles(
        CandleRequest(
            uri="sample://btcusdt-1h",
            symbol="BTCUSDT",
            timeframe="1h",
            start_ms=START,
            end_ms=START + 3_000 * HOUR,
            warmup_bars=50,
        )
    )


def candles_of(closes: Sequence[float], warmup: int = 0) -> Candles:
    """Hourly candles from 1970 on that open at the close before and have no wicks."""
    opens = [closes[0], *closes[:-1]]
    pairs = list(zip(opens, closes, strict=True))
    return Candles(
        ts=memoryview(array("q", [row * HOUR for row in range(len(closes))])),
        open=memoryview(array("d", opens)),
        high=memoryview(array("d", map(max, pairs))),
        low=memoryview(array("d", map(min, pairs))),
        close=memoryview(array("d", closes)),
        volume=memoryview(array("d", [1.0 + row for row in range(len(closes))])),
        quality=memoryview(array("b", bytes(len(closes)))),
        ticks_close=memoryview(array("q", [round(close * 100) for close in closes])),
        timeframe_ms=HOUR,
        warmup=warmup,
        quality_report=DataQuality(rows=len(closes), price_scale=2),
    )


@pytest.fixture(scope="session")
def make_candles() -> Callable[..., Candles]:
    return candles_of


@pytest.fixture(scope="session")
def account() -> Account:
    return Account(10_000.0, 0.0, 0.0, 0.0, allow_short=True)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Writes modules that can be imported: `module("my_package.trend", source)`."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(name: str, source: str) -> Path:
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.parent != tmp_path:
            (path.parent / "__init__.py").touch()
        path.write_text(dedent(source))
        sys.modules.pop(name, None)
        importlib.invalidate_caches()
        return path

    yield write
    for name, loaded in list(sys.modules.items()):
        if str(getattr(loaded, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def written(module: Callable[..., Path]) -> Written:
    """A strategy from its source, which defines `Own` or `signals`."""

    def load_written(source: str, *, seed: int = 0, name: str = "own_strategies") -> Strategy:
        module(name, source)
        attribute = "Own" if "class Own" in source else "signals"
        return load({"entryPoint": f"{name}:{attribute}"}, seed)

    return load_written


@pytest.fixture
def run(written: Written, account: Account) -> Run:
    """The ledger of a strategy's source over candles."""

    def run_source(source: str, candles: Candles, *, seed: int = 0, **parameters: Any) -> Ledger:
        strategy = written(source, seed=seed)
        checked = check_parameters(strategy, parameters)
        return simulate_strategy(strategy, candles, account, checked, seed)

    return run_source


@pytest.fixture
def refusal(run: Run) -> Callable[..., str]:
    """The message with which a strategy ends that fails; its exit code is 12."""

    def refused(source: str, candles: Candles, **parameters: Any) -> str:
        with pytest.raises(BacktestError) as caught:
            run(source, candles, **parameters)
        assert isinstance(caught.value, InvalidStrategy)
        assert caught.value.exit_code == 12
        return caught.value.message

    return refused
