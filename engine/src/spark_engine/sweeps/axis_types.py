"""What kind of column the values of a swept parameter make."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from spark_crds.sweeps.axis import SteppedAxis

from spark_engine.sweeps.space import Grid, Listing, Space

ValueType = Literal["integer", "number", "boolean", "text"]


def value_types(space: Space) -> dict[str, ValueType]:
    """By parameter, in the order of the table. Values of several types share no type but text."""
    sets = space.sets
    if isinstance(sets, Grid):
        return {
            axis.name: _stepped(axis) if isinstance(axis, SteppedAxis) else _common(axis.values)
            for axis in sets.axes
        }
    if isinstance(sets, Listing):
        return {name: _common(row[column] for row in sets.rows) for column, name in enumerate(sets.names)}
    raise TypeError(f"no such sets: {sets!r}")


def _stepped(axis: SteppedAxis) -> ValueType:
    return "number" if axis.first % axis.scale or axis.step % axis.scale else "integer"


def _common(values: Iterable[Any]) -> ValueType:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "boolean"
    if kinds == {int}:
        return "integer"
    if kinds <= {int, float}:
        return "number"
    return "text"
