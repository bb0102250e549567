"""Candles from plain lists, both builds of the kernel, and the real market data where it is present."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import pytest
from spark_engine.data.candles import Candles, DataQuality
from spark_engine.evidence import digests
from spark_engine.simulation import (
    bars,
    carry,
    checks,
    columns,
    episode,
    exchange,
    execution,
    general,
    guardrails,
    holding,
    kernel,
    matching,
    order_book,
    rows,
    signals,
    simulate,
    sizing,
    slots,
)
from spark_engine.simulation.ledger import Account, Decisions
from spark_engine.statistics import figures
from spark_engine.strategies import bollinger, donchian, ema_cross, events, macd, rsi, sma_cross

USERS: tuple[tuple[ModuleType, str, ModuleType], ...] = (
    (simulate, "kernel", kernel),
    (simulate, "columns", columns),
    (checks, "columns", columns),
    (general, "columns", columns),
    (general, "exchange", exchange),
    (events, "signals", signals),
    (sma_cross, "signals", signals),
    (rsi, "signals", signals),
    (ema_cross, "signals", signals),
    (macd, "signals", signals),
    (bollinger, "signals", signals),
    (donchian, "signals", signals),
    (figures, "columns", columns),
    (digests, "passes", columns),
)

# What `exchange` is made of, each after those that it imports.
PARTS = (
    rows,
    slots,
    bars,
    sizing,
    episode,
    order_book,
    guardrails,
    holding,
    carry,
    execution,
    matching,
)

Builds = dict[str, Callable[[], AbstractContextManager[None]]]


def _uncompiled(modules: Iterable[ModuleType]) -> dict[ModuleType, ModuleType]:
    """Each from its source; what one imports from another of them is uncompiled too."""
    loaded = {}
    with patch.dict(sys.modules):
        for module in modules:
            loaded[module] = sys.modules[module.__name__] = _from_source(module)
    return loaded


def _from_source(module: ModuleType) -> ModuleType:
    path = Path(str(module.__file__))
    source = path.with_name(path.name.split(".")[0] + ".py")
    spec = spec_from_loader(
        f"uncompiled_{source.stem}", SourceFileLoader(f"uncompiled_{source.stem}", str(source))
    )
    assert spec is not None and spec.loader is not None
    loaded = module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="session")
def builds() -> Builds:
    """A context for each build of the kernel, in which the whole engine uses it."""
    compiled = {module: module for module in (*PARTS, *(module for _, _, module in USERS))}
    for module in compiled:
        assert not str(module.__file__).endswith(".py"), f"{module.__name__} is not compiled: run make"
    uncompiled = _uncompiled(compiled)
    for module in uncompiled.values():
        assert str(module.__file__).endswith(".py")

    def using(modules: dict[ModuleType, ModuleType]) -> Callable[[], AbstractContextManager[None]]:
        @contextmanager
        def context() -> Iterator[None]:
            with ExitStack() as stack:
                for user, name, module in USERS:
                    stack.enter_context(patch.object(user, name, modules[module]))
                yield

        return context

    return {"compiled": using(compiled), "uncompiled": using(uncompiled)}


@pytest.fixture(params=["compiled", "uncompiled"])
def build(request: pytest.FixtureRequest, builds: Builds) -> Iterator[str]:
    with builds[request.param]():
        yield request.param


def candles_of(
    opens: Sequence[float],
    closes: Sequence[float],
    highs: Sequence[float] | None = None,
    lows: Sequence[float] | None = None,
    *,
    scale: int = 2,
    warmup: int = 0,
    step_ms: int = 3_600_000,
    ts: Sequence[int] | None = None,
) -> Candles:
    highs = [max(pair) for pair in zip(opens, closes, strict=True)] if highs is None else highs
    lows = [min(pair) for pair in zip(opens, closes, strict=True)] if lows is None else lows
    rows = len(closes)
    return Candles(
        memoryview(array("q", range(0, rows * step_ms, step_ms) if ts is None else ts)),
        *(memoryview(array("d", column)) for column in (opens, highs, lows, closes)),
        volume=memoryview(array("d", [1.0] * rows)),
        quality=memoryview(array("b", bytes(rows))),
        ticks_close=memoryview(array("q", [round(close * 10**scale) for close in closes])),
        timeframe_ms=step_ms,
        warmup=warmup,
        quality_report=DataQuality(rows=rows, price_scale=scale),
    )


def decisions_of(*events: tuple[int, float]) -> Decisions:
    return Decisions(
        bar=memoryview(array("q", [bar for bar, _ in events])),
        target=memoryview(array("d", [target for _, target in events])),
    )


def account_of(
    cash: float = 1000.0,
    fee: float = 0.0,
    slippage: float = 0.0,
    *,
    next_close: bool = False,
    close_at_end: bool = False,
    allow_short: bool = True,
) -> Account:
    return Account(
        cash,
        fee,
        fee,
        slippage,
        fill_next_close=next_close,
        close_at_end=close_at_end,
        allow_short=allow_short,
    )


@pytest.fixture(scope="session")
def make_candles() -> Callable[..., Candles]:
    return candles_of


@pytest.fixture(scope="session")
def make_decisions() -> Callable[..., Decisions]:
    return decisions_of


@pytest.fixture(scope="session")
def make_account() -> Callable[..., Account]:
    return account_of
