"""Who tries what, which is best, and what is trained and tested when."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_crds.sweeps.lengths import Lengths
from spark_engine.errors import InvalidSpec
from spark_engine.sweeps.ranking import best
from spark_engine.sweeps.shards import shard
from spark_engine.sweeps.windows import Window, walk, windows

Sweep = Callable[..., dict[str, Any]]
ONE = [{"name": "xx", "values": [1]}]


@given(st.integers(0, 10**7), st.integers(1, 1000))
def test_shards_own_every_id_once_and_differ_by_one_at_most(size: int, count: int) -> None:
    ranges = [shard(size, index, count) for index in range(count)]
    assert (ranges[0].start, ranges[-1].stop) == (0, size)
    assert all(one.stop == other.start for one, other in pairwise(ranges))
    assert max(map(len, ranges)) - min(map(len, ranges)) <= 1


def test_a_shard_is_cut_as_the_semantics_say() -> None:
    assert [shard(10, index, 4) for index in range(4)] == [range(2), range(2, 5), range(5, 7), range(7, 10)]
    with pytest.raises(ValueError, match="no shard 4 of 4"):
        shard(10, 4, 4)


def test_nulls_are_last_and_ties_go_to_the_lowest_id() -> None:
    objective = [1.0, None, 3.0, nan, 3.0, 2.0]
    ids = [10, 11, 14, 13, 12, 15]
    assert [ids[row] for row in best(objective, ids)] == [12, 14, 15, 10, 11, 13]
    assert [ids[row] for row in best(objective, ids, "Minimize")] == [10, 15, 12, 14, 11, 13]


@given(st.lists(st.sampled_from([None, nan, -1.0, 0.0, 0.5, 2.0]), max_size=30), st.integers(0, 40))
def test_the_first_few_are_the_first_of_all(objective: list[float | None], count: int) -> None:
    ids = list(range(100, 100 + len(objective)))
    assert best(objective, ids, "Maximize", count) == best(objective, ids)[:count]


def test_rolling_windows_move_and_do_not_overlap_their_tests() -> None:
    lengths = Lengths(anchored=False, train=100, test=50, step=50, embargo=10)
    assert walk(lengths, 260) == (
        Window(0, 100, 110, 160),
        Window(50, 150, 160, 210),
        Window(100, 200, 210, 260),
    )


def test_anchored_windows_grow() -> None:
    lengths = Lengths(anchored=True, train=100, test=50, step=50, embargo=0)
    assert walk(lengths, 249) == (Window(0, 100, 100, 150), Window(0, 150, 150, 200))


@given(
    st.booleans(),
    st.integers(1, 50),
    st.integers(1, 50),
    st.integers(1, 50),
    st.integers(0, 50),
    st.integers(0, 500),
)
def test_every_window_fits_and_the_next_would_not(
    anchored: bool, train: int, test: int, step: int, embargo: int, bars: int
) -> None:
    found = walk(Lengths(anchored, train, test, step, embargo), bars)
    for number, window in enumerate(found):
        assert window.train_start == (0 if anchored else number * step)
        assert window.train_stop == number * step + train
        assert window.test_start - window.train_stop == embargo
        assert window.test_stop - window.test_start == test
        assert window.test_stop <= bars
    assert len(found) * step + train + embargo + test > bars


def test_durations_are_bars_of_the_timeframe(sweep: Sweep) -> None:
    spec = sweep(ONE, walkForward={"mode": "Rolling", "train": "30d", "test": "1w", "embargo": 24})
    assert windows(spec, 24 * 45)[1] == Window(168, 168 + 720, 168 + 744, 168 + 744 + 168)


def test_a_step_that_is_not_given_is_the_test(sweep: Sweep) -> None:
    spec = sweep(ONE, walkForward={"mode": "Anchored", "train": 10, "test": 5})
    assert [window.test_start for window in windows(spec, 30)] == [10, 15, 20, 25]


def test_too_few_bars_for_one_window_is_an_error_with_both_numbers(sweep: Sweep) -> None:
    spec = sweep(ONE, walkForward={"mode": "Rolling", "train": 100, "test": 50, "embargo": 1})
    with pytest.raises(InvalidSpec, match="one window takes 151 bars, the data has 150") as caught:
        windows(spec, 150)
    assert caught.value.field == "spec.walkForward"
    assert len(windows(spec, 151)) == 1


def test_a_duration_that_is_no_whole_number_of_bars_is_named(sweep: Sweep) -> None:
    spec = sweep(ONE, walkForward={"mode": "Rolling", "train": 100, "test": 50})
    spec["walkForward"]["embargo"] = "90m"  # past the resolver
    with pytest.raises(InvalidSpec) as caught:
        windows(spec, 1000)
    assert caught.value.field == "spec.walkForward.embargo"
