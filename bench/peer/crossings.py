"""Entry and exit columns from two lines, as a user of a signal engine writes them."""

from __future__ import annotations

import numpy as np


def cross(fast: np.ndarray, slow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """True where `fast` is above `slow` and was not, and the reverse; NaN compares false."""
    above, below = np.zeros(len(fast), bool), np.zeros(len(fast), bool)
    above[1:] = (fast[1:] > slow[1:]) & (fast[:-1] <= slow[:-1])
    below[1:] = (fast[1:] < slow[1:]) & (fast[:-1] >= slow[:-1])
    return above, below


def bounds(line: np.ndarray, lower: float, upper: float) -> tuple[np.ndarray, np.ndarray]:
    """True where `line` falls below `lower`, and where it rises above `upper`."""
    weak, strong = np.zeros(len(line), bool), np.zeros(len(line), bool)
    weak[1:] = (line[1:] < lower) & (line[:-1] >= lower)
    strong[1:] = (line[1:] > upper) & (line[:-1] <= upper)
    return weak, strong


def later(column: np.ndarray) -> np.ndarray:
    """One bar later: a signal of this close acts at the next open."""
    return np.concatenate((np.zeros_like(column[:1]), column[:-1]))
