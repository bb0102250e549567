"""Candles of a file as pieces of an archive. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from spark_engine.data.candles import FEED_DOWN, NO_TRADES
from spark_engine.data.rows import Rows
from spark_engine.data.sessions import check_sessions, session_spans, session_times
from spark_engine.data.timetable import ALWAYS
from spark_engine.errors import InvalidData
from spark_engine.feeds.file_candles import file_candles
from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick

Missing = Literal["unknown", "no-trades"]
PIECE_ROWS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Piece:
    """`feeds.archive.records.Acknowledgeable`."""

    instrument: Instrument
    candles: tuple[Candle, ...] = ()
    covered: tuple[Interval, ...] = ()
    ticks: tuple[MarketTick, ...] = ()
    covered_ticks: tuple[Interval, ...] = ()


@dataclass(frozen=True, slots=True)
class Converted:
    """exact: every price and volume is its decimal text. Else they were rounded to nine decimals."""

    instrument: Instrument
    candles: tuple[Candle, ...]
    covered: tuple[Interval, ...]
    exact: bool

    def pieces(self) -> Iterator[Piece]:
        """What is covered comes with the last one: until then nothing is said of the bars in between."""
        for begin in range(0, len(self.candles), PIECE_ROWS):
            candles = self.candles[begin : begin + PIECE_ROWS]
            last = begin + PIECE_ROWS >= len(self.candles)
            yield Piece(self.instrument, candles, self.covered if last else ())


def converted(
    rows: Rows, symbol: str, venue_symbol: str, timeframe: str, step_ms: int, calendar: str, missing: Missing
) -> Converted:
    """`rows`: mended, in time order, one a bar. `missing`: what a bar that the file lacks means; a session of
    an exchange without any row is unknown in either case.

    Raises `InvalidData` for numbers that an archive cannot hold, and for rows that are none.
    """
    held = [row for row, flag in enumerate(rows.quality) if flag not in (NO_TRADES, FEED_DOWN)]
    if not held:
        raise InvalidData("no row is a bar with trades", field="spec.data.uri")
    bars = rows.take(held)
    if calendar == ALWAYS:
        times = list(bars.ts)
        spans = _spans_by_clock(rows, step_ms, missing)
    else:
        sessions = check_sessions(bars, calendar, step_ms).session
        times = session_times(bars, sessions, calendar, step_ms)
        spans = session_spans(bars, sessions, calendar, step_ms)
    spelt = Instrument(
        symbol=symbol, venue_symbol=venue_symbol, base="", quote="", price_scale=0, quantity_scale=0
    )
    instrument, candles, exact = file_candles(bars, times, timeframe, spelt, symbol)
    covered = tuple(Interval(begin, end) for begin, end in spans)
    return Converted(instrument, candles, covered, exact)


def _spans_by_clock(rows: Rows, step_ms: int, missing: Missing) -> Sequence[tuple[int, int]]:
    """From the first bar to the end of the last, without rows that say that the feed was down and, where
    `missing` is unknown, without the bars that are not there."""
    spans: list[tuple[int, int]] = []
    down = False
    for ts, flag in zip(rows.ts, rows.quality, strict=True):
        joins = spans and not down and (missing == "no-trades" or ts == spans[-1][1])
        down = flag == FEED_DOWN
        if down:
            if joins:
                spans[-1] = spans[-1][0], ts
        elif joins:
            spans[-1] = spans[-1][0], ts + step_ms
        else:
            spans.append((ts, ts + step_ms))
    return spans
