"""What cannot be honoured yet is refused, naming the field; what can be honoured passes."""

from __future__ import annotations

from typing import Any

import pytest
from spark_engine.errors import InvalidSpec
from spark_engine.execute.honoured import check_honoured, check_limits_honoured

HONOURED: dict[str, Any] = {
    "strategy": {"name": "sma-cross", "params": {}},
    "market": {"symbol": "BTCUSDT", "timeframe": "1h", "calendar": "24x7", "warmupBars": 5, "priceScale": 2},
    "data": {"uri": "x.parquet", "adjustment": "None", "gaps": "Fail"},
    "account": {"initialCash": "1", "leverage": "1", "marginModel": "None", "allowShort": True},
    "execution": {"fill": "NextClose", "sizing": "AllIn", "closeAtEnd": True},
    "statistics": {"periodsPerYear": "252"},
}


def test_every_feature_of_this_engine_passes() -> None:
    check_honoured(HONOURED)


@pytest.mark.parametrize(
    ("section", "field", "value"),
    [
        ("strategy", "entryPoint", "my_pkg:Breakout"),
        ("market", "tickSize", "0.01"),
        ("market", "lotSize", "0.001"),
        ("market", "minNotional", "10"),
        ("market", "calendar", "XIST"),
        ("data", "feedRef", {"name": "btcturk-spot"}),
        ("data", "fundingUri", "s3://funding/"),
        ("data", "adjustment", "SplitsOnly"),
        ("account", "leverage", "2"),
        ("account", "marginModel", "Isolated"),
        ("account", "maintenanceMargin", "0.005"),
        ("account", "liquidationFeeBps", "50"),
        ("account", "borrowRateAnnual", "0.1"),
        ("execution", "sizing", "FixedNotional"),
        ("execution", "size", "100"),
        ("execution", "resolveWith", {"uri": "m1.parquet"}),
    ],
)
def test_a_field_that_would_be_ignored_is_refused_by_name(section: str, field: str, value: object) -> None:
    with pytest.raises(InvalidSpec) as refused:
        check_honoured(HONOURED | {section: HONOURED[section] | {field: value}})
    assert refused.value.field == f"spec.{section}.{field}"
    assert "not supported by this engine yet" in refused.value.message


def test_a_limit_that_would_not_be_enforced_is_refused_by_name() -> None:
    check_limits_honoured({"allowedSymbols": ["BTCUSDT"], "policy": "Halt"})
    with pytest.raises(InvalidSpec) as refused:
        check_limits_honoured({"maxNotional": "5000"})
    assert refused.value.field == "guardrails.maxNotional"
