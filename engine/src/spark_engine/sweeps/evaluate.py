"""Parameter sets over candles: each by the fastest path that is right, a bad one as a row with an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from spark_engine.data.candles import Candles
from spark_engine.data.rows import zeros
from spark_engine.errors import BacktestError
from spark_engine.simulation import signals
from spark_engine.simulation.checks import is_plain
from spark_engine.simulation.ledger import Account, Decisions, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.simulation.trials import simulate_crossings, simulate_decisions, simulate_singly
from spark_engine.simulation.trials_rows import BLOCKS, BY_BLOCK, Trials, no_rows
from spark_engine.strategies import sma_cross
from spark_engine.strategies.events import LIMIT, check_exact, target_down
from spark_engine.strategies.registry import check_parameters
from spark_engine.strategies.shorts import check_shorts_allowed
from spark_engine.strategies.simulate import simulate_strategy
from spark_engine.strategies.table import BUILT_IN_CODE, Parameters, Strategy

Tell = Callable[[int], None]
COLUMNS = tuple(field.name for field in fields(Trials) if field.name not in ("trial", *BY_BLOCK))


@dataclass(frozen=True, slots=True)
class Subject:
    """What all trials of a sweep share. `fixed`: the parameters that are not swept."""

    strategy: Strategy
    account: Account
    fixed: Mapping[str, Any]
    seed: int

    def parameters(self, swept: Mapping[str, Any]) -> Parameters:
        """Of one trial, complete and checked. Raises `BacktestError`, as a single run of them does."""
        complete = check_parameters(self.strategy, {**self.fixed, **swept})
        check_shorts_allowed(complete, allow_short=self.account.allow_short)
        return complete


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A row a set, in their order. Where there is an error, the row says nothing."""

    rows: Trials
    errors: Sequence[str | None]


@dataclass(frozen=True, slots=True)
class _Work:
    """One call of `evaluate`, and what goes wrong in it."""

    subject: Subject
    candles: Candles
    parameters: Sequence[Parameters | None]
    errors: list[str | None]
    threads: int
    blocks: bool
    tell: Tell


def evaluate(
    subject: Subject,
    candles: Candles,
    sets: Sequence[Mapping[str, Any]],
    *,
    threads: int = 1,
    blocks: bool = True,
    on_progress: Tell | None = None,
) -> Evaluated:
    """Each of the `sets` of swept parameters over the window of `candles`, to the bits of a single run.

    `on_progress(done)` counts sets, bad ones too; without `blocks` the columns of CSCV stay empty. Raises
    `BacktestError` only for what no set could mend.
    """
    parameters, errors = _checked(subject, candles, sets)
    good = [place for place, error in enumerate(errors) if error is None]
    tell = on_progress or (lambda _done: None)
    work = _Work(subject, candles, parameters, errors, threads, blocks, lambda done: tell(bad + done))
    bad = len(sets) - len(good)
    rows = _whole(len(sets), blocks, _groups(work, good))
    for place, bar in enumerate(rows.stopped_bar):
        if bar >= 0 and errors[place] is None:
            errors[place] = f"guardrails: breached on bar {bar}, and the policy is Fail"
    tell(len(sets))
    return Evaluated(rows, errors)


def _checked(
    subject: Subject, candles: Candles, sets: Sequence[Mapping[str, Any]]
) -> tuple[list[Parameters | None], list[str | None]]:
    parameters: list[Parameters | None] = []
    errors: list[str | None] = []
    largest = signals.largest(candles.ticks_close) if _crosses(subject) else 0
    for swept in sets:
        try:
            complete = subject.parameters(swept)
            if _crosses(subject) and largest * _product(complete) >= LIMIT:
                check_exact(candles, _product(complete), "spec.strategy.params.slow", "fast * slow")
        except BacktestError as error:
            parameters.append(None)
            errors.append(str(error))
        else:
            parameters.append(complete)
            errors.append(None)
    return parameters, errors


