"""The sets of a sweep, numbered: index to parameters, computed when asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

from spark_crds.sweeps.axis import Axis, Exact, Value, axes, exact_number
from spark_crds.sweeps.error import SweepError
from spark_crds.sweeps.where import Where

from spark_engine.errors import InvalidSpec

MAX_TRIALS = 10_000_000


class Sets(Protocol):
    """Parameter sets 0 .. size - 1."""

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def size(self) -> int: ...

    def values(self, trial: int) -> tuple[Value, ...]: ...

    def exact(self, trial: int) -> tuple[Exact, ...]: ...

    def exact_rows(self, start: int, stop: int) -> Iterator[tuple[int, tuple[Exact, ...]]]: ...


@dataclass(frozen=True, slots=True)
class Grid:
    """All combinations: mixed radix, the last axis fastest."""

    axes: tuple[Axis, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(axis.name for axis in self.axes)

    @property
    def size(self) -> int:
        return prod(len(axis) for axis in self.axes)

    def values(self, trial: int) -> tuple[Value, ...]:
        return tuple(axis.value_at(digit) for axis, digit in zip(self.axes, self._digits(trial), strict=True))

    def exact(self, trial: int) -> tuple[Exact, ...]:
        return tuple(axis.exact_at(digit) for axis, digit in zip(self.axes, self._digits(trial), strict=True))

    def exact_rows(self, start: int, stop: int) -> Iterator[tuple[int, tuple[Exact, ...]]]:
        """Set by set, without a division each: the slower axes change once a round of the last one."""
        slower, last = Grid(self.axes[:-1]), self.axes[-1]
        while start < stop:
            around, first = divmod(start, len(last))
            head = slower.exact(around)
            for digit in range(first, min(len(last), first + stop - start)):
                yield start, (*head, last.exact_at(digit))
                start += 1

    def _digits(self, trial: int) -> list[int]:
        digits = []
        for axis in reversed(self.axes):
            trial, digit = divmod(trial, len(axis))
            digits.append(digit)
        return digits[::-1]


@dataclass(frozen=True, slots=True)
class Listing:
    """Sets one by one."""

    names: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    @property
    def size(self) -> int:
        return len(self.rows)

    def values(self, trial: int) -> tuple[Value, ...]:
        return self.rows[trial]

    def exact(self, trial: int) -> tuple[Exact, ...]:
        return tuple(exact_number(value) for value in self.rows[trial])

    def exact_rows(self, start: int, stop: int) -> Iterator[tuple[int, tuple[Exact, ...]]]:
        return ((trial, self.exact(trial)) for trial in range(start, stop))


@dataclass(frozen=True, slots=True)
class Space:
    """The sets of a sweep and the condition that makes trials of them.

    A trial's id is the index of its set before the condition, so that it stays when the condition changes.
    """

    sets: Sets
    where: Where | None

    @property
    def names(self) -> tuple[str, ...]:
        return self.sets.names

    @property
    def size(self) -> int:
        """Number of sets, before the condition."""
        return self.sets.size

    def values(self, trial: int) -> tuple[Value, ...]:
        """The values of set `trial`, in the order of `names`."""
        return self.sets.values(trial)

    def parameters(self, trial: int) -> dict[str, Value]:
        """The swept parameters of set `trial`: 0 <= trial < size."""
        return dict(zip(self.names, self.sets.values(trial), strict=True))

    def is_trial(self, trial: int) -> bool:
        """Whether the condition holds for it. Raises `InvalidSpec` where it cannot be evaluated."""
        return any(True for _ in self.trials(trial, trial + 1))

    def trials(self, start: int = 0, stop: int | None = None) -> Iterator[int]:
        """The ids of the trials in [start, stop), ascending. Raises `InvalidSpec` as `is_trial`."""
        stop = self.size if stop is None else stop
        if self.where is None:
            yield from range(start, stop)
            return
        holds = self.where.holds
        try:
            for trial, row in self.sets.exact_rows(start, stop):
                if holds(row):
                    yield trial
        except SweepError as error:
            raise InvalidSpec(error.message, field=error.field) from None


def space(spec: Mapping[str, Any], integers: Collection[str] = ()) -> Space:
    """The space of a resolved ParameterSweep: a pure function of its spec.

    `integers`: the swept parameters that the strategy declares as integers; a logRange of these has whole
    numbers only. Raises `InvalidSpec` naming the field.
    """
    try:
        sets = _listing(spec["sets"]) if "sets" in spec else Grid(axes(spec["parameters"], integers))
        where = Where(spec["where"], sets.names) if "where" in spec else None
    except SweepError as error:
        raise InvalidSpec(error.message, field=error.field) from None
    if sets.size > MAX_TRIALS:
        message = f"make {sets.size} sets; at most {MAX_TRIALS} are allowed"
        raise InvalidSpec(message, field="spec.parameters")
    return Space(sets, where)


def _listing(sets: Sequence[Mapping[str, Value]]) -> Listing:
    names = tuple(sets[0])
    for number, each in enumerate(sets):
        if set(each) != set(names):
            message = f"names {', '.join(each) or 'nothing'}; the first set names {', '.join(names)}"
            raise SweepError(f"spec.sets[{number}]", message)
    return Listing(names, tuple(tuple(each[name] for name in names) for each in sets))
