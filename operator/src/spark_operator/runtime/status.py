"""The one status write of a reconcile, told to its kind exactly once, also when its answer got lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spark_operator.cluster.errors import NotFound, Unavailable
from spark_operator.cluster.interface import Cluster, Object
from spark_operator.core.plan import EventDraft, Plan
from spark_operator.runtime.kind import Key, Kind


@dataclass(frozen=True, slots=True)
class Transition:
    """A status write: the object before and after, and the events that go with it."""

    before: Object
    after: Object
    events: tuple[EventDraft, ...]


class StatusWriter:
    """Remembers writes whose answer got lost until a later look shows what became of them."""

    def __init__(self, kind: Kind, cluster: Cluster) -> None:
        self._kind = kind
        self._cluster = cluster
        self._unconfirmed: dict[Key, list[Transition]] = {}

    def confirm(self, key: Key, observed: Object) -> tuple[EventDraft, ...]:
        """Counts a write whose answer got lost, if the object shows it. Returns its events, not sent yet."""
        waiting = self._unconfirmed.get(key, [])
        if not waiting:
            return ()
        for transition in waiting:
            if _same_object(observed, transition.after) and shows(
                observed.get("status"), transition.after["status"]
            ):
                self.forget(key)
                self._kind.record(transition.before, observed)
                return transition.events
        if not any(_same_version(observed, transition.before) for transition in waiting):
            self.forget(
                key
            )  # the object went another way: a write based on the old version cannot happen any more
        return ()

    def forget(self, key: Key) -> None:
        self._unconfirmed.pop(key, None)

    async def put(self, key: Key, observed: Object, plan: Plan) -> None:
        """Writes the planned status over the observed object, unless it says so already.

        Raises `Conflict`, and `Unavailable` when it may have happened. An object that is gone is no error.
        """
        if plan.status is None or observed.get("status") == plan.status:
            return
        after = {**observed, "status": dict(plan.status)}
        try:
            written = await self._cluster.replace_status(self._kind.resource, after)
        except Unavailable:
            self._unconfirmed.setdefault(key, []).append(Transition(observed, after, plan.events))
            raise
        except NotFound:
            self.forget(key)
            return
        self.forget(key)
        self._kind.record(observed, written)


def shows(observed: Any, planned: Any) -> bool:
    """Whether everything planned is there. The server may have added defaults."""
    if isinstance(planned, Mapping):
        return isinstance(observed, Mapping) and all(
            name in observed and shows(observed[name], value) for name, value in planned.items()
        )
    if isinstance(planned, Sequence) and not isinstance(planned, str):
        return (
            isinstance(observed, Sequence)
            and len(observed) == len(planned)
            and all(map(shows, observed, planned))
        )
    return bool(observed == planned)


def _same_object(one: Object, other: Object) -> bool:
    return bool(one["metadata"]["uid"] == other["metadata"]["uid"])


def _same_version(one: Object, other: Object) -> bool:
    return bool(one["metadata"]["resourceVersion"] == other["metadata"]["resourceVersion"])
