"""The way of the price through one bar (section 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.tests.reference.case import Bar

AGREEMENT = 1e-9


def convention(bar: Bar) -> list[float]:
    up = bar.close >= bar.open
    return [bar.open, bar.low, bar.high, bar.close] if up else [bar.open, bar.high, bar.low, bar.close]


def worst(bar: Bar, side: int) -> list[float]:
    """The extreme against a position of that side first."""
    if side > 0:
        return [bar.open, bar.low, bar.high, bar.close]
    return [bar.open, bar.high, bar.low, bar.close]


def resolved(bar: Bar, finer: Mapping[int, Bar], step_ms: int) -> list[float] | None:
    """The chain of the finer bars' paths, None where they are missing or disagree."""
    inner = [finer.get(ts) for ts in range(bar.ts, bar.close_ts, step_ms)]
    present = [one for one in inner if one is not None]
    if len(present) < len(inner) or not agrees(bar, present):
        return None
    return [point for one in present for point in convention(one)]


def agrees(bar: Bar, inner: Sequence[Bar]) -> bool:
    pairs = (
        (bar.open, inner[0].open),
        (bar.high, max(one.high for one in inner)),
        (bar.low, min(one.low for one in inner)),
        (bar.close, inner[-1].close),
    )
    return all(abs(coarse - fine) <= AGREEMENT * coarse for coarse, fine in pairs)
