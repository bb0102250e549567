"""The instruments of a feed at their present scales, which widen when the venue sends more decimals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import msgspec

from spark_engine.errors import InvalidSpec
from spark_engine.feeds.market import Instrument
from spark_engine.feeds.provider import Malformed, Message, Rescaled, Subscription
from spark_engine.feeds.providers.decimals import MOST_UNITS, POWERS, TooFine, units

S = TypeVar("S")
V = TypeVar("V")


class Widened(Exception):
    """The scale has just become wider: what was read of the message so far is to be read again."""


class Listing:
    """One instrument. A number that its scale cannot hold widens the scale; nothing is ever rounded."""

    __slots__ = ("_told", "instrument", "largest_price", "largest_quantity", "price_scale", "quantity_scale")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = self._told = instrument
        self.price_scale = instrument.price_scale
        self.quantity_scale = instrument.quantity_scale
        self.largest_price = self.largest_quantity = 0

    def price(self, text: str) -> int:
        """Raises `Malformed`, or `Widened` within `read`."""
        try:
            number = units(text, self.price_scale)
        except TooFine as finer:
            self._widen_price(finer.scale)
            raise Widened from None
        if number > self.largest_price:
            self.largest_price = number
        return number

    def quantity(self, text: str) -> int:
        """Raises `Malformed`, or `Widened` within `read`."""
        try:
            number = units(text, self.quantity_scale)
        except TooFine as finer:
            self._widen_quantity(finer.scale)
            raise Widened from None
        if number > self.largest_quantity:
            self.largest_quantity = number
        return number

    def read(self, make: Callable[[Listing, S], V], source: S) -> V:
        """`make(self, source)` with all numbers at one pair of scales. Raises `Malformed`."""
        while True:
            try:
                return make(self, source)
            except Widened:
                continue

    def messages(self, make: Callable[[Listing, S], Message], source: S) -> tuple[Message, ...]:
        """The message of a frame, after `Rescaled` where the scales are wider than was told before."""
        message = self.read(make, source)
        if self._told is self.instrument:
            return (message,)
        self._told = self.instrument
        return (Rescaled(self.instrument), message)

    def _widen_price(self, scale: int) -> None:
        self.largest_price = _with_room(self.largest_price, self.price_scale, scale, "price")
        self.price_scale = scale
        self.instrument = msgspec.structs.replace(self.instrument, price_scale=scale)

    def _widen_quantity(self, scale: int) -> None:
        self.largest_quantity = _with_room(self.largest_quantity, self.quantity_scale, scale, "quantity")
        self.quantity_scale = scale
        self.instrument = msgspec.structs.replace(self.instrument, quantity_scale=scale)


def _with_room(largest: int, scale: int, wider: int, what: str) -> int:
    """One garbled number must not widen a scale so far that honest ones fit no longer."""
    number = largest * POWERS[wider - scale]
    if number > MOST_UNITS:
        raise Malformed(f"a {what} with {wider} decimals, with which earlier ones do not fit into 64 bits")
    return number


class Listings:
    """What a feed trades and what it has asked for. `asked`: listings by the venue's symbol."""

    def __init__(self, venue: str) -> None:
        self._venue = venue
        self._by_symbol: dict[str, Listing] = {}
        self._symbols: dict[str, str] = {}
        self._joined: set[Subscription] = set()
        self.asked: dict[str, Listing] = {}

    def use(self, instruments: Mapping[str, Instrument]) -> None:
        self._by_symbol = {symbol: Listing(instrument) for symbol, instrument in instruments.items()}
        self._symbols = {instrument.venue_symbol: symbol for symbol, instrument in instruments.items()}
        self._ask()

    def join(self, subscriptions: Iterable[Subscription]) -> None:
        self._joined.update(subscriptions)
        self._ask()

    def leave(self, subscriptions: Iterable[Subscription]) -> None:
        self._joined.difference_update(subscriptions)
        self._ask()

    def of(self, symbol: str) -> Listing:
        """Raises `InvalidSpec` for a symbol that is none of the instruments."""
        listing = self._by_symbol.get(symbol)
        if listing is None:
            raise InvalidSpec(f"{self._venue} has no instrument {symbol!r:.80}", field="spec.symbols")
        return listing

    def venue_symbol(self, symbol: str) -> str:
        """The venue's spelling; as it is where the venue does not know it."""
        listing = self._by_symbol.get(symbol)
        return symbol if listing is None else listing.instrument.venue_symbol

    def symbol(self, venue_symbol: str) -> str:
        """The canonical spelling; as it is where the venue does not know it."""
        return self._symbols.get(venue_symbol, venue_symbol)

    def _ask(self) -> None:
        known = {each.symbol: self._by_symbol.get(each.symbol) for each in self._joined}
        self.asked = {found.instrument.venue_symbol: found for found in known.values() if found is not None}
