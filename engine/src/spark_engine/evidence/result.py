"""The deterministic half of the evidence: the same for the same spec, data and semantics, anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from spark_crds.formats.evidence import digested_spec

from spark_engine.data.candles import Candles, DataQuality
from spark_engine.evidence import digests
from spark_engine.evidence.events import breaches, event_counts
from spark_engine.evidence.verdict import judge
from spark_engine.simulation.ledger import Action, Ledger
from spark_engine.statistics.definitions import DEFINITIONS
from spark_engine.statistics.metric import Metric
from spark_engine.version import SEMANTICS

OF_ARCHIVES = ("missing_no_trades", "missing_feed_down")
BENCHMARK_METRICS = ("totalReturn", "maxDrawdown", "finalEquity")


def build_result(
    *,
    spec: Mapping[str, Any],
    limits: Mapping[str, Any] | None,
    candles: Candles,
    ledger: Ledger,
    metrics: Mapping[str, Metric],
    benchmark: Mapping[str, Metric],
    strategy_code: str,
    look_ahead: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """`evidence.json`'s `result`; docs/evidence.md describes each field."""
    return {
        "semantics": SEMANTICS,
        "spec": digested_spec(spec, limits),
        "strategyCode": strategy_code,
        "candles": digests.candles_digest(candles),
        "decisions": _decisions_digest(ledger),
        "fills": digests.fills_digest(ledger.fills),
        "equity": digests.equity_digest(ledger.equity, ledger.position),
        "events": digests.events_digest(ledger.events),
        "counts": {
            "bars": len(ledger.equity),
            "warmupBars": candles.warmup,
            "decisions": _decisions(ledger),
            "fills": len(ledger.fills),
            "trades": len(ledger.trades),
            "events": len(ledger.events),
            "unfilledAtEnd": ledger.unfilled_at_end,
        },
        "window": {
            "firstTs": candles.ts[candles.warmup],
            "lastTs": candles.ts[candles.warmup + len(ledger.equity) - 1],
        },
        "metrics": {name: _metric(metric) for name, metric in metrics.items()},
        "benchmark": {name: benchmark[name].value for name in BENCHMARK_METRICS},
        "dataQuality": data_quality(candles.quality_report),
        "checks": {
            "bankrupt": ledger.bankrupt_bar is not None,
            "bankruptBar": ledger.bankrupt_bar,
            "fillsAfterGap": _fills_after_gap(candles, ledger),
            "ticksExact": candles.quality_report.ticks_exact,
            "shortTargetsClamped": ledger.short_targets_clamped,
            "openOrdersAtEnd": len(ledger.open_orders),
            "stoppedBar": ledger.stopped_bar,
            "lookAhead": look_ahead,
            "events": event_counts(ledger.events),
            "verdict": judge(spec.get("verdict"), metrics, bankrupt=ledger.bankrupt_bar is not None),
        },
        "executionModel": {
            "decisions": "targets" if ledger.submissions is None else "orders",
            "liquidity": "UnlimitedAtTouch",
            "fill": spec["execution"]["fill"],
            "intrabarPath": spec["execution"]["intrabarPath"],
            "limitFill": spec["execution"]["limitFill"],
            "marginModel": spec["account"].get("marginModel", "None"),
            "resolveWith": spec["execution"].get("resolveWith"),
            "ambiguousBars": ledger.ambiguous_bars,
            "unresolvedBars": ledger.unresolved_bars,
        },
        "costs": {
            "fees": ledger.total_fees,
            "slippage": ledger.total_slippage,
            "funding": ledger.total_funding,
            "borrow": ledger.total_borrow,
        },
        "selectionContext": {"trials": 1},
        "guardrailEvents": breaches(ledger.events, candles, limits or {}),
    }


def _decisions_digest(ledger: Ledger) -> str:
    if ledger.submissions is None:
        return digests.decisions_digest(ledger.decisions)
    return digests.submissions_digest(ledger.submissions)


def _decisions(ledger: Ledger) -> int:
    """Targets of a strategy of targets; orders and targets submitted by an event strategy."""
    asked = ledger.submissions
    if asked is None:
        return len(ledger.decisions)
    return sum(1 for action in asked.action if action != Action.CANCEL)


def _metric(metric: Metric) -> dict[str, Any]:
    definition = DEFINITIONS[metric.id].definition
    if metric.value is None:
        return {"value": None, "definition": definition, "reason": metric.reason}
    return {"value": metric.value, "definition": definition}


def data_quality(report: DataQuality) -> dict[str, Any]:
    """The counts of what was found in the data, named as in JSON; those of archives only where it was one."""
    counts = {field.name: getattr(report, field.name) for field in fields(report)}
    return {
        _camel_case(name): count
        for name, count in counts.items()
        if count is not None or name not in OF_ARCHIVES
    }


def _camel_case(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _fills_after_gap(candles: Candles, ledger: Ledger) -> int:
    """Fills on a bar whose predecessor is missing: their price is further away in time than the spec says."""
    ts, step, first = candles.ts, candles.timeframe_ms, candles.warmup
    rows = (first + bar for bar in ledger.fills.bar)
    if candles.sessions is not None:
        return sum(candles.sessions.follows_gap[row] for row in rows)
    return sum(1 for row in rows if row > 0 and ts[row] - ts[row - 1] != step)
