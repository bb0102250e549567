"""One thing wrong with an object, in the words of the API server."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

By = Literal["kubectl", "decoding", "schema", "rule", "operator"]


@dataclass(frozen=True, slots=True)
class Violation:
    """`field` is a path such as spec.market.symbol; `by` says who objects: kubectl, the server's decoding,
    schema or CEL rules, or (operator) the resolver, of which the server knows nothing. After a `blocking`
    violation the server evaluates no rules."""

    field: str
    message: str
    by: By = "schema"
    blocking: bool = False

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"


def quoted(value: Any) -> str:
    """A value as Go prints it in errors: text in quotes, containers by their type."""
    return json.dumps(value, ensure_ascii=False)


def listed(values: Iterable[Any]) -> str:
    return ", ".join(quoted(value) for value in values)
