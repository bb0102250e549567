# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# ruff: noqa: A001, A002 - `type` and `id` are the words of the field
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, call-overload"
"""The order book: orders and targets from their submission until they fill, are cancelled or expire.

Compiled; see `kernel`. An order is a slot in columns. What is asked on every bar has lists and heaps of its
own, so that orders that rest far from the price cost nothing until the price gets there.
"""

from __future__ import annotations

from typing import Any

import cython

from spark_engine.data.rows import zeros
from spark_engine.simulation.bars import Bars
from spark_engine.simulation.rows import EventRows, longer
from spark_engine.simulation.slots import SlotHeap, SlotList

NEVER = cython.declare(cython.longlong, 0x7FFFFFFFFFFFFFFF)
BEHIND_STOPS = cython.declare(cython.longlong, 0x4000000000000000)

# Types and times in force: the codes of `ledger`.
MARKET_ORDER = cython.declare(cython.int, 0)
LIMIT_ORDER = cython.declare(cython.int, 1)
TRAILING_ORDER = cython.declare(cython.int, 4)
TARGET_EVENT = cython.declare(cython.int, 5)
GTC = cython.declare(cython.int, 0)
GTD = cython.declare(cython.int, 1)
DAY = cython.declare(cython.int, 2)

# Reasons of fills.
SIGNAL = cython.declare(cython.int, 0)
BY_LIMIT = cython.declare(cython.int, 1)
BY_STOP = cython.declare(cython.int, 2)
TRAILING = cython.declare(cython.int, 5)

# What an order waits for.
NOTHING = cython.declare(cython.int, 0)  # a market order or a target: only for the open
LIMIT = cython.declare(cython.int, 1)
STOP = cython.declare(cython.int, 2)

# How far an order has come.
SUBMITTED = cython.declare(cython.int, 0)  # still to come to the open
FRESH = cython.declare(cython.int, 1)  # live from this path point on
RESTING = cython.declare(cython.int, 2)

CANCELLED_OCO = cython.declare(cython.int, 21)
CANCELLED_REDUCE_ONLY = cython.declare(cython.int, 22)
EXPIRED_GTD = cython.declare(cython.int, 30)
EXPIRED_DAY = cython.declare(cython.int, 31)

FIRST_ROOM = 16


