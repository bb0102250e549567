"""The figures of a soak as one table, each beside what it must be."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from tests.exchange.klines import bars as klines_of
from tests.exchange.ledger import Trade
from tests.soak import archived
from tests.soak.bars import BarCounts, compare_bars, same_bar
from tests.soak.connections import reconnects, unexplained, withheld_ms
from tests.soak.folder import MINUTE_MS, TIMEFRAMES, Folder
from tests.soak.lag import lag_buckets, percentile_ms
from tests.soak.memory import memory
from tests.soak.trades import Spans, TradeCounts, compare_trades

MOST_LAG_MS = 250.0
GOAL_LAG_MS = 5.0
MOST_GROWTH_MIB = 6.0  # of the second half, whatever its length
SHOWN = 5


@dataclass(frozen=True)
class Figure:
    """`met` None: only told."""

    name: str
    value: str
    bar: str = ""
    met: bool | None = None


def figures(folder: Folder) -> list[Figure]:
    """Everything that the folder tells. Raises OSError where the soak has not come to its end."""
    settings, samples, faults = folder.settings(), folder.samples(), folder.faults()
    withheld = withheld_ms(samples, faults)
    troubles = [each for each in (settings.trouble, *(sample.get("trouble") for sample in samples)) if each]
    found = [
        Figure("soak", f"{settings.seconds:g} s, seed {settings.seed}, {len(settings.symbols)} symbols"),
        _none("trouble of the soak itself", troubles),
        Figure("feed ended with", str(settings.feed_exit), "0", settings.feed_exit == 0),
        _none("samples that failed", [each["failed"] for each in samples if "failed" in each]),
        Figure("faults injected", f"{len(faults)} of {len({fault['fault'] for fault in faults})} kinds"),
    ]
    if settings.ended_ms is not None and settings.settled_ms is not None:
        found += _archive(folder, settings.symbols, settings.settled_ms, settings.ended_ms, withheld)
    found += _connections(samples, faults)
    found += _lags(samples, faults)
    return [*found, *_process(samples)]


def _archive(
    folder: Folder, symbols: Sequence[str], settled_ms: int, ended_ms: int, withheld: Spans
) -> Iterator[Figure]:
    trades, bars, gaps, unfilled = _compared(folder, symbols, settled_ms, ended_ms, withheld)
    expected = [each.expected for each in trades.values()]
    yield Figure("trades expected", f"{sum(expected):,}", "> 0 of each symbol", all(expected))
    yield _none("  lost", _named(trades, "lost"))
    yield _none("  doubled", _named(trades, "doubled"))
    yield _none("  in no ledger", _named(trades, "invented"))
    yield _none("  altered", _named(trades, "altered"))
    beyond = _named(trades, "beyond_reach")
    yield Figure("  that the venue could not tell any more", f"{len(beyond):,}")
    yield _none("    without a bar of history that has them", unfilled)
    yield _none("times without every trade, no fault", gaps)
    for timeframe in TIMEFRAMES:
        counts = {symbol: each for (symbol, frame), each in bars.items() if frame == timeframe}
        complete = sum(each.complete for each in counts.values())
        history = sum(each.from_history for each in counts.values())
        yield Figure(f"bars of {timeframe}, COMPLETE", f"{complete:,}, {history:,} of them with history")
        yield _none("  unlike the venue's klines", _named(counts, "wrong"))
        yield _none("  absent, or not COMPLETE", _named(counts, "wanting"))
        yield _none("  of no trade", _named(counts, "invented"))
        uncovered = sum(each.uncovered_ms for each in counts.values())
        yield Figure("  gaps that stayed", f"{uncovered / 1000:g} s", "0 s", uncovered == 0)


def _compared(
    folder: Folder, symbols: Sequence[str], settled_ms: int, ended_ms: int, withheld: Spans
) -> tuple[dict[str, TradeCounts], dict[tuple[str, str], BarCounts], list[str], list[str]]:
    trades, bars = {}, {}
    gaps: list[str] = []
    unfilled: list[str] = []
    for symbol in symbols:
        ledger = list(folder.trades(symbol))
        claimed = archived.coverage(folder.archive, symbol)
        rows = archived.ticks(folder.archive, symbol)
        trades[symbol] = compare_trades(ledger, rows, ended_ms, claimed, withheld)
        for timeframe, seconds in TIMEFRAMES.items():
            bars[symbol, timeframe] = compare_bars(
                klines_of(ledger, seconds),
                archived.bars(folder.archive, symbol, timeframe),
                seconds * 1000,
                archived.coverage(folder.archive, symbol, timeframe),
                settled_ms,
            )
        gaps += [f"{symbol} {span}" for span in _unexplained_gaps(claimed, withheld, settled_ms)]
        unfilled += _unfilled(folder, symbol, ledger, trades[symbol].beyond_reach)
    return trades, bars, gaps, unfilled


def _unexplained_gaps(claimed: Spans, withheld: Spans, settled_ms: int) -> list[tuple[int, int]]:
    """What REST could not reach is proved or lost by the minute: a fault may excuse all of its own."""
    between = [(end, begin) for (_, end), (begin, _) in pairwise(claimed)]
    minutes = [
        (first // MINUTE_MS * MINUTE_MS, -(-last // MINUTE_MS) * MINUTE_MS) for first, last in withheld
    ]
    return [
        (end, begin)
        for end, begin in between
        if end < settled_ms and not any(first < begin and end < last for first, last in minutes)
    ]


def _unfilled(folder: Folder, symbol: str, ledger: Sequence[Trade], beyond: Sequence[Trade]) -> list[str]:
    minutes = {trade.time_ms // MINUTE_MS * MINUTE_MS for trade in beyond}
    if not minutes:
        return []
    bars = archived.bars(folder.archive, symbol, "1m")
    klines = {bar.time * 1000: bar for bar in klines_of(ledger, 60)}
    return [
        f"{symbol} {minute}"
        for minute in sorted(minutes)
        if minute not in bars or bars[minute].source == "ticks" or not same_bar(klines[minute], bars[minute])
    ]


def _connections(samples: Sequence[dict[str, Any]], faults: Sequence[dict[str, Any]]) -> Iterator[Figure]:
    reasons = reconnects(samples)
    told = ", ".join(f"{count} {reason}" for reason, count in reasons.most_common())
    yield Figure("reconnects", f"{reasons.total()}" + (f": {told}" if told else ""))
    yield _none("  without an injected fault", unexplained(samples, faults))
    yield Figure("longest time not live", f"{_longest_not_live(samples):.0f} s")


def _longest_not_live(samples: Sequence[dict[str, Any]]) -> float:
    longest, since = 0.0, None
    for sample in samples:
        if sample.get("live") == "live":
            since = None
            continue
        since = sample["at_ns"] if since is None else since
        longest = max(longest, (sample["at_ns"] - since) / 1e9)
    return longest


def _lags(samples: Sequence[dict[str, Any]], faults: Sequence[dict[str, Any]]) -> Iterator[Figure]:
    for stage, name in (("receipt", "to receipt"), ("archive", "to the archive")):
        for delayed in (False, True):
            buckets = lag_buckets(samples, faults, stage, delayed=delayed)  # type: ignore[arg-type]
            three = [percentile_ms(buckets, percent) for percent in (50, 95, 99)]
            told = " / ".join(map(_milliseconds, three)) + f" ms, n = {buckets.total():,}"
            if delayed:
                yield Figure("  while a fault delayed on purpose", told)
            else:
                bar = f"P95 <= {MOST_LAG_MS:g} ms" + (
                    f" (goal {GOAL_LAG_MS:g})" if stage == "receipt" else ""
                )
                yield Figure(f"lag {name}, P50 / P95 / P99", told, bar, three[1] <= MOST_LAG_MS)
    healths = [sample["health"] for sample in samples if sample.get("health", {}).get("lagMsP95") is not None]
    if healths:
        told = " / ".join(
            f"{median(each[name] for each in healths):.1f}" for name in ("lagMsP50", "lagMsP95", "lagMsP99")
        )
        yield Figure("lag as health says it (5 min, faults and all)", f"{told} ms, medians")
    errors = [
        abs(sample["health"]["clock"]["offsetMs"] - sample["true_offset_ms"])
        for sample in samples
        if sample.get("health", {}).get("clock", {}).get("offsetMs") is not None
    ]
    if errors:
        told = f"{median(errors):.2f} ms, at most {max(errors):.2f} ms"
        yield Figure("error of the venue's clock offset, median", told)


def _milliseconds(lag: float) -> str:
    return "> 5000" if math.isinf(lag) else f"{lag:.1f}"


def _process(samples: Sequence[dict[str, Any]]) -> Iterator[Figure]:
    if loads := [sample["load"] for sample in samples if "load" in sample]:
        cores = f"{os.cpu_count()} cores"
        yield Figure("load of the machine", f"{median(loads):.1f}, at most {max(loads):.1f}, on {cores}")
    used = memory(samples)
    yield Figure("memory, first and last decile", f"{used.first_decile:.1f}, {used.last_decile:.1f} MiB")
    yield Figure("  most", f"{used.peak:.1f} MiB")
    told = f"{used.growth:+.1f} MiB ({used.slope:+.1f} MiB an hour)"
    bar = f"<= {MOST_GROWTH_MIB:g} MiB"
    yield Figure("  growth of the second half", told, bar, used.growth <= MOST_GROWTH_MIB)
    timed = [sample for sample in samples if "cpu" in sample]
    wall = (timed[-1]["at_ns"] - timed[0]["at_ns"]) / 1e9
    yield Figure("share of one core", f"{(timed[-1]['cpu'] - timed[0]['cpu']) / max(wall, 1e-9):.3f}")


def _named(counts: dict[str, Any], name: str) -> list[str]:
    return [
        f"{symbol} {getattr(each, 'id', each)}"
        for symbol, one in counts.items()
        for each in getattr(one, name)
    ]


def _none(name: str, found: Sequence[str]) -> Figure:
    shown = ", ".join(
        f"{each} ({count})" if count > 1 else each for each, count in Counter(found).most_common(SHOWN)
    )
    return Figure(name, f"{len(found)}" + (f": {shown}" if found else ""), "0", not found)
