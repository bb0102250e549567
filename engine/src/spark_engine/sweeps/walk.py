"""What a walk-forward chose and what became of it, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_engine.sweeps.windows import Window


@dataclass(frozen=True, slots=True)
class Pick:
    """The best trial of a training window; trial -1 where every one had an error."""

    trial: int
    objective: float | None
    trials: int


@dataclass(frozen=True, slots=True)
class Test:
    """What the pick of one window gave on its test. `metrics` is empty where there was none."""

    window: Window
    pick: Pick
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any]
    error: str | None


@dataclass(frozen=True, slots=True)
class Curve:
    """The chained out-of-sample equity, a row a bar of every test. bar: window index of the whole run."""

    window: memoryview
    bar: memoryview
    ts: memoryview
    equity: memoryview
    position: memoryview
    metrics: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Walk:
    tests: tuple[Test, ...]
    curve: Curve
