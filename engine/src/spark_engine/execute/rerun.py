"""A run repeated from its artifact directory, and compared with what the evidence says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from spark_crds.formats.error import FormatError
from spark_crds.formats.evidence import DIGESTED_FIELDS, EVIDENCE_SCHEMA, SPEC_FILE, evidence_digest
from spark_crds.formats.run import RunDocument, decode_run

from spark_engine.data.read import read_candles
from spark_engine.errors import InvalidSpec
from spark_engine.evidence.verify import CheckOutcome, Directory
from spark_engine.execute.execution import execute
from spark_engine.settings import candle_request
from spark_engine.version import SEMANTICS

TITLE = "a re-run gives the same digest"


def rerun(directory: Directory, evidence: Mapping[str, Any], data: str | None = None) -> CheckOutcome:
    """Repeats the run in `directory`. Raises `BacktestError` where it cannot be repeated at all."""
    if evidence["schema"] != EVIDENCE_SCHEMA:
        from spark_engine.execute.sweep_rerun import rerun_sweep

        return rerun_sweep(TITLE, directory, evidence, data)
    stored = evidence["result"]
    if stored["semantics"] != SEMANTICS:
        then = stored["semantics"]
        return CheckOutcome(
            TITLE, (f"made under semantics {then}, this engine has {SEMANTICS}: use the other one",)
        )
    run = _run(directory)
    request = candle_request(run.spec)
    if data is not None:
        request = replace(request, uri=data)
    repeated = execute(run.spec, read_candles(request), stored["spec"]["guardrails"], probe="off").result
    if evidence_digest(repeated) == evidence["digest"]:
        return CheckOutcome(TITLE)
    return CheckOutcome(TITLE, tuple(_differences(stored, repeated)))


def _run(directory: Directory) -> RunDocument:
    try:
        return decode_run(json.loads(directory.files[SPEC_FILE]))
    except (KeyError, ValueError, FormatError) as error:
        raise InvalidSpec(f"{SPEC_FILE} cannot be read: {error}") from None


def _differences(stored: Mapping[str, Any], repeated: Mapping[str, Any]) -> list[str]:
    names = [name for name in DIGESTED_FIELDS if stored[name] != repeated[name]]
    if "candles" in names:
        return ["the candles are not the ones of the run (another file, or it was changed)"]
    return [f"{name} differs: {stored[name]} then, {repeated[name]} now" for name in names]
