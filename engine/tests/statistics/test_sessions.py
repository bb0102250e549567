"""Metrics of runs on an exchange: sessions for days, close times for spans, 252 of them a year."""

from __future__ import annotations

import random
from array import array
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data.calendars.table import exchange_calendar
from spark_engine.data.calendars.timetable import sessions_of
from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account, Decisions, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.statistics.metrics import metrics
from spark_engine.statistics.moments import Table, metrics_from_tables

HOUR = 3_600_000
DAY = 24 * HOUR
FREE = Account(10_000.0, 0.0, 0.0, 0.0)


def candles_of(
    ts: list[int], closes: list[float], timeframe_ms: int, calendar: str, warmup: int = 0
) -> Candles:
    stamps, column = memoryview(array("q", ts)), memoryview(array("d", closes))
    return Candles(
        stamps,
        column,
        column,
        column,
        column,
        volume=column,
        quality=memoryview(bytes(len(ts))).cast("b"),
        ticks_close=memoryview(array("q", [round(close * 100) for close in closes])),
        timeframe_ms=timeframe_ms,
        warmup=warmup,
        sessions=sessions_of(calendar, stamps, timeframe_ms),
    )


def held(candles: Candles) -> Ledger:
    decisions = Decisions(memoryview(array("q", [0])), memoryview(array("d", [1.0])))
    return simulate(candles, decisions, FREE)


def tables(ledger: Ledger, candles: Candles) -> tuple[Table, Table, Table]:
    equity = {"ts": candles.ts[candles.warmup :].tolist()}
    equity |= {name: getattr(ledger, name).tolist() for name in ("equity", "cash", "position")}
    equity["funding"] = [0.0] * len(ledger.equity)
    names = ("quantity", "price", "fee", "slippage")
    fills = {name: getattr(ledger.fills, name).tolist() for name in names}
    return equity, fills, {name: [] for name in ("entry_bar", "exit_bar", "pnl")}


def sharpe(returns: list[float], periods: float) -> float:
    mean = sum(returns) / len(returns)
    spread = sqrt(sum((value - mean) ** 2 for value in returns) / (len(returns) - 1))
    return mean / spread * sqrt(periods)


def test_daily_bars_are_annualised_by_252_sessions() -> None:
    days = list(exchange_calendar("XIST").date[8000:8006])
    candles = candles_of(days, [100.0, 100.0, 110.0, 99.0, 108.9, 108.9], DAY, "XIST")
    found = metrics(held(candles), candles, FREE)
    returns = [0.0, 0.1, -0.1, 0.1, 0.0]
    assert found["sharpe"].value == pytest.approx(sharpe(returns, 252), rel=1e-9)
    assert found["sharpeDaily"].value == pytest.approx(sharpe(returns, 252), rel=1e-9)


def test_daily_returns_run_from_session_to_session_though_both_lie_in_one_utc_day() -> None:
    """New York futures close at 22:00 or 23:00 UTC and open again at once: a bar before and one after."""
    calendar = exchange_calendar("us_futures")
    first = list(calendar.open).index(next(o for o in calendar.open if o > 1_704_150_000_000))
    ts = [calendar.open[first + day] + hour * HOUR for day in range(3) for hour in (0, 20)]
    candles = candles_of(ts, [100.0, 110.0, 121.0, 99.0, 90.0, 108.9], HOUR, "us_futures")
    found = metrics(held(candles), candles, FREE)
    assert found["sharpeDaily"].value == pytest.approx(
        sharpe([99.0 / 110.0 - 1, 108.9 / 99.0 - 1], 252), rel=1e-9
    )


def test_growth_is_counted_from_close_to_close() -> None:
    calendar = exchange_calendar("XNYS")
    days = [day for day in calendar.date if 1_672_531_200_000 <= day < 1_735_689_600_000]
    candles = candles_of(days, [100.0 + i / 10 for i in range(len(days))], DAY, "XNYS")
    closes = [close for close in calendar.close if 1_672_531_200_000 <= close < 1_735_689_600_000]
    ledger = held(candles)
    years = (closes[-1] - closes[0]) / (365 * DAY)
    expected = (ledger.equity[-1] / 10_000) ** (1 / years) - 1
    assert metrics(ledger, candles, FREE)["cagr"].value == pytest.approx(expected, rel=1e-9)


def test_an_early_close_shortens_the_time_under_water() -> None:
    stamps = [1_732_665_600_000, 1_732_838_400_000]  # 2024-11-27, and 29 with its early close
    candles = candles_of([1_732_579_200_000, *stamps], [100.0, 100.0, 90.0], DAY, "XNYS")
    seconds = metrics(held(candles), candles, FREE)["maxDrawdownSeconds"].value
    assert seconds == 2 * 86_400 - 3 * 3600


@pytest.mark.parametrize(
    ("calendar", "timeframe_ms", "periods"),
    [
        ("XNYS", HOUR, 252 * 6.5),
        ("XNYS", 60_000, 252 * 390),
        ("XNYS", DAY, 252),
        ("XNYS", 7 * DAY, 52),
        ("XNYS", 14 * DAY, 26),
        ("XHKG", HOUR, 252 * 5.5),
        ("24x5", HOUR, 252 * 24),
    ],
)
def test_bars_a_year(calendar: str, timeframe_ms: int, periods: float) -> None:
    own = exchange_calendar(calendar)
    sessions = sessions_of(calendar, own.open[8500:8700], timeframe_ms)
    assert (sessions.periods_per_year, sessions.sessions_per_year) == (periods, 252.0)


def test_later_bars_do_not_change_bars_a_year() -> None:
    """Istanbul cut its sessions from 8.5 to 8 hours and back: the first year of a run decides."""
    opens = exchange_calendar("XIST").open
    for begin in range(1000, 9000, 500):
        found = {
            sessions_of("XIST", opens[begin : begin + count], HOUR).periods_per_year for count in (1, 50, 400)
        }
        assert len(found) == 1


@given(
    seed=st.integers(0, 10_000),
    bars=st.integers(1, 120),
    shape=st.sampled_from([("XNYS", HOUR), ("XHKG", 15 * 60_000), ("XIST", DAY), ("us_futures", 4 * HOUR)]),
)
def test_tables_give_the_metrics_of_the_run(seed: int, bars: int, shape: tuple[str, int]) -> None:
    calendar, timeframe_ms = shape
    draw = random.Random(seed)  # noqa: S311 - candles, not keys
    own = exchange_calendar(calendar)
    ts = [
        at
        for session in range(8000, 8000 + bars)
        for at in (own.date[session], *range(own.open[session], own.close[session], timeframe_ms))
        if (at == own.date[session]) == (timeframe_ms == DAY) and draw.random() < 0.6
        if timeframe_ms == DAY or not own.break_open[session] <= at < own.break_close[session]
    ][:bars]
    if not ts:
        return
    closes = [max(1.0, 100.0 + draw.randint(-60, 60) / 10) for _ in ts]
    candles = candles_of(sorted(ts), closes, timeframe_ms, calendar, warmup=seed % min(len(ts), 4))
    ledger = held(candles)
    run = metrics(ledger, candles, FREE)
    again = metrics_from_tables(*tables(ledger, candles), FREE, timeframe_ms, calendar=calendar)
    for name, metric in run.items():
        assert again[name].reason == metric.reason, name
        assert again[name].value == (
            None if metric.value is None else pytest.approx(metric.value, rel=1e-9, abs=1e-9)
        ), name
