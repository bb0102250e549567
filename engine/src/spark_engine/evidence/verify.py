"""Offline verification of an artifact directory: is it whole, and do its figures follow from its tables?

The list `CHECKS` is the specification. Each check gives findings; no finding means it passed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spark_crds.canonical import canonical
from spark_crds.formats.evidence import (
    CHECKSUM_FILE,
    DIGESTED_FIELDS,
    EVIDENCE_FILE,
    EVIDENCE_SCHEMA,
    SPEC_FILE,
    digested_spec,
    evidence_digest,
)

from spark_engine.errors import BacktestError
from spark_engine.evidence import recompute
from spark_engine.evidence.artifact import checksum_lines
from spark_engine.evidence.stored import Directory

WHOLE_AND_UNCHANGED = 3  # the first checks, alike for every artifact
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    title: str
    findings: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return not self.findings


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


def _close(stored: float | None, recomputed: float | None) -> bool:
    if stored is None or recomputed is None:
        return stored is recomputed
    return abs(stored - recomputed) <= TOLERANCE * max(1.0, abs(stored))


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
