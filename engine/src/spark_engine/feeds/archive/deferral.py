"""Which ticks may stay in the journal for a while: a day's digest is of all its rows, so writing a few more
of them again and again would cost the square of a busy day."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Final

from spark_crds.formats.archive import TICKS, SeriesManifest

from spark_engine.feeds.archive.pending import SeriesKey
from spark_engine.feeds.archive.records import Acknowledgeable, Entry
from spark_engine.feeds.archive.series_files import DAY_MS, date_of, is_ticks

SMALL_DAY: Final = 10_000  # rows of a day from which on its ticks may wait
SHARE: Final = 8  # until they are an eighth of it
MOST_JOURNAL_BYTES: Final = 32 << 20


class Deferral:
    """Counts are of this process; they only decide when, never what is written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[int, int]] = {}  # ticks, and the last of their days
        self._written: dict[str, tuple[str, int]] = {}  # the last day that is written, and its rows

    def appended(self, piece: Acknowledgeable) -> None:
        if piece.ticks:
            self._add(piece.instrument.symbol, len(piece.ticks), max(tick.ts_ms for tick in piece.ticks))

    def recovered(self, entry: Entry) -> None:
        if entry.ticks:
            self._add(entry.symbol, len(entry.ticks), max(tick.ts_ms for tick in entry.ticks))

    def deferred(self, journal_bytes: int) -> set[SeriesKey]:
        """The series that this flush leaves out."""
        if journal_bytes > MOST_JOURNAL_BYTES:
            return set()
        with self._lock:
            return {SeriesKey(symbol, TICKS) for symbol in self._written if self._may_wait(symbol)}

    def committed(self, manifests: Mapping[SeriesKey, SeriesManifest]) -> None:
        with self._lock:
            for key, manifest in manifests.items():
                if is_ticks(key) and manifest.days:
                    last = manifest.days[-1]
                    self._written[key.symbol] = last.date, last.rows
                    self._waiting.pop(key.symbol, None)

    def _add(self, symbol: str, count: int, last_ms: int) -> None:
        with self._lock:
            ticks, day = self._waiting.get(symbol, (0, 0))
            self._waiting[symbol] = ticks + count, max(day, last_ms // DAY_MS)

    def _may_wait(self, symbol: str) -> bool:
        date, rows = self._written[symbol]
        ticks, day = self._waiting.get(symbol, (0, 0))
        another_day = ticks > 0 and date_of(day * DAY_MS) != date
        return rows >= SMALL_DAY and ticks * SHARE < rows and not another_day
