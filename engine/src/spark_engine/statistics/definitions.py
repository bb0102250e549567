"""What each metric means: the id that evidence carries, a line for people, its formula and where it is from.

Letters of the formulas: E_i equity at the close of bar i, 0 to m; r_i = E_i/E_{i-1} - 1; S1 to S4 the sums of
r, r^2, r^2*r and r^2*r^2, D2 that of r^2 where r < 0; A bars a year; y years of 365 days from the first close
to the last. docs/metrics.md is made from this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["money", "fraction", "ratio", "count", "bars", "seconds"]
Direction = Literal["higher", "lower", "neutral"]

OWN = "own definition"
SHARPE = "Sharpe, J. Portfolio Management 21(1), 1994"


@dataclass(frozen=True, slots=True)
class Definition:
    """`definition` is renumbered when the formula may give another value; `direction` is what is better."""

    id: str
    definition: str
    text: str
    formula: str
    source: str
    unit: Unit
    direction: Direction


def _define(
    name: str, text: str, formula: str, unit: Unit, direction: Direction, source: str = OWN
) -> Definition:
    return Definition(name, f"{name}/v1", text, formula, source, unit, direction)


DEFINITIONS: dict[str, Definition] = {
    definition.id: definition
    for definition in (
        _define("finalEquity", "Cash plus position value at the last close.", "E_m", "money", "higher"),
        _define(
            "finalEquityLiquidated",
            "Final equity if the position were sold at the last close, with slippage and taker fee.",
            "cash + q*p - f*|q|*p, p = C*(1 - s) for a long, C*(1 + s) for a short",
            "money",
            "higher",
        ),
        _define(
            "totalReturn", "Final equity / initial cash - 1.", "E_m/initialCash - 1", "fraction", "higher"
        ),
        _define(
            "cagr",
            "Yearly growth rate, by years of 365 days from first to last close.",
            "(E_m/initialCash)^(1/y) - 1",
            "fraction",
            "higher",
            "compound annual growth rate, as in the GIPS standards",
        ),
        _define(
            "volatility",
            "Standard deviation of bar returns (n - 1), annualised by sqrt.",
            "sqrt((S2 - S1*S1/m)/(m - 1))*sqrt(A)",
            "fraction",
            "lower",
            "sample standard deviation; square-root-of-time rule",
        ),
        _define(
            "sharpe",
            "Mean / standard deviation of bar returns, annualised by sqrt; risk-free 0.",
            "(S1/m)/sqrt((S2 - S1*S1/m)/(m - 1))*sqrt(A)",
            "ratio",
            "higher",
            SHARPE,
        ),
        _define(
            "sortino",
            "Mean of bar returns / root mean square of the negative ones over all bars, annualised by sqrt.",
            "(S1/m)/sqrt(D2/m)*sqrt(A)",
            "ratio",
            "higher",
            "Sortino and Price, J. Investing 3(3), 1994; target 0",
        ),
        _define(
            "maxDrawdown",
            "Largest fall from a peak of equity, as a fraction of that peak; it starts at initial cash.",
            "max_i (1 - E_i/peak_i)",
            "fraction",
            "lower",
            "Magdon-Ismail and Atiya, Risk 17(10), 2004",
        ),
        _define(
            "maxDrawdownBars",
            "Longest run of bars below a peak of equity.",
            "longest run of bars with E_i < peak_i",
            "bars",
            "lower",
        ),
        _define(
            "maxDrawdownSeconds",
            "Time from that peak's close to the close that ends the run.",
            "close time of the run's last bar - that of the peak",
            "seconds",
            "lower",
        ),
        _define(
            "calmar",
            "CAGR / maximum drawdown.",
            "cagr/maxDrawdown",
            "ratio",
            "higher",
            "Young, Futures 20(1), 1991; over the whole run",
        ),
        _define(
            "trades",
            "Closed episodes from flat to flat, or from one flip to the next.",
            "number of closed episodes",
            "count",
            "neutral",
        ),
        _define(
            "winRate",
            "Trades with a profit after costs / all trades.",
            "#(pnl > 0)/trades",
            "fraction",
            "higher",
        ),
        _define(
            "profitFactor",
            "Sum of the profits / sum of the losses of trades.",
            "sum(pnl > 0)/|sum(pnl < 0)|",
            "ratio",
            "higher",
        ),
        _define("expectancy", "Mean profit of a trade after costs.", "sum(pnl)/trades", "money", "higher"),
        _define("avgWin", "Mean profit of the winning trades.", "mean(pnl > 0)", "money", "higher"),
        _define("avgLoss", "Mean of the losing trades, negative.", "mean(pnl < 0)", "money", "higher"),
        _define("bestTrade", "Profit of the best trade.", "max(pnl)", "money", "higher"),
        _define("worstTrade", "Profit of the worst trade.", "min(pnl)", "money", "higher"),
        _define(
            "avgTradeBars", "Mean bars from entry to exit.", "mean(exit bar - entry bar)", "bars", "neutral"
        ),
        _define(
            "exposure",
            "Bars with a position at the close / all bars.",
            "#(q_i != 0)/n",
            "fraction",
            "neutral",
        ),
        _define(
            "turnover",
            "Traded value of all fills / mean equity.",
            "sum(Q*p)/mean(E)",
            "ratio",
            "lower",
        ),
        _define("totalFees", "Sum of the fees of all fills.", "sum(fee)", "money", "lower"),
        _define(
            "totalFunding",
            "Sum of funding and borrow payments.",
            "sum(q*C*rate) + sum(|q|*C*borrowRate*bar/365 d)",
            "money",
            "lower",
        ),
        _define(
            "totalSlippage",
            "Cost of filling away from the bar's price, over all fills.",
            "sum(Q*|p - p without slippage|)",
            "money",
            "lower",
        ),
        _define(
            "skew",
            "Third central moment of bar returns / standard deviation^3 (normal: 0).",
            "m3/m2^1.5",
            "ratio",
            "higher",
            "moment coefficient of skewness, central moments over m",
        ),
        _define(
            "kurtosis",
            "Fourth central moment of bar returns / variance^2 (normal: 3).",
            "m4/m2^2",
            "ratio",
            "lower",
            "Pearson's kurtosis, central moments over m",
        ),
        _define(
            "sharpeDaily",
            "Sharpe ratio of returns between the last closes of days, annualised by sqrt(365); on an "
            "exchange calendar by sqrt(252).",
            "sharpe of E at the last closes of UTC days (sessions), A = 365 (252)",
            "ratio",
            "higher",
            SHARPE,
        ),
    )
}
