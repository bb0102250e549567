"""The deterministic half of a sweep's evidence, and the digest over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spark_crds.canonical import digest
from spark_crds.formats.evidence import digested_spec

from spark_engine.evidence.digests import columns

SWEEP_EVIDENCE_SCHEMA = "spark.trading/sweep-evidence/v1"
SHARD_SCHEMA = "spark.trading/sweep-shard/v1"
SWEEP_SCHEMA = "spark.trading/sweep/v1"
RESULTS_FILE = "results.parquet"
BLOCKS_FILE = "blocks.parquet"
TRAINING_FILE = "training.parquet"
WINDOWS_FILE = "windows.parquet"
CURVE_FILE = "out_of_sample.parquet"
TOP_FILE = "top.json"

IDENTITY = ("semantics", "spec", "strategyCode", "candles")
DIGESTED_FIELDS = (*IDENTITY, "trials", "windows", "outOfSample", "counts")
SPACE_FIELDS = ("parameters", "sets", "where", "search", "objective", "walkForward")


def digested_sweep(
    spec: Mapping[str, Any], limits: Mapping[str, Any] | None, earlier: Sequence[str]
) -> dict[str, Any]:
    """The part of a resolved ParameterSweep that decides the numbers. `earlier`: digests of the selection
    context, in its order."""
    return {
        "template": digested_spec(spec["template"], limits),
        **{name: spec[name] for name in SPACE_FIELDS if name in spec},
        "selectionContext": list(earlier),
    }


def sweep_digest(result: Mapping[str, Any], schema: str = SWEEP_EVIDENCE_SCHEMA) -> str:
    """SHA-256 over the deterministic inputs and outcomes in `result`; not of its figures for people.

    Of a shard it covers which one it is too.
    """
    covered = {"schema": schema} | {name: result[name] for name in DIGESTED_FIELDS}
    return digest(covered | ({"shard": result["shard"]} if schema == SHARD_SCHEMA else {}))


def trials_digest(trial: Any, trades: Any, final_equity: Any, max_drawdown: Any, s1: Any, s2: Any) -> str:
    """Of the table of trials in ascending order (SEMANTICS section 10). A trial with an error has -1 trades
    and 0 elsewhere."""
    return columns(
        "trials",
        {
            "id": trial,
            "trades": trades,
            "finalEquity": final_equity,
            "maxDrawdown": max_drawdown,
            "S1": s1,
            "S2": s2,
        },
    )


def windows_digest(window: Any, trial: Any, trades: Any, final_equity: Any) -> str:
    """Of a walk-forward: which trial each window chose, -1 for none, and what its test gave."""
    return columns("windows", {"window": window, "id": trial, "trades": trades, "finalEquity": final_equity})


def curve_digest(window: Any, bar: Any, equity: Any) -> str:
    """Of the chained out-of-sample curve."""
    return columns("outOfSample", {"window": window, "bar": bar, "equity": equity})
