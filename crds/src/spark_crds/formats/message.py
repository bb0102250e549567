"""The termination message: what a pod tells the operator, in one write of at most 3,500 bytes.

A hint only: the artifact is the truth.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spark_crds.formats.outcome import Failure

MESSAGE_SCHEMA = "spark.trading/message/v1"
MAX_MESSAGE_BYTES = 3500


@dataclass(frozen=True, slots=True)
class ArtifactReference:
    """Where the artifacts are; `sha256` (hex) and `bytes` are those of evidence.json."""

    uri: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class TerminationMessage:
    """`metrics` holds only those that have a value: reasons for absence are in the evidence."""

    run_uid: str
    job_uid: str
    attempt: int
    index: int
    engine_version: str
    digest: str | None = None
    metrics: Mapping[str, float | int] = field(default_factory=dict)
    verdict: bool | None = None
    data_digest: str | None = None
    engine_ms: int | None = None
    artifact: ArtifactReference | None = None
    error: Failure | None = None

    def encode(self) -> bytes:
        """UTF-8 JSON within the limit; metrics are dropped from the end where they would not fit."""
        metrics = dict(self.metrics)
        while True:
            content = json.dumps(self._document(metrics), separators=(",", ":")).encode()
            if len(content) <= MAX_MESSAGE_BYTES or not metrics:
                return content
            metrics.popitem()

    def _document(self, metrics: Mapping[str, float | int]) -> dict[str, Any]:
        artifact = self.artifact
        document: dict[str, Any] = {
            "schema": MESSAGE_SCHEMA,
            "runUID": self.run_uid,
            "jobUID": self.job_uid,
            "attempt": self.attempt,
            "index": self.index,
            "digest": self.digest,
            "metrics": dict(metrics),
            "verdict": self.verdict,
            "engineVersion": self.engine_version,
            "dataDigest": self.data_digest,
            "engineMs": self.engine_ms,
            "artifact": artifact
            and {"uri": artifact.uri, "sha256": artifact.sha256, "bytes": artifact.bytes},
            "error": self.error and self.error.document(),
        }
        return {name: value for name, value in document.items() if value is not None}
