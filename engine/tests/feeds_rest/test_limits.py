from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.feeds.rest.limits import Window


@given(
    requests=st.integers(1, 6),
    seconds=st.floats(0.5, 100),
    steps=st.lists(st.tuples(st.floats(0, 50), st.floats(0, 20), st.floats(0, 1)), min_size=1, max_size=60),
)
def test_no_span_of_the_servers_clock_sees_more_than_allowed_however_long_each_request_takes(
    requests: int, seconds: float, steps: list[tuple[float, float, float]]
) -> None:
    window = Window(requests, seconds)
    now = 0.0
    under_way: list[float] = []  # when they will end
    arrivals: list[float] = []
    for pause, lasts, arrives in steps:
        now += pause
        while True:
            for end in sorted(end for end in under_way if end <= now):
                window.end(end)
                under_way.remove(end)
            wait = window.wait(now)
            if wait == 0:
                break
            now = min([now + wait, *(end for end in under_way if end > now)])
        window.start(now)
        under_way.append(now + lasts)
        arrivals.append(now + lasts * arrives)
    for first in arrivals:
        assert sum(1 for at in arrivals if first <= at < first + seconds) <= requests


def test_what_it_says_to_wait_is_enough_and_not_too_much() -> None:
    window = Window(2, 10.0)
    for now in (0.0, 4.0):
        window.start(now)
        window.end(now)
    wait = window.wait(5.0)
    assert 5.0 <= wait < 5.1
    assert window.wait(5.0 + wait) == 0


def test_it_counts_a_request_from_its_start_until_the_span_after_its_end() -> None:
    window = Window(1, 10.0)
    window.start(0.0)
    assert window.wait(100.0) > 0
    window.end(200.0)
    assert window.wait(209.0) > 0
    assert window.wait(210.1) == 0


def test_a_blocked_limit_lets_nothing_through_until_the_block_ends_and_blocks_never_get_shorter() -> None:
    window = Window(100, 10.0)
    window.block(60.0)
    window.block(30.0)
    assert window.wait(0.0) == 60.0
    assert window.wait(59.0) == 1.0
    assert window.wait(60.0) == 0.0


def test_starting_without_room_is_an_error() -> None:
    window = Window(1, 10.0)
    window.start(0.0)
    with pytest.raises(ValueError, match="no room"):
        window.start(1.0)


@pytest.mark.parametrize(("requests", "seconds"), [(0, 10.0), (1, 0.0), (1, -1.0)])
def test_a_limit_that_allows_nothing_is_refused(requests: int, seconds: float) -> None:
    with pytest.raises(ValueError, match="a limit needs at least 1 request"):
        Window(requests, seconds)


@given(st.floats(0, 1e12))
def test_a_wait_always_moves_the_clock(now: float) -> None:
    window = Window(1, 1.0)
    window.start(now)
    window.end(now)
    while (wait := window.wait(now)) > 0:
        assert now + wait > now
        now += wait
