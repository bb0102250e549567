"""Offline verification of an artifact directory: is it whole, and do its figures follow from its tables?

The list `CHECKS` is the specification. Each check gives findings; no finding means it passed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from spark_crds.canonical import canonical, parse_canonical, sha256_hex
from spark_crds.formats.evidence import (
    CHECKSUM_FILE,
    DIGESTED_FIELDS,
    EVENTS_FILE,
    EVIDENCE_FILE,
    EVIDENCE_SCHEMA,
    SPEC_FILE,
    digested_spec,
    evidence_digest,
)

from spark_engine.errors import BacktestError, InvalidData
from spark_engine.evidence import recompute
from spark_engine.evidence.artifact import checksum_lines
from spark_engine.evidence.events import decode_events
from spark_engine.evidence.sweep_result import SHARD_SCHEMA, SWEEP_EVIDENCE_SCHEMA
from spark_engine.evidence.tables import Table, decode
from spark_engine.simulation.ledger import Events

TABLES = ("orders.parquet", "fills.parquet", "trades.parquet", "equity.parquet")
SCHEMAS = (EVIDENCE_SCHEMA, SWEEP_EVIDENCE_SCHEMA, SHARD_SCHEMA)
WHOLE_AND_UNCHANGED = 3  # the first checks, alike for every artifact
MAX_EVIDENCE_BYTES = 64 * 1024 * 1024
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Directory:
    """An artifact directory, read. `evidence` is None where evidence.json cannot be understood."""

    path: Path
    files: Mapping[str, bytes]
    evidence: Mapping[str, Any] | None
    problem: str = ""
    folders: tuple[str, ...] = ()

    @cached_property
    def sha256(self) -> Mapping[str, str]:
        """Of every file that is there, by name."""
        return {name: sha256_hex(content) for name, content in self.files.items()}

    @cached_property
    def events(self) -> Events:
        """What events.jsonl holds. Raises `InvalidData` unless it is the listed file."""
        require_intact(self, self.evidence or {}, (EVENTS_FILE,))
        return decode_events(self.files[EVENTS_FILE], EVENTS_FILE)

    @cached_property
    def tables(self) -> Mapping[str, Table]:
        """The columns of every table, by file. Raises `InvalidData` unless they are the listed ones."""
        require_intact(self, self.evidence or {}, TABLES)
        return {name: decode(self.files[name], name) for name in TABLES}


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    title: str
    findings: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return not self.findings


def read_directory(path: Path) -> Directory:
    """Everything in the directory. Raises `InvalidData` where there is no artifact to verify."""
    if not path.is_dir():
        raise InvalidData(f"{path} is not a directory; name one that `backtest run` wrote")
    try:
        entries = sorted(path.iterdir())
        files = {entry.name: entry.read_bytes() for entry in entries if entry.is_file()}
    except OSError as error:
        raise InvalidData(f"cannot read {path}: {error.strerror}") from None
    if EVIDENCE_FILE not in files:
        raise InvalidData(f"{path} has no {EVIDENCE_FILE}; name a directory that `backtest run` wrote")
    evidence, problem = _decode_evidence(files[EVIDENCE_FILE])
    folders = tuple(entry.name for entry in entries if not entry.is_file())
    return Directory(path=path, files=files, evidence=evidence, problem=problem, folders=folders)


def verify(directory: Directory) -> list[CheckOutcome]:
    """Every check in order. Checks of content are left out where evidence.json cannot be understood."""
    if directory.evidence is None:
        return [CheckOutcome(f"{EVIDENCE_FILE} is readable", (f"{EVIDENCE_FILE}: {directory.problem}",))]
    checks = _checks_of(str(directory.evidence["schema"]))
    return [CheckOutcome(title, tuple(_findings(check, directory))) for title, check in checks]


def _checks_of(schema: str) -> tuple[tuple[str, Check], ...]:
    if schema == EVIDENCE_SCHEMA:
        return CHECKS
    from spark_engine.evidence.sweep_verify import CHECKS_OF_SWEEPS

    return (*CHECKS[:WHOLE_AND_UNCHANGED], *CHECKS_OF_SWEEPS[schema])


def _findings(check: Check, directory: Directory) -> Iterator[str]:
    try:
        yield from check(directory, directory.evidence or {})
    except BacktestError as error:
        yield error.message
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        yield f"{EVIDENCE_FILE}: not of the format {EVIDENCE_SCHEMA} ({type(error).__name__}: {error})"


def _files_unchanged(directory: Directory, evidence: Mapping[str, Any]) -> Iterator[str]:
    listed = {entry["name"]: entry["sha256"] for entry in evidence["run"]["files"]}
    for name, sha256 in listed.items():
        if name not in directory.files:
            yield f"{name}: missing"
        elif directory.sha256[name] != sha256:
            yield f"{name}: changed (sha256 {directory.sha256[name][:12]}…, was {sha256[:12]}…)"
    for name in (*directory.files, *directory.folders):
        if name not in listed and name not in (EVIDENCE_FILE, CHECKSUM_FILE):
            yield f"{name}: not part of the artifact"


def _checksums_agree(directory: Directory, evidence: Mapping[str, Any]) -> Iterator[str]:
    if CHECKSUM_FILE not in directory.files:
        yield f"{CHECKSUM_FILE}: missing"
        return
    actual = directory.sha256[EVIDENCE_FILE]
    stored = directory.files[CHECKSUM_FILE]
    if stored == checksum_lines(evidence, actual):
        return
    evidence_line = f"{actual}  {EVIDENCE_FILE}\n".encode()
    yield f"{CHECKSUM_FILE if evidence_line in stored else EVIDENCE_FILE}: changed"


def _evidence_is_canonical(directory: Directory, evidence: Mapping[str, Any]) -> Iterator[str]:
    if canonical(evidence) != directory.files[EVIDENCE_FILE]:
        yield f"{EVIDENCE_FILE}: not in canonical form (RFC 8785)"


def _digest_follows(_directory: Directory, evidence: Mapping[str, Any]) -> Iterator[str]:
    if evidence_digest(evidence["result"]) != evidence["digest"]:
        yield f"{EVIDENCE_FILE}: digest does not follow from {', '.join(DIGESTED_FIELDS)}"


def _spec_agrees(directory: Directory, evidence: Mapping[str, Any]) -> Iterator[str]:
    document = json.loads(directory.files[SPEC_FILE])
    spec = digested_spec(document["spec"], evidence["result"]["spec"]["guardrails"])
    if canonical(spec) != canonical(evidence["result"]["spec"]):
        yield f"{SPEC_FILE}: is not the spec that the evidence is about"


def _tables_follow(directory: Directory, evidence: Mapping[str, Any]) -> Iterator[str]:
    form = evidence["result"]["executionModel"].get("decisions", "targets")
    for file, name, digest in recompute.table_digests(directory.tables, directory.events, form):
        if digest != evidence["result"][name]:
            yield f"{file}: does not give the {name} digest of the evidence"


def _metrics_follow(directory: Directory, evidence: Mapping[str, Any]) -> Iterator[str]:
    recomputed = recompute.metric_values(directory.tables, evidence)
    for name, stored in evidence["result"]["metrics"].items():
        if not _close(stored["value"], recomputed.get(name)):
            yield f"{EVIDENCE_FILE}: {name} is {stored['value']}, the tables give {recomputed.get(name)}"


def require_intact(directory: Directory, evidence: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raises `InvalidData` unless the files are the listed ones: a damaged table can crash its reader."""
    listed = {entry["name"]: entry["sha256"] for entry in evidence["run"]["files"]}
    for name in names:
        if name not in listed or directory.sha256.get(name) != listed[name]:
            raise InvalidData(f"{name}: not looked into, since it is not the file that was written")


