"""The four figures that a reader looks at first, each with what it must be read against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spark_engine.report.costs import cost_amounts, gross_profit
from spark_engine.report.formatting import (
    ABSENT,
    duration,
    money,
    number,
    percent,
    plural,
    signed_percent,
    words,
)


@dataclass(frozen=True, slots=True)
class Headline:
    """`value` is exact, `text` is what is read; `lines` are its context."""

    name: str
    metric: str
    value: float | None
    text: str
    lines: list[str]


def headlines(evidence: Mapping[str, Any], trades: Mapping[str, Sequence[Any]]) -> list[Headline]:
    result = evidence["result"]
    metrics, benchmark = result["metrics"], result["benchmark"]
    return [
        _net_return(metrics, benchmark),
        _drawdown(metrics, benchmark),
        _sharpe(metrics, result["counts"]["trades"]),
        _costs(result, trades),
    ]


def _net_return(metrics: Mapping[str, Any], benchmark: Mapping[str, Any]) -> Headline:
    total, held = metrics["totalReturn"]["value"], benchmark["totalReturn"]
    growth = metrics["cagr"]["value"]
    yearly = signed_percent(growth) if growth is not None else f"– ({_reason(metrics['cagr']).lower()})"
    lines = [f"Buy-and-hold {signed_percent(held)}", f"CAGR {yearly}"]
    return Headline("Net return", "totalReturn", total, signed_percent(total), lines)


def _drawdown(metrics: Mapping[str, Any], benchmark: Mapping[str, Any]) -> Headline:
    depth = metrics["maxDrawdown"]["value"]
    lines = [
        f"Longest {duration(metrics['maxDrawdownSeconds']['value'])} below a peak",
        f"Buy-and-hold {percent(benchmark['maxDrawdown'])}",
    ]
    return Headline("Max drawdown", "maxDrawdown", depth, percent(depth), lines)


def _sharpe(metrics: Mapping[str, Any], trades: int) -> Headline:
    sharpe = metrics["sharpe"]
    value = sharpe["value"]
    lines = [f"Over {plural(trades, 'trade')}"]
    if value is None:
        lines.append(_reason(sharpe))
    elif metrics["volatility"]["value"] is not None:
        lines.append(f"Volatility {percent(metrics['volatility']['value'])} a year")
    return Headline("Sharpe", "sharpe", value, number(value, 2), lines)


def _costs(result: Mapping[str, Any], trades: Mapping[str, Sequence[Any]]) -> Headline:
    costs = cost_amounts(result)
    gross = gross_profit(trades)
    share = sum(costs.values()) / gross if gross > 0 else None
    text = percent(share, 1) if share is not None else ABSENT
    against = "No winning trade to set them against"
    if share is not None:
        against = f"of gross profit {money(gross)}"
    lines = [against, f"Fees {money(costs['fees'])}, slippage {money(costs['slippage'])}"]
    carry = costs["funding"] + costs["borrow"]
    if carry:
        lines.append(f"Funding and borrow {money(carry)}")
    return Headline("Costs", "costs", share, text, lines)


def _reason(metric: Mapping[str, Any]) -> str:
    return words(str(metric.get("reason") or "not defined"))
