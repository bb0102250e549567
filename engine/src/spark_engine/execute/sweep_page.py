"""The report of a sweep, from its artifact's files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spark_crds.canonical import canonical, parse_canonical

from spark_engine.evidence.sweep_artifact import Content


def sweep_page(evidence: Mapping[str, Any], files: Mapping[str, Content]) -> bytes:
    """`report.html`."""
    from spark_engine.report.sweep_report import render_sweep

    return render_sweep(parse_canonical(canonical(evidence)), files).encode()
