"""Candles as a picture of characters: closes, volumes, and where bars are missing."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from spark_engine.data.rows import Rows
from spark_engine.data.stamps import iso

Characters = Literal["braille", "ascii"]

COLUMNS: Final = 100
MARGIN: Final = 12  # of the labels and the frame, beside the columns
LABEL: Final = 10
CLOSE_LINES, VOLUME_LINES = 14, 7
PLAIN: Final = str.maketrans("┌┐└┘│─┤┬", "++++|-++")


@dataclass(frozen=True, slots=True)
class Column:
    """A slice of time: its first moment in ms UTC, last close (None without a bar), volume, bars missing."""

    from_ms: int
    close: float | None
    volume: float
    missing: bool


def wanted(choice: str) -> Characters | None:
    """What `--plot auto|braille|ascii|off` asks for: auto draws on a terminal only."""
    if choice == "auto":
        return "braille" if sys.stdout.isatty() and _is_unicode() else None
    return "braille" if choice == "braille" else "ascii" if choice == "ascii" else None


def width() -> int:
    """Of the terminal, or that of a pipe."""
    try:
        return max(60, os.get_terminal_size(sys.stdout.fileno()).columns)
    except OSError:
        return COLUMNS


def columns_of(rows: Rows, step_ms: int, count: int, expected: Sequence[int] | None = None) -> list[Column]:
    """`rows`, in time order, in at most `count` slices of equal length.

    A slice misses bars where a step between rows is longer than `step_ms`, or where a time of `expected` lies
    in it (sessions without a row).
    """
    begin, end = rows.ts[0], rows.ts[-1] + max(1, step_ms)
    length = max(1, step_ms, -(-(end - begin) // count))
    slices = -(-(end - begin) // length)
    close: list[float | None] = [None] * slices
    volume, missing = [0.0] * slices, [False] * slices
    for stamp, price, traded in zip(rows.ts, rows.close, rows.volume, strict=True):
        at = (stamp - begin) // length
        close[at] = price if 0.0 < price < float("inf") else close[at]
        volume[at] += traded if 0.0 < traded < float("inf") else 0.0
    for absent in _absent(rows, step_ms) if expected is None else [(stamp, stamp) for stamp in expected]:
        for at in range(
            max(0, (absent[0] - begin) // length), min(slices, (absent[1] - begin) // length + 1)
        ):
            missing[at] = True
    return [
        Column(begin + at * length, *values)
        for at, values in enumerate(zip(close, volume, missing, strict=True))
    ]


def _absent(rows: Rows, step_ms: int) -> list[tuple[int, int]]:
    """First and last missing bar of each gap."""
    ts = rows.ts
    return [
        (ts[row - 1] + step_ms, ts[row] - step_ms)
        for row in range(1, len(ts))
        if step_ms and ts[row] - ts[row - 1] >= 2 * step_ms
    ]


def plot(columns: Sequence[Column], characters: Characters) -> str:
    """Lines of text without colours. Needs a column with a close."""
    import plotext  # type: ignore[import-untyped]

    plotext.terminal.limit(False, False)
    figure = plotext.figure
    figure.clear()
    figure.plot_size(len(columns) + MARGIN, CLOSE_LINES + VOLUME_LINES)
    figure.subplots(2, 1)
    bars = [(at, column.close) for at, column in enumerate(columns) if column.close is not None]
    volumes = [column.volume for column in columns]
    marks = ("braille", "▌") if characters == "braille" else ("*", "#")
    closes = figure.subplot(1, 1)
    _panel(closes, len(columns), CLOSE_LINES, "close", [close for _at, close in bars])
    closes.draw(closes.signal([at for at, _close in bars], [close for _at, close in bars], marker=marks[0]))
    days = [iso(column.from_ms)[:10] for column in columns]
    ticks = [0, len(columns) // 2, len(columns) - 1]
    volume = figure.subplot(2, 1)
    _panel(volume, len(columns), VOLUME_LINES, "volume", [0.0, *volumes])
    signal = volume.signal(list(range(len(columns))), volumes, marker=marks[1])
    signal.fillx()
    volume.draw(signal)
    for panel in (closes, volume):
        panel.ruler("x").ticks(ticks, [days[at] for at in ticks])
        panel.ruler("x").lim(0, len(columns) - 1)
    text = plotext.uncolorize(figure.build().string())
    drawn = text if characters == "braille" else text.translate(PLAIN)
    return "\n".join([*(line.rstrip() for line in drawn.splitlines()), *_missing(columns, characters)])


def _panel(panel: Any, columns: int, lines: int, title: str, values: Sequence[float]) -> None:
    """Labels of one width, so that the panels stand under one another."""
    panel.plot_size(columns + MARGIN, lines)
    panel.title(title)
    low, high = min(values), max(values)
    middle = (low + high) / 2
    places = [low, middle, high] if high > low else [low]
    panel.ruler("y").ticks(places, [f"{_short(value):>{LABEL}}" for value in places])


def _short(value: float) -> str:
    """Of at most ten characters: 1,857.6, 1.26M."""
    for unit, size in (("T", 1e12), ("G", 1e9), ("M", 1e6)):
        if 1e6 <= abs(value) < 1e15 and abs(value) >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:.3g}"


def _missing(columns: Sequence[Column], characters: Characters) -> list[str]:
    if not any(column.missing for column in columns):
        return []
    mark = "▲" if characters == "braille" else "^"
    marks = "".join(mark if column.missing else " " for column in columns)
    return [f"{'missing':>{LABEL}} {marks}".rstrip()]


def _is_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
