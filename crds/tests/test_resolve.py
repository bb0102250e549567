"""A resolved spec: nothing left to decide, one form for one meaning, and errors that name the field."""

from __future__ import annotations

import copy
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_crds.resolve import SpecError, canonical_decimal, canonical_timestamp, resolve, spec_hash

DEFAULTS: dict[str, Any] = {
    "account": {
        "initialCash": "10000",
        "currency": "USDT",
        "leverage": "1",
        "allowShort": False,
        "marginModel": "None",
    },
    "execution": {
        "fill": "NextOpen",
        "makerFeeBps": "10",
        "takerFeeBps": "10",
        "slippageBps": "1",
        "sizing": "AllIn",
        "closeAtEnd": False,
        "limitFill": "Touch",
        "intrabarPath": "CloseDirection",
    },
    "seed": 0,
    "retries": 2,
    "activeDeadlineSeconds": 900,
    "ttlSecondsAfterFinished": 3600,
    "suspend": False,
    "cancel": False,
}
RESOLVED = {
    **DEFAULTS,
    "strategy": {"name": "sma-cross", "params": {"fast": 9, "slow": 21, "direction": "long"}},
    "market": {"symbol": "BTCUSDT", "timeframe": "1h", "calendar": "24x7", "warmupBars": 0},
    "data": {
        "uri": "sample://btcusdt-1h",
        "timestamps": "Open",
        "gaps": "Keep",
        "duplicates": "Fail",
        "partialBars": "Fail",
        "adjustment": "None",
    },
}


def changed(manifest: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    copied = copy.deepcopy(manifest)
    *parents, last = path.split(".")
    node = copied["spec"]
    for name in parents:
        node = node.setdefault(name, {})
    node[last] = value
    return copied


def error_of(manifest: dict[str, Any]) -> SpecError:
    with pytest.raises(SpecError) as caught:
        resolve(manifest)
    return caught.value


def test_a_minimal_run_gets_every_default_of_the_design(manifest: dict[str, Any]) -> None:
    assert resolve(manifest) == RESOLVED


def test_defaults_written_and_omitted_give_one_hash(manifest: dict[str, Any]) -> None:
    written = {**manifest, "spec": RESOLVED}
    assert spec_hash(resolve(written)) == spec_hash(resolve(manifest))


def test_resolving_a_resolved_spec_changes_nothing(object_case: Any) -> None:
    if object_case.accepted and not object_case.operator:
        once = resolve(object_case.manifest)
        assert resolve({**object_case.manifest, "spec": once}) == once


def test_what_the_table_refuses_is_not_resolved(object_case: Any) -> None:
    if object_case.operator or not (object_case.accepted or object_case.old):
        assert error_of(object_case.manifest).field


def test_an_alias_and_the_canonical_name_are_one_strategy(manifest: dict[str, Any]) -> None:
    assert resolve(changed(manifest, "strategy.name", "smaCross")) == resolve(manifest)


def test_the_defaults_of_a_strategy_are_filled_in(manifest: dict[str, Any]) -> None:
    spec = resolve(changed(manifest, "strategy", {"name": "rsi"}))
    assert spec["strategy"]["params"] == {"period": 14, "lower": 30, "upper": 70, "direction": "long"}


def test_a_users_own_strategy_keeps_its_parameters(manifest: dict[str, Any]) -> None:
    own = {"entryPoint": "mine.strategies:Breakout", "params": {"lookback": 20.0, "rate": 0.5}}
    strategy = resolve(changed(manifest, "strategy", own))["strategy"]
    assert strategy == {"entryPoint": "mine.strategies:Breakout", "params": {"lookback": 20, "rate": 0.5}}
    assert type(strategy["params"]["lookback"]) is int


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("10000.0", "10000"),
        ("1.50", "1.5"),
        ("007", "7"),
        ("0.000", "0"),
        ("100", "100"),
        ("-0", "0"),
        ("-1.10", "-1.1"),
        ("123456789012345678.123456789012345678", "123456789012345678.123456789012345678"),
    ],
)
def test_a_decimal_has_one_form(written: str, canonical: str) -> None:
    assert canonical_decimal(written) == canonical


