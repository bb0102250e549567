"""Which column of a source is which, by name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spark_engine.errors import InvalidData

# In order of preference: `unix` before `date`, since exports that carry both round the date.
OPEN_TIMES: Final = (
    "ts",
    "open_time",
    "opentime",
    "open_timestamp",
    "ts_ms",
    "timestamp",
    "timestamp_ms",
    "unix",
    "unix_timestamp",
    "unixtime",
    "epoch",
    "time",
    "datetime",
    "date_time",
    "date",
)
CLOSE_TIMES: Final = ("close_time", "closetime", "close_timestamp")
PRICES: Final = {
    "open": ("open", "open_price", "o"),
    "high": ("high", "high_price", "h"),
    "low": ("low", "low_price", "l"),
    "close": ("close", "close_price", "c"),
}
VOLUMES: Final = ("volume", "base_volume", "volume_base", "basevolume", "vol", "v")
QUALITIES: Final = ("quality", "quality_flag", "flag")
SYMBOLS: Final = ("symbol", "pair", "ticker", "instrument")
POSITIONS: Final = ("ts", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions of the columns that candles need; None where an optional one is absent."""

    ts: int
    open: int
    high: int
    low: int
    close: int
    volume: int | None = None
    quality: int | None = None
    symbol: int | None = None


def plain_name(name: str) -> str:
    """`Volume ETH` and `volume_eth` are one name."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def plain_symbol(symbol: str) -> str:
    """`ETH/USDT`, `eth-usdt` and `ETHUSDT` are one symbol."""
    return "".join(filter(str.isalnum, symbol)).upper()


def layout_by_name(names: Sequence[str], symbol: str, timestamps: str, what: str) -> Layout:
    """Finds the columns. Raises `InvalidData` that names what was found and what is needed."""
    plain = [plain_name(name) for name in names]
    times = CLOSE_TIMES + OPEN_TIMES if timestamps == "Close" else OPEN_TIMES
    found = {"ts": _first(plain, times, what)}
    found |= {price: _first(plain, aliases, what) for price, aliases in PRICES.items()}
    missing = [name for name, position in found.items() if position is None]
    if missing:
        raise InvalidData(
            f"{what} has no column {', '.join(missing)}; needed are a time (ts, timestamp, unix, ...), open, "
            f"high, low, close, and volume if there is one; found {', '.join(names)[:200] or 'none'}",
            field="spec.data.uri",
        )
    return Layout(
        **{name: position for name, position in found.items() if position is not None},
        volume=_volume(plain, symbol, what),
        quality=_first(plain, QUALITIES, what),
        symbol=_first(plain, SYMBOLS, what),
    )


def layout_by_position(columns: int, what: str) -> Layout:
    """A table without names: time, open, high, low, close, volume, as exchanges dump it."""
    if columns < 5:
        raise InvalidData(
            f"{what} has no header and {columns} columns; without a header these are time, open, high, low, "
            "close, volume",
            field="spec.data.uri",
        )
    return Layout(0, 1, 2, 3, 4, 5 if columns > 5 else None)


def _first(plain: Sequence[str], aliases: Sequence[str], what: str) -> int | None:
    for alias in aliases:
        if plain.count(alias) > 1:
            raise InvalidData(f"{what} has the column {alias} twice", field="spec.data.uri")
        if alias in plain:
            return plain.index(alias)
    return None


def _volume(plain: Sequence[str], symbol: str, what: str) -> int | None:
    """A plain volume column, else the one in the base unit (`Volume ETH` of ETHUSDT), else the first."""
    known = _first(plain, VOLUMES, what)
    if known is not None:
        return known
    units = {position: name[7:] for position, name in enumerate(plain) if name.startswith("volume_")}
    base = [
        position for position, unit in units.items() if plain_symbol(symbol).startswith(plain_symbol(unit))
    ]
    return next(iter(base or units), None)
