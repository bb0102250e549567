"""Many orders in the book at once: the nearest act first, the far ones wait, any of them can be taken out."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from spark_engine.simulation.ledger import Ledger
from spark_engine.simulation.simulate import simulate

from engine.tests.reference.kernel import run_kernel
from engine.tests.reference.scripts import random_case
from engine.tests.reference.simulator import simulate as by_the_reference
from engine.tests.simulation.scripts import account_of_spec, candles_of_columns, submissions_of

pytestmark = pytest.mark.usefixtures("build")

HOUR = 3_600_000
FLAT = (100.0, 100.0, 100.0, 100.0)
RUNG = 0.25
RUNGS = 40


def play(bars: list[tuple[float, ...]], entries: Iterable[dict[str, Any]]) -> Ledger:
    columns = dict(zip(("open", "high", "low", "close"), map(list, zip(*bars, strict=True)), strict=True))
    columns["ts"] = [HOUR * row for row in range(len(bars))]
    return simulate(candles_of_columns(columns), submissions_of(entries), account_of_spec({}))


def buys(levels: Iterable[float], type: str = "limit") -> list[dict[str, Any]]:  # noqa: A002
    name = "limit" if type == "limit" else "stop"
    return [
        {"bar": 0, "order": {"side": "buy", "type": type, "quantity": 1.0, name: level}} for level in levels
    ]


def shuffled_ladder(chance: Random) -> list[float]:
    levels = [99.0 - RUNG * rung for rung in range(RUNGS)]
    chance.shuffle(levels)
    return levels


@pytest.mark.parametrize("seed", range(5))
def test_a_ladder_of_limits_fills_in_the_order_in_which_the_price_falls_to_them(seed: int) -> None:
    levels = shuffled_ladder(Random(seed))  # noqa: S311
    ledger = play([FLAT, FLAT, (100.0, 100.0, 80.0, 80.0)], buys(levels))
    assert ledger.fills.price.tolist() == sorted(levels, reverse=True)
    assert ledger.fills.order.tolist() == [levels.index(level) + 1 for level in sorted(levels, reverse=True)]


@pytest.mark.parametrize("seed", range(5))
def test_orders_taken_out_of_the_middle_of_a_ladder_leave_the_order_of_the_others(seed: int) -> None:
    chance = Random(seed)  # noqa: S311
    levels = shuffled_ladder(chance)
    gone = set(chance.sample(range(1, RUNGS + 1), RUNGS // 2))
    cancels = [{"bar": 1, "cancel": number} for number in gone]
    ledger = play([FLAT, FLAT, FLAT, (100.0, 100.0, 80.0, 80.0)], buys(levels) + cancels)
    left = [level for number, level in enumerate(levels, 1) if number not in gone]
    assert ledger.fills.price.tolist() == sorted(left, reverse=True)
    assert ledger.open_orders == ()


def test_only_the_rungs_that_the_price_reaches_fill() -> None:
    ledger = play([FLAT, FLAT, (100.0, 100.0, 97.5, 98.0), FLAT], buys(99.0 - RUNG * n for n in range(RUNGS)))
    assert ledger.fills.price.tolist() == [99.0 - RUNG * n for n in range(7)]
    assert ledger.open_orders == tuple(range(8, RUNGS + 1))


def test_of_many_orders_at_one_price_the_ids_decide() -> None:
    ledger = play([FLAT, FLAT, (100.0, 101.0, 100.0, 101.0)], buys([101.0] * RUNGS, "stop"))
    assert ledger.fills.order.tolist() == list(range(1, RUNGS + 1))


def crowd(chance: Random, close: float, bars: int) -> list[dict[str, Any]]:
    """Orders up to a third away from the price, and cancels, of which some name an order that is open."""
    entries: list[dict[str, Any]] = []
    for _ in range(80):
        bar = chance.randrange(0, max(1, bars // 2))
        if chance.random() < 0.2:
            entries.append({"bar": bar, "cancel": chance.randint(1, 100)})
            continue
        kind = chance.choice(("limit", "stop", "stop-limit", "trailing-stop"))
        order: dict[str, Any] = {
            "side": chance.choice(("buy", "sell")),
            "type": kind,
            "quantity": float(chance.randint(1, 10)),
        }
        if "limit" in kind:
            order["limit"] = float(max(1, round(close * chance.uniform(0.7, 1.3))))
        if kind in ("stop", "stop-limit"):
            order["stop"] = float(max(1, round(close * chance.uniform(0.7, 1.3))))
        if kind == "trailing-stop":
            order["trail"] = float(chance.randint(1, 30))
        if chance.random() < 0.2:
            order["ocoGroup"] = chance.choice("abcdef")
        if chance.random() < 0.2:
            order["reduceOnly"] = True
        if chance.random() < 0.2:
            order["tif"] = "Day"
        entries.append({"bar": bar, "order": order})
    return entries


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_a_crowded_book_agrees_with_the_reference(first: int) -> None:
    for seed in range(first, first + 20):
        chance = Random(seed)  # noqa: S311
        document = random_case(chance)
        closes = document["candles"]["close"]
        document["script"] += crowd(chance, closes[0], len(closes))
        document["script"].sort(key=lambda entry: entry["bar"])
        expected = by_the_reference(document)
        found = run_kernel(document, expected.pop("submissions"))
        for name, value in expected.items():
            assert found[name] == value, (name, seed)