def _close(stored: float | None, recomputed: float | None) -> bool:
    if stored is None or recomputed is None:
        return stored is recomputed
    return abs(stored - recomputed) <= TOLERANCE * max(1.0, abs(stored))


def _decode_evidence(content: bytes) -> tuple[Mapping[str, Any] | None, str]:
    if len(content) > MAX_EVIDENCE_BYTES:
        return None, f"larger than {MAX_EVIDENCE_BYTES} bytes"
    try:
        document = parse_canonical(content)
    except (ValueError, RecursionError) as error:
        return None, f"changed: not JSON any more ({error})"
    if not isinstance(document, dict) or document.get("schema") not in SCHEMAS:
        return None, f"changed: schema is none of {', '.join(SCHEMAS)}"
    return document, ""


Check = Callable[[Directory, Mapping[str, Any]], Iterator[str]]

CHECKS: tuple[tuple[str, Check], ...] = (
    ("every file is the one that the evidence lists", _files_unchanged),
    ("the checksums agree with the evidence", _checksums_agree),
    ("the evidence is in canonical form", _evidence_is_canonical),
    ("the digest follows from the evidence", _digest_follows),
    ("the spec is the one that the evidence is about", _spec_agrees),
    ("decisions, fills, equity and events follow from the tables", _tables_follow),
    ("the metrics follow from the tables", _metrics_follow),
)
