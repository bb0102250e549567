"""How far a fetch is: a bar with the time that remains on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from spark_engine.command.console import note

if TYPE_CHECKING:
    from spark_engine.feeds.backfill.fetch import Advance
    from spark_engine.feeds.run.fetching import Watch

LINE_SECONDS: Final = 10.0


@contextmanager
def fetching(quiet: bool) -> Iterator[Watch]:
    """What to tell while history is fetched. `quiet`: only what a person must know."""
    if quiet or not sys.stderr.isatty():
        yield _Lines(quiet)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

    columns: tuple[Any, ...] = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f} of {task.total:,.0f} bars"),
        TextColumn("{task.fields[left]}", style="dim"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        yield _Bar(bars)


class _Bar:
    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._task = bars.add_task("starting", total=1, left="")

    def begin(self, symbol: str) -> None:
        self._bars.reset(self._task, description=symbol, total=1, left="")

    def advance(self, now: Advance) -> None:
        left = f"about {duration(now.seconds)} left" if now.seconds >= 1 else ""
        self._bars.update(self._task, completed=now.done, total=max(now.total, 1), left=left)

    def say(self, text: str) -> None:
        self._bars.console.print(text, markup=False, highlight=False)


class _Lines:
    """The first and the last of a symbol, and one every ten seconds in between."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._symbol = ""
        self._said: float | None = None

    def begin(self, symbol: str) -> None:
        self._symbol = symbol
        self._said = None

    def advance(self, now: Advance) -> None:
        at = time.monotonic()
        soon = self._said is not None and at - self._said < LINE_SECONDS
        if self._quiet or not now.total or (soon and now.done < now.total):
            return
        self._said = at
        left = f", about {duration(now.seconds)} left" if now.seconds >= 1 else ""
        note(f"{self._symbol}: {now.done:,} of {now.total:,} bars{left}")

    def say(self, text: str) -> None:
        note(text)


def duration(seconds: float) -> str:
    """As a person says it: 40 s, 12 min, 3 h 20 min."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
