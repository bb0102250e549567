"""The timeframe of a source, from its times alone."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Final

from spark_engine.data import scan
from spark_engine.data.request import MONDAY_MS, UNITS_MS

SPARSE: Final = 10  # a source is of the asked timeframe if at least one step in ten is


def source_step_ms(ts: memoryview, asked_ms: int | None = None) -> int:
    """The most frequent step between sorted rows, the smallest of equally frequent ones.

    Not the smallest step (one stray row would make hours of days) and not the average (gaps). A sparse
    source, most of whose bars are missing, is of `asked_ms` if a tenth of its steps are. Without two times:
    `asked_ms` or 0.
    """
    elected, of_elected, of_asked, count = scan.steps(ts, asked_ms or 0)
    if count == 0:
        return asked_ms or 0
    if 2 * of_elected <= count:
        frequent = Counter(after - before for before, after in pairwise(ts) if after > before)
        most = max(frequent.values())
        elected = min(step for step, times in frequent.items() if times == most)
    if asked_ms is not None and elected > asked_ms and SPARSE * of_asked >= count:
        return asked_ms
    return int(elected)


def session_step_ms(step_ms: int) -> int:
    """The timeframe of an exchange's bars whose most frequent step is `step_ms`.

    Sessions are a day apart, or a weekend or a holiday more, and an hour less or more by summer time and
    early closes; so are weeks.
    """
    day_ms, week_ms = UNITS_MS["d"], UNITS_MS["w"]
    if step_ms <= day_ms // 2:
        return step_ms
    return day_ms if step_ms < 5 * day_ms else max(1, round(step_ms / week_ms)) * week_ms


def grid_anchor_ms(step_ms: int) -> int:
    """Bars of whole weeks begin on Mondays, others are counted from 1970-01-01."""
    return MONDAY_MS if step_ms % UNITS_MS["w"] == 0 else 0
