"""Durations with bounds: CEL reads `duration('90s')`, but knows no days."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from spark_crds.kinds.base import rule, validations
from spark_crds.patterns import DURATION_PATTERN

# A text of another form is the pattern's to refuse: CEL's `duration` would fail on it
UNREADABLE = "!self.matches('^[0-9]{1,6}[smh]$')"

Duration = Annotated[str, Field(max_length=7, pattern=DURATION_PATTERN)]


def at_most(limit: str, shown: str = "", days: str = "") -> dict[str, Any]:
    """At most `limit`, in h or m, `shown` to people; `days`: pattern of the numbers of days, if any."""
    in_days = f"self.matches('^{days}d$')" if days else "false"
    return validations(
        rule(
            f"self.endsWith('d') ? {in_days} : {UNREADABLE} || duration(self) <= duration('{limit}')",
            f"must be at most {shown or limit}",
        )
    )


def at_least_a_day() -> dict[str, Any]:
    """At least 24h: archives are kept and removed by the day."""
    expression = f"self.endsWith('d') || {UNREADABLE} || duration(self) >= duration('24h')"
    return validations(rule(expression, "must be at least 24h"))
