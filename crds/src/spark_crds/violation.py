"""One thing wrong with an object, in the words of the API server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["unknown", "schema", "rule", "operator"]


@dataclass(frozen=True, slots=True)
class Violation:
    """`field` is a path such as spec.market.symbol; `kind` says who objects: the server's decoding, schema or
    CEL rules, or (operator) the resolver, which the server does not know."""

    field: str
    message: str
    kind: Kind = "schema"

    def __str__(self) -> str:
        return self.message if self.kind == "unknown" else f"{self.field}: {self.message}"


def quoted(value: Any) -> str:
    """A value as Go prints it in errors: text in quotes, containers by their type."""
    return json.dumps(value, ensure_ascii=False)


def listed(values: Iterable[Any]) -> str:
    return ", ".join(quoted(value) for value in values)
