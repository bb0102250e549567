"""The artifact directory of a sweep or a shard: like a run's, but its tables may be larger than memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spark_crds.canonical import canonical, sha256_hex
from spark_crds.formats.evidence import CHECKSUM_FILE, EVIDENCE_FILE

from spark_engine.evidence.artifact import checksum_lines
from spark_engine.evidence.sweep_result import sweep_digest

Content = bytes | Path
MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SweepArtifact:
    """Every file by name, content or where it lies; `evidence.json` last: who sees it sees the rest."""

    evidence: Mapping[str, Any]
    files: Mapping[str, Content]

    @property
    def digest(self) -> str:
        return str(self.evidence["digest"])

    @property
    def sha256(self) -> str:
        """Of evidence.json, which lists every other file's."""
        content = self.files[EVIDENCE_FILE]
        return sha256_hex(content if isinstance(content, bytes) else content.read_bytes())


def sweep_evidence(
    *,
    schema: str,
    sweep_id: str,
    result: Mapping[str, Any],
    run: Mapping[str, Any],
    files: Mapping[str, Content],
) -> dict[str, Any]:
    """`evidence.json` as a value, with the hash of every file beside it."""
    return {
        "schema": schema,
        "id": sweep_id,
        "status": "done",
        "digest": sweep_digest(result, schema),
        "result": dict(result),
        "run": {**run, "files": [entry(name, files[name]) for name in sorted(files)]},
    }


def sealed(evidence: Mapping[str, Any], files: Mapping[str, Content]) -> SweepArtifact:
    """The complete artifact: `files`, their checksums, and the evidence."""
    content = canonical(evidence)
    sums = checksum_lines(evidence, sha256_hex(content))
    return SweepArtifact(evidence, {**files, CHECKSUM_FILE: sums, EVIDENCE_FILE: content})


def entry(name: str, content: Content) -> dict[str, Any]:
    """A file as the evidence lists it."""
    if isinstance(content, bytes):
        return {"name": name, "bytes": len(content), "sha256": sha256_hex(content)}
    digest = hashlib.sha256()
    with content.open("rb") as file:
        while piece := file.read(MEBIBYTE):
            digest.update(piece)
    return {"name": name, "bytes": content.stat().st_size, "sha256": digest.hexdigest()}
