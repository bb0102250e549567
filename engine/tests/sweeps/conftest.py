"""Resolved sweeps, from what is written in a manifest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from spark_crds.resolve import resolve

Spec = dict[str, Any]


@pytest.fixture
def sweep() -> Callable[..., Spec]:
    """A resolved sweep of a strategy of one's own, whose parameters are nobody else's business."""

    def resolved(parameters: list[dict[str, Any]] | None = None, **spec: Any) -> Spec:
        swept = {} if parameters is None else {"parameters": parameters}
        return resolve(
            {
                "apiVersion": "spark.trading/v1alpha1",
                "kind": "ParameterSweep",
                "metadata": {"name": "sweep"},
                "spec": {
                    "template": {
                        "strategy": {"entryPoint": "mine:Own"},
                        "market": {"symbol": "BTCUSDT", "timeframe": "1h"},
                        "data": {"uri": "sample://btcusdt-1h"},
                    },
                    **swept,
                    **spec,
                },
            }
        )

    return resolved
