"""What the machinery asks of a kind. It knows nothing of runs, feeds or guardrails itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from spark_operator.cluster.interface import Cluster, Object
from spark_operator.cluster.resources import Resource
from spark_operator.configuration.model import Configuration
from spark_operator.core.plan import Plan


@dataclass(frozen=True, slots=True)
class Key:
    """An object of a kind, by name: what the queue holds."""

    plural: str
    namespace: str
    name: str


class Observed(Protocol):
    """What was read, live, for one decision."""

    @property
    def object(self) -> Object:
        """The object itself: what its new status is put on."""


class Kind(Protocol):
    """A kind of ours."""

    resource: Resource
    children: tuple[Resource, ...]
    """Kinds whose events wake their owner, found by the label spark.trading/run and the owner reference."""

    def remember(self, body: Mapping[str, Any]) -> None:
        """Takes note of an object that a LIST showed: of all before the first decision, and at resync."""

    def forget(self, key: Key) -> None:
        """The object is gone."""

    def is_settled(self, body: Mapping[str, Any]) -> bool:
        """Whether the body alone says that nothing is to be done, so that it need not be read live."""

    async def observe(self, cluster: Cluster, key: Key, now: datetime) -> Any:
        """Everything that a decision needs, as an `Observed`; None when the object is gone."""

    def decide(self, observed: Any, now: datetime, configuration: Configuration) -> Plan:
        """What is to be done. Pure."""

    def refused(
        self, observed: Any, message: str, now: datetime, configuration: Configuration, *, for_good: bool
    ) -> Plan:
        """What is to be done when the API server refuses the planned child, for good or for now. Pure."""

    def woken(self) -> Iterable[Key]:
        """Keys that the last decision set free to go on, such as the next in line; each is told once."""

    def record(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Counts what a status write that is known to have happened tells: called once a transition."""
