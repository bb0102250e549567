"""CSV files: delimiters, headers, stamps of many kinds, packed ones, and bad cells."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars
import pytest
from spark_engine.data.candles import Candles
from spark_engine.errors import InvalidData

HOUR = 3_600_000
MIDNIGHT = 1_704_067_200_000
Bars = Callable[..., dict[str, list[Any]]]
ROW = ",10,11,9,10,5"


def rows_of(columns: dict[str, list[Any]], separator: str = ",") -> str:
    return "".join(separator.join(map(repr, row)) + "\n" for row in zip(*columns.values(), strict=True))


def text_of(stamps: list[str]) -> str:
    return "time,open,high,low,close,volume\n" + "".join(stamp + ROW + "\n" for stamp in stamps)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_delimiters_headers_and_byte_order_marks_do_not_matter(
    separator: str,
    header: bool,
    mark: bytes,
    bars: Bars,
    csv: Callable[..., Path],
    read: Callable[..., Candles],
) -> None:
    columns = bars(20)
    names = separator.join(columns) + "\n" if header else ""
    candles = read(csv(mark + (names + rows_of(columns, separator)).encode()))
    for name, values in columns.items():
        assert list(getattr(candles, name)) == values


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n", "\n\n"])
def test_line_endings_and_blank_lines_do_not_matter(
    ending: str, last: str, csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    text = text_of([str(MIDNIGHT + i * HOUR) for i in range(3)]).rstrip("\n") + last
    assert len(read(csv(text.replace("\n", ending)))) == 3


def test_a_dump_without_header_may_have_more_columns(
    bars: Bars, csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    columns = bars(20)
    columns |= {"close_time": [ts + HOUR - 1 for ts in columns["ts"]], "trades": [7] * 20, "ignore": [0] * 20}
    assert list(read(csv(rows_of(columns))).ts) == columns["ts"]


def test_an_address_and_comments_above_the_header_are_passed_over(
    csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    text = text_of([str(MIDNIGHT + i * HOUR) for i in range(3)])
    assert len(read(csv("https://www.CryptoDataDownload.com\n# a comment\n\n" + text))) == 3


def test_quoted_cells_are_read(csv: Callable[..., Path], read: Callable[..., Candles]) -> None:
    text = f'"time","open","high","low","close","note, long"\n"{MIDNIGHT}","10","11","9","10","a, ""b"""\n'
    assert read(csv(text)).close[0] == 10.0


