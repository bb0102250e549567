"""Guardrail limits: read in one form, and refused by name where they would not be enforced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from spark_crds.canonical import sha256_hex
from spark_crds.formats.run import GuardrailPin
from spark_engine.errors import GuardrailBreach, InvalidSpec
from spark_engine.execute.guardrails import check_limits, check_symbol_allowed, read_limits
from spark_engine.settings import gates
from spark_engine.simulation.ledger import Gates

EVERY_LIMIT = {
    "maxNotional": "50000.00",
    "maxPosition": "2.5",
    "maxLeverage": "3",
    "maxOpenOrders": 10,
    "allowedSymbols": ["ETHUSDT", "BTCUSDT"],
    "maxDrawdown": "0.20",
    "maxDailyLoss": "1",
    "policy": "Fail",
}


def test_every_limit_is_read_and_two_spellings_are_one() -> None:
    limits = check_limits(EVERY_LIMIT)
    assert (limits["maxNotional"], limits["maxDrawdown"]) == ("50000", "0.2")
    assert limits["allowedSymbols"] == ["BTCUSDT", "ETHUSDT"]
    assert check_limits(limits) == limits


def test_every_limit_reaches_the_gates() -> None:
    assert gates(check_limits(EVERY_LIMIT)) == Gates(
        max_notional=50_000.0,
        max_position=2.5,
        max_leverage=3.0,
        max_open_orders=10,
        max_drawdown=0.2,
        max_daily_loss=1.0,
        fail=True,
    )


def test_no_limits_are_no_gates() -> None:
    assert gates({}) == Gates()


@pytest.mark.parametrize("name", ["maxNotional", "maxPosition", "maxLeverage", "maxDrawdown", "maxDailyLoss"])
@pytest.mark.parametrize("value", [1, 0.5, "0", "-1", "NaN", "Infinity", "much", "", None, True, [], {}])
def test_a_decimal_limit_of_another_kind_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidSpec) as refused:
        check_limits({name: value})
    assert refused.value.field == f"guardrails.{name}"
    assert "must be a decimal above 0" in refused.value.message


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("maxDrawdown", "1.01", "at most 1"),
        ("maxOpenOrders", -1, "a whole number from 0"),
        ("maxOpenOrders", True, "a whole number from 0"),
        ("maxOpenOrders", "10", "a whole number from 0"),
        ("allowedSymbols", "BTCUSDT", "a list"),
        ("allowedSymbols", [1], "a list"),
        ("policy", "Warn", "Halt or Fail"),
        ("policy", [], "Halt or Fail"),
        ("maxLoss", "1", "there is no such limit"),
    ],
)
def test_what_is_not_understood_is_refused_and_what_is_allowed_is_said(
    name: str, value: object, allowed: str
) -> None:
    with pytest.raises(InvalidSpec) as refused:
        check_limits({name: value})
    assert refused.value.field == f"guardrails.{name}"
    assert allowed in refused.value.message


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"1", b"[" * 100_000])
def test_a_file_that_holds_no_limits_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "guardrails.json").write_bytes(content)
    with pytest.raises(InvalidSpec) as refused:
        read_limits(tmp_path / "guardrails.json")
    assert refused.value.field == "guardrails"


def test_another_file_than_the_pinned_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "guardrails.json"
    path.write_bytes(json.dumps(EVERY_LIMIT).encode())
    read_limits(path, GuardrailPin("r", sha256_hex(path.read_bytes())))
    with pytest.raises(InvalidSpec) as refused:
        read_limits(path, GuardrailPin("r", "0" * 64))
    assert refused.value.field == "guardrails.sha256"


def test_a_symbol_that_is_not_listed_is_a_breach() -> None:
    spec: dict[str, Any] = {"market": {"symbol": "DOGEUSDT"}}
    check_symbol_allowed(spec, {})
    with pytest.raises(GuardrailBreach) as refused:
        check_symbol_allowed(spec, {"allowedSymbols": ["BTCUSDT"]})
    assert refused.value.field == "spec.market.symbol"
    assert refused.value.message == "DOGEUSDT is not allowed by the guardrails; allowed: BTCUSDT"
