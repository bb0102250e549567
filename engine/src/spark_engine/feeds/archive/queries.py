"""What the writer itself wants to know again after a restart: the archive with the journal on top of it."""

from __future__ import annotations

from collections.abc import Iterator

from spark_crds.formats.archive import TICKS, SeriesManifest

from spark_engine.data.archive.segment import (
    CandleColumns,
    CandleRow,
    TickColumns,
    TickRow,
    candle_rows,
    joined,
    tick_rows,
)
from spark_engine.feeds.archive.covered import merged
from spark_engine.feeds.archive.fresh import fresh_candles, fresh_ticks
from spark_engine.feeds.archive.journal import Journal
from spark_engine.feeds.archive.pending import Pending, SeriesKey, series_of
from spark_engine.feeds.archive.series_files import SeriesFiles, date_of
from spark_engine.feeds.market import Candle, Interval, MarketTick, Quality


class Queries:
    def __init__(self, files: SeriesFiles, journal: Journal) -> None:
        self._files = files
        self._journal = journal

    def ticks_since(self, symbol: str, ts_ms: int) -> list[MarketTick]:
        key = SeriesKey(symbol, TICKS)
        manifest, pending = self._state(key)
        held = self._ticks(key, manifest, ts_ms)
        waiting = [row for row in pending.ticks if row.ts >= ts_ms]
        rows = fresh_ticks(waiting, held)
        if held is not None:
            rows = [row for row in tick_rows(held) if row.ts >= ts_ms] + rows
        price, quantity = _widest(manifest, pending)
        return [_tick(symbol, row, price, quantity) for row in sorted(rows, key=lambda row: row.ts)]

    def last_candles(self, symbol: str, timeframe: str, count: int) -> list[Candle]:
        key = SeriesKey(symbol, timeframe)
        manifest, pending = self._state(key)
        held = self._candles(key, manifest, count)
        rows = fresh_candles(pending.candles, held)
        if held is not None:
            rows = candle_rows(held) + rows
        last: dict[int, CandleRow] = {}
        for row in rows:
            if row.ts not in last or row.revision > last[row.ts].revision:
                last[row.ts] = row
        times = sorted(last)[-count:] if count > 0 else []
        return [_candle(key, last[ts]) for ts in times]

    def coverage(self, symbol: str, timeframe: str) -> tuple[Interval, ...]:
        manifest, pending = self._state(SeriesKey(symbol, timeframe))
        held = manifest.coverage if manifest else ()
        spans = [(entry.from_ms, entry.to_ms) for entry in held] + pending.covered
        return tuple(Interval(begin, end) for begin, end in merged(spans))

    def scales(self, symbol: str) -> tuple[int, int] | None:
        manifest, pending = self._state(SeriesKey(symbol, TICKS))
        return _widest(manifest, pending) if manifest or len(pending) else None

    def _state(self, key: SeriesKey) -> tuple[SeriesManifest | None, Pending]:
        pending = Pending("")
        for entry in self._journal.pending():
            if entry.symbol == key.symbol and key in series_of(entry):
                pending.add(entry, key.timeframe)
        return self._files.manifest(key), pending

    def _ticks(self, key: SeriesKey, manifest: SeriesManifest | None, ts_ms: int) -> TickColumns | None:
        if manifest is None:
            return None
        first = date_of(max(0, ts_ms))
        days = (self._files.ticks(key, date, manifest) for date in _dates(manifest) if date >= first)
        found = [columns for columns in days if columns is not None]
        return joined(found) if found else None

    def _candles(self, key: SeriesKey, manifest: SeriesManifest | None, count: int) -> CandleColumns | None:
        found: list[CandleColumns] = []
        times: set[int] = set()
        for date in reversed(list(_dates(manifest)) if manifest else []):
            columns = self._files.candles(key, date, manifest) if manifest and len(times) < count else None
            if columns is not None:
                found.append(columns)
                times.update(columns.ts)
        return joined(found) if found else None


def _dates(manifest: SeriesManifest) -> Iterator[str]:
    return iter(sorted({file.date for file in manifest.files}))


def _widest(manifest: SeriesManifest | None, pending: Pending) -> tuple[int, int]:
    price, quantity = (manifest.price_scale, manifest.quantity_scale) if manifest else (0, 0)
    return max(price, pending.price_scale), max(quantity, pending.quantity_scale)


def _tick(symbol: str, row: TickRow, price_scale: int, quantity_scale: int) -> MarketTick:
    price = row.price * 10 ** (price_scale - row.price_scale)
    quantity = row.quantity * 10 ** (quantity_scale - row.quantity_scale)
    return MarketTick(symbol, row.id, row.ts, price, quantity, row.side)


def _candle(key: SeriesKey, row: CandleRow) -> Candle:
    return Candle(
        symbol=key.symbol,
        timeframe=key.timeframe,
        ts_ms=row.ts,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        price_scale=row.price_scale,
        quantity_scale=row.quantity_scale,
        trades=row.trades,
        quality=Quality(row.quality),
        source=row.source,  # type: ignore[arg-type]  # one of SOURCES, as it was read
        revision=row.revision,
    )
