"""Digests of columns (SEMANTICS section 10): the same values give the same digest on every machine."""

from __future__ import annotations

import hashlib
import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from typing import Any

from spark_engine.data.candles import COLUMNS, Candles
from spark_engine.errors import EngineError
from spark_engine.simulation import columns as passes
from spark_engine.simulation.ledger import Action, Decisions, Events, Fills, Submissions

MAGIC = b"spark.trading/columns/v1\n"
TYPES = {("q", 8): b"q", ("l", 8): b"q", ("d", 8): b"d", ("b", 1): b"b"}


def columns(name: str, content: Mapping[str, Any]) -> str:
    """`sha256:<hex>` over the columns in their order: equally long int64, float64 or int8 buffers.

    Raises `EngineError` for NaN, infinities, other types and unequal lengths. -0.0 counts as +0.0.
    """
    if sys.byteorder != "little":
        raise EngineError("digests need a little-endian machine")
    views = {column: memoryview(buffer) for column, buffer in content.items()}
    rows = {len(view) for view in views.values()}
    if len(rows) > 1:
        raise EngineError(f"columns of {name} differ in length: {sorted(rows)}")
    digest = hashlib.sha256(MAGIC)
    digest.update(_label(name) + struct.pack("<HQ", len(views), rows.pop() if rows else 0))
    for column, view in views.items():
        kind = _type(f"{name}.{column}", view)
        digest.update(_label(column) + kind)
        digest.update(_regular(f"{name}.{column}", view) if kind == b"d" else view)
    return f"sha256:{digest.hexdigest()}"


def candles_digest(candles: Candles) -> str:
    """What the kernel saw, warm-up included."""
    return columns("candles", {column: getattr(candles, column) for column in COLUMNS})


def decisions_digest(decisions: Decisions) -> str:
    """Of a strategy of targets: its events that are not "keep"."""
    return columns(
        "decisions", {"bar": decisions.bar, "symbol": _symbols(len(decisions)), "target": decisions.target}
    )


def submissions_digest(submissions: Submissions) -> str:
    """Of an event strategy: the orders and targets that it submitted, cancels left out."""
    rows = [row for row, action in enumerate(submissions.action) if action != Action.CANCEL]
    return columns(
        "decisions",
        {
            "bar": _picked("q", submissions.bar, rows),
            "symbol": _symbols(len(rows)),
            "order": _picked("q", submissions.order, rows),
            "type": _picked("b", submissions.type, rows),
            "side": _picked("b", submissions.side, rows),
            "tif": _picked("b", submissions.tif, rows),
            "quantity": _picked("d", submissions.quantity, rows),
            "limit": _picked("d", submissions.limit, rows),
            "stop": _picked("d", submissions.stop, rows),
        },
    )


def fills_digest(fills: Fills) -> str:
    return columns(
        "fills",
        {
            "bar": fills.bar,
            "symbol": _symbols(len(fills)),
            "order": fills.order,
            "side": fills.side,
            "liquidity": fills.liquidity,
            "reason": fills.reason,
            "quantity": fills.quantity,
            "price": fills.price,
            "fee": fills.fee,
        },
    )


def equity_digest(equity: memoryview, position: memoryview) -> str:
    return columns("equity", {"equity": equity, "position": position})


def events_digest(events: Events) -> str:
    return columns(
        "events", {"bar": events.bar, "code": events.code, "order": events.order, "value": events.value}
    )


def _picked(kind: str, column: memoryview, rows: Sequence[int]) -> memoryview:
    return column if len(rows) == len(column) else memoryview(array(kind, map(column.__getitem__, rows)))


def _symbols(rows: int) -> memoryview:
    """The symbol column of a run with one symbol: index 0 in every row."""
    return memoryview(bytes(rows)).cast("b")


def _label(text: str) -> bytes:
    encoded = text.encode("ascii")
    return struct.pack("<H", len(encoded)) + encoded


def _type(name: str, view: memoryview) -> bytes:
    kind = TYPES.get((view.format.lstrip("@<="), view.itemsize))
    if kind is None or view.ndim != 1 or not view.c_contiguous:
        raise EngineError(f"column {name} is not a contiguous int64, float64 or int8 column")
    return kind


def _regular(name: str, view: memoryview) -> memoryview:
    bits = view.cast("B").cast("q")
    infinite, negative_zero = passes.irregular_bits(bits)
    if infinite:
        raise EngineError(f"column {name} holds NaN or infinity")
    if not negative_zero:
        return view
    mended = memoryview(bytearray(view.nbytes)).cast("q")
    passes.without_negative_zeros(bits, mended)
    return mended
