"""The parquet tables of an artifact directory: columns as docs/evidence.md lists them, in and out."""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterable, Mapping, Sequence
from operator import mul, truediv
from typing import Any

import arro3.core as arrow
import arro3.io

from spark_engine.data.candles import Candles
from spark_engine.data.panic import converted
from spark_engine.data.rows import zeros
from spark_engine.errors import InvalidData, first_line
from spark_engine.simulation.ledger import (
    Action,
    Decisions,
    Fills,
    Ledger,
    OrderType,
    Submissions,
    TimeInForce,
    Trades,
)
from spark_engine.statistics import passes

SIDES = {1: "buy", -1: "sell"}
POSITIONS = {1: "long", -1: "short"}
LIQUIDITY = {0: "taker", 1: "maker"}
REASONS = {
    0: "signal",
    1: "limit",
    2: "stop",
    3: "take-profit",
    4: "stop-loss",
    5: "trailing",
    6: "liquidation",
    7: "gate",
    8: "closeAtEnd",
}
ORDER_TYPES: dict[int, str] = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop",
    OrderType.STOP_LIMIT: "stop-limit",
    OrderType.TRAILING_STOP: "trailing-stop",
    OrderType.TARGET: "target",
}
TIMES_IN_FORCE: dict[int, str] = {TimeInForce.GTC: "GTC", TimeInForce.GTD: "GTD", TimeInForce.DAY: "Day"}
COMPRESSION = "zstd(1)"

TIMESTAMP = arrow.DataType.timestamp("ms", tz="UTC")
TEXT = arrow.DataType.utf8()
WHOLE = (arrow.DataType.int64(), TIMESTAMP)
EMPTY_TYPES = {"q": arrow.DataType.int64(), "d": arrow.DataType.float64(), "b": arrow.DataType.int8()}

Table = Mapping[str, Sequence[Any]]


def fills_table(fills: Fills, candles: Candles, symbol: str) -> arrow.Table:
    return arrow.Table.from_pydict(
        {
            "bar": _numbers(fills.bar),
            "ts": _times(fills.bar, candles),
            "symbol": _texts([symbol] * len(fills)),
            "order": _numbers(fills.order),
            "side": _names(SIDES, fills.side),
            "quantity": _numbers(fills.quantity),
            "price": _numbers(fills.price),
            "fee": _numbers(fills.fee),
            "slippage": _numbers(fills.slippage),
            "liquidity": _names(LIQUIDITY, fills.liquidity),
            "reason": _names(REASONS, fills.reason),
        }
    )


def orders_table(ledger: Ledger, candles: Candles, symbol: str) -> arrow.Table:
    """One row a target event or a submission; ids count from 1 in order of submission (SEMANTICS section 3).

    What a row has not (the limit of a market order, the target of an order) is null. A cancel names the
    order that it takes back.
    """
    asked = ledger.submissions or target_submissions(ledger.decisions)
    kinds = _kinds(asked) if ledger.submissions else ["target"] * len(asked)
    target = [kind == "target" for kind in kinds]
    order = [kind not in ("target", "cancel") for kind in kinds]
    return arrow.Table.from_pydict(
        {
            "bar": _numbers(asked.bar),
            "ts": _times(asked.bar, candles),
            "symbol": _texts([symbol] * len(asked)),
            "order": _numbers(asked.order),
            "type": _texts(kinds),
            "side": _texts(_where(order, [SIDES.get(side) for side in asked.side])),
            "tif": _texts(_where(order, [TIMES_IN_FORCE[tif] for tif in asked.tif])),
            "quantity": _floats(_where(order, asked.quantity)),
            "limit": _floats(_some(asked.limit)),
            "stop": _floats(_some(asked.stop)),
            "trail": _floats(_some(asked.trail)),
            "trail_rate": _floats(_some(asked.trail_rate)),
            "expires": _integers(_some(asked.expires)).cast(TIMESTAMP),
            "reduce_only": arrow.Array(_where(order, map(bool, asked.reduce_only)), arrow.DataType.bool()),
            "oco_group": _integers(_some(asked.oco)),
            "take_profit": _floats(_some(asked.take_profit)),
            "stop_loss": _floats(_some(asked.stop_loss)),
            "stop_trail": _floats(_some(asked.stop_trail)),
            "stop_trail_rate": _floats(_some(asked.stop_trail_rate)),
            "target": _floats(_where(target, asked.quantity)),
        }
    )


def target_submissions(decisions: Decisions) -> Submissions:
    """The events of a strategy of targets, as submissions."""
    rows = len(decisions)
    none, zero = zeros("b", rows), zeros("d", rows)
    whole = zeros("q", rows)
    return Submissions(
        bar=decisions.bar,
        action=memoryview(array("b", [Action.TARGET]) * rows),
        order=memoryview(array("q", range(1, rows + 1))),
        type=memoryview(array("b", [OrderType.TARGET]) * rows),
        side=none,
        tif=none,
        reduce_only=none,
        quantity=decisions.target,
        limit=zero,
        stop=zero,
        trail=zero,
        trail_rate=zero,
        expires=whole,
        oco=whole,
        take_profit=zero,
        stop_loss=zero,
        stop_trail=zero,
        stop_trail_rate=zero,
    )


