"""Rows of one time: which of them is the better one, and how far they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Final

from spark_engine.data.origin import Written
from spark_engine.errors import InvalidData

Key = Callable[[Written, int], float]

# What makes a row the better one: the larger value wins.
PREFERENCES: Final[Mapping[str, Key]] = {
    "filled": lambda written, row: written.filled[row],
    "finer": lambda written, row: -written.times[0].forms[row],
    "volume": lambda written, row: written.rows.volume[row] or 0.0,
    "last": lambda _written, row: row,
    "first": lambda _written, row: -row,
}
MEANINGS: Final = {
    "filled": "more of its columns are filled",
    "finer": "its time is in a finer unit",
    "volume": "its volume is larger",
    "last": "it comes last in the source",
    "first": "it comes first in the source",
}
# No row is taken for its place alone unless one asks for it.
DEFAULT: Final = ("filled", "finer")


@dataclass(frozen=True, slots=True)
class Resolved:
    """rows: those that stay, in time order. Of the times that occur more than once:

    exact: rows dropped that equal the one that stays. conflicting: rows dropped that differ from it.
    price_conflicts, volume_conflicts: times of which a dropped row differs by more than the tolerance, which
    is one unit in the last place of the coarser side. undecided: times whose best rows differ and are equally
    good; all of their rows stay. pairs: (dropped, stays) of conflicting rows.
    """

    rows: Sequence[int]
    times: int
    first_ms: int | None
    last_ms: int | None
    exact: int
    conflicting: int
    price_conflicts: int
    price_tolerance: float
    volume_conflicts: int
    volume_tolerance: float
    undecided: Sequence[int]
    pairs: Sequence[tuple[int, int]]


def require_preferences(names: Sequence[str], field: str) -> tuple[str, ...]:
    """Raises `InvalidData` for one that there is not."""
    for name in names:
        if name not in PREFERENCES:
            raise InvalidData(
                f"must be {', '.join(PREFERENCES)}, separated by commas; is {name[:40]!r}", field=field
            )
    return tuple(names)


def resolved(written: Written, order: Sequence[int], prefer: Sequence[str]) -> Resolved:
    """`order`: rows in time order. Of the rows of one time the best by `prefer` stays."""
    ts = written.rows.ts
    stay: list[int] = []
    pairs: list[tuple[int, int]] = []
    undecided: list[int] = []
    several: list[int] = []
    exact = 0
    for stamp, group in groupby(order, key=ts.__getitem__):
        rows = list(group)
        if len(rows) == 1:
            stay.append(rows[0])
            continue
        several.append(stamp)
        best = _best(written, rows, prefer)
        if best is None:
            undecided.append(stamp)
            stay += rows
            continue
        stay.append(best)
        others = [row for row in rows if row != best]
        differing = [row for row in others if _values(written, row) != _values(written, best)]
        exact += len(others) - len(differing)
        pairs += [(row, best) for row in differing]
    prices, price_tolerance = _conflicts(written, pairs, _prices)
    volumes, volume_tolerance = _conflicts(written, pairs, _volume)
    return Resolved(
        stay,
        len(several),
        several[0] if several else None,
        several[-1] if several else None,
        exact,
        len(pairs),
        prices,
        float(price_tolerance),
        volumes,
        float(volume_tolerance),
        undecided,
        pairs,
    )


def _best(written: Written, rows: Sequence[int], prefer: Sequence[str]) -> int | None:
    """The last of equally good rows that are equal; None where such rows differ."""
    keys = {row: tuple(PREFERENCES[name](written, row) for name in prefer) for row in rows}
    most = max(keys.values())
    good = [row for row in rows if keys[row] == most]
    return good[-1] if len({_values(written, row) for row in good}) == 1 else None


def _values(written: Written, row: int) -> tuple[str, ...]:
    """By their text, in which NaN equals NaN."""
    return tuple(repr(column[row]) for column in written.rows.columns())


def _prices(written: Written, row: int) -> Iterator[float]:
    return (column[row] for column in written.rows.prices())


def _volume(written: Written, row: int) -> Iterator[float]:
    return iter((written.rows.volume[row],))


def _conflicts(
    written: Written, pairs: Sequence[tuple[int, int]], values: Callable[[Written, int], Iterator[float]]
) -> tuple[int, Decimal]:
    read = [
        (list(map(_decimal, values(written, dropped))), list(map(_decimal, values(written, stays))))
        for dropped, stays in pairs
    ]
    places = [max((_places(value) for side in read for value in side[which]), default=0) for which in (0, 1)]
    tolerance = Decimal(1).scaleb(-min(places))
    times = {
        written.rows.ts[stays]
        for (_dropped, stays), (left, right) in zip(pairs, read, strict=True)
        if any(_apart(a, b, tolerance) for a, b in zip(left, right, strict=True))
    }
    return len(times), tolerance


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value))


def _places(value: Decimal) -> int:
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _apart(a: Decimal, b: Decimal, tolerance: Decimal) -> bool:
    if not (a.is_finite() and b.is_finite()):
        return str(a) != str(b)
    return abs(a - b) > tolerance
