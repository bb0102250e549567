"""What is known of a sweep before its trials."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from spark_engine.evidence.result import data_quality
from spark_engine.execute.sweep_subject import Sweep


def facts(sweep: Sweep) -> dict[str, Any]:
    """What is known of a sweep before its trials: in the evidence of a shard too, so that they can be merged
    without the candles."""
    candles, drawn = sweep.candles, sweep.chosen.drawn
    return {
        **sweep.identity,
        "window": {"firstTs": candles.ts[candles.warmup], "lastTs": candles.ts[len(candles) - 1]},
        "measure": {
            "bars": sweep.measure.bars,
            "spanMs": sweep.measure.span_ms,
            "initialCash": sweep.measure.initial_cash,
            "periodsPerYear": sweep.measure.periods_per_year,
        },
        "space": {
            "sets": sweep.chosen.space.size,
            "trials": sweep.chosen.count,
            "names": list(sweep.types),
            "warmupBars": candles.warmup,
            "windows": len(sweep.windows),
            "draws": None if drawn is None else drawn.draws,
            "complete": drawn is None or drawn.complete,
        },
        "dataQuality": data_quality(candles.quality_report),
        "lookAhead": sweep.look_ahead,
        "selectionContext": [
            {"uri": each.uri, "digest": each.digest, "ratios": asdict(each.ratios)} for each in sweep.earlier
        ],
    }
