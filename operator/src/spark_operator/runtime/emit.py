"""Events (events.k8s.io) about our objects. Lost ones are no harm: the status is the truth."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime

from spark_operator.cluster.errors import AlreadyExists, ClusterError
from spark_operator.cluster.interface import Cluster, Object
from spark_operator.cluster.resources import EVENTS
from spark_operator.core.plan import EventDraft

LOG = logging.getLogger(__name__)
CONTROLLER = "spark.trading/operator"
MAX_NOTE_BYTES = 1024
MAX_INSTANCE = 128


async def emit(
    cluster: Cluster, instance: str, about: Object, drafts: Iterable[EventDraft], now: datetime
) -> None:
    """Posts each draft about an object; `instance` names this process. Never raises `ClusterError`s."""
    for draft in drafts:
        namespace = about["metadata"]["namespace"]
        try:
            await cluster.create(EVENTS, namespace, event_object(instance, about, draft, now))
        except AlreadyExists:
            continue  # posted before, by a process that then died or did not get the answer
        except ClusterError as error:
            LOG.warning("an Event was not posted: %s", error, extra={"event": draft.name})


def event_object(instance: str, about: Object, draft: EventDraft, now: datetime) -> Object:
    metadata = about["metadata"]
    return {
        "apiVersion": EVENTS.api_version,
        "kind": EVENTS.kind,
        "metadata": {"name": draft.name, "namespace": metadata["namespace"]},
        "eventTime": micro_time(now),
        "reportingController": CONTROLLER,
        "reportingInstance": instance[:MAX_INSTANCE],
        "action": draft.reason,
        "reason": draft.reason,
        "type": draft.type,
        "note": shortened(draft.message),
        "regarding": {
            "apiVersion": about["apiVersion"],
            "kind": about["kind"],
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
        },
    }


def shortened(message: str) -> str:
    """At most what a note may have, which the API server counts in bytes."""
    content = message.encode()
    if len(content) <= MAX_NOTE_BYTES:
        return message
    ellipsis = "…"
    return content[: MAX_NOTE_BYTES - len(ellipsis.encode())].decode(errors="ignore") + ellipsis


def micro_time(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds: Kubernetes' MicroTime."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
