"""The same case in the engine's own types, and its ledger in the terms of the oracle."""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from spark_engine.data.candles import Candles, Funding, Sessions
from spark_engine.simulation.ledger import (
    Account,
    Action,
    EventCode,
    Gates,
    Ledger,
    OrderType,
    Step,
    Submissions,
    TimeInForce,
)
from spark_engine.simulation.simulate import simulate

from engine.tests.reference.case import Bar, Case, Grid, case_of, rate

REASONS = (
    "signal",
    "limit",
    "stop",
    "take-profit",
    "stop-loss",
    "trailing",
    "liquidation",
    "gate",
    "closeAtEnd",
)
LIQUIDITY = ("taker", "maker")
SIDES = {"buy": 1, "sell": -1}
TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP,
    "stop-limit": OrderType.STOP_LIMIT,
    "trailing-stop": OrderType.TRAILING_STOP,
}
TIFS = {"GTC": TimeInForce.GTC, "GTD": TimeInForce.GTD, "Day": TimeInForce.DAY}
DETAILS: Mapping[EventCode, tuple[str, str]] = {
    EventCode.REJECTED_LOT_SIZE: ("Rejected", "LotSize"),
    EventCode.REJECTED_SHORT_NOT_ALLOWED: ("Rejected", "ShortNotAllowed"),
    EventCode.REJECTED_INSUFFICIENT_FUNDS: ("Rejected", "InsufficientFunds"),
    EventCode.REJECTED_MIN_NOTIONAL: ("Rejected", "MinNotional"),
    EventCode.REJECTED_MAX_NOTIONAL: ("Rejected", "MaxNotional"),
    EventCode.REJECTED_MAX_POSITION: ("Rejected", "MaxPosition"),
    EventCode.REJECTED_MAX_LEVERAGE: ("Rejected", "MaxLeverage"),
    EventCode.REJECTED_MAX_OPEN_ORDERS: ("Rejected", "MaxOpenOrders"),
    EventCode.REJECTED_GATE_CLOSED: ("Rejected", "GateClosed"),
    EventCode.CANCELLED_USER: ("Cancelled", "User"),
    EventCode.CANCELLED_OCO: ("Cancelled", "Oco"),
    EventCode.CANCELLED_REDUCE_ONLY: ("Cancelled", "ReduceOnly"),
    EventCode.CANCELLED_GATE: ("Cancelled", "Gate"),
    EventCode.CANCELLED_DEFICIT: ("Cancelled", "Deficit"),
    EventCode.EXPIRED_GTD: ("Expired", "GTD"),
    EventCode.EXPIRED_DAY: ("Expired", "Day"),
    EventCode.BREACH_MAX_DRAWDOWN: ("Breach", "maxDrawdown"),
    EventCode.BREACH_MAX_DAILY_LOSS: ("Breach", "maxDailyLoss"),
    EventCode.HALTED_DEFICIT: ("Halted", "Deficit"),
}
COLUMNS = {
    "bar": "q",
    "action": "b",
    "order": "q",
    "type": "b",
    "side": "b",
    "tif": "b",
    "reduce_only": "b",
    "quantity": "d",
    "limit": "d",
    "stop": "d",
    "trail": "d",
    "trail_rate": "d",
    "expires": "q",
    "oco": "q",
    "take_profit": "d",
    "stop_loss": "d",
    "stop_trail": "d",
    "stop_trail_rate": "d",
}


def run_kernel(document: Mapping[str, Any], submitted: Sequence[tuple[int, int, Any]]) -> dict[str, Any]:
    """What the project's kernel makes of a case. submitted: bar, id and entry of every submission."""
    case = case_of(document)
    ledger = simulate(candles_of(case, document), submissions_of(submitted), account_of(case))
    return expected_of(ledger)


def candles_of(case: Case, document: Mapping[str, Any]) -> Candles:
    """The bars of a case, after as many rows of warm-up as the document says."""
    step = case.settings.timeframe_ms
    finer = None if case.finer is None else _candles(case.finer, case.finer_ms)
    funding = None
    if case.settings.funding:
        times, rates = zip(*case.settings.funding, strict=True)
        funding = Funding(column("q", times), column("d", rates))
    bars = [*_before(case.bars[0], step, document.get("warmup", 0)), *case.bars]
    sessions = _sessions(bars) if "day" in document["candles"] else None
    warmup = len(bars) - len(case.bars)
    return _candles(bars, step, finer=finer, funding=funding, sessions=sessions, warmup=warmup)


def _before(first: Bar, step_ms: int, rows: int) -> list[Bar]:
    """Rows that nothing may look at: wild prices, so that a look would be seen."""
    return [
        replace(
            first, ts=first.ts - back * step_ms, close_ts=first.close_ts - back * step_ms, high=1e6, low=1e-3
        )
        for back in range(rows, 0, -1)
    ]


def _sessions(bars: Sequence[Bar]) -> Sessions:
    return Sessions(
        calendar="XTST",
        close_ts=column("q", [bar.close_ts for bar in bars]),
        day=column("q", [bar.day for bar in bars]),
        follows_gap=column("b", [0] * len(bars)),
        periods_per_year=252.0,
    )


def _candles(bars: Sequence[Bar], step_ms: int, **more: Any) -> Candles:
    rows = len(bars)
    return Candles(
        ts=column("q", [bar.ts for bar in bars]),
        open=column("d", [bar.open for bar in bars]),
        high=column("d", [bar.high for bar in bars]),
        low=column("d", [bar.low for bar in bars]),
        close=column("d", [bar.close for bar in bars]),
        volume=column("d", [1.0] * rows),
        quality=column("b", [0] * rows),
        ticks_close=column("q", [0] * rows),  # signals alone read them
        timeframe_ms=step_ms,
        **more,
    )


