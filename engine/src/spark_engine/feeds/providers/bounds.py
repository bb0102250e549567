"""Types of fields that venues share, with the bounds beyond which a message is garbage."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from msgspec import Meta

Millis: TypeAlias = Annotated[int, Meta(ge=0, le=253_402_300_799_999)]  # to the end of the year 9999, UTC
Seconds: TypeAlias = Annotated[int, Meta(ge=0, le=253_402_300_799)]
Count: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Identity: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
Scale: TypeAlias = Annotated[int, Meta(ge=0, le=18)]
