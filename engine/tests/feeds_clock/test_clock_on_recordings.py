"""Two real recordings whose host clock was 1.27 s behind and drifted (reference/feeds.md 2.5)."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import quantiles

import pytest
from spark_engine.feeds.clock.lag import LagWindow
from spark_engine.feeds.clock.offset import MS, Clock

SPOT = "ws_binance_spot_btcusdt_20240809.gz"
FUTURE = "ws_binance_usdm_btcusdt_20240808.gz"
BEHIND_MS = 1270
Stamped = tuple[int, int]  # receive ns, exchange ms
Recorded = Callable[..., tuple[Stamped, ...]]


@pytest.fixture(scope="module")
def recorded(market_data: Callable[[str], Path]) -> Recorded:
    @cache
    def read(name: str, stamp: str = "E", trades_only: bool = True) -> tuple[Stamped, ...]:
        found = []
        with gzip.open(market_data(name)) as lines:
            for line in lines:
                received, _, text = line.partition(b" ")
                event = json.loads(text).get("data", {})
                if stamp in event and (event["e"] == "trade" or not trades_only):
                    found.append((int(received), event[stamp]))
        return tuple(found)

    return read


def compensated(stamped: tuple[Stamped, ...], clock: Clock) -> list[float]:
    lags = []
    for received, exchange in stamped:
        assert clock.observe_transit(received, exchange)
        lags.append(clock.lag_ms(received, exchange))
    return lags


@pytest.mark.parametrize("name", [SPOT, FUTURE])
@pytest.mark.parametrize("stamp", ["E", "T"])
def test_the_raw_lag_is_negative_and_the_compensated_one_never_is(
    recorded: Recorded, name: str, stamp: str
) -> None:
    stamped = recorded(name, stamp)
    assert max(received / MS - exchange for received, exchange in stamped) < -1200
    clock = Clock()
    assert min(compensated(stamped, clock)) >= 0
    assert (clock.steps, clock.implausible) == (0, 0)


@pytest.mark.parametrize(
    ("name", "median", "highest"),
    [(SPOT, (1.5, 2.2), (3.0, 5.0)), (FUTURE, (1.8, 3.4), (20.0, 32.0))],
)
def test_half_the_trades_are_a_few_milliseconds_above_the_floor(
    recorded: Recorded, name: str, median: tuple[float, float], highest: tuple[float, float]
) -> None:
    percentiles = quantiles(compensated(recorded(name), Clock()), n=100)
    assert median[0] <= percentiles[49] <= median[1]
    assert highest[0] <= percentiles[98] <= highest[1]


@pytest.mark.parametrize("name", [SPOT, FUTURE])
def test_the_drift_of_the_host_is_recovered_from_all_events(recorded: Recorded, name: str) -> None:
    clock = Clock()
    compensated(recorded(name, trades_only=False), clock)
    assert clock.drift_ppm is not None
    assert -5.1 <= clock.drift_ppm <= -4.4


@pytest.mark.parametrize("name", [SPOT, FUTURE])
def test_trades_alone_give_the_drift_within_half_a_millionth(recorded: Recorded, name: str) -> None:
    clock = Clock()
    compensated(recorded(name), clock)
    assert clock.drift_ppm is not None
    assert -5.6 <= clock.drift_ppm <= -4.4


@pytest.mark.parametrize("name", [SPOT, FUTURE])
def test_exchange_time_never_goes_backwards_through_a_recording(recorded: Recorded, name: str) -> None:
    clock = Clock()
    shown = []
    for received, exchange in recorded(name):
        clock.observe_transit(received, exchange)
        shown.append(clock.time_ns(received))
    assert all(before <= after for before, after in pairwise(shown))
    assert shown[-1] - recorded(name)[-1][0] == pytest.approx((BEHIND_MS + 4) * MS, abs=5 * MS)


@pytest.mark.parametrize("asymmetry_ms", [-20, 0, 20])
def test_server_time_of_the_same_host_agrees_with_its_trades(recorded: Recorded, asymmetry_ms: int) -> None:
    """REST as it would have answered: 60 ms of round trip, one way up to 20 ms longer than the other."""
    stamped = recorded(SPOT)
    clock, lags = Clock(), []
    begin = stamped[0][0]
    due = begin
    for received, exchange in stamped:
        if received >= due:
            server_ns = received - (30 + asymmetry_ms) * MS + (BEHIND_MS + 4) * MS
            assert clock.observe_rest(received - 60 * MS, received, server_ns // MS)
            due += 30_000 * MS
        assert clock.observe_transit(received, exchange)
        lags.append(clock.lag_ms(received, exchange))
    assert min(lags) >= 0
    bound = clock.bound_ns(stamped[-1][0])
    assert bound is not None
    assert bound < 64 * MS
    assert clock.offset_ns(stamped[-1][0]) == pytest.approx((BEHIND_MS + 4) * MS, abs=bound)
    assert clock.contradictions == 0


def test_the_window_of_lags_reads_the_percentiles_of_a_recording(recorded: Recorded) -> None:
    stamped = recorded(FUTURE)
    lags = compensated(stamped, Clock())
    window = LagWindow(600)
    for (received, _), lag in zip(stamped, lags, strict=True):
        window.add(received, lag)
    read = window.percentiles(stamped[-1][0])
    exact = quantiles(lags, n=100)
    assert read == pytest.approx((exact[49], exact[94], exact[98]), rel=0.03)
