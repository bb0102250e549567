"""History on its way into an archive: exactly what is missing, and the larger bars with it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.backfill.convert import Piece
from spark_engine.feeds.backfill.filling import Filling, Page
from spark_engine.feeds.backfill.larger import reaggregate
from spark_engine.feeds.market import Candle, Interval, Quality

from engine.tests.feeds_backfill.bars import INSTRUMENT, MINUTE, TIMEFRAMES, minute, minutes, of, told

DAY = 1_440
MONDAY = 4 * DAY  # 1970-01-05
ALL = 1 << 45
OpenArchive = Callable[[], Archive]


def span(begin: int, end: int) -> Interval:
    return Interval(begin * MINUTE, end * MINUTE)


def filled(
    archive: Archive,
    wanted: Interval,
    timeframes: Sequence[str] = TIMEFRAMES,
    without: range = range(0),
    most: int = 4_320,
) -> list[Page]:
    """As a fetch does it from a venue that traded in every minute but those of `without`."""
    filling = Filling(INSTRUMENT, wanted, timeframes)
    for owed in filling.owed(archive):
        filling.make(archive, owed)
    pages = []
    for request in filling.plan(most).requests:
        numbers = range(request.span.from_ms // MINUTE, request.span.to_ms // MINUTE)
        answer = minutes(number for number in numbers if number not in without)
        pages.append(filling.take(archive, request, answer))
    filling.end(archive)
    return pages


def bars(archive: Archive, timeframe: str) -> list[Candle]:
    return archive.candles("BTCTRY", timeframe, 0, ALL)


def test_two_weeks_give_every_larger_bar_exactly(open_archive: OpenArchive) -> None:
    archive = open_archive()
    filled(archive, span(MONDAY, MONDAY + 14 * DAY))
    assert list(map(told, bars(archive, "1m"))) == list(map(told, minutes(range(MONDAY, MONDAY + 14 * DAY))))
    for timeframe, length in (("5m", 5), ("1h", 60), ("1d", DAY), ("1w", 7 * DAY)):
        made = bars(archive, timeframe)
        begins = range(MONDAY, MONDAY + 14 * DAY, length)
        assert [told(bar) for bar in made] == [of(begin, begin + length) for begin in begins]
        assert {bar.revision for bar in made} == {0}
        assert archive.coverage("BTCTRY", timeframe) == (span(MONDAY, MONDAY + 14 * DAY),)


def test_only_what_is_missing_is_asked_for(open_archive: OpenArchive) -> None:
    archive = open_archive()
    filled(archive, span(100, 200))
    filled(archive, span(300, 400))
    pages = filled(archive, span(0, 500))
    assert [page.request.missing for page in pages] == [(span(0, 100), span(200, 300), span(400, 500))]
    assert filled(archive, span(0, 500)) == []
    assert archive.coverage("BTCTRY", "1m") == (span(0, 500),)


def test_what_was_taken_before_a_crash_is_not_asked_for_again(open_archive: OpenArchive) -> None:
    archive = open_archive()
    filling = Filling(INSTRUMENT, span(0, 4 * DAY), TIMEFRAMES)
    assert filling.owed(archive) == []
    first, second, *rest = filling.plan(DAY).requests
    for request in (first, second):
        numbers = range(request.span.from_ms // MINUTE, request.span.to_ms // MINUTE)
        filling.take(archive, request, minutes(numbers))
    archive = open_archive()
    pages = filled(archive, span(0, 4 * DAY), most=DAY)
    assert [page.request for page in pages] == rest
    assert [told(bar) for bar in bars(archive, "1d")] == [of(day * DAY, (day + 1) * DAY) for day in range(4)]


def test_a_minute_without_a_bar_is_known_to_be_without_trades(open_archive: OpenArchive) -> None:
    archive = open_archive()
    filled(archive, span(0, DAY), without=range(60, 180))
    assert archive.coverage("BTCTRY", "1m") == (span(0, DAY),)
    assert len(bars(archive, "1m")) == DAY - 120
    assert [bar.ts_ms // MINUTE for bar in bars(archive, "1h")][:3] == [0, 180, 240]
    assert {bar.quality for bar in bars(archive, "1d")} == {Quality.COMPLETE}
    assert filled(archive, span(0, DAY)) == []


def test_a_larger_bar_of_which_a_part_is_not_wanted_is_marked_and_made_whole_later(
    open_archive: OpenArchive,
) -> None:
    archive = open_archive()
    filled(archive, span(30, 120))
    assert [told(bar) for bar in bars(archive, "1h")] == [
        (0, *of(30, 60, Quality.PARTIAL)[1:]),
        of(60, 120),
    ]
    filled(archive, span(0, 120))
    assert [told(bar) for bar in bars(archive, "1h")] == [of(0, 60), of(60, 120)]
    assert [bar.revision for bar in bars(archive, "1h")] == [1, 0]


def test_the_larger_bar_that_is_forming_is_not_written(open_archive: OpenArchive) -> None:
    archive = open_archive()
    filled(archive, span(0, 90))
    assert [told(bar) for bar in bars(archive, "1h")] == [of(0, 60)]
    filled(archive, span(0, 120))
    assert [told(bar) for bar in bars(archive, "1h")] == [of(0, 60), of(60, 120)]
    assert {bar.revision for bar in bars(archive, "1h")} == {0}


def test_a_longer_timeframe_that_is_wanted_later_needs_no_request(open_archive: OpenArchive) -> None:
    archive = open_archive()
    archive.append(Piece(INSTRUMENT, tuple(minutes(range(2 * DAY))), ()))
    archive.close()
    archive = open_archive()
    filled(archive, span(0, 2 * DAY), ("1m",))
    assert filled(archive, span(0, 2 * DAY), ("1m", "4h")) == []
    assert [told(bar) for bar in bars(archive, "4h")] == [of(at, at + 240) for at in range(0, 2 * DAY, 240)]


def test_the_shortest_timeframe_is_fetched_where_minutes_are_not_wanted(open_archive: OpenArchive) -> None:
    archive = open_archive()
    filling = Filling(INSTRUMENT, span(0, 2 * DAY), ("1d", "1h"))
    filling.owed(archive)
    (request,) = filling.plan(1_000).requests
    hours = [minute(number, timeframe="1h") for number in range(0, 2 * DAY, 60)]
    assert filling.take(archive, request, hours).bars == 48
    assert len(bars(archive, "1h")) == 48
    assert [bar.volume for bar in bars(archive, "1d")] == [
        sum(hour.volume for hour in hours[:24]),
        sum(hour.volume for hour in hours[24:]),
    ]


def test_bars_of_trades_stay_and_partial_ones_are_mended(open_archive: OpenArchive) -> None:
    archive = open_archive()
    whole = minute(10, source="ticks", trades=3, close=minute(10).open)
    torn = minute(11, source="ticks", trades=2, volume=1, quality=Quality.PARTIAL)
    archive.append(Piece(INSTRUMENT, (whole, torn), (span(10, 11),)))
    (page,) = filled(archive, span(0, 60))
    assert page.request.missing == (span(0, 10), span(11, 60))
    kept = {bar.ts_ms // MINUTE: bar for bar in bars(archive, "1m")}
    assert kept[10] == whole
    assert (kept[11].source, kept[11].revision, kept[11].volume) == ("merged", 1, minute(11).volume)
    assert {bar.source for number, bar in kept.items() if number not in (10, 11)} == {"history"}


def test_a_bar_of_trades_that_nothing_proved_gives_way_to_the_venues(open_archive: OpenArchive) -> None:
    """It was believed to be complete when a feed ended that could not ask REST."""
    archive = open_archive()
    fewer = minute(10, source="ticks", trades=3, volume=minute(10).volume - 5)
    same = minute(11, source="ticks", trades=3)
    archive.append(Piece(INSTRUMENT, (fewer, same)))
    (page,) = filled(archive, span(0, 60))
    assert page.disagreements == 0
    kept = {bar.ts_ms // MINUTE: bar for bar in bars(archive, "1m")}
    assert (kept[10].source, kept[10].revision, told(kept[10])) == ("merged", 1, told(minute(10)))
    assert kept[11] == same


def test_a_bar_of_history_that_our_trades_contradict_is_counted_and_left_out(
    open_archive: OpenArchive,
) -> None:
    archive = open_archive()
    more = minute(11, source="ticks", volume=1_000, quality=Quality.PARTIAL)
    archive.append(Piece(INSTRUMENT, (more,)))
    (page,) = filled(archive, span(0, 60))
    assert page.disagreements == 1
    assert bars(archive, "1m")[11] == more


def test_larger_bars_are_made_again_after_minutes_of_an_old_time_came(open_archive: OpenArchive) -> None:
    archive = open_archive()
    filled(archive, span(MONDAY, MONDAY + 7 * DAY), without=range(MONDAY + 100, MONDAY + 110))
    late = span(MONDAY + 100, MONDAY + 110)
    archive.append(Piece(INSTRUMENT, tuple(minutes(range(MONDAY + 100, MONDAY + 110))), (late,)))
    assert reaggregate(archive, INSTRUMENT, TIMEFRAMES, late) == 5  # two of 5m, an hour, a day, a week
    assert reaggregate(archive, INSTRUMENT, TIMEFRAMES, late) == 0
    for timeframe, length in (("5m", 5), ("1h", 60), ("1d", DAY), ("1w", 7 * DAY)):
        begins = range(MONDAY, MONDAY + 7 * DAY, length)
        assert [told(bar) for bar in bars(archive, timeframe)] == [of(at, at + length) for at in begins]
    assert [bar.revision for bar in bars(archive, "1w")] == [1]


def test_larger_bars_that_a_feed_still_makes_itself_are_left_to_it(open_archive: OpenArchive) -> None:
    archive = open_archive()
    archive.append(Piece(INSTRUMENT, tuple(minutes(range(120))), (span(0, 120),)))
    made = reaggregate(archive, INSTRUMENT, ("1m", "1h", "1d"), span(0, 120), until_ms=100 * MINUTE)
    assert made == 1
    assert [told(bar) for bar in bars(archive, "1h")] == [of(0, 60)]


@pytest.mark.parametrize("seed", range(3))
def test_any_pieces_in_any_order_end_in_the_same_bars(open_archive: OpenArchive, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - a seeded story
    archive = open_archive()
    for _ in range(6):
        begin = chance.randrange(3 * DAY)
        filled(
            archive, span(begin, begin + chance.randrange(1, DAY)), most=chance.choice((100, 1_000, 4_320))
        )
        if chance.random() < 0.5:
            archive = open_archive()
        if chance.random() < 0.5:
            archive.flush()
    filled(archive, span(0, 4 * DAY))
    for timeframe, length in (("1m", 1), ("5m", 5), ("1h", 60), ("1d", DAY)):
        assert [told(bar) for bar in bars(archive, timeframe)] == [
            of(at, at + length) for at in range(0, 4 * DAY, length)
        ]
        assert archive.coverage("BTCTRY", timeframe) == (span(0, 4 * DAY),)
