"""One pair's book of at most 100 levels a side, and what changed in it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.exchange.chance import seeded
from tests.exchange.listings import Listing, trimmed
from tests.exchange.ticker import Quote

LEVELS = 100
REPLACE, ADD, DELETE = 0, 1, 3

Levels = dict[int, int]
Change = dict[str, int | str]


@dataclass(frozen=True)
class Delta:
    asks: list[Change]
    bids: list[Change]

    def __bool__(self) -> bool:
        return bool(self.asks or self.bids)


class Book:
    """Prices and amounts in units of 1e-10. `move` brings it to a new quote and tells what changed."""

    def __init__(self, listing: Listing, seed: object, quote: Quote) -> None:
        self._listing = listing
        self._chance = seeded("book", seed, listing.symbol)
        self._quote = quote
        self._asks: Levels = {}
        self._bids: Levels = {}
        self._refill(quote)

    def asks(self) -> list[tuple[int, int]]:
        """Best first."""
        return sorted(self._asks.items())

    def bids(self) -> list[tuple[int, int]]:
        return sorted(self._bids.items(), reverse=True)

    def move(self, quote: Quote) -> Delta:
        """Nothing changes while the quote does not. Levels that fall out of the window are deletions."""
        if quote == self._quote:
            return Delta([], [])
        asks, bids = dict(self._asks), dict(self._bids)
        self._quote = quote
        self._refill(quote)
        return Delta(_changes(asks, self._asks), _changes(bids, self._bids))

    def _refill(self, quote: Quote) -> None:
        step = self._listing.price_step
        self._asks = self._side(self._asks, quote.ask, step, quote.ask_amount)
        self._bids = self._side(self._bids, quote.bid, -step, quote.bid_amount)

    def _side(self, levels: Levels, best: int, step: int, amount: int) -> Levels:
        kept = {price: had for price, had in levels.items() if (price - best) * step > 0}
        kept[best] = amount
        for price in self._chance.sample(sorted(kept), min(3, len(kept) - 1)):
            if price != best:
                kept[price] = self._amount(amount)
        price = best
        while len(kept) < LEVELS:
            price += step * self._chance.randint(1, 9)
            if price <= 0:
                break
            kept.setdefault(price, self._amount(amount))
        nearest = sorted(kept, key=lambda level: (level - best) * step)[:LEVELS]
        return {level: kept[level] for level in nearest}

    def _amount(self, about: int) -> int:
        step = self._listing.amount_step
        return max(int(about * self._chance.lognormvariate(0, 1)) // step, 1) * step


def spelt_levels(levels: list[tuple[int, int]]) -> list[dict[str, str]]:
    return [{"A": trimmed(amount), "P": trimmed(price)} for price, amount in levels]


def _changes(before: Levels, after: Levels) -> list[Change]:
    """A deletion tells the amount that was there, not zero."""
    changed: list[Change] = []
    for price in sorted(before.keys() | after.keys()):
        if price not in after:
            changed.append(_change(DELETE, price, before[price]))
        elif price not in before:
            changed.append(_change(ADD, price, after[price]))
        elif before[price] != after[price]:
            changed.append(_change(REPLACE, price, after[price]))
    return changed


def _change(kind: int, price: int, amount: int) -> Change:
    return {"CP": kind, "P": trimmed(price), "A": trimmed(amount)}
