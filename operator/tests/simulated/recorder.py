"""Events as controllers of the cluster write them: counted, by the older API, seen through events.k8s.io."""

from __future__ import annotations

from typing import Literal

from spark_operator.core.names import short_hash

from simulated.server import ApiServer
from simulated.store import Key, Object


class Recorder:
    def __init__(self, server: ApiServer) -> None:
        self._server = server

    def emit(
        self, actor: str, type_: Literal["Normal", "Warning"], reason: str, note: str, about: Object
    ) -> None:
        """A repeated one raises the count."""
        metadata, now = about["metadata"], self._server.clock.timestamp()
        name = f"{metadata['name']}.{short_hash(metadata['uid'], reason, note)}"
        key = Key("events", metadata["namespace"], name)
        if metadata["namespace"] in self._server.terminating:
            return
        present = self._server.store.get(key)
        if present is not None:
            present["deprecatedCount"] += 1
            present["deprecatedLastTimestamp"] = now
            self._server.store.put(key, present)
            return
        self._server.store.put(
            key,
            {
                "apiVersion": "events.k8s.io/v1",
                "kind": "Event",
                "metadata": {
                    "name": name,
                    "namespace": metadata["namespace"],
                    "uid": name,
                    "creationTimestamp": now,
                },
                "eventTime": None,
                "reportingController": actor,
                "reportingInstance": "",
                "reason": reason,
                "type": type_,
                "note": note,
                "regarding": {
                    "apiVersion": about.get("apiVersion"),
                    "kind": about.get("kind"),
                    "namespace": metadata["namespace"],
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                },
                "deprecatedSource": {"component": actor},
                "deprecatedFirstTimestamp": now,
                "deprecatedLastTimestamp": now,
                "deprecatedCount": 1,
            },
        )
