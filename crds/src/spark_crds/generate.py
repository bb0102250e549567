"""`python -m spark_crds.generate [--check]`: CRDs from the models, into crds/manifests and the package."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from spark_crds import GROUP, VERSION
from spark_crds.kinds.backtestrun.kind import DEFINITION as BACKTESTRUN
from spark_crds.kinds.definition import Definition
from spark_crds.structural import structural_schema

DEFINITIONS = (BACKTESTRUN,)
PACKAGE = Path(__file__).parent
PACKAGED = PACKAGE / "manifests"
PUBLISHED = PACKAGE.parents[1] / "manifests"
# Children of a run are named and labelled after it: a label's value has at most 63 characters
METADATA = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 63}}}
HEADER = "# Generated from spark_crds.kinds by `make generate`; do not edit.\n"


def custom_resource_definition(definition: Definition) -> dict[str, Any]:
    """The CRD object of one kind."""
    schema = structural_schema(definition.model)
    schema["properties"]["metadata"] = METADATA
    schema["required"] = ["spec"]  # the server itself asks for the rest
    for name in ("apiVersion", "kind"):
        schema["properties"][name].pop("default", None)
    schema["properties"]["status"]["default"] = dict(definition.status_default)
    for name in ("observedGeneration", "phase"):
        schema["properties"]["status"]["properties"][name].pop("default", None)
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [column.document() for column in definition.columns],
        "selectableFields": [{"jsonPath": path} for path in definition.selectable],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{definition.plural}.{GROUP}",
            "annotations": {"argocd.argoproj.io/sync-options": "ServerSideApply=true"},
        },
        "spec": {
            "group": GROUP,
            "names": {
                "kind": definition.kind,
                "listKind": f"{definition.kind}List",
                "plural": definition.plural,
                "singular": definition.singular,
                "shortNames": list(definition.short_names),
                "categories": list(definition.categories),
            },
            "scope": "Namespaced",
            "versions": [version],
        },
    }


def manifests() -> dict[str, str]:
    """File name to content, the same bytes on every machine."""
    return {f"{GROUP}_{each.plural}.yaml": _yaml(custom_resource_definition(each)) for each in DEFINITIONS}


def stale_files(contents: Mapping[str, str]) -> list[Path]:
    """The files that differ from what would be generated, missing ones included."""
    return [path for path, content in _targets(contents) if not path.is_file() or path.read_text() != content]


def _targets(contents: Mapping[str, str]) -> list[tuple[Path, str]]:
    return [(folder / name, contents[name]) for folder in (PUBLISHED, PACKAGED) for name in contents]


def _yaml(document: Mapping[str, Any]) -> str:
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=True, width=110, allow_unicode=True)
    return HEADER + text


class _Dumper(yaml.SafeDumper):
    """Without anchors: one object may stand in a schema twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m spark_crds.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file is stale")
    options = parser.parse_args(arguments)
    contents = manifests()
    stale = stale_files(contents)
    if options.check:
        for path in stale:
            sys.stderr.write(f"stale: {path}; run `make generate`\n")
        return 1 if stale else 0
    for path, content in _targets(contents):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
