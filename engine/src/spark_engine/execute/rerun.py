"""A run or a sweep repeated from its artifact directory, and compared with what the evidence says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from spark_crds.formats.error import FormatError
from spark_crds.formats.evidence import DIGESTED_FIELDS, EVIDENCE_SCHEMA, SPEC_FILE
from spark_crds.formats.run import RunDocument, decode_run

from spark_engine.data.archive.find import moved_pin
from spark_engine.data.read import read_candles
from spark_engine.errors import InvalidSpec
from spark_engine.evidence.stored import Directory
from spark_engine.evidence.verify import CheckOutcome
from spark_engine.execute.check import check
from spark_engine.execute.execution import execute
from spark_engine.settings import candle_request
from spark_engine.version import SEMANTICS

TITLE = "a re-run gives the same digest"


def rerun(directory: Directory, evidence: Mapping[str, Any], data: str | None = None) -> CheckOutcome:
    """Repeats the run or sweep in `directory`. Raises `BacktestError` where it cannot be repeated at all."""
    stored = evidence["result"]
    then = stored["semantics"]
    if then != SEMANTICS:
        return CheckOutcome(
            TITLE, (f"made under semantics {then}, this engine has {SEMANTICS}: use the other one",)
        )
    if evidence["schema"] == EVIDENCE_SCHEMA:
        return CheckOutcome(TITLE, _differences(stored, _repeated(directory, stored, data), DIGESTED_FIELDS))
    from spark_engine.evidence import sweep_result
    from spark_engine.execute.sweep_rerun import repeated_sweep

    repeated = repeated_sweep(directory, evidence, data)
    return CheckOutcome(TITLE, _differences(stored, repeated, sweep_result.DIGESTED_FIELDS))


def _repeated(directory: Directory, stored: Mapping[str, Any], data: str | None) -> Mapping[str, Any]:
    run = _run(directory)
    request = candle_request(run.spec)
    if data is not None:
        request = replace(request, uri=moved_pin(request.uri, data))
    candles = read_candles(request)
    return execute(check(run.spec, stored["spec"]["guardrails"]), candles, probe="off").result


def _run(directory: Directory) -> RunDocument:
    try:
        return decode_run(json.loads(directory.files[SPEC_FILE]))
    except (KeyError, ValueError, FormatError) as error:
        raise InvalidSpec(f"{SPEC_FILE} cannot be read: {error}") from None


def _differences(
    stored: Mapping[str, Any], repeated: Mapping[str, Any], fields: Sequence[str]
) -> tuple[str, ...]:
    names = [name for name in fields if stored[name] != repeated[name]]
    if "candles" in names:
        return ("the candles are not the ones of then (another file, or it was changed)",)
    return tuple(f"{name} differs: {stored[name]} then, {repeated[name]} now" for name in names)
