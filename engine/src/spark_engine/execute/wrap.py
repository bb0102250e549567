"""The artifact of a run: its tables, chart and report, and the evidence over all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from spark_crds.canonical import canonical, parse_canonical
from spark_crds.formats.evidence import EVENTS_FILE, REPORT_FILE, SPEC_FILE

from spark_engine.evidence import tables
from spark_engine.evidence.artifact import (
    Artifact,
    Files,
    compact_json,
    evidence_document,
    json_document,
    seal,
    with_file,
)
from spark_engine.evidence.chart import chart_document
from spark_engine.evidence.events import event_lines
from spark_engine.execute.carry_out import Outcome, Stage, unwatched
from spark_engine.execute.risk import risk_of
from spark_engine.settings import periods_per_year


def wrap(outcome: Outcome, *, with_report: bool = True, on_stage: Stage | None = None) -> Artifact:
    """Everything that `outcome` leaves, in memory."""
    show = on_stage or unwatched
    show("writing evidence")
    files = _files(outcome)
    evidence = evidence_document(
        run_id=outcome.run.run.name,
        status="done" if outcome.execution.breach is None else "failed",
        result=outcome.execution.result,
        run=outcome.provenance,
        files=files,
    )
    if with_report:
        show("drawing the report")
        files[REPORT_FILE] = _report(evidence, files)
        evidence = with_file(evidence, REPORT_FILE, files[REPORT_FILE])
    return seal(evidence, files)


def _files(outcome: Outcome) -> Files:
    run, candles, ledger = outcome.run, outcome.execution.candles, outcome.execution.ledger
    symbol = str(run.spec["market"]["symbol"])
    cash = outcome.execution.account.initial_cash
    chart = compact_json(
        chart_document(
            symbol=symbol,
            timeframe=str(run.spec["market"]["timeframe"]),
            candles=candles,
            ledger=ledger,
            benchmark=outcome.execution.benchmark,
            initial_cash=cash,
            periods_per_year=periods_per_year(run.spec),
        )
    )
    return {
        SPEC_FILE: json_document(run.document()),
        "orders.parquet": tables.encode(tables.orders_table(ledger, candles, symbol)),
        "fills.parquet": tables.encode(tables.fills_table(ledger.fills, candles, symbol)),
        "trades.parquet": tables.encode(tables.trades_table(ledger.trades, candles)),
        "equity.parquet": tables.encode(tables.equity_table(ledger, candles, cash)),
        EVENTS_FILE: event_lines(ledger.events, candles),
        "chart.json": chart,
        "risk.json": compact_json(risk_of(outcome.execution)),
    }


def _report(evidence: Mapping[str, Any], files: Files) -> bytes:
    # Jinja2 is imported only where a report is asked for: a pod pays for its imports.
    from spark_engine.report.render import render_report

    trades = tables.decode(files["trades.parquet"], "trades.parquet")
    shown = parse_canonical(canonical(evidence))  # as `backtest report` will read it
    return render_report(shown, json.loads(files["chart.json"]), trades).encode()
