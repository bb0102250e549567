# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, call-overload"
"""Sets of table slots: a list in order of arrival, a heap in order of price. Compiled; see `kernel`.

A slot is a row number from 1 on; 0 is none. All operations but the growth of a table are free of the
interpreter's lock.
"""

from __future__ import annotations

import cython

from spark_engine.data.rows import zeros
from spark_engine.simulation.rows import longer

INFINITY = cython.declare(cython.double, float("inf"))


@cython.cclass
class SlotList:
    """Doubly linked. The links of a slot that was removed stay, for whoever is walking along the list."""

    def __init__(self, room: int) -> None:
        self.first = self.last = 0
        self.before, self.after = zeros("q", room), zeros("q", room)

    def grow(self) -> None:
        self.before, self.after = longer(self.before, "q"), longer(self.after, "q")

    def append(self, slot: cython.longlong) -> cython.void:
        self.before[slot] = self.last
        self.after[slot] = 0
        if self.last == 0:
            self.first = slot
        else:
            self.after[self.last] = slot
        self.last = slot

    def remove(self, slot: cython.longlong) -> cython.void:
        before: cython.longlong = self.before[slot]
        after: cython.longlong = self.after[slot]
        if before == 0:
            self.first = after
        else:
            self.after[before] = after
        if after == 0:
            self.last = before
        else:
            self.before[after] = before


@cython.cclass
class SlotHeap:
    """A binary heap: the slot of the smallest key is `slot[0]`, of equal keys that of the smallest rank.

    `lowest` is the smallest key, infinity where there is none.
    """

    def __init__(self, room: int) -> None:
        self.size = 0
        self.lowest = INFINITY
        self.key, self.rank = zeros("d", room), zeros("q", room)
        self.slot, self.place = zeros("q", room), zeros("q", room)

    def grow(self) -> None:
        self.key, self.rank = longer(self.key, "d"), longer(self.rank, "q")
        self.slot, self.place = longer(self.slot, "q"), longer(self.place, "q")

    def push(self, slot: cython.longlong, key: cython.double, rank: cython.longlong) -> cython.void:
        self.size += 1
        self.rise(self.size - 1, slot, key, rank)
        self.lowest = self.key[0]

    def remove(self, slot: cython.longlong) -> cython.void:
        """Takes out a slot that is in; the last one takes its place and moves to where it belongs."""
        at: cython.Py_ssize_t = self.place[slot]
        last: cython.Py_ssize_t = self.size - 1
        self.size = last
        if at == last:
            pass
        elif at > 0 and self.is_less(self.key[last], self.rank[last], (at - 1) >> 1):
            self.rise(at, self.slot[last], self.key[last], self.rank[last])
        else:
            self.sink(at, self.slot[last], self.key[last], self.rank[last])
        self.lowest = self.key[0] if last > 0 else INFINITY

    def is_less(self, key: cython.double, rank: cython.longlong, at: cython.Py_ssize_t) -> cython.bint:
        return key < self.key[at] or (key == self.key[at] and rank < self.rank[at])

    def set(
        self, at: cython.Py_ssize_t, slot: cython.longlong, key: cython.double, rank: cython.longlong
    ) -> cython.void:
        self.slot[at] = slot
        self.key[at] = key
        self.rank[at] = rank
        self.place[slot] = at

    def rise(
        self, at: cython.Py_ssize_t, slot: cython.longlong, key: cython.double, rank: cython.longlong
    ) -> cython.void:
        above: cython.Py_ssize_t
        while at > 0:
            above = (at - 1) >> 1
            if not self.is_less(key, rank, above):
                break
            self.set(at, self.slot[above], self.key[above], self.rank[above])
            at = above
        self.set(at, slot, key, rank)

    def sink(
        self, at: cython.Py_ssize_t, slot: cython.longlong, key: cython.double, rank: cython.longlong
    ) -> cython.void:
        below: cython.Py_ssize_t = 2 * at + 1
        while below < self.size:
            if below + 1 < self.size and self.is_less(self.key[below + 1], self.rank[below + 1], below):
                below += 1
            if self.is_less(key, rank, below):
                break
            self.set(at, self.slot[below], self.key[below], self.rank[below])
            at = below
            below = 2 * at + 1
        self.set(at, slot, key, rank)
