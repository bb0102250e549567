"""Rows of a file as pieces of an archive: exact numbers, and an honest account of what is not there."""

from __future__ import annotations

import pytest
from spark_engine.data.candles import COMPLETE, FEED_DOWN, NO_TRADES, PARTIAL
from spark_engine.data.rows import Rows, typed
from spark_engine.errors import InvalidData
from spark_engine.feeds.backfill.convert import PIECE_ROWS, Converted, Missing, converted
from spark_engine.feeds.market import Interval, Quality

HOUR = 3_600_000
START = 1_704_067_200_000  # 2024-01-01


def rows(*bars: tuple[int, int], price: float = 10.25, volume: float = 3.0) -> Rows:
    """Bars by their hour and quality."""
    prices = [typed("d", [value] * len(bars)) for value in (price, price + 1, price - 1, price)]
    ts = typed("q", [START + hour * HOUR for hour, _flag in bars])
    return Rows(ts, *prices, typed("d", [volume] * len(bars)), typed("b", [flag for _hour, flag in bars]))


def convert(bars: Rows, missing: Missing = "unknown", calendar: str = "24x7") -> Converted:
    return converted(bars, "ETHUSDT", "ETH/USDT", "1h", HOUR, calendar, missing)


def span(begin: int, end: int) -> Interval:
    return Interval(START + begin * HOUR, START + end * HOUR)


def test_prices_are_whole_ticks_of_the_smallest_scale_that_fits() -> None:
    found = convert(rows((0, COMPLETE)))
    (bar,) = found.candles
    assert (bar.open, bar.high, bar.low, bar.close, bar.price_scale) == (1025, 1125, 925, 1025, 2)
    assert (bar.volume, bar.quantity_scale, bar.source, bar.revision) == (3, 0, "history", 0)
    assert (found.instrument.symbol, found.instrument.venue_symbol) == ("ETHUSDT", "ETH/USDT")
    assert found.exact


def test_more_decimals_than_nine_are_rounded_half_to_even_and_said_not_to_be_exact() -> None:
    found = convert(rows((0, COMPLETE), price=10.0000000005))
    assert (found.exact, found.candles[0].open, found.candles[0].price_scale) == (False, 10_000_000_000, 9)


def test_a_number_that_no_archive_holds_is_refused() -> None:
    with pytest.raises(InvalidData, match="too large for 64 bits"):
        convert(rows((0, COMPLETE), volume=1e19))


def test_a_bar_that_is_not_there_is_unknown_or_without_trades_as_one_says() -> None:
    bars = rows((0, COMPLETE), (1, COMPLETE), (4, COMPLETE))
    assert convert(bars).covered == (span(0, 2), span(4, 5))
    assert convert(bars, "no-trades").covered == (span(0, 5),)


def test_what_a_row_says_of_its_feed_is_kept_and_it_is_no_bar() -> None:
    bars = rows((0, COMPLETE), (1, NO_TRADES), (2, FEED_DOWN), (3, PARTIAL), (4, COMPLETE))
    for missing in ("unknown", "no-trades"):
        found = convert(bars, missing)  # type: ignore[arg-type]
        assert found.covered == (span(0, 2), span(3, 5))
        assert [(bar.ts_ms, bar.quality) for bar in found.candles] == [
            (START, Quality.COMPLETE),
            (START + 3 * HOUR, Quality.PARTIAL),
            (START + 4 * HOUR, Quality.COMPLETE),
        ]


def test_a_feed_that_was_down_at_both_ends_covers_neither() -> None:
    bars = rows((0, FEED_DOWN), (1, COMPLETE), (2, FEED_DOWN))
    assert convert(bars, "no-trades").covered == (span(1, 2),)
    with pytest.raises(InvalidData, match="no row is a bar"):
        convert(rows((0, FEED_DOWN), (1, NO_TRADES)))


def test_a_session_covers_itself_and_no_holiday_is_missing() -> None:
    first = 7  # 10:00 in Istanbul; Tuesday the 2nd
    bars = rows(*((24 + first + hour, COMPLETE) for hour in range(8)), (48 + first, COMPLETE))
    assert convert(bars, calendar="XIST").covered == (span(24 + first, 48 + first + 1),)


def test_what_is_covered_comes_with_the_last_piece_only() -> None:
    count = 2 * PIECE_ROWS + 1
    found = convert(rows(*((hour, COMPLETE) for hour in range(count))))
    pieces = list(found.pieces())
    assert [len(piece.candles) for piece in pieces] == [PIECE_ROWS, PIECE_ROWS, 1]
    assert [piece.covered for piece in pieces] == [(), (), (span(0, count),)]
