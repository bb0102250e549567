"""chart.json: few buckets, exact extremes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

MAX_BUCKETS = 1_500

BARS = st.one_of(st.integers(1, 60), st.integers(1_501, 6_100))  # one bar a bucket, and up to five
walks = st.tuples(BARS, st.integers(0, 2**32), st.sampled_from((0.0, 0.001, 0.05, 0.2)))  # bars, seed, spread


def walk(bars: int, seed: int, spread: float) -> list[float]:
    random = Random(seed)  # noqa: S311
    closes = [100.0]
    for _ in range(bars - 1):
        closes.append(closes[-1] * (1 + random.uniform(-spread, spread)))
    return closes


def drawdowns(equity: memoryview, cash: float) -> list[float]:
    """Bar by bar, the plain way."""
    peak, found = cash, []
    for value in equity:
        peak = max(peak, value)
        found.append(1.0 - value / peak)
    return found


@settings(max_examples=40, deadline=None)
@given(walks)
def test_every_bucket_has_the_exact_extremes_of_its_bars(
    a_run: Callable[..., Any], shape: tuple[int, int, float]
) -> None:
    run = a_run(walk(*shape), {bar: 1.0 - bar % 2 for bar in range(0, shape[0], 7)})
    chart, candles, ledger = run.chart, run.candles, run.ledger
    depths = drawdowns(ledger.equity, run.cash)
    row = {ts: index for index, ts in enumerate(candles.ts)}
    starts = [row[ts] for ts in chart["price"]["ts"]]
    for bucket, (start, stop) in enumerate(pairwise([*starts, len(candles)])):
        assert chart["price"]["open"][bucket] == candles.open[start]
        assert chart["price"]["high"][bucket] == max(candles.high[start:stop])
        assert chart["price"]["low"][bucket] == min(candles.low[start:stop])
        assert chart["price"]["close"][bucket] == candles.close[stop - 1]
        assert chart["equity"]["high"][bucket] == max(ledger.equity[start:stop])
        assert chart["equity"]["low"][bucket] == min(ledger.equity[start:stop])
        assert chart["equity"]["last"][bucket] == ledger.equity[stop - 1]
        assert chart["drawdown"]["worst"][bucket] == max(depths[start:stop])
        assert chart["position"]["last"][bucket] == ledger.position[stop - 1]


@settings(max_examples=40, deadline=None)
@given(walks)
def test_the_extremes_of_the_whole_window_survive(
    a_run: Callable[..., Any], shape: tuple[int, int, float]
) -> None:
    run = a_run(walk(*shape), {0: 1.0})
    chart = run.chart
    assert max(chart["price"]["high"]) == max(run.candles.high)
    assert min(chart["price"]["low"]) == min(run.candles.low)
    assert max(chart["equity"]["high"]) == max(run.ledger.equity)
    assert min(chart["equity"]["low"]) == min(run.ledger.equity)
    assert max(chart["drawdown"]["worst"]) == max(drawdowns(run.ledger.equity, run.cash))


@settings(max_examples=40, deadline=None)
@given(walks)
def test_every_column_has_one_value_a_bucket_in_ascending_time(
    a_run: Callable[..., Any], shape: tuple[int, int, float]
) -> None:
    chart = a_run(walk(*shape)).chart
    buckets = len(chart["price"]["ts"])
    assert 1 <= buckets <= MAX_BUCKETS
    for pane in ("price", "equity", "benchmark", "drawdown", "position"):
        assert {len(column) for column in chart[pane].values()} == {buckets}
        assert chart[pane]["ts"] == sorted(set(chart[pane]["ts"]))


def test_a_short_window_has_one_bucket_a_bar(a_run: Callable[..., Any]) -> None:
    closes = [100.0, 110.0, 90.0, 95.0]
    chart = a_run(closes).chart
    assert chart["price"]["close"] == closes
    assert chart["drawdown"]["worst"] == [0, 0, 0, 0]


def test_warm_up_bars_are_not_drawn(a_run: Callable[..., Any]) -> None:
    run = a_run([50.0, 60.0, 100.0, 101.0, 102.0], {0: 1.0}, warmup=2)
    assert run.chart["bars"] == 3
    assert run.chart["price"]["ts"] == list(run.candles.ts[2:])
    assert run.chart["price"]["low"][0] == 60.0
    assert run.chart["fills"]["ts"] == [run.candles.ts[3]]


def test_fills_carry_names_and_the_time_of_their_bar(a_run: Callable[..., Any]) -> None:
    run = a_run([100.0, 110.0, 120.0, 130.0], {0: 1.0, 1: 0.0})
    fills = run.chart["fills"]
    assert fills["side"] == ["buy", "sell"]
    assert fills["reason"] == ["signal", "signal"]
    assert fills["ts"] == [run.candles.ts[1], run.candles.ts[2]]
    assert fills["price"] == list(run.ledger.fills.price)
    assert (fills["shown"], fills["total"]) == (2, 2)


def test_only_the_last_4000_fills_are_kept(a_run: Callable[..., Any]) -> None:
    bars = 4_400
    run = a_run([100.0] * bars, {bar: 1.0 - bar % 2 for bar in range(bars - 1)}, fee=0.0)
    fills = run.chart["fills"]
    assert fills["total"] == len(run.ledger.fills) > 4_000
    assert fills["shown"] == len(fills["bar"]) == 4_000
    assert fills["bar"][-1] == run.ledger.fills.bar[-1]


def test_a_drawdown_beyond_the_whole_account_is_more_than_one(a_run: Callable[..., Any]) -> None:
    run = a_run([100.0, 100.0, 100.0, 250.0, 240.0], {0: -1.0})
    assert min(run.ledger.equity) < 0
    assert max(run.chart["drawdown"]["worst"]) == pytest.approx(
        1 - min(run.ledger.equity) / max(run.ledger.equity)
    )


def test_months_run_from_last_close_to_last_close(a_run: Callable[..., Any]) -> None:
    # 2020-09-13 is bar 0 of one bar a day: September ends with bar 17, October with bar 48
    run = a_run([100.0 + bar for bar in range(60)], {0: 1.0}, fee=0.0)
    monthly, equity = run.chart["monthly"], run.ledger.equity
    assert monthly["months"] == ["2020-09", "2020-10", "2020-11"]
    assert monthly["strategy"] == [
        equity[17] / run.cash - 1,
        equity[48] / equity[17] - 1,
        equity[59] / equity[48] - 1,
    ]


def test_a_month_after_bankruptcy_has_no_return(a_run: Callable[..., Any]) -> None:
    run = a_run([100.0] * 10 + [250.0] * 50, {0: -1.0})
    assert min(run.ledger.equity) < 0
    assert run.chart["monthly"]["strategy"][1:] == [None, None]


@settings(max_examples=25, deadline=None)
@given(walks)
def test_exposure_is_the_mean_of_notional_over_equity(
    a_run: Callable[..., Any], shape: tuple[int, int, float]
) -> None:
    run = a_run(walk(*shape), {bar: 1.0 - bar % 2 for bar in range(0, shape[0], 7)})
    ledger, closes = run.ledger, run.candles.close
    weights = [q * c / e for q, c, e in zip(ledger.position, closes, ledger.equity, strict=True)]
    row = {ts: index for index, ts in enumerate(run.candles.ts)}
    starts = [row[ts] for ts in run.chart["exposure"]["ts"]]
    for bucket, (start, stop) in enumerate(pairwise([*starts, len(weights)])):
        mean = sum(weights[start:stop]) / (stop - start)
        assert run.chart["exposure"]["long"][bucket] == pytest.approx(mean, abs=1e-12)
        assert run.chart["exposure"]["short"][bucket] == pytest.approx(0.0, abs=1e-12)


def test_shorts_are_exposure_of_their_own(a_run: Callable[..., Any]) -> None:
    exposure = a_run([100.0] * 4, {0: -1.0}, fee=0.0).chart["exposure"]
    assert exposure["long"] == [0.0] * 4
    assert exposure["short"] == pytest.approx([0.0, 1.0, 1.0, 1.0], rel=1e-3)


def sharpe(equity: list[float], per_year: float) -> float:
    returns = [now / before - 1 for before, now in pairwise(equity)]
    mean = sum(returns) / len(returns)
    deviation = (sum((value - mean) ** 2 for value in returns) / (len(returns) - 1)) ** 0.5
    return mean / deviation * per_year**0.5


@pytest.mark.parametrize("bars", [400, 4_000])
def test_the_rolling_sharpe_ratio_is_that_of_the_bars_of_its_window(
    a_run: Callable[..., Any], bars: int
) -> None:
    run = a_run(walk(bars, 7, 0.03), {0: 1.0})
    rolling, ts = run.chart["rollingSharpe"], run.chart["price"]["ts"]
    row = {at: index for index, at in enumerate(run.candles.ts)}
    starts = [*(row[at] for at in ts), bars]
    size = rolling["buckets"]
    assert rolling["value"][: size - 1] == [None] * (size - 1)
    for end in (size + 1, size + 40, len(ts)):
        window = run.ledger.equity[starts[end - size] - 1 : starts[end]].tolist()
        assert rolling["value"][end - 1] == pytest.approx(sharpe(window, 365.0), rel=1e-9)
    assert size * 4 <= len(ts)


def test_a_short_run_has_no_rolling_sharpe_ratio(a_run: Callable[..., Any]) -> None:
    assert a_run(walk(40, 1, 0.02)).chart["rollingSharpe"] is None


def test_without_a_position_the_rolling_sharpe_ratio_is_not_defined(a_run: Callable[..., Any]) -> None:
    assert set(a_run([100.0] * 200).chart["rollingSharpe"]["value"]) == {None}
