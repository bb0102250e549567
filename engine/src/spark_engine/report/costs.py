"""Where the money went: from the profit before costs to the net profit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spark_engine.report.formatting import ABSENT, money, percent

COSTS = (("Fees", "fees"), ("Slippage", "slippage"), ("Funding", "funding"), ("Borrow interest", "borrow"))


@dataclass(frozen=True, slots=True)
class CostRow:
    label: str
    amount: str
    share: str  # of gross profit
    of_cash: str
    total: bool = False


def cost_rows(evidence: Mapping[str, Any], trades: Mapping[str, Sequence[Any]]) -> list[CostRow]:
    """From the profit before costs to the net profit: the amounts add up."""
    result = evidence["result"]
    costs = cost_amounts(result)
    cash = float(result["spec"]["account"]["initialCash"])
    net = result["metrics"]["finalEquity"]["value"] - cash
    gross = gross_profit(trades)
    total = sum(costs.values())

    def row(label: str, amount: float, *, summed: bool = False) -> CostRow:
        share = percent(amount / gross, 1) if gross > 0 else ABSENT
        return CostRow(label, money(amount), share, percent(amount / cash, 2), summed)

    return [
        row("Profit before costs", net + total, summed=True),
        *(row(label, costs[name]) for label, name in COSTS),
        row("All costs", total, summed=True),
        row("Net profit", net, summed=True),
    ]


def cost_amounts(result: Mapping[str, Any]) -> dict[str, float]:
    """Paid over the run, negative where received. Earlier engines have them as metrics only."""
    if "costs" in result:
        return {name: float(result["costs"][name]) for _, name in COSTS}
    metrics = result["metrics"]
    return {
        "fees": metrics["totalFees"]["value"],
        "slippage": metrics["totalSlippage"]["value"],
        "funding": metrics["totalFunding"]["value"],
        "borrow": 0.0,
    }


def gross_profit(trades: Mapping[str, Sequence[Any]]) -> float:
    """The sum of the winning trades, the numerator of the profit factor."""
    return float(sum(pnl for pnl in trades["pnl"] if pnl > 0))
