"""What an attempt needs that is not in the spec, settled before its Job exists and never changed after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from spark_crds.resolve import SpecError, resolve

from spark_operator.configuration.model import Configuration, EnginePods, Store

READABLE = ("sample", "s3", "gs", "az")


def resolved_spec(run: Mapping[str, Any], configuration: Configuration) -> dict[str, Any]:
    """The resolved spec, within what this cluster allows. Raises `SpecError`."""
    spec = resolved(run)
    _check_data(spec["data"], configuration)
    _check_engine(spec.get("engine") or {}, configuration.engine)
    return spec


def resolved(run: Mapping[str, Any]) -> dict[str, Any]:
    """The resolved spec, as a laptop resolves it. Raises `SpecError`."""
    manifest = {name: run[name] for name in ("apiVersion", "kind", "spec")}
    return resolve({**manifest, "metadata": {"name": run["metadata"]["name"]}})


def intent(run: Mapping[str, Any], spec: Mapping[str, Any], configuration: Configuration) -> dict[str, Any]:
    """`status.intent`: rendering the Job is a function of this and the spec."""
    engine, data = configuration.engine, spec["data"]
    present = {
        "image": (spec.get("engine") or {}).get("image") or engine.image,
        "artifactUri": _artifact_uri(run, configuration.store.uri),
        "data": {name: data[name] for name in ("uri", "sha256") if name in data},
        "defaults": {
            "instance": configuration.instance,
            "imagePullPolicy": engine.image_pull_policy,
            "imagePullSecrets": list(engine.image_pull_secrets),
            "serviceAccount": engine.service_account,
            "resources": {name: dict(values) for name, values in engine.resources.items()},
            "nodeSelector": dict(engine.node_selector),
            "tolerations": [
                {name: value for name, value in toleration.model_dump().items() if value}
                for toleration in engine.tolerations
            ],
            "store": {
                "endpoint": configuration.store.endpoint,
                "region": configuration.store.region,
                "credentialsSecret": configuration.store.credentials_secret,
                "volume": _volume(configuration.store),
            },
        },
    }
    return {name: value for name, value in present.items() if value is not None}


def _volume(store: Store) -> dict[str, str]:
    """The claim of a file:// store and where it is mounted; empty without one."""
    return {"claim": store.claim, "path": urlsplit(store.uri).path} if store.claim else {}


def _artifact_uri(run: Mapping[str, Any], store: str) -> str | None:
    """The run's own prefix; the engine appends the uid of its Job."""
    if not store:
        return None
    metadata = run["metadata"]
    key = f"evidence/backtest/{metadata['namespace']}/{metadata['name']}-{metadata['uid']}"
    return f"{store.rstrip('/')}/{key}"


def _check_data(data: Mapping[str, Any], configuration: Configuration) -> None:
    if "feedRef" in data:
        raise SpecError("spec.data.feedRef", "market data feeds are not there yet; name the data by uri")
    scheme = data["uri"].partition("://")[0] if "://" in data["uri"] else ""
    readable = (*READABLE, "file") if configuration.store.uri.startswith("file://") else READABLE
    if scheme not in readable:
        allowed = ", ".join(f"{name}://" for name in readable)
        raise SpecError("spec.data.uri", f'"{data["uri"]}" cannot be read from a pod; allowed: {allowed}')


def _check_engine(asked: Mapping[str, Any], engine: EnginePods) -> None:
    """Every wish beyond the defaults must be on the operator's list."""
    if "image" in asked:
        _check_listed("image", asked["image"], (engine.image, *engine.allowed_images), "allowedImages")
    if "priorityClassName" in asked:
        _check_listed(
            "priorityClassName",
            asked["priorityClassName"],
            engine.allowed_priority_classes,
            "allowedPriorityClasses",
        )
    if "queueName" in asked:
        _check_listed("queueName", asked["queueName"], engine.allowed_queues, "allowedQueues")
    for key in asked.get("nodeSelector") or {}:
        _check_listed("nodeSelector", key, engine.allowed_node_selector_keys, "allowedNodeSelectorKeys")
    for number, toleration in enumerate(asked.get("tolerations") or ()):
        _check_listed(
            f"tolerations[{number}].key",
            toleration.get("key", "*"),
            engine.allowed_toleration_keys,
            "allowedTolerationKeys",
        )


def _check_listed(field: str, value: str, allowed: Iterable[str], setting: str) -> None:
    listed = list(allowed)
    if any(value == item or (item.endswith("*") and value.startswith(item[:-1])) for item in listed):
        return
    choices = ", ".join(listed) or "none"
    raise SpecError(
        f"spec.engine.{field}", f'"{value}" is not allowed here; engine.{setting} of the operator: {choices}'
    )