def test_decimals_of_equal_value_resolve_alike(manifest: dict[str, Any]) -> None:
    for path, value in (("account.initialCash", "10000.00"), ("execution.slippageBps", "1.0")):
        assert resolve(changed(manifest, path, value)) == resolve(manifest)


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("2022-01-01T00:00:00Z", "2022-01-01T00:00:00Z"),
        ("2022-01-01T03:00:00+03:00", "2022-01-01T00:00:00Z"),
        ("2021-12-31T19:30:00-04:30", "2022-01-01T00:00:00Z"),
        ("2022-01-01T00:00:00.000Z", "2022-01-01T00:00:00Z"),
        ("2022-01-01T00:00:00.5Z", "2022-01-01T00:00:00.500Z"),
        ("2022-01-01T00:00:00.12Z", "2022-01-01T00:00:00.120Z"),
        ("1000-01-01T00:00:00+23:59", "0999-12-31T00:01:00Z"),
    ],
)
def test_a_time_has_one_form(written: str, canonical: str) -> None:
    assert canonical_timestamp(written) == canonical


def test_times_of_one_moment_resolve_alike(manifest: dict[str, Any]) -> None:
    utc, local = "2022-01-01T00:00:00Z", "2022-01-01T03:00:00.000+03:00"
    assert resolve(changed(manifest, "market.start", utc)) == resolve(
        changed(manifest, "market.start", local)
    )


def test_the_platforms_defaults_stand_behind_the_manifest_and_before_the_schema(
    manifest: dict[str, Any],
) -> None:
    platform = {"account": {"initialCash": "500", "currency": "TRY"}, "retries": 0}
    spec = resolve(changed(manifest, "account.currency", "EUR"), platform)
    assert (spec["account"]["initialCash"], spec["account"]["currency"], spec["retries"]) == ("500", "EUR", 0)
    assert spec["account"]["leverage"] == "1"


def test_a_default_gives_way_as_a_whole_where_fields_exclude_each_other(manifest: dict[str, Any]) -> None:
    platform = {
        "data": {"feedRef": {"name": "btcturk-spot"}, "gaps": "Fail"},
        "strategy": {"name": "rsi", "params": {"period": 7}},
        "execution": {"sizing": "EquityFraction", "size": "0.5"},
    }
    spec = resolve(changed(manifest, "execution.sizing", "AllIn"), platform)
    assert spec["strategy"] == RESOLVED["strategy"]
    assert spec["data"] == {**RESOLVED["data"], "gaps": "Fail"}
    assert "size" not in spec["execution"]


@pytest.mark.parametrize(
    ("path", "value", "field", "words"),
    [
        ("strategy.name", "sma-cros", "spec.strategy.name", 'did you mean "sma-cross"?'),
        ("strategy.name", "momentum", "spec.strategy.name", "built-in strategies: sma-cross"),
        (
            "strategy.params",
            {"fast": 9},
            "spec.strategy.params.slow",
            "is missing; sma-cross takes an integer from 1",
        ),
        (
            "strategy.params.fast",
            0,
            "spec.strategy.params.fast",
            "is 0; sma-cross takes an integer from 1 to 10000",
        ),
        ("strategy.params.fast", 9.5, "spec.strategy.params.fast", "is 9.5"),
        ("strategy.params.fast", True, "spec.strategy.params.fast", "is true"),
        ("strategy.params.fast", 21, "spec.strategy.params.fast", "fast must be smaller than slow"),
        ("strategy.params.fats", 9, "spec.strategy.params.fats", 'did you mean "fast"?'),
        ("strategy.params.direction", "short", "spec.strategy.params.direction", '"long" or "long-short"'),
        (
            "strategy.params.direction",
            "long-short",
            "spec.strategy.params.direction",
            "spec.account.allowShort",
        ),
        ("execution.fill", "SameClose", "spec.execution.fill", '"NextOpen", "NextClose"'),
        ("execution.sizing", "FixedQuantity", "spec.execution", "size must be set"),
        ("market.symbol", None, "spec.market.symbol", "Required value"),
        ("market.start", "2022-01-01", "spec.market.start", "should match"),
        ("data.feedRef", {"name": "x"}, "spec.data", "exactly one of uri and feedRef"),
        ("surprise", 1, "spec.surprise", "unknown field"),
    ],
)
def test_an_error_names_the_field_and_what_is_allowed(
    manifest: dict[str, Any], path: str, value: Any, field: str, words: str
) -> None:
    error = error_of(changed(manifest, path, value))
    assert error.field == field
    assert words in error.message
    assert str(error) == f"{field}: {error.message}"


