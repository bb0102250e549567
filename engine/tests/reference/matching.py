"""Step 2 of a bar: orders along the path of the price (sections 5 and 6)."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from engine.tests.reference.case import Bar, Case, Order
from engine.tests.reference.filling import Filling, sign
from engine.tests.reference.path import convention, resolved, worst

STOPS_FIRST = {"liquidation": 0, "stop": 1, "limit": 2}


class Matching(Filling):
    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.finer = {bar.ts: bar for bar in case.finer or ()}
        self.ambiguous = self.unresolved = 0
        self.flatten = self.halted = False

    @property
    def now(self) -> Bar:
        return self.case.bars[self.bar]

    @property
    def last(self) -> bool:
        return self.bar == len(self.case.bars) - 1

    def match(self) -> None:
        chain = self.chain()
        self.at_the_open(self.now.open)
        path = self.judged(chain)
        for start, end in pairwise(path):
            self.along(start, end)
        if self.settings.next_close:
            self.arrivals(self.now.close)
        if self.last and self.settings.close_at_end:
            self.close_position(self.now.close, "closeAtEnd")

    def chain(self) -> list[float] | None:
        """The finer path of this bar; bars that have none where one was asked are counted."""
        if self.case.finer is None:
            return None
        found = resolved(self.now, self.finer, self.case.finer_ms)
        self.unresolved += found is None
        return found

    def judged(self, chain: list[float] | None) -> list[float]:
        """The path, after the open step: an ambiguous bar may take the worst one."""
        if chain is not None:
            return chain
        if not self.is_ambiguous():
            return convention(self.now)
        self.ambiguous += 1
        return worst(self.now, sign(self.money.position)) if self.settings.worst else convention(self.now)

    def is_ambiguous(self) -> bool:
        if self.money.position == 0:
            return False
        exits = [order for order in self.book if order.side * self.money.position < 0]
        stops = [order.stop_level() for order in exits]
        liquidation = self.liquidation_level()
        stops += [] if liquidation is None else [liquidation]
        limits = [order.limit_level() for order in exits]
        inside = [
            any(level is not None and self.now.low <= level <= self.now.high for level in levels)
            for levels in (stops, limits)
        ]
        return all(inside)

    def at_the_open(self, price: float) -> None:
        self.at_point(price)
        if self.flatten:
            self.flatten = False
            self.close_position(price, "gate")
            self.at_point(price)
        if not self.settings.next_close:
            self.arrivals(price)
        self.ratchet(price)

    def arrivals(self, price: float) -> None:
        """Orders of the last close meet the market at `price`, resting ones first after each."""
        self.at_point(price)
        while self.coming:
            order = self.coming.pop(0)
            if order.weight is not None:
                self.act(order, price)
            else:
                self.book.append(order)
                order.best = price
                self.test(order, price)
            self.at_point(price)

    def at_point(self, price: float) -> None:
        """Fills, one after another, everything that is reached at this price."""
        while True:
            reached = [entry for entry in map(self.rank_at(price), self.book) if entry is not None]
            if self.is_liquidated_at(price):
                self.liquidate(price)
            elif reached:
                order = min(reached, key=lambda entry: entry[:2])[2]
                self.test(order, price)
            else:
                break
        for order in self.book:
            order.fresh = False

    def rank_at(self, price: float) -> Any:
        def rank(order: Order) -> tuple[int, int, Order] | None:
            stop, limit = order.stop_level(), order.limit_level()
            if stop is not None and order.side * (price - stop) >= 0:
                return STOPS_FIRST["stop"], order.id, order
            if limit is not None and self.limit_met(order.side, limit, price):
                return STOPS_FIRST["limit"], order.id, order
            return None

        return rank

    def limit_met(self, side: int, limit: float, price: float) -> bool:
        better = side * (limit - price)
        return better > 0 if self.settings.through else better >= 0

    def test(self, order: Order, price: float) -> None:
        """Looks at one order of the book at a price; fills it there if it is due."""
        fresh, order.fresh = order.fresh, False
        stop, limit = order.stop_level(), order.limit_level()
        if order.type == "market":
            self.fill(order, self.money.slipped(order.side, price), "taker")
        elif stop is not None:
            if order.side * (price - stop) < 0:
                return
            if order.type != "stop-limit":
                self.fill(order, self.money.slipped(order.side, price), "taker")
                return
            order.triggered = True
            assert order.limit is not None
            if self.limit_met(order.side, order.limit, price):
                self.fill(order, price, "taker")
        elif limit is not None and self.limit_met(order.side, limit, price):
            if fresh:
                slipped = self.money.slipped(order.side, price)
                self.fill(order, min(limit, slipped) if order.side > 0 else max(limit, slipped), "taker")
            else:
                self.fill(order, price, "maker")

    def along(self, start: float, end: float) -> None:
        """Fills along a segment, in the order in which the price meets the levels."""
        price = start
        if end != start:
            direction = 1 if end > start else -1
            while True:
                met = self.next_met(price, end, direction)
                if met is None:
                    break
                price, order = met
                if order is None:
                    self.liquidate(price)
                elif order.limit_level() is not None:
                    self.fill(order, price, "maker")
                else:
                    self.test(order, price)
                self.at_point(price)
        self.ratchet(end)

    def next_met(self, price: float, end: float, direction: int) -> tuple[float, Order | None] | None:
        entries: list[tuple[float, int, int, float, Order | None]] = []
        for order in self.book:
            stop, limit = order.stop_level(), order.limit_level()
            if stop is not None and order.side == direction and direction * (stop - price) > 0:
                entries.append((direction * stop, STOPS_FIRST["stop"], order.id, stop, order))
            if limit is not None and order.side == -direction and direction * (limit - price) >= 0:
                if self.settings.through and limit == end:
                    continue
                entries.append((direction * limit, STOPS_FIRST["limit"], order.id, limit, order))
        level = self.liquidation_level()
        if level is not None and self.money.position * direction < 0:
            entries.append((direction * level, STOPS_FIRST["liquidation"], 0, level, None))
        reached = [entry for entry in entries if entry[0] <= direction * end]
        if not reached:
            return None
        first = min(reached, key=lambda entry: entry[:3])
        return first[3], first[4]

    def ratchet(self, price: float) -> None:
        for order in self.book:
            order.best = max(order.best, price) if order.side < 0 else min(order.best, price)

    # isolated margin

    def liquidation_level(self) -> float | None:
        money, margin = self.money, self.settings.maintenance
        if margin is None or money.position == 0:
            return None
        if money.position > 0:
            return -money.cash / (money.position * (1 - margin))
        return money.cash / (abs(money.position) * (1 + margin))

    def is_liquidated_at(self, price: float) -> bool:
        level = self.liquidation_level()
        if level is None:
            return False
        return price <= level if self.money.position > 0 else price >= level

    def liquidate(self, price: float) -> None:
        self.close_position(price, "liquidation", self.settings.taker + self.settings.liquidation)
        if self.money.cash < 0:
            self.record("Halted", 0, "Deficit")
            self.halted = True
            orders = [one for one in [*self.book, *self.coming] if one.weight is None]
            self.cancel_all(orders, "Deficit")