@cython.cclass
class OrderBook:
    """Slot 0 is none. Prices, times and groups are 0 where absent.

    `level` is the price that an order waits for: of a limit, a stop, or where a trailing stop now stands.
    `quantity` is of a target its weight; `day` that of the first bar; `oco` below 0 the group of a bracket.
    """

    def __init__(self, events: EventRows, limit_through: bool) -> None:
        room = FIRST_ROOM
        self.events = events
        self.through = limit_through
        self.room = room
        self.used = self.free = 0
        self.exhausted = self.has_deadlines = False
        self.next_id = 1
        self.open_count = 0
        self.earliest_expiry = self.earliest_day = NEVER
        self.id, self.type, self.side = zeros("q", room), zeros("b", room), zeros("b", room)
        self.waits, self.state, self.reason = zeros("b", room), zeros("b", room), zeros("b", room)
        self.tif, self.reduce_only = zeros("b", room), zeros("b", room)
        self.expires, self.day, self.oco = zeros("q", room), zeros("q", room), zeros("q", room)
        self.quantity, self.limit, self.level = zeros("d", room), zeros("d", room), zeros("d", room)
        self.trail, self.trail_rate, self.best = zeros("d", room), zeros("d", room), zeros("d", room)
        self.take_profit, self.stop_loss = zeros("d", room), zeros("d", room)
        self.stop_trail, self.stop_trail_rate = zeros("d", room), zeros("d", room)
        self.all, self.reducing, self.grouped = SlotList(room), SlotList(room), SlotList(room)
        self.submitted, self.fresh, self.trailing = SlotList(room), SlotList(room), SlotList(room)
        self.rising, self.falling = SlotHeap(room), SlotHeap(room)

    # In and out.

    def grow(self) -> cython.bint:
        try:
            self.lengthen()
        except MemoryError:
            self.exhausted = True
            return False
        self.room *= 2
        return True

    def lengthen(self) -> None:
        self.id, self.type, self.side = longer(self.id, "q"), longer(self.type, "b"), longer(self.side, "b")
        self.waits, self.state = longer(self.waits, "b"), longer(self.state, "b")
        self.reason, self.tif = longer(self.reason, "b"), longer(self.tif, "b")
        self.reduce_only, self.expires = longer(self.reduce_only, "b"), longer(self.expires, "q")
        self.day, self.oco = longer(self.day, "q"), longer(self.oco, "q")
        self.quantity, self.limit = longer(self.quantity, "d"), longer(self.limit, "d")
        self.level, self.trail = longer(self.level, "d"), longer(self.trail, "d")
        self.trail_rate, self.best = longer(self.trail_rate, "d"), longer(self.best, "d")
        self.take_profit, self.stop_loss = longer(self.take_profit, "d"), longer(self.stop_loss, "d")
        self.stop_trail = longer(self.stop_trail, "d")
        self.stop_trail_rate = longer(self.stop_trail_rate, "d")
        self.all.grow()
        self.reducing.grow()
        self.grouped.grow()
        self.submitted.grow()
        self.fresh.grow()
        self.trailing.grow()
        self.rising.grow()
        self.falling.grow()

    def accept(self, type: cython.int, side: cython.int, quantity: cython.double) -> cython.longlong:
        """A new order with the next id, not yet in the book; 0 where memory is exhausted."""
        order: cython.longlong = self.free
        id: cython.longlong = self.next_id
        self.next_id = id + 1
        if order != 0:
            self.free = self.expires[order]
        elif self.used + 1 < self.room or self.grow():
            self.used += 1
            order = self.used
        self.id[order] = id
        self.type[order] = type
        self.side[order] = side
        self.quantity[order] = quantity
        self.state[order] = SUBMITTED
        self.tif[order] = GTC
        self.reduce_only[order] = 0
        self.limit[order] = self.level[order] = 0.0
        self.trail[order] = self.trail_rate[order] = self.best[order] = 0.0
        self.expires[order] = self.day[order] = self.oco[order] = 0
        self.take_profit[order] = self.stop_loss[order] = 0.0
        self.stop_trail[order] = self.stop_trail_rate[order] = 0.0
        if type in (MARKET_ORDER, TARGET_EVENT):
            self.waits[order] = NOTHING
            self.reason[order] = SIGNAL
        elif type == LIMIT_ORDER:
            self.waits[order] = LIMIT
            self.reason[order] = BY_LIMIT
        else:
            self.waits[order] = STOP
            self.reason[order] = TRAILING if type == TRAILING_ORDER else BY_STOP
        return order

    def append(self, order: cython.longlong) -> cython.void:
        """Into the book, submitted or fresh. Its day, group and flags stay as they are now."""
        if order == 0:
            return
        self.all.append(order)
        if self.state[order] == SUBMITTED:
            self.submitted.append(order)
        else:
            self.fresh.append(order)
        if self.type[order] != TARGET_EVENT:
            self.open_count += 1
        if self.reduce_only[order]:
            self.reducing.append(order)
        if self.oco[order] != 0:
            self.grouped.append(order)
        if self.tif[order] == GTD:
            self.earliest_expiry = min(self.earliest_expiry, self.expires[order])
            self.has_deadlines = True

    def remove(self, order: cython.longlong) -> cython.void:
        """Out of the book; its columns stay until `release`."""
        self.all.remove(order)
        self.leave_place(order)
        if self.type[order] != TARGET_EVENT:
            self.open_count -= 1
        if self.reduce_only[order]:
            self.reducing.remove(order)
        if self.oco[order] != 0:
            self.grouped.remove(order)

    def release(self, order: cython.longlong) -> cython.void:
        """Its slot may be taken by the next order."""
        self.expires[order] = self.free
        self.free = order

    def drop(self, order: cython.longlong, code: cython.int) -> cython.void:
        self.remove(order)
        self.events.add(code, self.id[order], 0.0)
        self.release(order)

    # Where an order waits.

    def is_rising(self, order: cython.longlong) -> cython.bint:
        """Whether it is a rising price that sets it off."""
        return (self.side[order] > 0) == (self.waits[order] == STOP)

    def take_place(self, order: cython.longlong) -> cython.void:
        """Lets it rest at its level."""
        rank: cython.longlong = self.id[order]
        self.state[order] = RESTING
        if self.type[order] == TRAILING_ORDER:
            self.trailing.append(order)
            return
        if self.waits[order] == LIMIT:
            rank += BEHIND_STOPS
        if self.is_rising(order):
            self.rising.push(order, self.level[order], rank)
        else:
            self.falling.push(order, -self.level[order], rank)

    def leave_place(self, order: cython.longlong) -> cython.void:
        if self.state[order] == SUBMITTED:
            self.submitted.remove(order)
        elif self.state[order] == FRESH:
            self.fresh.remove(order)
        elif self.type[order] == TRAILING_ORDER:
            self.trailing.remove(order)
        elif self.is_rising(order):
            self.rising.remove(order)
        else:
            self.falling.remove(order)

    def settle_down(self) -> cython.void:
        """Everything that became live at this path point rests from now on."""
        order: cython.longlong = self.fresh.first
        while order != 0:
            self.fresh.remove(order)
            self.take_place(order)
            order = self.fresh.after[order]

    def become_limit(self, order: cython.longlong) -> cython.void:
        """What a stop-limit does at its trigger."""
        self.leave_place(order)
        self.waits[order] = LIMIT
        self.level[order] = self.limit[order]
        self.take_place(order)

    def ratchet(self, order: cython.longlong, price: cython.double) -> cython.void:
        """Takes `price` as the best of a trailing stop and sets its level."""
        rate: cython.double = self.trail_rate[order]
        self.best[order] = price
        if self.side[order] < 0:
            self.level[order] = price * (1.0 - rate) if rate > 0.0 else price - self.trail[order]
        else:
            self.level[order] = price * (1.0 + rate) if rate > 0.0 else price + self.trail[order]

    def pass_point(self, price: cython.double) -> cython.void:
        """Trailing stops ratchet."""
        order: cython.longlong = self.trailing.first
        while order != 0:
            if price > self.best[order] if self.side[order] < 0 else price < self.best[order]:
                self.ratchet(order, price)
            order = self.trailing.after[order]

    # Who is next.

    def is_met(self, order: cython.longlong, price: cython.double) -> cython.bint:
        level: cython.double = self.level[order]
        if self.waits[order] == STOP:
            return price >= level if self.side[order] > 0 else price <= level
        if self.through:
            return price < level if self.side[order] > 0 else price > level
        return price <= level if self.side[order] > 0 else price >= level

    def is_quiet(self, price: cython.double) -> cython.bint:
        """Whether the price reaches no resting order's level."""
        order: cython.longlong = self.trailing.first
        if self.rising.lowest <= price or -self.falling.lowest >= price:
            return False
        while order != 0:
            if self.is_met(order, price):
                return False
            order = self.trailing.after[order]
        return True

    def first_met(self, price: cython.double) -> cython.longlong:
        """Of the live orders reached or passed: stops before limits, then by id; 0 for none."""
        quiet: cython.bint = self.is_quiet(price)  # then only what is fresh can be met
        order: cython.longlong = self.fresh.first if quiet else self.all.first
        found: cython.longlong = 0
        while order != 0:
            if (
                self.state[order] != SUBMITTED
                and self.is_met(order, price)
                and (found == 0 or self.is_before(order, found))
            ):
                found = order
            order = self.fresh.after[order] if quiet else self.all.after[order]
        return found

    def next_met(self, price: cython.double, end: cython.double) -> cython.longlong:
        """The order that the segment from `price` to `end` meets next, at `meeting`; 0 for none."""
        order: cython.longlong = 0
        if end > price:
            if self.rising.size > 0:
                order = self.rising.slot[0]
        elif self.falling.size > 0:
            order = self.falling.slot[0]
        self.found = 0
        if order != 0:
            if self.level[order] <= price if end > price else self.level[order] >= price:
                return self.next_of(True, price, end)
            if self.is_met(order, end):
                self.found = order
                self.meeting = self.level[order]
        return self.next_of(False, price, end)

    def next_of(self, every: cython.bint, price: cython.double, end: cython.double) -> cython.longlong:
        """The same of `found` and of all that rest, or of the trailing stops only.

        A level behind the price acts where the price is.
        """
        rising: cython.bint = end > price
        order: cython.longlong = self.all.first if every else self.trailing.first
        at: cython.double
        while order != 0:
            if self.state[order] == RESTING and self.is_rising(order) == rising and self.is_met(order, end):
                at = max(self.level[order], price) if rising else min(self.level[order], price)
                if self.found == 0 or (at < self.meeting if rising else at > self.meeting):
                    self.found = order
                    self.meeting = at
                elif at == self.meeting and self.is_before(order, self.found):
                    self.found = order
            order = self.all.after[order] if every else self.trailing.after[order]
        return self.found

    def has_limit_within(self, low: cython.double, high: cython.double, side: cython.int) -> cython.bint:
        """Whether a limit of `side` can rest in the range: a cheap test first."""
        if side < 0:
            return self.rising.lowest <= high
        return -self.falling.lowest >= low

    def is_before(self, order: cython.longlong, other: cython.longlong) -> cython.bint:
        """The order of two at one price."""
        if self.waits[order] != self.waits[other]:
            return self.waits[order] == STOP
        return self.id[order] < self.id[other]

    def has_exits_within(
        self, low: cython.double, high: cython.double, side: cython.int, stop: cython.bint
    ) -> cython.bint:
        """Whether a stop (one there is already where `stop`) and a limit of `side` are both in the range."""
        order: cython.longlong = self.all.first
        limit: cython.bint = False
        while order != 0:
            if (
                self.side[order] == side
                and self.state[order] != SUBMITTED
                and low <= self.level[order] <= high
            ):
                stop = stop or self.waits[order] == STOP
                limit = limit or self.waits[order] == LIMIT
            order = self.all.after[order]
        return stop and limit

    # Many at once, by id.

    def drop_siblings(self, group: cython.longlong) -> cython.void:
        order: cython.longlong = self.grouped.first
        while order != 0:
            if self.oco[order] == group:
                self.drop(order, CANCELLED_OCO)
            order = self.grouped.after[order]

    def drop_reduce_only(self) -> cython.void:
        order: cython.longlong = self.reducing.first
        while order != 0:
            if self.state[order] != SUBMITTED:
                self.drop(order, CANCELLED_REDUCE_ONLY)
            order = self.reducing.after[order]

    def drop_orders(self, code: cython.int) -> cython.void:
        order: cython.longlong = self.all.first
        while order != 0:
            if self.type[order] != TARGET_EVENT:
                self.drop(order, code)
            order = self.all.after[order]

    def activate(self, order: cython.longlong, day: cython.longlong) -> cython.void:
        """A submitted order is live from here on."""
        self.leave_place(order)
        self.day[order] = day
        self.state[order] = FRESH
        self.fresh.append(order)
        if self.tif[order] == DAY:
            self.earliest_day = min(self.earliest_day, day)
            self.has_deadlines = True

    def is_due(self, bars: Bars, i: cython.Py_ssize_t) -> cython.bint:
        """Whether an order may take no part in bar i any more."""
        return bars.close_time(i) > self.earliest_expiry or bars.day(i) > self.earliest_day

    def expire(self, bars: Bars, i: cython.Py_ssize_t) -> cython.void:
        """Drops what takes no part in bar i."""
        order: cython.longlong = self.all.first
        closes: cython.longlong = bars.close_time(i)
        day: cython.longlong = bars.day(i)
        self.earliest_expiry = self.earliest_day = NEVER
        while order != 0:
            if self.tif[order] == GTD:
                if closes > self.expires[order]:
                    self.drop(order, EXPIRED_GTD)
                else:
                    self.earliest_expiry = min(self.earliest_expiry, self.expires[order])
            elif self.tif[order] == DAY and self.state[order] != SUBMITTED:
                if day > self.day[order]:
                    self.drop(order, EXPIRED_DAY)
                else:
                    self.earliest_day = min(self.earliest_day, self.day[order])
            order = self.all.after[order]
        self.has_deadlines = self.earliest_expiry != NEVER or self.earliest_day != NEVER

    def find(self, id: cython.longlong) -> cython.longlong:
        """The open order of this id; 0 for none. Old and new ones are found soonest."""
        early: cython.longlong = self.all.first
        late: cython.longlong = self.all.last
        found: cython.longlong = 0
        while early != 0 and self.id[early] <= id <= self.id[late]:
            if self.id[early] == id:
                found = early
                break
            if self.id[late] == id:
                found = late
                break
            early = self.all.after[early]
            late = self.all.before[late]
        return 0 if found == 0 or self.type[found] == TARGET_EVENT else found

    # What is there.

    def rows(self) -> list[tuple[Any, ...]]:
        """order, type, side, quantity, limit, stop, tif and reduce_only of every open order, by id.

        The stop of a trailing stop is where it now stands; one that a stop-limit has passed is 0.
        """
        found = []
        order: cython.longlong = self.all.first
        while order != 0:
            if self.type[order] != TARGET_EVENT:
                stop = self.level[order] if self.waits[order] == STOP else 0.0
                found.append(
                    (self.id[order], self.type[order], self.side[order], self.quantity[order],
                     self.limit[order], stop, self.tif[order], bool(self.reduce_only[order]))
                )  # fmt: skip
            order = self.all.after[order]
        return found

    def ids(self, submitted: cython.bint) -> tuple[int, ...]:
        """Ids of what still comes to the open, or else of what is live."""
        found = []
        order: cython.longlong = self.all.first
        while order != 0:
            if (self.state[order] == SUBMITTED) == submitted:
                found.append(self.id[order])
            order = self.all.after[order]
        return tuple(found)
