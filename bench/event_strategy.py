"""Event strategies in Python, a call at every bar, beside raptorbt's class form.

python -m bench --only event_strategy
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Ledger
from spark_engine.strategies.context import Context
from spark_engine.strategies.indicators import SMA
from spark_engine.strategies.simulate import simulate_strategy
from spark_engine.strategies.table import Strategy

from bench.candles import walk
from bench.peers import Peers
from bench.row import Row, Timing, interleaved, ratio_row, timed
from bench.warm_run import ACCOUNT, BARS, CASH, FAST, FEE, PER_YEAR, SLOW

MOST = 1 / 4


class NoOp:
    def on_bar(self, ctx: Context) -> None: ...


class SmaCross:
    def __init__(self) -> None:
        self.fast, self.slow = SMA(FAST), SMA(SLOW)
        self.before: float | None = None
        self.inside = False

    def on_bar(self, ctx: Context) -> None:
        close = ctx.bar.close
        now = self.fast.update(close) - self.slow.update(close)
        before, self.before = self.before, now
        if before is None:
            return
        if now > 0.0 >= before and not self.inside:
            self.inside = True
            ctx.target(1.0)
        elif now < 0.0 <= before and self.inside:
            self.inside = False
            ctx.target(0.0)


def event_run(candles: Candles, made: Callable[[], Any]) -> Callable[[], Ledger]:
    strategy = Strategy(
        name="bench",
        aliases=(),
        summary="",
        parameters=(),
        checks=(),
        start=lambda _parameters, _seed: made(),
    )
    return lambda: simulate_strategy(strategy, candles, ACCOUNT, {})


def rows(peers: Peers) -> Iterator[Row]:
    candles = walk(BARS)
    peers.load(candles)
    for name, made in (("no-op", NoOp), ("sma", SmaCross)):
        arguments = {
            "strategy": name,
            "cash": CASH,
            "fee": FEE,
            "per_year": PER_YEAR,
            "fast": FAST,
            "slow": SLOW,
        }
        ours, told = event_run(candles, made), peers.call("raptorbt.callback", **arguments)
        if len(ours().trades) != told["trades"]:
            raise SystemExit(f"{name}: {len(ours().trades)} trades here, {told['trades']} in raptorbt")
        mine, theirs = interleaved(timed(ours), _seconds(peers, arguments))
        yield ratio_row(f"event strategy, {name}", mine, "raptorbt", theirs, most=MOST)
        yield Row("  a bar", _a_bar(mine), f"raptorbt {_a_bar(theirs)}", "")


def _seconds(peers: Peers, arguments: dict[str, Any]) -> Callable[[], float]:
    return lambda: float(peers.call("raptorbt.callback", **arguments)["seconds"])


def _a_bar(timing: Timing) -> str:
    return f"{timing.best / BARS * 1e6:.2f} us"
