"""Who may hold a Job: at most so many runs of a namespace at a time, first come, first served."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
Order = tuple[str, str]


class Claim(Enum):
    """What an object says of itself."""

    NONE = auto()
    WAITING = auto()
    ACTIVE = auto()


@dataclass(frozen=True, slots=True)
class Place:
    """`position` counts from 1 among those that wait; 0 when admitted."""

    admitted: bool
    position: int = 0


ADMITTED = Place(admitted=True)


@dataclass(slots=True)
class _Group(Generic[K]):
    active: set[K] = field(default_factory=set)
    waiting: list[tuple[Order, K]] = field(default_factory=list)
    orders: dict[K, Order] = field(default_factory=dict)


class Slots(Generic[K]):
    """Rebuilt from the objects' own claims, so that a restart knows what its predecessor knew."""

    def __init__(self) -> None:
        self._groups: defaultdict[str, _Group[K]] = defaultdict(_Group)
        self._woken: dict[K, None] = {}

    def note(self, group: str, key: K, claim: Claim, order: Order, limit: int) -> None:
        """Takes note of a claim and admits nobody: those who hold a slot may not all be known yet."""
        members = self._groups[group]
        if claim is Claim.NONE:
            self._release(group, key, limit)
        elif claim is Claim.ACTIVE:
            self._leave_line(members, key)
            members.active.add(key)
        elif key not in members.active and key not in members.orders:
            members.orders[key] = order
            insort(members.waiting, (order, key))

    def place(self, group: str, key: K, claim: Claim, order: Order, limit: int) -> Place:
        """Takes note of a claim and answers with the place.

        A claim that waits is admitted when it is among the first for which there is room; once admitted it
        stays so until it claims nothing.
        """
        self.note(group, key, claim, order, limit)
        if claim is not Claim.WAITING:
            return ADMITTED
        members = self._groups[group]
        if key in members.active:
            return ADMITTED
        position = bisect_left(members.waiting, (members.orders[key], key)) + 1
        if position <= limit - len(members.active):
            self._leave_line(members, key)
            members.active.add(key)
            return ADMITTED
        return Place(admitted=False, position=position)

    def forget(self, group: str, key: K, limit: int) -> None:
        """The object is gone."""
        self._release(group, key, limit)

    def woken(self) -> list[K]:
        """Those for which there is room since the last call."""
        woken = list(self._woken)
        self._woken.clear()
        return woken

    def _release(self, group: str, key: K, limit: int) -> None:
        members = self._groups[group]
        if key in members.active or key in members.orders:
            members.active.discard(key)
            self._leave_line(members, key)
            for _, waiting in members.waiting[: max(0, limit - len(members.active))]:
                self._woken[waiting] = None
        if not members.active and not members.waiting:
            del self._groups[group]

    @staticmethod
    def _leave_line(members: _Group[K], key: K) -> None:
        order = members.orders.pop(key, None)
        if order is not None:
            del members.waiting[bisect_left(members.waiting, (order, key))]
