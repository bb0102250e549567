"""A sweep or a shard repeated from its artifact directory."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spark_engine.evidence.stored import Directory
from spark_engine.evidence.sweep_result import SHARD_SCHEMA
from spark_engine.execute.sweep_carry_out import WHOLE, Options, carry_out_sweep
from spark_engine.execute.sweep_merge import read_sweep_document, with_data


def repeated_sweep(
    directory: Directory, evidence: Mapping[str, Any], data: str | None = None
) -> Mapping[str, Any]:
    """The deterministic half of the evidence, once more. Raises `BacktestError` where that cannot be."""
    document = with_data(read_sweep_document(directory.path), data)
    index, count = evidence["result"]["shard"] if evidence["schema"] == SHARD_SCHEMA else WHOLE
    options = Options(shard=(index, count), with_report=False, probe="off")
    limits = evidence["result"]["spec"]["template"]["guardrails"]
    with tempfile.TemporaryDirectory() as folder:
        again = carry_out_sweep(document, limits, Path(folder) / "parts", options)
    result: Mapping[str, Any] = again.evidence["result"]
    return result
