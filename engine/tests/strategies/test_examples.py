"""The examples of built-in strategies run, and each of them trades."""

from __future__ import annotations

from pathlib import Path

import pytest
import spark_engine

EXAMPLES = sorted((Path(__file__).resolve().parents[3] / "examples" / "strategies").glob("*.yaml"))


def test_there_is_an_example_of_each_strategy_without_one_elsewhere() -> None:
    assert [path.stem for path in EXAMPLES] == [
        "bollinger-reversion",
        "buy-and-hold",
        "donchian-breakout",
        "ema-cross",
        "macd-long-short",
    ]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_trades(path: Path) -> None:
    result = spark_engine.run(path)
    assert len(result.fills) >= 1
    assert result.metrics["finalEquity"] != 10_000
