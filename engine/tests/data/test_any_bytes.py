"""Whatever bytes a file holds: candles or a `BacktestError`, never a crash, never a trace."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from datetime import timedelta
from math import isfinite
from pathlib import Path
from typing import Any

import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spark_engine.data.calendars.table import exchange_calendar
from spark_engine.data.candles import Candles
from spark_engine.data.decode import decode
from spark_engine.data.prepare import prepared
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest
from spark_engine.errors import BacktestError

NOW = 1_800_000_000_000
NAMES = ("x.parquet", "x.csv", "x.csv.gz")
SOON = timedelta(seconds=30)
patiently = settings(deadline=SOON, suppress_health_check=[HealthCheck.function_scoped_fixture])
briefly = settings(patiently, max_examples=50)  # each example forks twice


def read_or_refuse(name: str, content: bytes, timeframe: str = "1h", **request: Any) -> None:
    def read() -> Candles:
        asked = CandleRequest(name, "BTCUSDT", timeframe, **request)
        return prepared(decode({name: content}, "BTCUSDT", asked.timestamps), asked, NOW)

    sound_or_refused(read)


def sound_or_refused(read: Callable[[], Candles]) -> None:
    try:
        candles = read()
    except BacktestError as refused:
        assert 10 <= refused.exit_code < 20
        assert refused.field is not None and refused.field.startswith("spec.")
        assert "\n" not in refused.message and len(refused.message) < 1500
        return
    assert len(candles) > candles.warmup >= 0
    require_sound(candles)
    if candles.finer is not None:
        require_sound(candles.finer)
    if candles.funding is not None:
        assert list(candles.funding.ts) == sorted(set(candles.funding.ts))
        assert all(isfinite(rate) for rate in candles.funding.rate)
    if candles.sessions is not None:
        closes, days = list(candles.sessions.close_ts), list(candles.sessions.day)
        assert closes == sorted(set(closes))
        assert days == sorted(days)
        assert all(ts < close for ts, close in zip(candles.ts, closes, strict=True))
        assert list(candles.sessions.follows_gap).count(1) == candles.quality_report.gaps


def require_sound(candles: Candles) -> None:
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


REQUESTS = st.fixed_dictionaries(
    {
        "timeframe": st.sampled_from(["15m", "30m", "1h", "4h", "1d", "2d", "1w", "2w"]),
        "calendar": st.sampled_from(["24x7", "XNYS", "XHKG", "24x5", "24x5", "us_futures", "XSAU", "NYSEE"]),
        "timestamps": st.sampled_from(["Open", "Open", "Close"]),
        "duplicates": st.sampled_from(["Fail", "KeepLast"]),
        "partial_bars": st.sampled_from(["Drop", "Drop", "Fail", "Keep"]),
        "gaps": st.sampled_from(["Keep", "Keep", "Fail"]),
        "resolve_with": st.sampled_from([*[None] * 6, "15m", "30m", "1d", "7x"]),
        "warmup_bars": st.integers(0, 4),
        "start_ms": st.none() | st.integers(0, 60).map(lambda hour: 1_704_067_200_000 + hour * 3_600_000),
        "end_ms": st.none() | st.integers(61, 1500).map(lambda hour: 1_704_067_200_000 + hour * 3_600_000),
    }
)
HALF_HOURS = st.integers(0, 400).map(lambda half: 1_704_067_200_000 + half * 1_800_000)
DAYS = st.integers(0, 60).map(lambda day: 1_704_067_200_000 + day * 86_400_000)
ODD = st.integers(1_704_067_200_000, 1_705_000_000_000) | st.integers(-(10**13), 10**13)


@patiently
@given(
    stamps=st.sets(HALF_HOURS, max_size=60) | st.sets(DAYS, max_size=40) | st.lists(HALF_HOURS | ODD),
    price=st.floats(1, 2),
    volume=st.sampled_from([0.0, 3.0]),
    request=REQUESTS,
)
def test_random_times_under_every_calendar(
    stamps: list[int] | set[int], price: float, volume: float, request: dict[str, Any]
) -> None:
    text = "".join(f"{stamp},{price},{price},{price},{price},{volume}\n" for stamp in stamps)
    read_or_refuse("x.csv", ("ts,open,high,low,close,volume\n" + text).encode(), **request)


@patiently
@given(
    first=st.integers(0, 30), count=st.integers(1, 40), missing=st.sets(st.integers(0, 39)), request=REQUESTS
)
def test_sessions_of_a_real_calendar_with_some_left_out(
    first: int, count: int, missing: set[int], request: dict[str, Any]
) -> None:
    request |= {"calendar": "XNYS", "timestamps": "Open", "start_ms": None, "end_ms": None}
    opens = exchange_calendar("XNYS").open[8560 + first : 8560 + first + count]
    step, bars = (1_800_000, 13) if request["timeframe"] in ("30m", "1h", "4h") else (86_400_000, 1)
    stamps = [at + bar * step for i, at in enumerate(opens) if i not in missing for bar in range(bars)]
    text = "".join(f"{stamp},2,3,1,2,{i}\n" for i, stamp in enumerate(stamps))
    read_or_refuse("x.csv", ("ts,open,high,low,close,volume\n" + text).encode(), **request)


CANDLES = "ts,open,high,low,close,volume\n" + "".join(
    f"{1_704_067_200_000 + day * 86_400_000},{100 + day},{102 + day},{99 + day},{101 + day},5\n"
    for day in range(12)
)
FACTORS = "20240103,0.5,0.25,101\n20240105,0.75,0.5,100\n20240110,0.9,1,100\n20501231,1,1,0\n"
ACTIONS = "date,split,dividend\n2024-01-03,2,\n2024-01-05,,10\n2024-01-09,0.5,1.5\n"
RATES = "ts,rate\n" + "".join(f"{1_704_067_200_000 + i * 28_800_000},{i / 1e4}\n" for i in range(30))


@st.composite
def mangled(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> bytes:
    """A valid file with pieces cut out, repeated, or replaced by what does not belong."""
    content = draw(texts).encode()
    for _ in range(draw(st.integers(0, 2))):
        begin = draw(st.integers(0, len(content)))
        end = draw(st.integers(begin, min(len(content), begin + 12)))
        piece = draw(
            st.binary(max_size=4)
            | CELLS.map(lambda cell: cell.encode("utf-8", "surrogatepass"))
            | st.sampled_from([b"", b",", b"\n", b"-", b"1e308", b"5e-324", b"99999999", b"\xef\xbb\xbf"])
        )
        content = content[:begin] + piece + content[end:]
    return content[: draw(st.integers(0, len(content)))] if draw(st.integers(0, 4)) == 0 else content


@patiently
@given(content=mangled(st.just(CANDLES)), request=REQUESTS)
def test_mangled_candles(content: bytes, request: dict[str, Any]) -> None:
    read_or_refuse("x.csv", content, **request | {"timeframe": "1d", "resolve_with": None})


@briefly
@given(
    actions=mangled(st.sampled_from([FACTORS, ACTIONS])),
    adjustment=st.sampled_from(["Splits", "SplitsAndDividends"]),
    calendar=st.sampled_from(["24x7", "XNYS"]),
    suffix=st.sampled_from(["csv", "csv", "csv", "parquet"]),
)
def test_mangled_corporate_actions(
    actions: bytes, adjustment: str, calendar: str, suffix: str, tmp_path: Path
) -> None:
    (tmp_path / "candles.csv").write_text(CANDLES)
    (tmp_path / f"actions.{suffix}").write_bytes(actions)
    request = CandleRequest(
        str(tmp_path / "candles.csv"),
        "X",
        "1d",
        calendar=calendar,
        partial_bars="Drop",
        adjustment=adjustment,
        adjustment_uri=str(tmp_path / f"actions.{suffix}"),
    )
    sound_or_refused(lambda: read_candles(request, NOW))


@briefly
@given(rates=mangled(st.just(RATES)), suffix=st.sampled_from(["csv", "csv", "csv", "parquet"]))
def test_mangled_funding(rates: bytes, suffix: str, tmp_path: Path) -> None:
    (tmp_path / "candles.csv").write_text(CANDLES)
    (tmp_path / f"funding.{suffix}").write_bytes(rates)
    uri = str(tmp_path / f"funding.{suffix}")
    request = CandleRequest(str(tmp_path / "candles.csv"), "X", "1d", funding_uri=uri)
    sound_or_refused(lambda: read_candles(request, NOW))


@patiently
@given(
    columns=st.dictionaries(
        st.sampled_from(["ts", "open", "high", "low", "close", "volume", "quality", "symbol", "time", "x"]),
        st.sampled_from(
            ["Int8", "UInt64", "Float32", "String", "Date", "Datetime", "Time", "Boolean", "List"]
        ),
        max_size=9,
    ),
    value=st.integers(-3, 127),
)
def test_columns_of_any_type(columns: dict[str, str], value: int) -> None:
    kinds: dict[str, Any] = {"List": polars.List(polars.Int64)}
    texts = {"String": str(value), "List": [value], "Boolean": value > 0}
    frame = polars.DataFrame(
        {
            name: polars.Series([texts.get(kind, abs(value))] * 3).cast(
                kinds.get(kind, getattr(polars, kind))
            )
            for name, kind in columns.items()
        }
    )
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    read_or_refuse("x.parquet", buffer.getvalue())
