"""The table of metrics, from their definitions."""

from __future__ import annotations

from spark_engine.statistics.definitions import DEFINITIONS

from docs.tables import markdown


def metrics() -> str:
    """Every metric in the order of reports."""
    rows = (
        (f"`{one.id}`", one.text, f"`{one.formula}`", one.unit, one.direction, one.source)
        for one in DEFINITIONS.values()
    )
    return markdown(("metric", "meaning", "formula", "unit", "better", "source"), rows)
