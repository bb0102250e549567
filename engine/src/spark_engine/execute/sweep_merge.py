"""The shards of a sweep, put together to what the whole sweep would have given, digest included."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spark_crds.canonical import canonical, parse_canonical
from spark_crds.formats.evidence import EVIDENCE_FILE, SPEC_FILE
from spark_crds.formats.run import RunDocument, RunIdentity

from spark_engine.data.archive.find import moved_pin
from spark_engine.errors import InvalidData
from spark_engine.evidence.digests import candles_digest
from spark_engine.evidence.sweep_artifact import Content, SweepArtifact, entry
from spark_engine.evidence.sweep_finish import finish
from spark_engine.evidence.sweep_gather import Sources
from spark_engine.evidence.sweep_result import (
    BLOCKS_FILE,
    IDENTITY,
    RESULTS_FILE,
    SHARD_SCHEMA,
    SWEEP_SCHEMA,
    TRAINING_FILE,
    sweep_digest,
)
from spark_engine.execute.sweep_carry_out import SCRATCH, SILENT, Progress, walk_files, whole_artifact
from spark_engine.execute.sweep_parts import WORDS
from spark_engine.execute.sweep_subject import Sweep, read_sweep
from spark_engine.execute.sweep_walk import walk_forward
from spark_engine.simulation.build import kernel_build
from spark_engine.version import __version__

SHARED = (*IDENTITY, "measure", "space", "window", "dataQuality", "lookAhead", "selectionContext")


@dataclass(frozen=True, slots=True)
class ShardArtifact:
    """A shard on disk, its files as they were written."""

    path: Path
    evidence: Mapping[str, Any]

    @property
    def result(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.evidence["result"]
        return found

    @property
    def shard(self) -> tuple[int, int]:
        index, count = self.result["shard"]
        return int(index), int(count)


def merge_shards(
    directories: Sequence[Path],
    folder: Path,
    data: str | None = None,
    *,
    with_report: bool = True,
    progress: Progress = SILENT,
) -> SweepArtifact:
    """The artifact of the whole sweep. `folder`: for files on the way, removed by the caller; `data`: where
    candles are, which only walk-forward needs. Raises `InvalidData` that names the shard at fault."""
    started, clock = datetime.now(UTC), time.perf_counter()
    progress.stage("reading shards")
    shards = _in_order([_read(path) for path in directories])
    first = shards[0]
    document = read_sweep_document(first.path)
    sources = Sources(*(_paths(shards, name) for name in (RESULTS_FILE, BLOCKS_FILE, TRAINING_FILE)))
    (folder / SCRATCH).mkdir(parents=True, exist_ok=True)
    sweep = _sweep(document, first, data) if first.result["space"]["windows"] else None
    walk = None if sweep is None else walk_forward(sweep, sources)
    progress.stage("ranking trials")
    finished = finish(first.result, document.spec, sources, folder / SCRATCH, walk)
    extra: dict[str, Content] = {} if sweep is None else walk_files(sweep, finished)
    about = {
        **_about(first, started),
        "engineMs": round((time.perf_counter() - clock) * 1000),
        "shards": [{"shard": list(each.shard), "digest": each.evidence["digest"]} for each in shards],
    }
    return whole_artifact(document, finished, sources, folder, about, extra, with_report, progress)


def read_sweep_document(path: Path) -> RunDocument:
    """`spec.json` of the artifact directory of a sweep or a shard. Raises `InvalidData`."""
    try:
        found = json.loads((path / SPEC_FILE).read_bytes())
        if found["schema"] != SWEEP_SCHEMA:
            raise ValueError(f"schema is {found['schema']}")
        sweep = found["sweep"]
        return RunDocument(
            run=RunIdentity(sweep["name"], sweep["namespace"], sweep["uid"]),
            spec=found["spec"],
            spec_hash=found["specHash"],
            deadline_seconds=found["deadlineSeconds"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidData(f"{path / SPEC_FILE} is no sweep's spec: {error}") from None


def with_data(document: RunDocument, uri: str | None) -> RunDocument:
    """The sweep with its candles elsewhere."""
    if uri is None:
        return document
    template = document.spec["template"]
    moved = {**template, "data": {**template["data"], "uri": moved_pin(template["data"]["uri"], uri)}}
    return replace(document, spec={**document.spec, "template": moved})


def _read(path: Path) -> ShardArtifact:
    try:
        content = (path / EVIDENCE_FILE).read_bytes()
    except OSError as error:
        raise InvalidData(f"cannot read {path / EVIDENCE_FILE}: {error.strerror}") from None
    try:
        evidence = parse_canonical(content)
        schema, result = evidence["schema"], evidence["result"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidData(f"{path / EVIDENCE_FILE} is no evidence of ours") from None
    if schema != SHARD_SCHEMA:
        raise InvalidData(f"{path} is no shard of a sweep but {schema}")
    if canonical(evidence) != content or sweep_digest(result, SHARD_SCHEMA) != evidence["digest"]:
        raise InvalidData(f"{path}: {EVIDENCE_FILE} was changed")
    for listed in evidence["run"]["files"]:
        file = path / listed["name"]
        if not file.is_file() or entry(listed["name"], file) != listed:
            raise InvalidData(f"{path}: {listed['name']} is missing or was changed")
    return ShardArtifact(path, evidence)


def _in_order(shards: list[ShardArtifact]) -> list[ShardArtifact]:
    first = shards[0]
    for other in shards[1:]:
        differ = [name for name in SHARED if canonical(other.result[name]) != canonical(first.result[name])]
        if differ:
            words = " and ".join(WORDS.get(name, f"with another {name}") for name in differ)
            raise InvalidData(f"{other.path} was made {words} than {first.path}")
        if other.shard[1] != first.shard[1]:
            raise InvalidData(
                f"{other.path} is one of {other.shard[1]} shards, {first.path} one of {first.shard[1]}"
            )
    by_index: dict[int, ShardArtifact] = {}
    for each in shards:
        index = each.shard[0]
        if index in by_index:
            raise InvalidData(f"shard {index} is there twice: {by_index[index].path} and {each.path}")
        by_index[index] = each
    count = first.shard[1]
    missing = [str(index) for index in range(count) if index not in by_index]
    if missing:
        some = ", ".join(missing[:10]) + (", ..." if len(missing) > 10 else "")
        raise InvalidData(f"of {count} shards these are missing: {some}")
    return [by_index[index] for index in range(count)]


def _paths(shards: Sequence[ShardArtifact], name: str) -> tuple[Path, ...]:
    return tuple(each.path / name for each in shards if (each.path / name).exists())


def _sweep(document: RunDocument, shard: ShardArtifact, data: str | None) -> Sweep:
    """With its candles, which must be those of the shards."""
    spec = with_data(document, data).spec
    limits = shard.result["spec"]["template"]["guardrails"]
    sweep = read_sweep(spec, limits, probe="off")
    if candles_digest(sweep.candles) != shard.result["candles"]:
        raise InvalidData("the candles are not those of the shards", field="spec.template.data.uri")
    return replace(sweep, look_ahead=shard.result["lookAhead"])


def _about(shard: ShardArtifact, started: datetime) -> dict[str, Any]:
    about = {name: value for name, value in shard.evidence["run"].items() if name != "files"}
    return {
        **about,
        "startedAt": _stamp(started),
        "finishedAt": _stamp(datetime.now(UTC)),
        "engineVersion": __version__,
        "kernel": kernel_build(),
    }


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
