"""Market fills of target events, by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidData, InvalidSpec, InvalidStrategy
from spark_engine.simulation.ledger import Account, Decisions
from spark_engine.simulation.simulate import simulate

MakeCandles = Callable[..., Candles]
MakeDecisions = Callable[..., Decisions]
MakeAccount = Callable[..., Account]

pytestmark = pytest.mark.usefixtures("build")

OPENS = [10.0, 11.0, 12.0, 13.0]
CLOSES = [10.5, 11.5, 12.5, 13.5]


def test_a_target_fills_at_the_open_of_the_next_bar(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    ledger = simulate(make_candles(OPENS, CLOSES), make_decisions((0, 1.0)), make_account(1100.0))
    assert (ledger.fills.bar.tolist(), ledger.fills.price.tolist()) == ([1], [11.0])
    assert ledger.fills.quantity.tolist() == [100.0]
    assert ledger.equity.tolist() == [1100.0, 1150.0, 1250.0, 1350.0]
    assert ledger.cash.tolist() == [1100.0, 0.0, 0.0, 0.0]
    assert ledger.position.tolist() == [0.0, 100.0, 100.0, 100.0]
    assert ledger.moments.bars_in_position == 3
    assert len(ledger.trades) == 0


def test_next_close_fills_at_the_close_of_the_next_bar(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    account = make_account(1150.0, next_close=True)
    ledger = simulate(make_candles(OPENS, CLOSES), make_decisions((0, 1.0)), account)
    assert (ledger.fills.bar.tolist(), ledger.fills.price.tolist()) == ([1], [11.5])
    assert ledger.equity.tolist() == [1150.0, 1150.0, 1250.0, 1350.0]


def test_slippage_and_fee_are_paid_on_both_sides_and_fit_into_the_cash(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    fee, slippage = 0.01, 0.1
    account = make_account(1000.0, fee, slippage)
    ledger = simulate(make_candles(OPENS, CLOSES), make_decisions((0, 1.0), (1, 0.0)), account)
    bought, sold = 11.0 * 1.1, 12.0 * 0.9
    quantity = 1000.0 / (bought * 1.01)
    assert ledger.fills.price.tolist() == [bought, sold]
    assert ledger.fills.quantity.tolist() == [quantity, quantity]
    assert ledger.fills.fee.tolist() == [(fee * quantity) * bought, (fee * quantity) * sold]
    assert quantity * bought + ledger.fills.fee[0] == pytest.approx(1000.0, rel=1e-12)
    assert ledger.equity[-1] == quantity * sold - (fee * quantity) * sold
    assert ledger.fills.slippage.tolist() == [quantity * abs(bought - 11.0), quantity * abs(sold - 12.0)]
    assert ledger.total_slippage == quantity * abs(bought - 11.0) + quantity * abs(sold - 12.0)
    assert ledger.turnover_notional == quantity * bought + quantity * sold
    assert ledger.total_fees == sum(ledger.fills.fee.tolist())


def test_a_reversal_is_two_fills_of_one_order_at_one_price(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    ledger = simulate(
        make_candles(OPENS, CLOSES), make_decisions((0, 1.0), (1, -1.0)), make_account(1100.0, fee=0.01)
    )
    fills = ledger.fills
    assert fills.bar.tolist() == [1, 2, 2]
    assert fills.order.tolist() == [1, 2, 2]
    assert fills.side.tolist() == [1, -1, -1]
    assert fills.price.tolist() == [11.0, 12.0, 12.0]
    assert ledger.position[3] == -fills.quantity[2]
    assert ledger.trades.exit_bar.tolist() == [2]


def test_the_same_target_again_does_nothing_but_takes_an_order_id(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    ledger = simulate(
        make_candles(OPENS, CLOSES), make_decisions((0, 1.0), (1, 1.0), (2, 0.0)), make_account()
    )
    assert ledger.fills.order.tolist() == [1, 3]


def test_a_target_of_the_last_bar_never_fills_and_is_counted(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    ledger = simulate(make_candles(OPENS, CLOSES), make_decisions((3, 1.0)), make_account())
    assert (len(ledger.fills), ledger.unfilled_at_end) == (0, 1)
    assert ledger.equity.tolist() == [1000.0] * 4


def test_an_open_position_is_marked_and_its_liquidation_value_is_reported(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    ledger = simulate(make_candles(OPENS, CLOSES), make_decisions((0, 1.0)), make_account(1100.0, 0.01, 0.1))
    quantity, price = ledger.position[3], 13.5 * 0.9
    assert ledger.equity[-1] == quantity * 13.5
    assert ledger.final_equity_liquidated == quantity * price - (0.01 * quantity) * price


def test_close_at_end_is_a_fill_of_the_engine_on_the_last_close(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    account = make_account(1100.0, 0.01, 0.1, close_at_end=True)
    ledger = simulate(make_candles(OPENS, CLOSES), make_decisions((0, 1.0)), account)
    fills = ledger.fills
    assert (fills.bar[1], fills.order[1], fills.reason[1], fills.price[1]) == (3, 0, 8, 13.5 * 0.9)
    assert ledger.position[3] == 0.0
    assert ledger.equity[-1] == ledger.final_equity_liquidated == ledger.cash[3]
    assert ledger.trades.exit_reason.tolist() == [8]


def test_close_at_end_comes_after_the_fill_of_that_bar(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    ledger = simulate(
        make_candles(OPENS, CLOSES), make_decisions((2, -1.0)), make_account(1300.0, close_at_end=True)
    )
    assert ledger.fills.bar.tolist() == [3, 3]
    assert ledger.fills.price.tolist() == [13.0, 13.5]
    assert ledger.equity.tolist() == [1300.0, 1300.0, 1300.0, 1250.0]


def test_close_at_end_without_a_position_does_nothing(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    ledger = simulate(make_candles(OPENS, CLOSES), make_decisions(), make_account(close_at_end=True))
    assert len(ledger.fills) == 0


def test_a_short_may_lose_more_than_everything_and_nothing_opens_afterwards(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    opens, closes = [10.0, 10.0, 15.0, 30.0, 30.0, 5.0], [10.0, 10.0, 20.0, 30.0, 30.0, 5.0]
    decisions = make_decisions((0, -1.0), (2, 1.0), (3, 1.0), (4, -1.0))
    ledger = simulate(make_candles(opens, closes), decisions, make_account(1000.0))
    assert ledger.equity.tolist() == [1000.0, 1000.0, 0.0, -1000.0, -1000.0, -1000.0]
    assert ledger.fills.bar.tolist() == [1, 3]
    assert ledger.fills.order.tolist() == [1, 2]
    assert ledger.bankrupt_bar == 2
    assert ledger.moments.max_drawdown == 2.0
    assert ledger.moments.min_equity == -1000.0


def test_nothing_opens_with_no_cash_left(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    prices = [10.0, 10.0, 20.0, 20.0, 20.0]
    decisions = make_decisions((0, -1.0), (1, 1.0), (2, -1.0), (3, 1.0))
    ledger = simulate(make_candles(prices, prices), decisions, make_account(1000.0))
    assert ledger.fills.order.tolist() == [1, 2]
    assert ledger.equity.tolist() == [1000.0, 1000.0, 0.0, 0.0, 0.0]


def test_a_price_that_slippage_takes_to_zero_opens_nothing(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    least = [5e-324] * 3
    ledger = simulate(make_candles(least, least), make_decisions((0, -1.0)), make_account(slippage=0.5))
    assert len(ledger.fills) == 0


def test_cash_too_small_to_buy_anything_opens_nothing(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    prices = [1000.0] * 3
    ledger = simulate(make_candles(prices, prices), make_decisions((0, 1.0)), make_account(5e-324))
    assert (len(ledger.fills), ledger.equity.tolist()) == (0, [5e-324] * 3)


def test_warm_up_rows_are_neither_traded_nor_marked(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    candles = make_candles([1.0, 2.0, *OPENS], [1.0, 2.0, *CLOSES], warmup=2)
    ledger = simulate(candles, make_decisions((0, 1.0)), make_account(1100.0))
    assert ledger.equity.tolist() == [1100.0, 1150.0, 1250.0, 1350.0]
    assert ledger.fills.bar.tolist() == [1]


def test_a_single_bar_has_equity_and_no_fill(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    ledger = simulate(make_candles([10.0], [11.0]), make_decisions((0, 1.0)), make_account(close_at_end=True))
    assert (ledger.equity.tolist(), len(ledger.fills), ledger.unfilled_at_end) == ([1000.0], 0, 1)


def test_the_drawdown_counts_bars_and_seconds_from_the_last_touch_of_the_peak(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    prices = [10.0, 10.0, 12.0, 9.0, 12.0, 11.0, 6.0, 11.0, 12.0, 13.0]
    hours = [0, 1, 2, 3, 4, 5, 9, 10, 11, 12]  # three bars are missing inside the longest run
    candles = make_candles(prices, prices, ts=[hour * 3_600_000 for hour in hours])
    ledger = simulate(candles, make_decisions((0, 1.0)), make_account(1000.0))
    assert ledger.moments.max_drawdown == 0.5
    assert ledger.moments.max_drawdown_bars == 3
    assert ledger.moments.max_drawdown_seconds == 6 * 3600


def test_of_equally_long_drawdowns_the_first_gives_the_seconds(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    prices = [10.0, 10.0, 9.0, 10.0, 8.0, 10.0]
    candles = make_candles(prices, prices, ts=[hour * 3_600_000 for hour in (0, 1, 3, 4, 5, 6)])
    ledger = simulate(candles, make_decisions((0, 1.0)), make_account(1000.0))
    assert (ledger.moments.max_drawdown_bars, ledger.moments.max_drawdown_seconds) == (1, 2 * 3600)


@pytest.mark.parametrize("events", [[(4, 1.0)], [(-1, 1.0)], [(1, 1.0), (1, 0.0)], [(2, 1.0), (1, 0.0)]])
def test_decisions_outside_the_window_or_out_of_order_are_refused(
    events: list[tuple[int, float]],
    make_candles: MakeCandles,
    make_decisions: MakeDecisions,
    make_account: MakeAccount,
) -> None:
    with pytest.raises(InvalidStrategy, match="bars must increase within 0 to 3"):
        simulate(make_candles(OPENS, CLOSES), make_decisions(*events), make_account())


@pytest.mark.parametrize("target", [1.5, -2.0, float("nan"), float("inf")])
def test_targets_beyond_one_and_targets_that_are_no_number_are_refused(
    target: float, make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    with pytest.raises(InvalidStrategy, match="targets be from -1 to 1"):
        simulate(make_candles(OPENS, CLOSES), make_decisions((0, target)), make_account())


@pytest.mark.parametrize(
    ("cash", "fee", "slippage", "field"),
    [
        (0.0, 0.0, 0.0, "spec.account.initialCash"),
        (float("inf"), 0.0, 0.0, "spec.account.initialCash"),
        (float("nan"), 0.0, 0.0, "spec.account.initialCash"),
        (1.0, -0.1, 0.0, "spec.execution.takerFeeBps"),
        (1.0, 1.0, 0.0, "spec.execution.takerFeeBps"),
        (1.0, 0.0, 1.0, "spec.execution.slippageBps"),
    ],
)
def test_an_account_out_of_range_is_refused_by_field(
    cash: float,
    fee: float,
    slippage: float,
    field: str,
    make_candles: MakeCandles,
    make_decisions: MakeDecisions,
    make_account: MakeAccount,
) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        simulate(make_candles(OPENS, CLOSES), make_decisions(), make_account(cash, fee, slippage))
    assert refusal.value.field == field


def test_an_empty_window_is_refused(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: MakeAccount
) -> None:
    with pytest.raises(InvalidData, match="holds no bar"):
        simulate(make_candles(OPENS, CLOSES, warmup=4), make_decisions(), make_account())
