"""Scripts of orders against an independent simulator: every field of every case, in both builds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account, EventCode, Ledger
from spark_engine.simulation.simulate import simulate

from engine.tests.simulation.scripts import account_of_spec, candles_of_columns, submissions_of

CASES = sorted((Path(__file__).parents[1] / "oracle" / "orders").glob("*.json"))
REASONS = (
    "signal", "limit", "stop", "take-profit", "stop-loss", "trailing", "liquidation", "gate", "closeAtEnd",
)  # fmt: skip
TIMEFRAMES = {"1h": 3_600_000, "30m": 1_800_000, "15m": 900_000}
LIQUIDITIES = ("taker", "maker")
DETAILS = {
    ("Rejected", "LotSize"): EventCode.REJECTED_LOT_SIZE,
    ("Rejected", "ShortNotAllowed"): EventCode.REJECTED_SHORT_NOT_ALLOWED,
    ("Rejected", "InsufficientFunds"): EventCode.REJECTED_INSUFFICIENT_FUNDS,
    ("Rejected", "MinNotional"): EventCode.REJECTED_MIN_NOTIONAL,
    ("Rejected", "MaxNotional"): EventCode.REJECTED_MAX_NOTIONAL,
    ("Rejected", "MaxLeverage"): EventCode.REJECTED_MAX_LEVERAGE,
    ("Rejected", "MaxOpenOrders"): EventCode.REJECTED_MAX_OPEN_ORDERS,
    ("Rejected", "GateClosed"): EventCode.REJECTED_GATE_CLOSED,
    ("Cancelled", "User"): EventCode.CANCELLED_USER,
    ("Cancelled", "Oco"): EventCode.CANCELLED_OCO,
    ("Cancelled", "ReduceOnly"): EventCode.CANCELLED_REDUCE_ONLY,
    ("Cancelled", "Gate"): EventCode.CANCELLED_GATE,
    ("Cancelled", "Deficit"): EventCode.CANCELLED_DEFICIT,
    ("Expired", "GTD"): EventCode.EXPIRED_GTD,
    ("Expired", "Day"): EventCode.EXPIRED_DAY,
    ("Breach", "maxDrawdown"): EventCode.BREACH_MAX_DRAWDOWN,
    ("Breach", "maxDailyLoss"): EventCode.BREACH_MAX_DAILY_LOSS,
    ("Halted", "Deficit"): EventCode.HALTED_DEFICIT,
}


def _candles(case: dict[str, Any]) -> Candles:
    config = case["config"]
    finer = config.get("resolveWith")
    return candles_of_columns(
        case["candles"],
        TIMEFRAMES[config.get("timeframe", "1h")],
        config.get("funding", []),
        candles_of_columns(finer["candles"], TIMEFRAMES[finer["timeframe"]]) if finer else None,
    )


def _run(path: Path) -> tuple[dict[str, Any], Ledger, Candles, Account]:
    case = json.loads(path.read_text())
    candles, account = _candles(case), account_of_spec(case["config"])
    return case["expected"], simulate(candles, submissions_of(case["script"]), account), candles, account


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_oracle_agrees_on_every_fill_and_event(path: Path, build: str) -> None:
    expected, ledger, _, _ = _run(path)
    fills, events = ledger.fills, ledger.events
    assert [
        {
            "bar": fills.bar[row],
            "order": fills.order[row],
            "side": "buy" if fills.side[row] > 0 else "sell",
            "quantity": fills.quantity[row],
            "price": fills.price[row],
            "fee": fills.fee[row],
            "liquidity": LIQUIDITIES[fills.liquidity[row]],
            "reason": REASONS[fills.reason[row]],
        }
        for row in range(len(fills))
    ] == expected["fills"]
    assert [tuple(row) for row in zip(events.bar, events.code, events.order, strict=True)] == [
        (event["bar"], DETAILS[event["kind"], event["detail"]], event["order"])
        for event in expected["events"]
    ]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_oracle_agrees_on_the_account_in_every_bit(path: Path, build: str) -> None:
    expected, ledger, _, _ = _run(path)
    assert ledger.equity.tolist() == expected["equity"]
    assert ledger.position.tolist() == expected["positions"]
    assert ledger.cash[-1] == expected["finalCash"]
    assert ledger.position[-1] == expected["finalPosition"]
    assert ledger.final_equity_liquidated == expected["finalEquityLiquidated"]
    assert ledger.total_fees == expected["totalFees"]
    assert ledger.total_funding == expected["totalFunding"]
    assert ledger.total_borrow == expected["totalBorrow"]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_oracle_agrees_on_every_trade_and_count(path: Path, build: str) -> None:
    expected, ledger, _, _ = _run(path)
    trades = ledger.trades
    assert len(trades) == len(expected["trades"])
    for row, trade in enumerate(expected["trades"]):
        assert (trades.side[row], trades.entry_bar[row], trades.exit_bar[row], trades.fills[row]) == (
            trade["side"],
            trade["entryBar"],
            trade["exitBar"],
            trade["fills"],
        )
        assert trades.pnl[row] == trade["pnl"]
        if trade["quantity"] is not None:
            assert (trades.quantity[row], trades.entry_price[row], trades.exit_price[row]) == (
                trade["quantity"],
                trade["entryPrice"],
                trade["exitPrice"],
            )
    assert list(ledger.open_orders) == expected["openOrders"]
    assert ledger.unfilled_at_end == expected["unfilledAtEnd"]
    assert ledger.ambiguous_bars == expected["ambiguousBars"]
    assert ledger.unresolved_bars == expected["unresolvedBars"]
    assert ledger.short_targets_clamped == expected["shortTargetsClamped"]
    assert ledger.bankrupt_bar == expected["bankruptBar"]
    assert ledger.stopped_bar == expected["stoppedBar"]


def test_every_order_case_of_the_oracle_is_committed() -> None:
    assert len(CASES) == 8
