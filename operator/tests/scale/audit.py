"""What the API server says that the operator asked for."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

OPERATOR = "system:serviceaccount:spark-system:spark-operator"
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True)
class Request:
    """`resource` with its subresource, such as backtestruns/status. `seconds`: time in the API server."""

    verb: str
    resource: str
    namespace: str
    name: str
    code: int
    seconds: float
    selector: str = ""

    @property
    def is_write(self) -> bool:
        return self.verb in WRITES

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


class Audit:
    """Requests of the operator's account, from the moment that this is made."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._start = log.stat().st_size

    def requests(self) -> list[Request]:
        """Every request so far; a watch as soon as it is open, anything else when it is answered."""
        with self._log.open("rb") as log:
            log.seek(self._start)
            lines = log.read().splitlines()
        return [
            _request(record)
            for line in lines
            if OPERATOR.encode() in line and line.endswith(b"}")
            for record in [json.loads(line)]
            if record["user"]["username"] == OPERATOR and "objectRef" in record and _is_counted(record)
        ]


def tally(requests: Iterable[Request]) -> str:
    """How many of each kind, most first."""
    counts = Counter(map(str, requests))
    return ", ".join(f"{number} {name}" for name, number in counts.most_common())


def _is_counted(record: dict[str, Any]) -> bool:
    return bool(record["stage"] == ("ResponseStarted" if record["verb"] == "watch" else "ResponseComplete"))


def _request(record: dict[str, Any]) -> Request:
    target = record["objectRef"]
    return Request(
        verb=record["verb"],
        resource="/".join(filter(None, (target.get("resource"), target.get("subresource")))),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=record["responseStatus"]["code"],
        seconds=(_time(record["stageTimestamp"]) - _time(record["requestReceivedTimestamp"])).total_seconds(),
        selector=record["requestURI"].partition("?")[2],
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
