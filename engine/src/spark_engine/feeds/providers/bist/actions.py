"""Files of corporate actions, in one form, to lie beside the series of their symbol. Pure.

A delivery is kept under a name that is the digest of its content, `<symbol>/actions/<sha256[:16]>.csv`, and
never changed: `spec.data.adjustmentUri` of a run names that file, so that it adjusts by the same factors for
ever, whatever is announced later. The candles of the archive stay as they were traded.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from spark_crds.canonical import sha256_hex

from spark_engine.data.adjust import actions_of
from spark_engine.data.csv_file import csv_text
from spark_engine.data.files import one_file
from spark_engine.data.names import SYMBOLS, plain_name
from spark_engine.data.parquet_file import MAGIC
from spark_engine.data.stamps import iso
from spark_engine.errors import InvalidData
from spark_engine.feeds.providers.bist.names import canonical_symbol, symbol_of_actions

FORMS: Final = (("price_factor", "split_factor"), ("split", "dividend"))


@dataclass(frozen=True, slots=True)
class CorporateActions:
    """content: a CSV file of `date,price_factor,split_factor` or `date,split,dividend`, by date.

    path: where it belongs, relative to the folder of the venue in the archive.
    """

    symbol: str
    content: bytes
    sha256: str
    rows: int

    @property
    def path(self) -> str:
        return f"{self.symbol}/actions/{self.sha256[:16]}.csv"


def read_actions_file(name: str, content: bytes, symbols: Sequence[str]) -> list[CorporateActions]:
    """By a column of symbols, else of the symbol that the name says; `actions.csv` of the only one there is.

    Raises `InvalidData` for a file that is to be taken in no part.
    """
    parts = dict(_by_symbol(name, content)) or {_symbol(name, symbols): content}
    return [_canonical(name, symbol, part) for symbol, part in sorted(parts.items()) if symbol in symbols]


def _symbol(name: str, symbols: Sequence[str]) -> str:
    said = symbol_of_actions(name, symbols)
    if said is not None:
        return said
    raise InvalidData(
        f"{name} says of no symbol of the feed: name it SYMBOL.actions.csv, or add a column symbol",
        field="files",
    )


def _by_symbol(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    """A table with a column of symbols as one table each, without that column."""
    if not content or content.startswith(MAGIC):
        return
    text = csv_text(content, name)
    position = next((at for at, cell in enumerate(text.cells) if plain_name(cell) in SYMBOLS), None)
    if position is None:
        return
    lines = text.content[text.begin :].decode("utf-8", "replace").splitlines()
    tables: dict[str, list[list[str]]] = {}
    for number, row in enumerate(_rows(name, lines[1:], text.delimiter), 2):
        if len(row) != len(text.cells):
            raise InvalidData(
                f"{name}, line {number}: {len(row)} cells, not {len(text.cells)}", field="files"
            )
        tables.setdefault(canonical_symbol(row[position]), []).append(_without(row, position))
    for symbol, rows in tables.items():
        yield symbol, _csv(_without(text.cells, position), rows)


def _rows(name: str, lines: Sequence[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error as error:
        raise InvalidData(f"{name} cannot be read: {error}", field="files") from None


def _canonical(name: str, symbol: str, content: bytes) -> CorporateActions:
    series = actions_of(one_file(name, content))
    form = next((form for form in FORMS if any(_told(series.columns[column]) for column in form)), None)
    if form is None:
        raise InvalidData(f"{name} has no action of {symbol}", field="files")
    rows = sorted(
        (iso(ts)[:10], *(_cell(series.columns[column][row]) for column in form))
        for row, ts in enumerate(series.ts)
    )
    for before, after in pairwise(rows):
        if before[0] == after[0] and before != after:
            raise InvalidData(f"{name} has two rows of {symbol} on {before[0]}", field="files")
    unique = list(dict.fromkeys(rows))
    whole = _csv(["date", *form], [list(row) for row in unique])
    return CorporateActions(symbol, whole, sha256_hex(whole), len(unique))


def _told(column: memoryview) -> bool:
    return any(value == value for value in column)


def _cell(value: float) -> str:
    return "" if value != value else repr(value)


def _without(row: Sequence[str], position: int) -> list[str]:
    return [cell for at, cell in enumerate(row) if at != position]


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([header, *rows])
    return text.getvalue().encode()
