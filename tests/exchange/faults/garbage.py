"""Frames that do not belong: sent at once to every open socket, between the others."""

# ruff: noqa: ARG002, ARG003 - one signature for all, used or not

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Self

from tests.exchange import frames
from tests.exchange.faults.base import Fault, FaultRecord
from tests.exchange.frames import BINARY, Message
from tests.exchange.ledger import Trade
from tests.exchange.listings import UNIT, catalogue, many_symbols
from tests.exchange.ticker import Ticker

if TYPE_CHECKING:
    from tests.exchange.server import FakeExchange
    from tests.exchange.sockets import Session

NO_PROTOCOL = (
    "", "hello", "null", "{}", "[]", "[422]", "[422,{}]", '["422",{"type":422}]', "[422,null]",
    '[402,{"B":', '[422,[1,2]]', '[[[[[[[[', '[1e999,{}]', '[402,{"PS":17,"type":402}]',
)  # fmt: skip
NO_NUMBERS = ("NaN", "Infinity", "-Infinity", "", "1,5", "0x10", "-1", "1e400", "٣")
FALSE_ID = "9" * 18  # no trade of the ledger has it


@dataclass(frozen=True)
class _Stray(Fault):
    seconds: float = 0.0

    @asynccontextmanager
    async def active(self, exchange: FakeExchange, record: FaultRecord) -> AsyncIterator[None]:
        for session in exchange.sessions:
            for message in self.messages(exchange, session):
                session.write(message.raw)
                record.counts["frames"] += 1
        yield

    def messages(self, exchange: FakeExchange, session: Session) -> Iterable[Message]:
        raise NotImplementedError

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        return cls()


@dataclass(frozen=True)
class GarbageText(_Stray):
    """Text that is no JSON, and JSON that is no frame."""

    texts: tuple[str, ...] = NO_PROTOCOL

    def messages(self, exchange: FakeExchange, session: Session) -> Iterable[Message]:
        return [Message(0, text.encode()) for text in self.texts]


@dataclass(frozen=True)
class InvalidUtf8(_Stray):
    """A text frame that is no UTF-8: a conforming client fails the connection with 1007."""

    def messages(self, exchange: FakeExchange, session: Session) -> Iterable[Message]:
        return [Message(0, b'[402,{"PS":"\xff\xfe\xc3\x28"}]')]


@dataclass(frozen=True)
class BinaryFrame(_Stray):
    """Binary frames: bytes of no meaning, and a welcome that should have been text."""

    def messages(self, exchange: FakeExchange, session: Session) -> Iterable[Message]:
        return [Message(0, bytes(range(256)), opcode=BINARY), replace(frames.welcome(), opcode=BINARY)]


@dataclass(frozen=True)
class GiantTickerAll(_Stray):
    """A 401 with 379 items, about 100 kB, whether joined or not."""

    items: int = 379

    def messages(self, exchange: FakeExchange, session: Session) -> Iterable[Message]:
        tickers = [Ticker(listing) for listing in catalogue(many_symbols(self.items)).values()]
        for number, ticker in enumerate(tickers):
            listing = ticker.listing
            ticker.add(
                listing.start_units + 997 * listing.price_step, UNIT * (5000 + 37 * number) + 12345678900
            )
        return [frames.ticker_all(ticker.strings() for ticker in tickers)]


@dataclass(frozen=True)
class GiantFrame(_Stray):
    """A well-formed frame of several MiB of an unknown type."""

    mebibytes: float = 6.0

    def messages(self, exchange: FakeExchange, session: Session) -> Iterable[Message]:
        return [frames.message(999, {"type": 999, "filler": "x" * int(self.mebibytes * 2**20)})]

    @classmethod
    def sample(cls, chance: Random, symbols: tuple[str, ...]) -> Self:
        return cls(mebibytes=chance.choice((0.9, 3.0, 6.0)))


@dataclass(frozen=True)
class UnknownType(_Stray):
    """Type 999, a notice 801, and the stray private 451 that was seen on public sockets."""

    def messages(self, exchange: FakeExchange, session: Session) -> Iterable[Message]:
        order = {"pairId": 0, "symbol": "BTCTRY", "id": 0, "method": 0, "userId": 0, "orderType": 0}
        order |= {"price": "0", "amount": "0", "numLeft": "0.00", "denomLeft": "0", "newOrderClientId": None}
        return [
            frames.message(999, {"type": 999, "new": {"thing": [1, 2]}}),
            frames.message(801, {"type": 801, "message": "bakım"}),
            frames.message(451, {"type": 451, **order}),
        ]


@dataclass(frozen=True)
class WrongPair(_Stray):
    """A 422 on each joined pair whose PS is another pair; no ledger has that trade."""

    pair: str = "NOPETRY"

    def messages(self, exchange: FakeExchange, session: Session) -> Iterable[Message]:
        return [
            frames.trade(made, pair=self.pair) for made in _false_trades(exchange, session, "1.0000000000")
        ]


@dataclass(frozen=True)
class NotANumber(_Stray):
    """422s on each joined pair whose price is no number; no ledger has those trades."""

    prices: tuple[str, ...] = NO_NUMBERS

    def messages(self, exchange: FakeExchange, session: Session) -> Iterable[Message]:
        return [
            frames.trade(made) for price in self.prices for made in _false_trades(exchange, session, price)
        ]


def _false_trades(exchange: FakeExchange, session: Session, price: str) -> list[Trade]:
    now_ms = exchange.clock.now_ms()
    joined = [event for channel, event in session.subscriptions if channel == "trade"]
    return [Trade(event, FALSE_ID, now_ms, price, "0.0100000000", 1) for event in joined]
