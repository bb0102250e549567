"""What is mended on the way in, silently but counted (SEMANTICS section 1)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

from spark_engine.data import scan
from spark_engine.data.rows import Rows, zeros


@dataclass(frozen=True, slots=True)
class Repaired:
    rows: Rows
    exact_duplicates: int
    conflicting_duplicates: int  # dropped; 0 where they were to stay
    clamped: int
    null_volumes: int


def repaired(rows: Rows, keep_last: bool) -> Repaired:
    """Null volume becomes 0, an OHLC order missed by at most 1e-9 is met, duplicates go. Writes to `rows`.

    Of rows of one time that differ, the last in the source stays if `keep_last`; else all stay.
    """
    null_volumes, _zero, _bad, _first = scan.volume_faults(rows.volume)
    clamped, _broken, _first = scan.order_faults(rows.open, rows.high, rows.low, rows.close)
    last = zeros("b", len(rows))
    exact, conflicting, _first = scan.duplicates(*rows.columns(), last)
    if conflicting and not keep_last:
        return Repaired(rows, 0, 0, clamped, null_volumes)
    if exact or conflicting:
        rows = rows.take(list(compress(range(len(rows)), last)))
    return Repaired(rows, exact, conflicting, clamped, null_volumes)
