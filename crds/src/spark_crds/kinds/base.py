"""What the models of all kinds share: strictness, camelCase names, and bounded scalar types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from spark_crds.patterns import (
    BASIS_POINTS_PATTERN,
    DECIMAL_PATTERN,
    DIGEST_PATTERN,
    DNS_SUBDOMAIN_PATTERN,
    FRACTION_PATTERN,
    SIGNED_DECIMAL_PATTERN,
    TIMEFRAME_PATTERN,
    TIMESTAMP_PATTERN,
)


class Model(BaseModel):
    """An object of a custom resource: unknown fields refused, docstrings become `kubectl explain`."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


def rule(expression: str, message: str, **more: str) -> dict[str, str]:
    """A CEL validation of the object or value at hand."""
    return {"rule": expression, "message": message} | more


def validations(*rules: dict[str, str]) -> dict[str, Any]:
    """CEL rules as `json_schema_extra`."""
    return {"x-kubernetes-validations": list(rules)}


def immutable(
    kind: str, *mutable: str, rules: tuple[dict[str, str], ...] = ()
) -> Callable[[dict[str, Any]], None]:
    """One transition rule a field but the `mutable`, then `rules`, as `json_schema_extra` of a kind's spec.

    With `has()` pairs: a rule on the field itself would miss its removal.
    """

    def add(schema: dict[str, Any]) -> None:
        guarded = [name for name in schema["properties"] if name not in mutable]
        schema["x-kubernetes-validations"] = [*(_kept(name, kind) for name in guarded), *rules]

    return add


def _kept(name: str, kind: str) -> dict[str, str]:
    return rule(
        f"has(self.{name}) == has(oldSelf.{name}) && (!has(self.{name}) || self.{name} == oldSelf.{name})",
        f"{name} is immutable: create a new {kind}",
        fieldPath=f".{name}",
        reason="FieldValueForbidden",
    )


def distinct(kind: str) -> Callable[[list[str]], list[str]]:
    """What `x-kubernetes-list-type: set` asks of a list of text, for a model."""

    def check(values: list[str]) -> list[str]:
        if len(set(values)) < len(values):
            raise ValueError(f"must not hold a {kind} twice")
        return values

    return check


NOT_ZERO = rule("!self.matches('^[0.]+$')", "must be greater than 0")

DOTLESS_NAME = rule("!self.metadata.name.contains('.')", "must not contain dots", fieldPath=".metadata.name")

Decimal = Annotated[str, Field(max_length=37, pattern=DECIMAL_PATTERN)]
SignedDecimal = Annotated[str, Field(max_length=38, pattern=SIGNED_DECIMAL_PATTERN)]
PositiveDecimal = Annotated[
    str, Field(max_length=37, pattern=DECIMAL_PATTERN, json_schema_extra=validations(NOT_ZERO))
]
BasisPoints = Annotated[str, Field(max_length=23, pattern=BASIS_POINTS_PATTERN)]
Fraction = Annotated[
    str, Field(max_length=20, pattern=FRACTION_PATTERN, json_schema_extra=validations(NOT_ZERO))
]
Timestamp = Annotated[
    str, Field(max_length=29, pattern=TIMESTAMP_PATTERN, json_schema_extra={"format": "date-time"})
]
Timeframe = Annotated[str, Field(max_length=8, pattern=TIMEFRAME_PATTERN)]
Sha256 = Annotated[str, Field(max_length=64, pattern=r"^[0-9a-f]{64}$")]
Digest = Annotated[str, Field(max_length=71, pattern=DIGEST_PATTERN)]
ObjectName = Annotated[str, Field(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN_PATTERN)]
Uri = Annotated[str, Field(min_length=1, max_length=2048)]
Text = Annotated[str, Field(max_length=1024)]
Image = Annotated[str, Field(min_length=1, max_length=512, pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._:/@-]*$")]
StatusTime = Annotated[str, Field(max_length=32, json_schema_extra={"format": "date-time"})]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]


class Resource(Model):
    """What objects of every kind have, beside their own spec and status."""

    model_config = ConfigDict(json_schema_extra=validations(DOTLESS_NAME))

    api_version: Annotated[Literal["spark.trading/v1alpha1"], WithJsonSchema({"type": "string"})]
    """Version of this representation of the object."""
    kind: Annotated[str, WithJsonSchema({"type": "string"})]
    """Kind of the object."""
    metadata: Annotated[dict[str, Any], WithJsonSchema({"type": "object"})]
    """Name, namespace, labels and annotations."""


class Reference(Model):
    """Another object of the same namespace."""

    name: ObjectName
    """Its name."""
