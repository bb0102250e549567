"""One figure of the risk report: a number of 12 digits, or the reason why there is none."""

from __future__ import annotations

from math import isfinite
from typing import Any

Figure = dict[str, Any]  # {"value": float} or {"value": None, "reason": str}


def figure(value: float) -> Figure:
    """`value` as it is reported: 12 significant digits, no -0.0."""
    return {"value": rounded(value)} if isfinite(value) else absent("Overflow")


def absent(reason: str) -> Figure:
    return {"value": None, "reason": reason}


def rounded(value: float) -> float:
    return float(f"{value:.12g}") + 0.0
