"""observe -> decide -> apply -> put_status -> emit: the one way in which an object is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from spark_operator.cluster.interface import Cluster
from spark_operator.configuration.model import Configuration
from spark_operator.core.plan import Plan
from spark_operator.runtime.apply import apply
from spark_operator.runtime.emit import emit
from spark_operator.runtime.kind import Key, Kind
from spark_operator.runtime.status import StatusWriter


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`requeue_after` in seconds; None: the next event or resync."""

    requeue_after: float | None = None
    gone: bool = False


class Reconciler:
    """Carries out what a kind decides. `instance` names this process in Events."""

    def __init__(
        self,
        kind: Kind,
        cluster: Cluster,
        configuration: Callable[[], Configuration],
        *,
        instance: str,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.kind = kind
        self._cluster = cluster
        self._configuration = configuration
        self._instance = instance
        self._now = now
        self._status = StatusWriter(kind, cluster)

    async def reconcile(self, key: Key) -> Outcome:
        """One look. Raises `ClusterError`s; any call may be repeated."""
        observed = await self.kind.observe(self._cluster, key)
        if observed is None:
            self.forget(key)
            return Outcome(gone=True)
        late = self._status.confirm(key, observed.object)
        await emit(self._cluster, self._instance, observed.object, late, self._now())
        plan: Plan = self.kind.decide(observed, self._now(), self._configuration())
        for action in plan.actions:
            await apply(self._cluster, key.namespace, action)
        await self._status.put(key, observed.object, plan)
        await emit(self._cluster, self._instance, observed.object, plan.events, self._now())
        return Outcome(plan.requeue_after)

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._status.forget(key)
        self.kind.forget(key)
