"""What really happened: every trade that the exchange made, whatever of it was sent."""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import TextIO

from tests.exchange.klines import Bar, bars, open_of
from tests.exchange.listings import spelt

FIRST_ID = 100_163_842_129_199_947  # 18 digits; every pair begins here: ids are unique per pair only


@dataclass(frozen=True, slots=True)
class Trade:
    """As 421 and 422 tell it. `time_ms` is D, `side` is S: raw, for sources disagree on its meaning."""

    symbol: str
    id: str
    time_ms: int
    price: str
    amount: str
    side: int


@dataclass
class _Columns:
    """Trades of one pair in the order they were made: an hour's soak makes millions."""

    ids: array[int] = field(default_factory=lambda: array("q"))
    times: array[int] = field(default_factory=lambda: array("q"))
    prices: array[int] = field(default_factory=lambda: array("q"))
    amounts: array[int] = field(default_factory=lambda: array("q"))
    sides: array[int] = field(default_factory=lambda: array("b"))
    minutes: dict[int, array[int]] = field(default_factory=lambda: defaultdict(lambda: array("q")))


class Ledger:
    """Append-only. Prices and amounts come in units of 1e-10 and are told as text with ten decimals."""

    def __init__(self, first_id: int = FIRST_ID) -> None:
        self._first_id = first_id
        self._columns: dict[str, _Columns] = defaultdict(_Columns)
        self._order_of = array("H")
        self._numbers: dict[str, int] = {}

    def record(self, symbol: str, time_ms: int, price: int, amount: int, side: int, skip: int = 1) -> Trade:
        """Adds a trade whose id is `skip` above the pair's last one (ids rise, not always by one)."""
        columns = self._columns[symbol]
        position = len(columns.ids)
        columns.ids.append(columns.ids[-1] + skip if position else self._first_id)
        columns.times.append(time_ms)
        columns.prices.append(price)
        columns.amounts.append(amount)
        columns.sides.append(side)
        columns.minutes[time_ms // 60_000].append(position)
        self._order_of.append(self._numbers.setdefault(symbol, len(self._numbers)))
        return self._trade(symbol, columns, position)

    def __len__(self) -> int:
        return len(self._order_of)

    def __iter__(self) -> Iterator[Trade]:
        """Every trade, in the order in which they were made."""
        symbols = list(self._numbers)
        positions = [0] * len(symbols)
        for number in self._order_of:
            symbol = symbols[number]
            yield self._trade(symbol, self._columns[symbol], positions[number])
            positions[number] += 1

    @property
    def symbols(self) -> tuple[str, ...]:
        return tuple(self._numbers)

    def count(self, symbol: str) -> int:
        return len(self._columns[symbol].ids) if symbol in self._columns else 0

    def trades(self, symbol: str, first: int = 0) -> list[Trade]:
        """The pair's trades in the order they were made, from the `first`-th on."""
        if symbol not in self._columns:
            return []
        columns = self._columns[symbol]
        return [self._trade(symbol, columns, position) for position in range(first, len(columns.ids))]

    def latest(self, symbol: str, count: int) -> list[Trade]:
        """The last so many, newest first."""
        return self.trades(symbol, max(0, self.count(symbol) - count))[::-1]

    def klines(self, symbol: str, seconds: int = 60, start: int = 0, end: int = 2**62) -> list[Bar]:
        """Bars that open from `start` to `end` (Unix seconds, both included), made from the trades."""
        columns = self._columns.get(symbol)
        if columns is None:
            return []
        chosen = [
            self._trade(symbol, columns, position)
            for minute in sorted(columns.minutes)
            if start <= open_of(minute * 60, seconds) <= end
            for position in columns.minutes[minute]
        ]
        return bars(chosen, seconds)

    def write(self, sink: TextIO) -> None:
        """One trade a line, as JSON, in the order they were made."""
        for trade in self:
            sink.write(json.dumps(asdict(trade), separators=(",", ":")) + "\n")

    @staticmethod
    def _trade(symbol: str, columns: _Columns, position: int) -> Trade:
        return Trade(
            symbol,
            str(columns.ids[position]),
            columns.times[position],
            spelt(columns.prices[position]),
            spelt(columns.amounts[position]),
            columns.sides[position],
        )
