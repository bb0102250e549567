"""What is declared about a route: enough to serve it and to document it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from starlette.responses import Response

from spark_operator.api.services import Call

Handler: TypeAlias = Callable[[Call], Awaitable[Response]]


class Access(StrEnum):
    """Who may call: anybody; who may read; who may write."""

    OPEN = "open"
    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Parameter:
    """`schema` is a JSON schema."""

    name: str
    place: Literal["query", "header", "path"]
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Answer:
    """`schema` names a component of the OpenAPI document; None: text or bytes."""

    description: str
    schema: str | None = None
    media_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    handler: Handler
    access: Access
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    body: str | None = None
    """Component of the request body."""
    problems: tuple[int, ...] = ()
