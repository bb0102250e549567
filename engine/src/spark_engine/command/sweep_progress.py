"""How far a sweep is: a bar with rates and the time that remains on a terminal, nothing elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from spark_engine.execute.sweep_carry_out import SILENT, Progress
from spark_engine.execute.sweep_trials import Plan


@contextmanager
def watched(quiet: bool) -> Iterator[Progress]:
    """What to tell while a sweep is carried out."""
    if quiet or not sys.stderr.isatty():
        yield SILENT
        return
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns: tuple[Any, ...] = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        shown = _Shown(bars, bars.add_task("starting", total=None, rate=""))
        yield Progress(stage=shown.stage, begin=shown.begin, tell=shown.tell)


class _Shown:
    """One line: the stage, or while trials run how many of them a second."""

    def __init__(self, bars: Any, task: Any) -> None:
        self._bars, self._task = bars, task
        self._bars_a_trial = 1

    def stage(self, stage: str) -> None:
        self._bars.update(self._task, description=f"{stage} …", rate="", total=None)

    def begin(self, plan: Plan) -> None:
        self._bars_a_trial = plan.bars_a_trial
        self._bars.reset(
            self._task, total=plan.trials * plan.bars_a_trial, description=f"{plan.trials:,} sets", rate=""
        )

    def tell(self, done: int) -> None:
        self._bars.update(self._task, completed=done, rate=self._rate())

    def _rate(self) -> str:
        task = next(each for each in self._bars.tasks if each.id == self._task)
        speed = task.speed or 0.0
        if not speed:
            return ""
        return f"{speed / self._bars_a_trial:,.0f} sets/s · {speed / 1e6:,.0f} M bars/s"
