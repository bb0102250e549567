"""A resolved sweep, carried out, whole or one shard of it: parts, evidence, artifact directory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from spark_crds.formats.evidence import REPORT_FILE, SPEC_FILE
from spark_crds.formats.run import RunDocument

from spark_engine.data.candles import Candles
from spark_engine.evidence import sweep_tables as tables
from spark_engine.evidence.artifact import json_document
from spark_engine.evidence.provenance import provenance
from spark_engine.evidence.sweep_artifact import Content, SweepArtifact, sealed, sweep_evidence
from spark_engine.evidence.sweep_finish import Finished, finish, partial_result
from spark_engine.evidence.sweep_gather import Sources, gather, ranked_batches
from spark_engine.evidence.sweep_result import (
    BLOCKS_FILE,
    CURVE_FILE,
    RESULTS_FILE,
    SHARD_SCHEMA,
    SWEEP_EVIDENCE_SCHEMA,
    SWEEP_SCHEMA,
    TOP_FILE,
    TRAINING_FILE,
    WINDOWS_FILE,
)
from spark_engine.evidence.sweep_walk_tables import curve_table, windows_table
from spark_engine.execute.sweep_facts import facts
from spark_engine.execute.sweep_subject import Sweep, read_sweep
from spark_engine.execute.sweep_trials import Plan, Shard, evaluate_parts
from spark_engine.execute.sweep_walk import walk_forward
from spark_engine.simulation.trials_threads import threads_available
from spark_engine.strategies.table import ProbeLevel

SCRATCH = "scratch"
WHOLE: Shard = (0, 1)


@dataclass(frozen=True, slots=True)
class Progress:
    """What a caller may watch: stages in words, and bar evaluations done of a plan."""

    stage: Callable[[str], None] = lambda _stage: None
    begin: Callable[[Plan], None] = lambda _plan: None
    tell: Callable[[int], None] = lambda _bars: None


SILENT = Progress()


@dataclass(frozen=True, slots=True)
class Options:
    """How a sweep is carried out; none of it changes a number. `threads` None: as many as there are."""

    threads: int | None = None
    shard: Shard = WHOLE
    resume: bool = False
    with_report: bool = True
    probe: ProbeLevel = "quick"


def carry_out_sweep(
    document: RunDocument,
    limits: Mapping[str, Any] | None,
    folder: Path,
    options: Options,
    progress: Progress = SILENT,
    candles: Candles | None = None,
) -> SweepArtifact:
    """The artifact of the sweep, or of a shard of it; its large files lie in `folder`, which the caller
    removes when they are elsewhere. What a failure leaves there can be resumed. Raises `BacktestError`.
    """
    started = datetime.now(UTC)
    progress.stage("reading candles")
    sweep = read_sweep(document.spec, limits, candles, options.probe)
    document = replace(document, spec=sweep.spec)
    plan = Plan(sweep, options.shard)
    clock = time.perf_counter()
    progress.begin(plan)
    threads = options.threads or threads_available()
    parts = evaluate_parts(plan, folder, resume=options.resume, threads=threads, tell=progress.tell)
    sources = parts.sources(plan.chunks)
    progress.stage("ranking trials")
    known = facts(sweep)
    engine_ms = round((time.perf_counter() - clock) * 1000)

    def about() -> dict[str, Any]:
        return sweep_provenance(document, sweep.candles, started, engine_ms)

    if options.shard != WHOLE:
        return _shard_artifact(document, sweep, sources, folder, options.shard, about())
    walk = walk_forward(sweep, sources) if sweep.windows else None
    finished = finish(known, sweep.spec, sources, folder / SCRATCH, walk)
    extra = {} if walk is None else walk_files(sweep, finished)
    return whole_artifact(document, finished, sources, folder, about(), extra, options.with_report, progress)


def sweep_provenance(
    document: RunDocument, candles: Candles, started: datetime, engine_ms: int
) -> dict[str, Any]:
    """`evidence.json`'s `run`, as a single run has it."""
    flat = replace(document, spec={**document.spec["template"], "notes": document.spec.get("notes", "")})
    return provenance(flat, candles, started=started, finished=datetime.now(UTC), engine_ms=engine_ms)


