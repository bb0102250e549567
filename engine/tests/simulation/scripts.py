"""Scripts of orders as tests and oracle cases write them, and accounts from the names of the run spec."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from spark_engine.data.candles import Candles, Funding
from spark_engine.simulation.ledger import Account, Action, Gates, OrderType, Step, Submissions, TimeInForce

TYPES = {
    "market": OrderType.MARKET,
    "limit": OrderType.LIMIT,
    "stop": OrderType.STOP,
    "stop-limit": OrderType.STOP_LIMIT,
    "trailing-stop": OrderType.TRAILING_STOP,
}
SIDES = {"buy": 1, "sell": -1}
TIFS = {"GTC": TimeInForce.GTC, "GTD": TimeInForce.GTD, "Day": TimeInForce.DAY}
CODES = {
    "bar": "q", "action": "b", "order": "q", "type": "b", "side": "b", "tif": "b", "reduce_only": "b",
    "quantity": "d", "limit": "d", "stop": "d", "trail": "d", "trail_rate": "d", "expires": "q", "oco": "q",
    "take_profit": "d", "stop_loss": "d", "stop_trail": "d", "stop_trail_rate": "d",
}  # fmt: skip

Entry = Mapping[str, Any]


def rate(bps: str | float) -> float:
    return float(Decimal(str(bps)) / 10_000)


def submissions_of(entries: Iterable[Entry]) -> Submissions:
    """`{"bar", "order" | "cancel" | "target"}` each, in the words of the oracle's README."""
    groups: dict[str, int] = {}
    rows = [_row(entry, groups) for entry in entries]
    return Submissions(
        **{name: memoryview(array(code, [row.get(name, 0) for row in rows])) for name, code in CODES.items()}
    )


def _row(entry: Entry, groups: dict[str, int]) -> dict[str, Any]:
    if "cancel" in entry:
        return {"bar": entry["bar"], "action": Action.CANCEL, "order": entry["cancel"]}
    if "target" in entry:
        return {
            "bar": entry["bar"],
            "action": Action.TARGET,
            "type": OrderType.TARGET,
            "quantity": entry["target"],
        }
    order = entry["order"]
    loss = order.get("stopLoss", 0.0)
    trailing = loss if isinstance(loss, Mapping) else {}
    group = order.get("ocoGroup")
    return {
        "bar": entry["bar"],
        "action": Action.ORDER,
        "type": TYPES[order["type"]],
        "side": SIDES[order["side"]],
        "tif": TIFS[order.get("tif", "GTC")],
        "reduce_only": order.get("reduceOnly", False),
        "quantity": order["quantity"],
        "limit": order.get("limit", 0.0),
        "stop": order.get("stop", 0.0),
        "trail": order.get("trail", 0.0),
        "trail_rate": rate(order.get("trailBps", 0)),
        "expires": order.get("expires", 0),
        "oco": 0 if group is None else groups.setdefault(group, len(groups) + 1),
        "take_profit": order.get("takeProfit", 0.0),
        "stop_loss": 0.0 if trailing else loss,
        "stop_trail": trailing.get("trail", 0.0),
        "stop_trail_rate": rate(trailing.get("trailBps", 0)),
    }


def account_of_spec(config: Mapping[str, Any]) -> Account:
    """From what differs from the defaults, under the names of the run spec; decimals in quotes."""

    def number(name: str, default: str) -> float:
        return float(Decimal(config.get(name, default)))

    isolated = config.get("marginModel") == "Isolated"
    return Account(
        initial_cash=number("initialCash", "10000"),
        maker_rate=rate(config.get("makerFeeBps", 0)),
        taker_rate=rate(config.get("takerFeeBps", 0)),
        slippage_rate=rate(config.get("slippageBps", 0)),
        fill_next_close=config.get("fill") == "NextClose",
        close_at_end=config.get("closeAtEnd", False),
        allow_short=config.get("allowShort", False),
        leverage=number("leverage", "1"),
        sizing=config.get("sizing", "AllIn"),
        size=number("size", "1"),
        tick=step_of(config.get("tickSize")),
        lot=step_of(config.get("lotSize")),
        min_notional=number("minNotional", "0"),
        limit_through=config.get("limitFill") == "Through",
        worst_path=config.get("intrabarPath") == "Worst",
        maintenance_margin=number("maintenanceMargin", "0") if isolated else None,
        liquidation_rate=rate(config.get("liquidationFeeBps", 0)) if isolated else 0.0,
        borrow_rate_annual=number("borrowRateAnnual", "0"),
        gates=gates_of(config.get("gates", {})),
    )


def step_of(size: str | None) -> Step | None:
    if size is None:
        return None
    digits = max(0, -int(Decimal(size).normalize().as_tuple().exponent))
    return Step(units=int(Decimal(size).scaleb(digits)), scale=10**digits)


def gates_of(limits: Mapping[str, Any]) -> Gates:
    def number(name: str) -> float | None:
        return float(Decimal(str(limits[name]))) if name in limits else None

    return Gates(
        max_notional=number("maxNotional"),
        max_position=number("maxPosition"),
        max_leverage=number("maxLeverage"),
        max_open_orders=limits.get("maxOpenOrders"),
        max_drawdown=number("maxDrawdown"),
        max_daily_loss=number("maxDailyLoss"),
        fail=limits.get("policy") == "Fail",
    )


def candles_of_columns(
    columns: Mapping[str, list[float]],
    timeframe_ms: int = 3_600_000,
    funding: Iterable[tuple[int, str]] = (),
    finer: Candles | None = None,
) -> Candles:
    """ts, open, high, low and close; volume plays no part."""
    rows = len(columns["ts"])
    rates = list(funding)
    return Candles(
        memoryview(array("q", columns["ts"])),
        *(memoryview(array("d", columns[name])) for name in ("open", "high", "low", "close")),
        volume=memoryview(array("d", bytes(8 * rows))),
        quality=memoryview(array("b", bytes(rows))),
        ticks_close=memoryview(array("q", bytes(8 * rows))),
        timeframe_ms=timeframe_ms,
        funding=Funding(
            memoryview(array("q", [ts for ts, _ in rates])),
            memoryview(array("d", [float(Decimal(rate)) for _, rate in rates])),
        )
        if rates
        else None,
        finer=finer,
    )
