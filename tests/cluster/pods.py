"""Objects that tests of a node are made of: a Job whose pod is as strict as ours are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NOBODY = 65532


def strict_job(
    name: str, image: str, command: Sequence[str], environment: Mapping[str, str] | None = None, **pod: Any
) -> dict[str, Any]:
    """A Job of one attempt that the restricted Pod Security Standard admits. `pod` adds to the pod's spec."""
    container = {
        "name": "main",
        "image": image,
        "command": list(command),
        "env": [{"name": key, "value": value} for key, value in (environment or {}).items()],
        # Small requests: a node of two processors is shared by several tests.
        "resources": {
            "limits": {"cpu": "1", "memory": "256Mi"},
            "requests": {"cpu": "10m", "memory": "32Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    identity = {"runAsNonRoot": True, "runAsUser": NOBODY, "seccompProfile": {"type": "RuntimeDefault"}}
    spec = {"restartPolicy": "Never", "securityContext": identity, "containers": [container], **pod}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": {"spec": spec}},
    }
