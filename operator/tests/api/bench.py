"""python operator/tests/api/bench.py [RUNS]: what a cache of finished runs costs, and how fast it is read."""

from __future__ import annotations

import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from spark_operator.api.cache import RunCache
from spark_operator.configuration.model import Configuration

from api.memory import VIEW, MemoryCluster, a_run, conditions
from api.serving import serving

METRICS = [f"metric{number}" for number in range(35)]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    memory(count)
    latency(count)


def finished(number: int) -> dict[str, object]:
    """About as large as a run of the real engine: 35 metrics, 5 conditions."""
    rows = [
        ("Ready", "True", "Succeeded"),
        ("Complete", "True", "Succeeded"),
        ("VerdictPassed", "True", "Passed"),
    ]
    status = conditions(
        *rows, ("GuardrailsApplied", "False", "NoGuardrails"), ("EvidenceSigned", "False", "NoKey")
    )
    status |= {
        "summary": dict.fromkeys(METRICS, number * 1.234567),
        "digest": f"sha256:{number:064x}",
        "artifact": {
            "uri": f"s3://artifacts/evidence/backtest/quant/run-{number}/",
            "sha256": "0" * 64,
            "bytes": 9,
        },
        "provenance": {"image": "spark-engine@sha256:" + "0" * 64, "engineVersion": "0.1.0"},
    }
    run = a_run(f"run-{number}", order=number, status=status)
    run["metadata"]["resourceVersion"] = str(number + 1)
    return run


def memory(count: int) -> None:
    cache = RunCache()
    tracemalloc.start()
    for number in range(count):
        cache.put(finished(number))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(
        f"{count:,} finished runs in the cache: {held / 2**20:.1f} MiB, {held / count / 1024:.1f} KiB a run"
    )
    entry = cache.get("quant", "run-1")
    assert entry is not None
    print(f"  of which JSON: {len(entry.summary)} bytes for lists, {len(entry.detail)} for details")


def latency(count: int) -> None:
    cluster = MemoryCluster({"token": ("bob", VIEW)})
    for number in range(count):
        run = finished(number)
        cluster.state.runs["quant", f"run-{number}"] = run
    configuration = Configuration.model_validate(
        {"engine": {"image": "x"}, "api": {"defaultNamespace": "quant"}}
    )
    started = time.perf_counter()
    with serving(lambda: cluster, configuration) as api:
        print(f"ready after {time.perf_counter() - started:.2f} s (LIST in memory, no network)")
        api.bearer = "token"
        for path in (
            "/api/backtest",
            "/api/backtest?limit=500",
            "/api/backtest?status=failed",
            "/api/backtest/status",
            "/api/backtest/run-77",
        ):
            p50, p95 = times(lambda path=path: api.get(path))
            size = len(api.get(path).content)
            print(f"  GET {path:<30} p50 {p50:6.2f} ms  p95 {p95:6.2f} ms  {size:>9,} bytes")


def times(ask: Callable[[], object], repeats: int = 200) -> tuple[float, float]:
    found = []
    for _ in range(repeats):
        started = time.perf_counter()
        ask()
        found.append((time.perf_counter() - started) * 1000)
    cuts = statistics.quantiles(found, n=20)
    return statistics.median(found), cuts[-1]


if __name__ == "__main__":
    main()
