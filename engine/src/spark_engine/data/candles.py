"""Candles in memory: columns in the buffer protocol, readable by the kernel and by numpy without a copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

COMPLETE, PARTIAL, NO_TRADES, FEED_DOWN = 0, 1, 2, 3
COLUMNS = ("ts", "open", "high", "low", "close", "volume", "quality")


@dataclass(frozen=True, slots=True)
class DataQuality:
    """What was found and mended on the way in. Counts are bars of the run, warm-up included, unless said."""

    rows_read: int = 0  # rows of the symbol in the whole source
    rows: int = 0
    first_ts: int | None = None  # ms UTC
    last_ts: int | None = None
    gaps: int = 0
    missing_bars: int = 0
    longest_gap_seconds: int = 0  # time without bars: one missing hour is 3600
    unsorted_rows: int = 0  # of the whole source: rows after one of a later time
    duplicate_rows: int = 0  # source rows of the window: exact ones, dropped
    conflicting_duplicates: int = 0  # likewise, dropped by data.duplicates KeepLast
    clamped_rows: int = 0  # likewise, OHLC order mended within 1e-9 relative
    null_volumes: int = 0  # likewise
    snapped_rows: int = 0  # prices replaced by their tick value
    zero_volume_rows: int = 0
    partial_rows: int = 0
    partial_rows_dropped: int = 0
    forming_bar_dropped: bool = False
    resampled_from: str | None = None  # timeframe of the source where it was finer
    ticks_exact: bool = True
    price_scale: int = 0
    off_calendar_rows: int = 0  # source rows of the window outside every session, dropped
    adjusted_rows: int = 0  # source rows of the window changed by data.adjustment
    splits: int = 0  # changes of the split factor between those rows
    dividends: int = 0  # likewise of the dividend factor
    funding_rows: int = 0  # funding times within the window
    funding_duplicates: int = 0  # exact ones of the whole funding source, dropped
    missing_no_trades: int | None = None  # of an archive: bars of the window without a row that were watched
    missing_feed_down: int | None = None  # likewise, that were not; None for other sources


@dataclass(frozen=True, slots=True)
class Sessions:
    """How an exchange's calendar sees each bar of `Candles`, warm-up included.

    close_ts: int64, close of the bar, ms UTC. day: int64, number of its session, never falling.
    follows_gap: int8, 1 where bars or sessions are missing before it. periods_per_year: bars a year
    (SEMANTICS section 8). sessions_per_year: of daily returns.
    """

    calendar: str
    close_ts: memoryview
    day: memoryview
    follows_gap: memoryview
    periods_per_year: float
    sessions_per_year: float = 252.0


@dataclass(frozen=True, slots=True)
class Funding:
    """Funding rates of a perpetual future, in order of time. ts: int64, ms UTC. rate: float64, fraction."""

    ts: memoryview
    rate: memoryview

    def __len__(self) -> int:
        return len(self.ts)


@dataclass(frozen=True, slots=True)
class Candles:
    """The bars that a run sees, warm-up first.

    ts: int64, bar open, ms UTC. open, high, low, close, volume: float64. quality: int8 (COMPLETE, PARTIAL,
    NO_TRADES, FEED_DOWN). ticks_close: int64, close in ticks of 10^-price_scale. All columns are 1-d
    memoryviews of equal length. Rows [0, warmup) feed indicators only. `sessions` None is the calendar
    24x7; `finer` are the bars of `execution.resolveWith`.
    """

    ts: memoryview
    open: memoryview
    high: memoryview
    low: memoryview
    close: memoryview
    volume: memoryview
    quality: memoryview
    ticks_close: memoryview
    timeframe_ms: int
    warmup: int = 0
    quality_report: DataQuality = DataQuality()
    source_sha256: str = ""  # of the file's bytes, or of a directory's manifest
    source_bytes: int = 0
    sessions: Sessions | None = None
    funding: Funding | None = None
    finer: Candles | None = None
    funding_sha256: str = ""  # as source_sha256, of data.fundingUri
    adjustment_sha256: str = ""  # likewise, of data.adjustmentUri
    pinned_uri: str | None = None  # of an archive: names these very rows for ever, with source_sha256

    def __len__(self) -> int:
        return len(self.ts)

    def close_time(self, bar: int) -> int:
        """Close of a bar, counted with the warm-up, ms UTC."""
        return self.ts[bar] + self.timeframe_ms if self.sessions is None else self.sessions.close_ts[bar]

    def numpy(self) -> dict[str, numpy.ndarray[Any, Any]]:
        """The columns as numpy arrays that share this memory. Imports numpy."""
        import numpy

        return {name: numpy.asarray(getattr(self, name)) for name in COLUMNS}
