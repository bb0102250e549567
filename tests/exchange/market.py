"""Seeded trades: a random walk on ticks with quiet minutes, bursts and several trades in a millisecond."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from random import Random

from tests.exchange.chance import seeded
from tests.exchange.listings import UNIT, Listing

MINUTE = 60_000


@dataclass(frozen=True)
class Activity:
    """How a pair trades: at `per_minute` moments, each with further trades in the same millisecond at that
    chance (0.2 gives a quarter more trades). `quiet` and `burst` are the shares of minutes without a trade
    and with `burst_trades` in one second."""

    per_minute: float = 30.0
    quiet: float = 0.1
    burst: float = 0.02
    burst_trades: int = 300
    same_millisecond: float = 0.2


@dataclass(frozen=True, slots=True)
class Draft:
    """A trade to be: exchange time in ms, price and amount in units of 1e-10."""

    time_ms: int
    price: int
    amount: int
    side: int


class PairMarket:
    """One pair's trades to come. What a minute brings depends on the seed, the pair and the minute alone,
    so that it does not matter in which steps time goes on."""

    def __init__(self, listing: Listing, seed: object, activity: Activity) -> None:
        self.listing = listing
        self.last = listing.start_units
        self._seed = seed
        self._activity = activity
        self._pending: deque[tuple[int, int, int, int]] = deque()
        self._minute = 0

    def begin(self, time_ms: int) -> None:
        """Forgets what was to come and goes on from that time."""
        self._minute = time_ms // MINUTE
        self._pending = deque(drawn for drawn in self._draw(self._minute) if drawn[0] > time_ms)

    def due_ms(self) -> int:
        """When the next trade comes; at the latest the end of the minutes that have been drawn."""
        return self._pending[0][0] if self._pending else (self._minute + 1) * MINUTE

    def take(self, until_ms: int) -> list[Draft]:
        """The trades up to that time, that moment included."""
        taken = []
        while self.due_ms() <= until_ms:
            if not self._pending:
                self._minute += 1
                self._pending.extend(self._draw(self._minute))
                continue
            time_ms, steps, amount, side = self._pending.popleft()
            taken.append(Draft(time_ms, self._walk(steps), amount, side))
        return taken

    def _walk(self, steps: int) -> int:
        step = self.listing.price_step
        start = self.listing.start_units
        price = self.last + steps * step
        if not max(start // 2, step) <= price <= start * 2:
            price = self.last - steps * step
        self.last = max(price, step)
        return self.last

    def _draw(self, minute: int) -> list[tuple[int, int, int, int]]:
        """(time, steps of price, amount, side) of every trade in the minute, by time."""
        activity = self._activity
        chance = seeded("minute", self._seed, self.listing.symbol, minute)
        if activity.per_minute <= 0 or chance.random() < activity.quiet:
            return []
        times = _arrivals(chance, activity)
        if chance.random() < activity.burst:
            from_ms = chance.randrange(MINUTE - 1000)
            times += [from_ms + chance.randrange(1000) for _ in range(activity.burst_trades)]
        return [(minute * MINUTE + time, *self._trade(chance)) for time in sorted(times)]

    def _trade(self, chance: Random) -> tuple[int, int, int]:
        swing = max(1, self.listing.start_units // self.listing.price_step // 20_000)
        worth = UNIT * 5000 * UNIT // self.listing.start_units  # what 5,000 of the quote buy
        amount = int(worth * chance.lognormvariate(-1.0, 1.2))
        if chance.random() > 0.1:  # captured amounts go beyond the pair's scale now and then
            amount = amount // self.listing.amount_step * self.listing.amount_step
        return chance.randint(-swing, swing), max(amount, self.listing.amount_step), chance.randrange(2)


def _arrivals(chance: Random, activity: Activity) -> list[int]:
    times: list[int] = []
    at = chance.expovariate(activity.per_minute / MINUTE)
    while at < MINUTE:
        times.append(int(at))
        while chance.random() < activity.same_millisecond:
            times.append(int(at))
        at += chance.expovariate(activity.per_minute / MINUTE)
    return times
