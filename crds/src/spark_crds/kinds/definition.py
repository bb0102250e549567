"""What a CustomResourceDefinition needs besides the schema of its objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Column:
    """A column of `kubectl get`; a wide one shows with `-o wide` only."""

    name: str
    path: str
    type: str = "string"
    wide: bool = False
    description: str = ""

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"name": self.name, "type": self.type, "jsonPath": self.path}
        if self.description:
            document["description"] = self.description
        if self.wide:
            document["priority"] = 1
        return document


def condition_reason(condition: str) -> str:
    """The path of a condition's reason, for a column."""
    return f'.status.conditions[?(@.type=="{condition}")].reason'


@dataclass(frozen=True, slots=True)
class Definition:
    """One kind of the group, in its one version."""

    model: type[BaseModel]
    kind: str
    plural: str
    singular: str
    short_names: tuple[str, ...]
    columns: tuple[Column, ...]
    selectable: tuple[str, ...] = ()
    status_default: Mapping[str, Any] = field(default_factory=dict)
    categories: tuple[str, ...] = ("spark-trading",)
