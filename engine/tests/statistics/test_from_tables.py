"""The metrics of a run are the metrics of its tables, summed again in plain Python."""

from __future__ import annotations

import random
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account, Decisions, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.statistics.metric import Metric
from spark_engine.statistics.metrics import metrics
from spark_engine.statistics.moments import Table, metrics_from_tables, moments

HOUR_MS = 3_600_000


def walk(seed: int, bars: int, warmup: int) -> Candles:
    """Hourly bars of a random walk, from before 1970, with bars missing here and there."""
    draw = random.Random(seed)  # noqa: S311 - candles, not keys
    closes, ts, now, price = [], [], -30 * 24 * HOUR_MS, 1000
    for _ in range(bars):
        price = max(1, price + draw.randint(-60, 60))
        now += HOUR_MS * draw.choice([1, 1, 1, 1, 2, 40])
        closes.append(price / 10)
        ts.append(now)
    column = memoryview(array("d", closes))
    return Candles(
        memoryview(array("q", ts)),
        column,
        column,
        column,
        column,
        volume=memoryview(array("d", [0.0] * bars)),
        quality=memoryview(array("b", bytes(bars))),
        ticks_close=memoryview(array("q", [round(close * 10) for close in closes])),
        timeframe_ms=HOUR_MS,
        warmup=warmup,
    )


def tables(ledger: Ledger, candles: Candles) -> tuple[Table, Table, Table]:
    equity = {
        "ts": candles.ts[candles.warmup :].tolist(),
        "equity": ledger.equity.tolist(),
        "cash": ledger.cash.tolist(),
        "position": ledger.position.tolist(),
    }
    equity["funding"] = [0.0] * len(ledger.equity) if ledger.carry is None else ledger.carry.tolist()
    names = ("quantity", "price", "fee", "slippage")
    fills = {name: getattr(ledger.fills, name).tolist() for name in names}
    trades = {name: getattr(ledger.trades, name).tolist() for name in ("entry_bar", "exit_bar", "pnl")}
    return equity, fills, trades


def agree(run: dict[str, Metric], again: dict[str, Metric]) -> None:
    assert list(run) == list(again)
    for name, metric in run.items():
        assert again[name].reason == metric.reason, name
        if metric.value is None:
            assert again[name].value is None, name
        else:
            assert again[name].value == pytest.approx(metric.value, rel=1e-9, abs=1e-9), name


@given(
    seed=st.integers(0, 10_000),
    bars=st.integers(1, 150),
    fee=st.sampled_from([0.0, 0.001, 0.05]),
    slippage=st.sampled_from([0.0, 0.000001, 0.0001, 0.02]),
    next_close=st.booleans(),
    close_at_end=st.booleans(),
)
def test_tables_give_the_metrics_of_the_run(
    seed: int, bars: int, fee: float, slippage: float, next_close: bool, close_at_end: bool
) -> None:
    warmup = seed % min(bars, 4)
    candles = walk(seed, bars, warmup)
    draw = random.Random(seed)  # noqa: S311 - candles, not keys
    at = [bar for bar in range(bars - warmup) if draw.random() < 0.3]
    decisions = Decisions(
        memoryview(array("q", at)), memoryview(array("d", [draw.choice([-1.0, 0.0, 1.0]) for _ in at]))
    )
    account = Account(
        10_000.0,
        fee,
        fee,
        slippage,
        fill_next_close=next_close,
        close_at_end=close_at_end,
        allow_short=True,
    )
    ledger = simulate(candles, decisions, account)
    again = metrics_from_tables(*tables(ledger, candles), account, HOUR_MS)
    agree(metrics(ledger, candles, account), again)


@given(seed=st.integers(0, 10_000), bars=st.integers(1, 150))
def test_the_kernels_sums_are_the_plain_sums_in_every_bit(seed: int, bars: int) -> None:
    candles = walk(seed, bars, 0)
    decisions = Decisions(memoryview(array("q", [0])), memoryview(array("d", [-1.0 if seed % 2 else 1.0])))
    ledger = simulate(candles, decisions, Account(10_000.0, 0.001, 0.001, 0.0001, allow_short=True))
    assert moments(candles.ts, ledger.equity, ledger.position, 10_000.0) == ledger.moments


def test_daily_returns_run_from_last_close_to_last_close_of_utc_days() -> None:
    hours = [22, 23, 24, 47, 48, 120]  # three days in a row, two without bars, another
    equity = [100.0, 110.0, 50.0, 121.0, 121.0, 60.5]
    closes = memoryview(array("d", equity))
    candles = Candles(
        memoryview(array("q", [hour * HOUR_MS for hour in hours])),
        *[closes] * 4,
        volume=closes,
        quality=memoryview(bytes(6)).cast("b"),
        ticks_close=memoryview(array("q", [int(close) for close in equity])),
        timeframe_ms=HOUR_MS,
    )
    decisions = Decisions(memoryview(array("q", [0])), memoryview(array("d", [1.0])))
    account = Account(110.0, 0.0, 0.0, 0.0)
    ledger = simulate(candles, decisions, account)
    assert ledger.equity.tolist() == [110.0, 110.0, 50.0, 121.0, 121.0, 60.5]
    returns = [0.1, 0.0, -0.5]
    mean = sum(returns) / 3
    deviation = (sum((value - mean) ** 2 for value in returns) / 2) ** 0.5
    sharpe = metrics(ledger, candles, account)["sharpeDaily"].value
    assert sharpe == pytest.approx(mean / deviation * 365**0.5, rel=1e-9)
