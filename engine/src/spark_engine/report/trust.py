"""Can I trust this run? What speaks for it and against it, drawn from the evidence alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spark_engine.report.formatting import duration, number, percent, plural, utc, words

FEW_TRADES = 30  # below it, a ratio over trades is an anecdote

MENDED = (
    ("unsortedRows", "out of order", "sorted"),
    ("duplicateRows", "an exact duplicate", "dropped"),
    ("conflictingDuplicates", "a duplicate with other values", "the last one kept"),
    ("clampedRows", "outside its own high and low by rounding", "clamped"),
    ("snappedRows", "off its tick by float noise", "snapped to the tick"),
    ("nullVolumes", "without a volume", "taken as 0"),
    ("partialRowsDropped", "partial", "dropped"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """`level`: ok, note, warning or failure."""

    level: str
    title: str
    detail: str


def findings(evidence: Mapping[str, Any]) -> list[Finding]:
    """Every check of the run, the worst first."""
    result = evidence["result"]
    found = [
        *_outcome(evidence),
        *_verdict(result["checks"]),
        *_coverage(result),
        *_mended(result["dataQuality"]),
        *_sample_size(result),
        *_position_at_end(result),
        *_guardrails(result),
        *_orders(result),
        *_kernel(evidence["run"]),
    ]
    order = ("failure", "warning", "note", "ok")
    return sorted(found, key=lambda finding: order.index(finding.level))


def coverage(quality: Mapping[str, Any]) -> float | None:
    """Bars that are there over bars that should be, warm-up included."""
    expected = quality["rows"] + quality["missingBars"]
    return quality["rows"] / expected if expected else None


def _outcome(evidence: Mapping[str, Any]) -> Iterator[Finding]:
    checks = evidence["result"]["checks"]
    if evidence["status"] != "done":
        yield Finding("failure", "The run did not finish", "Figures cover the bars up to its end.")
    if checks["bankrupt"]:
        yield Finding(
            "failure",
            "The account went bankrupt",
            f"Equity was 0 or less at bar {number(checks['bankruptBar'])}; ratios mean nothing.",
        )


def _verdict(checks: Mapping[str, Any]) -> Iterator[Finding]:
    verdict = checks["verdict"]
    if verdict is None:
        yield Finding("note", "No acceptance criteria", "The spec asks for no verdict.")
    elif verdict["passed"]:
        yield Finding("ok", "Verdict passed", f"Criteria met: {len(verdict['criteria'])}.")
    else:
        failed = [words(row["criterion"]) for row in verdict["criteria"] if not row["passed"]]
        reason = f"Not met: {', '.join(failed)}." if failed else "A bankrupt run fails every verdict."
        yield Finding("failure", "Verdict failed", reason)


def _coverage(result: Mapping[str, Any]) -> Iterator[Finding]:
    quality, after_gap = result["dataQuality"], result["checks"]["fillsAfterGap"]
    missing, share = quality["missingBars"], coverage(quality)
    if not missing:
        yield Finding("ok", "No gaps in the data", f"{plural(quality['rows'], 'bar')} in a row.")
        return
    level = "warning" if after_gap or (share or 0) < 0.99 else "note"
    yield Finding(
        level,
        f"{plural(quality['gaps'], 'gap')} in the data",
        f"{plural(missing, 'bar')} missing ({percent(1 - (share or 0))}), the longest gap "
        f"{duration(quality['longestGapSeconds'])}; {plural(after_gap, 'fill')} on the first bar after one.",
    )


def _mended(quality: Mapping[str, Any]) -> Iterator[Finding]:
    for field, what, treatment in MENDED:
        if quality[field]:
            level = "warning" if field in ("conflictingDuplicates", "partialRowsDropped") else "note"
            yield Finding(level, f"{plural(quality[field], 'row')} mended", f"Was {what}: {treatment}.")
    if not quality["ticksExact"]:
        yield Finding(
            "note",
            "Prices are not exact ticks",
            "No decimal scale fits them (adjusted prices?); signals compare prices rounded to 1e-9.",
        )


def _sample_size(result: Mapping[str, Any]) -> Iterator[Finding]:
    trades, trials = result["counts"]["trades"], result["selectionContext"]["trials"]
    if trades < FEW_TRADES:
        yield Finding(
            "warning",
            f"Only {plural(trades, 'closed trade')}" if trades else "No closed trade",
            f"Fewer than {FEW_TRADES}: too few to tell skill from luck.",
        )
    if trials > 1:
        yield Finding("warning", f"Best of {number(trials)} trials", "Selected figures are flattering.")


def _position_at_end(result: Mapping[str, Any]) -> Iterator[Finding]:
    counts, metrics = result["counts"], result["metrics"]
    marked, sold = metrics["finalEquity"]["value"], metrics["finalEquityLiquidated"]["value"]
    if marked != sold:
        yield Finding(
            "note",
            "A position is open at the end",
            f"It is marked at the last close and is no trade; selling it would leave {number(sold, 2)}.",
        )
    if counts["unfilledAtEnd"]:
        yield Finding(
            "note", f"{plural(counts['unfilledAtEnd'], 'decision')} left unfilled", "Made at the last bar."
        )


def _guardrails(result: Mapping[str, Any]) -> Iterator[Finding]:
    events = result["guardrailEvents"]
    if events:
        yield Finding(
            "warning",
            plural(len(events), "guardrail event"),
            "Limits acted on this run: events.jsonl has them.",
        )


def _orders(result: Mapping[str, Any]) -> Iterator[Finding]:
    """What newer engines count; artifacts of earlier ones have none of it."""
    checks, model = result["checks"], result["executionModel"]
    if checks.get("stoppedBar") is not None:
        stopped = number(checks["stoppedBar"])
        yield Finding(
            "failure", "A guardrail ended the run", f"Policy Fail, at bar {stopped}: figures end there."
        )
    if checks.get("shortTargetsClamped"):
        clamped = plural(checks["shortTargetsClamped"], "short target")
        yield Finding("warning", f"{clamped} taken as 0", "The account does not allow shorts.")
    if model.get("ambiguousBars"):
        yield Finding(
            "warning",
            f"The order of fills is a convention on {plural(model['ambiguousBars'], 'bar')}",
            "A stop and a limit of one position lay within the bar; intrabarPath Worst shows what it costs.",
        )
    if model.get("unresolvedBars"):
        unresolved = plural(model["unresolvedBars"], "bar")
        yield Finding("note", f"{unresolved} without finer bars", "Their path is the convention.")
    rejected = sum(
        count for name, count in (checks.get("events") or {}).items() if name.startswith("Rejected")
    )
    if rejected:
        yield Finding("note", f"{plural(rejected, 'order')} rejected", "With reasons in events.jsonl.")


def _kernel(run: Mapping[str, Any]) -> Iterator[Finding]:
    if not run["kernel"]["compiled"]:
        yield Finding("note", "The kernel ran uncompiled", "Same numbers, slower.")


def window(evidence: Mapping[str, Any], chart: Mapping[str, Any]) -> str:
    """First bar and end of the data, as the header shows them."""
    return f"{utc(chart['price']['ts'][0])} → {utc(evidence['result']['dataQuality']['lastTs'])}"
