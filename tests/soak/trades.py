"""Trades of the archive against those of the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from spark_engine.data.archive.segment import TickRow

from tests.exchange.ledger import Trade

DECIMALS = 10  # of a trade in the ledger
REACH = 50  # trades that the venue tells at most, on joining and over REST
SIDES = {0: -1, 1: 1}
Spans = Sequence[tuple[int, int]]


@dataclass
class TradeCounts:
    """Of one symbol, ids. beyond_reach: neither the socket nor 50 latest trades could tell them, and the
    archive does not claim to know their time. lost: all others that are not there."""

    expected: int = 0
    lost: list[Trade] = field(default_factory=list)
    beyond_reach: list[Trade] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)


def compare_trades(
    ledger: Sequence[Trade], rows: Sequence[TickRow], ended_ms: int, claimed: Spans, withheld: Spans
) -> TradeCounts:
    """`ledger` in the order made. All times are the exchange's ms; `withheld`: when a fault kept trades from
    the feed, or it had no connection because of one. What was made before the first trade in the archive, or
    after the feed was told to stop, is not expected."""
    found = {row.id: row for row in rows}
    made = {trade.id: trade for trade in ledger}
    counts = TradeCounts()
    counts.doubled = [each for each, number in Counter(row.id for row in rows).items() if number > 1]
    counts.invented = [each for each in found if each not in made]
    counts.altered = [each for each, row in found.items() if each in made and not _same(made[each], row)]
    for missing, told_after in _runs(ledger, found, ended_ms):
        for trade in missing:
            unreachable = (
                told_after >= REACH
                and _within(trade.time_ms, withheld)
                and not _within(trade.time_ms, claimed)
            )
            (counts.beyond_reach if unreachable else counts.lost).append(trade)
    counts.expected = len(found) + len(counts.lost) + len(counts.beyond_reach)
    return counts


def _runs(
    ledger: Sequence[Trade], found: dict[str, TickRow], ended_ms: int
) -> Iterator[tuple[list[Trade], int]]:
    """Trades in a row that are missing, and how many after them are there before the next that is not."""
    first = next((place for place, trade in enumerate(ledger) if trade.id in found), len(ledger))
    missing: list[Trade] = []
    after = 0
    for trade in ledger[first:]:
        if trade.id in found:
            after += 1
            continue
        if trade.time_ms >= ended_ms:
            continue
        if after and missing:
            yield missing, after
            missing = []
        after = 0
        missing.append(trade)
    if missing:
        yield missing, after


def _same(trade: Trade, row: TickRow) -> bool:
    return (
        trade.time_ms == row.ts
        and _units(trade.price) == row.price * 10 ** (DECIMALS - row.price_scale)
        and _units(trade.amount) == row.quantity * 10 ** (DECIMALS - row.quantity_scale)
        and SIDES[trade.side] == row.side
    )


def _units(text: str) -> int:
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(DECIMALS, "0"))


def _within(time_ms: int, spans: Spans) -> bool:
    return any(begin <= time_ms < end for begin, end in spans)
