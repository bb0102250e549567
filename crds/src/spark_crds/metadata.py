"""The part of an object that is the same in every kind: what kubectl and the server say about `metadata`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from spark_crds.violation import Violation, quoted

FIELDS = frozenset(
    (
        *(
            "annotations",
            "creationTimestamp",
            "deletionGracePeriodSeconds",
            "deletionTimestamp",
            "finalizers",
        ),
        *("generateName", "generation", "labels", "managedFields", "name", "namespace", "ownerReferences"),
        *("resourceVersion", "selfLink", "uid"),
    )
)
GO_TYPES = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}
GENERATED_LETTERS = 5
MAX_GENERATED_BASE = 63 - GENERATED_LETTERS  # the server cuts off what is longer
SUBDOMAIN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{SUBDOMAIN}')"
)


def decoding_violations(manifest: Mapping[str, Any]) -> Iterator[Violation]:
    """What cannot be read as metadata at all, before the server sees it."""
    metadata = manifest.get("metadata")
    if metadata is None:
        return
    if not isinstance(metadata, Mapping):
        yield _unreadable("metadata", "", metadata, "v1.ObjectMeta")
        return
    for field in ("name", "generateName", "namespace"):
        if not isinstance(metadata.get(field) or "", str):
            yield _unreadable(f"metadata.{field}", f"ObjectMeta.metadata.{field}", metadata[field], "string")
    for field in ("labels", "annotations"):
        yield from _text_map(metadata.get(field) or {}, field)


def unknown_metadata(manifest: Mapping[str, Any]) -> Iterator[Violation]:
    """Fields of metadata that Kubernetes does not have."""
    for name in manifest.get("metadata") or {}:
        if name not in FIELDS:
            yield Violation(f"metadata.{name}", f'unknown field "metadata.{name}"', "decoding")


def name_violations(manifest: Mapping[str, Any]) -> Iterator[Violation]:
    """What the server says about the name, whatever the kind."""
    metadata = manifest.get("metadata") or {}
    name = metadata.get("name")
    if not name:
        if not metadata.get("generateName"):
            message = "Required value: name or generateName is required"
            yield Violation("metadata.name", message, blocking=True)
    elif not re.fullmatch(SUBDOMAIN, name):
        yield Violation("metadata.name", f"Invalid value: {quoted(name)}: {SUBDOMAIN_WORDS}")


def with_name(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The object with a name such as the server makes of generateName, where it has none of its own."""
    metadata = manifest.get("metadata") or {}
    if metadata.get("name") or not metadata.get("generateName"):
        return dict(manifest)
    name = metadata["generateName"][:MAX_GENERATED_BASE] + "x" * GENERATED_LETTERS
    return {**manifest, "metadata": {**metadata, "name": name}}


def _text_map(value: Any, field: str) -> Iterator[Violation]:
    place = f"ObjectMeta.metadata.{field}"
    if not isinstance(value, Mapping):
        yield _unreadable(f"metadata.{field}", place, value, "map[string]string")
        return
    for key, text in value.items():
        if not (text is None or isinstance(text, str)):
            yield _unreadable(f"metadata.{field}.{key}", place, text, "string")


def _unreadable(field: str, place: str, value: Any, expected: str) -> Violation:
    actual = GO_TYPES.get(type(value), "object")
    where = f"Go struct field {place}" if place else "Go value"
    return Violation(field, f"json: cannot unmarshal {actual} into {where} of type {expected}", "kubectl")
