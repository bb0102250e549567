"""Bars of the archive against those that the ledger's trades make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from spark_engine.data.archive.segment import CandleRow

from tests.exchange.klines import Bar
from tests.soak.trades import Spans

COMPLETE = 0
EXACT = Decimal(2) ** -51  # of a volume: twice what one float is exact to


@dataclass
class BarCounts:
    """Opening times in ms. wrong: COMPLETE, and unlike the kline. wanting: absent or not COMPLETE, though
    there was time enough. uncovered_ms: of which the archive does not claim to have every bar."""

    complete: int = 0
    from_history: int = 0
    wrong: list[int] = field(default_factory=list)
    wanting: list[int] = field(default_factory=list)
    invented: list[int] = field(default_factory=list)
    uncovered_ms: int = 0


def compare_bars(
    klines: Sequence[Bar], bars: Mapping[int, CandleRow], step_ms: int, covered: Spans, settled_ms: int
) -> BarCounts:
    """Nothing is excused in whole bars from the begin of coverage to `settled_ms`. A bar that is COMPLETE
    is right whenever it is."""
    counts = BarCounts()
    true = {bar.time * 1000: bar for bar in klines}
    begin_ms = -(-covered[0][0] // step_ms) * step_ms if covered else settled_ms
    counts.uncovered_ms = max(0, settled_ms - begin_ms) - sum(
        max(0, min(end, settled_ms) - max(begin, begin_ms)) for begin, end in covered
    )
    counts.invented = sorted(bars.keys() - true.keys())
    for time_ms, kline in true.items():
        bar = bars.get(time_ms)
        due = begin_ms <= time_ms and time_ms + step_ms <= settled_ms
        if bar is None or bar.quality != COMPLETE:
            if due:
                counts.wanting.append(time_ms)
            continue
        counts.complete += 1
        counts.from_history += bar.source != "ticks"
        if not same_bar(kline, bar):
            counts.wrong.append(time_ms)
    return counts


def same_bar(kline: Bar, bar: CandleRow) -> bool:
    """Volumes are kept as floats. History tells floats too, and no counts: what came from there may be off by
    a step."""
    prices = [Decimal(price).scaleb(-bar.price_scale) for price in (bar.open, bar.high, bar.low, bar.close)]
    volume = Decimal(bar.volume).scaleb(-bar.quantity_scale)
    step = Decimal(0) if bar.source == "ticks" else Decimal(1).scaleb(-bar.quantity_scale)
    allowed = step + kline.volume * EXACT
    return (
        prices == [kline.open, kline.high, kline.low, kline.close]
        and abs(volume - kline.volume) <= allowed
        and bar.trades in (None, kline.trades)
    )
