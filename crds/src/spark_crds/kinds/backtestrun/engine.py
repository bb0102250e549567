"""What the engine's pod may ask of the cluster; never in a digest."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from spark_crds.kinds.base import Image, Model, ObjectName, rule, validations
from spark_crds.patterns import DNS_SUBDOMAIN_PATTERN, QUANTITY_PATTERN

QUANTITY: dict[str, Any] = {
    "maxLength": 32,
    "pattern": QUANTITY_PATTERN,
    "x-kubernetes-int-or-string": True,
}
ResourceName = Annotated[str, Field(max_length=63)]
Quantity = int | Annotated[str, Field(max_length=32, pattern=QUANTITY_PATTERN)]
Resources = Annotated[dict[ResourceName, Quantity], Field(max_length=8)]
LabelValue = Annotated[str, Field(max_length=63, pattern=r"^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$")]
QuantityMap = Annotated[
    Resources, WithJsonSchema({"type": "object", "maxProperties": 8, "additionalProperties": QUANTITY})
]
PriorityClassName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=DNS_SUBDOMAIN_PATTERN,
        json_schema_extra=validations(
            rule("!self.startsWith('system-')", "must not be a system priority class (system-*)")
        ),
    ),
]


class ResourceRequirements(Model):
    """Compute resources of the engine's container, as of any container."""

    requests: QuantityMap | None = None
    """What the scheduler reserves."""
    limits: QuantityMap | None = None
    """What the container may use at most."""


class Toleration(Model):
    """As of any pod."""

    key: Annotated[str, Field(max_length=316)] | None = None
    """Taint key; absent with operator Exists: every taint."""
    operator: Literal["Exists", "Equal"] | None = None
    """How key and value are compared; absent is Equal."""
    value: Annotated[str, Field(max_length=63)] | None = None
    """Taint value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Taint effect; absent: every effect."""
    toleration_seconds: Annotated[int, Field(ge=0, le=31_622_400)] | None = None
    """How long a NoExecute taint is tolerated."""


class Workload(Model):
    """Image and scheduling of a pod, within the operator's allow-lists."""

    image: Image | None = None
    """Engine image; must match the operator's engine.allowedImages."""
    resources: ResourceRequirements | None = None
    """Compute resources."""
    node_selector: Annotated[dict[str, LabelValue], Field(max_length=16)] | None = None
    """Labels that the node must have."""
    tolerations: (
        Annotated[
            list[Toleration],
            Field(max_length=16, json_schema_extra={"x-kubernetes-list-type": "atomic"}),
        ]
        | None
    ) = None
    """Taints that the pod tolerates."""
    priority_class_name: PriorityClassName | None = None
    """Priority class of the pod."""


class Engine(Workload):
    """Image and scheduling of the engine's pod, within the operator's allow-lists."""

    queue_name: ObjectName | None = None
    """Kueue LocalQueue that admits the Job."""
