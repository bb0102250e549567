"""A bar that is still forming is left out, and the run says so: the clock must not decide a repetition."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.candles import Candles
from spark_engine.data.read import read_candles
from spark_engine.evidence.digests import candles_digest
from spark_engine.execute.window import settled
from spark_engine.settings import candle_request

HOUR = 3_600_000
FIRST = 1_704_067_200_000  # 2024-01-01T00:00Z


@pytest.fixture
def spec(tmp_path: Path) -> dict[str, Any]:
    rows = "".join(f"{FIRST + hour * HOUR},1,{1 + hour},1,{1 + hour},1\n" for hour in range(10))
    (tmp_path / "c.csv").write_text("ts,open,high,low,close,volume\n" + rows)
    return {"market": {"symbol": "X", "timeframe": "1h"}, "data": {"uri": str(tmp_path / "c.csv")}}


def read(spec: dict[str, Any], now_ms: int) -> Candles:
    return read_candles(candle_request(spec), now_ms=now_ms)


def test_a_run_during_the_last_bar_repeats_after_it_with_the_same_candles(spec: dict[str, Any]) -> None:
    during = read(spec, FIRST + 9 * HOUR + 1)
    assert len(during) == 9
    fixed = dict(settled(spec, during))
    assert fixed["market"]["end"] == "2024-01-01T09:00:00Z"
    long_after = read(fixed, FIRST + 1000 * HOUR)
    assert candles_digest(long_after) == candles_digest(during)
    assert settled(fixed, long_after) == fixed


def test_a_run_over_bars_that_are_complete_keeps_its_spec(spec: dict[str, Any]) -> None:
    assert settled(spec, read(spec, FIRST + 1000 * HOUR)) is spec
