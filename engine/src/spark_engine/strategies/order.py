# cython: language_level=3, annotation_typing=False
"""What an event strategy asks for: orders, checked where they are written (compiled)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any

from spark_engine.data.stamps import EPOCH, MILLISECOND
from spark_engine.simulation.ledger import OrderType, TimeInForce

SIDES = {"buy": 1, "sell": -1}
TYPES = {
    "market": int(OrderType.MARKET),
    "limit": int(OrderType.LIMIT),
    "stop": int(OrderType.STOP),
    "stop-limit": int(OrderType.STOP_LIMIT),
    "trailing-stop": int(OrderType.TRAILING_STOP),
}
TIMES_IN_FORCE = {"GTC": int(TimeInForce.GTC), "GTD": int(TimeInForce.GTD), "Day": int(TimeInForce.DAY)}
TAKES_LIMIT = ("limit", "stop-limit")
TAKES_STOP = ("stop", "stop-limit")
BPS = Decimal(10_000)


class OrderError(ValueError):
    """An order that cannot be: the message names the field and what is allowed."""


class Trail:
    """The distance of a trailing stop: an `amount` of price, or `bps` (hundredths of a percent) of it."""

    __slots__ = ("amount", "bps", "rate")

    def __init__(self, amount: float | None = None, bps: float | None = None) -> None:
        if (amount is None) == (bps is None):
            raise OrderError("Trail takes exactly one of amount and bps")
        self.amount = 0.0 if amount is None else _above_zero("Trail.amount", amount)
        self.bps = 0.0 if bps is None else _basis_points("Trail.bps", bps)
        self.rate = float(Decimal(repr(self.bps)) / BPS)

    def __repr__(self) -> str:
        return f"Trail(amount={self.amount})" if self.amount else f"Trail(bps={self.bps})"


class Order:
    """An order for `ctx.submit`. Prices and quantities are in the units of the candles.

    side: "buy" or "sell". type: "market", "limit", "stop", "stop-limit", "trailing-stop". quantity: above 0.
    limit: price of a limit and a stop-limit. stop: price of a stop and a stop-limit. trail or trail_bps:
    distance of a trailing stop, as an amount of price or in basis points. tif: "GTC", "GTD" (with `expires`,
    a time in ms UTC or an aware datetime) or "Day". reduce_only: never opens or turns a position.
    oco_group: a whole number above 0; a fill of one order cancels the others of its group. take_profit (a
    price) and stop_loss (a price, or a `Trail`): children that a fill brings to life.

    Raises `OrderError`, a `ValueError`.
    """

    __slots__ = (
        "expires",
        "limit",
        "oco_group",
        "quantity",
        "reduce_only",
        "side",
        "stop",
        "stop_loss",
        "take_profit",
        "tif",
        "trail",
        "trail_bps",
        "type",
    )

    def __init__(
        self,
        *,
        side: str,
        type: str = "market",  # noqa: A002 - the field's own word
        quantity: float,
        limit: float | None = None,
        stop: float | None = None,
        trail: float | None = None,
        trail_bps: float | None = None,
        tif: str = "GTC",
        expires: int | datetime | None = None,
        reduce_only: bool = False,
        oco_group: int | None = None,
        take_profit: float | None = None,
        stop_loss: float | Trail | None = None,
    ) -> None:
        self.side = _one_of("side", side, SIDES)
        self.type = _one_of("type", type, TYPES)
        self.quantity = _above_zero("Order.quantity", quantity)
        self.limit = _price_of("limit", limit, type, TAKES_LIMIT)
        self.stop = _price_of("stop", stop, type, TAKES_STOP)
        _check_trail(type, trail, trail_bps)
        self.trail = None if trail is None else _above_zero("Order.trail", trail)
        self.trail_bps = None if trail_bps is None else _basis_points("Order.trail_bps", trail_bps)
        self.tif = _one_of("tif", tif, TIMES_IN_FORCE)
        self.expires = _expiry(tif, expires)
        if reduce_only is not True and reduce_only is not False:
            raise OrderError(f"Order.reduce_only must be True or False, is {reduce_only!r}")
        self.reduce_only = reduce_only
        self.oco_group = None if oco_group is None else _group(oco_group)
        self.take_profit = None if take_profit is None else _above_zero("Order.take_profit", take_profit)
        if stop_loss is None or isinstance(stop_loss, Trail):
            self.stop_loss: Any = stop_loss
        else:
            self.stop_loss = _above_zero("Order.stop_loss", stop_loss)

    def __repr__(self) -> str:
        given = ((name, getattr(self, name)) for name in self.__slots__)
        fields = ", ".join(f"{name}={value!r}" for name, value in given if value is not None)
        return f"Order({fields})"


def submit(exchange: Any, order: Order) -> int:
    """Hands `order` to the simulation's exchange; the id that it took."""
    loss = order.stop_loss
    trailing = isinstance(loss, Trail)
    number: int = exchange.submit(
        TYPES[order.type],
        SIDES[order.side],
        order.quantity,
        order.limit or 0.0,
        order.stop or 0.0,
        order.trail or 0.0,
        0.0 if order.trail_bps is None else float(Decimal(repr(order.trail_bps)) / BPS),
        TIMES_IN_FORCE[order.tif],
        order.expires or 0,
        order.reduce_only,
        order.oco_group or 0,
        order.take_profit or 0.0,
        0.0 if loss is None or trailing else loss,
        loss.amount if trailing else 0.0,
        loss.rate if trailing else 0.0,
    )
    return number


