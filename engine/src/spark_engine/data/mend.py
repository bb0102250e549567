"""Repairs that a person asks for: each rule says what it does, why, to how many rows, and shows one of them.

Nothing is ever made up: a missing bar stays missing, and of rows of one time that are equally good none is
taken unless one says by what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from spark_engine.data import scan
from spark_engine.data.bad_prints import bad_prints
from spark_engine.data.origin import FORMS, NO_TIME, Written
from spark_engine.data.request import timeframe_text
from spark_engine.data.rows import Rows
from spark_engine.data.sessions import check_sessions, to_opens
from spark_engine.data.spelling import bar_text, direction, prices_text, span_text, time_as_written
from spark_engine.data.stamps import iso
from spark_engine.data.timeframe import grid_anchor_ms, session_step_ms, source_step_ms
from spark_engine.data.timetable import ALWAYS
from spark_engine.data.twice import DEFAULT, MEANINGS, Resolved, resolved

DAY_MS: Final = 86_400_000
INFINITY: Final = float("inf")
OPTIONAL: Final = ("bad-prints",)


@dataclass(frozen=True, slots=True)
class Rules:
    """prefer: of rows of one time, names of `twice.PREFERENCES`, the first that tells them apart decides.

    calendar: rows outside its sessions go. drop: names of `OPTIONAL` rules. step_ms: the length of a bar, 0
    to measure it.
    """

    timestamps: str = "Open"
    prefer: tuple[str, ...] = DEFAULT
    calendar: str = ALWAYS
    drop: tuple[str, ...] = ()
    step_ms: int = 0


@dataclass(frozen=True, slots=True)
class Repair:
    """rows: how many it changed or left out. before, after: one of them; after is empty where it is gone."""

    name: str
    why: str
    rows: int
    example_ms: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Mended:
    """rows: in time order, none twice but those of `duplicates.undecided`. step_ms: 0 without two times."""

    rows: Rows
    step_ms: int
    repairs: tuple[Repair, ...]
    duplicates: Resolved


@dataclass(slots=True)
class _Work:
    """order: the rows that are left, in time order once they are sorted."""

    written: Written
    rules: Rules
    rows: Rows
    order: list[int]
    step_ms: int = 0
    repairs: list[Repair] = field(default_factory=list)

    def repaired(self, name: str, why: str, rows: Sequence[int], before: str, after: str) -> None:
        if rows:
            self.repairs.append(Repair(name, why, len(rows), self.rows.ts[rows[0]], before, after))

    def left_out(self, name: str, why: str, rows: Iterable[int]) -> None:
        gone = sorted(rows, key=self.rows.ts.__getitem__)
        self.repaired(name, why, gone, bar_text(self.rows, gone[0]) if gone else "", "")
        lost = set(gone)
        self.order = [row for row in self.order if row not in lost]


def mended(written: Written, rules: Rules) -> Mended:
    """`written` stays as it is. Raises `InvalidSpec` for an unknown calendar, `InvalidData` beyond it."""
    rows = written.rows.copy()
    work = _Work(written, rules, rows, list(range(len(rows))))
    for rule in (_units, _second_times, _order, _close_stamps, _null_volumes, _rounding, _unusable, _grid):
        rule(work)
    duplicates = _duplicates(work)
    if rules.calendar != ALWAYS:
        _sessions(work)
    if "bad-prints" in rules.drop:
        _bad_prints(work)
    return Mended(rows.take(work.order), work.step_ms, tuple(work.repairs), duplicates)


def _units(work: _Work) -> None:
    """The finest form in use is the source's own; the others are rewritten."""
    times = work.written.times[0]
    forms = Counter(times.forms)
    own = min(forms)
    others = [row for row, form in enumerate(times.forms) if form != own]
    spelt = ", ".join(f"{count:,} {FORMS[form]}" for form, count in sorted(forms.items()))
    shown = time_as_written(times.stamps[others[0]], times.forms[others[0]]) if others else ""
    work.repaired(
        "time-units",
        f"column {times.name} mixes {spelt}; each is read by its size or form",
        others,
        shown,
        iso(times.stamps[others[0]]) if others else "",
    )


def _second_times(work: _Work) -> None:
    first, *others = work.written.times
    for other in others:
        rows = disagreeing(first.stamps, other.stamps)
        if not rows:
            continue
        hours = Counter((first.stamps[row] - other.stamps[row]) for row in rows).most_common(1)[0][0]
        row = rows[0]
        work.repaired(
            "time-columns",
            f"{first.name} and {other.name} differ, mostly by {span_text(hours)}; {first.name} is taken, "
            "since exports derive the other one",
            rows,
            f"{first.name} {iso(first.stamps[row])}, {other.name} {iso(other.stamps[row])}",
            iso(first.stamps[row]),
        )


def disagreeing(first: memoryview, other: memoryview) -> list[int]:
    """Rows of which both times can be read and differ; a column of whole days is compared by days."""
    by_day = all(stamp % DAY_MS == 0 for stamp in other if stamp != NO_TIME)
    return [
        row
        for row, (a, b) in enumerate(zip(first, other, strict=True))
        if b != NO_TIME and (a - a % DAY_MS if by_day else a) != b
    ]


