"""A port that is no part of the venue: the ledger and the faults of an exchange in another process."""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import asdict
from typing import Any

from tests.exchange.frames import compact
from tests.exchange.http_server import Answer, Asked
from tests.exchange.script import fault_from
from tests.exchange.server import FakeExchange


class Control:
    """GET /state, /ledger?symbol=&first= (JSON lines), /klines?symbol=&seconds=, /faults;
    POST /inject {"fault": name, "with": {}}, /trade {"symbol": ..., "price": ...}, /stop."""

    def __init__(self, exchange: FakeExchange) -> None:
        self._exchange = exchange
        self.stopped = asyncio.Event()

    async def answer(self, asked: Asked) -> Answer:
        try:
            found = await self._found(asked.method, asked.path, asked)
        except (KeyError, ValueError, TypeError) as error:
            return Answer(400, compact({"error": str(error)}))
        return Answer(404) if found is None else Answer(body=found)

    async def _found(self, method: str, path: str, asked: Asked) -> bytes | None:
        exchange = self._exchange
        match method, path:
            case "GET", "/state":
                return compact(self._state())
            case "GET", "/ledger":
                return self._ledger(asked.query.get("symbol"), int(asked.query.get("first", "0")))
            case "GET", "/klines":
                bars = exchange.ledger.klines(asked.query["symbol"], int(asked.query.get("seconds", "60")))
                return json.dumps([asdict(bar) for bar in bars], default=str).encode()
            case "GET", "/faults":
                return compact([record.told() for record in exchange.faults_log])
            case "POST", "/inject":
                wish = json.loads(asked.body)
                record = await exchange.inject(fault_from(wish["fault"], wish.get("with", {})))
                return compact(record.told())
            case "POST", "/trade":
                return compact(asdict(await exchange.trade(**json.loads(asked.body))))
            case "POST", "/stop":
                self.stopped.set()
                return b"{}"
        return None

    def _state(self) -> dict[str, Any]:
        exchange = self._exchange
        return {
            "now_ms": exchange.clock.now_ms(),
            "offset_ms": exchange.clock.offset_ms(),
            "trades": {symbol: exchange.ledger.count(symbol) for symbol in exchange.listings},
            "sockets": len(exchange.sessions),
            "accepted": exchange.sockets.accepted,
            "requests": len(exchange.rest.requests),
        }

    def _ledger(self, symbol: str | None, first: int) -> bytes:
        if symbol is None:
            sink = io.StringIO()
            self._exchange.ledger.write(sink)
            return sink.getvalue().encode()
        trades = self._exchange.ledger.trades(symbol, first)
        return b"".join(compact(asdict(trade)) + b"\n" for trade in trades)
