"""Names and rules of an artifact directory (docs/evidence.md has the content of each file)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spark_crds.canonical import digest

EVIDENCE_SCHEMA = "spark.trading/evidence/v1"
EVIDENCE_FILE = "evidence.json"
CHECKSUM_FILE = "SHA256SUMS"
SPEC_FILE = "spec.json"
REPORT_FILE = "report.html"
EVENTS_FILE = "events.jsonl"

DIGESTED_FIELDS = (
    "semantics",
    "spec",
    "strategyCode",
    "candles",
    "decisions",
    "fills",
    "equity",
    "events",
    "counts",
)
DATA_POLICIES = ("timestamps", "gaps", "duplicates", "partialBars", "adjustment")


def digested_spec(spec: Mapping[str, Any], limits: Mapping[str, Any] | None) -> dict[str, Any]:
    """The part of a resolved spec that decides the numbers: not where the data lies, nor how a Job runs."""
    data = spec["data"]
    return {
        "strategy": spec["strategy"],
        "market": spec["market"],
        "account": spec["account"],
        "execution": spec["execution"],
        "statistics": spec.get("statistics", {}),
        "data": {policy: data[policy] for policy in DATA_POLICIES if policy in data},
        "guardrails": limits,
        "seed": spec["seed"],
    }


def evidence_digest(result: Mapping[str, Any]) -> str:
    """The digest of a run: SHA-256 over the deterministic inputs and outcomes in `result`."""
    return digest({"schema": EVIDENCE_SCHEMA} | {name: result[name] for name in DIGESTED_FIELDS})
