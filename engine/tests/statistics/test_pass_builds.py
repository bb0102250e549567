"""The compiled passes, the same file as plain Python, and what the standard library says to both."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import accumulate, pairwise
from math import fsum
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.statistics import passes

SOURCE = Path(str(passes.__file__)).with_name("passes.py")


def uncompiled() -> ModuleType:
    spec = spec_from_loader("uncompiled_passes", SourceFileLoader("uncompiled_passes", str(SOURCE)))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PLAIN = uncompiled()

MONEY = st.floats(0.01, 1e6)
SIGNED = st.floats(-1e6, 1e6)
SIZES = st.integers(1, 7)
equities = st.lists(MONEY, min_size=1, max_size=30)
# Of an equity that is all but nothing the exposure is infinite: no account that still means anything
EQUITY = SIGNED.filter(lambda value: abs(value) > 1e-6) | st.just(0.0)
accounts = st.lists(st.tuples(EQUITY | MONEY, SIGNED, SIGNED | st.just(0.0), MONEY), min_size=1, max_size=30)


def doubles(values: Any) -> memoryview:
    return memoryview(array("d", values))


def whole(values: Any) -> memoryview:
    return memoryview(array("q", values))


def bits(value: object) -> object:
    """Comparable to the last bit, NaN and -0.0 included."""
    if isinstance(value, memoryview):
        return value.format, value.tobytes()
    return struct.pack("<d", value) if isinstance(value, float) else value


def both(name: str, make: Callable[[], tuple[Any, ...]]) -> tuple[Any, tuple[Any, ...]]:
    """Calls `name` of each build; what it returns and its arguments, which are equal to the last bit."""
    told = []
    for module in (PLAIN, passes):
        arguments = make()
        returned = getattr(module, name)(*arguments)
        values = returned if isinstance(returned, tuple) else (returned,)
        told.append([bits(value) for value in (*values, *arguments)])
    assert told[0] == told[1]
    return returned, arguments


def buckets(values: list[Any], size: int) -> list[list[Any]]:
    return [values[start : start + size] for start in range(0, len(values), size)]


def per_bucket(values: list[Any], size: int) -> memoryview:
    return doubles([0.0] * len(buckets(values, size)))


def test_the_two_builds_are_what_they_are_called() -> None:
    assert passes.COMPILED is True, "passes is not compiled: run make"
    assert PLAIN.COMPILED is False


@given(st.lists(SIGNED, min_size=1, max_size=30), SIZES)
def test_buckets_hold_their_extremes(values: list[float], size: int) -> None:
    _, (_, _, low) = both("lowest", lambda: (doubles(values), size, per_bucket(values, size)))
    _, (_, _, high) = both("highest", lambda: (doubles(values), size, per_bucket(values, size)))
    assert low.tolist() == [min(bucket) for bucket in buckets(values, size)]
    assert high.tolist() == [max(bucket) for bucket in buckets(values, size)]


@given(st.lists(SIGNED, min_size=1, max_size=30), MONEY)
def test_a_drawdown_is_measured_from_the_highest_equity_so_far(equity: list[float], cash: float) -> None:
    _, (_, _, found) = both("drawdowns", lambda: (doubles(equity), cash, doubles(equity)))
    peaks = list(accumulate(equity, max, initial=cash))[1:]
    assert found.tolist() == [1.0 - value / peak for value, peak in zip(equity, peaks, strict=True)]


@given(st.lists(SIGNED | st.sampled_from([90.0, 100.0, 110.0]), min_size=1, max_size=30))
def test_drawdowns_begin_at_a_peak_and_end_where_it_is_reached_again(equity: list[float]) -> None:
    rows = len(equity) // 2 + 1

    def make() -> tuple[Any, ...]:
        return doubles(equity), 100.0, *(whole([0] * rows) for _ in range(3)), doubles([0.0] * rows)

    count, (_, _, peaks, troughs, recoveries, depths) = both("episodes", make)
    for row in range(count):
        end = recoveries[row] if recoveries[row] >= 0 else len(equity)
        peak = max(100.0, *equity[: peaks[row] + 1])
        below = equity[troughs[row] : end]
        assert equity[troughs[row]] == min(below) and max(below) < peak
        assert recoveries[row] < 0 or equity[end] >= peak
        assert depths[row] == 1.0 - min(below) / peak


@given(accounts, SIZES)
def test_exposure_is_the_mean_of_a_bucket_where_equity_is_sound(
    rows: list[tuple[float, float, float, float]], size: int
) -> None:
    equity, _, position, close = (list(column) for column in zip(*rows, strict=True))

    def make() -> tuple[Any, ...]:
        out = per_bucket(rows, size), per_bucket(rows, size)
        return doubles(position), doubles(close), doubles(equity), size, *out

    _, (*_, long, short) = both("bucket_exposures", make)
    for bucket, longs, shorts in zip(buckets(rows, size), long, short, strict=True):
        if min(worth for worth, *_ in bucket) <= 0:
            assert longs != longs and shorts != shorts
            continue
        weights = [held * price / worth for worth, _, held, price in bucket]
        gross = fsum(map(abs, weights)) / len(bucket)
        assert longs + shorts == pytest.approx(gross)
        assert longs - shorts == pytest.approx(fsum(weights) / len(bucket), abs=1e-12 * (1 + gross))


@given(st.lists(MONEY | st.sampled_from([0.0, -1.0, 5.0]), min_size=1, max_size=30), SIZES)
def test_returns_add_up_bucket_by_bucket_and_unsound_ones_are_counted(equity: list[float], size: int) -> None:
    count = len(buckets(equity, size)) + 1

    def make() -> tuple[Any, ...]:
        return doubles(equity), size, doubles([9.0] * count), doubles([9.0] * count), whole([9] * count)

    _, (_, _, s1, s2, unsound) = both("running_sums", make)
    moves = [(1.0, 1.0), *pairwise(equity)]
    for bucket, part in enumerate(buckets(moves, size)):
        bad = any(before <= 0 for before, _ in part)
        returns = [] if bad else [now / before - 1.0 for before, now in part]
        assert unsound[bucket + 1] - unsound[bucket] == bad
        assert s1[bucket + 1] == pytest.approx(s1[bucket] + fsum(returns))
        assert s2[bucket + 1] == pytest.approx(s2[bucket] + fsum([change * change for change in returns]))


@given(st.lists(st.integers(-50, 50), min_size=1).map(sorted), st.integers(1, 9))
def test_days_end_with_their_last_bar(times: list[int], length: int) -> None:
    first = (times[0] // length + 1) * length
    count, (*_, rows) = both("day_ends", lambda: (whole(times), first, length, whole([0] * len(times))))
    days = [time // length for time in times]
    ends = [i for i in range(len(days)) if i + 1 == len(days) or days[i] != days[i + 1]]
    assert rows[:count].tolist() == ends


@given(st.lists(SIGNED, min_size=1), st.data())
def test_rows_are_taken_in_the_order_asked(values: list[float], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(values) - 1)))
    _, (*_, taken) = both("take", lambda: (doubles(values), whole(rows), doubles([0.0] * len(rows))))
    assert taken.tolist() == [values[row] for row in rows]
    numbers = [int(value) for value in values]
    _, (*_, taken) = both("take_whole", lambda: (whole(numbers), whole(rows), whole([0] * len(rows))))
    assert taken.tolist() == [numbers[row] for row in rows]


@given(st.integers(0, 20))
def test_counting_starts_at_zero(rows: int) -> None:
    _, (counted,) = both("count_up", lambda: (whole([7] * rows),))
    assert counted.tolist() == list(range(rows))


@given(equities)
def test_growth_is_each_value_over_the_one_before(values: list[float]) -> None:
    _, (_, growth) = both("ratios", lambda: (doubles(values), doubles(values[1:])))
    assert growth.tolist() == [now / before for before, now in pairwise(values)]
    _, (returns,) = both("returns_from", lambda: (doubles(growth),))
    assert returns.tolist() == [ratio - 1.0 for ratio in growth]


@given(st.lists(st.floats(0.0, allow_nan=False) | st.floats(0.99, 1.01), max_size=40))
def test_what_is_sorted_ascends(values: list[float]) -> None:
    sound = [value + 0.0 for value in values]  # no -0.0

    def make() -> tuple[Any, ...]:
        return doubles(sound).cast("B").cast("q"), whole([0] * len(sound))

    _, (ascending, _) = both("sort", make)
    assert ascending.cast("B").cast("d").tolist() == sorted(sound)


@given(st.lists(SIGNED))
def test_a_total_does_not_depend_on_the_order(values: list[float]) -> None:
    found, _ = both("total", lambda: (doubles(values),))
    assert found == pytest.approx(fsum(values), rel=1e-15, abs=1e-18)


@given(st.lists(st.floats(-1, 1), min_size=1), st.floats(-1, 1))
def test_central_sums_are_those_of_the_powers(values: list[float], mean: float) -> None:
    found, _ = both("central_sums", lambda: (doubles(values), mean))
    for power, total in zip((2, 3, 4), found, strict=True):
        assert total == pytest.approx(fsum([(value - mean) ** power for value in values]), abs=1e-12)


@given(st.lists(st.integers(-3, 3)), st.integers(0, 5))
def test_of_equals_the_earlier_row_is_the_lesser(values: list[int], most: int) -> None:
    count, (_, rows) = both("least_rows", lambda: (doubles(values), whole([-1] * most)))
    assert rows[:count].tolist() == sorted(range(len(values)), key=lambda row: values[row])[:most]
    both("negate", lambda: (doubles(values), doubles(values)))


@given(accounts)
def test_exposure_counts_sides_and_finds_the_greatest(rows: list[tuple[float, float, float, float]]) -> None:
    equity, cash, position, _ = (list(column) for column in zip(*rows, strict=True))
    found, _ = both("exposure_sums", lambda: (doubles(equity), doubles(cash), doubles(position)))
    long, short, least, net, gross, row, most = found
    assert (long, short) == (sum(held > 0 for held in position), sum(held < 0 for held in position))
    assert least == min(equity)
    if least > 0:
        weights = [(worth - held) / worth for worth, held in zip(equity, cash, strict=True)]
        assert net == pytest.approx(fsum(weights), abs=1e-12 * (1 + gross))
        assert gross == pytest.approx(fsum(map(abs, weights)))
        assert most == max(map(abs, weights)) == abs(weights[row])
