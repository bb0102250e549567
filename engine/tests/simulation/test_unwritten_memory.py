"""What memory held before a run is no part of its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest
from spark_engine.data import rows
from spark_engine.simulation.ledger import Account
from spark_engine.simulation.simulate import simulate
from spark_engine.strategies.registry import check_parameters, find

from engine.tests.determinism.cases import ACCOUNT, AT_CLOSE, walk


def _contents(value: Any) -> Any:
    if isinstance(value, memoryview):
        return value.tobytes()
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: _contents(getattr(value, field.name)) for field in fields(value)}
    return value


def _run(account: Account, bars: int) -> Any:
    strategy, candles = find("sma-cross"), walk(bars)
    assert strategy.decide is not None
    parameters = check_parameters(strategy, {"fast": 3, "slow": 8, "direction": "long-short"})
    return _contents(simulate(candles, strategy.decide(candles, parameters), account))


def _filled_with(byte: int) -> Callable[[int], bytearray]:
    return lambda size: bytearray([byte]) * size


@pytest.mark.parametrize("account", [ACCOUNT, AT_CLOSE], ids=["next open", "next close, closed at the end"])
@pytest.mark.parametrize("bars", [1, 8, 127, 128, 129, 256, 2_500])
def test_a_run_writes_every_row_that_it_reads(
    monkeypatch: pytest.MonkeyPatch, account: Account, bars: int
) -> None:
    monkeypatch.setattr(rows, "uncleared", _filled_with(0xA5))
    one = _run(account, bars)
    monkeypatch.setattr(rows, "uncleared", _filled_with(0xFF))
    assert _run(account, bars) == one
