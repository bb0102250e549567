"""Parameters of a user strategy, declared as a pydantic model: checked, described, defaulted by it alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from spark_engine.errors import InvalidSpec, InvalidStrategy
from spark_engine.strategies.registry import NOUNS, parameter_field, refuse_unknown
from spark_engine.strategies.table import FIELD, Parameter, ParameterType, Value

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]+", re.ASCII)
TYPES: tuple[ParameterType, ...] = ("integer", "number", "boolean", "string")


class OwnParameters:
    """The pydantic model of one strategy; None: it takes no parameters.

    Raises `InvalidStrategy` for a model that a spec cannot fill: fields that are no integer, number, boolean
    or string, or names that a manifest does not allow.
    """

    def __init__(self, strategy: str, model: type[BaseModel] | None) -> None:
        self.strategy = strategy
        self.model = model
        self.schema: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
        if model is not None:
            self.schema = _flat(model.model_json_schema())
        for name, field in self.properties.items():
            _check_field(name, field)

    @property
    def properties(self) -> dict[str, dict[str, Any]]:
        properties: dict[str, dict[str, Any]] = self.schema["properties"]
        return properties

    def check(self, parameters: Mapping[str, Any]) -> dict[str, Value]:
        """The parameters with every default filled, in the order of the model; 9.0 becomes 9.

        Raises `InvalidSpec` naming `spec.strategy.params.<name>` and what is allowed.
        """
        refuse_unknown(self.strategy, list(self.properties), parameters)
        given = {name: _whole(value) for name, value in parameters.items() if value is not None}
        model = self.fill(given)
        if model is None:
            return {}
        filled = model.model_dump(mode="json", by_alias=True)
        return {name: _whole(filled[name]) for name in self.properties}

    def fill(self, parameters: Mapping[str, Any]) -> Any:
        """The model with `parameters` in it, None where there is no model. Raises `InvalidSpec`."""
        if self.model is None:
            return None
        from pydantic import ValidationError

        try:
            text = json.dumps(dict(parameters))
        except (TypeError, ValueError):
            raise InvalidSpec(
                "must hold integers, numbers, booleans or strings", field=f"{FIELD}.params"
            ) from None
        try:
            return self.model.model_validate_json(text, strict=True)
        except ValidationError as error:
            raise self._refusal(error, parameters) from None

    def table(self) -> tuple[Parameter, ...]:
        """The parameters as built-in strategies declare theirs; ranges that leave out their ends are in
        `schema` alone."""
        return tuple(_parameter(name, field) for name, field in self.properties.items())

    def _refusal(self, error: ValidationError, parameters: Mapping[str, Any]) -> InvalidSpec:
        first = error.errors(include_url=False)[0]
        if not first["loc"]:
            return InvalidSpec(first["msg"].removeprefix("Value error, "), field=f"{FIELD}.params")
        name = str(first["loc"][0])
        field = self.properties[name]
        if first["type"] == "missing":
            return InvalidSpec(f"is required: {allowed(field)}", field=parameter_field(name))
        if first["type"] == "value_error":
            problem = first["msg"].removeprefix("Value error, ")
            return InvalidSpec(f"{problem}; is {parameters[name]!r}", field=parameter_field(name))
        return InvalidSpec(f"must be {allowed(field)}, is {parameters[name]!r}", field=parameter_field(name))


def allowed(field: Mapping[str, Any]) -> str:
    """What a property of a JSON schema may be, in words: "a whole number from 2 to 100"."""
    if "enum" in field:
        return "one of " + ", ".join(map(str, field["enum"]))
    if "const" in field:
        return str(field["const"])
    words = {"minimum": "from", "exclusiveMinimum": "above", "maximum": "to", "exclusiveMaximum": "and below"}
    bounds = [f"{word} {field[key]}" for key, word in words.items() if key in field]
    if len(bounds) == 1:
        bounds = [bounds[0].removeprefix("and ")]
    if "pattern" in field:
        bounds.append(f"that matches {field['pattern']}")
    return " ".join([NOUNS[field["type"]], *bounds])


def _parameter(name: str, field: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name=name,
        type=field["type"],
        summary=field.get("description", ""),
        minimum=field.get("minimum"),
        maximum=field.get("maximum"),
        choices=tuple(map(str, field.get("enum", ()))),
        default=field.get("default"),
    )


def _check_field(name: str, field: Mapping[str, Any]) -> None:
    if not PARAMETER_NAME.fullmatch(name):
        raise InvalidStrategy(
            f"Params.{name} is no parameter name: two or more letters, digits or _, no digit first",
            field=FIELD,
        )
    if field.get("type") not in TYPES:
        raise InvalidStrategy(
            f"Params.{name} must be an integer, a number, a boolean, a string or a choice of strings: "
            "nothing else can stand in a manifest",
            field=FIELD,
        )


def _flat(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with its references (of enums) put in place, and no titles."""
    definitions = schema.get("$defs", {})

    def settled(field: Mapping[str, Any]) -> dict[str, Any]:
        parts = [field, *field.get("allOf", ())]
        merged: dict[str, Any] = {}
        for part in parts:
            name = str(part.get("$ref", "")).rsplit("/", 1)[-1]
            merged |= {**definitions.get(name, {}), **part}
        left_out = ("$ref", "allOf", "title")
        return {key: value for key, value in merged.items() if key not in left_out}

    flat = {
        "type": "object",
        "properties": {name: settled(field) for name, field in schema.get("properties", {}).items()},
        "additionalProperties": False,
    }
    return flat | ({"required": schema["required"]} if "required" in schema else {})


def _whole(value: Any) -> Any:
    """30.0 is 30, as the API server stores it: both spell one spec."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
