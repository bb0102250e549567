"""A fixed set of runs and the digest of each: whatever built the kernel, the bits are these.

    python engine/tests/determinism/cases.py

prints them as JSON. Imports the engine and the standard library alone, so that any build of it and any Python
can be asked. Digests cover raw bytes: even the sign of a zero counts.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from hashlib import sha256
from typing import Any

import spark_engine.simulation.kernel as kernel
from spark_engine.data.candles import Candles, DataQuality
from spark_engine.simulation.ledger import (
    Account,
    Action,
    Decisions,
    Gates,
    Ledger,
    OrderType,
    Step,
    Submissions,
    TimeInForce,
)
from spark_engine.simulation.simulate import simulate
from spark_engine.simulation.trials import Trials, simulate_crossings, simulate_decisions
from spark_engine.strategies.registry import check_parameters, find

BARS = 2_500
SWEEP_BARS = 200
SETS = 600  # more than eight threads take 64 at a time
THREADS = (1, 2, 8)
MINUTE_MS = 60_000
SCALE = 100.0
ACCOUNT = Account(
    initial_cash=10_000.0, maker_rate=0.0005, taker_rate=0.001, slippage_rate=0.0001, allow_short=True
)
AT_CLOSE = Account(
    initial_cash=10_000.0,
    maker_rate=0.0005,
    taker_rate=0.001,
    slippage_rate=0.0001,
    fill_next_close=True,
    close_at_end=True,
    allow_short=True,
)
GENERAL = Account(
    initial_cash=10_000.0,
    maker_rate=0.0005,
    taker_rate=0.001,
    slippage_rate=0.0001,
    allow_short=True,
    leverage=2.0,
    tick=Step(1, 100),
    lot=Step(1, 1000),
    min_notional=5.0,
    maintenance_margin=0.05,
    liquidation_rate=0.001,
    borrow_rate_annual=0.1,
    gates=Gates(max_leverage=1.5, max_open_orders=12, max_daily_loss=0.05),
)
TYPE_CODES = {"bar": "q", "order": "q", "expires": "q", "oco": "q"}
TYPE_CODES |= dict.fromkeys(("action", "type", "side", "tif", "reduce_only"), "b")
STRATEGIES: dict[str, dict[str, Any]] = {
    "sma-cross": {"fast": 3, "slow": 8},
    "rsi": {"period": 5, "lower": 35, "upper": 65},
}


def drawing(state: int) -> Callable[[int], int]:
    """Whole numbers in [0, below), by a linear congruential generator."""

    def draw(below: int) -> int:
        nonlocal state
        state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
        return (state >> 33) % below

    return draw


def walk(bars: int) -> Candles:
    """Bars around 300.00 with many ties: integers on every machine."""
    price, draw = 30_000, drawing(42)
    columns: list[array[int]] = [array("q") for _ in range(4)]
    for _ in range(bars):
        close = max(100, price + draw(61) - 30)
        high, low = max(price, close) + draw(20), min(price, close) - draw(20)
        for column, value in zip(columns, (price, high, low, close), strict=True):
            column.append(value)
        price = close
    opens, highs, lows, closes = (
        memoryview(array("d", (tick / SCALE for tick in column))) for column in columns
    )
    return Candles(
        ts=memoryview(array("q", range(0, bars * MINUTE_MS, MINUTE_MS))),
        open=opens,
        high=highs,
        low=lows,
        close=closes,
        volume=closes,
        quality=memoryview(bytes(bars)).cast("b"),
        ticks_close=memoryview(columns[3]),
        timeframe_ms=MINUTE_MS,
        quality_report=DataQuality(rows=bars, price_scale=2),
    )


def digest(*values: Any) -> str:
    """Of columns and of numbers, floats by the shortest decimal that reads back the same."""
    content = sha256()
    for value in values:
        content.update(value.tobytes() if isinstance(value, memoryview) else repr(value).encode())
    return content.hexdigest()[:16]


def named(value: Any, names: str) -> list[Any]:
    """Named, not all fields: one more of them changes no number."""
    return [getattr(value, name) for name in names.split()]


def decided(name: str, direction: str, candles: Candles) -> Decisions:
    strategy = find(name)
    assert strategy.decide is not None
    return strategy.decide(candles, check_parameters(strategy, {**STRATEGIES[name], "direction": direction}))


def single(name: str, direction: str, account: Account) -> str:
    candles = walk(BARS)
    ledger = simulate(candles, decided(name, direction, candles), account)
    if len(ledger.trades) < 50:
        raise AssertionError(f"{name} {direction} makes {len(ledger.trades)} trades: the case proves little")
    return digest_of_ledger(ledger)


def digest_of_ledger(ledger: Ledger) -> str:
    return digest(
        *named(ledger.decisions, "bar target"),
        *named(ledger.fills, "bar order side liquidity reason quantity price fee"),
        *named(
            ledger.trades,
            "side entry_bar entry_price exit_bar exit_price quantity fees pnl mae mfe exit_reason",
        ),
        *named(ledger.moments, "s1 s2 s3 s4 d2 min_equity max_drawdown max_drawdown_bars bars_in_position"),
        *named(ledger, "equity cash position total_fees total_slippage final_equity_liquidated"),
    )


def digest_of_trials(trials: Trials) -> str:
    return digest(
        *named(trials, "trial final_equity max_drawdown s1 s2 s3 s4 d2 min_equity fees slippage turnover"),
        *named(trials, "final_equity_liquidated gained lost pnl block_s1 block_s2 trades fills wins losses"),
        *named(trials, "bars_held bars_in_position drawdown_peak_bar drawdown_last_bar bankrupt_bar"),
    )


def order_script(candles: Candles) -> Submissions:
    """Orders of every type, brackets, OCO groups, cancels and targets around the close, drawn by integers."""
    draw = drawing(7)
    lines: list[dict[str, float]] = []
    for bar in range(0, len(candles) - 1, 3):
        close = candles.close[bar]
        side = 1 if draw(2) else -1
        away = (1 + draw(40)) / SCALE
        line: dict[str, float] = {"bar": bar, "side": side, "quantity": (1 + draw(9)) / 4.0}
        kind = draw(9)
        if kind == 0:
            line |= {"action": Action.CANCEL, "order": 1 + draw(len(lines) + 1), "side": 0, "quantity": 0.0}
        elif kind == 1:
            line |= {"action": Action.TARGET, "quantity": (draw(5) - 2) / 2.0, "side": 0}
        elif kind == 2:
            line |= {"type": OrderType.LIMIT, "limit": close - side * away, "tif": TimeInForce.DAY}
        elif kind == 3:
            line |= {"type": OrderType.STOP, "stop": close + side * away, "oco": 1 + draw(20)}
        elif kind == 4:
            line |= {
                "type": OrderType.STOP_LIMIT,
                "stop": close + side * away,
                "limit": close + side * away / 2,
            }
        elif kind == 5:
            line |= {"type": OrderType.TRAILING_STOP, "trail": away, "reduce_only": 1}
        elif kind == 6:
            line |= {"type": OrderType.LIMIT, "limit": close - side * away, "oco": 1 + draw(20)}
        else:
            line |= {"take_profit": close + side * away, "stop_loss": close - side * 2 * away}
        lines.append(line)
    return Submissions(
        **{
            field.name: memoryview(
                array(TYPE_CODES.get(field.name, "d"), (line.get(field.name, 0) for line in lines))
            )
            for field in fields(Submissions)
        }
    )


def orders() -> str:
    candles = walk(BARS)
    ledger = simulate(candles, order_script(candles), GENERAL)
    reasons, codes = set(ledger.fills.reason), set(ledger.events.code)
    if len(reasons) < 6 or len(codes) < 5:
        raise AssertionError(f"reasons {reasons}, events {codes}: the script proves little")
    return f"{digest_of_ledger(ledger)}-{digest(*named(ledger.events, 'bar code order value'))}"


def crossings(direction: str, threads: int) -> Trials:
    pairs = [(fast, slow) for fast in range(2, 26) for slow in range(26, 51)]
    assert len(pairs) == SETS
    return simulate_crossings(walk(SWEEP_BARS), pairs, down_target(direction), ACCOUNT, threads=threads)


def down_target(direction: str) -> float:
    return -1.0 if direction == "long-short" else 0.0


def decisions_of_sets(threads: int) -> Trials:
    """A sweep of the path that any target strategy takes: rsi, its bounds moving with the set."""
    candles, strategy = walk(SWEEP_BARS), find("rsi")
    decide = strategy.decide
    assert decide is not None

    def of_set(place: int) -> Decisions:
        parameters = {"period": 2 + place % 9, "lower": 20 + place % 25, "upper": 55 + place % 31}
        return decide(candles, check_parameters(strategy, {**parameters, "direction": "long-short"}))

    return simulate_decisions(candles, SETS, of_set, ACCOUNT, threads=threads)


def sweep(run: Callable[[int], Trials]) -> str:
    """One digest for every number of threads; all of them, joined, where they differ."""
    return "/".join(dict.fromkeys(digest_of_trials(run(threads)) for threads in THREADS))


CASES: dict[str, Callable[[], str]] = {
    **{
        f"{name} {direction}": partial(single, name, direction, ACCOUNT)
        for name in STRATEGIES
        for direction in ("long", "long-short")
    },
    "sma-cross at the next close, closed at the end": partial(single, "sma-cross", "long-short", AT_CLOSE),
    "orders of every type in the general kernel": orders,
    "sweep of sma-cross": lambda: sweep(partial(crossings, "long")),
    "sweep of sma-cross long-short": lambda: sweep(partial(crossings, "long-short")),
    "sweep of decisions": lambda: sweep(decisions_of_sets),
}


def main() -> None:
    compiled = not str(kernel.__file__).endswith(".py")
    python = ".".join(map(str, sys.version_info[:3]))
    digests = {name: case() for name, case in CASES.items()}
    sys.stdout.write(
        json.dumps({"compiled": compiled, "python": python, "digests": digests}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()
