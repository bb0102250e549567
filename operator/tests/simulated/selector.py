"""Label and field selectors, of the forms that the project uses; others are refused as the server would."""

from __future__ import annotations

import re
from typing import Any

from spark_operator.cluster.errors import Invalid

Object = dict[str, Any]

SET = re.compile(r"(?P<key>[^\s!=,()]+)\s+(?P<operator>in|notin)\s+\((?P<values>[^()]*)\)")
FIELDS = {
    "backtestruns": {
        "status.phase",
        "status.specHash",
        "status.digest",
        "spec.strategy.name",
        "spec.market.symbol",
        "spec.market.timeframe",
        "spec.data.feedRef.name",
        "spec.guardrailRef.name",
    },
    "jobs": {"status.successful"},
    "pods": {"spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase"},
    "events": {
        "reason",
        "type",
        "reportingController",
        *(f"regarding.{name}" for name in ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath")),
    },
}


def matches_labels(body: Object, selector: str) -> bool:
    labels = body["metadata"].get("labels") or {}
    return all(_label_holds(labels, term) for term in _terms(selector))


def matches_fields(plural: str, body: Object, selector: str) -> bool:
    return all(_field_holds(plural, body, term) for term in _terms(selector))


def _terms(selector: str) -> list[str]:
    return [term.strip() for term in re.split(r",(?![^(]*\))", selector) if term.strip()]


def _label_holds(labels: dict[str, str], term: str) -> bool:
    if found := SET.fullmatch(term):
        values = {value.strip() for value in found["values"].split(",")}
        return (labels.get(found["key"]) in values) == (found["operator"] == "in")
    if "!=" in term:
        key, value = term.split("!=", 1)
        return labels.get(key.strip()) != value.strip()
    if "=" in term:
        key, value = re.split("==?", term, maxsplit=1)
        return labels.get(key.strip()) == value.strip()
    return term[1:].strip() not in labels if term.startswith("!") else term in labels


def _field_holds(plural: str, body: Object, term: str) -> bool:
    found = re.fullmatch(r"([A-Za-z.]+)(!=|==?)(.*)", term)
    if found is None:
        raise Invalid(f'invalid selector: "{term}"', status=400, reason="BadRequest")
    path, operator, expected = found.groups()
    if path not in FIELDS.get(plural, set()) | {"metadata.name", "metadata.namespace"}:
        raise Invalid(f"field label not supported: {path}", status=400, reason="BadRequest")
    value: Any = body
    for name in path.split("."):
        value = value.get(name, {}) if isinstance(value, dict) else {}
    actual = "" if value == {} else str(value)
    return (actual != expected) if operator == "!=" else (actual == expected)
