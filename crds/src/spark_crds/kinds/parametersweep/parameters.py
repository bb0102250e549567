"""The parameters of a sweep: which values each takes, or which sets there are."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema, model_validator

from spark_crds.kinds.base import Model, rule, validations
from spark_crds.patterns import SIGNED_DECIMAL_PATTERN

MAX_PARAMETERS = 16
MAX_VALUES = 1000
MAX_SETS = 1000
MAX_PARAMETERS_OF_A_SET = 64
CHOICES = ("values", "range", "logRange")

# Of any type but an object or a list: bounded for each type by itself
VALUE: dict[str, Any] = {
    "x-kubernetes-preserve-unknown-fields": True,
    "maxLength": 256,
    "maxProperties": 0,
    "maxItems": 0,
}
SET: dict[str, Any] = {
    "type": "object",
    "maxProperties": MAX_PARAMETERS_OF_A_SET,
    "x-kubernetes-preserve-unknown-fields": True,
}
NUMBER: dict[str, Any] = {
    "maxLength": 38,
    "pattern": SIGNED_DECIMAL_PATTERN,
    "x-kubernetes-int-or-string": True,
}
ATOMIC = {"x-kubernetes-list-type": "atomic"}

Text = Annotated[str, Field(max_length=256)]
# None too: the server keeps it, and the operator refuses it
Value = Annotated[bool | int | float | Text | None, WithJsonSchema(VALUE)]
Values = Annotated[list[Value], Field(min_length=1, max_length=MAX_VALUES, json_schema_extra=ATOMIC)]
ParameterSet = Annotated[dict[str, Any], Field(max_length=MAX_PARAMETERS_OF_A_SET), WithJsonSchema(SET)]
Sets = Annotated[list[ParameterSet], Field(min_length=1, max_length=MAX_SETS, json_schema_extra=ATOMIC)]
Number = Annotated[
    int | Annotated[str, Field(max_length=38, pattern=SIGNED_DECIMAL_PATTERN)], WithJsonSchema(NUMBER)
]


class Range(Model):
    """start, start + step, ... up to stop, which is taken where the steps meet it; exact decimals."""

    start: Number
    """First value: a whole number, or a decimal in quotes."""
    stop: Number
    """Last value, if the steps meet it."""
    step: Number
    """Distance of two values, above 0."""


class LogRange(Model):
    """num values from start to stop, each the same factor above the one before."""

    start: Number
    """First value, above 0: a whole number, or a decimal in quotes."""
    stop: Number
    """Last value, at least start."""
    num: Annotated[int, Field(ge=2, le=MAX_VALUES)]
    """Number of values, before equal ones are dropped."""


def one_choice(schema: dict[str, Any]) -> None:
    """Structural, not CEL: a field of values of any type does not exist there."""
    schema["oneOf"] = [{"required": [name]} for name in CHOICES]


class SweptParameter(Model):
    """One parameter of the strategy, and the values that it takes."""

    model_config = ConfigDict(json_schema_extra=one_choice)

    name: Annotated[str, Field(min_length=2, max_length=63, pattern=r"^[A-Za-z_][A-Za-z0-9_]+$")]
    """Name of the strategy's parameter; not one that the template sets."""
    values: Values | None = None
    """Values one by one: integers, numbers, booleans or strings. Exactly one of values, range, logRange."""
    range: Range | None = None
    """Values in equal steps."""
    log_range: LogRange | None = None
    """Values in equal factors."""

    @model_validator(mode="after")
    def _has_one_choice(self) -> SweptParameter:
        if sum(choice is not None for choice in (self.values, self.range, self.log_range)) != 1:
            raise ValueError(f"exactly one of {', '.join(CHOICES)} must be set")
        return self


SweptParameters = Annotated[
    list[SweptParameter],
    Field(
        min_length=1,
        max_length=MAX_PARAMETERS,
        # Not a list-map: those are equal in any order, and the order numbers the trials
        json_schema_extra=ATOMIC
        | validations(
            rule("self.all(each, self.exists_one(other, other.name == each.name))", "names must be different")
        ),
    ),
]