def _order(work: _Work) -> None:
    ts = work.rows.ts
    late = [row for row, latest in enumerate(accumulate(ts, max)) if ts[row] < latest]
    work.order.sort(key=ts.__getitem__)
    if late:
        row = late[0]
        work.repaired(
            "order",
            f"rows stand in {direction(ts)} order; a run goes forward in time",
            late,
            f"{iso(ts[row - 1])}, then {iso(ts[row])}",
            f"{iso(ts[row])}, then {iso(ts[row - 1])}",
        )
    work.step_ms = work.rules.step_ms or source_step_ms(work.rows.take(work.order).ts)
    if work.rules.calendar != ALWAYS:
        work.step_ms = session_step_ms(work.step_ms)


def _close_stamps(work: _Work) -> None:
    if work.rules.timestamps != "Close":
        return
    ts, example = work.rows.ts, work.rows.ts[work.order[0]]
    for row in work.order:
        ts[row] += ts[row] % 1000 == 999
    to_opens(ts, work.rules.calendar, work.step_ms)
    first = work.order[0]
    why = "times are those of the close; an archive and a run know bars by their open"
    work.repaired("close-times", why, work.order, iso(example), iso(ts[first]))


def _null_volumes(work: _Work) -> None:
    rows = [row for row in work.order if work.rows.volume[row] != work.rows.volume[row]]
    scan.volume_faults(work.rows.volume)
    work.repaired("null-volumes", "no volume is told; a run counts none", rows, "volume empty", "volume 0")


def _rounding(work: _Work) -> None:
    before = work.rows.copy()
    scan.order_faults(*work.rows.prices())
    pairs = zip(zip(*before.prices(), strict=True), zip(*work.rows.prices(), strict=True), strict=True)
    rows = [row for row, (was, now) in enumerate(pairs) if was != now and was == was]
    rows = [row for row in rows if prices_text(before, row) != prices_text(work.rows, row)]
    work.repaired(
        "rounding",
        "low or high misses open or close by at most 1e-9 of the price, which is noise of the arithmetic",
        rows,
        prices_text(before, rows[0]) if rows else "",
        prices_text(work.rows, rows[0]) if rows else "",
    )


def _unusable(work: _Work) -> None:
    work.left_out(
        "unusable-rows",
        "a price is missing, infinite or not above 0, the range does not hold open and close, or the volume "
        "is negative: no run takes such a bar, and what it was nobody knows",
        [row for row in work.order if not _usable(work.rows, row)],
    )


def _usable(rows: Rows, row: int) -> bool:
    prices = [column[row] for column in rows.prices()]
    opened, high, low, close = prices
    ordered = low <= min(opened, close) and high >= max(opened, close)
    return ordered and all(0.0 < price < INFINITY for price in prices) and 0.0 <= rows.volume[row] < INFINITY


def _grid(work: _Work) -> None:
    """Sessions have grids of their own."""
    if work.rules.calendar != ALWAYS or not work.step_ms:
        return
    anchor = grid_anchor_ms(work.step_ms)
    work.left_out(
        "off-grid-rows",
        f"bars of {timeframe_text(work.step_ms)} begin on its grid, UTC",
        [row for row in work.order if (work.rows.ts[row] - anchor) % work.step_ms],
    )


def _duplicates(work: _Work) -> Resolved:
    now = Written(work.rows, work.written.times, work.written.filled, work.written.empty)
    found = resolved(now, work.order, work.rules.prefer)
    conflicting = {row for row, _best in found.pairs}
    stay = set(found.rows)
    exact = [row for row in work.order if row not in stay and row not in conflicting]
    work.repaired(
        "exact-duplicates",
        "the same row stands there again",
        exact,
        bar_text(work.rows, exact[0]) if exact else "",
        "",
    )
    rule = ", else ".join(MEANINGS[name] for name in work.rules.prefer)
    pairs = found.pairs
    work.repaired(
        "conflicting-duplicates",
        f"rows of one time differ; that one stays of which {rule}",
        [row for row, _best in pairs],
        bar_text(work.rows, pairs[0][0]) if pairs else "",
        bar_text(work.rows, pairs[0][1]) if pairs else "",
    )
    work.order = list(found.rows)
    return found


def _sessions(work: _Work) -> None:
    checked = check_sessions(work.rows.take(work.order), work.rules.calendar, work.step_ms or DAY_MS)
    order = list(work.order)
    name = work.rules.calendar
    groups: tuple[tuple[str, str, Sequence[int]], ...] = (
        (
            "placeholders",
            f"flat rows without volume where {name} has no session: a vendor's filler",
            checked.placeholders,
        ),
        (
            "no-session",
            f"rows with trades where {name} has no session: cancelled trades, or wrong times",
            checked.strangers,
        ),
        ("off-grid-rows", f"bars of {name} are counted from the open of a session", checked.off_grid),
    )
    for rule, why, rows in groups:
        work.left_out(rule, why, [order[row] for row in rows])


def _bad_prints(work: _Work) -> None:
    found = {bad.ts_ms: bad for bad in bad_prints(work.rows.take(work.order))}
    why = "a price is 1.5 times above or below what was paid before and after"
    work.left_out("bad-prints", why, [row for row in work.order if work.rows.ts[row] in found])
