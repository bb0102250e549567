"""Candles, accounts and every build of the sweep's kernel."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import fields
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import arro3.io
import pytest
import spark_engine
from spark_engine.data.candles import Candles, DataQuality
from spark_engine.data.rows import zeros
from spark_engine.simulation import trials, trials_core, trials_processor, trials_run
from spark_engine.simulation.ledger import Account, Decisions
from spark_engine.simulation.simulate import simulate
from spark_engine.simulation.trials import Trials

SAMPLE = Path(spark_engine.__file__).parent / "data" / "samples" / "btcusdt_1h_binance_2017_2024.parquet"
REAL_BARS = 20_000
SCALE = 100

Rows = dict[str, bytes]


def candles_of(opens: Sequence[int], closes: Sequence[int], warmup: int = 0) -> Candles:
    """Candles of one hour from prices in hundredths."""
    rows = len(closes)
    price_open, price_close = (array("d", (tick / SCALE for tick in ticks)) for ticks in (opens, closes))
    return Candles(
        ts=memoryview(array("q", range(0, rows * 3_600_000, 3_600_000))),
        open=memoryview(price_open),
        high=memoryview(array("d", map(max, price_open, price_close))),
        low=memoryview(array("d", map(min, price_open, price_close))),
        close=memoryview(price_close),
        volume=zeros("d", rows),
        quality=zeros("b", rows),
        ticks_close=memoryview(array("q", closes)),
        timeframe_ms=3_600_000,
        warmup=warmup,
        quality_report=DataQuality(rows=rows, price_scale=2),
    )


def decisions_of(*events: tuple[int, float]) -> Decisions:
    return Decisions(
        bar=memoryview(array("q", [bar for bar, _ in events])),
        target=memoryview(array("d", [target for _, target in events])),
    )


def account_of(
    fee: float = 0.001,
    slippage: float = 0.0002,
    *,
    cash: float = 10_000.0,
    next_close: bool = False,
    close_at_end: bool = False,
    shorts: bool = True,
) -> Account:
    return Account(
        cash, fee, fee, slippage, fill_next_close=next_close, close_at_end=close_at_end, allow_short=shorts
    )


def rows_of(table: Trials) -> Rows:
    """Every column of a table in its bits."""
    return {field.name: getattr(table, field.name).tobytes() for field in fields(Trials)}


def alone(
    candles: Candles, count: int, decide: Callable[[int], Decisions], account: Account, threads: int = 1
) -> Rows:
    """The rows that single runs of the same sets give."""
    return rows_of(
        trials.simulate_singly(
            candles, count, lambda k: simulate(candles, decide(k), account), account, threads=threads
        )
    )


def _uncompiled() -> ModuleType:
    source = Path(str(trials_core.__file__)).parent / "trials_core.py"
    spec = spec_from_loader("uncompiled_trials_core", SourceFileLoader("uncompiled_trials_core", str(source)))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def cores() -> dict[str, ModuleType | None]:
    """The builds of the kernel by name; None for one that this processor cannot run."""
    builds: dict[str, ModuleType | None] = {"baseline": trials_processor.core("baseline"), "x86_64_v3": None}
    if trials_processor.level() == "x86_64_v3":
        builds["x86_64_v3"] = trials_processor.core("x86_64_v3")
        assert builds["x86_64_v3"] is not builds["baseline"], (
            "trials_core is not built for x86-64-v3: run make"
        )
    for module in builds.values():
        assert module is None or not str(module.__file__).endswith(".py"), (
            "trials_core is not compiled: run make"
        )
    return builds | {"uncompiled": _uncompiled()}


UseCore = Callable[[str], None]


@pytest.fixture
def use_core(cores: dict[str, ModuleType | None], monkeypatch: pytest.MonkeyPatch) -> UseCore:
    """Makes sweeps use one build of the kernel."""

    def use(name: str) -> None:
        module = cores[name]
        if module is None:
            pytest.skip("this processor is not of the level x86-64-v3")
        for user in (trials, trials_run):
            monkeypatch.setattr(user, "core", lambda: module)

    return use


@pytest.fixture(params=["baseline", "x86_64_v3"])
def build(request: pytest.FixtureRequest, use_core: UseCore) -> str:
    use_core(request.param)
    return str(request.param)


@pytest.fixture(scope="session")
def real_candles() -> Candles:
    """The first 20,000 hours of the sample in the package."""
    table = arro3.io.read_parquet(str(SAMPLE), batch_size=1_000_000).read_all()
    opens, closes = (
        [round(value * SCALE) for value in table.column(name).to_pylist()[:REAL_BARS]]
        for name in ("open", "close")
    )
    return candles_of(opens, closes)


@pytest.fixture(scope="session")
def coarse_candles(real_candles: Candles) -> Candles:
    """The same in hundreds of dollars, 500 rows of warm-up: averages tie, equity returns to its peak."""
    coarse = [max(1, tick // 10_000) for tick in real_candles.ticks_close]
    opens = [coarse[0], *coarse[:-1]]
    return candles_of(opens[:6_000], coarse[:6_000], warmup=500)
