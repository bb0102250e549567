"""A resolved run, carried out: candles read, simulated, and wrapped as an artifact."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from spark_crds.canonical import canonical, parse_canonical
from spark_crds.formats.evidence import REPORT_FILE, SPEC_FILE
from spark_crds.formats.run import RunDocument

from spark_engine.data.read import read_candles
from spark_engine.evidence import tables
from spark_engine.evidence.artifact import (
    Artifact,
    Files,
    compact_json,
    evidence_document,
    json_document,
    seal,
    without_report,
)
from spark_engine.evidence.chart import chart_document
from spark_engine.evidence.provenance import provenance
from spark_engine.execute.execution import Execution, check, execute
from spark_engine.execute.window import with_settled_end
from spark_engine.settings import candle_request

Stage = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    execution: Execution
    artifact: Artifact


def carry_out(
    run: RunDocument,
    limits: Mapping[str, Any] | None = None,
    *,
    with_report: bool = True,
    on_stage: Stage | None = None,
) -> Outcome:
    """Runs `run` and makes its artifact in memory. Raises `BacktestError`; writes nothing."""
    show = on_stage or _ignore
    started = _now()
    check(run.spec, limits)
    show("reading candles")
    candles = read_candles(candle_request(run.spec))
    run = replace(run, spec=with_settled_end(run.spec, candles))
    show(f"simulating {len(candles) - candles.warmup:,} bars")
    clock = time.perf_counter()
    execution = execute(run.spec, candles, limits)
    engine_ms = round((time.perf_counter() - clock) * 1000)
    show("writing evidence")
    files = _files(run, execution)
    about = provenance(run, candles, started=started, finished=_now(), engine_ms=engine_ms)
    evidence = _evidence(run, execution, about, files)
    if with_report:
        show("drawing the report")
        files[REPORT_FILE] = _report(evidence, files)
        evidence = _evidence(run, execution, about, files)
    return Outcome(execution=execution, artifact=seal(evidence, files))


def _ignore(_stage: str) -> None:
    """A run that nobody watches."""


def _now() -> datetime:
    return datetime.now(UTC)


def _files(run: RunDocument, execution: Execution) -> Files:
    candles, ledger = execution.candles, execution.ledger
    symbol = str(run.spec["market"]["symbol"])
    cash = execution.account.initial_cash
    chart = chart_document(
        symbol=symbol,
        timeframe=str(run.spec["market"]["timeframe"]),
        candles=candles,
        ledger=ledger,
        benchmark=execution.benchmark,
        initial_cash=cash,
    )
    return {
        SPEC_FILE: json_document(run.document()),
        "orders.parquet": tables.encode(tables.orders_table(ledger.decisions, candles, symbol)),
        "fills.parquet": tables.encode(tables.fills_table(ledger.fills, candles, symbol)),
        "trades.parquet": tables.encode(tables.trades_table(ledger.trades, candles)),
        "equity.parquet": tables.encode(tables.equity_table(ledger, candles, cash)),
        "events.jsonl": b"",
        "chart.json": compact_json(chart),
    }


def _evidence(
    run: RunDocument, execution: Execution, about: Mapping[str, Any], files: Files
) -> dict[str, Any]:
    return evidence_document(
        run_id=run.run.name, status="done", result=execution.result, run=about, files=files
    )


def _report(evidence: Mapping[str, Any], files: Files) -> bytes:
    # Jinja2 is imported only where a report is asked for: a pod pays for its imports.
    from spark_engine.report.render import render_report

    trades = tables.decode(files["trades.parquet"], "trades.parquet")
    shown = parse_canonical(canonical(without_report(evidence)))  # as `backtest report` will read it
    return render_report(shown, json.loads(files["chart.json"]), trades).encode()
