"""Who ran what, where and when: the half of the evidence that differs from one execution to the next."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from spark_crds.formats.run import RunDocument

from spark_engine.data.candles import Candles
from spark_engine.simulation.build import kernel_build
from spark_engine.version import __version__


def provenance(
    run: RunDocument,
    candles: Candles,
    *,
    started: datetime,
    finished: datetime,
    engine_ms: int,
    environment: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """`evidence.json`'s `run`, without the files. Job uid and index come from the pod's environment."""
    return {
        "namespace": run.run.namespace,
        "name": run.run.name,
        "uid": run.run.uid,
        "jobUID": environment.get("SPARK_JOB_UID", ""),
        "attempt": run.attempt,
        "index": int(environment.get("JOB_COMPLETION_INDEX") or 0),
        "specHash": run.spec_hash,
        "startedAt": _stamp(started),
        "finishedAt": _stamp(finished),
        "engineMs": engine_ms,
        "host": platform.node(),
        "image": environment.get("SPARK_IMAGE", ""),
        "engineVersion": __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system().lower()}/{platform.machine()}",
        "kernel": kernel_build(),
        "data": {
            "uri": run.spec["data"].get("uri", ""),
            "sha256": candles.source_sha256,
            "bytes": candles.source_bytes,
            **_other_sources(run.spec["data"], candles),
        },
        "notes": run.spec.get("notes", ""),
    }


def _other_sources(data: Mapping[str, Any], candles: Candles) -> dict[str, dict[str, Any]]:
    """Funding rates and corporate actions, where the run used any."""
    sources = {
        "funding": (data.get("fundingUri"), candles.funding_sha256),
        "adjustment": (data.get("adjustmentUri"), candles.adjustment_sha256),
    }
    return {name: {"uri": uri, "sha256": sha256} for name, (uri, sha256) in sources.items() if sha256}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
