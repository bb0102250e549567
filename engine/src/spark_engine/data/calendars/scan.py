# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator"
"""Passes over rows beside the sessions of a calendar (compiled; the rules of `data.scan` hold here too)."""

from __future__ import annotations

import cython

COMPILED: bool = cython.compiled
FITS = cython.declare(cython.int, 0)
OUTSIDE = cython.declare(cython.int, 1)
OFF_GRID = cython.declare(cython.int, 2)
PARTIAL = cython.declare(cython.int, 1)
FEED_DOWN = cython.declare(cython.int, 3)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def bars_in_break(pause: cython.longlong, resume: cython.longlong, step: cython.longlong) -> cython.longlong:
    """Bars counted from the open that lie wholly in the break [pause, resume), ms after the open."""
    first: cython.longlong = (pause + step - 1) // step
    beyond: cython.longlong = resume // step
    return beyond - first if beyond > first else 0


def bars_a_session(
    opens: cython.const[cython.longlong][::1],
    closes: cython.const[cython.longlong][::1],
    break_opens: cython.const[cython.longlong][::1],
    break_closes: cython.const[cython.longlong][::1],
    step: cython.longlong,
    to_first: cython.longlong[::1],
) -> None:
    """to_first[s] = bars of `step` in all sessions before s; a session's last bar may be short."""
    s: cython.Py_ssize_t
    count: cython.longlong = 0
    for s in range(len(opens)):
        to_first[s] = count
        count += (closes[s] - opens[s] + step - 1) // step
        count -= bars_in_break(break_opens[s] - opens[s], break_closes[s] - opens[s], step)


def place(
    ts: cython.const[cython.longlong][::1],
    opens: cython.const[cython.longlong][::1],
    closes: cython.const[cython.longlong][::1],
    break_opens: cython.const[cython.longlong][::1],
    break_closes: cython.const[cython.longlong][::1],
    first_bar: cython.const[cython.longlong][::1],
    unit_begin: cython.const[cython.longlong][::1],
    unit_end: cython.const[cython.longlong][::1],
    step: cython.longlong,
    row_step: cython.longlong,
    to_session: cython.longlong[::1],
    to_bar: cython.longlong[::1],
    to_begin: cython.longlong[::1],
    to_end: cython.longlong[::1],
    to_fault: cython.schar[::1],
) -> None:
    """Sorted rows of `row_step` within sessions, into bars of `step` ms, or of whole sessions with step 0.

    Bar `first_bar[s] + j` begins j steps after the open. With step 0 bar `first_bar[s]` reaches from
    `unit_begin[s]` to `unit_end[s]`. A row outside every session is OUTSIDE, with the session before it.
    """
    i: cython.Py_ssize_t
    s: cython.Py_ssize_t = -1
    count: cython.Py_ssize_t = len(opens)
    after: cython.longlong
    bar: cython.longlong
    pause: cython.longlong
    resume: cython.longlong
    for i in range(len(ts)):
        while s + 1 < count and opens[s + 1] <= ts[i]:
            s += 1
        to_session[i] = s
        to_bar[i] = -1
        to_begin[i] = ts[i]
        to_end[i] = ts[i] + 1
        to_fault[i] = OUTSIDE
        if s < 0:
            continue
        if step == 0 and ts[i] < unit_end[s]:
            to_begin[i] = unit_begin[s]
            to_end[i] = unit_end[s]
        if ts[i] >= closes[s]:
            continue
        after = ts[i] - opens[s]
        pause = break_opens[s] - opens[s]
        resume = break_closes[s] - opens[s]
        if step == 0:
            to_bar[i] = first_bar[s]
        else:
            bar = after // step
            to_begin[i] = opens[s] + bar * step
            to_end[i] = to_begin[i] + step if to_begin[i] + step < closes[s] else closes[s]
            to_bar[i] = first_bar[s] + bar
            if bar >= resume // step:
                to_bar[i] -= bars_in_break(pause, resume, step)
        if after >= pause and after + row_step <= resume:
            continue
        to_fault[i] = OFF_GRID if after % row_step != 0 else FITS


def resample(
    opens: cython.const[cython.double][::1],
    highs: cython.const[cython.double][::1],
    lows: cython.const[cython.double][::1],
    closes: cython.const[cython.double][::1],
    volumes: cython.const[cython.double][::1],
    quality: cython.const[cython.schar][::1],
    bar: cython.const[cython.longlong][::1],
    begin: cython.const[cython.longlong][::1],
    end: cython.const[cython.longlong][::1],
    covered_from: cython.longlong,
    covered_to: cython.longlong,
    to_ts: cython.longlong[::1],
    to_open: cython.double[::1],
    to_high: cython.double[::1],
    to_low: cython.double[::1],
    to_close: cython.double[::1],
    to_volume: cython.double[::1],
    to_quality: cython.schar[::1],
) -> int:
    """As `data.scan.resample`, for rows whose bars are known. Returns the number of bars."""
    i: cython.Py_ssize_t
    at: cython.Py_ssize_t = -1
    for i in range(len(bar)):
        if i == 0 or bar[i] != bar[i - 1]:
            at += 1
            to_ts[at] = begin[i]
            to_open[at] = opens[i]
            to_high[at] = highs[i]
            to_low[at] = lows[i]
            to_close[at] = closes[i]
            to_volume[at] = volumes[i]
            to_quality[at] = PARTIAL if begin[i] < covered_from or end[i] > covered_to else 0
        else:
            if highs[i] > to_high[at]:
                to_high[at] = highs[i]
            if lows[i] < to_low[at]:
                to_low[at] = lows[i]
            to_close[at] = closes[i]
            to_volume[at] = to_volume[at] + volumes[i]
        if quality[i] == PARTIAL or quality[i] == FEED_DOWN:
            to_quality[at] = PARTIAL
    return at + 1


def gaps(bar: cython.const[cython.longlong][::1], follows: cython.schar[::1]) -> tuple[int, int, int, int]:
    """Of rows in order of their bars: the places where bars are missing, the bars missing, the most missing
    at one place, the first row after one; `follows` is 1 at each of these rows."""
    i: cython.Py_ssize_t
    count: cython.Py_ssize_t = 0
    missing: cython.longlong = 0
    longest: cython.longlong = 0
    first: cython.Py_ssize_t = -1
    absent: cython.longlong
    for i in range(1, len(bar)):
        absent = bar[i] - bar[i - 1] - 1
        if absent > 0:
            follows[i] = 1
            count += 1
            missing += absent
            if absent > longest:
                longest = absent
            if first < 0:
                first = i
    return count, missing, longest, first
