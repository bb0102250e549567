from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.connection.budget import ConnectBudget

CHANCES = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(failures=st.integers(1, 2_000), chance=CHANCES, floor=st.floats(0, 3_600))
def test_every_delay_lies_between_the_floor_and_the_floor_plus_the_exponential_bound(
    failures: int, chance: float, floor: float
) -> None:
    backoff = Backoff(jitter=lambda: chance)
    for _ in range(failures - 1):
        backoff.delay()
    delay = backoff.delay(floor=floor)
    assert floor <= delay <= floor + min(60.0, 2.0 ** min(failures - 1, 10))
    assert backoff.attempt == failures


def test_the_jitter_spans_the_whole_range() -> None:
    lowest, highest = Backoff(jitter=lambda: 0.0), Backoff(jitter=lambda: 1.0)
    assert [lowest.delay() for _ in range(9)] == [0.0] * 9
    assert [highest.delay() for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_those_who_were_told_to_stay_away_for_a_minute_do_not_come_back_together() -> None:
    early, late = Backoff(jitter=lambda: 0.1), Backoff(jitter=lambda: 0.9)
    assert (early.delay(floor=60), late.delay(floor=60)) == (pytest.approx(60.1), pytest.approx(60.9))


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=60))
def test_failures_are_forgotten_only_after_thirty_seconds_of_healthy_data(
    history: list[tuple[float, bool]],
) -> None:
    backoff = Backoff(jitter=lambda: 0.5)
    now, failures = 0.0, 0
    healthy_since: float | None = None
    for passed, healthy in history:
        now += passed
        if healthy:
            backoff.healthy(now)
            if healthy_since is None:
                healthy_since = now
            elif now - healthy_since >= 30:
                failures = 0
        else:
            backoff.delay()
            failures, healthy_since = failures + 1, None
        assert backoff.attempt == failures


def test_a_venue_that_accepts_and_drops_at_once_is_met_with_growing_delays() -> None:
    backoff = Backoff(jitter=lambda: 1.0)
    delays = []
    for connection in range(4):
        backoff.healthy(connection * 100.0)  # the snapshot comes, then the cut
        delays.append(backoff.delay())
    assert delays == [1, 2, 4, 8]


@given(st.lists(st.floats(0, 20), min_size=1, max_size=80))
def test_no_minute_ever_sees_more_connects_than_the_budget(pauses: list[float]) -> None:
    budget = ConnectBudget(10)
    now, connects = 0.0, []
    for pause in pauses:
        now += pause
        while (wait := budget.wait(now)) > 0:
            now += wait
        budget.start(now)
        budget.end(now)
        connects.append(now)
        assert sum(1 for at in connects if at > now - 60) <= 10
