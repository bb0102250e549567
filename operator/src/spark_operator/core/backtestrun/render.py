"""The Job of an attempt: a pure function of run, resolved spec and intent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spark_crds.formats.run import RunDocument, RunIdentity

from spark_operator.core.job import CONTAINER
from spark_operator.core.names import RUN_LABEL, RUN_SPEC_ANNOTATION, SPEC_HASH_ANNOTATION

USER = 65532
POD_DEADLINE_MARGIN = 60
GRACE_SECONDS = 10
USERS_FAULT = list(range(10, 20))
SPEC_DIRECTORY = "/etc/backtest"
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"


def render_job(
    run: Mapping[str, Any],
    spec: Mapping[str, Any],
    *,
    name: str,
    attempt: int,
    spec_hash: str,
    intent: Mapping[str, Any],
) -> dict[str, Any]:
    """A `batch/v1` Job. The spec travels as an annotation, so that this is one atomic, immutable object."""
    metadata, queue = run["metadata"], (spec.get("engine") or {}).get("queueName")
    labels = _labels(metadata["name"], intent["defaults"]["instance"])
    document = RunDocument(
        run=RunIdentity(name=metadata["name"], namespace=metadata["namespace"], uid=metadata["uid"]),
        spec=spec,
        spec_hash=spec_hash,
        attempt=attempt,
        artifact_uri=intent.get("artifactUri"),
        deadline_seconds=spec["activeDeadlineSeconds"],
    ).document()
    annotations = {SPEC_HASH_ANNOTATION: spec_hash}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "labels": {**labels, **({QUEUE_LABEL: queue} if queue else {})},
            "annotations": annotations,
            "ownerReferences": [_owner(run)],
        },
        "spec": {
            "backoffLimit": spec["retries"],
            "completions": 1,
            "parallelism": 1,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {
                # first match wins: a disruption says nothing about the run
                "rules": [
                    {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
                    {
                        "action": "FailJob",
                        "onExitCodes": {"containerName": CONTAINER, "operator": "In", "values": USERS_FAULT},
                    },
                ]
            },
            "suspend": bool(queue),  # Kueue starts what it admits
            "template": {
                "metadata": {
                    "labels": labels,
                    "annotations": {**annotations, RUN_SPEC_ANNOTATION: _compact(document)},
                },
                "spec": _pod(spec, intent),
            },
        },
    }


def _labels(run: str, instance: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "spark-engine",
        "app.kubernetes.io/instance": instance,
        "app.kubernetes.io/component": "engine",
        "app.kubernetes.io/part-of": "spark-trading",
        "app.kubernetes.io/managed-by": "spark-operator",
        RUN_LABEL: run,
    }


def _owner(run: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": run["apiVersion"],
        "kind": run["kind"],
        "name": run["metadata"]["name"],
        "uid": run["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _pod(spec: Mapping[str, Any], intent: Mapping[str, Any]) -> dict[str, Any]:
    asked, defaults = spec.get("engine") or {}, intent["defaults"]
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "activeDeadlineSeconds": spec["activeDeadlineSeconds"] + POD_DEADLINE_MARGIN,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "serviceAccountName": defaults["serviceAccount"],
        "imagePullSecrets": [{"name": name} for name in defaults["imagePullSecrets"]],
        "nodeSelector": {**defaults["nodeSelector"], **asked.get("nodeSelector", {})},
        "tolerations": [*defaults["tolerations"], *asked.get("tolerations", ())],
        "priorityClassName": asked.get("priorityClassName"),
        "containers": [_container(asked, intent)],
        "volumes": [
            {"name": "spec", "downwardAPI": {"items": [_annotation_file("run.json", RUN_SPEC_ANNOTATION)]}},
            {"name": "scratch", "emptyDir": {"sizeLimit": "2Gi"}},
            *_store_volumes(defaults["store"]["volume"]),
        ],
    }
    return {name: value for name, value in pod.items() if value not in (None, "", [], {})}


def _container(asked: Mapping[str, Any], intent: Mapping[str, Any]) -> dict[str, Any]:
    defaults, store = intent["defaults"], intent["defaults"]["store"]
    container: dict[str, Any] = {
        "name": CONTAINER,
        "image": intent["image"],
        "imagePullPolicy": defaults["imagePullPolicy"],
        "resources": asked.get("resources") or defaults["resources"],
        "env": [
            {"name": "SPARK_IMAGE", "value": intent["image"]},
            _field("SPARK_JOB_UID", "metadata.labels['batch.kubernetes.io/controller-uid']"),
            {"name": "TMPDIR", "value": "/tmp"},  # noqa: S108 - the scratch volume, not the node's /tmp
            *_store_environment(store),
        ],
        "envFrom": [{"secretRef": {"name": store["credentialsSecret"]}}]
        if store["credentialsSecret"]
        else [],
        "volumeMounts": [
            {"name": "spec", "mountPath": SPEC_DIRECTORY, "readOnly": True},
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108
            *_store_mounts(store["volume"]),
        ],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    return {name: value for name, value in container.items() if value not in ([], {})}


def _store_volumes(volume: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": "store", "persistentVolumeClaim": {"claimName": volume["claim"]}}] if volume else []


def _store_mounts(volume: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"name": "store", "mountPath": volume["path"]}] if volume else []


def _store_environment(store: Mapping[str, str]) -> list[dict[str, str]]:
    named = (("AWS_ENDPOINT_URL", store["endpoint"]), ("AWS_REGION", store["region"]))
    return [{"name": name, "value": value} for name, value in named if value]


def _field(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def _annotation_file(path: str, annotation: str) -> dict[str, Any]:
    return {"path": path, "fieldRef": {"fieldPath": f"metadata.annotations['{annotation}']"}}


def _compact(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
