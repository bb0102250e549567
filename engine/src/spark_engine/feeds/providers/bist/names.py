"""Symbols of Borsa Istanbul, as it, as vendors and as files spell them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import Final

# `.E` is the exchange's own mark of an equity, `.IS` that of Yahoo and Reuters for the venue. Others (`.F` a
# fund, `.R` a right, `.V` a warrant) are other instruments than the equity and stay in the name.
EQUITY_MARKS: Final = (".E", ".IS")
PARTIAL: Final = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".download", ".swp")
ACTIONS: Final = re.compile(
    r"(?:(?P<symbol>.+?)[._-])?actions\.(?:csv|csv\.gz|parquet)", re.ASCII | re.IGNORECASE
)
TIMEFRAME: Final = re.compile(r"[1-9][0-9]{0,3}[smhdw]", re.ASCII)


def canonical_symbol(venue_symbol: str) -> str:
    """`THYAO.E`, `THYAO.IS` and `thyao` are THYAO; `THYAO.R` stays what it is."""
    symbol = venue_symbol.strip().upper()
    for mark in EQUITY_MARKS:
        symbol = symbol.removesuffix(mark)
    return symbol


def is_partial(name: str) -> bool:
    """A name that says that the file is still being written."""
    return name.lower().endswith(PARTIAL)


def is_actions(name: str) -> bool:
    """`actions.csv`, `THYAO.actions.csv`, `THYAO_actions.parquet`."""
    return ACTIONS.fullmatch(PurePosixPath(name).name) is not None


def symbol_of_actions(name: str, symbols: Sequence[str]) -> str | None:
    """None where the name says none of `symbols`. Plain `actions.csv` is of the only one, if there is one."""
    if len(symbols) == 1 and (plain := ACTIONS.fullmatch(name)) and plain["symbol"] is None:
        return symbols[0]
    match = ACTIONS.fullmatch(PurePosixPath(name).name)
    named = match["symbol"] if match else None
    return _only(symbols, [] if named is None else [named, *_tokens(named)])


def symbol_of_file(name: str, symbols: Sequence[str]) -> tuple[str, str] | None:
    """The one of `symbols` that the name of a file without a column of symbols says, and how it spells it.

    `THYAO.csv`, `THYAO.E_1d.parquet`, `bist_thyao_1d_2021_2026.parquet`, `THYAO/1d.csv`. None for no symbol
    of them, or for two.
    """
    path = PurePosixPath(name)
    stem = re.sub(r"\.(csv|csv\.gz|parquet)$", "", path.name, flags=re.IGNORECASE)
    found: dict[str, str] = {}
    for text in (*path.parts[:-1], stem):
        for token in (text, *_tokens(text)):
            symbol = canonical_symbol(token)
            if symbol in symbols:
                found.setdefault(symbol, token.upper())
    return next(iter(found.items())) if len(found) == 1 else None


def timeframe_of_file(name: str, timeframes: Iterable[str]) -> str | None:
    """The one of `timeframes` that the name says, None for none or two."""
    said = {token.lower() for token in re.split(r"[^0-9A-Za-z]+", name) if TIMEFRAME.fullmatch(token.lower())}
    found = said & set(timeframes)
    return found.pop() if len(found) == 1 else None


def _tokens(text: str) -> list[str]:
    """`bist_THYAO.E_1d`: with the marks of equities first. A mark of one letter stays with its symbol."""
    return [token for token in re.split(r"[_\-\s]+", text) if token] + [
        token for token in re.split(r"[^0-9A-Za-z.]+|\.(?![A-Za-z](?![0-9A-Za-z]))", text) if token
    ]


def _only(symbols: Sequence[str], names: Sequence[str]) -> str | None:
    found = {canonical_symbol(name) for name in names} & set(symbols)
    return found.pop() if len(found) == 1 else None
