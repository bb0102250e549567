"""Which subscriptions really deliver. Pure: times are arguments, monotonic seconds.

A venue's "ok" proves nothing (BTCTurk says it of pairs that do not exist), so only data makes one live.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from spark_engine.feeds.provider import Acknowledged, Channel, Subscription


class Stage(StrEnum):
    REQUESTED = "requested"  # not joined yet, or no answer yet
    ACKNOWLEDGED = "acknowledged"  # the venue said yes; no data yet
    LIVE = "live"
    SILENT = "silent"  # overdue
    REFUSED = "refused"  # the venue said no


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds. `first`: from joining to the first data; `silence`: between data. None: nothing is promised,
    as for the trades of a thin pair."""

    first: float | None
    silence: float | None


@dataclass(frozen=True, slots=True)
class Overdue:
    """`ever`: it has delivered before, on this connection or an earlier one; if not, and it was joined more
    than once in vain, the symbol is probably unknown to the venue. `joins`: since it last delivered."""

    subscription: Subscription
    acknowledged: bool
    waited: float
    joins: int
    ever: bool


class _Watched:
    __slots__ = ("acknowledged", "due_from", "ever", "joins", "stage")

    def __init__(self) -> None:
        self.stage = Stage.REQUESTED
        self.acknowledged = False
        self.due_from: float | None = None  # join, last data or last time it was reported; None: not joined
        self.joins = 0
        self.ever = False


class Subscriptions:
    """All subscriptions of one connection.

    `overdue` names each one once per bound: whoever hears of it joins again (`on_requested`), reconnects
    (`on_disconnected`, then `on_requested`) or tells the user.
    """

    def __init__(self, subscriptions: Iterable[Subscription], bounds: Mapping[Channel, Bounds]) -> None:
        self._watched = {one: _Watched() for one in subscriptions}
        self._bounds = bounds

    def stage(self, subscription: Subscription) -> Stage:
        return self._watched[subscription].stage

    def stages(self) -> dict[Subscription, Stage]:
        return {one: watched.stage for one, watched in self._watched.items()}

    def on_requested(self, now: float, subscriptions: Iterable[Subscription] | None = None) -> None:
        """Join frames were sent, for all of them if not said otherwise."""
        for one in self._watched if subscriptions is None else subscriptions:
            watched = self._watched[one]
            watched.stage = Stage.REQUESTED
            watched.acknowledged = False
            watched.due_from = now
            watched.joins += 1

    def on_acknowledged(self, answer: Acknowledged, now: float) -> None:
        """A no to one that delivers says that it was joined twice: it goes on delivering."""
        watched = self._watched.get(answer.subscription) if answer.subscription else None
        if watched is None or not answer.joined or watched.due_from is None:
            return
        if not answer.accepted:
            if watched.stage is not Stage.LIVE:
                watched.stage = Stage.REFUSED
            return
        watched.acknowledged = True
        if watched.stage in (Stage.REQUESTED, Stage.REFUSED):
            watched.stage = Stage.ACKNOWLEDGED
            watched.due_from = now

    def on_data(self, subscription: Subscription, now: float) -> None:
        """Data of something that was never asked for is no business of ours."""
        watched = self._watched.get(subscription)
        if watched is None or watched.due_from is None:
            return
        watched.stage = Stage.LIVE
        watched.ever = True
        watched.due_from = now
        watched.joins = 0

    def on_disconnected(self) -> None:
        """Nothing is due until it is joined again."""
        for watched in self._watched.values():
            watched.stage = Stage.REQUESTED
            watched.acknowledged = False
            watched.due_from = None

    def overdue(self, now: float) -> list[Overdue]:
        """Those whose bound has passed by now; they become silent, the refused ones stay refused."""
        found = []
        for one, watched in self._watched.items():
            due = self._due(one.channel, watched)
            if due is None or watched.due_from is None or now < due:
                continue
            waited = now - watched.due_from
            found.append(Overdue(one, watched.acknowledged, waited, watched.joins, watched.ever))
            watched.due_from = now
            if watched.stage is not Stage.REFUSED:
                watched.stage = Stage.SILENT
        return found

    def _due(self, channel: Channel, watched: _Watched) -> float | None:
        bounds = self._bounds.get(channel)
        if bounds is None or watched.due_from is None:
            return None
        bound = bounds.silence if watched.joins == 0 else bounds.first
        return None if bound is None else watched.due_from + bound
