"""Binance's REST shapes, as documented, from recorded trades."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.exchange.frames import compact
from tests.exchange.http_server import Answer, Asked
from tests.exchange.klines import Traded, bars
from tests.exchange.ledger import Trade
from tests.exchange.recording import Recording

_INTERVALS = {"1s": 1, "1m": 60, "5m": 300, "1h": 3600, "1d": 86_400}
_WEIGHT = {"X-MBX-USED-WEIGHT": "1", "X-MBX-USED-WEIGHT-1M": "1"}


class BinanceRest:
    """Knows the trades that the replay has reached; times are moved by `shift_ms`."""

    def __init__(
        self,
        recording: Recording,
        now_ms: Callable[[], int],
        position_ns: Callable[[], int],
        shift_ms: Callable[[], int],
    ) -> None:
        self._recording = recording
        self._now_ms = now_ms
        self._position_ns = position_ns
        self._shift_ms = shift_ms
        self._routes: dict[str, Callable[[Asked], object]] = {
            "/api/v3/ping": lambda _: {},
            "/api/v3/time": lambda _: {"serverTime": now_ms()},
            "/api/v3/exchangeInfo": self._information,
            "/api/v3/trades": self._trades,
            "/api/v3/historicalTrades": self._trades,
            "/api/v3/klines": self._klines,
        }

    async def answer(self, asked: Asked) -> Answer:
        route = self._routes.get(asked.path)
        if route is None:
            return Answer(404)
        symbol = asked.query.get("symbol", self._recording.symbol)
        if symbol != self._recording.symbol:
            return _error(-1121, "Invalid symbol.")
        try:
            return Answer(body=compact(route(asked)), headers=_WEIGHT)
        except (KeyError, ValueError):
            return _error(-1100, "Illegal characters found in a parameter.")

    def _reached(self) -> list[dict[str, Any]]:
        position = self._position_ns()
        return [trade for received, trade in self._recording.trades if received <= position]

    def _trades(self, asked: Asked) -> list[dict[str, Any]]:
        """Oldest first; the newest `limit`, or those from `fromId` on (historicalTrades)."""
        limit = min(int(asked.query.get("limit", "500")), 1000)
        reached = self._reached()
        if asked.path.endswith("historicalTrades") and "fromId" in asked.query:
            chosen = [trade for trade in reached if trade["t"] >= int(asked.query["fromId"])][:limit]
        else:
            chosen = reached[-limit:]
        return [
            {
                "id": trade["t"],
                "price": trade["p"],
                "qty": trade["q"],
                "quoteQty": format(
                    (Decimal(trade["p"]) * Decimal(trade["q"])).quantize(Decimal("1e-8")), "f"
                ),
                "time": trade["T"] + self._shift_ms(),
                "isBuyerMaker": trade["m"],
                "isBestMatch": trade.get("M", True),
            }
            for trade in chosen
        ]

    def _klines(self, asked: Asked) -> list[list[Any]]:
        """Only bars in which something was recorded: the recording is of five busy minutes."""
        seconds = _INTERVALS[asked.query["interval"]]
        start, end = int(asked.query.get("startTime", "0")), int(asked.query.get("endTime", str(2**62)))
        limit = min(int(asked.query.get("limit", "500")), 1000)
        shift = self._shift_ms()
        trades: list[Traded] = []
        turnover: dict[int, list[Decimal]] = {}
        for raw in self._reached():
            trade = Trade(raw["s"], str(raw["t"]), raw["T"] + shift, raw["p"], raw["q"], int(not raw["m"]))
            trades.append(trade)
            bought = Decimal(0) if raw["m"] else Decimal(raw["q"])
            sums = turnover.setdefault(trade.time_ms // 1000 // seconds * seconds, [Decimal(0)] * 3)
            sums[0] += Decimal(raw["p"]) * Decimal(raw["q"])
            sums[1] += bought
            sums[2] += bought * Decimal(raw["p"])
        rows = []
        for bar in bars(trades, seconds):
            if not start <= bar.time * 1000 <= end:
                continue
            quote, bought, bought_quote = turnover[bar.time]
            rows.append(
                [
                    bar.time * 1000,
                    *(_eight(value) for value in (bar.open, bar.high, bar.low, bar.close, bar.volume)),
                    (bar.time + seconds) * 1000 - 1,
                    _eight(quote),
                    bar.trades,
                    _eight(bought),
                    _eight(bought_quote),
                    "0",
                ]
            )
        return rows[:limit] if "startTime" in asked.query else rows[-limit:]

    def _information(self, asked: Asked) -> dict[str, Any]:
        del asked
        symbol = self._recording.symbol
        price = {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00000000"}
        lot = {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000"}
        return {
            "timezone": "UTC",
            "serverTime": self._now_ms(),
            "rateLimits": [
                {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}
            ],
            "exchangeFilters": [],
            "symbols": [
                {
                    "symbol": symbol,
                    "status": "TRADING",
                    "baseAsset": symbol.removesuffix("USDT"),
                    "baseAssetPrecision": 8,
                    "quoteAsset": "USDT",
                    "quotePrecision": 8,
                    "quoteAssetPrecision": 8,
                    "orderTypes": ["LIMIT", "MARKET"],
                    "isSpotTradingAllowed": True,
                    "filters": [{**price, "tickSize": "0.01000000"}, {**lot, "stepSize": "0.00001000"}],
                    "permissions": ["SPOT"],
                }
            ],
        }


def _eight(value: Decimal) -> str:
    return format(value.quantize(Decimal("1e-8")), "f")


def _error(code: int, message: str) -> Answer:
    return Answer(400, compact({"code": code, "msg": message}), headers=_WEIGHT)