def _kinds(asked: Submissions) -> list[str]:
    return [
        "cancel" if action == Action.CANCEL else ORDER_TYPES[kind]
        for action, kind in zip(asked.action, asked.type, strict=True)
    ]


def trades_table(trades: Trades, candles: Candles) -> arrow.Table:
    paid = map(mul, trades.quantity, trades.entry_price)
    returns = array("d", map(truediv, trades.pnl, paid))
    return arrow.Table.from_pydict(
        {
            "side": _names(POSITIONS, trades.side),
            "entry_bar": _numbers(trades.entry_bar),
            "entry_ts": _times(trades.entry_bar, candles),
            "entry_price": _numbers(trades.entry_price),
            "exit_bar": _numbers(trades.exit_bar),
            "exit_ts": _times(trades.exit_bar, candles),
            "exit_price": _numbers(trades.exit_price),
            "quantity": _numbers(trades.quantity),
            "fees": _numbers(trades.fees),
            "pnl": _numbers(trades.pnl),
            "return": _numbers(returns),
            "mae": _numbers(trades.mae),
            "mfe": _numbers(trades.mfe),
            "funding": _numbers(trades.carry),
            "fills": _numbers(trades.fills),
            "exit_reason": _names(REASONS, trades.exit_reason),
        }
    )


def equity_table(ledger: Ledger, candles: Candles, initial_cash: float) -> arrow.Table:
    rows, first = len(ledger.equity), candles.warmup
    bars, drawdown = zeros("q", rows), zeros("d", rows)
    passes.count_up(bars)
    passes.drawdowns(ledger.equity, initial_cash, drawdown)
    return arrow.Table.from_pydict(
        {
            "bar": _numbers(bars),
            "ts": _numbers(candles.ts[first : first + rows]).cast(TIMESTAMP),
            "equity": _numbers(ledger.equity),
            "cash": _numbers(ledger.cash),
            "position": _numbers(ledger.position),
            "drawdown": _numbers(drawdown),
            "funding": _numbers(zeros("d", rows) if ledger.carry is None else ledger.carry),
        }
    )


def encode(table: arrow.Table) -> bytes:
    """The table as the bytes of a parquet file.

    A dictionary pays for texts only, and whole numbers that grow are small as differences.
    """
    buffer = io.BytesIO()
    types = {name: table.schema.field(name).type for name in table.column_names}
    arro3.io.write_parquet(
        table,
        buffer,
        compression=COMPRESSION,
        dictionary_enabled=False,
        column_dictionary_enabled={name: True for name, kind in types.items() if kind == TEXT},
        column_encoding={name: "delta_binary_packed" for name, kind in types.items() if kind in WHOLE},
    )
    return buffer.getvalue()


def decode(content: bytes, name: str) -> dict[str, list[Any]]:
    """The columns of a parquet file as Python lists; timestamps as int64 ms. Raises `InvalidData`."""
    with converted(lambda error: InvalidData(f"{name} cannot be read: {first_line(error)}")):
        table = arro3.io.read_parquet(io.BytesIO(content)).read_all()
        return {column: _values(table.column(column)) for column in table.column_names}


def _values(column: arrow.ChunkedArray) -> list[Any]:
    if str(column.type).startswith("arro3.core.DataType<Timestamp"):
        column = column.cast(arrow.DataType.int64())
    return list(column.to_pylist())


def _numbers(column: memoryview | array[Any]) -> arrow.Array:
    view = memoryview(column)
    if len(view) == 0:
        return arrow.Array([], EMPTY_TYPES[view.format])
    return arrow.Array.from_buffer(view)


def _times(bars: memoryview, candles: Candles) -> arrow.Array:
    ts = zeros("q", len(bars))
    passes.take_whole(candles.ts[candles.warmup :], bars, ts)
    return _numbers(ts).cast(TIMESTAMP)


def _texts(values: Sequence[str | None]) -> arrow.Array:
    return arrow.Array(values, TEXT)


def _floats(values: Sequence[float | None]) -> arrow.Array:
    return arrow.Array(values, arrow.DataType.float64())


def _integers(values: Sequence[int | None]) -> arrow.Array:
    return arrow.Array(values, arrow.DataType.int64())


def _where(present: Iterable[Any], values: Iterable[Any]) -> list[Any]:
    """The values, null where they are not present."""
    return [value if there else None for there, value in zip(present, values, strict=True)]


def _some(column: memoryview) -> list[Any]:
    """The values, null where they are 0."""
    return [value or None for value in column.tolist()]


def _names(names: Mapping[int, str], codes: Iterable[int]) -> arrow.Array:
    return _texts([names[code] for code in codes])