@pytest.mark.parametrize(
    "stamp",
    [
        "1704067200",
        "1704067200.0",
        "1704067200000",
        "1704067200000000",
        "1704067200000000000",
        "1.7040672e9",
        "2024-01-01",
        "20240101",
        "2024-01-01 00:00",
        "2024-01-01 00:00:00",
        "2024-01-01T00:00:00Z",
        "2024-01-01T03:00:00+03:00",
        "2024-01-01 00:00:00.000000",
        "2024-01-01 12-AM",
        "2024-01-01 12:00 am",
        " 2024-01-01T00:00:00Z ",
    ],
)
def test_a_time_may_be_written_in_many_ways(
    stamp: str, csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    assert list(read(csv(text_of([stamp, str(MIDNIGHT + HOUR)]))).ts) == [MIDNIGHT, MIDNIGHT + HOUR]


def test_times_of_many_kinds_may_be_mixed_in_one_file(
    csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    stamps = ["1704067200", "1704070800.0", "1704074400000", "2024-01-01T03:00:00Z", "2024-01-01 04-AM"]
    assert list(read(csv(text_of(stamps))).ts) == [MIDNIGHT + i * HOUR for i in range(5)]


@pytest.mark.parametrize(
    ("text", "hour"),
    [("12-AM", 0), ("01-AM", 1), ("11-AM", 11), ("12-PM", 12), ("01-PM", 13), ("11:00:00 PM", 23)],
)
def test_twelve_hour_clocks_are_read(
    text: str, hour: int, csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    assert list(read(csv(text_of([f"2024-01-01 {text}"]))).ts) == [MIDNIGHT + hour * HOUR]


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "yesterday",
        "01/02/2024",
        "20241301",
        "2024-13-01",
        "13-PM",
        "nan",
        "inf",
        "1_704_067_200",
        "9" * 30,
        "-1e30",
    ],
)
def test_anything_else_is_refused_with_its_row_and_what_is_allowed(
    stamp: str, csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    with pytest.raises(
        InvalidData, match=r"row 2: .* is not a time; a time must be an epoch .*ISO 8601"
    ) as refused:
        read(csv(text_of([str(MIDNIGHT), stamp])))
    assert refused.value.field == "spec.data.uri"


def test_unix_wins_over_date(csv: Callable[..., Path], read: Callable[..., Candles]) -> None:
    text = f"date,unix,open,high,low,close\n2020-05-05,{MIDNIGHT},1,1,1,1\n"
    assert read(csv(text)).ts[0] == MIDNIGHT


def test_a_bad_cell_is_named_by_row_and_column(
    csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    text = text_of([str(MIDNIGHT + i * HOUR) for i in range(5)]).replace("9,10,5\n", "9,ten,5\n", 1)
    with pytest.raises(InvalidData, match=r"candles\.csv, row 1, column close: 'ten' is not a number"):
        read(csv(text))


@pytest.mark.parametrize("cell", ["1_000", "0x10", "1,5", "٣"])
def test_numbers_that_only_some_parsers_know_are_refused(
    cell: str, csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    with pytest.raises(InvalidData, match="row 1, column open"):
        read(csv(f"time;open;high;low;close\n{MIDNIGHT};{cell};11;9;10\n"))


@pytest.mark.parametrize("cell", ["", "NULL", "nan", "N/A", "-"])
def test_a_price_that_is_absent_is_no_price(
    cell: str, csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    with pytest.raises(
        InvalidData, match=r"prices must be finite and above 0: bar 0 at 2024-01-01T00:00:00Z"
    ):
        read(csv(f"time,open,high,low,close\n{MIDNIGHT},{cell},11,9,10\n"))


def test_a_cell_with_blanks_around_it_is_a_number(
    csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    assert read(csv(f"time, open ,high,low,close\n{MIDNIGHT}, 10.5 ,11,9,10\n")).open[0] == 10.5


def test_a_line_of_another_width_is_named(csv: Callable[..., Path], read: Callable[..., Candles]) -> None:
    text = text_of([str(MIDNIGHT), str(MIDNIGHT + HOUR)]) + "1,2,3\n"
    with pytest.raises(InvalidData, match="line 4: 3 cells where the first line has 6"):
        read(csv(text))


def test_names_that_are_no_candles_are_named(csv: Callable[..., Path], read: Callable[..., Candles]) -> None:
    with pytest.raises(
        InvalidData, match=r"has no column ts, open, high, low, close; needed .*; found id, name"
    ):
        read(csv("id,name\n1,2\n"))


def test_too_few_columns_without_names_are_refused(
    csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    with pytest.raises(InvalidData, match="has no column"):
        read(csv("1,2,3\n"))


@pytest.mark.parametrize("content", [b"\n", b"\n\n\n", b"# nothing\n", b"time,open,high,low,close\n"])
def test_a_file_without_rows_is_refused(
    content: bytes, csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    with pytest.raises(InvalidData, match=r"no rows|has no column"):
        read(csv(content))


def test_an_empty_file_is_refused(csv: Callable[..., Path], read: Callable[..., Candles]) -> None:
    with pytest.raises(InvalidData, match=r"candles\.csv is empty"):
        read(csv(b""))


def test_utf_16_is_refused_by_name(csv: Callable[..., Path], read: Callable[..., Candles]) -> None:
    with pytest.raises(InvalidData, match="UTF-16; a CSV file must be UTF-8"):
        read(csv(text_of([str(MIDNIGHT)]).encode("utf-16")))


def test_bytes_that_are_no_text_are_refused(csv: Callable[..., Path], read: Callable[..., Candles]) -> None:
    with pytest.raises(InvalidData):
        read(csv(text_of([str(MIDNIGHT)]).encode() + b"\xff\xfe\xff,1,1,1,1,1\n"))


def test_a_packed_file_is_the_same_candles(
    bars: Bars, csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    text = rows_of(bars(50))
    plain, packed = read(csv(text)), read(csv(gzip.compress(text.encode()), "x.csv.gz"))
    two_members = read(
        csv(gzip.compress(text[:200].encode()) + gzip.compress(text[200:].encode()), "y.csv.gz")
    )
    assert list(plain.close) == list(packed.close) == list(two_members.close)


def test_a_truncated_packed_file_is_refused(
    bars: Bars, csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    packed = gzip.compress(rows_of(bars(50)).encode())
    with pytest.raises(InvalidData, match="not a whole gzip file"):
        read(csv(packed[:-20], "x.csv.gz"))


def test_a_gzip_bomb_is_refused_before_it_fills_the_memory(
    csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    packed = gzip.compress(bytes(80 << 20), compresslevel=1)
    assert len(packed) < 1 << 20
    with pytest.raises(InvalidData, match=r"unpacks to more than \d+ bytes"):
        read(csv(packed, "x.csv.gz"))


def test_what_polars_writes_is_read_back_to_the_last_bit(
    bars: Bars, tmp_path: Path, read: Callable[..., Candles]
) -> None:
    columns = bars(20_000)
    polars.DataFrame(columns).write_csv(tmp_path / "x.csv")
    candles = read(tmp_path / "x.csv")
    for name in ("ts", "open", "high", "low", "close", "volume"):
        assert list(getattr(candles, name)) == columns[name]
