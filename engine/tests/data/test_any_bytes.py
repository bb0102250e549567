"""Whatever bytes a file holds: candles or a `BacktestError`, never a crash, never a trace."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spark_engine.data.decode import decode
from spark_engine.data.prepare import prepared
from spark_engine.data.request import CandleRequest
from spark_engine.errors import BacktestError

NOW = 1_800_000_000_000
NAMES = ("x.parquet", "x.csv", "x.csv.gz")
SOON = timedelta(seconds=5)
patiently = settings(deadline=SOON, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read_or_refuse(name: str, content: bytes, **request: Any) -> None:
    try:
        table = decode({name: content}, "BTCUSDT", "Open")
        candles = prepared(table, CandleRequest(name, "BTCUSDT", "1h", **request), NOW)
    except BacktestError as refused:
        assert 10 <= refused.exit_code < 20
        assert refused.field is not None and refused.field.startswith("spec.")
        assert "\n" not in refused.message and len(refused.message) < 1500
        return
    assert len(candles) > 0
    assert list(candles.ts) == sorted(set(candles.ts))
    for o, h, low, c in zip(candles.open, candles.high, candles.low, candles.close, strict=True):
        assert 0 < low <= min(o, c) <= max(o, c) <= h < float("inf")
    assert all(0 <= volume < float("inf") for volume in candles.volume)


def parquet_bytes(columns: dict[str, Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    polars.DataFrame(columns, strict=False).write_parquet(buffer, **options)
    return buffer.getvalue()


@patiently
@given(st.binary(max_size=400), st.sampled_from(NAMES))
def test_random_bytes(content: bytes, name: str) -> None:
    read_or_refuse(name, content)


@patiently
@given(st.binary(max_size=400))
def test_random_bytes_between_the_marks_of_parquet(content: bytes) -> None:
    read_or_refuse("x.parquet", b"PAR1" + content + b"PAR1")


@patiently
@given(st.binary(max_size=300))
def test_random_bytes_packed_by_gzip(content: bytes) -> None:
    read_or_refuse("x.csv.gz", gzip.compress(content))
    read_or_refuse("x.csv.gz", b"\x1f\x8b\x08\x00" + content)


@patiently
@given(st.data(), st.sampled_from(["zstd", "snappy", "gzip", "lz4", "uncompressed"]))
def test_a_parquet_file_with_some_bytes_changed(data: st.DataObject, compression: str) -> None:
    columns = {"ts": [3_600_000 * (400_000 + i) for i in range(50)], "symbol": ["BTCUSDT"] * 50}
    columns |= {name: [100.0 + i for i in range(50)] for name in ("open", "high", "low", "close", "volume")}
    content = bytearray(parquet_bytes(columns, compression=compression))
    places = st.integers(4, len(content) - 5)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
        content[place] = value
    read_or_refuse("x.parquet", bytes(content))


CELLS = (
    st.floats().map(repr)
    | st.integers(-(10**20), 10**20).map(str)
    | st.sampled_from(
        ["", "NaN", "1e400", "-", '"', '"a', "2024-01-01", "2024-01-01 04-AM", "0", "100", "1704067200000"]
    )
    | st.text(max_size=6)
)


@patiently
@given(
    st.lists(st.lists(CELLS, min_size=4, max_size=7), max_size=8),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["", "ts,open,high,low,close,volume\n", "\ufeffdate,open,high,low,close\n"]),
)
def test_random_tables_of_text(rows: list[list[str]], separator: str, header: str) -> None:
    text = header.replace(",", separator) + "\n".join(separator.join(row) for row in rows)
    read_or_refuse("x.csv", text.encode("utf-8", "surrogatepass"))


PRICES = st.floats(1, 2) | st.floats() | st.none()


@patiently
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 40), PRICES, PRICES, PRICES, PRICES, PRICES, st.integers(0, 3)), max_size=20
    ),
    minutes=st.sampled_from([20, 60, 61]),
    request=st.fixed_dictionaries(
        {
            "duplicates": st.sampled_from(["Fail", "KeepLast"]),
            "partial_bars": st.sampled_from(["Fail", "Drop", "Keep"]),
            "gaps": st.sampled_from(["Keep", "Fail"]),
            "price_scale": st.none() | st.integers(0, 9),
            "warmup_bars": st.integers(0, 5),
            "start_ms": st.none() | st.integers(0, 40).map(lambda hour: 1_704_067_200_000 + hour * 1_200_000),
        }
    ),
)
def test_random_tables_of_numbers(rows: list[tuple[Any, ...]], minutes: int, request: dict[str, Any]) -> None:
    names = ("ts", "open", "high", "low", "close", "volume", "quality")
    columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    columns["ts"] = [1_704_067_200_000 + step * minutes * 60_000 for step in columns["ts"]]
    schema = dict.fromkeys(names[1:6], polars.Float64)
    buffer = io.BytesIO()
    polars.DataFrame(columns, schema_overrides=schema).write_parquet(buffer)
    read_or_refuse("x.parquet", buffer.getvalue(), **request)


@patiently
@given(low=st.lists(st.floats(1, 10), min_size=2, max_size=20), request=st.sampled_from(["1h", "2h", "1d"]))
def test_clean_tables_are_always_read(low: list[float], request: str) -> None:
    rows = len(low)
    columns = {"ts": [1_704_067_200_000 + i * 3_600_000 for i in range(rows)], "low": low}
    columns |= {name: [value * 2 for value in low] for name in ("open", "high", "close")}
    table = decode({"x.parquet": parquet_bytes(columns)}, "BTCUSDT", "Open")
    candles = prepared(table, CandleRequest("x", "BTCUSDT", request, partial_bars="Keep"), NOW)
    assert (
        sum(
            candles.ts[i] <= ts < candles.ts[i] + candles.timeframe_ms
            for ts in columns["ts"]
            for i in range(len(candles))
        )
        == rows
    )


def test_nothing_is_printed_by_what_is_refused(
    capfd: pytest.CaptureFixture[str], parquet: Callable[..., Any]
) -> None:
    read_or_refuse("x.parquet", b"PAR1" + bytes(100) + b"\x10\x00\x00\x00PAR1")
    read_or_refuse("x.csv", b'a,"b\n\xff')
    assert capfd.readouterr() == ("", "")
