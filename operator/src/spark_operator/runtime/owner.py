"""From a child to the object of ours that it belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from spark_operator.cluster.resources import JOBS, Resource
from spark_operator.core.names import HARVESTED_LABEL, RUN_LABEL
from spark_operator.runtime.kind import Key

CHILDREN = RUN_LABEL
"""Label selector of all children."""
UNHARVESTED = {JOBS: f"{RUN_LABEL},!{HARVESTED_LABEL}"}
"""Label selector of children whose owner has something left to do, however finished it looks."""


def owner_key(child: Mapping[str, Any], kinds: Iterable[Resource]) -> Key | None:
    """The controller owner, where it is of one of these kinds (at any version of the group)."""
    metadata = child["metadata"]
    for reference in metadata.get("ownerReferences") or ():
        if not reference.get("controller"):
            continue
        group = reference["apiVersion"].rpartition("/")[0]
        for resource in kinds:
            if (group, reference["kind"]) == (resource.group, resource.kind):
                return Key(resource.plural, metadata["namespace"], reference["name"])
    return None
