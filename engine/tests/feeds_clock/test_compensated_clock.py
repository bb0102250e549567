"""Simulated clocks and networks: offset, drift, steps, asymmetry, bursts, lies."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.feeds.clock.offset import MS, SLEW_PPM, STEP_NS, Clock

EXCHANGE = 1_700_000_000_000 * MS  # exchange time when a simulation begins
SECOND = 1000 * MS


@dataclass
class World:
    """True time is the exchange's; the local clock is `behind_ms` behind and drifts."""

    behind_ms: float = 0.0
    drift_ppm: float = 0.0  # of local against exchange time
    set_ns: int = 0  # by how much the local clock was set since

    def local(self, true_ns: int) -> int:
        drifted = round((true_ns - EXCHANGE) * self.drift_ppm / 1e6)
        return true_ns + drifted - round(self.behind_ms * MS) + self.set_ns

    def offset(self, true_ns: int) -> int:
        return true_ns - self.local(true_ns)

    def rest(self, clock: Clock, true_ns: int, out_ms: float, back_ms: float, lie_ms: float = 0) -> bool:
        server_ms = (true_ns + round((out_ms + lie_ms) * MS)) // MS
        answered_ns = true_ns + round((out_ms + back_ms) * MS)
        return clock.observe_rest(self.local(true_ns), self.local(answered_ns), server_ms)

    def trade(self, clock: Clock, true_ns: int, delay_ms: float) -> tuple[bool, int, int]:
        received = self.local(true_ns + round(delay_ms * MS))
        return clock.observe_transit(received, true_ns // MS), received, true_ns // MS


worlds = st.builds(
    World,
    behind_ms=st.floats(-5_000, 5_000),
    drift_ppm=st.floats(-49, 49),
)
delays = st.floats(0, 400)
happenings = st.lists(
    st.tuples(st.floats(0.001, 20), st.sampled_from(["rest", "trade", "burst"]), delays, delays), max_size=60
)


@given(worlds, happenings, delays, delays)
def test_the_offset_is_within_its_bound_and_no_lag_is_negative(
    world: World, happened: list[tuple[float, str, float, float]], out_ms: float, back_ms: float
) -> None:
    clock, now = Clock(), EXCHANGE
    world.rest(clock, now, out_ms, back_ms)
    now += SECOND
    for wait, kind, one_ms, other_ms in happened:
        now += round(wait * SECOND)
        if kind == "rest":
            assert world.rest(clock, now, one_ms, other_ms)
            now += round((one_ms + other_ms) * MS)
        for place in range({"rest": 0, "trade": 1, "burst": 20}[kind]):
            plausible, received, exchange = world.trade(clock, now + place * MS, one_ms + place)
            assert plausible
            assert clock.lag_ms(received, exchange) >= 0
        local = world.local(now + 1000 * MS)
        bound = clock.bound_ns(local)
        assert bound is not None
        assert abs(clock.offset_ns(local) - world.offset(now + 1000 * MS)) <= bound
        now += SECOND
    assert (clock.steps, clock.contradictions, clock.implausible) == (0, 0, 0)


@given(
    worlds,
    st.lists(
        st.tuples(
            st.floats(0.001, 30), st.sampled_from(["rest", "trade"]), delays, delays, st.floats(-1e7, 1e7)
        ),
        max_size=60,
    ),
    st.lists(st.integers(-20 * SECOND, 20 * SECOND), max_size=60),
)
def test_time_never_goes_backwards_whatever_is_said_and_however_the_clock_is_set(
    world: World, happened: list[tuple[float, str, float, float, float]], sets: list[int]
) -> None:
    clock, now, shown = Clock(), EXCHANGE, []
    for number, (wait, kind, one_ms, other_ms, lie_ms) in enumerate(happened):
        now += round(wait * SECOND)
        world.set_ns += sets[number] if number < len(sets) else 0
        if kind == "rest":
            world.rest(clock, now, one_ms, other_ms, lie_ms)
        else:
            world.trade(clock, now, one_ms + lie_ms)
        shown += [clock.time_ns(world.local(now)), clock.time_ns(world.local(now + 5 * MS))]
    assert all(before <= after for before, after in pairwise(shown))


@given(worlds, st.floats(-1e9, 1e9), st.integers(1, 7), delays)
def test_a_single_wrong_server_time_moves_the_clock_by_no_more_than_the_bounds(
    world: World, lie_ms: float, at: int, delay_ms: float
) -> None:
    clock, now = Clock(), EXCHANGE
    for number in range(16):
        now = EXCHANGE + number * 30 * SECOND
        world.rest(clock, now, delay_ms, delay_ms / 2, lie_ms if number == at else 0)
        world.trade(clock, now + 2 * SECOND, 1)
        local = world.local(now + 3 * SECOND)
        honest = round((delay_ms * 1.5 / 2 + 1) * MS) + 240 * SECOND * 150 // 1_000_000
        assert abs(clock.offset_ns(local) - world.offset(now + 3 * SECOND)) <= 2 * honest
    assert clock.steps == 0


@given(worlds, st.floats(1_500, 1e9))
def test_a_wrong_first_answer_is_overruled_by_three_that_agree(world: World, lie_ms: float) -> None:
    clock = Clock()
    world.rest(clock, EXCHANGE, 20, 20, lie_ms)
    for number in range(1, 4):
        world.rest(clock, EXCHANGE + number * SECOND, 20, 20)
    later = EXCHANGE + 5 * SECOND
    assert abs(clock.offset_ns(world.local(later)) - world.offset(later)) <= 25 * MS


@given(worlds, st.floats(2_000, 1e7))
def test_a_trade_of_the_future_moves_nothing_and_is_counted(world: World, ahead_ms: float) -> None:
    clock = Clock()
    world.rest(clock, EXCHANGE, 20, 20)
    world.trade(clock, EXCHANGE + SECOND, 5)
    later = world.local(EXCHANGE + 2 * SECOND)
    before = clock.offset_ns(later)
    plausible, _, _ = world.trade(clock, EXCHANGE + 2 * SECOND, -ahead_ms)
    assert not plausible
    assert clock.doubtful
    assert abs(clock.offset_ns(later) - before) <= SECOND * 60 // 1_000_000
    assert clock.implausible == 1
    assert world.trade(clock, EXCHANGE + 3 * SECOND, 5)[0]
    assert not clock.doubtful


@given(st.floats(400, 1e7))
def test_without_server_time_one_trade_of_the_future_is_doubted_and_three_are_believed(
    ahead_ms: float,
) -> None:
    world, clock = World(behind_ms=1270), Clock()
    for number in range(20):
        assert world.trade(clock, EXCHANGE + number * SECOND, 5 + number % 3)[0]
    before = clock.offset_ns(world.local(EXCHANGE + 20 * SECOND))
    assert not world.trade(clock, EXCHANGE + 20 * SECOND, -ahead_ms)[0]
    assert clock.offset_ns(world.local(EXCHANGE + 20 * SECOND)) == before
    assert not world.trade(clock, EXCHANGE + 21 * SECOND, -ahead_ms)[0]
    plausible, received, exchange = world.trade(clock, EXCHANGE + 22 * SECOND, -ahead_ms)
    assert plausible
    assert clock.lag_ms(received, exchange) >= 0


def test_trades_alone_give_an_offset_without_a_bound() -> None:
    world, clock = World(behind_ms=1270), Clock()
    assert not clock.known
    assert clock.offset_ns(EXCHANGE) == 0
    world.trade(clock, EXCHANGE, 3)
    assert clock.known
    assert clock.offset_ns(world.local(EXCHANGE)) == 1267 * MS
    assert clock.bound_ns(world.local(EXCHANGE)) is None


def test_a_better_sample_pulls_the_offset_no_faster_than_500_ppm() -> None:
    world, clock = World(), Clock()
    world.rest(clock, EXCHANGE, 0, 300)  # believes 150 ms too little
    world.trade(clock, EXCHANGE + SECOND, 200)
    world.rest(clock, EXCHANGE + 2 * SECOND, 5, 5)
    published = [clock.offset_ns(EXCHANGE + (2 + number) * SECOND) for number in range(400)]
    assert all(0 <= after - before <= SECOND * SLEW_PPM / 1e6 for before, after in pairwise(published))
    assert published[0] < -100 * MS
    assert abs(published[-1]) <= MS
    assert clock.steps == 0


def test_samples_before_the_first_trade_are_taken_at_once() -> None:
    world, clock = World(), Clock()
    world.rest(clock, EXCHANGE, 0, 300)
    world.rest(clock, EXCHANGE + SECOND, 5, 5)
    assert abs(clock.offset_ns(EXCHANGE + SECOND + 10 * MS)) <= MS


def test_a_trade_that_came_too_early_pushes_the_offset_forwards_at_once() -> None:
    world, clock = World(), Clock()
    world.rest(clock, EXCHANGE, 0, 300)
    _, received, exchange = world.trade(clock, EXCHANGE + SECOND, 40)
    assert clock.lag_ms(received, exchange) == 0
    assert -45 * MS <= clock.offset_ns(received) <= -40 * MS


def test_what_a_trade_has_proved_is_not_slewed_away() -> None:
    world, clock = World(), Clock()
    world.rest(clock, EXCHANGE, 0, 300)
    world.trade(clock, EXCHANGE + SECOND, 40)
    world.trade(clock, EXCHANGE + 200 * SECOND, 300)
    assert clock.offset_ns(EXCHANGE + 201 * SECOND) >= -41 * MS


def test_a_local_clock_that_is_set_back_is_followed_by_one_counted_step() -> None:
    world, clock = World(behind_ms=100, drift_ppm=5), Clock()
    shown = []
    for second in range(1200):
        true_ns = EXCHANGE + second * SECOND
        if second == 600:
            world.set_ns = -7 * SECOND
        if second % 20 == 0 or clock.doubtful:
            world.rest(clock, true_ns, 10, 15)
        world.trade(clock, true_ns + 500 * MS, 4)
        shown.append(clock.time_ns(world.local(true_ns + 600 * MS)))
    assert clock.steps == 1
    assert all(before <= after for before, after in pairwise(shown))
    end = EXCHANGE + 1200 * SECOND
    assert abs(clock.offset_ns(world.local(end)) - world.offset(end)) <= 10 * MS


def test_a_local_clock_that_is_set_forward_is_followed_by_one_counted_step() -> None:
    world, clock = World(), Clock()
    for second in range(600):
        true_ns = EXCHANGE + second * SECOND
        if second == 300:
            world.set_ns = 2 * STEP_NS
        if second % 20 == 0:
            world.rest(clock, true_ns, 10, 15)
        plausible, received, exchange = world.trade(clock, true_ns + 500 * MS, 4)
        assert plausible
        assert clock.lag_ms(received, exchange) >= 0
    assert clock.steps == 1
    _, received, exchange = world.trade(clock, EXCHANGE + 600 * SECOND, 4)
    assert clock.lag_ms(received, exchange) <= 15


def test_server_time_that_lies_on_is_not_believed_while_trades_come_as_ever() -> None:
    """Believed, it would claim the next hour to be over."""
    world, clock = World(behind_ms=100, drift_ppm=5), Clock()
    for second in range(900):
        true_ns = EXCHANGE + second * SECOND
        if second % 3 == 0:
            world.rest(clock, true_ns, 10, 15, 3_600_000 if 300 <= second < 600 else 0)
        assert world.trade(clock, true_ns + 500 * MS, 4)[0]
        local = world.local(true_ns + 600 * MS)
        assert abs(clock.offset_ns(local) - world.offset(true_ns + 600 * MS)) <= 20 * MS
    assert clock.contradictions == 100
    assert not clock.doubtful


def test_a_venue_whose_clock_is_set_forwards_by_an_hour_is_followed_by_one_counted_step() -> None:
    world, clock = World(), Clock()
    for second in range(600):
        world.set_ns = -3_600 * SECOND if second >= 300 else 0
        true_ns = EXCHANGE + second * SECOND
        if second % 15 == 0 or clock.doubtful:
            world.rest(clock, true_ns, 10, 15)
        world.trade(clock, true_ns + 500 * MS, 4)
        if not 300 <= second < 310:
            local = world.local(true_ns + 600 * MS)
            assert abs(clock.offset_ns(local) - world.offset(true_ns + 600 * MS)) <= 20 * MS
    assert clock.steps == 1


@pytest.mark.parametrize("drift_ppm", [-45.0, -4.8, 0.0, 20.0, 45.0])
@pytest.mark.parametrize("seed", range(10))
def test_drift_is_recovered_under_bursts(drift_ppm: float, seed: int) -> None:
    """A tenth of the time, every trade is delayed by up to a second: a plain regression would be lost. An
    estimate has no bound: of 2,000 stories one is off by 3 ppm."""
    chance = Random(seed)  # noqa: S311 - for the choice of a test
    world, clock = World(behind_ms=-300, drift_ppm=drift_ppm), Clock()
    for number in range(3000):
        true_ns = EXCHANGE + number * 100 * MS + chance.randrange(MS)
        burst = number % 300 < 30
        world.trade(clock, true_ns, 2 + chance.expovariate(0.5) + (chance.random() * 1000 if burst else 0))
    assert clock.drift_ppm is not None
    assert abs(clock.drift_ppm - drift_ppm) <= 2.5


def test_drift_is_not_told_from_less_than_a_minute() -> None:
    world, clock = World(drift_ppm=20), Clock()
    for number in range(500):
        world.trade(clock, EXCHANGE + number * 100 * MS, 2)
    assert clock.drift_ppm is None
