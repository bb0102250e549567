"""feeds: decode and normalise frames of BTCTurk, beside a plain loop of json and pydantic.

python -m bench --only feed_decode
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel
from spark_engine.feeds.market import Instrument
from spark_engine.feeds.provider import Book, Message, Quoted, StreamProvider, Subscription, Ticks
from spark_engine.feeds.providers.registry import stream_provider

from bench.peers import Peers
from bench.row import Row, interleaved, limit_row, ratio_row, timed

SEED = 42
SYMBOLS = [f"P{number:03}TRY" for number in range(100)]
PRICE_SCALE, QUANTITY_SCALE = 2, 10
FRAMES = 2_000
LEVELS, LATEST = 100, 50
MOST_SECONDS = 1 / 100_000
SHARES = {"402": 60, "422": 30, "432": 8, "431": 1, "421": 1}  # of a hundred ordinary frames
NAMES = {
    "402": "402 tickers",
    "422": "422 trades",
    "421": f"421 the latest {LATEST} trades",
    "431": f"431 books of {2 * LEVELS} levels",
    "432": "432 changes of a book",
}
Numbers = tuple[object, ...]


def rows(peers: Peers) -> Iterator[Row]:  # noqa: ARG001 - of other rooms
    draw = random.Random(SEED)  # noqa: S311 - frames, not keys
    frames = {kind: [_frame(kind, draw) for _ in range(FRAMES)] for kind in SHARES}
    mix = [frame for kind, share in SHARES.items() for frame in frames[kind][: FRAMES * share // 100]]
    draw.shuffle(mix)
    yield from _measured("the ordinary mix of frames", mix, MOST_SECONDS)
    for kind, name in NAMES.items():
        yield from _measured(name, frames[kind])


def _measured(work: str, frames: Sequence[str], most: float | None = None) -> Iterator[Row]:
    """Both sides must make the same numbers of every frame."""
    venue = _venue()
    if [_ours(venue.decode(frame)) for frame in frames] != [plain(frame) for frame in frames]:
        raise SystemExit(f"{work}: the two decoders disagree; no ratio of unequal work")
    ours, theirs = interleaved(timed(_loop(venue.decode, frames)), timed(_loop(plain, frames)))
    yield ratio_row(f"{work}, {len(frames):,}", ours, "json + pydantic", theirs)
    a_frame = ours.best / len(frames)
    shown = f"{1 / a_frame:,.0f}/s"
    if most is None:
        yield Row("  frames a second", shown, f"json + pydantic {len(frames) / theirs.best:,.0f}/s", "")
    else:
        yield limit_row("  frames a second", shown, a_frame, most, f">= {1 / most:,.0f}/s")


def _loop(decode: Callable[[str], object], frames: Sequence[str]) -> Callable[[], None]:
    def run() -> None:
        for frame in frames:
            decode(frame)

    return run


def _venue() -> StreamProvider:
    venue = stream_provider("btcturk-spot")
    venue.use({symbol: _instrument(symbol) for symbol in SYMBOLS})
    venue.subscribe([Subscription("trade", symbol) for symbol in SYMBOLS])
    return venue


def _instrument(symbol: str) -> Instrument:
    return Instrument(
        symbol=symbol,
        venue_symbol=symbol,
        base=symbol[:4],
        quote="TRY",
        price_scale=PRICE_SCALE,
        quantity_scale=QUANTITY_SCALE,
    )


def _ours(messages: Sequence[Message]) -> list[Numbers]:
    (message,) = messages
    if isinstance(message, Ticks):
        return [(tick.id, tick.ts_ms, tick.price, tick.quantity) for tick in message.ticks]
    if isinstance(message, Quoted):
        quote = message.quote
        return [(quote.bid, quote.ask, quote.bid_quantity, quote.ask_quantity, quote.last)]
    assert isinstance(message, Book)
    best = message.quote
    return [(message.sequence, best.bid, best.ask) if best else (message.sequence,)]


class PlainTicker(BaseModel):
    PS: str
    B: Decimal
    A: Decimal
    BA: Decimal
    AA: Decimal
    LA: Decimal


class PlainTrade(BaseModel):
    PS: str = ""
    D: int
    I: str  # noqa: E741 - the venue's name
    P: Decimal
    A: Decimal
    S: int


class PlainTrades(BaseModel):
    symbol: str
    items: list[PlainTrade]


class PlainLevel(BaseModel):
    P: Decimal
    A: Decimal


class PlainBook(BaseModel):
    PS: str
    CS: int
    AO: list[PlainLevel]
    BO: list[PlainLevel]


def plain(frame: str) -> list[Numbers]:
    """What anybody would write first: every field as a checked `Decimal`, then integers."""
    kind, model = json.loads(frame)
    if kind == 402:
        quote = PlainTicker.model_validate(model)
        amounts = _quantity(quote.BA), _quantity(quote.AA)
        return [(_price(quote.B), _price(quote.A), *amounts, _price(quote.LA))]
    if kind == 422:
        return [_plain_trade(PlainTrade.model_validate(model))]
    if kind == 421:
        items = PlainTrades.model_validate(model).items
        return [_plain_trade(item) for item in reversed(items)]
    book = PlainBook.model_validate(model)
    return [(book.CS,) if kind == 432 else (book.CS, _price(book.BO[0].P), _price(book.AO[0].P))]


def _plain_trade(trade: PlainTrade) -> Numbers:
    return trade.I, trade.D, _price(trade.P), _quantity(trade.A)


def _price(value: Decimal) -> int:
    return int(value.scaleb(PRICE_SCALE))


def _quantity(value: Decimal) -> int:
    return int(value.scaleb(QUANTITY_SCALE))


def _frame(kind: str, draw: random.Random) -> str:
    symbol = draw.choice(SYMBOLS)
    make = {"402": _ticker, "422": _trade, "421": _latest, "431": _book, "432": _change}[kind]
    model = make(symbol, draw) | {"event": symbol, "type": int(kind)}
    return json.dumps([int(kind), model], separators=(",", ":"))


def _ticker(symbol: str, draw: random.Random) -> dict[str, Any]:
    prices = {name: f"{draw.uniform(3e6, 4e6):.2f}" for name in ("B", "A", "H", "L", "LA", "O")}
    amounts = {name: f"{draw.uniform(0, 10):.8f}" for name in ("BA", "AA", "V")}
    rest = {"AV": "3824093.6008034", "D": "-12647", "DP": "-0.38", "DS": "TRY", "NS": symbol[:4], "PId": 1}
    return {**prices, **amounts, "PS": symbol, **rest, "channel": "ticker"}


def _item(number: int, draw: random.Random) -> dict[str, Any]:
    return {
        "D": str(1_787_692_476_996 + number),
        "I": str(100_163_842_129_199_947 + number),
        "A": f"{draw.uniform(0.001, 10):.8f}00",
        "P": f"{draw.uniform(3e6, 4e6):.2f}00000000",
        "S": draw.randrange(2),
    }


def _trade(symbol: str, draw: random.Random) -> dict[str, Any]:
    return {**_item(draw.randrange(10**6), draw), "PS": symbol, "channel": "trade"}


def _latest(symbol: str, draw: random.Random) -> dict[str, Any]:
    items = [_item(number, draw) for number in reversed(range(LATEST))]
    return {"symbol": symbol, "items": items, "channel": "trade"}


def _levels(count: int, draw: random.Random) -> list[dict[str, Any]]:
    return [{"P": f"{draw.uniform(3e6, 4e6):.2f}", "A": f"{draw.uniform(0, 10):.8f}"} for _ in range(count)]


def _book(symbol: str, draw: random.Random) -> dict[str, Any]:
    sides = {"AO": _levels(LEVELS, draw), "BO": _levels(LEVELS, draw)}
    return {"CS": draw.randrange(10**7), "PS": symbol, **sides, "channel": "obdiff"}


def _change(symbol: str, draw: random.Random) -> dict[str, Any]:
    sides = {side: [{"CP": 1, **level} for level in _levels(3, draw)] for side in ("AO", "BO")}
    return {"CS": draw.randrange(10**7), "PS": symbol, **sides, "channel": "obdiff"}