def test_selling_short_with_the_accounts_consent_is_resolved(manifest: dict[str, Any]) -> None:
    consenting = changed(manifest, "account.allowShort", True)
    spec = resolve(changed(consenting, "strategy.params.direction", "long-short"))
    assert spec["strategy"]["params"]["direction"] == "long-short"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("suspend", True),
        ("cancel", True),
        ("notes", "x"),
        ("engine", {"image": "registry.example/spark"}),
        ("retries", 5),
        ("activeDeadlineSeconds", 5),
        ("ttlSecondsAfterFinished", 5),
    ],
)
def test_what_does_not_decide_the_result_is_not_in_the_hash(
    manifest: dict[str, Any], path: str, value: Any
) -> None:
    assert spec_hash(resolve(changed(manifest, path, value))) == spec_hash(resolve(manifest))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("seed", 1),
        ("market.symbol", "ETHUSDT"),
        ("market.warmupBars", 1),
        ("account.initialCash", "10001"),
        ("execution.takerFeeBps", "10.1"),
        ("statistics", {"periodsPerYear": 252}),
        ("data.gaps", "Fail"),
        ("data.uri", "sample://other"),
        ("verdict", {"minTrades": 1}),
        ("guardrailRef", {"name": "default"}),
        ("strategy.params.fast", 10),
    ],
)
def test_what_decides_the_result_is_in_the_hash(manifest: dict[str, Any], path: str, value: Any) -> None:
    assert spec_hash(resolve(changed(manifest, path, value))) != spec_hash(resolve(manifest))


@pytest.mark.parametrize("value", [2**53, -(2**53), 2**63 - 1, float("nan"), float("inf")])
def test_a_number_without_a_canonical_form_is_refused_by_name(manifest: dict[str, Any], value: float) -> None:
    own = {"entryPoint": "mine:Breakout", "params": {"level": value}}
    assert error_of(changed(manifest, "strategy", own)).field == "spec.strategy.params.level"


def test_numbers_with_a_canonical_form_are_kept(manifest: dict[str, Any]) -> None:
    values = {"least": -(2**53) + 1, "most": 2**53 - 1, "huge": 1e30, "flag": True, "text": "2**53"}
    spec = resolve(changed(manifest, "strategy", {"entryPoint": "mine:Breakout", "params": values}))
    assert spec["strategy"]["params"] == values
    assert spec_hash(spec)


DECIMALS = st.from_regex(r"[0-9]{1,18}(\.[0-9]{1,18})?", fullmatch=True).filter(lambda text: text.strip("0."))
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2899, 12, 31))
OFFSETS = st.sampled_from(["Z", "+00:00", "+03:00", "-04:30", "+23:59"])


@given(
    cash=DECIMALS,
    start=TIMES,
    offset=OFFSETS,
    fast=st.integers(1, 5_000),
    gap=st.integers(1, 5_000),
    alias=st.booleans(),
    notes=st.none() | st.text(max_size=20),
)
def test_resolve_is_idempotent(
    cash: str, start: Any, offset: str, fast: int, gap: int, alias: bool, notes: str | None
) -> None:
    stamp = start.isoformat(timespec="milliseconds") + offset
    manifest = {
        "apiVersion": "spark.trading/v1alpha1",
        "kind": "BacktestRun",
        "metadata": {"name": "run"},
        "spec": {
            "strategy": {
                "name": "smaCross" if alias else "sma-cross",
                "params": {"fast": fast, "slow": fast + gap},
            },
            "market": {"symbol": "BTCUSDT", "timeframe": "1h", "start": stamp},
            "data": {"uri": "sample://btcusdt-1h"},
            "account": {"initialCash": cash},
            "notes": notes,
        },
    }
    once = resolve(manifest)
    assert resolve({**manifest, "spec": once}) == once


def test_resolving_loads_neither_pydantic_nor_jsonschema_nor_a_terminal_library(
    manifest: dict[str, Any],
) -> None:
    program = (
        f"import sys; from spark_crds.resolve import resolve; resolve({manifest!r});"
        "heavy = {'pydantic', 'jsonschema', 'rich', 'prompt_toolkit', 'typer', 'numpy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
