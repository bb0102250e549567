"""What each metric means: the id that evidence carries, one line for people, unit and direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal["money", "fraction", "ratio", "count", "bars", "seconds"]
Direction = Literal["higher", "lower", "neutral"]


@dataclass(frozen=True, slots=True)
class Definition:
    """`definition` is renumbered when the formula may give another value; `direction` is what is better."""

    id: str
    definition: str
    text: str
    unit: Unit
    direction: Direction


def _define(name: str, text: str, unit: Unit, direction: Direction) -> Definition:
    return Definition(id=name, definition=f"{name}/v1", text=text, unit=unit, direction=direction)


DEFINITIONS: dict[str, Definition] = {
    definition.id: definition
    for definition in (
        _define("finalEquity", "Cash plus position value at the last close.", "money", "higher"),
        _define(
            "finalEquityLiquidated",
            "Final equity if the position were sold at the last close, with slippage and taker fee.",
            "money",
            "higher",
        ),
        _define("totalReturn", "Final equity / initial cash - 1.", "fraction", "higher"),
        _define(
            "cagr", "Yearly growth rate, by years of 365 days from first to last close.", "fraction", "higher"
        ),
        _define(
            "volatility",
            "Standard deviation of bar returns (n - 1), annualised by sqrt.",
            "fraction",
            "lower",
        ),
        _define(
            "sharpe",
            "Mean / standard deviation of bar returns, annualised by sqrt; risk-free 0.",
            "ratio",
            "higher",
        ),
        _define(
            "sortino",
            "Mean of bar returns / root mean square of the negative ones over all bars, annualised by sqrt.",
            "ratio",
            "higher",
        ),
        _define(
            "maxDrawdown",
            "Largest fall from a peak of equity, as a fraction of that peak; it starts at initial cash.",
            "fraction",
            "lower",
        ),
        _define("maxDrawdownBars", "Longest run of bars below a peak of equity.", "bars", "lower"),
        _define(
            "maxDrawdownSeconds",
            "Time from that peak's close to the close that ends the run.",
            "seconds",
            "lower",
        ),
        _define("calmar", "CAGR / maximum drawdown.", "ratio", "higher"),
        _define(
            "trades", "Closed episodes from flat to flat, or from one flip to the next.", "count", "neutral"
        ),
        _define("winRate", "Trades with a profit after costs / all trades.", "fraction", "higher"),
        _define("profitFactor", "Sum of the profits / sum of the losses of trades.", "ratio", "higher"),
        _define("expectancy", "Mean profit of a trade after costs.", "money", "higher"),
        _define("avgWin", "Mean profit of the winning trades.", "money", "higher"),
        _define("avgLoss", "Mean of the losing trades, negative.", "money", "higher"),
        _define("bestTrade", "Profit of the best trade.", "money", "higher"),
        _define("worstTrade", "Profit of the worst trade.", "money", "higher"),
        _define("avgTradeBars", "Mean bars from entry to exit.", "bars", "neutral"),
        _define("exposure", "Bars with a position at the close / all bars.", "fraction", "neutral"),
        _define("turnover", "Traded value of all fills / mean equity.", "ratio", "lower"),
        _define("totalFees", "Sum of the fees of all fills.", "money", "lower"),
        _define("totalFunding", "Sum of funding and borrow payments.", "money", "lower"),
        _define(
            "totalSlippage", "Cost of filling away from the bar's price, over all fills.", "money", "lower"
        ),
        _define(
            "skew",
            "Third central moment of bar returns / standard deviation^3 (normal: 0).",
            "ratio",
            "higher",
        ),
        _define(
            "kurtosis", "Fourth central moment of bar returns / variance^2 (normal: 3).", "ratio", "lower"
        ),
        _define(
            "sharpeDaily",
            "Sharpe ratio of returns between the last closes of UTC days, annualised by sqrt(365).",
            "ratio",
            "higher",
        ),
    )
}
