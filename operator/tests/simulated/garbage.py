"""Garbage collector, TTL controller and the end of a namespace (control_plane_review.md section 3)."""

from __future__ import annotations

from datetime import datetime

from simulated.clock import START, Chance
from simulated.pod import delete_pod
from simulated.server import FOREGROUND, ApiServer
from simulated.store import EventType, Key, Object

PLURALS = ("backtestruns", "jobs", "pods")


class GarbageCollector:
    """Deletes what nobody owns any more, and ends deletions in the foreground."""

    def __init__(self, server: ApiServer, chance: Chance) -> None:
        self._server = server
        self._chance = chance
        server.store.watch(self._on_event)

    def _on_event(self, type_: EventType, body: Object) -> None:
        metadata = body["metadata"]
        delay = self._chance.between(0.05, 0.3, "gc", type_, metadata.get("uid"))
        if FOREGROUND in metadata.get("finalizers", ()):
            self._server.clock.after(delay, lambda: self._finish_foreground(body))
        if type_ == "DELETED" or (type_ == "ADDED" and metadata.get("ownerReferences")):
            self._server.clock.after(delay, self._collect)
        if type_ == "DELETED":
            for owner in metadata.get("ownerReferences", ()):
                self._server.clock.after(delay, lambda uid=owner["uid"]: self._look_again(uid))  # type: ignore[misc]

    def _collect(self) -> None:
        bodies = [body for plural in PLURALS for body in self._server.store.all(plural)]
        uids = {body["metadata"]["uid"] for body in bodies}
        for body in bodies:
            owners = body["metadata"].get("ownerReferences", ())
            if owners and not any(owner["uid"] in uids for owner in owners):
                self._delete(body)

    def _look_again(self, uid: str) -> None:
        for plural in PLURALS:
            for body in self._server.store.all(plural):
                if body["metadata"]["uid"] == uid and FOREGROUND in body["metadata"].get("finalizers", ()):
                    self._finish_foreground(body)

    def _finish_foreground(self, owner: Object) -> None:
        """Deletes the dependents; once none that blocks is left, lets the owner go."""
        metadata = owner["metadata"]
        blocking = False
        for plural in PLURALS:
            for body in self._server.store.all(plural, metadata["namespace"]):
                for reference in body["metadata"].get("ownerReferences", ()):
                    if reference["uid"] == metadata["uid"]:
                        self._delete(body)
                        blocking |= bool(reference.get("blockOwnerDeletion")) and self._exists(body)
        if not blocking:
            self._server.modify(
                plural_of(owner), metadata["namespace"], metadata["name"], _without_foreground
            )

    def _exists(self, body: Object) -> bool:
        metadata = body["metadata"]
        return (
            self._server.store.get(Key(plural_of(body), metadata["namespace"], metadata["name"])) is not None
        )

    def _delete(self, body: Object) -> None:
        if "deletionTimestamp" in body["metadata"]:
            return
        if plural_of(body) == "pods":
            delete_pod(self._server, "garbage-collector", body)
        else:
            metadata = body["metadata"]
            self._server.delete("garbage-collector", plural_of(body), metadata["namespace"], metadata["name"])


class TimeToLive:
    """Deletes finished Jobs `ttlSecondsAfterFinished` after they finished, however late that was set."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        server.store.watch(self._on_event)

    def _on_event(self, type_: EventType, body: Object) -> None:
        if type_ != "DELETED" and plural_of(body) == "jobs" and (left := self._left(body)) is not None:
            metadata = body["metadata"]
            self._server.clock.after(
                max(0.1, left), lambda: self._expire(metadata["namespace"], metadata["name"], metadata["uid"])
            )

    def _expire(self, namespace: str, name: str, uid: str) -> None:
        job = self._server.store.get(Key("jobs", namespace, name))
        if job is None or job["metadata"]["uid"] != uid or "deletionTimestamp" in job["metadata"]:
            return
        left = self._left(job)
        if left is not None and left <= 0:
            self._server.delete("ttl-controller", "jobs", namespace, name, propagation="Foreground")

    def _left(self, job: Object) -> float | None:
        """Seconds until it expires; None where it does not."""
        ttl = job["spec"].get("ttlSecondsAfterFinished")
        ends = [
            condition["lastTransitionTime"]
            for condition in job["status"].get("conditions", ())
            if condition["type"] in ("Complete", "Failed") and condition["status"] == "True"
        ]
        if ttl is None or not ends:
            return None
        end = (datetime.fromisoformat(ends[0].replace("Z", "+00:00")) - START).total_seconds()
        return float(end + ttl - self._server.clock.seconds)


def terminate_namespace(server: ApiServer, namespace: str) -> None:
    """From now on nothing can be created there; soon everything in it is deleted."""
    server.terminating.add(namespace)
    server.clock.after(0.5, lambda: _empty(server, namespace))


def _empty(server: ApiServer, namespace: str) -> None:
    for plural in ("events", *PLURALS):
        for body in server.store.all(plural, namespace):
            if plural == "pods":
                delete_pod(server, "namespace-controller", body)
            else:
                server.delete("namespace-controller", plural, namespace, body["metadata"]["name"])


def plural_of(body: Object) -> str:
    return {"BacktestRun": "backtestruns", "Job": "jobs", "Pod": "pods"}.get(body.get("kind", ""), "")


def _without_foreground(body: Object) -> None:
    body["metadata"]["finalizers"] = [
        name for name in body["metadata"].get("finalizers", ()) if name != FOREGROUND
    ]
