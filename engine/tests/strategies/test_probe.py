"""The look-ahead probe: it finds each of a planted set, whatever the seed, and lets honest strategies be."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest
from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidStrategy
from spark_engine.simulation.ledger import Account
from spark_engine.strategies.probe import Probed, probe
from spark_engine.strategies.registry import check_parameters, find
from spark_engine.strategies.table import ProbeLevel, Strategy

Written = Callable[..., Strategy]
SEEDS = range(4)

TOOLS = """
import random
import numpy as np
import polars as pl

def average(values, n):
    sums = np.cumsum(np.insert(values, 0, 0.0))
    out = np.full(len(values), np.nan)
    out[n - 1:] = (sums[n:] - sums[:-n]) / n
    return out

def changes(state):
    out = np.full(len(state), np.nan)
    rows = np.flatnonzero(np.diff(state.astype(int))) + 1
    out[rows] = state[rows]
    return out
"""


def source(body: str) -> str:
    return TOOLS + dedent(body)


LOOKS_AHEAD = {
    "shifted series": "def signals(c): return (np.roll(c.close, -1) > c.close).astype(float)",
    "shifted crossing": """
        def signals(c): return changes(np.roll(average(c.close, 9), -1) > average(c.close, 21))
        """,
    "centred window": """
        def signals(c):
            return changes(c.close > pl.Series(c.close).rolling_mean(21, center=True).to_numpy())
        """,
    "narrow centred window": """
        def signals(c):
            return changes(c.close > pl.Series(c.close).rolling_mean(3, center=True).to_numpy())
        """,
    "whole-sample scaling": """
        def signals(c):
            z = (c.close - c.close.mean()) / c.close.std()
            return np.where(z > 0.5, 0.0, np.where(z < -0.5, 1.0, np.nan))
        """,
    "whole-sample range": """
        def signals(c): return (c.close - c.close.min()) / (c.close.max() - c.close.min())
        """,
    "resample leak": """
        def signals(c):
            day = c.ts // 86_400_000
            last = np.searchsorted(day, day, side="right") - 1
            return changes(c.close[last] > c.close)
        """,
    "last value": "def signals(c): return (c.close < c.close[-1]).astype(float)",
    "extremes of the whole": """
        def signals(c):
            out = np.full(len(c), np.nan)
            out[np.argmin(c.low)], out[np.argmax(c.high)] = 1.0, 0.0
            return out
        """,
    "backward fill": """
        def signals(c):
            kept = pl.Series([x if row % 10 == 0 else None for row, x in enumerate(c.close)])
            return changes(np.nan_to_num(kept.fill_null(strategy="backward").to_numpy()) > c.close)
        """,
    "number of rows": """
        def signals(c):
            out = np.full(len(c), np.nan)
            out[len(c) // 2], out[len(c) // 4] = 1.0, 0.0
            return out
        """,
    "volume to come": "def signals(c): return changes(np.roll(c.volume, -1) > average(c.volume, 20))",
    "event: the column behind the view": """
        class Own:
            def on_bar(self, ctx):
                whole = ctx.history("close", 1)
                while isinstance(whole.base, np.ndarray):
                    whole = whole.base
                row = ctx.warmup + ctx.bar.index
                if row + 1 < len(whole):
                    ctx.target(1.0 if whole[row + 1] > whole[row] else 0.0)
        """,
    "event: orders by the column behind the view": """
        from spark_engine.strategies import Order
        class Own:
            def on_bar(self, ctx):
                whole = ctx.history("low", 1)
                while isinstance(whole.base, np.ndarray):
                    whole = whole.base
                row = ctx.warmup + ctx.bar.index
                if row + 1 < len(whole) and not ctx.orders and ctx.position == 0:
                    ctx.submit(Order(side="buy", type="limit", quantity=0.1, limit=whole[row + 1], tif="Day"))
        """,
}
NOT_REPRODUCIBLE = {
    "random state": "def signals(c): return np.where(np.random.rand(len(c)) < 0.02, 1.0, np.nan)",
    "event: random state": """
        class Own:
            def on_bar(self, ctx):
                if random.random() < 0.02:
                    ctx.target(random.random())
        """,
    "event: something kept from run to run": """
        class Own:
            seen = []
            def on_bar(self, ctx):
                Own.seen.append(1)
                if len(Own.seen) % 50 == 0:
                    ctx.target(float(len(Own.seen) // 50 % 2))
        """,
}
HONEST = {
    "states": "def signals(c): return (average(c.close, 9) > average(c.close, 21)).astype(float)",
    "crossings": "def signals(c): return changes(average(c.close, 9) > average(c.close, 21))",
    "scaling by what has been": """
        def signals(c):
            rows = np.arange(1, len(c) + 1)
            return (c.close > np.cumsum(c.close) / rows).astype(float)
        """,
    "chance of the seed": """
        def signals(c, seed):
            return np.where(np.random.default_rng(seed).random(len(c)) < 0.02, 1.0, np.nan)
        """,
    "one that needs rows": """
        def signals(c):
            if len(c) < 1_900:
                raise ValueError("too few rows")
            return (average(c.close, 9) > average(c.close, 21)).astype(float)
        """,
    "one that never trades": "def signals(c): return np.full(len(c), np.nan)",
    "event: history and chance": """
        class Own:
            def on_bar(self, ctx):
                closes = ctx.history("close", 20)
                if ctx.random.random() < 0.05:
                    ctx.target(1.0 if closes[-1] > closes.mean() else 0.0)
        """,
    "event: brackets": """
        from spark_engine.strategies import Order, Trail
        class Own:
            def on_bar(self, ctx):
                close = ctx.bar.close
                if ctx.position == 0 and not ctx.orders:
                    ctx.submit(Order(side="buy", type="limit", quantity=0.1, limit=close * 0.99, tif="Day",
                                     take_profit=close * 1.02, stop_loss=Trail(bps=150)))
        """,
}


def outcome(strategy: Strategy, candles: Candles, seed: int, account: Account, level: ProbeLevel) -> str:
    try:
        probe(strategy, candles, check_parameters(strategy, {}), seed, account, level)
    except InvalidStrategy as error:
        return error.message
    return "passed"


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("body", LOOKS_AHEAD.values(), ids=LOOKS_AHEAD)
def test_a_look_ahead_is_found_by_the_quick_probe(
    body: str, seed: int, written: Written, sample: Candles, account: Account
) -> None:
    message = outcome(written(source(body), seed=seed), sample, seed, account, "quick")
    assert message.startswith("looks ahead: with the bars after bar "), message
    assert " its decision on bar " in message
    assert " instead of " in message


@pytest.mark.parametrize("body", LOOKS_AHEAD.values(), ids=LOOKS_AHEAD)
def test_a_look_ahead_is_found_by_the_full_probe(
    body: str, written: Written, sample: Candles, account: Account
) -> None:
    assert outcome(written(source(body)), sample, 0, account, "full").startswith("looks ahead: ")


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("body", NOT_REPRODUCIBLE.values(), ids=NOT_REPRODUCIBLE)
def test_a_strategy_that_decides_differently_each_time_is_not_reproducible(
    body: str, seed: int, written: Written, sample: Candles, account: Account
) -> None:
    message = outcome(written(source(body), seed=seed), sample, seed, account, "quick")
    assert message.startswith("not reproducible: run twice on the same candles"), message


@pytest.mark.parametrize("level", ["quick", "full"])
@pytest.mark.parametrize("body", HONEST.values(), ids=HONEST)
def test_an_honest_strategy_passes(
    body: str, level: ProbeLevel, written: Written, sample: Candles, account: Account
) -> None:
    assert outcome(written(source(body)), sample, 1, account, level) == "passed"


def test_the_message_names_bar_time_and_cut(written: Written, sample: Candles, account: Account) -> None:
    shifted = written(source(LOOKS_AHEAD["shifted series"]))
    message = outcome(shifted, sample, 0, account, "quick")
    first = message.split("after ")[1].split(" made")[0]
    assert message == (
        f"looks ahead: with the bars after {first} made cheaper, its decision on {first} is another: "
        "target 0 instead of target 1"
    ) or message == (
        f"looks ahead: with the bars after {first} made dearer, its decision on {first} is another: "
        "target 1 instead of target 0"
    )


def test_what_it_looked_at_is_told_and_follows_from_the_seed(
    written: Written, sample: Candles, account: Account
) -> None:
    honest = written(source(HONEST["states"]))
    first, again, other = (probe(honest, sample, {}, seed, account, "quick") for seed in (1, 1, 2))
    assert isinstance(first, Probed)
    assert (first.level, first.bars, first.decisions) == ("quick", 2_000, 2_000)
    assert len(first.cuts) == 3
    assert first == again
    assert other is not None
    assert first.cuts != other.cuts


def test_more_rows_are_taken_until_there_are_decisions_to_look_at(
    written: Written, sample: Candles, account: Account
) -> None:
    late = """
        def signals(c):
            out = np.full(len(c), np.nan)
            out[2_500:] = (np.roll(c.close, -1) > c.close)[2_500:]
            return out
        """
    assert outcome(written(source(late)), sample, 0, account, "quick").startswith("looks ahead: ")


def test_the_quick_probe_of_a_strategy_that_hardly_trades_stays_cheap(
    written: Written, make_candles: Callable[..., Candles], account: Account
) -> None:
    candles = make_candles([10.0 + row % 7 for row in range(40_000)])
    idle = written("def signals(candles): return [None] * len(candles)")
    quick, full = (probe(idle, candles, {}, 0, account, level) for level in ("quick", "full"))
    assert quick is not None and full is not None
    assert (quick.bars, full.bars) == (32_000, 40_000)


def test_a_strategy_that_fails_on_other_prices_is_told_why(
    written: Written, sample: Candles, account: Account
) -> None:
    brittle = "def signals(c):\n    assert c.close.max() < 15_000\n    return np.zeros(len(c))"
    message = outcome(written(source(brittle)), sample, 0, account, "quick")
    assert message.startswith("fails when the bars after bar ")
    assert "AssertionError" in message


def test_off_is_off_and_built_in_strategies_are_not_probed(
    written: Written, sample: Candles, account: Account
) -> None:
    shifted = written(source(LOOKS_AHEAD["shifted series"]))
    assert probe(shifted, sample, {}, 0, account, "off") is None
    assert probe(find("rsi"), sample, check_parameters(find("rsi"), {}), 0, account, "full") is None


@pytest.mark.parametrize("rows", [1, 2, 3, 5])
def test_a_handful_of_candles_can_be_probed(
    rows: int, written: Written, make_candles: Callable[..., Candles], account: Account
) -> None:
    candles = make_candles([10.0 + row for row in range(rows)])
    honest = written("def signals(candles): return candles.close / 100")
    assert probe(honest, candles, {}, 0, account, "quick") is not None
