"""Orders within a bar, one rule a test (SEMANTICS sections 3 to 7), beyond what the oracle's cases pin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from spark_engine.data.candles import Sessions
from spark_engine.errors import InvalidSpec, InvalidStrategy
from spark_engine.simulation.exchange import Exchange
from spark_engine.simulation.ledger import EventCode, Ledger
from spark_engine.simulation.simulate import simulate, simulate_events
from spark_engine.statistics.metrics import metrics

from engine.tests.simulation.scripts import account_of_spec, candles_of_columns, submissions_of

pytestmark = pytest.mark.usefixtures("build")

HOUR = 3_600_000
FLAT = (100.0, 100.0, 100.0, 100.0)
Bar = tuple[float, float, float, float]


def columns(*bars: Bar, start: int = 0, step: int = HOUR) -> dict[str, Any]:
    prices = dict(zip(("open", "high", "low", "close"), map(list, zip(*bars, strict=True)), strict=True))
    return {"ts": [start + step * row for row in range(len(bars))], **prices}


def order(bar: int, side: str, type: str, quantity: float = 10.0, **rest: Any) -> dict[str, Any]:  # noqa: A002
    return {"bar": bar, "order": {"side": side, "type": type, "quantity": quantity, **rest}}


def play(
    bars: list[Bar],
    *entries: dict[str, Any],
    funding: Any = (),
    finer: Any = None,
    start: int = 0,
    **config: Any,
) -> Ledger:
    candles = candles_of_columns(columns(*bars, start=start), HOUR, funding, finer)
    return simulate(candles, submissions_of(entries), account_of_spec(config))


def fills(ledger: Ledger) -> list[tuple[int, int, float]]:
    """bar, order and signed quantity of each fill."""
    rows = ledger.fills
    return [
        (bar, number, side * quantity)
        for bar, number, side, quantity in zip(rows.bar, rows.order, rows.side, rows.quantity, strict=True)
    ]


def prices(ledger: Ledger) -> list[float]:
    return list(ledger.fills.price)


def events(ledger: Ledger) -> list[tuple[int, int, int]]:
    return list(zip(ledger.events.bar, ledger.events.code, ledger.events.order, strict=True))


# Orders at the open.


def test_every_fill_tells_what_slippage_cost_and_the_total_is_their_sum() -> None:
    bars = [FLAT, FLAT, (100.0, 103.0, 99.0, 99.0), FLAT]
    bracket, stop = order(0, "buy", "market", takeProfit=102.0), order(0, "buy", "stop", 5.0, stop=101.0)
    ledger = play(bars, bracket, stop, {"bar": 2, "target": 0}, slippageBps="100", allowShort=True)
    assert prices(ledger) == [101.0, 101.0 * 1.01, 102.0, 99.0]
    base = [10.0 * 1.0, 5.0 * abs(101.0 * 1.01 - 101.0), 0.0, 5.0 * 1.0]
    assert ledger.fills.slippage.tolist() == base
    assert ledger.total_slippage == ((base[0] + base[1]) + base[2]) + base[3]


def test_a_marketable_limit_is_a_taker_at_the_slipped_open_but_never_beyond_its_limit() -> None:
    bars = [FLAT, FLAT]
    bought = play(bars, order(0, "buy", "limit", limit=101.0), slippageBps="50")
    assert (prices(bought), bought.fills.liquidity.tolist()) == ([100.0 * 1.005], [0])
    assert prices(play(bars, order(0, "buy", "limit", limit=100.2), slippageBps="50")) == [100.2]


def test_a_stop_that_the_open_has_passed_acts_as_a_market_order() -> None:
    ledger = play([FLAT, FLAT], order(0, "buy", "stop", stop=99.0), slippageBps="50")
    assert (prices(ledger), ledger.fills.reason.tolist()) == ([100.0 * 1.005], [2])


def test_a_new_stop_limit_beyond_its_stop_fills_at_the_open_without_slippage() -> None:
    ledger = play([FLAT, FLAT], order(0, "buy", "stop-limit", stop=99.0, limit=100.5), slippageBps="50")
    assert (prices(ledger), ledger.fills.liquidity.tolist()) == ([100.0], [0])


def test_a_stop_is_tested_before_a_limit_at_one_price() -> None:
    bars = [FLAT, FLAT, (100.0, 101.0, 100.0, 101.0)]
    limit = order(0, "sell", "limit", 5.0, limit=101.0)
    ledger = play(bars, limit, order(0, "buy", "stop", 5.0, stop=101.0), allowShort=True)
    assert fills(ledger) == [(2, 2, 5.0), (2, 1, -5.0)]


def test_a_cancel_acts_in_sequence_and_only_on_an_open_order() -> None:
    entries = (
        order(0, "buy", "market"),
        {"bar": 0, "cancel": 1},
        {"bar": 0, "cancel": 1},
        {"bar": 0, "cancel": 9},
    )
    ledger = play([FLAT, FLAT], *entries)
    assert (fills(ledger), events(ledger)) == ([], [(0, EventCode.CANCELLED_USER, 1)])


def test_orders_of_the_last_bar_are_counted_as_unfilled_and_are_not_in_the_book() -> None:
    ledger = play([FLAT, FLAT], order(0, "buy", "limit", limit=90.0), order(1, "buy", "market"))
    assert (ledger.unfilled_at_end, ledger.open_orders) == (1, (1,))


# Along the path.


def test_through_asks_a_limit_to_be_passed_where_touch_asks_it_to_be_reached() -> None:
    bars = [FLAT, FLAT, (100.0, 100.0, 98.0, 99.0)]
    asks = order(0, "buy", "limit", limit=98.0)
    assert prices(play(bars, asks)) == [98.0]
    assert prices(play(bars, asks, limitFill="Through")) == []
    assert prices(play([*bars, (99.0, 99.0, 97.5, 99.0)], asks, limitFill="Through")) == [98.0]


def test_the_worst_path_takes_the_stop_of_an_ambiguous_bar_first() -> None:
    bars = [FLAT, FLAT, (100.0, 103.0, 97.0, 99.0)]  # falls: by convention the high comes first
    entry = order(0, "buy", "market", takeProfit=102.0, stopLoss=98.0)
    assert prices(play(bars, entry)) == [100.0, 102.0]
    worst = play(bars, entry, intrabarPath="Worst")
    assert (prices(worst), worst.ambiguous_bars) == ([100.0, 98.0], 1)


def test_finer_bars_decide_what_the_bar_leaves_open() -> None:
    bars = [FLAT, FLAT, (100.0, 103.0, 97.0, 99.0)]
    entry = order(0, "buy", "market", takeProfit=102.0, stopLoss=98.0)
    half = HOUR // 2
    halves = [FLAT, FLAT, FLAT, FLAT, (100.0, 100.0, 97.0, 97.0), (97.0, 103.0, 97.0, 99.0)]
    finer = candles_of_columns(columns(*halves, step=half), half)
    ledger = play(bars, entry, finer=finer)
    assert (prices(ledger), ledger.ambiguous_bars, ledger.unresolved_bars) == ([100.0, 98.0], 0, 0)


def test_a_bar_whose_finer_bars_are_missing_or_disagree_follows_the_convention_and_is_counted() -> None:
    bars = [FLAT, FLAT, (100.0, 103.0, 97.0, 99.0)]
    entry = order(0, "buy", "market", takeProfit=102.0, stopLoss=98.0)
    half = HOUR // 2
    missing = candles_of_columns(columns(FLAT, FLAT, FLAT, FLAT, (100.0, 103.0, 97.0, 99.0), step=half), half)
    halves = [FLAT, FLAT, FLAT, FLAT, (100.0, 100.0, 97.0, 97.0), (97.0, 102.9, 97.0, 99.0)]
    other = candles_of_columns(columns(*halves, step=half), half)
    for finer in (missing, other):
        ledger = play(bars, entry, finer=finer)
        assert (prices(ledger), ledger.ambiguous_bars, ledger.unresolved_bars) == ([100.0, 102.0], 1, 1)


def test_a_trailing_stop_tests_a_later_open_before_it_ratchets() -> None:
    bars = [FLAT, FLAT, (100.0, 104.0, 100.0, 104.0), (101.0, 110.0, 101.0, 110.0)]
    ledger = play(bars, order(0, "buy", "market"), order(0, "sell", "trailing-stop", trail=2.5))
    assert prices(ledger) == [100.0, 101.0]  # 104 - 2.5 was passed by the gap


def test_a_child_that_the_entry_price_has_passed_acts_at_once_as_a_new_order() -> None:
    entry = order(0, "buy", "market", takeProfit=99.0)
    ledger = play([FLAT, FLAT], entry, slippageBps="50")
    assert prices(ledger) == [100.0 * 1.005, 100.0 * 0.995]
    assert ledger.fills.liquidity.tolist() == [0, 0]


def test_a_reversal_gives_its_children_the_quantity_that_it_opened() -> None:
    bars = [FLAT, FLAT, FLAT, (100.0, 106.0, 100.0, 106.0)]
    flip = order(1, "sell", "market", 25.0, stopLoss=105.0)
    ledger = play(bars, order(0, "buy", "market"), flip, allowShort=True)
    assert fills(ledger) == [(1, 1, 10.0), (2, 2, -10.0), (2, 2, -15.0), (3, 3, 15.0)]
    assert ledger.trades.fills.tolist() == [2, 2]


def test_a_market_exit_cancels_the_brackets_of_the_position() -> None:
    entry = order(0, "buy", "market", takeProfit=120.0, stopLoss=80.0)
    ledger = play([FLAT, FLAT, FLAT], entry, order(1, "sell", "market"))
    cancelled = EventCode.CANCELLED_REDUCE_ONLY
    assert events(ledger) == [(2, cancelled, 2), (2, cancelled, 3)]


def test_a_reduce_only_order_that_would_fill_without_a_position_is_cancelled() -> None:
    ledger = play([FLAT, FLAT], order(0, "sell", "market", reduceOnly=True), allowShort=True)
    assert (fills(ledger), events(ledger)) == ([], [(1, EventCode.CANCELLED_REDUCE_ONLY, 1)])


def test_a_fill_cancels_its_oco_siblings_still_to_come_to_the_open() -> None:
    pair = (order(0, "buy", "market", ocoGroup="x"), order(0, "buy", "market", 7.0, ocoGroup="x"))
    ledger = play([FLAT, FLAT], *pair)
    assert (fills(ledger), events(ledger)) == ([(1, 1, 10.0)], [(1, EventCode.CANCELLED_OCO, 2)])


def test_a_rejection_leaves_the_oco_siblings_alone() -> None:
    pair = (order(0, "buy", "market", 1e6, ocoGroup="x"), order(0, "buy", "market", 7.0, ocoGroup="x"))
    ledger = play([FLAT, FLAT], *pair)
    assert (fills(ledger), events(ledger)) == ([(1, 2, 7.0)], [(1, EventCode.REJECTED_INSUFFICIENT_FUNDS, 1)])


# Days.


def test_a_day_order_ends_with_the_utc_day_of_its_first_bar_also_before_1970() -> None:
    ledger = play([FLAT] * 3, order(0, "buy", "limit", limit=90.0, tif="Day"), start=-2 * HOUR)
    assert events(ledger) == [(2, EventCode.EXPIRED_DAY, 1)]


def test_a_day_order_of_an_exchange_ends_with_its_session() -> None:
    candles = candles_of_columns(columns(FLAT, FLAT, FLAT, FLAT), HOUR)
    ts = candles.ts.tolist()
    sessions = Sessions(
        "XNYS",
        close_ts=memoryview(bytearray(32)).cast("q"),
        day=memoryview(bytearray(32)).cast("q"),
        follows_gap=memoryview(bytearray(4)).cast("b"),
        periods_per_year=252.0,
    )
    for row, day in enumerate((0, 0, 0, 1)):
        sessions.close_ts[row], sessions.day[row] = ts[row] + HOUR, day
    script = submissions_of([order(0, "buy", "limit", limit=90.0, tif="Day")])
    ledger = simulate(replace(candles, sessions=sessions), script, account_of_spec({}))
    assert events(ledger) == [(3, EventCode.EXPIRED_DAY, 1)]


def test_a_good_till_date_order_takes_part_up_to_the_close_at_that_time() -> None:
    bars = [FLAT, FLAT, (100.0, 100.0, 89.0, 95.0), FLAT]
    late = order(0, "buy", "limit", limit=90.0, tif="GTD", expires=3 * HOUR)
    early = order(0, "buy", "limit", limit=90.0, tif="GTD", expires=3 * HOUR - 1)
    assert prices(play(bars, late)) == [90.0]
    assert events(play(bars, early)) == [(2, EventCode.EXPIRED_GTD, 1)]


# Next close.


def test_next_close_brings_orders_to_the_close_of_the_next_bar() -> None:
    bars = [FLAT, (100.0, 105.0, 95.0, 102.0), (102.0, 102.0, 96.0, 101.0)]
    asks = (order(0, "buy", "market", 5.0), order(0, "buy", "limit", 5.0, limit=97.0))
    ledger = play(bars, *asks, fill="NextClose")
    assert (fills(ledger), prices(ledger)) == ([(1, 1, 5.0), (2, 2, 5.0)], [102.0, 97.0])


# Sizing.


@pytest.mark.parametrize(
    ("sizing", "size", "quantity"),
    [("FixedQuantity", "40", 20.0), ("FixedNotional", "3000", 15.0), ("EquityFraction", "0.6", 30.0)],
)
def test_a_target_of_a_half_is_half_of_the_size(sizing: str, size: str, quantity: float) -> None:
    ledger = play([FLAT, FLAT], {"bar": 0, "target": 0.5}, sizing=sizing, size=size)
    assert ledger.fills.quantity.tolist() == [quantity]


def test_a_target_of_another_size_is_one_fill_of_the_difference_and_the_same_again_is_none() -> None:
    weights = [{"bar": bar, "target": weight} for bar, weight in enumerate((0.5, 1.0, 1.0, 0.25))]
    ledger = play([FLAT] * 6, *weights)
    assert fills(ledger) == [(1, 1, 50.0), (2, 2, 50.0), (4, 4, -75.0)]


def test_leverage_multiplies_what_all_of_the_cash_buys() -> None:
    ledger = play([FLAT, FLAT], {"bar": 0, "target": 1}, leverage="3", takerFeeBps="100")
    assert ledger.fills.quantity.tolist() == [(3.0 * 10_000.0) / (100.0 * (1.0 + 3.0 * 0.01))]


def test_a_quantity_a_rounding_error_above_the_funds_is_reduced_and_spends_all() -> None:
    ledger = play([FLAT, FLAT], order(0, "buy", "market", 100.0 * (1 + 5e-10)))
    assert (ledger.fills.quantity.tolist(), ledger.cash[-1]) == ([100.0], 0.0)


def test_ticks_round_a_slipped_price_against_the_trader_and_leave_limits_alone() -> None:
    bars = [FLAT, FLAT, (100.0, 100.0, 98.1, 98.1)]
    asks = (order(0, "buy", "market"), order(0, "sell", "market", 5.0), order(0, "buy", "limit", limit=98.13))
    ledger = play(bars, *asks, slippageBps="1", tickSize="0.25")
    assert prices(ledger) == [100.25, 99.75, 98.13]


def test_lots_cut_a_quantity_and_less_than_one_is_rejected() -> None:
    asks = (order(0, "buy", "market", 3.19), order(0, "buy", "market", 0.09))
    ledger = play([FLAT, FLAT], *asks, lotSize="0.1")
    assert ledger.fills.quantity.tolist() == [3.1]
    assert events(ledger) == [(1, EventCode.REJECTED_LOT_SIZE, 2)]


def test_too_little_money_is_rejected_for_an_entry_and_never_for_an_exit() -> None:
    asks = (order(0, "buy", "market", 5.0), order(1, "sell", "market", 1.0), order(1, "buy", "market", 1.0))
    ledger = play([FLAT] * 3, *asks, minNotional="400")
    assert fills(ledger) == [(1, 1, 5.0), (2, 2, -1.0)]
    assert events(ledger) == [(2, EventCode.REJECTED_MIN_NOTIONAL, 3)]


def test_a_sale_without_permission_to_be_short_only_closes() -> None:
    ledger = play([FLAT] * 3, order(0, "buy", "market"), order(1, "sell", "market", 15.0))
    assert fills(ledger) == [(1, 1, 10.0), (2, 2, -10.0)]
    assert events(ledger) == [(2, EventCode.REJECTED_SHORT_NOT_ALLOWED, 2)]


# Margin and carry.


def test_a_deficit_halts_cancels_every_order_and_rejects_later_ones() -> None:
    bars = [FLAT, FLAT, (50.0, 50.0, 50.0, 50.0), FLAT]
    asks = (order(0, "buy", "market", 400.0), order(0, "buy", "limit", limit=10.0), order(2, "buy", "market"))
    ledger = play(bars, *asks, marginModel="Isolated", maintenanceMargin="0.1", leverage="5")
    assert (fills(ledger), ledger.cash[-1]) == ([(1, 1, 400.0), (2, 0, -400.0)], -10_000.0)
    assert events(ledger) == [
        (2, EventCode.HALTED_DEFICIT, 0),
        (2, EventCode.CANCELLED_DEFICIT, 2),
        (2, EventCode.REJECTED_GATE_CLOSED, 3),
    ]
    assert (ledger.bankrupt_bar, ledger.equity[-1]) == (2, -10_000.0)


def test_funding_and_interest_are_paid_at_the_close_and_belong_to_the_trade() -> None:
    asks = (order(0, "sell", "market", 10.0), order(2, "buy", "market", 10.0))
    config = {"allowShort": True, "borrowRateAnnual": "0.876"}
    ledger = play([FLAT] * 5, *asks, funding=[(2 * HOUR, "0.01"), (5 * HOUR, "0.01")], **config)
    assert ledger.carry is not None
    assert ledger.carry.tolist() == pytest.approx([0.0, -10.0 + 0.1, 0.1, 0.0, 0.0])
    assert ledger.total_funding == -10.0
    assert ledger.trades.carry[0] == pytest.approx(-9.8)
    assert ledger.trades.pnl[0] == pytest.approx(9.8)
    candles = candles_of_columns(columns(*[FLAT] * 5), HOUR)
    shown = metrics(ledger, candles, account_of_spec(config))["totalFunding"].value
    assert shown == ledger.total_funding + ledger.total_borrow


# Gates.


@pytest.mark.parametrize(
    ("gate", "code", "value"),
    [
        ({"maxNotional": "1500"}, EventCode.REJECTED_MAX_NOTIONAL, 2000.0),
        ({"maxPosition": "15"}, EventCode.REJECTED_MAX_POSITION, 20.0),
        ({"maxLeverage": "0.15"}, EventCode.REJECTED_MAX_LEVERAGE, 0.2),
    ],
)
def test_an_order_gate_rejects_what_would_be_above_its_limit(
    gate: dict[str, str], code: EventCode, value: float
) -> None:
    asks = (order(0, "buy", "market"), order(1, "buy", "market"), order(2, "sell", "market"))
    ledger = play([FLAT] * 4, *asks, gates=gate)
    assert fills(ledger) == [(1, 1, 10.0), (3, 3, -10.0)]
    assert (events(ledger), ledger.events.value.tolist()) == ([(2, code, 2)], [value])


def test_equal_to_the_limit_passes() -> None:
    gates = {"maxNotional": "1000", "maxPosition": "10", "maxLeverage": "0.1"}
    assert len(play([FLAT, FLAT], order(0, "buy", "market"), gates=gates).fills) == 1


def test_too_many_open_orders_reject_orders_but_not_targets() -> None:
    asks = (order(0, "buy", "limit", limit=90.0), order(0, "buy", "market"), {"bar": 0, "target": 1})
    ledger = play([FLAT, FLAT], *asks, gates={"maxOpenOrders": 1})
    assert fills(ledger) == [(1, 3, 100.0)]
    assert events(ledger) == [(0, EventCode.REJECTED_MAX_OPEN_ORDERS, 2)]


FALL: list[Bar] = [FLAT, FLAT, (100.0, 100.0, 75.0, 75.0), (75.0,) * 4, (75.0,) * 4]


def test_a_drawdown_cancels_flattens_at_the_next_open_and_stays_closed() -> None:
    asks = ({"bar": 0, "target": 1}, order(1, "buy", "limit", limit=10.0), {"bar": 3, "target": 1})
    ledger = play(FALL, *asks, gates={"maxDrawdown": "0.25"})
    assert fills(ledger) == [(1, 1, 100.0), (3, 0, -100.0)]
    assert ledger.fills.reason.tolist() == [0, 7]
    assert events(ledger) == [
        (2, EventCode.BREACH_MAX_DRAWDOWN, 0),
        (2, EventCode.CANCELLED_GATE, 2),
        (3, EventCode.REJECTED_GATE_CLOSED, 3),
    ]


def test_a_daily_loss_closes_the_gate_until_the_first_bar_of_the_next_day() -> None:
    asks = ({"bar": 0, "target": 1}, {"bar": 2, "target": 1}, {"bar": 3, "target": 1})
    ledger = play(FALL, *asks, start=21 * HOUR, gates={"maxDailyLoss": "0.25"})
    assert fills(ledger) == [(1, 1, 100.0), (3, 0, -100.0), (4, 3, 100.0)]
    assert events(ledger) == [(2, EventCode.BREACH_MAX_DAILY_LOSS, 0), (2, EventCode.REJECTED_GATE_CLOSED, 2)]


def test_policy_fail_ends_the_run_with_the_breach() -> None:
    asks = ({"bar": 0, "target": 1}, order(0, "buy", "limit", limit=10.0), order(2, "buy", "market"))
    ledger = play(FALL, *asks, gates={"maxDrawdown": "0.25", "policy": "Fail"}, closeAtEnd=True)
    assert (ledger.stopped_bar, len(ledger.equity), ledger.open_orders) == (2, 3, (2,))
    assert events(ledger) == [(2, EventCode.BREACH_MAX_DRAWDOWN, 0)]
    assert ledger.submissions is not None and len(ledger.submissions) == 2


def test_a_breach_on_the_last_bar_is_an_event_and_nothing_else() -> None:
    ledger = play(FALL[:3], {"bar": 0, "target": 1}, gates={"maxDrawdown": "0.25"})
    assert (events(ledger), ledger.position[-1]) == ([(2, EventCode.BREACH_MAX_DRAWDOWN, 0)], 100.0)


# Trades of many fills.


def test_a_trade_of_many_fills_has_average_prices_and_the_sum_of_its_flows() -> None:
    bars: list[Bar] = [FLAT, FLAT, (104.0,) * 4, (110.0,) * 4]
    asks = (
        order(0, "buy", "market", 10.0),
        order(1, "buy", "market", 30.0),
        order(2, "sell", "market", 40.0),
    )
    trades = play(bars, *asks).trades
    assert (trades.fills[0], trades.quantity[0], trades.entry_price[0], trades.exit_price[0]) == (
        3,
        40.0,
        103.0,
        110.0,
    )
    assert trades.pnl[0] == 280.0


# The event form and bad input.


def test_an_event_strategy_sees_the_account_of_this_close() -> None:
    seen: list[tuple[Any, ...]] = []

    def connect(exchange: Exchange) -> Callable[[int], None]:
        def on_bar(bar: int) -> None:
            if bar == 0:
                exchange.submit(0, 1, 10.0, take_profit=110.0)
            seen.append((exchange.bar, exchange.cash, exchange.position, exchange.equity, exchange.fills))
            if bar == 1:
                assert exchange.fill(0) == (1, 1, 1, 0, 0, 10.0, 100.0, 0.0)
                assert exchange.open_orders() == [(2, 1, -1, 10.0, 110.0, 0.0, 0, True)]

        return on_bar

    ledger = simulate_events(candles_of_columns(columns(FLAT, FLAT)), account_of_spec({}), connect)
    assert seen == [(0, 10_000.0, 0.0, 10_000.0, 0), (1, 9_000.0, 10.0, 10_000.0, 1)]
    assert ledger.submissions is not None and ledger.submissions.order.tolist() == [1]


def test_what_a_strategy_raises_is_raised_unchanged() -> None:
    def connect(_: Exchange) -> Callable[[int], None]:
        def on_bar(bar: int) -> None:
            raise KeyError(bar)

        return on_bar

    with pytest.raises(KeyError, match="0"):
        simulate_events(candles_of_columns(columns(FLAT, FLAT)), account_of_spec({}), connect)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (order(7, "buy", "market"), "bars must not fall and be within 0 to 1"),
        (order(0, "buy", "market", -1.0), "quantity -1.0"),
        (order(0, "buy", "market", float("nan")), "quantity nan"),
        (order(0, "buy", "limit"), "must have a limit price"),
        (order(0, "buy", "stop"), "must have a stop price"),
        (order(0, "buy", "trailing-stop"), "either an amount or a rate"),
        (order(0, "buy", "trailing-stop", trailBps="10000"), "rate below 1"),
        (order(0, "buy", "market", takeProfit=float("inf")), "take_profit inf"),
        ({"bar": 0, "target": 1.5}, "targets must be from -1 to 1"),
    ],
)
def test_a_script_that_cannot_be_carried_out_is_refused_by_row(entry: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidStrategy, match=message) as refusal:
        play([FLAT, FLAT], order(0, "buy", "market"), entry)
    assert "submission 2" in str(refusal.value)


@pytest.mark.parametrize(
    ("config", "field"),
    [
        ({"leverage": "0"}, "spec.account.leverage"),
        ({"makerFeeBps": "10000"}, "spec.execution.makerFeeBps"),
        ({"minNotional": "-1"}, "spec.market.minNotional"),
        ({"marginModel": "Isolated", "maintenanceMargin": "1"}, "spec.account.maintenanceMargin"),
    ],
)
def test_an_account_that_no_exchange_keeps_is_refused_by_field(config: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        play([FLAT, FLAT], **config)
    assert refusal.value.field == field
