"""observe -> decide -> apply -> put_status -> emit: the one way in which an object is looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from spark_operator.cluster.errors import Forbidden, Invalid
from spark_operator.cluster.interface import Cluster
from spark_operator.configuration.model import Configuration
from spark_operator.core.plan import CreateJob, Plan
from spark_operator.runtime.apply import apply
from spark_operator.runtime.emit import emit
from spark_operator.runtime.kind import Key, Kind, Observed
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
        observed = await self.kind.observe(self._cluster, key, self._now())
        if observed is None:
            self.forget(key)
            return Outcome(gone=True)
        late = self._status.confirm(key, observed.object)
        await emit(self._cluster, self._instance, observed.object, late, self._now())
        plan: Plan = self.kind.decide(observed, self._now(), self._configuration())
        plan = await self._applied(plan, key.namespace, observed)
        await self._status.put(key, observed.object, plan)
        await emit(self._cluster, self._instance, observed.object, plan.events, self._now())
        return Outcome(plan.requeue_after)

    async def _applied(self, plan: Plan, namespace: str, observed: Observed) -> Plan:
        """What is left of the plan once its actions are done."""
        for action in plan.actions:
            try:
                await apply(self._cluster, namespace, action)
            except (Invalid, Forbidden) as error:
                ending = isinstance(error, Forbidden) and error.namespace_terminating
                if not isinstance(action, CreateJob) or ending:
                    raise
                # nobody would be told why nothing happens
                for_good = isinstance(error, Invalid)
                return self.kind.refused(
                    observed, error.message, self._now(), self._configuration(), for_good=for_good
                )
        return plan

    def forget(self, key: Key) -> None:
        """The object is gone."""
        self._status.forget(key)
        self.kind.forget(key)