def whole_artifact(
    document: RunDocument,
    finished: Finished,
    sources: Sources,
    folder: Path,
    about: Mapping[str, Any],
    extra: Mapping[str, Content],
    with_report: bool,
    progress: Progress,
) -> SweepArtifact:
    """The artifact of a whole sweep from its tables in pieces; `extra`: the tables of its walk-forward."""
    progress.stage("writing evidence")
    files: dict[str, Content] = {
        SPEC_FILE: json_document(spec_document(document)),
        **_joined(sources, folder, ranked_batches(sources, finished.gathered)),
        TOP_FILE: json_document(finished.result["top"]),
        **extra,
    }
    result = {name: value for name, value in finished.result.items() if name != "top"}
    evidence = _evidence(SWEEP_EVIDENCE_SCHEMA, document, result, about, files)
    if with_report:
        progress.stage("drawing the report")
        # Jinja2 is imported only where a report is asked for: a pod pays for its imports
        from spark_engine.execute.sweep_page import sweep_page

        files[REPORT_FILE] = sweep_page(evidence, files)
        evidence = _evidence(SWEEP_EVIDENCE_SCHEMA, document, result, about, files)
    return sealed(evidence, files)


def spec_document(document: RunDocument) -> dict[str, Any]:
    """`spec.json` of a sweep."""
    whole = document.document()
    whole["sweep"] = whole.pop("run")
    return {**whole, "schema": SWEEP_SCHEMA}


def walk_files(sweep: Sweep, finished: Finished) -> dict[str, Content]:
    """The tables of a walk-forward, which are small."""
    if finished.walk is None:
        return {}
    ts = sweep.candles.ts[sweep.candles.warmup :]
    windows = windows_table(finished.walk.tests, ts, sweep.types, sweep.objective[0])
    return {
        WINDOWS_FILE: tables.encoded(windows),
        CURVE_FILE: tables.encoded(curve_table(finished.walk.curve)),
    }


def _shard_artifact(
    document: RunDocument,
    sweep: Sweep,
    sources: Sources,
    folder: Path,
    shard: Shard,
    about: Mapping[str, Any],
) -> SweepArtifact:
    gathered = gather(sources, sweep.objective, 0, folder / SCRATCH)
    result = {
        **partial_result(facts(sweep), gathered, None),
        "lookAhead": sweep.look_ahead,
        "shard": list(shard),
    }
    files: dict[str, Content] = {
        SPEC_FILE: json_document(spec_document(document)),
        **_joined(sources, folder, ranked_batches(sources, None)),
    }
    return sealed(_evidence(SHARD_SCHEMA, document, result, about, files), files)


def _evidence(
    schema: str,
    document: RunDocument,
    result: Mapping[str, Any],
    about: Mapping[str, Any],
    files: Mapping[str, Content],
) -> dict[str, Any]:
    return sweep_evidence(schema=schema, sweep_id=document.run.name, result=result, run=about, files=files)


def _joined(sources: Sources, folder: Path, results: Iterable[Any]) -> dict[str, Content]:
    """Every table of trials in one file, streamed."""
    joined: dict[str, Content] = {}
    pieces = (
        (RESULTS_FILE, sources.results),
        (BLOCKS_FILE, sources.blocks),
        (TRAINING_FILE, sources.training),
    )
    for name, paths in pieces:
        if not paths:
            continue
        batches = (
            results
            if name == RESULTS_FILE
            else (batch for path in paths for batch in tables.read_batches(path))
        )
        target = folder / SCRATCH / name
        tables.write_table(target, batches)
        joined[name] = target
    return joined
