"""Walk-forward: training windows, each with the test window after it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_crds.sweeps.error import SweepError
from spark_crds.sweeps.lengths import Lengths, lengths

from spark_engine.errors import InvalidSpec

FIELD = "spec.walkForward"


@dataclass(frozen=True, slots=True)
class Window:
    """Half-open ranges of bars of the run's window."""

    train_start: int
    train_stop: int
    test_start: int
    test_stop: int


def windows(spec: Mapping[str, Any], bars: int) -> tuple[Window, ...]:
    """The windows of a resolved sweep with walkForward over `bars` bars, at least one.

    Raises `InvalidSpec` naming the field: durations must be whole numbers of bars, one window must fit.
    """
    try:
        lengths_in_bars = lengths(spec["walkForward"], spec["template"]["market"]["timeframe"])
    except SweepError as error:
        raise InvalidSpec(error.message, field=error.field) from None
    found = walk(lengths_in_bars, bars)
    if not found:
        needed = lengths_in_bars.train + lengths_in_bars.embargo + lengths_in_bars.test
        raise InvalidSpec(f"one window takes {needed} bars, the data has {bars}", field=FIELD)
    return found


def walk(lengths: Lengths, bars: int) -> tuple[Window, ...]:
    """Window k trains on [k*step, k*step + train), anchored on [0, k*step + train), and tests `embargo` bars
    after that; a test that does not fit is dropped (SEMANTICS section 9)."""
    found: list[Window] = []
    while True:
        start = len(found) * lengths.step
        train_stop = start + lengths.train
        test_start = train_stop + lengths.embargo
        if test_start + lengths.test > bars:
            return tuple(found)
        found.append(
            Window(0 if lengths.anchored else start, train_stop, test_start, test_start + lengths.test)
        )
