"""The digest of a day of an archive: of its rows, whatever files they lie in.

That of a day of candles is the SHA-256 of all its rows. A day of ticks has too many to be read again at each
commit, so its digest is a chain: H(c) = SHA-256(H(c - 1) + R(c)), 32 bytes and 32 bytes, where R(c) is the
SHA-256 of the rows that the c-th commit to the day added to it, and H(0) is empty. Rows carry the number of
their commit, so that a reader groups them by it, ascending, and has the digest at any commit.

The bytes of rows, all integers little-endian:

    "spark.trading/archive-day/v1\\n"
    label of the kind ("candles" or "ticks"), uint16 number of columns, uint64 number of rows
    for each column, in the order of `CandleColumns` or `TickColumns`:
        label of its name, one letter for its type, its values

A label is a uint16 length and ASCII. Types and values: `q` int64 each (ts in ms, trades with -1 for not
known, revision, commit, price, quantity), `d` IEEE double each, `b` int8 each (quality, source, scales,
side), `t` for text: a uint32 length and UTF-8 each. Candles stand in order of (ts, revision), ticks in order
of (ts, id as UTF-8 bytes).
"""

from __future__ import annotations

import hashlib
import struct
import sys
from dataclasses import fields
from typing import Final

from spark_engine.data.archive.segment import CandleColumns, TickColumns, in_order
from spark_engine.errors import EngineError

MAGIC: Final = b"spark.trading/archive-day/v1\n"


def extended_digest(before: str, added: TickColumns) -> str:
    """The digest (hex) of a day of ticks after the commit that added `added`, in any order. before: the
    digest that it had, "" for none. Raises as `rows_digest`."""
    return hashlib.sha256(bytes.fromhex(before) + bytes.fromhex(rows_digest(added))).hexdigest()


def rows_digest(columns: CandleColumns | TickColumns) -> str:
    """SHA-256 (hex) of rows given in any order: a day's candles in every revision, or a commit's ticks.

    Raises `InvalidData` where two rows have one place, (ts, revision) or (ts, id).
    """
    if sys.byteorder != "little":
        raise EngineError("digests need a little-endian machine")
    ordered: CandleColumns | TickColumns
    if isinstance(columns, CandleColumns):
        kind, ordered = "candles", in_order(columns)
    else:
        kind, ordered = "ticks", in_order(columns)
    names = [field.name for field in fields(ordered)]
    digest = hashlib.sha256(MAGIC + _label(kind) + struct.pack("<HQ", len(names), len(ordered)))
    for name in names:
        column = getattr(ordered, name)
        if isinstance(column, list):
            encoded = [text.encode() for text in column]
            digest.update(_label(name) + b"t")
            digest.update(b"".join(struct.pack("<I", len(text)) + text for text in encoded))
        else:
            digest.update(_label(name) + column.format.encode())
            digest.update(column)
    return digest.hexdigest()


def _label(text: str) -> bytes:
    encoded = text.encode("ascii")
    return struct.pack("<H", len(encoded)) + encoded
