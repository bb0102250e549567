"""Which channels have fallen silent, and what to do about it. Pure: times are monotonic seconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from spark_engine.feeds.connection.subscriptions import Bounds, Subscriptions
from spark_engine.feeds.pipeline.patience import Patience
from spark_engine.feeds.provider import Acknowledged, Channel, StreamProvider, Subscription

JOINS_IN_VAIN: Final = 3


class Silence:
    """`states`: of every subscription. `since`: the last market data of the present connection, or its begin;
    None without one."""

    def __init__(
        self, subscriptions: Iterable[Subscription], provider: StreamProvider, patience: Patience
    ) -> None:
        listed = tuple(subscriptions)
        beat = provider.heartbeat_seconds
        ticker = any(one.channel == "ticker" for one in listed)
        self._silence = None if beat is None else patience.silent_heartbeats * beat
        self._bound = self._silence if ticker else None
        self.states = Subscriptions(listed, self._bounds(provider, patience))
        self.since: float | None = None
        self._given_up: set[Subscription] = set()  # a new connection did not help them

    def opened(self, now: float) -> None:
        """Connected; the subscriptions are on their way."""
        self.since = now
        self.states.on_requested(now)

    def closed(self) -> None:
        self.since = None
        self.states.on_disconnected()

    def requested(self, subscriptions: Iterable[Subscription], now: float) -> None:
        self.states.on_requested(now, subscriptions)

    def acknowledged(self, answer: Acknowledged, now: float) -> None:
        self.states.on_acknowledged(answer, now)

    def data(self, subscription: Subscription, now: float) -> None:
        self.since = now
        self.states.on_data(subscription, now)
        self._given_up.discard(subscription)

    def look(self, now: float) -> tuple[list[Subscription], str]:
        """(what to join anew, why to give the connection up: empty where it serves).

        A pair that was delisted never comes back: for its sake there is one new connection, and no more.
        """
        if self.since is None:
            return [], ""
        if self._bound is not None and now - self.since >= self._bound:
            return [], f"no market data for {self._bound:g} s over an open connection"
        again = []
        for overdue in self.states.overdue(now):
            one = overdue.subscription
            if overdue.ever and overdue.joins >= JOINS_IN_VAIN and one not in self._given_up:
                self._given_up.update(each for each in self.states.stages() if each.symbol == one.symbol)
                return [], f"{one.channel} of {one.symbol} has fallen silent"
            again.append(one)
        return again, ""

    def _bounds(self, provider: StreamProvider, patience: Patience) -> dict[Channel, Bounds]:
        """Nobody promises that a pair trades, or that its book changes."""
        first = patience.first_data_seconds
        quiet = Bounds(first=first, silence=None)
        return {
            "ticker": Bounds(first=first, silence=self._silence),
            "trade": quiet if provider.joins_with_snapshot else Bounds(first=None, silence=None),
            "orderbook": quiet,
            "obdiff": quiet,
        }
