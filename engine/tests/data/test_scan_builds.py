"""The compiled passes and the same file as plain Python agree in every bit."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data import scan

SOURCE = Path(str(scan.__file__)).with_name("scan.py")


def uncompiled() -> ModuleType:
    spec = spec_from_loader("uncompiled_scan", SourceFileLoader("uncompiled_scan", str(SOURCE)))
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PLAIN = uncompiled()

PRICES = st.floats(0.01, 1e6) | st.integers(1, 10**9).map(lambda tick: tick / 100)
WILD = PRICES | st.floats() | st.just(0.0)
QUALITY = st.integers(0, 3)
SMALL_TIMES = st.integers(-50, 50).map(lambda minute: minute * 60_000)
ANY_TIMES = (
    st.integers(-(2**63), 2**63 - 1) | st.integers(10**8, 4 * 10**18) | st.integers(19_000_000, 22_000_000)
)


def column(code: str, values: list[Any]) -> memoryview:
    return memoryview(array(code, values))


def bits(value: object) -> object:
    """Comparable to the last bit, NaN and -0.0 included."""
    if isinstance(value, memoryview):
        return value.format, value.tobytes()
    if isinstance(value, float):
        return struct.pack("<d", value)
    return value


def both(name: str, make: Callable[[], tuple[Any, ...]]) -> Any:
    """Calls `name` of each build with arguments of its own; what it returns and writes must be equal."""
    results = []
    for module in (scan, PLAIN):
        arguments = make()
        returned = getattr(module, name)(*arguments)
        told = returned if isinstance(returned, tuple) else (returned,)
        results.append((told, [bits(value) for value in (*told, *arguments)]))
    assert results[0][1] == results[1][1]
    return results[0][0]


@st.composite
def tables(draw: st.DrawFn, prices: st.SearchStrategy[float] = WILD) -> dict[str, list[Any]]:
    rows = draw(st.integers(0, 12))

    def drawn(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=rows, max_size=rows))

    table = {"ts": sorted(drawn(SMALL_TIMES))}
    table |= {name: drawn(prices) for name in ("open", "high", "low", "close", "volume")}
    return table | {"quality": drawn(QUALITY)}


def columns_of(table: dict[str, list[Any]]) -> tuple[memoryview, ...]:
    codes = {"ts": "q", "quality": "b"}
    return tuple(column(codes.get(name, "d"), values) for name, values in table.items())


def prices_of(table: dict[str, list[Any]]) -> tuple[memoryview, ...]:
    return columns_of(table)[1:5]


def test_the_two_builds_are_what_they_are_called() -> None:
    assert scan.COMPILED is True, "scan is not compiled: run make"
    assert PLAIN.COMPILED is False


@given(st.lists(SMALL_TIMES))
def test_unsorted_rows(stamps: list[int]) -> None:
    (count,) = both("unsorted_rows", lambda: (column("q", stamps),))
    assert count == sum(stamp < max(stamps[:i], default=stamp) for i, stamp in enumerate(stamps))


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(0, 9))
def test_nulls_are_filled_by_the_bitmap_from_any_offset(valid: list[bool], offset: int) -> None:
    padded = [False] * offset + valid
    octets = [sum(bit << k for k, bit in enumerate(padded[i : i + 8])) for i in range(0, len(padded), 8)]
    made = []

    def make() -> tuple[Any, ...]:
        made.append(column("d", [1.0] * len(valid)))
        return made[-1], memoryview(bytes(octets)), offset, -1.0

    both("fill_nulls", make)
    assert list(made[0]) == [1.0 if bit else -1.0 for bit in valid]


@given(st.lists(ANY_TIMES, max_size=8))
def test_epochs(stamps: list[int]) -> None:
    both("epochs_to_ms", lambda: (column("q", stamps), -(2 * 10**12), 7 * 10**12, 19_000_101, 21_991_231))


@given(
    st.lists(ANY_TIMES, max_size=8),
    st.sampled_from([(1000, 1), (1, 1), (1, 1000), (1, 10**6), (86_400_000, 1)]),
)
def test_units(stamps: list[int], unit: tuple[int, int]) -> None:
    both("units_to_ms", lambda: (column("q", stamps), *unit, -(2 * 10**12), 7 * 10**12))


@given(st.lists(SMALL_TIMES).map(sorted), st.sampled_from([60_000, 120_000]))
def test_steps(stamps: list[int], asked: int) -> None:
    elected, of_elected, of_asked, count = both("steps", lambda: (column("q", stamps), asked))
    steps = [after - before for before, after in pairwise(stamps) if after > before]
    assert (of_asked, count, of_elected) == (steps.count(asked), len(steps), steps.count(elected))
    assert all(step == elected or 2 * steps.count(step) <= count for step in steps)


@given(tables(st.sampled_from([1.0, 2.0, float("nan")])))
def test_duplicates(table: dict[str, list[Any]]) -> None:
    rows = len(table["ts"])
    exact, conflicting, first = both("duplicates", lambda: (*columns_of(table), column("b", [0] * rows)))
    assert exact + conflicting == rows - len(set(table["ts"]))
    assert (first >= 0) == (conflicting > 0)


@given(tables())
def test_prices_and_their_order(table: dict[str, list[Any]]) -> None:
    both("price_faults", lambda: prices_of(table))
    both("order_faults", lambda: prices_of(table))


@given(tables(st.sampled_from([1.0, 1.0 + 5e-10, 1.0 - 5e-10, 1.0 + 5e-9, 2.0])))
def test_order_within_and_beyond_the_tolerance(table: dict[str, list[Any]]) -> None:
    kept = []

    def make() -> tuple[memoryview, ...]:
        kept.append(prices_of(table))
        return kept[-1]

    _mended, broken, _first = both("order_faults", make)
    if not broken:
        assert all(lo <= min(o, c) and h >= max(o, c) for o, h, lo, c in zip(*kept[0], strict=True))


@given(st.lists(WILD))
def test_volumes(volumes: list[float]) -> None:
    both("volume_faults", lambda: (column("d", volumes),))


@given(st.lists(st.integers(-(10**6), 10**6)), st.integers(1, 5000), st.integers(-5000, 5000))
def test_the_grid(stamps: list[int], step: int, anchor: int) -> None:
    count, _first = both("off_grid", lambda: (column("q", stamps), step, anchor))
    assert count == sum((stamp - anchor) % step != 0 for stamp in stamps)


@given(st.lists(SMALL_TIMES).map(sorted))
def test_gaps(stamps: list[int]) -> None:
    both("gaps", lambda: (column("q", stamps), 60_000))


@given(st.lists(QUALITY))
def test_partial_rows(flags: list[int]) -> None:
    count, _first = both("partial_rows", lambda: (column("b", flags), column("b", [0] * len(flags))))
    assert count == flags.count(1) + flags.count(3)


@given(tables(), st.integers(0, 6), st.sampled_from([60_000, 180_000]), st.booleans(), st.data())
def test_the_begin_of_warm_up(
    table: dict[str, list[Any]], wanted: int, step: int, whole_only: bool, data: st.DataObject
) -> None:
    end = data.draw(st.integers(0, len(table["ts"])))
    stamps, flags = columns_of(table)[0], columns_of(table)[6]
    (begin,) = both("warmup_begin", lambda: (stamps, flags, end, wanted, step, 7, whole_only))
    buckets: dict[int, set[int]] = {}
    for stamp, flag in zip(stamps[begin:end], flags[begin:end], strict=True):
        buckets.setdefault((stamp - 7) // step, set()).add(flag)
    counted = [flaws for flaws in buckets.values() if not (whole_only and flaws & {1, 3})]
    assert len(counted) == wanted or (begin == 0 and len(counted) < wanted)


@given(tables(), st.sampled_from([60_000, 180_000, 3_600_000]), st.sampled_from([0, -120_000]))
def test_resampling(table: dict[str, list[Any]], step: int, anchor: int) -> None:
    rows = len(table["ts"])

    def make() -> tuple[Any, ...]:
        zeros = tuple(column(source.format, [0] * rows) for source in columns_of(table))
        return (*columns_of(table), step, anchor, -600_000, 600_000, *zeros)

    (count,) = both("resample", make)
    assert count == len({(stamp - anchor) // step for stamp in table["ts"]})


@given(st.lists(PRICES, min_size=1), st.integers(0, 9), st.booleans())
def test_ticks(prices: list[float], scale: int, half_even: bool) -> None:
    power = 10.0**scale
    both("first_misfit", lambda: (column("d", prices), power))
    both("ticks", lambda: (column("d", prices), power, half_even, column("q", [0] * len(prices))))
    both("snap", lambda: (column("d", prices), power, half_even, column("b", [0] * len(prices))))


@pytest.mark.parametrize("price", [5e-324, 1e-300, 1e300, 9.2e18, 1.7976931348623157e308])
def test_extreme_prices_fit_or_do_not_fit_in_both_builds(price: float) -> None:
    for scale in range(10):
        both("first_misfit", lambda scale=scale: (column("d", [price]), 10.0**scale))


@given(st.lists(WILD, max_size=12), WILD, WILD.filter(lambda value: value != 0))
def test_scaling_a_column(values: list[float], first: float, second: float) -> None:
    both("multiply", lambda: (column("d", values), first, second))
    both("divide", lambda: (column("d", values), second))
