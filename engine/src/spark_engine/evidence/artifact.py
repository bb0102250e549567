"""An artifact directory: all its files made in memory, then written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spark_crds.canonical import canonical, sha256_hex
from spark_crds.formats.evidence import (
    CHECKSUM_FILE,
    EVIDENCE_FILE,
    EVIDENCE_SCHEMA,
    REPORT_FILE,
    evidence_digest,
)

Files = dict[str, bytes]


@dataclass(frozen=True, slots=True)
class Artifact:
    """Every file of an artifact directory by name, `evidence.json` last: who sees it sees the rest."""

    evidence: Mapping[str, Any]
    files: Files

    @property
    def digest(self) -> str:
        return str(self.evidence["digest"])

    @property
    def sha256(self) -> str:
        """Of evidence.json, which lists every other file's: this one hash pins the whole directory."""
        return sha256_hex(self.files[EVIDENCE_FILE])

    @property
    def bytes(self) -> int:
        return len(self.files[EVIDENCE_FILE])


def evidence_document(
    *, run_id: str, status: str, result: Mapping[str, Any], run: Mapping[str, Any], files: Files
) -> dict[str, Any]:
    """`evidence.json` as a value, with the hash of every file beside it."""
    return {
        "schema": EVIDENCE_SCHEMA,
        "id": run_id,
        "status": status,
        "digest": evidence_digest(result),
        "result": dict(result),
        "run": {**run, "files": [_entry(name, files[name]) for name in sorted(files)]},
    }


def with_file(evidence: Mapping[str, Any], name: str, content: bytes) -> dict[str, Any]:
    """The evidence with one more file in its list."""
    entries = [*evidence["run"]["files"], _entry(name, content)]
    files = sorted(entries, key=lambda entry: str(entry["name"]))
    return {**evidence, "run": {**evidence["run"], "files": files}}


def seal(evidence: Mapping[str, Any], files: Files) -> Artifact:
    """The complete artifact: `files`, their checksums, and the evidence."""
    content = canonical(evidence)
    sums = checksum_lines(evidence, sha256_hex(content))
    return Artifact(evidence=evidence, files={**files, CHECKSUM_FILE: sums, EVIDENCE_FILE: content})


def checksum_lines(evidence: Mapping[str, Any], evidence_sha256: str) -> bytes:
    """SHA256SUMS as `sha256sum -c` reads it."""
    hashes = {entry["name"]: entry["sha256"] for entry in evidence["run"]["files"]}
    hashes[EVIDENCE_FILE] = evidence_sha256
    return "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)).encode()


def json_document(value: Any) -> bytes:
    """Readable JSON for a file that people open; its meaning, not its bytes, is what digests cover."""
    return (json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def compact_json(value: Any) -> bytes:
    """JSON for programs: RFC 8785 is slow over tens of thousands of numbers, and no digest covers these."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def without_report(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The evidence as the report shows it: a page cannot list its own hash."""
    run = dict(evidence["run"])
    run["files"] = [entry for entry in run["files"] if entry["name"] != REPORT_FILE]
    return {**evidence, "run": run}


def _entry(name: str, content: bytes) -> dict[str, Any]:
    return {"name": name, "bytes": len(content), "sha256": sha256_hex(content)}