def _crosses(subject: Subject) -> bool:
    return subject.strategy is sma_cross.STRATEGY


def _product(parameters: Parameters) -> int:
    return int(parameters["fast"]) * int(parameters["slow"])


Group = tuple[list[int], Trials]


def _groups(work: _Work, places: list[int]) -> list[Group]:
    """The good sets by the path they take: which of them, and their rows."""
    if not places:
        return []
    plain = work.subject.strategy.code == BUILT_IN_CODE and is_plain(work.candles, work.subject.account)
    if plain and _crosses(work.subject):
        return _crossings(work, places)
    if plain and work.subject.strategy.decide is not None:
        return [(places, _by_decisions(work, places))]
    return [(places, _singly(work, places))]


def _crossings(work: _Work, places: list[int]) -> list[Group]:
    found: list[Group] = []
    done = 0
    for down in (0.0, -1.0):
        group = [place for place in places if target_down(_of(work, place)) == down]
        if not group:
            continue
        before = done
        pairs = [(int(_of(work, place)["fast"]), int(_of(work, place)["slow"])) for place in group]
        rows = simulate_crossings(
            work.candles,
            pairs,
            down,
            work.subject.account,
            threads=work.threads,
            on_progress=lambda count, before=before: work.tell(before + count),  # type: ignore[misc]
            blocks=work.blocks,
        )
        done += len(group)
        found.append((group, rows))
    return found


def _by_decisions(work: _Work, places: list[int]) -> Trials:
    decide = work.subject.strategy.decide
    nothing = Decisions(bar=zeros("q", 0), target=zeros("d", 0))

    def decided(number: int) -> Decisions:
        place = places[number]
        try:
            return nothing if decide is None else decide(work.candles, _of(work, place))
        except BacktestError as error:
            work.errors[place] = str(error)
            return nothing

    return simulate_decisions(
        work.candles,
        len(places),
        decided,
        work.subject.account,
        threads=work.threads,
        on_progress=work.tell,
        blocks=work.blocks,
    )


def _singly(work: _Work, places: list[int]) -> Trials:
    subject = work.subject
    idle: list[Ledger] = []

    def ledger(number: int) -> Ledger:
        place = places[number]
        try:
            return simulate_strategy(
                subject.strategy, work.candles, subject.account, _of(work, place), subject.seed
            )
        except BacktestError as error:
            work.errors[place] = str(error)
        if not idle:
            nothing = Decisions(bar=zeros("q", 0), target=zeros("d", 0))
            idle.append(simulate(work.candles, nothing, subject.account))
        return idle[0]

    return simulate_singly(
        work.candles,
        len(places),
        ledger,
        subject.account,
        # Code of others may keep state between bars and prints to one stdout
        threads=work.threads if subject.strategy.code == BUILT_IN_CODE else 1,
        on_progress=work.tell,
        blocks=work.blocks,
    )


def _of(work: _Work, place: int) -> Parameters:
    return work.parameters[place] or {}


def _whole(count: int, blocks: bool, groups: list[Group]) -> Trials:
    """One table of all sets, zeros where they have no row."""
    if len(groups) == 1 and len(groups[0][0]) == count:
        return groups[0][1]
    whole = no_rows(count, blocks)
    for places, rows in groups:
        for name in COLUMNS:
            target, source = getattr(whole, name), getattr(rows, name)
            for row, place in enumerate(places):
                target[place] = source[row]
        if len(rows.block_s1):
            for name in BY_BLOCK:
                target, source = getattr(whole, name), getattr(rows, name)
                for row, place in enumerate(places):
                    target[place * BLOCKS : (place + 1) * BLOCKS] = source[row * BLOCKS : (row + 1) * BLOCKS]
    for place in set(range(count)).difference(*(places for places, _ in groups)):
        whole.stopped_bar[place] = -1
    return whole
