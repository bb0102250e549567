"""The termination message: what a pod tells the operator, in one write of at most 3,500 bytes.

A hint only: the artifact is the truth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from spark_crds.formats.error import FormatError
from spark_crds.formats.outcome import Failure

MESSAGE_SCHEMA = "spark.trading/message/v1"
MAX_MESSAGE_BYTES = 3500
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
DIGEST = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ArtifactReference:
    """Where the artifacts are; `sha256` (hex) and `bytes` are those of evidence.json, `files` all names."""

    uri: str
    sha256: str
    bytes: int
    files: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        return {"uri": self.uri, "sha256": self.sha256, "bytes": self.bytes, "files": list(self.files)}


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
        """UTF-8 JSON within the limit: the last metrics go first, then the end of the error's text."""
        message = self
        while len(content := message._json()) > MAX_MESSAGE_BYTES:
            message = message._shorter()
        return content

    def _shorter(self) -> TerminationMessage:
        if self.metrics:
            return replace(self, metrics=dict(list(self.metrics.items())[:-1]))
        if self.error is not None and len(self.error.message) > 1:
            cut = self.error.message[: len(self.error.message) // 2]
            return replace(self, error=replace(self.error, message=f"{cut}…" if len(cut) > 1 else ""))
        raise ValueError(
            f"a message does not fit {MAX_MESSAGE_BYTES} bytes even without metrics and error text"
        )

    def _json(self) -> bytes:
        document: dict[str, Any] = {
            "schema": MESSAGE_SCHEMA,
            "runUID": self.run_uid,
            "jobUID": self.job_uid,
            "attempt": self.attempt,
            "index": self.index,
            "digest": self.digest,
            "metrics": dict(self.metrics),
            "verdict": self.verdict,
            "engineVersion": self.engine_version,
            "dataDigest": self.data_digest,
            "engineMs": self.engine_ms,
            "artifact": self.artifact and self.artifact.document(),
            "error": self.error and self.error.document(),
        }
        present = {name: value for name, value in document.items() if value is not None}
        return json.dumps(present, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")


def decode_message(content: bytes) -> TerminationMessage:
    """The message in what a container left. Raises `FormatError`: the caller then treats it as absent."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FormatError("message", f"is not JSON: {error}") from None
    if not isinstance(document, dict) or document.get("schema") != MESSAGE_SCHEMA:
        raise FormatError("schema", f"must be {MESSAGE_SCHEMA}")
    return TerminationMessage(
        run_uid=_of(document, "runUID", str),
        job_uid=_of(document, "jobUID", str),
        attempt=_of(document, "attempt", int),
        index=_of(document, "index", int),
        engine_version=_of(document, "engineVersion", str),
        digest=_hash(document, "digest", DIGEST),
        metrics=_metrics(document.get("metrics", {})),
        verdict=_maybe(document, "verdict", bool),
        data_digest=_hash(document, "dataDigest", DIGEST),
        engine_ms=_maybe(document, "engineMs", int),
        artifact=_artifact(_maybe(document, "artifact", dict)),
        error=_error(_maybe(document, "error", dict)),
    )


def _of(document: Mapping[str, Any], name: str, kind: type) -> Any:
    value = document.get(name)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise FormatError(name, f"must be {kind.__name__}, is {value!r:.80}")
    return value


def _maybe(document: Mapping[str, Any], name: str, kind: type) -> Any:
    return None if name not in document else _of(document, name, kind)


def _hash(document: Mapping[str, Any], name: str, form: re.Pattern[str]) -> str | None:
    value: str | None = _maybe(document, name, str)
    if value is not None and form.fullmatch(value) is None:
        raise FormatError(name, f"is no SHA-256: {value!r:.80}")
    return value


def _metrics(metrics: Any) -> dict[str, float | int]:
    if not isinstance(metrics, dict):
        raise FormatError("metrics", f"must be an object, is {metrics!r:.80}")
    for name, value in metrics.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise FormatError(f"metrics.{name}", f"must be a number, is {value!r:.80}")
    return metrics


def _artifact(artifact: Mapping[str, Any] | None) -> ArtifactReference | None:
    if artifact is None:
        return None
    sha256 = _hash(artifact, "sha256", SHA256)
    if sha256 is None:
        raise FormatError("artifact.sha256", "is missing")
    files = artifact.get("files", [])
    if not isinstance(files, list) or not all(isinstance(name, str) for name in files):
        raise FormatError("artifact.files", f"must be a list of names, is {files!r:.80}")
    return ArtifactReference(
        uri=_of(artifact, "uri", str), sha256=sha256, bytes=_of(artifact, "bytes", int), files=tuple(files)
    )


def _error(error: Mapping[str, Any] | None) -> Failure | None:
    if error is None:
        return None
    return Failure(
        reason=_of(error, "reason", str),
        message=_of(error, "message", str),
        field=_maybe(error, "field", str),
    )
