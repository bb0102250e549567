"""The vector form: `signals(candles, params) -> targets`, one number in [-1, 1] for every row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from spark_engine.data.candles import COLUMNS, Candles
from spark_engine.errors import InvalidStrategy
from spark_engine.simulation.ledger import Decisions
from spark_engine.strategies.context import arrays_of
from spark_engine.strategies.failure import bar_of
from spark_engine.strategies.table import FIELD

if TYPE_CHECKING:
    import numpy

Signals = Callable[["CandleArrays"], Any]


class CandleArrays:
    """What `signals` gets: read-only numpy columns, warm-up rows included.

    ts: int64, ms UTC. open, high, low, close, volume: float64. quality: int8 (0 complete, 1 partial,
    2 no-trades, 3 feed-down). `candles["close"]` is `candles.close`; `len(candles)` rows, of which the first
    `warmup` come before the window. timeframe_ms: length of a bar.
    """

    ts: numpy.ndarray[Any, Any]
    open: numpy.ndarray[Any, Any]
    high: numpy.ndarray[Any, Any]
    low: numpy.ndarray[Any, Any]
    close: numpy.ndarray[Any, Any]
    volume: numpy.ndarray[Any, Any]
    quality: numpy.ndarray[Any, Any]

    def __init__(self, candles: Candles) -> None:
        for name, column in arrays_of(candles).items():
            setattr(self, name, column)
        self.warmup = candles.warmup
        self.timeframe_ms = candles.timeframe_ms

    def __len__(self) -> int:
        return len(self.ts)

    def __getitem__(self, column: str) -> numpy.ndarray[Any, Any]:
        if column not in COLUMNS:
            raise KeyError(f"{column!r}: there are {', '.join(COLUMNS)}")
        array: numpy.ndarray[Any, Any] = getattr(self, column)
        return array

    def keys(self) -> Iterator[str]:
        """The names of the columns, so that `dict(candles)` and `polars.DataFrame(dict(candles))` work."""
        return iter(COLUMNS)


def decisions_of(result: Any, candles: Candles, name: str) -> Decisions:
    """The targets of `signals`, checked; NaN and None keep. Raises `InvalidStrategy` naming `name`."""
    import numpy

    targets = _column(result, name)
    if len(targets) != len(candles):
        raise InvalidStrategy(
            f"{name} returned {len(targets)} targets for {len(candles)} rows"
            f"{f' ({candles.warmup} of them warm-up)' if candles.warmup else ''}: it must return one a row",
            field=FIELD,
        )
    wrong = numpy.flatnonzero(~numpy.isnan(targets) & ~((targets >= -1.0) & (targets <= 1.0)))
    if len(wrong):
        bar = bar_of(candles, int(wrong[0]) - candles.warmup)
        raise InvalidStrategy(
            f"{bar}, {name}: the target is {float(targets[wrong[0]])!r}; it must be in [-1, 1], or NaN to "
            "keep the position",
            field=FIELD,
        )
    window = targets[candles.warmup :]
    bars = numpy.flatnonzero(~numpy.isnan(window)).astype(numpy.int64)
    return Decisions(bar=bars.data, target=numpy.ascontiguousarray(window[bars] + 0.0).data)


def _column(result: Any, name: str) -> numpy.ndarray[Any, Any]:
    import numpy

    try:
        array = numpy.asarray(result.to_numpy() if hasattr(result, "to_numpy") else result)
        if array.dtype.kind == "O":
            array = array.astype(numpy.float64)
    except (TypeError, ValueError):
        array = numpy.asarray(None)
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise InvalidStrategy(
            f"{name} returned {_described(result)}; it must return one number a row: a list, a numpy array "
            "or a polars series",
            field=FIELD,
        )
    return array.astype(numpy.float64)


def _described(result: Any) -> str:
    shape = getattr(result, "shape", None)
    kind = type(result).__name__
    return (
        f"{kind} of shape {shape}" if shape is not None and len(shape) != 1 else f"{kind} that is no column"
    )