def column(code: str, values: Sequence[Any]) -> memoryview:
    return memoryview(array(code, values))


def account_of(case: Case) -> Account:
    of = case.settings
    return Account(
        initial_cash=of.initial_cash,
        maker_rate=of.maker,
        taker_rate=of.taker,
        slippage_rate=of.slippage,
        fill_next_close=of.next_close,
        close_at_end=of.close_at_end,
        allow_short=of.allow_short,
        leverage=of.leverage,
        sizing=of.sizing,  # type: ignore[arg-type]
        size=of.size,
        tick=_step(of.tick),
        lot=_step(of.lot),
        min_notional=of.min_notional,
        limit_through=of.through,
        worst_path=of.worst,
        maintenance_margin=of.maintenance,
        liquidation_rate=of.liquidation,
        borrow_rate_annual=of.borrow,
        gates=Gates(
            max_notional=of.max_notional,
            max_position=of.max_position,
            max_leverage=of.max_leverage,
            max_open_orders=of.max_open_orders,
            max_drawdown=of.max_drawdown,
            max_daily_loss=of.max_daily_loss,
            fail=of.fail,
        ),
    )


def _step(grid: Grid | None) -> Step | None:
    return None if grid is None else Step(grid.units, grid.scale)


def submissions_of(submitted: Sequence[tuple[int, int, Any]]) -> Submissions:
    groups: dict[Any, int] = {}
    rows = [_row(bar, number, entry, groups) for bar, number, entry in submitted]
    return Submissions(
        **{name: column(code, [row.get(name, 0) for row in rows]) for name, code in COLUMNS.items()}
    )


def _row(bar: int, number: int, entry: Mapping[str, Any], groups: dict[Any, int]) -> dict[str, Any]:
    row: dict[str, Any] = {"bar": bar, "order": number}
    if "cancel" in entry:
        return row | {"action": Action.CANCEL}
    if "target" in entry:
        return row | {"action": Action.TARGET, "type": OrderType.TARGET, "quantity": entry["target"]}
    given = entry["order"]
    row |= {
        "action": Action.ORDER,
        "type": TYPES[given["type"]],
        "side": SIDES[given["side"]],
        "tif": TIFS[given.get("tif", "GTC")],
        "reduce_only": int(given.get("reduceOnly", False)),
        "quantity": given["quantity"],
        "limit": given.get("limit", 0.0),
        "stop": given.get("stop", 0.0),
        "trail": given.get("trail", 0.0),
        "trail_rate": rate(given.get("trailBps", "0")),
        "expires": given.get("expires", 0),
        "take_profit": given.get("takeProfit", 0.0),
    }
    if "ocoGroup" in given:
        row["oco"] = groups.setdefault(given["ocoGroup"], len(groups) + 1)
    loss = given.get("stopLoss", 0.0)
    if isinstance(loss, Mapping):
        return row | {
            "stop_trail": loss.get("trail", 0.0),
            "stop_trail_rate": rate(loss.get("trailBps", "0")),
        }
    return row | {"stop_loss": loss}


def expected_of(ledger: Ledger) -> dict[str, Any]:
    """A ledger as the oracle writes `expected`, with the value of each event."""
    return {
        "fills": _fills(ledger),
        "events": _events(ledger),
        "equity": list(ledger.equity),
        "positions": list(ledger.position),
        "cash": list(ledger.cash),
        "trades": _trades(ledger),
        "finalCash": ledger.cash[-1],
        "finalPosition": ledger.position[-1],
        "finalEquityLiquidated": ledger.final_equity_liquidated,
        "totalFees": ledger.total_fees,
        "totalFunding": ledger.total_funding,
        "totalBorrow": ledger.total_borrow,
        "openOrders": list(ledger.open_orders),
        "unfilledAtEnd": ledger.unfilled_at_end,
        "ambiguousBars": ledger.ambiguous_bars,
        "unresolvedBars": ledger.unresolved_bars,
        "shortTargetsClamped": ledger.short_targets_clamped,
        "bankruptBar": ledger.bankrupt_bar,
        "stoppedBar": ledger.stopped_bar,
    }


def _fills(ledger: Ledger) -> list[dict[str, Any]]:
    names = ("bar", "order", "side", "quantity", "price", "fee", "liquidity", "reason")
    columns = zip(*(getattr(ledger.fills, name) for name in names), strict=True)
    return [
        {
            "bar": bar,
            "order": order,
            "side": "buy" if side > 0 else "sell",
            "quantity": quantity,
            "price": price,
            "fee": fee,
            "liquidity": LIQUIDITY[liquidity],
            "reason": REASONS[reason],
        }
        for bar, order, side, quantity, price, fee, liquidity, reason in columns
    ]


def _events(ledger: Ledger) -> list[dict[str, Any]]:
    events = ledger.events
    rows = []
    for bar, code, order, value in zip(events.bar, events.code, events.order, events.value, strict=True):
        kind, detail = DETAILS[EventCode(code)]
        rows.append({"bar": bar, "kind": kind, "order": order, "detail": detail, "value": value})
    return rows


def _trades(ledger: Ledger) -> list[dict[str, Any]]:
    trades = ledger.trades
    rows = []
    for index in range(len(trades)):
        single = trades.fills[index] == 2
        rows.append(
            {
                "side": trades.side[index],
                "entryBar": trades.entry_bar[index],
                "exitBar": trades.exit_bar[index],
                "fills": trades.fills[index],
                "quantity": trades.quantity[index] if single else None,
                "entryPrice": trades.entry_price[index] if single else None,
                "exitPrice": trades.exit_price[index] if single else None,
                "pnl": trades.pnl[index],
            }
        )
    return rows
