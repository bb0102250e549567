"""What the writer itself wants to know again after a restart: the archive with the journal on top of it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator

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
from spark_engine.feeds.archive.records import LAST_MS
from spark_engine.feeds.archive.series_files import SeriesFiles, date_of
from spark_engine.feeds.market import Candle, Interval, MarketTick, Quality


class Queries:
    def __init__(self, files: SeriesFiles, journal: Journal) -> None:
        self._files = files
        self._journal = journal

    def ticks_since(self, symbol: str, ts_ms: int, least: int) -> list[MarketTick]:
        key = SeriesKey(symbol, TICKS)
        manifest, pending = self._state(key)
        from_ms = min(ts_ms, self._time_of_last(key, manifest, least))
        rows = list(self._ticks(key, manifest, from_ms))
        waiting = (row for row in pending.ticks if row.ts >= from_ms)
        rows += fresh_ticks(waiting, ((row.ts, row.id) for row in rows))
        price, quantity = _widest(manifest, pending)
        return [_tick(symbol, row, price, quantity) for row in sorted(rows, key=lambda row: row.ts)]

    def last_candles(self, symbol: str, timeframe: str, count: int) -> list[Candle]:
        key = SeriesKey(symbol, timeframe)
        manifest, pending = self._state(key)
        held = self._candles(key, manifest, count)
        rows = fresh_candles(pending.candles, held)
        if held is not None:
            rows = candle_rows(held) + rows
        latest = _latest(rows)[-count:] if count > 0 else []
        return [_candle(key, row) for row in latest]

    def candles(self, symbol: str, timeframe: str, from_ms: int, to_ms: int) -> list[Candle]:
        key = SeriesKey(symbol, timeframe)
        manifest, pending = self._state(key)
        first, end = date_of(max(0, from_ms)), date_of(max(0, to_ms - 1))
        dates = [date for date in _dates(manifest) if first <= date <= end] if manifest else []
        days = [self._files.candles(key, date, manifest) for date in dates if manifest]
        held = [columns for columns in days if columns is not None]
        waiting = [row for row in pending.candles if from_ms <= row.ts < to_ms]
        rows = fresh_candles(waiting, joined(held) if held else None)
        rows += (row for columns in held for row in candle_rows(columns) if from_ms <= row.ts < to_ms)
        return [_candle(key, row) for row in _latest(rows)]

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

    def _ticks(self, key: SeriesKey, manifest: SeriesManifest | None, from_ms: int) -> Iterator[TickRow]:
        for columns in self._batches(key, manifest, from_ms):
            yield from (row for row in tick_rows(columns) if row.ts >= from_ms)

    def _batches(
        self, key: SeriesKey, manifest: SeriesManifest | None, from_ms: int
    ) -> Iterator[TickColumns]:
        files = [file for file in manifest.files if file.last_ts >= from_ms] if manifest else []
        return self._files.ticks(key, files)

    def _time_of_last(self, key: SeriesKey, manifest: SeriesManifest | None, count: int) -> int:
        """From this time on the segments have at least `count` ticks, if they have as many at all."""
        if count <= 0:
            return LAST_MS
        floor, rows = 0, 0
        for file in sorted(manifest.files if manifest else (), key=lambda file: file.first_ts, reverse=True):
            rows += file.rows
            if rows >= count:
                floor = file.first_ts
                break
        times = array("q")
        for columns in self._batches(key, manifest, floor):
            times.extend(columns.ts)
        return sorted(times)[-count] if len(times) >= count else 0

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


def _latest(rows: Iterable[CandleRow]) -> list[CandleRow]:
    """Each bar in its highest revision, oldest first."""
    last: dict[int, CandleRow] = {}
    for row in rows:
        if row.ts not in last or row.revision > last[row.ts].revision:
            last[row.ts] = row
    return [last[ts] for ts in sorted(last)]


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
