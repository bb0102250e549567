"""A resolved run, carried out: candles read, strategy simulated. What it leaves behind is made by `wrap`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from spark_crds.formats.evidence import evidence_digest
from spark_crds.formats.run import RunDocument

from spark_engine.data.read import read_candles
from spark_engine.evidence.provenance import provenance
from spark_engine.execute.check import check
from spark_engine.execute.execution import Execution, execute
from spark_engine.execute.window import settled
from spark_engine.settings import candle_request
from spark_engine.strategies.table import ProbeLevel

Stage = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`run` as it was carried out, what it computed, and `provenance`: the `run` half of the evidence."""

    run: RunDocument
    execution: Execution
    provenance: Mapping[str, Any]

    @property
    def digest(self) -> str:
        return evidence_digest(self.execution.result)


def carry_out(
    run: RunDocument,
    limits: Mapping[str, Any] | None = None,
    *,
    probe: ProbeLevel = "quick",
    on_stage: Stage | None = None,
) -> Outcome:
    """Runs `run`. Raises `BacktestError`; writes nothing."""
    show = on_stage or unwatched
    started = _now()
    checked = check(run.spec, limits)
    show("reading candles")
    candles = read_candles(candle_request(checked.spec))
    checked = replace(checked, spec=settled(checked.spec, candles))
    show(f"simulating {len(candles) - candles.warmup:,} bars")
    clock = time.perf_counter()
    execution = execute(checked, candles, probe)
    engine_ms = round((time.perf_counter() - clock) * 1000)
    run = replace(run, spec=checked.spec)
    about = provenance(run, candles, started=started, finished=_now(), engine_ms=engine_ms)
    return Outcome(run=run, execution=execution, provenance=about)


def unwatched(_stage: str) -> None:
    """A run whose stages nobody watches."""


def _now() -> datetime:
    return datetime.now(UTC)
