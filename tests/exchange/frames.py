"""The exchange's WebSocket frames, byte for byte as they were captured: `[type,{model}]`, compact JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.exchange.book import Delta
from tests.exchange.ledger import Trade

TEXT, BINARY = 1, 2


@dataclass(frozen=True)
class Message:
    """One WebSocket message. `kind` is its type number, or 0 for what is no frame of the protocol."""

    kind: int
    payload: bytes
    channel: str = ""
    event: str = ""
    opcode: int = TEXT
    trade_id: str = ""

    @cached_property
    def raw(self) -> bytes:
        """The bytes on the wire: a server does not mask."""
        return framed(self.opcode, self.payload)


def framed(opcode: int, payload: bytes) -> bytes:
    """RFC 6455, section 5.2: one final frame."""
    length = len(payload)
    if length < 126:
        head = bytes((0x80 | opcode, length))
    elif length < 65_536:
        head = bytes((0x80 | opcode, 126)) + length.to_bytes(2, "big")
    else:
        head = bytes((0x80 | opcode, 127)) + length.to_bytes(8, "big")
    return head + payload


def message(kind: int, model: Mapping[str, Any], channel: str = "", event: str = "") -> Message:
    """With a channel, the model ends with channel, event and type; without one it is sent as it stands."""
    tail = {"channel": channel, "event": event, "type": kind} if channel else {}
    return Message(kind, compact([kind, {**model, **tail}]), channel, event)


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def welcome() -> Message:
    return message(991, {"type": 991, "current": "6.0.0", "min": "2.3.0"})


def result(ok: bool, text: str) -> Message:
    return message(100, {"type": 100, "ok": ok, "message": text})


def ticker(strings: Mapping[str, Any]) -> Message:
    return message(402, strings, "ticker", str(strings["PS"]))


def ticker_all(rows: Iterable[Mapping[str, Any]]) -> Message:
    """Items carry no channel, event or type, but `Ord`; DP stands elsewhere than in 402."""
    items = [_item(row, order) for order, row in enumerate(rows)]
    return message(401, {"items": items}, "ticker", "all")


def _item(row: Mapping[str, Any], order: int) -> dict[str, Any]:
    names = ("B", "A", "BA", "AA", "PS", "H", "L", "DP", "LA", "O", "V", "AV", "D", "DS", "NS", "PId")
    return {**{name: row[name] for name in names}, "Ord": order}


def trade_list(symbol: str, trades: Sequence[Trade]) -> Message:
    """The pair is in `symbol` here, in `PS` on 422."""
    items = [{"D": str(t.time_ms), "I": t.id, "A": t.amount, "P": t.price, "S": t.side} for t in trades]
    return message(421, {"symbol": symbol, "items": items}, "trade", symbol)


def trade(made: Trade, *, pair: str | None = None) -> Message:
    """422; `pair` writes another pair into PS than the one subscribed to."""
    symbol = made.symbol
    text = (
        f'[422,{{"D":"{made.time_ms}","I":"{made.id}","A":"{made.amount}","P":"{made.price}",'
        f'"PS":"{pair or symbol}","S":{made.side},"channel":"trade","event":"{symbol}","type":422}}]'
    )
    return Message(422, text.encode(), "trade", symbol, trade_id=made.id)


def book(
    channel: str, symbol: str, sequence: int, asks: list[dict[str, str]], bids: list[dict[str, str]]
) -> Message:
    return message(431, {"CS": sequence, "PS": symbol, "AO": asks, "BO": bids}, channel, symbol)


def book_delta(symbol: str, sequence: int, delta: Delta) -> Message:
    model = {"CS": sequence, "PS": symbol, "AO": delta.asks, "BO": delta.bids}
    return message(432, model, "obdiff", symbol)
