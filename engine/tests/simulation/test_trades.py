"""Trades made from fills: profit, and how far the price ran for and against them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account, Decisions, Trades
from spark_engine.simulation.simulate import simulate

MakeCandles = Callable[..., Candles]
MakeDecisions = Callable[..., Decisions]
MakeAccount = Callable[..., Account]

pytestmark = pytest.mark.usefixtures("build")

#        bar  0      1      2      3      4
OPENS = [100.0, 100.0, 104.0, 106.0, 110.0]
HIGHS = [190.0, 108.0, 120.0, 107.0, 180.0]
LOWS = [10.0, 95.0, 99.0, 90.0, 20.0]
CLOSES = [100.0, 104.0, 106.0, 100.0, 110.0]


@pytest.fixture
def trades(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> Callable[..., Trades]:
    def run(*events: tuple[int, float], **account: bool) -> Trades:
        candles = make_candles(OPENS, CLOSES, HIGHS, LOWS)
        return simulate(candles, make_decisions(*events), make_account(1000.0, **account)).trades

    return run


def test_a_long_trade_profits_from_a_rise_less_both_fees(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    candles = make_candles(OPENS, CLOSES, HIGHS, LOWS)
    ledger = simulate(candles, make_decisions((0, 1.0), (1, 0.0)), make_account(1000.0, fee=0.01))
    trade, (entry_fee, exit_fee) = ledger.trades, ledger.fills.fee.tolist()
    assert trade.side.tolist() == [1]
    assert (trade.entry_bar[0], trade.exit_bar[0], trade.entry_price[0], trade.exit_price[0]) == (
        1,
        2,
        100.0,
        104.0,
    )
    assert trade.pnl[0] == (trade.quantity[0] * (104.0 - 100.0) - entry_fee) - exit_fee
    assert trade.fees[0] == entry_fee + exit_fee


def test_a_short_trade_profits_from_a_fall(trades: Callable[..., Trades]) -> None:
    short = trades((3, -1.0), close_at_end=True)
    assert (short.side.tolist(), short.pnl.tolist()) == ([-1], [0.0])
    short = trades((1, -1.0), (2, 0.0))
    assert short.pnl[0] == -short.quantity[0] * (106.0 - 104.0)


def test_excursions_span_the_bars_from_the_entry_open_to_the_bar_before_the_exit_open(
    trades: Callable[..., Trades],
) -> None:
    long = trades((0, 1.0), (2, 0.0))  # in at the open of bar 1, out at the open of bar 3
    assert long.mfe.tolist() == [(120.0 - 100.0) / 100.0]
    assert long.mae.tolist() == [(100.0 - 95.0) / 100.0]


def test_excursions_of_a_short_trade_are_mirrored(trades: Callable[..., Trades]) -> None:
    short = trades((0, -1.0), (2, 0.0))
    assert short.mae.tolist() == [(120.0 - 100.0) / 100.0]
    assert short.mfe.tolist() == [(100.0 - 95.0) / 100.0]


def test_an_entry_at_a_close_sees_that_bar_no_more_and_an_exit_at_a_close_sees_it_whole(
    trades: Callable[..., Trades],
) -> None:
    long = trades(
        (0, 1.0), (2, 0.0), next_close=True
    )  # in at 104, the close of bar 1; out at the close of bar 3
    assert long.mfe.tolist() == [(120.0 - 104.0) / 104.0]
    assert long.mae.tolist() == [(104.0 - 90.0) / 104.0]


def test_close_at_end_sees_the_whole_last_bar(trades: Callable[..., Trades]) -> None:
    long = trades((3, 1.0), close_at_end=True)
    assert long.mfe.tolist() == [(180.0 - 110.0) / 110.0]
    assert long.mae.tolist() == [(110.0 - 20.0) / 110.0]


def test_the_exit_price_itself_is_part_of_the_excursion(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    prices = [100.0, 100.0, 50.0]
    ledger = simulate(make_candles(prices, prices), make_decisions((0, 1.0), (1, 0.0)), make_account())
    assert ledger.trades.mae.tolist() == [0.5]
    assert ledger.trades.mfe.tolist() == [0.0]
