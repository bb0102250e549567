"""The compiled passes over sessions, the same file as plain Python, and the rule told naively: all agree."""

from __future__ import annotations

from array import array
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data.calendars import scan

SOURCE = Path(str(scan.__file__)).with_name("scan.py")
OPENS, CLOSES, PAUSES, RESUMES = range(4)


def uncompiled() -> ModuleType:
    spec = spec_from_loader(
        "uncompiled_calendar_scan", SourceFileLoader("uncompiled_calendar_scan", str(SOURCE))
    )
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PLAIN = uncompiled()


def column(code: str, values: Any) -> memoryview:
    return memoryview(array(code, values))


def zeros(code: str, rows: int) -> memoryview:
    return column(code, [0] * rows)


@st.composite
def sessions(draw: st.DrawFn) -> list[tuple[int, int, int, int]]:
    """(open, close, begin and end of the break), in minutes, in order; the break is often empty."""
    found = []
    at = draw(st.integers(-50, 50))
    for _ in range(draw(st.integers(1, 4))):
        begin = at + draw(st.integers(0, 40))
        length = draw(st.integers(5, 60))
        close = begin + length
        pause, resume = close, close
        if draw(st.booleans()):
            pause = draw(st.integers(begin + 1, close - 2))
            resume = draw(st.integers(pause + 1, close - 1))
        found.append((begin, close, pause, resume))
        at = close
    return found


def naive_bars(times: list[tuple[int, int, int, int]], step: int) -> list[tuple[int, int, int]]:
    """(session, begin, end) of every bar that is not wholly in a break."""
    bars: list[tuple[int, int, int]] = []
    for number, (begin, close, pause, resume) in enumerate(times):
        bars += [
            (number, at, min(at + step, close))
            for at in range(begin, close, step)
            if not (at >= pause and at + step <= resume)
        ]
    return bars


def columns_of(times: list[tuple[int, int, int, int]]) -> list[memoryview]:
    opens, closes, pauses, resumes = zip(*times, strict=True)
    return [column("q", values) for values in (opens, closes, pauses, resumes)]


@given(times=sessions(), step=st.integers(1, 25), data=st.data())
def test_every_row_within_a_session_is_in_its_bar_and_bars_are_numbered_without_a_hole(
    times: list[tuple[int, int, int, int]], step: int, data: st.DataObject
) -> None:
    bars = naive_bars(times, step)
    calendar = columns_of(times)
    row_step = data.draw(st.sampled_from([part for part in range(1, step + 1) if step % part == 0]))
    ts = sorted(data.draw(st.lists(st.integers(times[0][0] - 5, times[-1][1] + 5), max_size=40)))
    results = []
    for module in (scan, PLAIN):
        first = zeros("q", len(times))
        module.bars_a_session(*calendar, step, first)
        assert list(first) == [
            sum(1 for session, *_ in bars if session < number) for number in range(len(times))
        ]
        out = [zeros("q", len(ts)) for _ in range(4)] + [zeros("b", len(ts))]
        module.place(column("q", ts), *calendar, first, calendar[0], calendar[1], step, row_step, *out)
        results.append([one.tobytes() for one in out])
    assert results[0] == results[1]
    session, bar, begin, end, fault = out
    for row, stamp in enumerate(ts):
        inside = [number for number, (opens, closes, *_) in enumerate(times) if opens <= stamp < closes]
        if not inside:
            assert fault[row] == 1
            continue
        opens, _closes, pause, resume = times[inside[0]]
        assert session[row] == inside[0]
        if stamp >= pause and stamp + row_step <= resume:
            assert fault[row] == 1
            continue
        assert fault[row] == (2 if (stamp - opens) % row_step else 0)
        if fault[row] == 0:
            assert bars[bar[row]] == (session[row], begin[row], end[row])
            assert begin[row] <= stamp < end[row]


@given(times=sessions(), data=st.data())
def test_rows_of_whole_sessions_take_the_bar_of_their_unit(
    times: list[tuple[int, int, int, int]], data: st.DataObject
) -> None:
    calendar = columns_of(times)
    units = sorted(data.draw(st.lists(st.integers(0, 2), min_size=len(times), max_size=len(times))))
    first_bar = column("q", units)
    begins = column("q", [times[units.index(unit)][0] for unit in units])
    ends = column("q", [times[len(units) - 1 - units[::-1].index(unit)][1] for unit in units])
    ts = sorted(data.draw(st.lists(st.integers(times[0][0] - 5, times[-1][1] + 5), max_size=40)))
    results = []
    for module in (scan, PLAIN):
        out = [zeros("q", len(ts)) for _ in range(4)] + [zeros("b", len(ts))]
        module.place(column("q", ts), *calendar, first_bar, begins, ends, 0, 1, *out)
        results.append([one.tobytes() for one in out])
    assert results[0] == results[1]
    session, bar, begin, end, fault = out
    for row in range(len(ts)):
        if fault[row] == 0:
            assert (bar[row], begin[row], end[row]) == (
                units[session[row]],
                begins[session[row]],
                ends[session[row]],
            )
    assert list(begin) == sorted(begin)
    assert list(end) == sorted(end)


BAR_ROWS = st.tuples(st.integers(0, 6), *[st.floats(0.5, 9.5)] * 4, st.floats(0, 9), st.integers(0, 3))


@given(rows=st.lists(BAR_ROWS, max_size=25), covered=st.tuples(st.integers(0, 70), st.integers(0, 70)))
def test_buckets_are_made_alike(rows: list[tuple[Any, ...]], covered: tuple[int, int]) -> None:
    rows = sorted(rows, key=lambda row: row[0])
    bar = column("q", [row[0] for row in rows])
    begin = column("q", [10 * row[0] for row in rows])
    end = column("q", [10 * row[0] + 10 for row in rows])
    prices = [column("d", [row[i] for row in rows]) for i in range(1, 6)]
    quality = column("b", [row[6] for row in rows])
    results = []
    for module in (scan, PLAIN):
        out = [zeros("q", len(rows)), *(zeros("d", len(rows)) for _ in range(5)), zeros("b", len(rows))]
        count = module.resample(*prices, quality, bar, begin, end, *covered, *out)
        follows = zeros("b", len(rows))
        results.append((count, [one.tobytes() for one in out], module.gaps(bar, follows), follows.tobytes()))
    assert results[0] == results[1]
    held = sorted({row[0] for row in rows})
    assert list(out[0][:count]) == [10 * number for number in held]
    for at, number in enumerate(held):
        group = [row for row in rows if row[0] == number]
        assert (out[1][at], out[4][at]) == (group[0][1], group[-1][4])
        assert (out[2][at], out[3][at]) == (max(row[2] for row in group), min(row[3] for row in group))
        whole = covered[0] <= 10 * number and 10 * number + 10 <= covered[1]
        assert out[6][at] == (0 if whole and not any(row[6] in (1, 3) for row in group) else 1)


def test_the_module_is_compiled_and_the_other_is_not() -> None:
    assert (scan.COMPILED, PLAIN.COMPILED) == (True, False)
