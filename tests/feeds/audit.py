"""An archive against the ledger of the venue: what is claimed is true, and nothing is there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.candles.coverage import IntervalSet
from spark_engine.feeds.market import BUY, SELL, Candle, Interval, MarketTick, Quality

from tests.exchange import Ledger, Trade
from tests.exchange.klines import Bar
from tests.feeds.running import VENUE

MINUTE = 60_000
SIDES = {0: SELL, 1: BUY}  # as the venue's REST says of the same ids


@dataclass(frozen=True)
class Held:
    """What an archive has of one symbol."""

    symbol: str
    ticks: tuple[MarketTick, ...]
    scales: tuple[int, int]
    known: tuple[Interval, ...]
    minutes: tuple[Candle, ...]
    fives: tuple[Candle, ...]
    bars_known: tuple[Interval, ...]


def held(folder: Path, symbols: Sequence[str]) -> list[Held]:
    """As the next writer finds it."""
    archive = Archive.open(
        str(folder / "archive"),
        venue=VENUE,
        journal=folder / "journal",
        writer="tested",
        timeframes=("1m", "5m"),
    )
    try:
        return [
            Held(
                symbol,
                tuple(archive.ticks_since(symbol, 0)),
                archive.scales(symbol) or (0, 0),
                archive.coverage(symbol),
                tuple(archive.last_candles(symbol, "1m", 10_000)),
                tuple(archive.last_candles(symbol, "5m", 10_000)),
                archive.coverage(symbol, "1m"),
            )
            for symbol in symbols
        ]
    finally:
        archive.close()


def faults_of(found: Held, ledger: Ledger) -> list[str]:
    """What is not true in the archive, each in a line; empty where all is."""
    trades = {trade.id: trade for trade in ledger.trades(found.symbol)}
    problems = [*_doubled(found), *_untrue(found, trades), *_missing(found, trades), *_bars(found, ledger)]
    return [f"{found.symbol}: {problem}" for problem in problems]


def lost(found: Held, ledger: Ledger, until_ms: int) -> list[Trade]:
    """Trades since the first that is known until then that the archive does not have."""
    if not found.known:
        return ledger.trades(found.symbol)
    there = {tick.id for tick in found.ticks}
    span = range(found.known[0].from_ms, until_ms)
    return [trade for trade in ledger.trades(found.symbol) if trade.time_ms in span and trade.id not in there]


def _doubled(found: Held) -> list[str]:
    counts = Counter(tick.id for tick in found.ticks)
    return [f"trade {id_} is there {count} times" for id_, count in counts.items() if count > 1]


def _untrue(found: Held, trades: dict[str, Trade]) -> list[str]:
    problems = []
    for tick in found.ticks:
        trade = trades.get(tick.id)
        if trade is None:
            problems.append(f"trade {tick.id} never was")
            continue
        ours = (
            tick.ts_ms,
            _decimal(tick.price, found.scales[0]),
            _decimal(tick.quantity, found.scales[1]),
            tick.side,
        )
        theirs = (trade.time_ms, Decimal(trade.price), Decimal(trade.amount), SIDES[trade.side])
        if ours != theirs:
            problems.append(f"trade {tick.id} is {ours}, was {theirs}")
    return problems


def _missing(found: Held, trades: dict[str, Trade]) -> list[str]:
    known = IntervalSet(found.known)
    there = {tick.id for tick in found.ticks}
    return [
        f"trade {trade.id} of {trade.time_ms} is missing, which {found.known} claims to hold"
        for trade in trades.values()
        if trade.id not in there and known.covered(trade.time_ms, trade.time_ms + 1)
    ]


def _bars(found: Held, ledger: Ledger) -> list[str]:
    problems = []
    for bars, seconds in ((found.minutes, 60), (found.fives, 300)):
        true = {bar.time * 1000: bar for bar in ledger.klines(found.symbol, seconds)}
        there = {bar.ts_ms: bar for bar in bars}
        for ts_ms, bar in there.items():
            if bar.quality is Quality.COMPLETE and not _equal(bar, true.get(ts_ms)):
                problems.append(f"{bar} is COMPLETE, but the venue has {true.get(ts_ms)}")
        known = IntervalSet(found.bars_known)
        problems += [
            f"{seconds} s of {ts_ms} are claimed to be known; held: {there.get(ts_ms)}"
            for ts_ms in true
            if known.covered(ts_ms, ts_ms + seconds * 1000)
            and (ts_ms not in there or there[ts_ms].quality is not Quality.COMPLETE)
        ]
    return problems


def _equal(ours: Candle, theirs: Bar | None) -> bool:
    if theirs is None:
        return False
    prices = [_decimal(price, ours.price_scale) for price in (ours.open, ours.high, ours.low, ours.close)]
    return (
        prices == [theirs.open, theirs.high, theirs.low, theirs.close]
        and _decimal(ours.volume, ours.quantity_scale) == _known(theirs.volume, ours)
        and ours.trades in (None, theirs.trades)
    )


def _known(volume: Decimal, ours: Candle) -> Decimal:
    """The history has the noise of floats: its bars are rounded to the decimals seen in ticks so far."""
    return volume if ours.source == "ticks" else round(volume, ours.quantity_scale)


def _decimal(number: int, scale: int) -> Decimal:
    return Decimal(number).scaleb(-scale)
