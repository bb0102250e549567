"""The general path and the fast kernel are one simulator where both apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data.candles import Candles
from spark_engine.simulation import general
from spark_engine.simulation.ledger import Account, Decisions
from spark_engine.simulation.simulate import simulate
from spark_engine.statistics.figures import figures

from engine.tests.simulation.random_scripts import random_run

MakeCandles = Callable[..., Candles]
MakeDecisions = Callable[..., Decisions]


def _plain(value: Any) -> Any:
    if isinstance(value, memoryview):
        return value.tolist()
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return value


@given(
    seed=st.integers(0, 10**9),
    events=st.dictionaries(st.integers(0, 59), st.sampled_from([-1.0, 0.0, 1.0])),
    rates=st.tuples(st.sampled_from([0.0, 0.001, 0.9]), st.sampled_from([0.0, 0.0005, 0.5])),
    allow_short=st.booleans(),
    next_close=st.booleans(),
    close_at_end=st.booleans(),
)
def test_targets_give_the_same_ledger_in_every_bit_by_either_path(
    seed: int,
    events: dict[int, float],
    rates: tuple[float, float],
    allow_short: bool,
    next_close: bool,
    close_at_end: bool,
    make_decisions: MakeDecisions,
) -> None:
    candles = random_run(seed).candles()
    plain = Candles(**{**{f.name: getattr(candles, f.name) for f in fields(candles)}, "funding": None})
    decisions = make_decisions(*sorted(events.items()))
    account = Account(
        1000.0,
        0.0,
        *rates,
        fill_next_close=next_close,
        close_at_end=close_at_end,
        allow_short=allow_short,
    )
    ledger, by_orders = simulate(plain, decisions, account), general.of_targets(plain, decisions, account)
    assert _plain(replace(ledger, equity_sums=None)) == _plain(by_orders)
    assert figures(ledger, plain, account, 1.0) == figures(by_orders, plain, account, 1.0)


def test_a_short_target_without_permission_counts_as_flat_and_is_counted(
    make_candles: MakeCandles, make_decisions: MakeDecisions, make_account: Callable[..., Account]
) -> None:
    prices = [10.0] * 4
    decisions = make_decisions((0, 1.0), (1, -1.0))
    account = make_account(allow_short=False)
    for ledger in (
        simulate(make_candles(prices, prices), decisions, account),
        general.of_targets(make_candles(prices, prices), decisions, account),
    ):
        assert ledger.position.tolist() == [0.0, 100.0, 0.0, 0.0]
        assert ledger.short_targets_clamped == 1
