"""The metrics of SEMANTICS section 8: `ROWS` is the specification, in the order of reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isfinite, sqrt

from spark_engine.data.candles import Candles, Sessions
from spark_engine.simulation.ledger import Account, Ledger
from spark_engine.statistics.figures import DAY_MS, Figures, TradeSums, figures
from spark_engine.statistics.metric import Metric

YEAR_MS = 365 * DAY_MS
LEAST_VARIANCE = 1e-9  # of the second moment: below it, the variance is rounding


@dataclass(frozen=True, slots=True)
class Absent:
    """Why a metric has no value."""

    reason: str


Outcome = float | int | Absent


def metrics(
    ledger: Ledger, candles: Candles, account: Account, periods_per_year: float | None = None
) -> dict[str, Metric]:
    """Every metric by id. `periods_per_year` None: as the calendar has it, as `annual_periods`."""
    periods = annual_periods(candles.timeframe_ms, periods_per_year, candles.sessions)
    return metrics_of(figures(ledger, candles, account, periods))


def annual_periods(
    timeframe_ms: int, periods_per_year: float | None, sessions: Sessions | None = None
) -> float:
    """Bars a year: as given, else of the exchange's sessions, else as many as fit in 365 days."""
    if periods_per_year is not None:
        return periods_per_year
    return YEAR_MS / timeframe_ms if sessions is None else sessions.periods_per_year


def metrics_of(sums: Figures) -> dict[str, Metric]:
    """Every metric by id, from sums however they were made."""
    return {name: _metric(name, row(sums)) for name, row in ROWS}


def chosen_metrics(sums: Figures, names: Iterable[str]) -> dict[str, Metric]:
    """The metrics of those ids, from sums that need hold no more than these take."""
    return {name: _metric(name, FORMULAS[name](sums)) for name in names}


def _metric(name: str, outcome: Outcome) -> Metric:
    if isinstance(outcome, Absent):
        return Metric(name, None, outcome.reason)
    if isinstance(outcome, int):
        return Metric(name, outcome)
    if not isfinite(outcome):
        return Metric(name, None, "Overflow")
    return Metric(name, float(f"{outcome:.12g}") + 0.0)  # no -0.0


def _cagr(sums: Figures) -> Outcome:
    if sums.span_ms < DAY_MS:
        return Absent("TooShort")
    if sums.final_equity <= 0.0:
        return Absent("Bankrupt")
    try:
        return float((sums.final_equity / sums.initial_cash) ** (YEAR_MS / sums.span_ms) - 1.0)
    except OverflowError:
        return Absent("Overflow")


def _absence(sums: Figures) -> Absent | None:
    """Why returns as a whole say nothing."""
    if sums.bars - 1 < 2:
        return Absent("TooShort")
    return Absent("Bankrupt") if sums.moments.min_equity <= 0.0 else None


def _spread(count: int, s1: float, s2: float) -> float | Absent:
    """The sum of squared deviations of `count` returns."""
    squares = s2 - s1 * s1 / count
    return Absent("NoVariance") if squares <= LEAST_VARIANCE * s2 else squares


def _ratio(count: int, s1: float, s2: float, periods: float) -> Outcome:
    squares = _spread(count, s1, s2)
    if isinstance(squares, Absent):
        return squares
    return (s1 / count) / sqrt(squares / (count - 1)) * sqrt(periods)


def _volatility(sums: Figures) -> Outcome:
    m, returns = sums.bars - 1, sums.moments
    absence = _absence(sums)
    if absence:
        return absence
    return sqrt(max(0.0, returns.s2 - returns.s1 * returns.s1 / m) / (m - 1)) * sqrt(sums.periods_per_year)


def _sharpe(sums: Figures) -> Outcome:
    returns = sums.moments
    return _absence(sums) or _ratio(sums.bars - 1, returns.s1, returns.s2, sums.periods_per_year)


def _sharpe_daily(sums: Figures) -> Outcome:
    if sums.daily_returns < 2:
        return Absent("TooShort")
    return _absence(sums) or _ratio(sums.daily_returns, sums.daily_s1, sums.daily_s2, sums.days_per_year)


