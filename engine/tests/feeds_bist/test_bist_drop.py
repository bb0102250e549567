"""One delivered file: against the calendar, as exact candles, whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime

import polars
import pytest
from spark_engine.errors import InvalidData
from spark_engine.feeds.market import Interval
from spark_engine.feeds.providers.bist.drop import Drop, Wanted, read_drop
from spark_engine.feeds.providers.bist.due import missing_sessions

DAY = 86_400_000
HEADER = "date,open,high,low,close,volume\n"


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = ms("2026-11-20")
DAILY = Wanted(("THYAO", "EREGL"), ("1d",))


def read(content: str | bytes, name: str = "THYAO.csv", wanted: Wanted = DAILY, written: int = NOW) -> Drop:
    return read_drop(name, content.encode() if isinstance(content, str) else content, wanted, written, NOW)


def bars(*days: str, price: float = 10.0) -> str:
    return HEADER + "".join(f"{day},{price},{price + 1},{price - 1},{price + 0.5},100\n" for day in days)


def test_the_real_thyao_file_has_its_known_defects_and_no_other(real: Callable[[str], bytes]) -> None:
    name = "bist_thyao_1d_2021_2026.parquet"
    (series,) = read(real(name), name).series
    found = series.findings
    assert (found.rows, len(series.candles)) == (1253, 1249)
    assert found.placeholders == (ms("2026-05-27"), ms("2026-05-28"), ms("2026-05-29"))
    assert found.no_session == (ms("2023-02-08"),)
    assert found.missing_sessions == (ms("2024-04-09"), ms("2026-07-31"))
    assert (found.empty_rows, found.forming, found.repairs) == (0, 0, ())
    assert ms("2023-02-08") not in {bar.ts_ms for bar in series.candles}


def test_the_real_eregl_file_has_its_known_defects_and_no_other(real: Callable[[str], bytes]) -> None:
    name = "bist_eregl_1d_2021_2026.parquet"
    (series,) = read(real(name), name).series
    found = series.findings
    assert (found.rows, len(series.candles)) == (1254, 1250)
    assert found.missing_sessions == (ms("2026-07-31"),)
    assert [(repair.name, repair.rows, repair.example_ms) for repair in found.repairs] == [
        ("rounding", 1, ms("2021-09-02"))
    ]
    still = next(bar for bar in series.candles if bar.ts_ms == ms("2024-04-09"))
    assert still.volume == 0


def test_prices_that_were_adjusted_backwards_are_said_not_to_be_exact(real: Callable[[str], bytes]) -> None:
    name = "bist_thyao_1d_2021_2026.parquet"
    content = real(name)
    (series,) = read(content, name).series
    assert series.findings.exact is False
    assert (series.instrument.price_scale, series.instrument.quantity_scale) == (9, 0)
    source = polars.read_parquet(io.BytesIO(content)).row(0, named=True)
    assert series.candles[0].open == round(source["open"] * 1e9)
    assert series.candles[0].volume == source["volume"]


def test_what_a_file_covers_leaves_out_the_sessions_that_it_lacks(real: Callable[[str], bytes]) -> None:
    name = "bist_thyao_1d_2021_2026.parquet"
    (series,) = read(real(name), name).series
    assert series.covered == (
        Interval(ms("2021-08-10"), ms("2024-04-09")),
        Interval(ms("2024-04-15"), ms("2026-07-31")),
        Interval(ms("2026-08-03"), ms("2026-08-08")),
    )


def test_a_bar_of_a_week_covers_all_sessions_of_its_week() -> None:
    content = bars("2024-01-08", "2024-01-15", "2024-01-29", "2024-04-08", "2024-04-15")
    (series,) = read(content, wanted=Wanted(("THYAO",), ("1w",)), name="THYAO_1w.csv").series
    assert series.covered[:2] == (
        Interval(ms("2024-01-08"), ms("2024-01-20")),  # Friday's midnight to midnight is the last
        Interval(ms("2024-01-29"), ms("2024-02-03")),
    )
    missing = series.findings.missing_sessions
    assert missing[:5] == tuple(ms(f"2024-01-{day}") for day in range(22, 27))
    assert ms("2024-04-15") not in missing
    assert missing_sessions("XIST", series.covered) == len(missing)


def test_prices_in_ticks_are_exact() -> None:
    (series,) = read(HEADER + "2024-01-02,245.10,246.75,244,245.25,1234567\n").series
    bar = series.candles[0]
    assert (bar.open, bar.high, bar.low, bar.close, bar.price_scale) == (24510, 24675, 24400, 24525, 2)
    assert (bar.volume, bar.quantity_scale, bar.source) == (1234567, 0, "history")
    assert series.findings.exact


def test_a_daily_bar_is_at_midnight_of_its_session_whatever_stamp_the_source_has() -> None:
    at_midnight = read(bars("2024-01-02")).series[0].candles
    in_istanbul = read(bars("2024-01-02T00:00:00+03:00")).series[0].candles
    at_the_open = read(bars("2024-01-02T07:00:00Z")).series[0].candles
    assert at_midnight == in_istanbul == at_the_open
    assert at_midnight[0].ts_ms == ms("2024-01-02")


@pytest.mark.parametrize(
    ("name", "spelt"),
    [
        ("THYAO.csv", "THYAO"),
        ("thyao.csv", "THYAO"),
        ("THYAO.E.csv", "THYAO.E"),
        ("THYAO.IS_1d.csv", "THYAO.IS"),
        ("2024/01/bist_thyao_1d_2021_2026.csv", "THYAO"),
        ("THYAO/2024.csv", "THYAO"),
        ("bist.THYAO.1d.csv", "THYAO"),
    ],
)
def test_the_name_of_a_file_says_the_symbol_and_how_the_venue_spells_it(name: str, spelt: str) -> None:
    (series,) = read(bars("2024-01-02"), name).series
    assert (series.instrument.symbol, series.instrument.venue_symbol) == ("THYAO", spelt)
    assert series.candles[0].symbol == "THYAO"


def test_a_right_is_not_the_share_that_it_belongs_to() -> None:
    assert read(bars("2024-01-02"), "THYAO.R.csv", Wanted(("THYAO.R", "THYAO"), ("1d",))).series
    for name in ("THYAO.R.csv", "bist_thyao.v_1d.csv", "THYAO.R.1d.csv", "THYAO.R/1d.csv"):
        assert read(bars("2024-01-02"), name).series == ()
    content = "symbol," + HEADER + "THYAO.R,2024-01-02,1,1,1,1,5\nTHYAO.E,2024-01-02,10,10,10,10,7\n"
    (series,) = read(content, "bulletin.csv").series
    assert (series.instrument.venue_symbol, series.candles[0].volume) == ("THYAO.E", 7)


def test_a_bulletin_holds_many_symbols_of_which_the_feed_takes_its_own() -> None:
    rows = "".join(f"{name}.E,2024-01-02,10,11,9,10,100\n" for name in ("AKBNK", "THYAO", "EREGL"))
    found = read("symbol," + HEADER + rows, "bulletin-20240102.csv").series
    assert [series.instrument.symbol for series in found] == ["THYAO", "EREGL"]
    assert [series.instrument.venue_symbol for series in found] == ["THYAO.E", "EREGL.E"]


def test_a_file_of_other_symbols_holds_nothing_for_the_feed() -> None:
    assert read(bars("2024-01-02"), "AKBNK.csv").series == ()
    assert read(bars("2024-01-02"), "THYAO_EREGL.csv").series == ()  # of which of the two?


def test_a_bar_that_was_still_forming_when_the_file_was_written_is_left_out() -> None:
    content = bars("2024-01-02", "2024-01-03")
    midday, evening = ms("2024-01-03T12:00"), ms("2024-01-03T18:00")
    (series,) = read(content, written=midday).series
    assert [bar.ts_ms for bar in series.candles] == [ms("2024-01-02")]
    assert series.findings.forming == 1
    assert series.covered == (Interval(ms("2024-01-02"), ms("2024-01-03")),)
    assert len(read(content, written=evening).series[0].candles) == 2


def test_a_time_of_writing_before_the_bars_themselves_is_not_believed() -> None:
    assert len(read(bars("2024-01-02", "2024-01-03"), written=0).series[0].candles) == 2


def test_a_half_day_ends_at_its_own_close() -> None:
    eve = "2024-10-28"  # the day before the republic's: closes at 13:00 in Istanbul
    assert len(read(bars("2024-10-25", eve), written=ms("2024-10-28T10:30")).series[0].candles) == 2
    assert len(read(bars("2024-10-25", eve), written=ms("2024-10-28T09:00")).series[0].candles) == 1


def test_a_row_without_prices_is_no_bar_and_its_session_is_missing() -> None:
    content = bars("2024-01-02") + "2024-01-03,,,,,\n" + "2024-01-04,10,11,9,10,100\n"
    (series,) = read(content).series
    assert (series.findings.empty_rows, series.findings.missing_sessions) == (1, (ms("2024-01-03"),))
    assert len(series.candles) == 2


def test_minutes_lie_within_a_session_and_cover_it_up_to_their_last_bar() -> None:
    first = ms("2024-01-02T07:00")
    rows = "".join(f"{first + i * 60_000},10,11,9,10,5\n" for i in (0, 1, 2, 5))
    (series,) = read(HEADER + rows, wanted=Wanted(("THYAO",), ("1m", "1d"))).series
    assert (series.timeframe, len(series.candles)) == ("1m", 4)
    assert series.covered == (Interval(first, first + 6 * 60_000),)


def test_a_minute_with_trades_outside_the_session_is_refused_and_told() -> None:
    first = ms("2024-01-02T07:00")
    rows = "".join(f"{first + i * 60_000},10,11,9,10,5\n" for i in (-180, 0, 1, 2, 3))
    (series,) = read(HEADER + rows, wanted=Wanted(("THYAO",), ("1m",))).series
    assert series.findings.no_session == (first - 180 * 60_000,)
    assert len(series.candles) == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is empty"),
        ("a,b,c\n1,2,3\n", "has no column"),
        (HEADER + "2024-01-02,10,11,9,ten,100\n", "is not a number"),
        (HEADER + "2024-01-02,10,11,9,-1,100\n", "not above 0"),
        (HEADER + "2024-01-02,10,9,11,10,100\n", "does not hold open and close"),
        (HEADER + "2024-01-02,10,11,9,,100\n", "a price is missing"),
        (bars("2024-01-02") + bars("2024-01-02", price=20)[len(HEADER) :], "that differ"),
        (HEADER + "2024-01-02,1e19,1e19,1e19,1e19,1.5\n", "too large for 64 bits"),
        (HEADER + "2024-01-02,10,11,9\n", "4 cells where the first line has 6"),
        (b"PAR1 cut in the middle", "not a whole parquet file"),
        (bars("2024-01-02", "2024-01-03", "2024-01-04", "2024-01-04T07:00:00Z"), "two rows of 2024-01-04"),
        (bars("1985-01-02"), "XIST is known from"),
    ],
)
def test_a_bad_file_is_taken_in_no_part(content: str | bytes, said: str) -> None:
    with pytest.raises(InvalidData, match=said):
        read(content)


def test_longer_bars_are_never_taken_for_those_that_the_feed_archives() -> None:
    weeks = bars("2024-01-08", "2024-01-15", "2024-01-22")
    first = ms("2024-01-02T07:00")
    hours = HEADER + "".join(f"{first + i * 3_600_000},10,11,9,10,5\n" for i in range(5))
    months = bars("2024-01-02", "2024-02-01", "2024-03-01", "2024-04-01")
    minutes = Wanted(("THYAO",), ("1m",))
    with pytest.raises(InvalidData, match=r"THYAO\.csv has bars of 1w; the feed archives 1d"):
        read(weeks)
    with pytest.raises(InvalidData, match="has bars of 1w; the feed archives 1d"):
        read(bars("2024-01-08"), "THYAO_1w.csv")
    with pytest.raises(InvalidData, match="has bars of 4w; the feed archives 1d"):
        read(months)
    with pytest.raises(InvalidData, match="has bars of 1h; the feed archives 1m"):
        read(hours, wanted=minutes)


def test_bars_of_a_share_that_trades_seldom_are_of_the_only_timeframe() -> None:
    first = ms("2024-01-02T07:00")
    minutes = HEADER + "".join(f"{first + i * 60_000},10,11,9,10,5\n" for i in (0, 5, 35, 37, 120))
    assert len(read(minutes, wanted=Wanted(("THYAO",), ("1m",))).series[0].candles) == 5
    assert len(read(bars("2024-01-08", "2024-01-15")).series[0].candles) == 2


def test_bars_of_another_length_than_the_feed_archives_are_refused() -> None:
    first = ms("2024-01-02T07:00")
    rows = "".join(f"{first + i * 3_600_000},10,11,9,10,5\n" for i in range(5))
    with pytest.raises(InvalidData, match="has bars of 1h; the feed archives 1d"):
        read(HEADER + rows)
    with pytest.raises(InvalidData, match="says no timeframe; the feed archives 1m, 1d"):
        read(bars("2024-01-02"), wanted=Wanted(("THYAO",), ("1m", "1d")))
    assert read(bars("2024-01-02"), "THYAO_1d.csv", Wanted(("THYAO",), ("1m", "1d"))).series
