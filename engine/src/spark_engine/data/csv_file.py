"""Candles from the bytes of a CSV file, packed by gzip or not."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from arro3.core import DataType, Field, Schema
from arro3.io import read_csv

from spark_engine.data.arrow import decoding
from spark_engine.data.names import Layout, layout_by_name, layout_by_position
from spark_engine.data.rows import Rows
from spark_engine.data.stamps import stamp_ms
from spark_engine.data.table import rows_from_batches
from spark_engine.errors import InvalidData

if TYPE_CHECKING:
    from arro3.core import RecordBatch

GZIP_MAGIC: Final = b"\x1f\x8b"
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS: Final = (",", ";", "\t", "|")
BATCH_ROWS: Final = 1 << 16
LONGEST_HEADER: Final = 1 << 16
UNPACKED_AT_LEAST: Final = 64 << 20  # a gzip file may unpack to this much, or to 50 times its size
UNPACKED_RATIO: Final = 50
PIECE: Final = 1 << 20
WRONG_CELLS: Final = re.compile(r"incorrect number of fields for line (\d+), expected (\d+) got (\d+)")


@dataclass(frozen=True, slots=True)
class CsvText:
    """content: UTF-8, unpacked. begin: where the table begins. cells: of its first line."""

    content: bytes
    begin: int
    delimiter: str
    cells: list[str]
    what: str

    def batches(self, has_header: bool) -> list[RecordBatch]:
        """All cells as text. Raises `InvalidData` for lines of different lengths."""
        schema = Schema([Field(str(position), DataType.string()) for position in range(len(self.cells))])
        text = self.content[self.begin :] if self.begin else self.content
        with decoding(self.what):
            try:
                return list(
                    read_csv(
                        text,
                        schema,
                        has_header=has_header,
                        delimiter=self.delimiter,
                        batch_size=BATCH_ROWS,
                    )
                )
            except Exception as error:
                raise _with_line(error, self.what, self.content.count(b"\n", 0, self.begin)) from None


def read_csv_rows(content: bytes, what: str, symbol: str, timestamps: str) -> Rows:
    """The rows of one file. Raises `InvalidData`."""
    text = csv_text(content, what)
    layout, has_header = csv_layout(text.cells, symbol, timestamps, what)
    batches = text.batches(has_header)
    with decoding(what):
        return rows_from_batches(batches, layout, symbol, what)


def csv_text(content: bytes, what: str) -> CsvText:
    """Unpacks `content` and splits its first line. Raises `InvalidData`."""
    if content[:2] == GZIP_MAGIC:
        content = _unpacked(content, what)
    if content[:2] in UTF16_MARKS:
        raise InvalidData(f"{what} is UTF-16; a CSV file must be UTF-8", field="spec.data.uri")
    content = content.removeprefix(BYTE_ORDER_MARK)
    begin = _preamble(content)
    line = _first_line(content, begin)
    delimiter = max(DELIMITERS, key=line.count)
    cells = [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
    return CsvText(content, begin, delimiter, cells, what)


def csv_layout(cells: Sequence[str], symbol: str, timestamps: str, what: str) -> tuple[Layout, bool]:
    """Which column is which, and whether the first line holds names: one of times and numbers is data."""
    if len(cells) >= 5 and stamp_ms(cells[0]) is not None and all(map(is_number, cells[1:5])):
        return layout_by_position(len(cells), what), False
    return layout_by_name(cells, symbol, timestamps, what), True


def is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _preamble(content: bytes) -> int:
    """Where the table begins: after blank lines, comments and the address that some exports put on top."""
    begin = 0
    for line in io.BytesIO(content[:LONGEST_HEADER]):
        text = line.strip().lower()
        if text and not text.startswith((b"#", b"http://", b"https://", b"www.")):
            break
        begin += len(line)
    return begin


def _first_line(content: bytes, begin: int) -> str:
    lines = content[begin : begin + LONGEST_HEADER].splitlines()
    return lines[0].decode("utf-8", errors="replace") if lines else ""


def _unpacked(content: bytes, what: str) -> bytes:
    most = max(UNPACKED_AT_LEAST, UNPACKED_RATIO * len(content))
    pieces = []
    size = 0
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
            while piece := stream.read(PIECE):
                size += len(piece)
                if size > most:
                    raise InvalidData(f"{what} unpacks to more than {most} bytes", field="spec.data.uri")
                pieces.append(piece)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidData(f"{what} is not a whole gzip file: {error}", field="spec.data.uri") from None
    return b"".join(pieces)


def _with_line(error: Exception, what: str, lines_before: int) -> Exception:
    match = WRONG_CELLS.search(str(error))
    if match is None:
        return error
    line, expected, got = (int(number) for number in match.groups())
    return InvalidData(
        f"{what}, line {line + lines_before}: {got} cells where the first line has {expected}",
        field="spec.data.uri",
    )
