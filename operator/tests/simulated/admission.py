"""What the API server fills in and refuses, a kind at a time (control_plane_review.md sections 1, 2, 5)."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from spark_crds.check import unknown_fields, violations
from spark_crds.schema import object_schema, with_defaults
from spark_crds.validate import server_violations
from spark_operator.cluster.errors import Invalid

Object = dict[str, Any]

DNS_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
QUALIFIED_NAME = re.compile(r"([a-z0-9.-]+/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")
MAX_ANNOTATIONS = 256 * 1024
JOB_SPEC = {
    *("activeDeadlineSeconds", "backoffLimit", "backoffLimitPerIndex", "completionMode", "completions"),
    *("managedBy", "manualSelector", "maxFailedIndexes", "parallelism", "podFailurePolicy"),
    *("podReplacementPolicy", "selector", "successPolicy", "suspend", "template", "ttlSecondsAfterFinished"),
}
JOB_IMMUTABLE = (
    *("backoffLimitPerIndex", "completionMode", "completions", "managedBy", "podFailurePolicy"),
    *("podReplacementPolicy", "selector", "successPolicy", "template"),
)


def admitted(plural: str, body: Object) -> Object:
    """A new object with its defaults, after the validation of its kind. Raises `Invalid`."""
    _check_metadata(body)
    if plural == "backtestruns":
        return _new_run(body)
    if plural == "jobs":
        return _new_job(body)
    if plural == "events":
        _check_event(body)
    return body


def check_update(plural: str, body: Object, old: Object) -> None:
    """Raises `Invalid` where the new body may not follow the old one."""
    _check_metadata(body)
    if plural == "backtestruns":
        _refuse_violations(body, old)
    elif plural == "jobs":
        for name in JOB_IMMUTABLE:
            if body["spec"].get(name) != old["spec"].get(name):
                raise Invalid(f"spec.{name}: Invalid value: field is immutable", status=422, reason="Invalid")


def check_status(plural: str, body: Object, old: Object) -> None:
    """Raises `Invalid` for a status that the schema, or the Job's validation, refuses."""
    if plural == "backtestruns":
        _check_run_status(body)
    elif plural == "jobs":
        before, after = old["status"].get("startTime"), body["status"].get("startTime")
        if before and before != after and not old["spec"].get("suspend"):
            message = "status.startTime: Required value: startTime cannot be removed for unsuspended job"
            raise Invalid(message, status=422, reason="Invalid")


def _new_run(body: Object) -> Object:
    without_status = {name: value for name, value in body.items() if name != "status"}
    _refuse_violations(without_status, None)
    filled: Object = with_defaults(without_status, object_schema("BacktestRun"))
    return filled


def _refuse_violations(body: Object, old: Object | None) -> None:
    status, words = _objections(json.dumps(_judged(body)), json.dumps(old and _judged(old)))
    if words:
        raise Invalid(words, status=status, reason="Invalid")


def _judged(body: Object) -> Object:
    """Without status and what the server itself sets."""
    metadata = {name: body["metadata"][name] for name in ("name", "namespace") if name in body["metadata"]}
    return {name: value for name, value in body.items() if name != "status"} | {"metadata": metadata}


@cache
def _objections(body: str, old: str) -> tuple[int, str]:
    found = server_violations(json.loads(body), json.loads(old))
    status = 400 if found and found[0].by == "decoding" else 422
    return status, "; ".join(map(str, found))


def _check_run_status(body: Object) -> None:
    """fieldValidation=Strict. The spec beside the status is the old one and known good."""
    schema = object_schema("BacktestRun")["properties"]["status"]
    if unknown := [str(found) for found in unknown_fields(body["status"], schema, "status")]:
        raise Invalid(f"strict decoding error: {'; '.join(unknown)}", status=400, reason="BadRequest")
    found = [str(found) for found in violations(body["status"], schema, "status")]
    types = [condition["type"] for condition in body["status"].get("conditions", ())]
    found += [f"status.conditions: Duplicate value: {name}" for name in types if types.count(name) > 1]
    if found:
        raise Invalid("; ".join(found), status=422, reason="Invalid")


def _new_job(body: Object) -> Object:
    spec = body["spec"]
    if unknown := set(spec) - JOB_SPEC:
        raise Invalid(f"strict decoding error: unknown field spec.{min(unknown)}", status=400)
    pod = spec["template"]["spec"]
    failure_policy = "podFailurePolicy" in spec
    replacement = "Failed" if failure_policy else "TerminatingOrFailed"
    spec = {
        "parallelism": 1,
        "completions": 1,
        "completionMode": "NonIndexed",
        "backoffLimit": 6,
        "suspend": False,
        "manualSelector": False,
        "podReplacementPolicy": replacement,
    } | spec
    if pod.get("restartPolicy") not in (("Never",) if failure_policy else ("Never", "OnFailure")):
        raise _refused("spec.template.spec.restartPolicy", pod.get("restartPolicy"))
    if failure_policy and spec["podReplacementPolicy"] != "Failed":
        raise _refused("spec.podReplacementPolicy", spec["podReplacementPolicy"])
    if not pod.get("containers") or not all(c.get("name") and c.get("image") for c in pod["containers"]):
        raise _refused("spec.template.spec.containers", pod.get("containers"))
    _check_metadata({"metadata": spec["template"].get("metadata") or {}}, named=False)
    return body | {"spec": spec, "status": {}}


def _check_event(body: Object) -> None:
    """As events.k8s.io/v1 validates a new Event; eventTime is a MicroTime, of exactly six digits."""
    if not isinstance(body.get("eventTime"), str) or not MICRO_TIME.fullmatch(body["eventTime"]):
        raise _refused("eventTime", body.get("eventTime"), status=400)
    if body.get("type") not in ("Normal", "Warning"):
        raise _refused("type", body.get("type"))
    for name, limit in (
        ("reportingController", 253),
        ("reportingInstance", 128),
        ("action", 128),
        ("reason", 128),
    ):
        if not body.get(name) or len(body[name]) > limit:
            raise _refused(name, body.get(name))
    if not QUALIFIED_NAME.fullmatch(body["reportingController"]):
        raise _refused("reportingController", body["reportingController"])
    if len(body.get("note", "").encode()) > 1024:
        raise _refused("note", body["note"])
    if body["regarding"].get("namespace") != body["metadata"]["namespace"]:
        raise _refused("regarding.namespace", body["regarding"].get("namespace"))


def _check_metadata(body: Object, *, named: bool = True) -> None:
    metadata = body["metadata"]
    name = metadata.get("name", "")
    if named and (not DNS_SUBDOMAIN.fullmatch(name) or len(name) > 253):
        raise _refused("metadata.name", name)
    for key, value in (metadata.get("labels") or {}).items():
        if not QUALIFIED_NAME.fullmatch(key) or len(value) > 63 or not LABEL_VALUE.fullmatch(value):
            raise _refused(f"metadata.labels.{key}", value)
    annotations = metadata.get("annotations") or {}
    if sum(len(key) + len(value.encode()) for key, value in annotations.items()) > MAX_ANNOTATIONS:
        raise _refused("metadata.annotations", "Too long: may not be more than 262144 bytes")
    for owner in metadata.get("ownerReferences") or ():
        if not all(owner.get(field) for field in ("apiVersion", "kind", "name", "uid")):
            raise _refused("metadata.ownerReferences", owner)


def _refused(field: str, value: object, *, status: int = 422) -> Invalid:
    return Invalid(f"{field}: Invalid value: {value!r}", status=status, reason="Invalid")
