"""Walk-forward: the trial that was best in training, tested on the window after it; the tests chained."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.errors import BacktestError
from spark_engine.evidence.sweep_gather import Sources
from spark_engine.evidence.sweep_training import picks
from spark_engine.execute.sweep_subject import Sweep
from spark_engine.simulation.ledger import Ledger
from spark_engine.simulation.trials_window import cut
from spark_engine.statistics.figures import Figures
from spark_engine.statistics.metrics import chosen_metrics, metrics
from spark_engine.statistics.moments import moments
from spark_engine.strategies.simulate import simulate_strategy
from spark_engine.sweeps.walk import Curve, Pick, Test, Walk
from spark_engine.sweeps.windows import Window

CURVE_METRICS = (
    "finalEquity",
    "totalReturn",
    "cagr",
    "volatility",
    "sharpe",
    "sortino",
    "maxDrawdown",
    "exposure",
)


def walk_forward(sweep: Sweep, sources: Sources) -> Walk:
    """Chooses on the training tables, and tests. Raises `BacktestError` only for what no set could mend."""
    tests: list[Test] = []
    chain = _Chain(sweep)
    for number, pick in enumerate(picks(sources, len(sweep.windows), sweep.objective[1])):
        window = sweep.windows[number]
        ledger, test = _tested(sweep, window, pick)
        tests.append(test)
        chain.add(number, window, ledger)
    return Walk(tuple(tests), chain.curve())


def _tested(sweep: Sweep, window: Window, pick: Pick) -> tuple[Ledger | None, Test]:
    """The test starts flat with the initial cash and is closed at its end with costs."""
    if pick.trial < 0:
        return None, Test(window, pick, {}, {}, "every trial had an error in training")
    subject = sweep.subject
    swept = sweep.checked.space.parameters(pick.trial)
    parameters = subject.parameters(swept)
    candles = cut(sweep.candles, window.test_start, window.test_stop, subject.strategy.lookback(parameters))
    account = replace(subject.account, close_at_end=True)
    try:
        ledger = simulate_strategy(subject.strategy, candles, account, parameters, subject.seed)
    except BacktestError as error:
        return None, Test(window, pick, swept, {}, str(error))
    if ledger.stopped_bar is not None:
        stopped = f"guardrails: breached on bar {ledger.stopped_bar} of the test, and the policy is Fail"
        return ledger, Test(window, pick, swept, _metrics_of_stopped(ledger), stopped)
    found = metrics(ledger, candles, account, sweep.measure.periods_per_year)
    return ledger, Test(window, pick, swept, {name: each.value for name, each in found.items()}, None)


def _metrics_of_stopped(ledger: Ledger) -> dict[str, Any]:
    return {"finalEquity": ledger.equity[-1], "trades": len(ledger.trades)}


class _Chain:
    """The tests one after another: each carries on with the equity that the one before left."""

    def __init__(self, sweep: Sweep) -> None:
        self._sweep = sweep
        self._equity = sweep.measure.initial_cash
        self._window, self._bar = array("q"), array("q")
        self._values, self._position = array("d"), array("d")

    def add(self, number: int, window: Window, ledger: Ledger | None) -> None:
        bars = window.test_stop - window.test_start
        equity: Sequence[float] = () if ledger is None else ledger.equity
        position: Sequence[float] = () if ledger is None else ledger.position
        start, cash = self._equity, self._sweep.measure.initial_cash
        for bar in range(bars):
            self._window.append(number)
            self._bar.append(window.test_start + bar)
            if bar < len(equity) and start > 0.0:
                self._equity = start * (equity[bar] / cash)
            self._values.append(self._equity)
            self._position.append(position[bar] if bar < len(position) else 0.0)

    def curve(self) -> Curve:
        candles, first = self._sweep.candles, self._sweep.candles.warmup
        ts = memoryview(array("q", (candles.ts[first + bar] for bar in self._bar)))
        return Curve(
            window=memoryview(self._window),
            bar=memoryview(self._bar),
            ts=ts,
            equity=memoryview(self._values),
            position=memoryview(self._position),
            metrics=self._metrics(ts, candles),
        )

    def _metrics(self, ts: memoryview, candles: Candles) -> dict[str, Any]:
        """Of the curve as if it had been one run; what only single trades can say is left out."""
        first = candles.warmup
        closes = [candles.close_time(first + bar) for bar in self._bar]
        measure = self._sweep.measure
        figures = Figures(
            bars=len(ts),
            span_ms=closes[-1] - closes[0],
            initial_cash=measure.initial_cash,
            final_equity=self._values[-1],
            final_equity_liquidated=self._values[-1],
            equity_sum=0.0,
            moments=moments(closes, self._values, self._position, measure.initial_cash),
            daily_returns=0,
            daily_s1=0.0,
            daily_s2=0.0,
            trades=None,
            total_fees=0.0,
            total_slippage=0.0,
            turnover_notional=0.0,
            periods_per_year=measure.periods_per_year,
        )
        found = chosen_metrics(figures, CURVE_METRICS)
        return {name: {"value": each.value, "reason": each.reason} for name, each in found.items()}
