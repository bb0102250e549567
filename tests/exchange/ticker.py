"""The figures of one pair's ticker, since the exchange began."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.exchange.listings import DECIMALS, UNIT, Listing, number, trimmed


@dataclass(frozen=True, slots=True)
class Quote:
    """Best prices and their amounts, in units of 1e-10."""

    bid: int
    ask: int
    bid_amount: int
    ask_amount: int


class Ticker:
    """High, low, volume and the average price of all trades seen (the venue's are of 24 hours)."""

    def __init__(self, listing: Listing) -> None:
        self.listing = listing
        self.open = self.high = self.low = self.last = listing.start_units
        self.volume = 0
        self._turnover = 0

    def add(self, price: int, amount: int) -> None:
        self.last = price
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.volume += amount
        self._turnover += price * amount

    def average(self) -> Decimal:
        units = self._turnover // self.volume if self.volume else self.last
        return Decimal(units).scaleb(-DECIMALS)

    def quote(self) -> Quote:
        """A spread of two steps around the last price; amounts change when the price does."""
        step = self.listing.price_step
        share = self.last // step % 89 + 10
        worth = UNIT * 1000 * UNIT // self.listing.start_units
        amount = max(worth * share // 100 // self.listing.amount_step, 1) * self.listing.amount_step
        return Quote(max(self.last - step, step), self.last + step, amount, amount * 2)

    def change_percent(self) -> Decimal:
        return (Decimal(self.last - self.open) * 100 / Decimal(self.open)).quantize(Decimal("0.01"))

    def strings(self) -> dict[str, Any]:
        """The fields of 402 that come before channel, event and type, in the captured order."""
        quote = self.quote()
        return {
            "B": trimmed(quote.bid),
            "A": trimmed(quote.ask),
            "BA": trimmed(quote.bid_amount),
            "AA": trimmed(quote.ask_amount),
            "PS": self.listing.symbol,
            "H": trimmed(self.high),
            "L": trimmed(self.low),
            "LA": trimmed(self.last),
            "O": trimmed(self.open),
            "V": trimmed(self.volume // 100 * 100),  # eight decimals
            "AV": format(self.average().quantize(Decimal(1).scaleb(-12)), "f"),
            "D": trimmed(self.last - self.open),
            "DP": format(self.change_percent(), "f"),
            "DS": self.listing.quote,
            "NS": self.listing.base,
            "PId": self.listing.id,
        }

    def numbers(self, timestamp_ms: int) -> dict[str, Any]:
        """A row of the REST ticker: the same as JSON numbers."""
        quote = self.quote()
        listing = self.listing
        average = int(self.average().scaleb(DECIMALS)) // listing.price_step * listing.price_step
        return {
            "pair": listing.symbol,
            "pairNormalized": listing.normalized,
            "timestamp": timestamp_ms,
            "last": number(self.last),
            "high": number(self.high),
            "low": number(self.low),
            "bid": number(quote.bid),
            "ask": number(quote.ask),
            "open": number(self.open),
            "volume": number(self.volume // 100 * 100),
            "average": number(average),
            "daily": number(self.last - self.open),
            "dailyPercent": float(self.change_percent()),
            "denominatorSymbol": listing.quote,
            "numeratorSymbol": listing.base,
            "order": 999 + listing.id,
        }
