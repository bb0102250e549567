"""Rows of sums to the metrics of a sweep's table, by the formulas of single runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Protocol

from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account, Moments
from spark_engine.statistics.figures import Figures, TradeSums
from spark_engine.statistics.metrics import annual_periods, chosen_metrics

METRICS = (
    *("finalEquity", "totalReturn", "cagr", "volatility", "sharpe", "sortino", "maxDrawdown", "calmar"),
    *("trades", "winRate", "profitFactor", "expectancy", "exposure", "totalFees"),
)
OF_SUMS = ("skew", "kurtosis")  # what a selection needs besides; not in the table

Value = float | int | None


class Sums(Protocol):
    """The columns of `simulation.trials_rows.Trials` that metrics are made of."""

    @property
    def final_equity(self) -> Sequence[float]: ...
    @property
    def max_drawdown(self) -> Sequence[float]: ...
    @property
    def s1(self) -> Sequence[float]: ...
    @property
    def s2(self) -> Sequence[float]: ...
    @property
    def s3(self) -> Sequence[float]: ...
    @property
    def s4(self) -> Sequence[float]: ...
    @property
    def d2(self) -> Sequence[float]: ...
    @property
    def min_equity(self) -> Sequence[float]: ...
    @property
    def fees(self) -> Sequence[float]: ...
    @property
    def gained(self) -> Sequence[float]: ...
    @property
    def lost(self) -> Sequence[float]: ...
    @property
    def pnl(self) -> Sequence[float]: ...
    @property
    def trades(self) -> Sequence[int]: ...
    @property
    def wins(self) -> Sequence[int]: ...
    @property
    def losses(self) -> Sequence[int]: ...
    @property
    def bars_held(self) -> Sequence[int]: ...
    @property
    def bars_in_position(self) -> Sequence[int]: ...


@dataclass(frozen=True, slots=True)
class Measure:
    """What all rows over the same bars have in common. `span_ms`: from the first close to the last."""

    bars: int
    span_ms: int
    initial_cash: float
    periods_per_year: float

    @property
    def returns(self) -> int:
        return self.bars - 1

    def per_bar(self, sharpe: float | None) -> float | None:
        """A Sharpe ratio of the table, not annualised."""
        return None if sharpe is None else sharpe / sqrt(self.periods_per_year)

    def metrics(self, sums: Sums, row: int, names: Iterable[str] = METRICS) -> dict[str, Value]:
        """The metrics of `row` by id, as a single run with the same parameters reports them."""
        found = chosen_metrics(self._figures(sums, row), names)
        return {name: metric.value for name, metric in found.items()}

    def _figures(self, sums: Sums, row: int) -> Figures:
        """What a table of sums cannot know (days, extremes, the mean of equity) is 0: no metric here asks."""
        return Figures(
            bars=self.bars,
            span_ms=self.span_ms,
            initial_cash=self.initial_cash,
            final_equity=sums.final_equity[row],
            final_equity_liquidated=0.0,
            equity_sum=0.0,
            moments=Moments(
                s1=sums.s1[row],
                s2=sums.s2[row],
                s3=sums.s3[row],
                s4=sums.s4[row],
                d2=sums.d2[row],
                min_equity=sums.min_equity[row],
                max_drawdown=sums.max_drawdown[row],
                max_drawdown_bars=0,
                max_drawdown_seconds=0,
                bars_in_position=sums.bars_in_position[row],
            ),
            daily_returns=0,
            daily_s1=0.0,
            daily_s2=0.0,
            trades=_trade_sums(sums, row),
            total_fees=sums.fees[row],
            total_slippage=0.0,
            turnover_notional=0.0,
            periods_per_year=self.periods_per_year,
        )


def measure(candles: Candles, account: Account, periods_per_year: float | None) -> Measure:
    """Of runs over the window of `candles`; `periods_per_year` None: as the calendar has it."""
    return Measure(
        bars=len(candles) - candles.warmup,
        span_ms=candles.close_time(len(candles) - 1) - candles.close_time(candles.warmup),
        initial_cash=account.initial_cash,
        periods_per_year=annual_periods(candles.timeframe_ms, periods_per_year, candles.sessions),
    )


def _trade_sums(sums: Sums, row: int) -> TradeSums | None:
    if not sums.trades[row]:
        return None
    return TradeSums(
        count=sums.trades[row],
        wins=sums.wins[row],
        losses=sums.losses[row],
        gained=sums.gained[row],
        lost=sums.lost[row],
        total=sums.pnl[row],
        best=0.0,
        worst=0.0,
        bars=sums.bars_held[row],
    )