def number_of(name: str, value: Any) -> float:
    """`value` as a float. Raises `OrderError` for what is no number."""
    if type(value) is float:
        return value
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        raise OrderError(f"{name} must be a number, is {value!r}")
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise OrderError(f"{name} must be a number, is {value!r}") from None


def _above_zero(name: str, value: Any) -> float:
    number = number_of(name, value)
    if not (number > 0.0 and isfinite(number)):
        raise OrderError(f"{name} must be a number above 0, is {value!r}")
    return number


def _basis_points(name: str, value: Any) -> float:
    number = number_of(name, value)
    if not 0.0 < number < 10_000.0:
        raise OrderError(f"{name} must be above 0 and below 10000, is {value!r}")
    return number


def _one_of(name: str, value: Any, allowed: dict[str, int]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise OrderError(f"Order.{name} must be one of {', '.join(allowed)}; is {value!r}")
    return value


def _price_of(name: str, value: Any, kind: str, takers: tuple[str, ...]) -> float | None:
    if value is None:
        if kind in takers:
            raise OrderError(f"Order.{name} is required for a {kind} order: a price above 0")
        return None
    if kind not in takers:
        raise OrderError(f"Order.{name} does not go with a {kind} order, only with: {', '.join(takers)}")
    return _above_zero(f"Order.{name}", value)


def _check_trail(kind: str, trail: Any, trail_bps: Any) -> None:
    if kind == "trailing-stop":
        if (trail is None) == (trail_bps is None):
            raise OrderError("Order.trail: a trailing-stop order takes exactly one of trail and trail_bps")
    elif trail is not None or trail_bps is not None:
        name = "trail" if trail is not None else "trail_bps"
        raise OrderError(f"Order.{name} does not go with a {kind} order, only with: trailing-stop")


def _expiry(tif: str, expires: Any) -> int | None:
    if (tif == "GTD") != (expires is not None):
        raise OrderError("Order.expires must be set with tif GTD, and only with it")
    if expires is None:
        return None
    if isinstance(expires, datetime):
        if expires.tzinfo is None:
            raise OrderError(f"Order.expires must name its zone, is {expires!r}")
        return (expires - EPOCH) // MILLISECOND
    if isinstance(expires, bool) or not hasattr(expires, "__index__") or not 0 < expires.__index__() < 2**63:
        raise OrderError(f"Order.expires must be a time in ms UTC or an aware datetime, is {expires!r}")
    return int(expires)


def _group(value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or not 0 < value.__index__() < 2**63:
        raise OrderError(f"Order.oco_group must be a whole number above 0, is {value!r}")
    return int(value)
