"""The API server's rules on objects: versions, generations, subresources, preconditions, deletion."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from spark_operator.cluster.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound

from simulated.admission import admitted, check_status, check_update
from simulated.clock import Clock
from simulated.store import Key, Object, Store, copied, decoded

Propagation = Literal["Foreground", "Background", "Orphan"]

FOREGROUND = "foregroundDeletion"
WITH_STATUS = ("backtestruns", "jobs", "pods")
SERVER_SIDE = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")
UID_SPACE = uuid.UUID("6b0f6a5e-5a1f-4d0c-9b4e-1f7f3a1c2d4e")


class Request(NamedTuple):
    """A write that was asked for. `changed` says whether anything came of it."""

    actor: str
    verb: str
    key: Key
    subresource: str
    changed: bool
    at: float


class ApiServer:
    """Synchronous; `actor` names who asks, for the log only."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.store = Store(clock)
        self.log: list[Request] = []
        self.terminating: set[str] = set()
        self.oldest_revision = 0

    def create(
        self, actor: str, plural: str, namespace: str, body: Mapping[str, Any], dry_run: bool = False
    ) -> Object:
        new = decoded(body)
        new["metadata"].setdefault("namespace", namespace)
        key = Key(plural, namespace, new["metadata"].get("name", ""))
        if new["metadata"]["namespace"] != namespace:
            raise Invalid("the namespace of the object does not match the request", status=400)
        if namespace in self.terminating:
            raise Forbidden(_refused_in(key), status=403, reason="Forbidden")
        new = admitted(plural, new)
        if self.store.get(key) is not None:
            self._note(actor, "create", key, "", changed=False)
            raise AlreadyExists(f'{plural} "{key.name}" already exists', status=409, reason="AlreadyExists")
        for name in (*SERVER_SIDE, "resourceVersion"):
            new["metadata"].pop(name, None)
        uid = str(uuid.uuid5(UID_SPACE, f"{key}{self.store.incarnation(key)}"))
        new["metadata"] |= {"uid": uid, "creationTimestamp": self.clock.timestamp()}
        if plural in WITH_STATUS:
            new["metadata"]["generation"] = 1
        if plural == "jobs":
            _add_selector(new)
        if dry_run:
            return new
        self._note(actor, "create", key, "", changed=True)
        return self.store.put(key, new)

    def replace(self, actor: str, plural: str, body: Mapping[str, Any], subresource: str = "") -> Object:
        new = decoded(body)
        key = Key(plural, new["metadata"].get("namespace", ""), new["metadata"]["name"])
        old = self._existing(key)
        uid, version = new["metadata"].get("uid"), new["metadata"].get("resourceVersion")
        if uid is not None and uid != old["metadata"]["uid"]:
            raise self._conflict(
                actor, "update", key, subresource, "Precondition failed: UID in precondition"
            )
        if version is None and plural == "backtestruns":
            raise Invalid("metadata.resourceVersion: must be specified for an update", status=422)
        if version not in (None, old["metadata"]["resourceVersion"]):
            raise self._conflict(actor, "update", key, subresource, "the object has been modified")
        return self._update(actor, "update", key, new, old, subresource)

    def patch(
        self,
        actor: str,
        plural: str,
        namespace: str,
        name: str,
        merge: Mapping[str, Any],
        subresource: str = "",
    ) -> Object:
        key = Key(plural, namespace, name)
        old = self._existing(key)
        new = _merged(old, decoded(merge))
        if plural == "jobs" and new["metadata"]["uid"] != old["metadata"]["uid"]:
            raise Invalid("metadata.uid: Invalid value: field is immutable", status=422, reason="Invalid")
        if new["metadata"]["resourceVersion"] != old["metadata"]["resourceVersion"]:
            raise self._conflict(actor, "patch", key, subresource, "the object has been modified")
        return self._update(actor, "patch", key, new, old, subresource)

    def delete(
        self,
        actor: str,
        plural: str,
        namespace: str,
        name: str,
        *,
        uid: str = "",
        propagation: Propagation = "Background",
        grace: float = 0,
    ) -> None:
        """A pod with `grace` stays, marked, until the kubelet has ended it."""
        key = Key(plural, namespace, name)
        old = self._existing(key)
        if uid not in ("", old["metadata"]["uid"]):
            raise self._conflict(actor, "delete", key, "", "Precondition failed: UID in precondition")
        marked = "deletionTimestamp" in old["metadata"]
        self._note(actor, "delete", key, "", changed=not marked)
        if propagation == "Orphan":
            self._orphan(old["metadata"]["uid"])
        if propagation == "Foreground" and FOREGROUND not in old["metadata"].get("finalizers", []):
            old["metadata"].setdefault("finalizers", []).append(FOREGROUND)
        if not (old["metadata"].get("finalizers") or grace):
            self.store.remove(key)
        elif not marked:
            old["metadata"] |= {
                "deletionTimestamp": self.clock.timestamp(),
                "deletionGracePeriodSeconds": grace,
                "generation": old["metadata"].get("generation", 0) + 1,
            }
            self.store.put(key, old)

    def modify(self, plural: str, namespace: str, name: str, change: Callable[[Object], None]) -> None:
        """A controller's read, change and write as one; nothing where the object is gone or stays the same.
        An object whose last finalizer goes with it, is gone."""
        key = Key(plural, namespace, name)
        old = self.store.get(key)
        if old is None:
            return
        new = copied(old)
        change(new)
        if new == old:
            return
        metadata = new["metadata"]
        ended = not metadata.get("finalizers") and not metadata.get("deletionGracePeriodSeconds")
        if "deletionTimestamp" in metadata and ended:
            self.store.remove(key)
        else:
            self.store.put(key, new)

    def _update(self, actor: str, verb: str, key: Key, new: Object, old: Object, subresource: str) -> Object:
        if subresource == "status":
            new = old | {"status": new.get("status", {})}
            check_status(key.plural, new, old)
        else:
            if key.plural in WITH_STATUS:
                new["status"] = old["status"]
            check_update(key.plural, new, old)
            for name in SERVER_SIDE:
                _restore(new["metadata"], old["metadata"], name)
            if key.plural in WITH_STATUS and new.get("spec") != old.get("spec"):
                new["metadata"]["generation"] += 1
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        self._note(actor, verb, key, subresource, changed=new != old)
        return copied(old) if new == old else self.store.put(key, new)

    def _existing(self, key: Key) -> Object:
        found = self.store.get(key)
        if found is None:
            raise NotFound(f'{key.plural} "{key.name}" not found', status=404, reason="NotFound")
        return found

    def _conflict(self, actor: str, verb: str, key: Key, subresource: str, why: str) -> Conflict:
        self._note(actor, verb, key, subresource, changed=False)
        return Conflict(f'Operation cannot be fulfilled on {key.plural} "{key.name}": {why}', status=409)

    def _note(self, actor: str, verb: str, key: Key, subresource: str, *, changed: bool) -> None:
        self.log.append(Request(actor, verb, key, subresource, changed, self.clock.seconds))

    def _orphan(self, uid: str) -> None:
        for plural in ("jobs", "pods"):
            for body in self.store.all(plural):
                owners = body["metadata"].get("ownerReferences", [])
                body["metadata"]["ownerReferences"] = [owner for owner in owners if owner["uid"] != uid]
                if len(body["metadata"]["ownerReferences"]) < len(owners):
                    self.store.put(Key(plural, body["metadata"]["namespace"], body["metadata"]["name"]), body)


def _restore(new: Object, old: Object, name: str) -> None:
    if name in old:
        new[name] = old[name]
    else:
        new.pop(name, None)


def _add_selector(job: Object) -> None:
    uid, name = job["metadata"]["uid"], job["metadata"]["name"]
    labels = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name}
    legacy = {"controller-uid": uid, "job-name": name}
    job["spec"]["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}
    template = job["spec"]["template"].setdefault("metadata", {})
    template["labels"] = template.get("labels", {}) | labels | legacy


def _merged(target: Any, merge: Any) -> Any:
    """RFC 7386."""
    if not isinstance(merge, Mapping):
        return copied(merge)
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in merge.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _merged(merged.get(name), value)
    return merged


def _refused_in(key: Key) -> str:
    place = f"unable to create new content in namespace {key.namespace} because it is being terminated"
    return f'{key.plural} "{key.name}" is forbidden: {place}'
