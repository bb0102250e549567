"""Candles whose later rows are gone or have other prices, for the look-ahead probe. Imports numpy."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from spark_engine.data.candles import Candles, Sessions

ROWS = ("ts", "open", "high", "low", "close", "volume", "quality", "ticks_close")
SESSION_ROWS = ("close_ts", "day", "follows_gap")
NOISE = 0.2


def cut_off(candles: Candles, rows: int) -> Candles:
    """The first `rows` rows, sharing memory."""
    if rows == len(candles):
        return candles
    columns: dict[str, Any] = {name: getattr(candles, name)[:rows] for name in ROWS}
    return replace(candles, **columns, sessions=_sessions(candles.sessions, rows))


def dearer(candles: Candles, first: int, seed: int) -> Candles:
    """From row `first` on, prices times 2 to 2.4 and other volumes; before it the same."""
    return _scaled(candles, first, seed, 2.0)


def cheaper(candles: Candles, first: int, seed: int) -> Candles:
    """From row `first` on, prices times 0.4 to 0.5 and other volumes; before it the same."""
    return _scaled(candles, first, seed, 1.0 / 2.4)


def _scaled(candles: Candles, first: int, seed: int, factor: float) -> Candles:
    """One factor a row, so that low <= open, close <= high stay; prices stay whole ticks of at least one."""
    import numpy

    rows = len(candles) - first
    chance = numpy.random.default_rng([seed, first])
    factors = factor * (1.0 + NOISE * chance.random(rows))
    unit = 10.0**candles.quality_report.price_scale
    exact = candles.quality_report.ticks_exact
    columns: dict[str, Any] = {}
    for name in ("open", "high", "low", "close"):
        prices = numpy.array(getattr(candles, name), dtype=numpy.float64)
        later = prices[first:] * factors
        prices[first:] = numpy.maximum(numpy.rint(later * unit), 1.0) / unit if exact else later
        columns[name] = prices
    volume = numpy.array(candles.volume, dtype=numpy.float64)
    volume[first:] *= 10.0 ** chance.uniform(-1.0, 1.0, rows)
    ticks = numpy.array(candles.ticks_close, dtype=numpy.int64)
    ticks[first:] = numpy.rint(columns["close"][first:] * unit).astype(numpy.int64)
    views = {name: column.data for name, column in columns.items()}
    return replace(candles, **views, volume=volume.data, ticks_close=ticks.data)


def _sessions(sessions: Sessions | None, rows: int) -> Sessions | None:
    if sessions is None:
        return None
    columns: dict[str, Any] = {
        field.name: getattr(sessions, field.name)[:rows]
        for field in fields(sessions)
        if field.name in SESSION_ROWS
    }
    return replace(sessions, **columns)