def _sortino(sums: Figures) -> Outcome:
    m, returns = sums.bars - 1, sums.moments
    absence = _absence(sums)
    if absence:
        return absence
    squares = _spread(m, returns.s1, returns.s2)
    if isinstance(squares, Absent):
        return squares
    if returns.d2 == 0.0:
        return Absent("NoDownside")
    return (returns.s1 / m) / sqrt(returns.d2 / m) * sqrt(sums.periods_per_year)


def _central_moments(sums: Figures) -> tuple[float, float, float] | Absent:
    """Second to fourth, from the power sums."""
    m, returns = sums.bars - 1, sums.moments
    absence = _absence(sums)
    if absence:
        return absence
    squares = _spread(m, returns.s1, returns.s2)
    if isinstance(squares, Absent):
        return squares
    mean = returns.s1 / m
    third = returns.s3 / m - 3.0 * mean * (returns.s2 / m) + 2.0 * mean * mean * mean
    fourth = (
        returns.s4 / m
        - 4.0 * mean * (returns.s3 / m)
        + 6.0 * mean * mean * (returns.s2 / m)
        - 3.0 * mean * mean * mean * mean
    )
    return squares / m, third, fourth


def _skew(sums: Figures) -> Outcome:
    moments = _central_moments(sums)
    return moments if isinstance(moments, Absent) else moments[1] / (moments[0] * sqrt(moments[0]))


def _kurtosis(sums: Figures) -> Outcome:
    moments = _central_moments(sums)
    return moments if isinstance(moments, Absent) else moments[2] / (moments[0] * moments[0])


def _calmar(sums: Figures) -> Outcome:
    growth = _cagr(sums)
    if isinstance(growth, Absent):
        return growth
    if sums.moments.max_drawdown == 0.0:
        return Absent("NoDrawdown")
    return growth / sums.moments.max_drawdown


def _turnover(sums: Figures) -> Outcome:
    if sums.equity_sum <= 0.0:
        return Absent("Bankrupt")
    return sums.turnover_notional / (sums.equity_sum / sums.bars)


def _of_trades(row: Callable[[TradeSums], Outcome]) -> Callable[[Figures], Outcome]:
    return lambda sums: Absent("NoTrades") if sums.trades is None else row(sums.trades)


def _profit_factor(trades: TradeSums) -> Outcome:
    return trades.gained / abs(trades.lost) if trades.losses else Absent("NoLosses")


def _average_win(trades: TradeSums) -> Outcome:
    return trades.gained / trades.wins if trades.wins else Absent("NoWins")


def _average_loss(trades: TradeSums) -> Outcome:
    return trades.lost / trades.losses if trades.losses else Absent("NoLosses")


ROWS: tuple[tuple[str, Callable[[Figures], Outcome]], ...] = (
    ("finalEquity", lambda sums: sums.final_equity),
    ("finalEquityLiquidated", lambda sums: sums.final_equity_liquidated),
    ("totalReturn", lambda sums: sums.final_equity / sums.initial_cash - 1.0),
    ("cagr", _cagr),
    ("volatility", _volatility),
    ("sharpe", _sharpe),
    ("sortino", _sortino),
    ("maxDrawdown", lambda sums: sums.moments.max_drawdown),
    ("maxDrawdownBars", lambda sums: sums.moments.max_drawdown_bars),
    ("maxDrawdownSeconds", lambda sums: sums.moments.max_drawdown_seconds),
    ("calmar", _calmar),
    ("trades", lambda sums: sums.trades.count if sums.trades else 0),
    ("winRate", _of_trades(lambda trades: trades.wins / trades.count)),
    ("profitFactor", _of_trades(_profit_factor)),
    ("expectancy", _of_trades(lambda trades: trades.total / trades.count)),
    ("avgWin", _of_trades(_average_win)),
    ("avgLoss", _of_trades(_average_loss)),
    ("bestTrade", _of_trades(lambda trades: trades.best)),
    ("worstTrade", _of_trades(lambda trades: trades.worst)),
    ("avgTradeBars", _of_trades(lambda trades: trades.bars / trades.count)),
    ("exposure", lambda sums: sums.moments.bars_in_position / sums.bars),
    ("turnover", _turnover),
    ("totalFees", lambda sums: sums.total_fees),
    ("totalFunding", lambda sums: sums.total_funding),
    ("totalSlippage", lambda sums: sums.total_slippage),
    ("skew", _skew),
    ("kurtosis", _kurtosis),
    ("sharpeDaily", _sharpe_daily),
)

FORMULAS = dict(ROWS)
