"""Every trial of a sweep, or of one shard, chunk by chunk into parts. What is there already is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from spark_engine.evidence import sweep_tables as tables
from spark_engine.evidence.sweep_result import BLOCKS_FILE, RESULTS_FILE, TRAINING_FILE
from spark_engine.execute.sweep_parts import Parts, marker, open_parts
from spark_engine.execute.sweep_subject import Sweep
from spark_engine.simulation.checks import is_plain
from spark_engine.simulation.trials_window import cut
from spark_engine.statistics.selection_overfitting import LEAST_RETURNS, MOST_TRIALS
from spark_engine.strategies.table import BUILT_IN_CODE
from spark_engine.sweeps.evaluate import Subject, evaluate
from spark_engine.sweeps.measure import measure
from spark_engine.version import __version__

FAST_CHUNK, SLOW_CHUNK = 4_096, 256

Shard = tuple[int, int]
Tell = Callable[[int], None]


@dataclass(frozen=True)
class Plan:
    """What is to be done, in bar evaluations: a trial takes `bars_a_trial` of them."""

    sweep: Sweep
    shard: Shard

    @cached_property
    def trials(self) -> int:
        return self.sweep.chosen.count_of(*self.shard)

    @property
    def chunk(self) -> int:
        """Trials a part. Of slow ones fewer, so that an interruption costs little."""
        subject = self.sweep.subject
        fast = subject.strategy.code == BUILT_IN_CODE and is_plain(self.sweep.candles, subject.account)
        return FAST_CHUNK if fast else SLOW_CHUNK

    @property
    def chunks(self) -> int:
        return -(-self.trials // self.chunk)

    @property
    def bars_a_trial(self) -> int:
        training = sum(window.train_stop - window.train_start for window in self.sweep.windows)
        return self.sweep.measure.bars + training

    @property
    def keeps_blocks(self) -> bool:
        """Whether PBO is defined for the whole sweep."""
        return self.sweep.chosen.count <= MOST_TRIALS and self.sweep.measure.returns >= LEAST_RETURNS


def evaluate_parts(
    plan: Plan, folder: Path, *, resume: bool, threads: int, tell: Tell = lambda _bars: None
) -> Parts:
    """All parts of the plan. `tell(bars)` is told the bar evaluations done. Raises `BacktestError`."""
    sweep = plan.sweep
    mark = marker(sweep.identity, shard=plan.shard, chunk=plan.chunk, engine=__version__)
    parts = open_parts(folder, mark, resume=resume)
    trainings = [_training(sweep, number) for number in range(len(sweep.windows))]
    done = 0
    for number, ids in enumerate(_chunked(sweep.chosen.ids(*plan.shard), plan.chunk)):
        if not parts.done(number):
            _evaluate_part(plan, parts, number, ids, trainings, threads, _offset(tell, done))
        done += len(ids) * plan.bars_a_trial
        tell(done)
    return parts


@dataclass(frozen=True, slots=True)
class _Training:
    """A training window: the trials of its bars, warmed up as the whole run is."""

    candles: Any
    measure: Any


def _training(sweep: Sweep, number: int) -> _Training:
    window = sweep.windows[number]
    candles = cut(sweep.candles, window.train_start, window.train_stop, sweep.candles.warmup)
    annual = sweep.measure.periods_per_year
    return _Training(candles, measure(candles, sweep.subject.account, annual))


def _evaluate_part(
    plan: Plan,
    parts: Parts,
    number: int,
    ids: Sequence[int],
    trainings: Sequence[_Training],
    threads: int,
    tell: Tell,
) -> None:
    sweep, space = plan.sweep, plan.sweep.checked.space
    sets = [space.parameters(trial) for trial in ids]
    bars = sweep.measure.bars
    found = evaluate(
        sweep.subject,
        sweep.candles,
        sets,
        threads=threads,
        blocks=plan.keeps_blocks,
        on_progress=lambda done: tell(done * bars),
    )
    if trainings:
        rows = _train(
            sweep.subject, trainings, ids, sets, sweep.objective[0], threads, _offset(tell, len(ids) * bars)
        )
        tables.write_table(parts.path(TRAINING_FILE, number), [tables.training_batch(list(rows))])
    if plan.keeps_blocks:
        blocks = tables.block_batch(ids, found.rows, found.errors)
        tables.write_table(parts.path(BLOCKS_FILE, number), [blocks])
    parameters = {
        name: (kind, [tables.stored(kind, each[name]) for each in sets]) for name, kind in sweep.types.items()
    }
    batch = tables.trial_batch(ids, parameters, found.rows, found.errors, sweep.measure)
    tables.write_table(parts.path(RESULTS_FILE, number), [batch])


def _train(
    subject: Subject,
    trainings: Sequence[_Training],
    ids: Sequence[int],
    sets: Sequence[dict[str, Any]],
    objective: str,
    threads: int,
    tell: Tell,
) -> Iterator[tuple[int, int, Any, Any, bool]]:
    done = 0
    for window, training in enumerate(trainings):
        bars = training.measure.bars
        found = evaluate(
            subject,
            training.candles,
            sets,
            threads=threads,
            blocks=False,
            on_progress=_scaled(_offset(tell, done), bars),
        )
        for row, (trial, error) in enumerate(zip(ids, found.errors, strict=True)):
            if error is not None:
                yield window, trial, None, None, True
                continue
            metrics = training.measure.metrics(found.rows, row, {objective, "sharpe"})
            value = metrics[objective]
            yield window, trial, None if value is None else float(value), metrics["sharpe"], False
        done += len(ids) * bars


def _offset(tell: Tell, before: int) -> Tell:
    return lambda done: tell(before + done)


def _scaled(tell: Tell, factor: int) -> Tell:
    return lambda done: tell(done * factor)


def _chunked(ids: Iterator[int], size: int) -> Iterator[list[int]]:
    while chunk := list(islice(ids, size)):
        yield chunk
