"""The run that docs/numbers.md works through by hand is the run that the engine makes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.strategies.registry import check_parameters, find

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "numbers.md").read_text(encoding="utf-8")
BARS = json.loads((ROOT / "engine/tests/oracle/small_up_down.json").read_text())["data"]


@pytest.fixture(scope="module")
def ledger(make_candles: Callable[..., Candles]) -> Ledger:
    candles = make_candles(BARS["open"], BARS["close"])
    strategy = find("sma-cross")
    parameters = check_parameters(strategy, {"fast": 2, "slow": 3, "direction": "long-short"})
    account = Account(10_000.0, 0.002, 0.002, 0.001, allow_short=True)
    return simulate(candles, strategy.decide(candles, parameters), account)


@pytest.mark.parametrize("name", ["open", "close"])
def test_the_page_shows_the_bars(name: str) -> None:
    assert f"| {name} | {' | '.join(f'{price:g}' for price in BARS[name])} |" in PAGE


def test_the_page_shows_every_fill(ledger: Ledger) -> None:
    fills = ledger.fills
    rows = zip(fills.bar, fills.order, fills.side, fills.quantity, fills.price, fills.fee, strict=True)
    shown = [
        f"| {bar} | {order} | {'buy' if side > 0 else 'sell'} | {quantity:.6f} | {price:.4f} | {fee:.6f} |"
        for bar, order, side, quantity, price, fee in rows
    ]
    assert "\n".join(shown) in PAGE


def test_the_page_shows_every_trade(ledger: Ledger) -> None:
    trades = ledger.trades
    rows = zip(
        trades.side, trades.entry_bar, trades.exit_bar, trades.pnl, trades.mae, trades.mfe, strict=True
    )
    shown = [
        f"| {'long' if side > 0 else 'short'} | {entry} to {leave} | {pnl:.6f} | {mae:.6f} | {mfe:.6f} |"
        for side, entry, leave, pnl, mae, mfe in rows
    ]
    assert "\n".join(shown) in PAGE


def test_the_page_shows_equity_and_drawdown(ledger: Ledger) -> None:
    moments = ledger.moments
    for text in (
        f"{ledger.equity[-1]:.6f}",
        f"{ledger.final_equity_liquidated:.6f}",
        f"{moments.max_drawdown:.6f}",
        f"{moments.max_drawdown_bars} bars, {moments.max_drawdown_seconds} s",
    ):
        assert text in PAGE
