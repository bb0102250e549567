"""Lengths of walk-forward windows, as numbers of bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_crds.sweeps.error import SweepError

FIELD = "spec.walkForward"
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Lengths:
    """In bars. `anchored`: training starts at the first bar and grows."""

    anchored: bool
    train: int
    test: int
    step: int
    embargo: int


def lengths(walk_forward: Mapping[str, Any], timeframe: str) -> Lengths:
    """`spec.walkForward` in bars of `timeframe`. A duration must be whole bars: `SweepError`."""
    test = walk_forward["test"]
    return Lengths(
        anchored=walk_forward["mode"] == "Anchored",
        train=_bars(walk_forward["train"], timeframe, "train"),
        test=_bars(test, timeframe, "test"),
        step=_bars(walk_forward.get("step", test), timeframe, "step"),
        embargo=_bars(walk_forward.get("embargo", 0), timeframe, "embargo"),
    )


def _bars(length: int | str, timeframe: str, name: str) -> int:
    if isinstance(length, int):
        return length
    bars, rest = divmod(_seconds(length), _seconds(timeframe))
    if rest:
        raise SweepError(f"{FIELD}.{name}", f"{length} is no whole number of bars of {timeframe}")
    return bars


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * UNIT_SECONDS[duration[-1]]
