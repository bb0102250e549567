"""Who calls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the API server knows; also a service account. Writes are sent with `token`.

    `key`, here and below, tells callers apart, whatever somebody is called.
    """

    user: str
    token: str = field(repr=False)
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return f"user:{self.user}"


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """The holder of ADMIN_TOKEN. Writes are sent as the API's own service account."""

    user: str = "admin"

    @property
    def key(self) -> str:
        return "break-glass"


@dataclass(frozen=True, slots=True)
class Anonymous:
    """No credentials, where `api.anonymousRead` allows that."""

    user: str = ""

    @property
    def key(self) -> str:
        return "anonymous"


Caller: TypeAlias = Person | BreakGlass | Anonymous
