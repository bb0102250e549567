"""JSON schemas of Kubernetes for kubeconform, from the OpenAPI document in the Go module that the tests' API
server is built from: exact versions, and no other source.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.cluster.programs import TOOLS
from tests.go_tools import install_go
from tests.places import CACHE, locked

DEFINITIONS = "definitions.json"
INTEGER_OR_TEXT = (
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
    "io.k8s.apimachinery.pkg.api.resource.Quantity",
)


def schema_location(version: str) -> str:
    """What kubeconform's -schema-location takes for a Kubernetes version of `tests/cluster/tools`."""
    folder = CACHE / "schemas" / version
    with locked(CACHE / f"schemas-{version}.lock"):
        if not (folder / DEFINITIONS).exists():
            _write(_openapi(version), folder)
    return f"{folder}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"


def _openapi(version: str) -> dict[str, Any]:
    command = [install_go(), "mod", "download", "-json", "k8s.io/kubernetes"]
    module = TOOLS / f"kubernetes-{version}"
    done = subprocess.run(command, cwd=module, capture_output=True, text=True, check=True)
    document = Path(json.loads(done.stdout)["Dir"]) / "api" / "openapi-spec" / "swagger.json"
    openapi: dict[str, Any] = json.loads(document.read_text())
    return openapi


def _write(openapi: dict[str, Any], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    definitions = openapi["definitions"]
    for name, definition in definitions.items():
        for kind in definition.get("x-kubernetes-group-version-kind", ()):
            _write_kind(folder, name, **kind)
        if "properties" in definition:
            definition.setdefault("additionalProperties", False)
    for name in INTEGER_OR_TEXT:
        definitions[name]["type"] = ["string", "number"]
    (folder / DEFINITIONS).write_text(json.dumps({"definitions": definitions}))


def _write_kind(folder: Path, name: str, group: str, version: str, kind: str) -> None:
    suffix = "-".join(["", *filter(None, [group.partition(".")[0]]), version])
    reference = {"$ref": f"{DEFINITIONS}#/definitions/{name}"}
    (folder / f"{kind}{suffix}.json".lower()).write_text(json.dumps(reference))
