"""One metric: a number, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """`value` is rounded to 12 significant digits, as it is reported; None carries a `reason`."""

    id: str
    value: float | int | None
    reason: str | None = None
