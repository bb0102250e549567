"""Parquet files: types of columns, chunks, nulls, names, and files that are not whole."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars
import pyarrow
import pyarrow.parquet
import pytest
from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidData

HOUR = 3_600_000
Bars = Callable[..., dict[str, list[Any]]]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Istanbul"])
def test_timestamps_of_any_unit_and_zone_are_the_same_instants(
    unit: str, zone: str | None, bars: Bars, tmp_path: Path, read: Callable[..., Candles]
) -> None:
    columns = bars(30)
    stamps = pyarrow.array(columns["ts"], pyarrow.timestamp("ms", zone)).cast(pyarrow.timestamp(unit, zone))
    table = pyarrow.table({**columns, "ts": stamps})
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet")
    assert list(read(tmp_path / "x.parquet").ts) == columns["ts"]


@pytest.mark.parametrize("per_ms", [Decimal("0.001"), 1, 1_000, 1_000_000])
def test_integer_stamps_are_told_apart_by_their_size(
    per_ms: Decimal | int, bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(30)
    stamps = [int(stamp * per_ms) for stamp in columns["ts"]]
    assert list(read(parquet({**columns, "ts": stamps})).ts) == columns["ts"]


def test_seconds_in_32_bits_are_read(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(30)
    stamps = polars.Series([stamp // 1000 for stamp in columns["ts"]], dtype=polars.Int32)
    assert list(read(parquet({**columns, "ts": stamps})).ts) == columns["ts"]


@pytest.mark.parametrize("per_ms", [0.001, 1.0, 1000.0, 1e6])
def test_float_stamps_are_read_to_the_nearest_millisecond(
    per_ms: float, bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(30)
    assert (
        list(read(parquet({**columns, "ts": [stamp * per_ms for stamp in columns["ts"]]})).ts)
        == columns["ts"]
    )


def test_dates_are_midnights(bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]) -> None:
    columns = bars(10, 24 * HOUR)
    days = [datetime.date(2024, 1, 1 + i) for i in range(10)]
    assert list(read(parquet({**columns, "ts": days}), "1d").ts) == columns["ts"]


def test_iso_texts_are_read_as_times(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(24)
    texts = [f"2024-01-01T{hour:02}:00:00Z" for hour in range(24)]
    assert list(read(parquet({**columns, "ts": texts})).ts) == columns["ts"]


def test_a_null_time_is_refused_with_its_row(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(30)
    with pytest.raises(InvalidData, match=r"row 8: nothing is not a time"):
        read(parquet({**columns, "ts": [*columns["ts"][:7], None, *columns["ts"][8:]]}))


@pytest.mark.parametrize("stamp", [2**63 - 1, -(2**63), 10**13, -3 * 10**9])
def test_a_time_outside_1900_to_2200_is_refused_with_its_row(
    stamp: int, bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(30)
    with pytest.raises(InvalidData, match=r"row 30: .* is not a time; .*between 1900 and 2200"):
        read(parquet({**columns, "ts": [*columns["ts"][:29], stamp]}))


@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [
        (polars.Float32, 1e-7),
        (polars.Int64, 0),
        (polars.UInt64, 0),
        (polars.Decimal(18, 2), 0),
        (polars.String, 0),
    ],
)
def test_numbers_of_any_type_are_prices(
    kind: Any, tolerance: float, bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(30)
    whole = kind in (polars.Int64, polars.UInt64)
    prices = {
        name: [round(x, 0 if whole else 2) for x in columns[name]]
        for name in ("open", "high", "low", "close")
    }
    cast = {name: polars.Series(values).cast(kind) for name, values in prices.items()}
    candles = read(parquet({**columns, **cast}))
    for name, values in prices.items():
        assert list(getattr(candles, name)) == pytest.approx(values, rel=tolerance, abs=0)


def test_a_categorical_symbol_and_text_prices_are_read(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(4)
    symbols = polars.Series(["BTC/USDT", "ETH/USDT"] * 2, dtype=polars.Categorical)
    candles = read(parquet({**columns, "Symbol": symbols}), "2h", "btcusdt")
    assert list(candles.ts) == columns["ts"][::2]


def test_nulls_become_zero_volume_and_are_counted(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(30)
    volumes = [None if i % 7 == 3 else 2.0 for i in range(30)]
    candles = read(parquet({**columns, "volume": volumes}))
    assert list(candles.volume) == [0.0 if volume is None else volume for volume in volumes]
    assert candles.quality_report.null_volumes == volumes.count(None)


def test_many_row_groups_and_slices_come_together_in_order(
    bars: Bars, tmp_path: Path, read: Callable[..., Candles]
) -> None:
    columns = bars(5_000)
    columns["volume"] = [None if i % 3 == 0 else 1.0 + i for i in range(5_000)]
    table = pyarrow.table(columns).slice(13)
    pyarrow.parquet.write_table(table, tmp_path / "x.parquet", row_group_size=617)
    candles = read(tmp_path / "x.parquet")
    assert list(candles.ts) == columns["ts"][13:]
    assert list(candles.close) == columns["close"][13:]
    assert list(candles.volume) == [volume or 0.0 for volume in columns["volume"][13:]]


def test_names_are_found_in_any_case_and_order_and_others_are_ignored(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(30)
    renamed = {
        "Close": columns["close"],
        "adj close": ["x"] * 30,
        "LOW": columns["low"],
        "Volume USDT": [9.0] * 30,
        "Volume BTC": columns["volume"],
        "High": columns["high"],
        "Open Time": columns["ts"],
        "o": columns["open"],
    }
    candles = read(parquet(renamed))
    for name in ("ts", "open", "high", "low", "close", "volume"):
        assert list(getattr(candles, name)) == columns[name]


def test_a_missing_volume_column_is_null_volume(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(30)
    del columns["volume"]
    candles = read(parquet(columns))
    assert set(candles.volume) == {0.0}


def test_wrong_columns_are_named_beside_what_is_needed(
    parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    with pytest.raises(
        InvalidData, match=r"has no column ts, high, low, close; needed .*; found open, price"
    ):
        read(parquet({"open": [1.0], "price": [2.0]}))


def test_a_column_that_is_there_twice_is_refused(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    with pytest.raises(InvalidData, match="has the column close twice"):
        read(parquet({**bars(3), "Close": [1.0] * 3}))


@pytest.mark.parametrize(
    "values", [[True, False, True], [[1.0], [2.0], [3.0]], [{"a": 1}] * 3, [b"1", b"2", b"3"]]
)
def test_prices_that_are_no_numbers_are_refused(
    values: list[Any], bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    with pytest.raises(InvalidData, match=r"column open holds .*, not numbers"):
        read(parquet({**bars(3), "open": values}))


def test_a_symbol_that_is_not_in_the_file_is_named_with_those_that_are(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    with pytest.raises(InvalidData, match="has no rows of BTCUSDT; it has ETHUSDT") as refused:
        read(parquet({**bars(3), "symbol": ["ETHUSDT"] * 3}))
    assert refused.value.field == "spec.market.symbol"


def test_no_rows_are_refused(bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]) -> None:
    empty = polars.DataFrame(bars(1)).clear().to_dict()
    with pytest.raises(InvalidData, match=r"there are no rows in candles.parquet"):
        read(parquet(empty))


def test_one_byte_is_not_a_parquet_file(csv: Callable[..., Path], read: Callable[..., Candles]) -> None:
    with pytest.raises(InvalidData, match=r"not a whole parquet file: 1 bytes"):
        read(csv(b"P", "x.parquet"))


@pytest.mark.parametrize("keep", [11, 100, 0.5, 0.99])
def test_a_truncated_file_is_refused(
    keep: float, bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    path = parquet(bars(500))
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    with pytest.raises(InvalidData, match="not a whole parquet file"):
        read(path)


def test_a_corrupt_footer_is_refused_and_nothing_of_the_panic_is_printed(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles], capfd: pytest.CaptureFixture[str]
) -> None:
    path = parquet(bars(500))
    content = bytearray(path.read_bytes())
    length = int.from_bytes(content[-8:-4], "little")
    content[-8 - length : -8] = b"\xff" * length
    path.write_bytes(content)
    with pytest.raises(InvalidData, match="cannot be read"):
        read(path)
    assert capfd.readouterr() == ("", "")


def test_a_corrupt_page_is_refused(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles], capfd: pytest.CaptureFixture[str]
) -> None:
    path = parquet(bars(500), compression="zstd")
    content = bytearray(path.read_bytes())
    content[40:400] = bytes(360)
    path.write_bytes(content)
    with pytest.raises(InvalidData, match="cannot be read"):
        read(path)
    assert capfd.readouterr() == ("", "")


def test_quality_flags_are_read_as_names_or_numbers(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    names = ["complete", "no-trades", "Partial", "feed_down", None]
    named = read(parquet({**bars(5), "quality": names}), partial_bars="Keep")
    numbered = read(parquet({**bars(5), "quality": [0, 2, 1, 3, None]}), partial_bars="Keep")
    assert list(named.quality) == list(numbered.quality) == [0, 2, 1, 3, 0]


def test_an_unknown_quality_flag_is_refused(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    with pytest.raises(InvalidData, match="row 2: quality must be complete, partial, no-trades, feed-down"):
        read(parquet({**bars(2), "quality": ["complete", "good"]}))
