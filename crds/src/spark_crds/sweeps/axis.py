"""The values of one swept parameter, in order, computed from its spec when they are asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

from spark_crds.sweeps.error import SweepError

Value = int | float | bool | str
Exact = int | Fraction | None  # what a condition compares; None: no number
DIGITS = 50  # of ln and exp, which are portable in Decimal and are not in libm
ROUNDED = 12


@dataclass(frozen=True, slots=True)
class ListedAxis:
    """Values one by one. `exact` is worked out from them."""

    name: str
    values: tuple[Value, ...]
    exact: tuple[Exact, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "exact", tuple(exact_number(value) for value in self.values))

    def __len__(self) -> int:
        return len(self.values)

    def value_at(self, index: int) -> Value:
        return self.values[index]

    def exact_at(self, index: int) -> Exact:
        return self.exact[index]


@dataclass(frozen=True, slots=True)
class SteppedAxis:
    """(first + index*step) / scale, in whole numbers, so that no value is rounded before it is used."""

    name: str
    first: int
    step: int
    scale: int
    count: int

    def __len__(self) -> int:
        return self.count

    def value_at(self, index: int) -> Value:
        units = self.first + index * self.step
        return units // self.scale if units % self.scale == 0 else units / self.scale

    def exact_at(self, index: int) -> Exact:
        units = self.first + index * self.step
        return units // self.scale if units % self.scale == 0 else Fraction(units, self.scale)


Axis = ListedAxis | SteppedAxis


def axes(parameters: Sequence[Mapping[str, Any]], integers: Collection[str] = ()) -> tuple[Axis, ...]:
    """The axes of `spec.parameters`. `integers`: the parameters that the strategy declares as integers.

    Raises `SweepError`.
    """
    return tuple(
        axis(parameter, f"spec.parameters[{number}]", parameter["name"] in integers)
        for number, parameter in enumerate(parameters)
    )


def axis(parameter: Mapping[str, Any], path: str, integer: bool = False) -> Axis:
    """The values of one of `spec.parameters`, whose path is `path`. Raises `SweepError`."""
    name = parameter["name"]
    if "values" in parameter:
        return ListedAxis(name, _listed(parameter["values"], f"{path}.values"))
    if "range" in parameter:
        return _stepped(name, parameter["range"], f"{path}.range")
    return ListedAxis(name, _logarithmic(parameter["logRange"], f"{path}.logRange", integer))


def exact_number(value: Any) -> Exact:
    """A number as its decimal digits say: 0.1 is 1/10. None for text and booleans."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        return value
    exact = Fraction(repr(value))
    return exact.numerator if exact.denominator == 1 else exact


def _listed(values: Sequence[Any], path: str) -> tuple[Value, ...]:
    seen = set()
    for index, value in enumerate(values):
        if not isinstance(value, int | float | bool | str):
            raise SweepError(f"{path}[{index}]", "must be an integer, a number, a boolean or a string")
        identity = (isinstance(value, bool), value)
        if identity in seen:
            raise SweepError(f"{path}[{index}]", "is there twice")
        seen.add(identity)
    return tuple(int(value) if isinstance(value, float) and value.is_integer() else value for value in values)


def _stepped(name: str, bounds: Mapping[str, Any], path: str) -> SteppedAxis:
    start, stop, step = (_fraction(bounds[key]) for key in ("start", "stop", "step"))
    if step <= 0:
        raise SweepError(f"{path}.step", f"must be greater than 0, is {bounds['step']}")
    if stop < start:
        raise SweepError(f"{path}.stop", f"is {bounds['stop']}, below start, which is {bounds['start']}")
    scale = max(start.denominator, 1) * step.denominator
    return SteppedAxis(name, int(start * scale), int(step * scale), scale, int((stop - start) // step) + 1)


def _logarithmic(bounds: Mapping[str, Any], path: str, integer: bool) -> tuple[Value, ...]:
    """exp(ln start + k*(ln stop - ln start)/(num - 1)), to 12 significant digits; equal ones once."""
    start, stop, num = Decimal(str(bounds["start"])), Decimal(str(bounds["stop"])), int(bounds["num"])
    if start <= 0:
        raise SweepError(f"{path}.start", f"must be greater than 0, is {bounds['start']}")
    if stop < start:
        raise SweepError(f"{path}.stop", f"is {bounds['stop']}, below start, which is {bounds['start']}")
    with localcontext(Context(prec=DIGITS, rounding=ROUND_HALF_EVEN)):
        low, high = start.ln(), stop.ln()
        points = [(low + (high - low) * k / (num - 1)).exp() for k in range(num)]
    rounded = [Context(prec=ROUNDED, rounding=ROUND_HALF_EVEN).plus(point) for point in points]
    if integer:
        rounded = [point.to_integral_value(ROUND_HALF_EVEN) for point in rounded]
    return tuple(dict.fromkeys(_number(point) for point in rounded))


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _fraction(value: Any) -> Fraction:
    return Fraction(str(value))
