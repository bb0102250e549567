"""The REST routes of both hosts, with the quirks of each: envelopes, types of numbers, spelling of errors."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tests.exchange import limits
from tests.exchange.chance import seeded
from tests.exchange.frames import compact
from tests.exchange.http_server import Answer, Asked
from tests.exchange.information import exchange_information
from tests.exchange.klines import float32_noise, seconds_of
from tests.exchange.limits import Limiter
from tests.exchange.listings import Listing, trimmed, units

if TYPE_CHECKING:
    from tests.exchange.server import FakeExchange

Route = Callable[[Asked], Answer]


class RestSide:
    """Answers requests for one exchange."""

    def __init__(self, exchange: FakeExchange) -> None:
        self._exchange = exchange
        self._options = exchange.options
        self._chance = seeded("rest", exchange.seed)
        self.requests: list[str] = []
        scale = exchange.options.period_scale
        self.graph_limiter = Limiter(limits.GRAPH, scale)
        self._information: tuple[float, bytes] = (-math.inf, b"")
        self._routes: dict[str, tuple[Route, Limiter | None]] = {
            "/api/v2/server/time": (self._time, None),
            "/api/v2/server/ping": (lambda _: _ok({"pong": True}), None),
            "/api/v2/server/exchangeinfo": (self._exchange_information, None),
            "/api/v2/ticker": (self._ticker, Limiter(limits.TICKER, scale)),
            "/api/v2/ticker/currency": (self._ticker_of_currency, Limiter(limits.TICKER, scale)),
            "/api/v2/orderbook": (self._orderbook, Limiter(limits.ORDERBOOK, scale)),
            "/api/v2/trades": (self._trades, Limiter(limits.TRADES, scale)),
            "/v1/klines/history": (self._klines, None),
            "/v1/ohlcs": (self._ohlcs, Limiter(limits.OHLCS, scale)),
        }

    async def answer(self, asked: Asked) -> Answer:
        """A fault's answer, or the right one."""
        self.requests.append(asked.path)
        for hook in tuple(self._exchange.hooks.requests):
            answer = await hook(asked)
            if answer is not None:
                return answer
        return await self.routed(asked)

    async def routed(self, asked: Asked) -> Answer:
        """Limits, then the route."""
        await self._delay()
        route, limiter = self._routes.get(asked.path.lower(), (None, None))
        if route is None:
            return Answer(404)
        if asked.method != "GET":
            return Answer(405)
        refused = self._over_limit(asked.path, limiter)
        if refused is not None:
            return refused
        answer = route(asked)
        await self._delay()
        return answer

    async def _delay(self) -> None:
        low, high = self._options.rest_delay_seconds
        if high > 0:
            await asyncio.sleep(self._chance.uniform(low, high) / 2)

    def _over_limit(self, path: str, limiter: Limiter | None) -> Answer | None:
        if not self._options.limits:
            return None
        graph = self.graph_limiter if path.startswith("/v1/") else None
        for one in (graph, limiter):
            wait = one.refuse() if one else None
            if one is not None and wait is not None:
                return too_many(one.limit.most, one.limit.period, math.ceil(wait))
        return None

    def _listing(self, pair: str | None) -> Listing | None:
        """REST takes BTCTRY and BTC_TRY in any case."""
        name = (pair or "").replace("_", "").upper()
        return None if name in self._exchange.statuses else self._exchange.listings.get(name)

    def _time(self, asked: Asked) -> Answer:
        del asked
        now_ns = self._exchange.clock.now_ns()
        for hook in self._exchange.hooks.server_time:
            now_ns = hook(now_ns // 1_000_000) * 1_000_000 + now_ns % 1_000_000
        stamp = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        text = f"{stamp}.{now_ns % 1_000_000_000 // 100:07d}+00:00"
        return _ok({"serverTime": (now_ns + 500_000) // 1_000_000, "serverTime2": text})

    def _exchange_information(self, asked: Asked) -> Answer:
        """Kept at the edge for a while, its serverTime too."""
        del asked
        now = asyncio.get_running_loop().time()
        made, body = self._information
        if now - made >= self._options.edge_cache_seconds * self._options.period_scale:
            body = compact(_enveloped(exchange_information(self._exchange)))
            self._information = (now, body)
        return Answer(body=body)

    def _ticker(self, asked: Asked) -> Answer:
        if "pairSymbol" in asked.query:
            found = self._listing(asked.query["pairSymbol"])
            return _ok(_enveloped([self._row(found)] if found else []))
        return _ok(_enveloped([self._row(listing) for listing in self._exchange.active()]))

    def _ticker_of_currency(self, asked: Asked) -> Answer:
        quote = asked.query.get("symbol", "").upper()
        return _ok(_enveloped([self._row(one) for one in self._exchange.active() if one.quote == quote]))

    def _row(self, listing: Listing) -> dict[str, Any]:
        """Rows are built once a second."""
        return self._exchange.tickers[listing.symbol].numbers(self._exchange.clock.now_ms() // 1000 * 1000)

    def _orderbook(self, asked: Asked) -> Answer:
        """Never more than 100 a side, whatever `limit` says."""
        limit = asked.query.get("limit", "100")
        if "pairSymbol" not in asked.query or not limit.isdecimal():
            return _invalid_request()
        listing = self._listing(asked.query["pairSymbol"])
        if listing is None:
            return _unknown_pair(asked.query["pairSymbol"])
        book = self._exchange.book(listing.symbol)
        most = min(int(limit), 100)
        sides = {"bids": book.bids(), "asks": book.asks()}
        rows = {
            name: [[trimmed(price), trimmed(amount, at_least=8)] for price, amount in levels[:most]]
            for name, levels in sides.items()
        }
        data = {"timestamp": self._exchange.clock.now_ms(), **rows}
        return _ok({"data": data, "success": True, "message": None, "code": "SUCCESS"})

    def _trades(self, asked: Asked) -> Answer:
        last = asked.query.get("last", "50")
        if "pairSymbol" not in asked.query or not last.isdecimal():
            return _invalid_request()
        listing = self._listing(asked.query["pairSymbol"])
        if listing is None:
            return _unknown_pair(asked.query["pairSymbol"])
        newest = self._exchange.ledger.latest(listing.symbol, min(int(last), 50))
        rows = [
            {
                "pair": listing.symbol,
                "pairNormalized": listing.normalized,
                "numerator": listing.base,
                "denominator": listing.quote,
                "date": trade.time_ms,
                "tid": trade.id,
                "price": trimmed(units(trade.price), at_least=2),
                "amount": trimmed(units(trade.amount), at_least=8),
                "side": self._options.sides[trade.side],
            }
            for trade in newest
        ]
        return _ok(_enveloped(rows))

    def _klines(self, asked: Asked) -> Answer:
        seconds = seconds_of(asked.query.get("resolution", ""))
        start, end = asked.query.get("from", ""), asked.query.get("to", "")
        if seconds is None or "symbol" not in asked.query or not (start.isdecimal() and end.isdecimal()):
            return _invalid_request()
        listing = self._listing(asked.query["symbol"])
        symbol = listing.symbol if listing else ""
        bars = self._exchange.ledger.klines(symbol, seconds, int(start), int(end))
        bars = bars[-self._options.klines_most :]
        noisy = float32_noise if self._options.float_noise else float
        columns = {
            "h": [noisy(float(bar.high)) for bar in bars],
            "o": [noisy(float(bar.open)) for bar in bars],
            "l": [noisy(float(bar.low)) for bar in bars],
            "c": [noisy(float(bar.close)) for bar in bars],
            "v": [float(bar.volume) for bar in bars],
        }
        return _ok({"s": "ok", "t": [bar.time for bar in bars], **columns})

    def _ohlcs(self, asked: Asked) -> Answer:
        """Daily bars only, without an envelope."""
        listing = self._listing(asked.query.get("pair"))
        start, end = asked.query.get("from", "0"), asked.query.get("to", str(2**40))
        if listing is None or not (start.isdecimal() and end.isdecimal()):
            return _ok([])
        bars = self._exchange.ledger.klines(listing.symbol, 86_400, int(start), int(end))
        return _ok(
            [
                {
                    "pair": listing.symbol,
                    "time": bar.time,
                    **{name: _number(getattr(bar, name)) for name in ("open", "high", "low", "close")},
                    "volume": float(bar.volume),
                    "total": float(bar.volume * (bar.high + bar.low) / 2),
                    "average": float((bar.high + bar.low) / 2),
                    "dailyChangeAmount": _number(bar.close - bar.open),
                    "dailyChangePercentage": round(float((bar.close - bar.open) * 100 / bar.open), 2),
                }
                for bar in bars
            ]
        )


def too_many(most: int, period: str, retry_after: int | None) -> Answer:
    body = {
        "message": "TOO_MANY_REQUESTS",
        "success": False,
        "code": 429,
        "details": f"Quota exceeded. Maximum allowed: {most} per {period}.",
        "limit": str(most),
        "period": period,
        "policy": "ip",
    }
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Answer(429, compact(body), headers=headers)


def _ok(value: object) -> Answer:
    return Answer(body=compact(value))


def _enveloped(data: object) -> dict[str, object]:
    return {"data": data, "success": True, "message": None, "code": 0}


def _invalid_request() -> Answer:
    return Answer(400, compact({"success": False, "message": "INVALID_REQUEST_ERROR", "code": 1037}))


def _unknown_pair(pair: str) -> Answer:
    message = f"Pair {pair} does not exists."
    return Answer(400, compact({"success": False, "message": message, "code": 1037}))


def _number(value: Any) -> int | float:
    return int(value) if value == int(value) else float(value)
