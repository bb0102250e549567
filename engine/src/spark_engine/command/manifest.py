"""From a file on the command line to a resolved run, with the edits that the command line asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from spark_crds.formats.error import FormatError
from spark_crds.formats.run import RUN_SCHEMA, RunDocument, decode_run

from spark_engine.command.usage import Usage, read_input
from spark_engine.errors import InvalidSpec


def load_run(file: str, *, edits: Sequence[str] = (), data: str | None = None) -> RunDocument:
    """The run in `file`: a BacktestRun manifest, or a resolved run.json. Raises `Usage`, `InvalidSpec`."""
    content = read_input(file)
    resolved = _resolved(content)
    if resolved is None:
        # imported here: a resolved run needs neither PyYAML nor the schema
        from spark_engine.execute.manifest import load_object, resolve_run

        return resolve_run(edited(load_object(content, file), edits, data))
    if edits:
        raise Usage("--set edits a manifest; this file is a run that is resolved already")
    try:
        run = decode_run(resolved)
    except FormatError as error:
        raise InvalidSpec(error.message, field=error.field) from None
    return run if data is None else _with_data(run, data)


def load_sweep(file: str, *, edits: Sequence[str] = (), data: str | None = None) -> RunDocument:
    """The ParameterSweep manifest in `file`, resolved. Raises `Usage`, `InvalidSpec`."""
    from spark_engine.execute.manifest import load_object, resolve_run

    return resolve_run(edited(load_object(read_input(file), file), edits, data), "ParameterSweep")


def load_guardrails(file: str) -> dict[str, Any]:
    """The limits in `file`. Raises `Usage`, `InvalidSpec`."""
    from spark_engine.execute.manifest import load_limits

    return load_limits(read_input(file), file)


def edited(manifest: Mapping[str, Any], edits: Sequence[str], data: str | None) -> dict[str, Any]:
    """A copy of `manifest` after `--set path=value` and `--data URI`."""
    copy = deepcopy(dict(manifest))
    kind = str(copy.get("kind"))
    for edit in edits:
        path, equals, text = edit.partition("=")
        if not equals or not path:
            raise Usage(f"--set takes path=value, as strategy.params.fast=12; got {edit!r}")
        names = path.removeprefix("spec.").split(".")
        _set(copy, ["spec", *names], _value(kind, names, text))
    if data is None:
        return copy
    from spark_engine.execute.manifest import with_data

    return with_data(copy, data)


def _set(manifest: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *parents, last = path
    node = manifest
    for name in parents:
        child = node.setdefault(name, {})
        if not isinstance(child, dict):
            raise Usage(f"--set {'.'.join(path[1:])}: {name} is not an object")
        node = child
    node[last] = value


def _value(kind: str, path: Sequence[str], text: str) -> Any:
    """`text` as YAML reads it, but as it stands where the schema wants a string: decimals are strings."""
    from spark_crds.manifest import ManifestError, load_manifest
    from spark_crds.schema import field_schema

    known = kind if kind == "ParameterSweep" else "BacktestRun"
    if field_schema(known, ".".join(["spec", *path])).get("type") == "string":
        return text
    try:
        return load_manifest(f"value: {text}", "--set")[0]["value"]
    except ManifestError as error:
        raise Usage(f"--set {'.'.join(path)}: {error}") from None


def _resolved(content: bytes) -> Any:
    """The decoded JSON if `content` is a resolved run, else None."""
    if not content.lstrip().startswith(b"{"):
        return None
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("schema") == RUN_SCHEMA else None


def _with_data(run: RunDocument, uri: str) -> RunDocument:
    from spark_crds.resolve import spec_hash

    spec = dict(run.spec)
    data = {name: value for name, value in spec["data"].items() if name not in ("sha256", "feedRef")}
    spec["data"] = {**data, "uri": uri}
    return replace(run, spec=spec, spec_hash=spec_hash(spec))
