"""What holds for any script of orders on any account."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spark_engine.simulation.exchange import Exchange
from spark_engine.simulation.ledger import Ledger, Step
from spark_engine.simulation.simulate import simulate, simulate_events

from engine.tests.simulation.random_scripts import RandomRun, random_run
from engine.tests.simulation.scripts import account_of_spec, submissions_of

Builds = dict[str, Callable[[], AbstractContextManager[None]]]
SEEDS = st.integers(0, 10**9)
SUBMIT = (
    "limit", "stop", "trail", "trail_rate", "tif", "expires", "reduce_only", "oco", "take_profit",
    "stop_loss", "stop_trail", "stop_trail_rate",
)  # fmt: skip


def run(drawn: RandomRun, **config: Any) -> Ledger:
    return simulate(
        drawn.candles(), submissions_of(drawn.script), account_of_spec({**drawn.config, **config})
    )


def contents(ledger: Ledger) -> dict[str, Any]:
    """Every value of a ledger, columns as lists."""
    return {field.name: _plain(getattr(ledger, field.name)) for field in fields(ledger)}


def _plain(value: Any) -> Any:
    if isinstance(value, memoryview):
        return value.tolist()
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


@given(seed=SEEDS)
def test_equity_is_cash_and_the_value_of_the_position_at_every_close(seed: int) -> None:
    drawn = random_run(seed)
    ledger = run(drawn)
    closes = drawn.columns["close"][: len(ledger.equity)]
    for equity, cash, position, close in zip(
        ledger.equity, ledger.cash, ledger.position, closes, strict=True
    ):
        assert equity == cash + position * close


@given(seed=SEEDS)
def test_fills_and_carry_explain_the_cash(seed: int) -> None:
    ledger = run(random_run(seed))
    fills = ledger.fills
    moved = list(zip(fills.side, fills.quantity, fills.price, fills.fee, strict=True))
    spent = sum(side * quantity * price + fee for side, quantity, price, fee in moved)
    carry = ledger.total_funding + ledger.total_borrow
    scale = 10_000.0 + sum(quantity * price for _, quantity, price, _ in moved)
    assert ledger.cash[-1] == pytest.approx(10_000.0 - spent - carry, abs=1e-10 * scale)
    assert sum(ledger.carry or [0.0]) == pytest.approx(carry, abs=1e-10 * scale)
    assert ledger.total_fees == pytest.approx(sum(fills.fee), rel=1e-12)


@given(seed=SEEDS)
def test_profits_of_trades_and_of_the_open_one_add_up_to_the_equity(seed: int) -> None:
    drawn = random_run(seed)
    ledger = run(drawn)
    fills, trades = ledger.fills, ledger.trades
    unclosed = range(sum(trades.fills), len(fills))
    paid = sum(fills.side[row] * fills.quantity[row] * fills.price[row] + fills.fee[row] for row in unclosed)
    carry = ledger.total_funding + ledger.total_borrow - sum(trades.carry)
    value = ledger.position[-1] * drawn.columns["close"][len(ledger.equity) - 1]
    scale = 10_000.0 + sum(
        quantity * price for quantity, price in zip(fills.quantity, fills.price, strict=True)
    )
    assert ledger.equity[-1] == pytest.approx(
        10_000.0 + sum(trades.pnl) + value - paid - carry, abs=1e-10 * scale
    )


@given(seed=SEEDS)
def test_before_slippage_no_fill_is_outside_its_bar(seed: int) -> None:
    drawn = random_run(seed)
    drawn.config.pop("tickSize", None)
    fills = run(drawn, slippageBps="0").fills
    for bar, price in zip(fills.bar, fills.price, strict=True):
        assert drawn.columns["low"][bar] <= price <= drawn.columns["high"][bar]


@given(seed=SEEDS)
def test_twice_the_prices_and_twice_the_money_are_twice_the_result_in_every_bit(seed: int) -> None:
    drawn = random_run(seed)
    account = account_of_spec(drawn.config)
    script = submissions_of(drawn.script)
    doubled = {
        name: memoryview(_doubled(getattr(script, name)))
        for name in ("limit", "stop", "trail", "take_profit", "stop_loss", "stop_trail")
    }
    gates = account.gates
    twice = replace(
        account,
        initial_cash=2.0 * account.initial_cash,
        min_notional=2.0 * account.min_notional,
        size=account.size * (2.0 if account.sizing == "FixedNotional" else 1.0),
        tick=account.tick and Step(2 * account.tick.units, account.tick.scale),
        gates=replace(gates, max_notional=gates.max_notional and 2.0 * gates.max_notional),
    )
    once = simulate(drawn.candles(), script, account)
    other = simulate(drawn.candles(scale=2.0), replace(script, **doubled), twice)
    assert other.fills.quantity.tolist() == once.fills.quantity.tolist()
    assert other.fills.price.tolist() == [2.0 * price for price in once.fills.price]
    assert other.equity.tolist() == [2.0 * equity for equity in once.equity]
    assert other.trades.pnl.tolist() == [2.0 * pnl for pnl in once.trades.pnl]
    assert (other.events.code.tolist(), other.events.order.tolist()) == (
        once.events.code.tolist(),
        once.events.order.tolist(),
    )


def _doubled(column: memoryview) -> memoryview:
    twice = memoryview(bytearray(column.nbytes)).cast("d")
    for row, value in enumerate(column):
        twice[row] = 2.0 * value
    return twice


@given(seed=SEEDS, bars=st.integers(1, 59))
def test_later_bars_never_change_the_past(seed: int, bars: int) -> None:
    drawn = random_run(seed)
    drawn.config.pop("closeAtEnd", None)
    account = account_of_spec(drawn.config)
    whole = simulate(drawn.candles(), submissions_of(drawn.script), account)
    known = [entry for entry in drawn.script if entry["bar"] < bars]
    part = simulate(drawn.candles(bars), submissions_of(known), account)
    assert part.equity.tolist() == whole.equity[:bars].tolist()
    assert part.fills.price.tolist() == [
        price for bar, price in zip(whole.fills.bar, whole.fills.price, strict=True) if bar < bars
    ]
    # On its last bar a breach cancels nothing, and what is refused afterwards differs.
    before = [
        [event for event in zip(run.events.bar, run.events.code, run.events.order, strict=True)
         if event[0] < bars - 1]
        for run in (part, whole)
    ]  # fmt: skip
    assert before[0] == before[1]


@given(seed=SEEDS)
def test_who_never_trades_earns_exactly_nothing(seed: int) -> None:
    drawn = random_run(seed)
    ledger = simulate(drawn.candles(), submissions_of([]), account_of_spec(drawn.config))
    assert ledger.equity.tolist() == [10_000.0] * 60
    assert (len(ledger.fills), len(ledger.events), ledger.total_funding) == (0, 0, 0.0)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS)
def test_compiled_and_uncompiled_agree_on_every_script(seed: int, builds: Builds) -> None:
    drawn = random_run(seed)
    seen = []
    for build in builds.values():
        with build():
            seen.append(contents(run(drawn)))
    assert seen[0] == seen[1]


@given(seed=SEEDS)
def test_an_event_strategy_that_submits_a_script_gives_the_same_ledger(seed: int) -> None:
    drawn = random_run(seed)
    script = submissions_of(drawn.script)

    def connect(exchange: Exchange) -> Callable[[int], None]:
        def on_bar(bar: int) -> None:
            for row in [row for row, at in enumerate(script.bar) if at == bar]:
                if script.action[row] == 2:
                    exchange.cancel(script.order[row])
                elif script.action[row] == 1:
                    exchange.target(script.quantity[row])
                else:
                    exchange.submit(
                        script.type[row],
                        script.side[row],
                        script.quantity[row],
                        **{name: getattr(script, name)[row] for name in SUBMIT},
                    )

        return on_bar

    events = simulate_events(drawn.candles(), account_of_spec(drawn.config), connect)
    assert contents(events) == contents(simulate(drawn.candles(), script, account_of_spec(drawn.config)))


@given(seed=SEEDS)
def test_positions_are_whole_lots(seed: int) -> None:
    ledger = run(random_run(seed), lotSize="0.1")
    for quantity in ledger.fills.quantity:
        lots = Decimal(quantity) / Decimal("0.1")
        assert abs(lots - lots.to_integral_value()) < Decimal("1e-9")
