"""Artifact directories that a command builds upon: only such as `backtest verify` passes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spark_crds.formats.evidence import EVIDENCE_SCHEMA

from spark_engine.errors import InvalidData
from spark_engine.evidence.stored import Directory, read_directory
from spark_engine.evidence.verify import verify


def verified(path: Path) -> tuple[Directory, Mapping[str, Any]]:
    """The directory and its evidence. Raises `InvalidData` that names the first check that failed."""
    directory = read_directory(path)
    failed = [check for check in verify(directory) if not check.passed]
    if failed or directory.evidence is None:
        finding = f"{failed[0].title}: {failed[0].findings[0]}" if failed else directory.problem
        raise InvalidData(f"{path} does not verify ({finding}); `backtest verify {path}` says more")
    return directory, directory.evidence


def verified_run(path: Path) -> tuple[Directory, Mapping[str, Any]]:
    """As `verified`, and the artifact is that of a run."""
    directory, evidence = verified(path)
    if evidence["schema"] != EVIDENCE_SCHEMA:
        raise InvalidData(f"{path} is the artifact of a sweep; name one that `backtest run` wrote")
    return directory, evidence
