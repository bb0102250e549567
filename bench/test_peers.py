"""Settings aligned, peers agree: the same trades and the same equity on real candles, ties excepted.

`pytest bench -q`, not part of `make test`: it installs the peers (0.7 GB, network) and needs the market data.
Aligned: signals at a close fill at the next open, all-in with the fee inside, 0.1 % a side, no slippage,
long only, a position open at the end is marked and no trade (docs/performance.md).
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account, Decisions, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.strategies.registry import check_parameters, find

from bench.candles import read, real_file
from bench.environments import Unavailable
from bench.peers import Peers

CASH, FEE, PER_YEAR = 10_000.0, 0.001, 525_600.0
ACCOUNT = Account(initial_cash=CASH, maker_rate=FEE, taker_rate=FEE, slippage_rate=0.0)
MARKETS = {
    "btcusdt-1h": ("btcusdt_1h_binance_2017_2024.parquet", "BTCUSDT", "1h"),
    "ethusdt-1h": ("ethusdt_1h_binance_2022_2025.parquet", "ETHUSDT", "1h"),
    "btcusdt-5m": ("btcusdt_5m_binance_2023.parquet", "BTCUSDT", "5m"),
}
STRATEGIES: dict[str, dict[str, Any]] = {
    "sma-cross": {"fast": 9, "slow": 21},
    "rsi": {"period": 14, "lower": 30, "upper": 70},
}
# How far an equity may be off, relative: each peer sums its cash in an order of its own.
ROUNDING = {"raptorbt": 1e-10, "vectorbt": 1e-10, "backtesting": 1e-7}  # the last floors its units
# An entry price of vectorbt is a quotient of sums; backtesting's Fractional form scales prices to and fro.
PRICE_ROUNDING = {"raptorbt": 0.0, "vectorbt": 2.3e-16, "backtesting": 1e-15}
# Bars where a floating-point average signals and the exact one does not, or the reverse: each at a tie.
DIFFERENT: dict[tuple[str, str], set[int]] = {
    ("btcusdt-5m", "raptorbt"): {77_829, 77_830},
    ("btcusdt-5m", "vectorbt"): {2_251, 2_252},
}

Run = tuple[Candles, Decisions, Ledger]


@pytest.fixture(scope="module")
def peers() -> Iterator[Peers]:
    with tempfile.TemporaryDirectory(prefix="spark-bench-") as folder:
        try:
            worker = Peers(Path(folder))
        except Unavailable as reason:
            pytest.skip(f"the peers cannot be installed: {reason}")
        with worker:
            yield worker


@cache
def candles_of(market: str) -> Candles:
    name, symbol, timeframe = MARKETS[market]
    path = real_file(name)
    if path is None:
        pytest.skip(f"no market data: {name} is absent (set SPARK_TEST_DATA)")
    return read(path, symbol, timeframe)


@cache
def ours(market: str, name: str) -> Run:
    candles, strategy = candles_of(market), find(name)
    assert strategy.decide is not None
    decisions = strategy.decide(candles, check_parameters(strategy, STRATEGIES[name]))
    return candles, decisions, simulate(candles, decisions, ACCOUNT)


def up(decisions: Decisions) -> array[int]:
    return array(
        "q", (bar for bar, target in zip(decisions.bar, decisions.target, strict=True) if target > 0)
    )


def down(decisions: Decisions) -> array[int]:
    return array(
        "q", (bar for bar, target in zip(decisions.bar, decisions.target, strict=True) if target <= 0)
    )


@pytest.mark.parametrize("peer", sorted(ROUNDING))
@pytest.mark.parametrize("name", sorted(STRATEGIES))
@pytest.mark.parametrize("market", sorted(MARKETS))
def test_on_our_signals_a_peer_makes_our_trades_and_our_equity(
    peers: Peers, market: str, name: str, peer: str
) -> None:
    candles, decisions, ledger = ours(market, name)
    peers.load(candles)
    peers.signals(up(decisions), down(decisions))
    settings = {"cash": CASH, "fee": FEE, "details": True}
    theirs = peers.call(f"{peer}.given", **settings, **({"per_year": PER_YEAR} if peer == "raptorbt" else {}))
    assert len(ledger.trades) > 100
    assert theirs["entry_bar"] == ledger.trades.entry_bar.tolist()
    assert theirs["exit_bar"] == ledger.trades.exit_bar.tolist()
    for price, exact in (
        ("entry_price", ledger.trades.entry_price),
        ("exit_price", ledger.trades.exit_price),
    ):
        assert theirs[price] == pytest.approx(exact.tolist(), rel=PRICE_ROUNDING[peer], abs=0.0)
    assert theirs["pnl"] == pytest.approx(ledger.trades.pnl.tolist(), rel=1e-6, abs=CASH * ROUNDING[peer])
    assert theirs["equity"] == pytest.approx(ledger.equity.tolist(), rel=ROUNDING[peer])


@pytest.mark.parametrize("peer", ["raptorbt", "vectorbt"])
@pytest.mark.parametrize("market", sorted(MARKETS))
def test_a_moving_average_of_a_peer_signals_where_ours_does_but_at_ties(
    peers: Peers, market: str, peer: str
) -> None:
    """Their averages are floating-point: where both are exactly equal, rounding decides what they see."""
    candles, decisions, _ = ours(market, "sma-cross")
    parameters = STRATEGIES["sma-cross"]
    peers.load(candles)
    theirs = peers.call(f"{peer}.sma_signals", **parameters)
    different = symmetric_difference(theirs, decisions)
    ties = tied_bars(candles, **parameters)
    assert all(bar in ties or bar - 1 in ties for bar in different)
    assert different == DIFFERENT.get((market, peer), set())


@pytest.mark.parametrize("market", sorted(MARKETS))
def test_a_tie_is_the_only_reason_for_another_trade(peers: Peers, market: str) -> None:
    """raptorbt's own run has the trades and the equity that our simulation makes of raptorbt's signals."""
    candles = candles_of(market)
    parameters = STRATEGIES["sma-cross"]
    peers.load(candles)
    signals = peers.call("raptorbt.sma_signals", **parameters)
    theirs = peers.call("raptorbt.sma", **parameters, cash=CASH, fee=FEE, per_year=PER_YEAR, details=True)
    targets = dict.fromkeys(signals["up"], 1.0) | dict.fromkeys(signals["down"], 0.0)
    bars = array("q", sorted(targets))
    decisions = Decisions(memoryview(bars), memoryview(array("d", (targets[bar] for bar in bars))))
    ledger = simulate(candles, decisions, ACCOUNT)
    assert theirs["entry_bar"] == ledger.trades.entry_bar.tolist()
    assert theirs["exit_bar"] == ledger.trades.exit_bar.tolist()
    assert theirs["equity"] == pytest.approx(ledger.equity.tolist(), rel=ROUNDING["raptorbt"])


@pytest.mark.parametrize("market", sorted(MARKETS))
def test_wilders_rsi_of_raptorbt_makes_our_trades(peers: Peers, market: str) -> None:
    candles, decisions, ledger = ours(market, "rsi")
    peers.load(candles)
    assert symmetric_difference(peers.call("raptorbt.rsi_signals", **STRATEGIES["rsi"]), decisions) == set()
    settings = {"cash": CASH, "fee": FEE, "per_year": PER_YEAR, "details": True}
    theirs = peers.call("raptorbt.rsi", **STRATEGIES["rsi"], **settings)
    assert theirs["entry_bar"] == ledger.trades.entry_bar.tolist()
    assert theirs["exit_bar"] == ledger.trades.exit_bar.tolist()
    assert theirs["final"] == pytest.approx(ledger.equity[-1], rel=1e-9)


def symmetric_difference(theirs: Mapping[str, Any], decisions: Decisions) -> set[int]:
    """Bars at which only one side signals."""
    return (set(theirs["up"]) ^ set(up(decisions))) | (set(theirs["down"]) ^ set(down(decisions)))


def tied_bars(candles: Candles, fast: int, slow: int) -> set[int]:
    """Bars where both averages are the same number, in integers."""
    total = [0, *accumulate(candles.ticks_close)]
    window: Callable[[int, int], int] = lambda end, length: total[end] - total[end - length]  # noqa: E731
    return {
        end - 1 for end in range(slow, len(total)) if window(end, fast) * slow == window(end, slow) * fast
    }
