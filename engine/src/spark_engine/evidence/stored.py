"""An artifact directory as it is read back: its files, and what they hold while they are the ones written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from spark_crds.canonical import parse_canonical, sha256_hex
from spark_crds.formats.evidence import EVENTS_FILE, EVIDENCE_FILE, EVIDENCE_SCHEMA

from spark_engine.errors import InvalidData
from spark_engine.evidence.events import decode_events
from spark_engine.evidence.sweep_result import SHARD_SCHEMA, SWEEP_EVIDENCE_SCHEMA
from spark_engine.evidence.tables import Table, decode
from spark_engine.simulation.ledger import Events

SCHEMAS = (EVIDENCE_SCHEMA, SWEEP_EVIDENCE_SCHEMA, SHARD_SCHEMA)
TABLES = ("orders.parquet", "fills.parquet", "trades.parquet", "equity.parquet")
MAX_EVIDENCE_BYTES = 64 * 1024 * 1024


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


def require_intact(directory: Directory, evidence: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raises `InvalidData` unless the files are the listed ones: a damaged table can crash its reader."""
    listed = {entry["name"]: entry["sha256"] for entry in evidence["run"]["files"]}
    for name in names:
        if name not in listed or directory.sha256.get(name) != listed[name]:
            raise InvalidData(f"{name}: not looked into, since it is not the file that was written")


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
