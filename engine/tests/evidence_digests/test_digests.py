"""Digests of columns, against a second implementation of SEMANTICS section 10."""

from __future__ import annotations

import hashlib
import struct
from array import array
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data.candles import Candles
from spark_engine.errors import EngineError
from spark_engine.evidence import digests
from spark_engine.simulation import columns as passes
from spark_engine.simulation.ledger import Decisions, Fills, no_events

FORMATS = {"q": "<q", "d": "<d", "b": "<b"}


def expected(name: str, columns: Mapping[str, tuple[str, list[float]]]) -> str:
    rows = len(next(iter(columns.values()))[1]) if columns else 0
    content = b"spark.trading/columns/v1\n" + struct.pack("<H", len(name)) + name.encode()
    content += struct.pack("<H", len(columns)) + struct.pack("<Q", rows)
    for column, (code, values) in columns.items():
        content += struct.pack("<H", len(column)) + column.encode() + code.encode()
        for value in values:
            content += struct.pack(FORMATS[code], 0.0 if value == 0 and code == "d" else value)
    return "sha256:" + hashlib.sha256(content).hexdigest()


def column(code: str, *values: float) -> memoryview:
    return memoryview(array(code, values))


def test_the_digest_of_a_known_table_is_known() -> None:
    digest = digests.columns(
        "t", {"a": column("q", 1, -2), "b": column("d", 0.5, -0.0), "c": column("b", 1, -1)}
    )
    content = (
        b"spark.trading/columns/v1\n"
        b"\x01\x00t"
        b"\x03\x00"
        b"\x02\x00\x00\x00\x00\x00\x00\x00"
        b"\x01\x00aq\x01\x00\x00\x00\x00\x00\x00\x00\xfe\xff\xff\xff\xff\xff\xff\xff"
        b"\x01\x00bd\x00\x00\x00\x00\x00\x00\xe0\x3f\x00\x00\x00\x00\x00\x00\x00\x00"
        b"\x01\x00cb\x01\xff"
    )
    assert digest == "sha256:" + hashlib.sha256(content).hexdigest()


@given(
    integers=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20),
    seed=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=20, max_size=20),
)
def test_any_columns_agree_with_the_second_implementation(integers: list[int], seed: list[float]) -> None:
    reals = seed[: len(integers)]
    actual = digests.columns("any", {"n": column("q", *integers), "x": column("d", *reals)})
    assert actual == expected("any", {"n": ("q", list(integers)), "x": ("d", reals)})


def test_negative_zero_counts_as_zero_and_the_column_is_left_as_it_was() -> None:
    signed = array("d", [1.0, -0.0, -1.0])
    assert digests.columns("t", {"x": signed}) == digests.columns("t", {"x": array("d", [1.0, 0.0, -1.0])})
    assert str(signed[1]) == "-0.0"


def test_an_integer_with_the_bits_of_negative_zero_is_kept() -> None:
    least = -(2**63)
    assert digests.columns("t", {"n": column("q", least)}) == expected("t", {"n": ("q", [least])})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_an_error_of_the_engine(value: float) -> None:
    with pytest.raises(EngineError, match=r"column t\.x holds NaN or infinity"):
        digests.columns("t", {"x": column("d", 0.0, value, 1.0)})


def test_the_largest_and_the_smallest_numbers_are_finite() -> None:
    values = [1.7976931348623157e308, -1.7976931348623157e308, 5e-324, -5e-324]
    assert digests.columns("t", {"x": column("d", *values)}) == expected("t", {"x": ("d", values)})


def test_names_order_types_and_rows_all_count() -> None:
    tables = [
        ("t", {"a": column("q", 0), "b": column("q", 0)}),
        ("u", {"a": column("q", 0), "b": column("q", 0)}),
        ("t", {"b": column("q", 0), "a": column("q", 0)}),
        ("t", {"a": column("q", 0), "b": column("d", 0.0)}),
        ("t", {"a": column("q", 0, 0), "b": column("q", 0, 0)}),
        ("t", {"a": column("q", 0)}),
        ("t", {"a": column("q"), "b": column("q")}),
    ]
    assert len({digests.columns(name, content) for name, content in tables}) == len(tables)


def test_columns_of_other_types_or_lengths_are_errors_of_the_engine() -> None:
    with pytest.raises(EngineError, match=r"t\.x is not a contiguous"):
        digests.columns("t", {"x": array("f", [1.0])})
    with pytest.raises(EngineError, match=r"t\.x is not a contiguous"):
        digests.columns("t", {"x": column("d", 1.0, 2.0, 3.0)[::2]})
    with pytest.raises(EngineError, match="columns of t differ in length"):
        digests.columns("t", {"x": column("d", 1.0), "y": column("d")})


def test_candles_are_digested_whole_with_their_warm_up() -> None:
    reals = {name: column("d", 1.0, 2.0) for name in ("open", "high", "low", "close", "volume")}
    quality = column("b", 0, 1)
    candles = Candles(
        ts=column("q", 0, 60_000),
        **reals,
        quality=quality,
        ticks_close=column("q", 1, 2),
        timeframe_ms=60_000,
        warmup=1,
    )
    content = {
        "ts": ("q", [0, 60_000]),
        **{name: ("d", [1.0, 2.0]) for name in reals},
        "quality": ("b", [0, 1]),
    }
    assert digests.candles_digest(candles) == expected("candles", content)


def test_decisions_fills_and_equity_have_the_columns_of_the_law() -> None:
    decisions = Decisions(bar=column("q", 3), target=column("d", -1.0))
    assert digests.decisions_digest(decisions) == expected(
        "decisions", {"bar": ("q", [3]), "symbol": ("b", [0]), "target": ("d", [-1.0])}
    )
    codes = {name: ("b", [value]) for name, value in (("side", 1), ("liquidity", 0), ("reason", 8))}
    reals = {name: ("d", [value]) for name, value in (("quantity", 2.0), ("price", 3.0), ("fee", 0.5))}
    fills = Fills(
        slippage=column("d", 0.1),
        bar=column("q", 4),
        order=column("q", 1),
        **{name: column(*_flat(entry)) for name, entry in {**codes, **reals}.items()},
    )
    content = {"bar": ("q", [4]), "symbol": ("b", [0]), "order": ("q", [1]), **codes, **reals}
    assert digests.fills_digest(fills) == expected("fills", content)
    assert digests.equity_digest(column("d", 1.0), column("d", 0.0)) == expected(
        "equity", {"equity": ("d", [1.0]), "position": ("d", [0.0])}
    )


def test_no_events_have_a_digest_too() -> None:
    empty: dict[str, tuple[str, list[float]]] = {
        "bar": ("q", []),
        "code": ("b", []),
        "order": ("q", []),
        "value": ("d", []),
    }
    assert digests.events_digest(no_events()) == expected("events", empty)


def test_the_check_of_bits_is_compiled() -> None:
    assert not str(passes.__file__).endswith(".py"), "the kernel is not compiled: run make"


def _flat(entry: tuple[str, list[float]]) -> tuple[str, float]:
    return entry[0], entry[1][0]
