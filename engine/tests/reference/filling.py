"""Filling orders and targets at a price that is known, and what a fill does to the book."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from engine.tests.reference.case import Case, Order, rate
from engine.tests.reference.money import SMALL, Money


def sign(value: float) -> int:
    return (value > 0) - (value < 0)


class Filling:
    def __init__(self, case: Case) -> None:
        self.case, self.settings = case, case.settings
        self.money = Money(case.settings, self.record)
        self.book: list[Order] = []
        self.coming: list[Order] = []  # submitted at the last close, in id order; targets too
        self.next_id = 1
        self.bar = 0
        self.events: list[dict[str, Any]] = []

    def record(self, kind: str, order: int, detail: str, value: float = 0.0) -> None:
        self.events.append({"bar": self.bar, "kind": kind, "order": order, "detail": detail, "value": value})

    def remove(self, order: Order, kind: str, detail: str) -> None:
        if order in self.book:
            self.book.remove(order)
        else:
            self.coming.remove(order)
        self.record(kind, order.id, detail)

    def cancel_all(self, orders: list[Order], detail: str) -> None:
        for order in sorted(orders, key=lambda one: one.id):
            self.remove(order, "Cancelled", detail)

    def fill(self, order: Order, price: float, liquidity: str) -> None:
        """Fills an order of the book at a price, or rejects it; it leaves the book either way."""
        self.book.remove(order)
        money, side = self.money, order.side
        fee_rate = self.settings.maker if liquidity == "maker" else self.settings.taker
        quantity, against = money.lots(order.quantity), max(0.0, -side * money.position)
        if order.reduce_only and against == 0:
            self.record("Cancelled", order.id, "ReduceOnly")
            return
        if quantity <= 0:
            self.record("Rejected", order.id, "LotSize")
            return
        if order.reduce_only:
            quantity = min(quantity, against)
        to_open = quantity - against
        if against > 0 and abs(to_open) <= SMALL * against:
            quantity, to_open = against, 0.0
        opened = 0.0
        if against > 0:
            money.leg(order.id, side, min(quantity, against), price, fee_rate, liquidity, order.reason)
            self.after_leg(order)
        if to_open > 0:
            opened = money.open_leg(
                order.id, side, to_open, price, fee_rate, liquidity, order.reason, explicit=True
            )
            if opened > 0:
                self.after_leg(order)
        if opened > 0:
            self.bear_children(order, opened, price)

    def after_leg(self, order: Order | None) -> None:
        """A fill cancels its siblings, and at position 0 what could only reduce it."""
        if order is not None and order.group is not None:
            siblings = [one for one in [*self.book, *self.coming] if one.group == order.group]
            self.cancel_all(siblings, "Oco")
        if self.money.position == 0:
            self.cancel_all([one for one in self.book if one.reduce_only], "ReduceOnly")

    def bear_children(self, parent: Order, quantity: float, price: float) -> None:
        common = Order(
            0, -parent.side, "", quantity, reduce_only=True, group=("children of", parent.id), best=price
        )
        if parent.take_profit is not None:
            self.bear(replace(common, type="limit", limit=parent.take_profit, role="take-profit"))
        loss = parent.stop_loss
        if loss is None:
            return
        if not isinstance(loss, Mapping):
            self.bear(replace(common, type="stop", stop=float(loss), role="stop-loss"))
        elif "trail" in loss:
            self.bear(replace(common, type="trailing-stop", trail=float(loss["trail"]), role="stop-loss"))
        else:
            child = replace(common, type="trailing-stop", trail_rate=rate(loss["trailBps"]), role="stop-loss")
            self.bear(child)

    def bear(self, child: Order) -> None:
        child.id, self.next_id = self.next_id, self.next_id + 1
        self.book.append(child)

    def act(self, event: Order, price: float) -> None:
        """A target at its fill."""
        assert event.weight is not None
        money = self.money
        side, weight, held = sign(event.weight), abs(event.weight), sign(money.position)
        fills = len(money.fills)
        if side != held:
            at = money.slipped(side - held, price)
            if held != 0:
                money.leg(event.id, -held, abs(money.position), at, self.settings.taker, "taker", "signal")
                self.after_leg(None)
            if side != 0 and money.cash > 0:
                self.open_target(event.id, side, weight, at)
        elif weight != money.last_acted and side != 0:
            self.resize(event.id, side, weight, price)
        if len(money.fills) > fills:
            money.last_acted = weight

    def open_target(self, number: int, side: int, weight: float, price: float) -> None:
        money, explicit = self.money, self.settings.sizing.startswith("Fixed")
        quantity = money.target_quantity(weight, price, self.settings.taker, money.cash)
        money.open_leg(
            number,
            side,
            quantity,
            price,
            self.settings.taker,
            "taker",
            "signal",
            explicit=explicit,
            all_in=not explicit and money.target_leverage(weight) == 1,
        )

    def resize(self, number: int, side: int, weight: float, price: float) -> None:
        money, taker = self.money, self.settings.taker
        for direction in (1, -1):
            at = money.slipped(direction, price)
            worth = money.equity_at(at)
            if worth <= 0:
                continue
            change = money.target_quantity(weight, at, taker, worth) * side - money.position
            if change * direction <= 0:
                continue
            if direction == side:
                explicit = self.settings.sizing.startswith("Fixed")
                money.open_leg(number, side, abs(change), at, taker, "taker", "signal", explicit=explicit)
                return
            quantity = money.lots(abs(change))
            if quantity <= 0:
                self.record("Rejected", number, "LotSize")
                return
            money.leg(number, direction, quantity, at, taker, "taker", "signal")
            self.after_leg(None)
            return

    def close_position(self, price: float, reason: str, fee_rate: float | None = None) -> None:
        """The engine's own: the whole position, with slippage, as taker."""
        money = self.money
        if money.position == 0:
            return
        side = -sign(money.position)
        rate_ = self.settings.taker if fee_rate is None else fee_rate
        money.leg(0, side, abs(money.position), money.slipped(side, price), rate_, "taker", reason)
        self.after_leg(None)
