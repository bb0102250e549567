"""Limit, stop and bracket orders in the general kernel beside a run of targets in the fast one.

python -m bench --only order_strategy
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Action, Ledger, OrderType, Submissions
from spark_engine.simulation.simulate import simulate
from spark_engine.statistics.metrics import metrics
from spark_engine.strategies.registry import check_parameters, find

from bench.candles import walk
from bench.peers import Peers
from bench.row import Row, interleaved, ratio_row, timed
from bench.warm_run import ACCOUNT, BARS, FAST, SLOW, warm_run

MOST = 5.0
CODES = {"bar": "q", "order": "q", "expires": "q", "oco": "q"}
CODES |= dict.fromkeys(("action", "type", "side", "tif", "reduce_only"), "b")
QUANTITY = 0.05
Line = dict[str, float]


def limit_orders(close: float) -> Line:
    return {"type": OrderType.LIMIT, "limit": close * 0.9995}


def stop_orders(close: float) -> Line:
    return {"type": OrderType.STOP, "stop": close * 1.0005}


def brackets(close: float) -> Line:
    return {"type": OrderType.MARKET, "take_profit": close * 1.002, "stop_loss": close * 0.998}


KINDS: dict[str, Callable[[float], Line]] = {
    "limit orders": limit_orders,
    "stop orders": stop_orders,
    "brackets": brackets,
}


def script(candles: Candles, order: Callable[[float], Line]) -> Submissions:
    """An order to buy at every up of the averages; at every down it is cancelled and all is sold."""
    strategy = find("sma-cross")
    assert strategy.decide is not None
    decisions = strategy.decide(candles, check_parameters(strategy, {"fast": FAST, "slow": SLOW}))
    lines: list[Line] = []
    last = 0
    for bar, target in zip(decisions.bar, decisions.target, strict=True):
        if target > 0:
            submitted = order(candles.close[bar])
            lines.append({"bar": bar, "action": Action.ORDER, "side": 1, "quantity": QUANTITY, **submitted})
            # A bracket takes two more ids, for its children, when it fills: at the next open.
            last += 1
            waiting = last
            last += 2 if "take_profit" in submitted else 0
        elif last:
            lines.append({"bar": bar, "action": Action.CANCEL, "order": waiting})
            lines.append({"bar": bar, "action": Action.TARGET})
            last += 1
    columns: dict[str, Any] = {
        field.name: memoryview(array(CODES.get(field.name, "d"), (line.get(field.name, 0) for line in lines)))
        for field in fields(Submissions)
    }
    return Submissions(**columns)


def order_run(candles: Candles, asked: Submissions) -> Callable[[], Ledger]:
    def run() -> Ledger:
        ledger = simulate(candles, asked, ACCOUNT)
        metrics(ledger, candles, ACCOUNT)
        return ledger

    return run


def rows(_peers: Peers) -> Iterator[Row]:
    candles = walk(BARS)
    plain = warm_run(candles, "long")
    for name, order in KINDS.items():
        run = order_run(candles, script(candles, order))
        fills = len(run().fills)
        if fills < BARS // 100:
            raise SystemExit(f"{name}: {fills} fills, too few to say anything")
        mine, sma = interleaved(timed(run), timed(plain), batch=5)
        yield ratio_row(f"{name}, {fills:,} fills", mine, "sma run", sma, most=MOST)
