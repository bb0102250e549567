"""A BacktestRun as the API shows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from spark_operator.core.conditions import parse_time
from spark_operator.core.vocabulary import standing

ROOT = "/api/backtest"
# Parts of a status that are shown as they are
SHOWN = ("attempt", "queuePosition", "progress", "digest", "artifact", "provenance", "specHash", "jobName")


def summary_view(run: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a list: times in ms since the epoch, absent where there is nothing to tell."""
    metadata, spec, status = run["metadata"], run["spec"], run.get("status") or {}
    found = standing(status)
    market = spec["market"]
    view = {
        "id": metadata["name"],
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
        "status": found.word.value,
        "reason": found.reason or None,
        "message": found.message or None,
        "startedAt": milliseconds(metadata["creationTimestamp"]),
        "runningSince": _time(status, "startTime"),
        "finishedAt": _time(status, "completionTime"),
        "strategy": strategy_of(spec),
        "pair": market["symbol"],
        "timeframe": market["timeframe"],
        "notes": spec.get("notes"),
        "metrics": status.get("summary"),
        "verdict": _verdict(status),
    }
    return {name: value for name, value in view.items() if value is not None}


def detail_view(run: Mapping[str, Any]) -> dict[str, Any]:
    """One run, whole."""
    status, metadata = run.get("status") or {}, run["metadata"]
    return {
        **summary_view(run),
        "resourceVersion": metadata["resourceVersion"],
        "spec": run["spec"],
        "conditions": status.get("conditions") or [],
        **{name: status[name] for name in SHOWN if name in status},
        "links": links(metadata["namespace"], metadata["name"]),
    }


def started_view(run: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to a start."""
    metadata = run["metadata"]
    return {
        "id": metadata["name"],
        "status": standing(run.get("status") or {}).word.value,
        "startedAt": milliseconds(metadata["creationTimestamp"]),
        "namespace": metadata["namespace"],
        "uid": metadata["uid"],
        "links": links(metadata["namespace"], metadata["name"]),
    }


def links(namespace: str, name: str) -> dict[str, str]:
    """Paths of one run. The namespace is in each, so that they mean the same under any configuration."""
    query = f"?namespace={quote(namespace)}"
    return {
        "self": f"{ROOT}/{quote(name)}{query}",
        "artifacts": f"{ROOT}/{quote(name)}/artifacts{query}",
        "cancel": f"{ROOT}/cancel/{quote(name)}{query}",
    }


def strategy_of(spec: Mapping[str, Any]) -> str:
    """Name or entry point."""
    strategy = spec["strategy"]
    return str(strategy.get("name") or strategy.get("entryPoint") or "")


def milliseconds(time: str) -> int:
    """An RFC 3339 time as ms since the epoch."""
    moment: datetime = parse_time(time)
    return round(moment.timestamp() * 1000)


def _time(status: Mapping[str, Any], name: str) -> int | None:
    return milliseconds(status[name]) if status.get(name) else None


def _verdict(status: Mapping[str, Any]) -> str | None:
    for condition in status.get("conditions") or ():
        if condition["type"] == "VerdictPassed":
            return str(condition["reason"])
    return None
