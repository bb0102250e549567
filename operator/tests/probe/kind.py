"""A kind without a domain: a Probe notes `spec.value` in its status, once a value, with one Event."""

# ruff: noqa: ARG002 - methods of a protocol

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from spark_operator.cluster.interface import Cluster, Object
from spark_operator.cluster.resources import JOBS, Resource
from spark_operator.configuration.model import Configuration
from spark_operator.core.names import event_name
from spark_operator.core.plan import EventDraft, Plan
from spark_operator.runtime.kind import Key, Kind

PROBES = Resource(os.environ.get("PROBE_GROUP", "machinery.test"), "v1", "Probe", "probes")

CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": f"probes.{PROBES.group}"},
    "spec": {
        "group": PROBES.group,
        "scope": "Namespaced",
        "names": {"kind": PROBES.kind, "plural": PROBES.plural, "singular": "probe"},
        "versions": [
            {
                "name": PROBES.version,
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "selectableFields": [{"jsonPath": ".status.phase"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": {"type": "object", "properties": {"value": {"type": "integer"}}},
                            "status": {
                                "type": "object",
                                "default": {"phase": "Pending"},
                                "properties": {
                                    "phase": {"type": "string"},
                                    "value": {"type": "integer"},
                                },
                            },
                        },
                    }
                },
            }
        ],
    },
}


def probe(namespace: str, name: str, value: int = 1) -> dict[str, Any]:
    return {
        "apiVersion": PROBES.api_version,
        "kind": PROBES.kind,
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"value": value},
    }


@dataclass(frozen=True)
class ObservedProbe:
    object: Object


class Probes:
    """`recorded` counts transitions as `probe_transitions_total`."""

    resource: Resource = PROBES
    children: tuple[Resource, ...] = (JOBS,)

    def __init__(self, registry: CollectorRegistry) -> None:
        self._transitions = Counter("probe_transitions", "Recorded.", registry=registry)
        self.remembered: set[str] = set()

    def remember(self, body: Mapping[str, Any]) -> None:
        self.remembered.add(body["metadata"]["name"])

    def forget(self, key: Key) -> None:
        self.remembered.discard(key.name)

    def is_settled(self, body: Mapping[str, Any]) -> bool:
        return bool((body.get("status") or {}).get("value") == body["spec"]["value"])

    async def observe(self, cluster: Cluster, key: Key, now: datetime) -> ObservedProbe | None:
        body = await cluster.get(PROBES, key.namespace, key.name)
        return None if body is None else ObservedProbe(body)

    def decide(self, observed: ObservedProbe, now: datetime, configuration: Configuration) -> Plan:
        body = observed.object
        if self.is_settled(body):
            return Plan()
        metadata, value = body["metadata"], body["spec"]["value"]
        name = event_name(metadata["name"], metadata["uid"], "Noted", value)
        event = EventDraft(name, "Normal", "Noted", f"the value is {value}")
        return Plan(status={"phase": "Running", "value": value}, events=(event,))

    def refused(
        self,
        observed: ObservedProbe,
        message: str,
        now: datetime,
        configuration: Configuration,
        *,
        for_good: bool,
    ) -> Plan:
        return Plan(status={"phase": "Refused"})

    def woken(self) -> tuple[Key, ...]:
        return ()

    def record(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        self._transitions.inc()


def kinds(_: Callable[[], Configuration], registry: CollectorRegistry) -> tuple[Kind, ...]:
    return (Probes(registry),)
