"""Guardrail breaches, and counts of what happened to orders besides fills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_engine.report.formatting import ABSENT, number, significant, utc, words

MAX_BREACHES = 200


@dataclass(frozen=True, slots=True)
class Breach:
    """`code` names the gate; `limit` is as the guardrails wrote it."""

    bar: str
    at: str
    gate: str
    value: str
    limit: str


def breach_rows(result: Mapping[str, Any]) -> list[Breach]:
    """The first `MAX_BREACHES`, in order of time."""
    return [_breach(event) for event in result["guardrailEvents"][:MAX_BREACHES]]


def event_rows(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(kind, detail, count); empty for artifacts of earlier engines."""
    counts = result["checks"].get("events") or {}
    rows = []
    for name, count in counts.items():
        kind, _, detail = str(name).partition("/")
        rows.append((kind, words(detail) or ABSENT, number(count)))
    return rows


def _breach(event: Mapping[str, Any]) -> Breach:
    gate = str(event.get("gate") or str(event.get("code", "")).rpartition("/")[2])
    value, limit = event.get("value"), event.get("limit")
    return Breach(
        bar=number(event.get("bar")),
        at=utc(event.get("ts")),
        gate=words(gate) or ABSENT,
        value=significant(value, 6) if isinstance(value, int | float) else str(value or ABSENT),
        limit=ABSENT if limit is None else str(limit),
    )
