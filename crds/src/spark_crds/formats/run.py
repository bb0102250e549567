"""`run.json`: one resolved run, as the operator mounts it into a pod and as `spec.json` in the artifacts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spark_crds.formats.error import FormatError

RUN_SCHEMA = "spark.trading/run/v1"
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RunIdentity:
    name: str
    namespace: str = ""
    uid: str = ""


@dataclass(frozen=True, slots=True)
class GuardrailPin:
    """The effective guardrail revision, and the SHA-256 (hex) of the mounted guardrails.json."""

    revision: str
    sha256: str


@dataclass(frozen=True, slots=True)
class RunDocument:
    """A run with nothing left to decide.

    `spec` is the `spec` of a BacktestRun after `spark_crds.resolve.resolve`: every default filled, decimals
    normalised. `deadline_seconds` None means no deadline (a laptop).
    """

    run: RunIdentity
    spec: Mapping[str, Any]
    spec_hash: str
    attempt: int = 1
    guardrails: GuardrailPin | None = None
    artifact_uri: str | None = None
    deadline_seconds: int | None = None
    schema: str = field(default=RUN_SCHEMA)

    def document(self) -> dict[str, Any]:
        pin = self.guardrails
        return {
            "schema": self.schema,
            "run": {"namespace": self.run.namespace, "name": self.run.name, "uid": self.run.uid},
            "attempt": self.attempt,
            "spec": dict(self.spec),
            "specHash": self.spec_hash,
            "guardrails": None if pin is None else {"revision": pin.revision, "sha256": pin.sha256},
            "artifact": {"uri": self.artifact_uri},
            "deadlineSeconds": self.deadline_seconds,
        }


def decode_run(document: Any) -> RunDocument:
    """The run document in a decoded JSON value. Raises `FormatError` naming the field."""
    root = _mapping(document, "run.json")
    if root.get("schema") != RUN_SCHEMA:
        raise FormatError("schema", f"must be {RUN_SCHEMA!r}, is {root.get('schema')!r}")
    identity = _mapping(root.get("run"), "run")
    pin = root.get("guardrails")
    artifact = _mapping(root.get("artifact") or {}, "artifact")
    deadline = root.get("deadlineSeconds")
    return RunDocument(
        run=RunIdentity(
            name=_name(identity.get("name"), "run.name"),
            namespace=_text(identity.get("namespace", ""), "run.namespace"),
            uid=_text(identity.get("uid", ""), "run.uid"),
        ),
        spec=_mapping(root.get("spec"), "spec"),
        spec_hash=_text(root.get("specHash"), "specHash"),
        attempt=_positive(root.get("attempt", 1), "attempt"),
        guardrails=None if pin is None else _pin(_mapping(pin, "guardrails")),
        artifact_uri=None if artifact.get("uri") is None else _text(artifact["uri"], "artifact.uri"),
        deadline_seconds=None if deadline is None else _positive(deadline, "deadlineSeconds"),
    )


def _pin(pin: Mapping[str, Any]) -> GuardrailPin:
    return GuardrailPin(
        revision=_text(pin.get("revision"), "guardrails.revision"),
        sha256=_text(pin.get("sha256"), "guardrails.sha256"),
    )


def _mapping(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise FormatError(field, f"must be an object, is {type(value).__name__}")
    return value


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise FormatError(field, f"must be a string, is {type(value).__name__}")
    return value


def _name(value: Any, field: str) -> str:
    """A Kubernetes name: it becomes part of paths, so it must not climb out of them."""
    if NAME.fullmatch(_text(value, field)) is None:
        raise FormatError(field, f"must be at most 63 of a-z, 0-9 and -; is {value!r:.80}")
    return str(value)


def _positive(value: Any, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise FormatError(field, f"must be a positive integer, is {value!r}")
    return value
