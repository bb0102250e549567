"""A sweep or a shard repeated from its artifact directory, and compared with what the evidence says."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spark_engine.evidence.sweep_result import DIGESTED_FIELDS, SHARD_SCHEMA
from spark_engine.evidence.verify import CheckOutcome, Directory
from spark_engine.execute.sweep_carry_out import WHOLE, Options, carry_out_sweep
from spark_engine.execute.sweep_merge import read_sweep_document, with_data
from spark_engine.version import SEMANTICS


def rerun_sweep(
    title: str, directory: Directory, evidence: Mapping[str, Any], data: str | None = None
) -> CheckOutcome:
    """Repeats the sweep in `directory`. Raises `BacktestError` where it cannot be repeated at all."""
    stored = evidence["result"]
    if stored["semantics"] != SEMANTICS:
        then = stored["semantics"]
        return CheckOutcome(
            title, (f"made under semantics {then}, this engine has {SEMANTICS}: use the other one",)
        )
    document = with_data(read_sweep_document(directory.path), data)
    index, count = stored["shard"] if evidence["schema"] == SHARD_SCHEMA else WHOLE
    options = Options(shard=(index, count), with_report=False, probe="off")
    limits = stored["spec"]["template"]["guardrails"]
    with tempfile.TemporaryDirectory() as folder:
        again = carry_out_sweep(document, limits, Path(folder) / "parts", options)
    if again.digest == evidence["digest"]:
        return CheckOutcome(title)
    repeated = again.evidence["result"]
    names = [name for name in DIGESTED_FIELDS if stored[name] != repeated[name]]
    if "candles" in names:
        return CheckOutcome(
            title, ("the candles are not the ones of the sweep (another file, or it was changed)",)
        )
    return CheckOutcome(
        title, tuple(f"{name} differs: {stored[name]} then, {repeated[name]} now" for name in names)
    )
