"""The series of a feed. Every label value is there from the start, and there are few: at most 300 a pod.

Counters and histograms hear of events (`pipeline.observer.Observer`, and the methods beside it); gauges are
set from the health at each scrape, so that series and health never disagree.
"""

# ruff: noqa: ARG002 - an observer is told the symbol also where one series counts them all

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final, Literal, TypeVar, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

from spark_engine.feeds.connection.state import CloseReason
from spark_engine.feeds.connection.subscriptions import Stage
from spark_engine.feeds.pipeline.observer import GapReason, LateAction
from spark_engine.feeds.rest.errors import EventKind
from spark_engine.feeds.serve.health import FeedHealth, SymbolHealth

StorageCause = Literal["full", "read_only", "denied", "unreachable", "corrupt", "locked", "other"]
LagStage = Literal["receipt", "archive"]

BTCTURK: Final = "btcturk-spot"
ALL: Final = "all"
SYMBOL_LABELS_MOST: Final = 40
"""With more symbols the series by symbol become one with symbol="all": sums, and of ages the greatest."""
OTHER: Final = "other"
MALFORMED: Final = ("frame", "body", "file", OTHER)
BTCTURK_LAG_MS: Final = (5, 10, 25, 50, 100, 150, 200, 250, 300, 500, 1000, 2500, 5000)
LAG_SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5)

T = TypeVar("T", Counter, Gauge, Histogram)


class FeedMetrics:
    """`registry` holds them; there is one a process. No method raises, whatever it is told."""

    def __init__(self, provider: str, symbols: Iterable[str]) -> None:
        # Twice the series, and no use: a restart shows in the counter itself
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        listed = tuple(symbols)
        self._by_symbol = len(listed) <= SYMBOL_LABELS_MOST
        self._symbols = listed if self._by_symbol else (ALL,)
        self._add_counters()
        self._add_gauges()
        self._btcturk = _BtcTurk(self.registry, self._symbols) if provider == BTCTURK else None

    def on_tick(self, symbol: str, lag_ms: float) -> None:
        """A new trade from the socket, `lag_ms` after it happened."""
        self._add(self._ticks, symbol)
        self.on_lag("receipt", lag_ms)
        if self._btcturk is not None:
            self._add(self._btcturk.ticks, symbol)
            if math.isfinite(lag_ms):
                self._btcturk.lag.observe(lag_ms)

    def on_lag(self, stage: LagStage, lag_ms: float) -> None:
        """From a trade to its receipt, or to its acknowledgement by the archive."""
        if math.isfinite(lag_ms):
            self._lag[stage].observe(lag_ms / 1000)

    def on_reconnect(self, reason: CloseReason) -> None:
        """A connection ended, or could not begin, and another attempt follows."""
        self._reconnects[reason].inc()
        if self._btcturk is not None:
            self._btcturk.reconnects[reason].inc()

    def on_duplicates(self, symbol: str, count: int) -> None:
        self._duplicates.inc(count)

    def on_reordered(self, symbol: str, count: int) -> None:
        self._reordered.inc(count)

    def on_gap(self, symbol: str, reason: GapReason, length_ms: int) -> None:
        self._gaps[reason].inc()
        self._add(self._gap_seconds, symbol, max(length_ms, 0) / 1000)

    def on_recovered(self, symbol: str, ticks: int) -> None:
        self._recovered.inc(ticks)

    def on_filled(self, symbol: str, bars: int) -> None:
        self._backfilled.inc(bars)

    def on_late(self, symbol: str, action: LateAction) -> None:
        self._late[action].inc()

    def on_sequence_break(self, symbol: str) -> None:
        self._sequence_breaks.inc()

    def on_malformed(self, kind: str) -> None:
        """Of another kind than `MALFORMED` has: counted as other."""
        self._malformed.get(kind, self._malformed[OTHER]).inc()

    def on_notice(self, kind: str) -> None:
        """Kinds are the venue's own and no label: a log tells them."""
        self._notices.inc()

    def on_rest(self, kind: EventKind) -> None:
        self._rest[kind].inc()

    def on_storage_error(self, cause: StorageCause) -> None:
        self._storage_errors[cause].inc()

    def update(self, health: FeedHealth) -> None:
        """Sets every gauge to what the feed says of itself now."""
        self._ws_up.set(health.ws_up)
        self._fresh.set(health.fresh)
        self._offset.set(_seconds(health.offset_ms))
        self._offset_bound.set(_seconds(health.offset_bound_ms))
        self._drift.set(math.nan if health.drift_ppm is None else health.drift_ppm)
        self._queue_depth.set(health.queue_depth)
        self._archive_commit.set(health.archive.commit)
        self._journal_rows.set(health.archive.journal_rows)
        self._last_flush.set((health.archive.last_flush_ms or 0) / 1000)
        for stage, child in self._stages.items():
            child.set(sum(each.state is stage for each in health.symbols))
        self._update_ages(health.symbols)
        if self._btcturk is not None:
            self._btcturk.up.set(health.ws_up)

    def _update_ages(self, symbols: tuple[SymbolHealth, ...]) -> None:
        if not self._by_symbol:
            self._age[ALL].set(max((_age(each) for each in symbols), default=math.inf))
            return
        for each in symbols:
            if each.symbol in self._age:
                self._age[each.symbol].set(_age(each))

    def _add(self, children: dict[str, Counter], symbol: str, amount: float = 1) -> None:
        """A symbol that is not the feed's gets no series: labels come from the spec alone."""
        child = children.get(symbol if self._by_symbol else ALL)
        if child is not None:
            child.inc(amount)

    def _add_counters(self) -> None:
        self._ticks = self._counters("feed_ticks", "New trades from the socket.", "symbol", self._symbols)
        self._lag = self._children(
            Histogram(
                "feed_lag_seconds",
                "From a trade to its receipt, and to its place in the archive; clock error taken out.",
                ("stage",),
                buckets=LAG_SECONDS,
                registry=self.registry,
            ),
            get_args(LagStage),
        )
        self._reconnects = self._counters(
            "feed_reconnects", "Ends of connections, and attempts in vain, by why.", "reason", CloseReason
        )
        self._gaps = self._counters(
            "feed_gaps",
            "Times of which not every trade was known, by how it was seen.",
            "reason",
            get_args(GapReason),
        )
        self._gap_seconds = self._counters(
            "feed_gap_seconds",
            "Length of these times together, filled ones included.",
            "symbol",
            self._symbols,
        )
        self._recovered = self._counter("feed_recovered_ticks", "Trades that only REST or a snapshot had.")
        self._backfilled = self._counter("feed_backfill_bars", "Candles from the venue's history.")
        self._late = self._counters(
            "feed_late_ticks", "Trades of a closed bar, by what became of it.", "action", get_args(LateAction)
        )
        self._duplicates = self._counter("feed_duplicates", "Trades that came again, and were left out.")
        self._reordered = self._counter("feed_reordered", "Trades that came after a later one.")
        self._sequence_breaks = self._counter("feed_sequence_breaks", "Books that lost messages.")
        self._malformed = self._counters(
            "feed_parse_errors", "What is not as the venue's protocol says.", "type", MALFORMED
        )
        self._notices = self._counter("feed_notices", "Frames without market data.")
        self._rest = self._counters(
            "feed_rest_events", "What became of requests over REST.", "event", get_args(EventKind)
        )
        self._storage_errors = self._counters(
            "feed_storage_errors",
            "Failures of the archive or its journal, by cause.",
            "cause",
            get_args(StorageCause),
        )

    def _add_gauges(self) -> None:
        self._ws_up = self._gauge("feed_ws_up", "1 while the venue's socket is open.")
        self._fresh = self._gauge("feed_fresh", "1 while there are live data within staleAfter.")
        self._age = self._gauges(
            "feed_last_message_age_seconds",
            "Since a symbol's last message; +Inf before the first.",
            "symbol",
            self._symbols,
        )
        self._stages = self._gauges(
            "feed_subscription_state", "Symbols by the worst state of their channels.", "state", Stage
        )
        self._offset = self._gauge("feed_clock_offset_seconds", "Clock of the venue minus the host's.")
        self._offset_bound = self._gauge("feed_clock_offset_bound_seconds", "Greatest error of the offset.")
        self._drift = self._gauge("feed_clock_drift_ppm", "How fast the offset grows, in millionths.")
        self._queue_depth = self._gauge("feed_queue_depth", "Frames received and not yet worked on.")
        self._archive_commit = self._gauge("feed_archive_commit", "Highest commit of any series.")
        self._journal_rows = self._gauge("feed_archive_journal_rows", "Rows acknowledged, in no file yet.")
        self._last_flush = self._gauge(
            "feed_archive_last_flush_timestamp_seconds", "Last flush that succeeded; 0 before the first."
        )
        for child in self._age.values():
            child.set(math.inf)
        for gauge in (self._offset, self._offset_bound, self._drift):
            gauge.set(math.nan)  # not known is not 0

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)

    def _counters(self, name: str, text: str, label: str, values: Iterable[str]) -> dict[str, Counter]:
        return self._children(Counter(name, text, (label,), registry=self.registry), values)

    def _gauges(self, name: str, text: str, label: str, values: Iterable[str]) -> dict[str, Gauge]:
        return self._children(Gauge(name, text, (label,), registry=self.registry), values)

    def _children(self, metric: T, values: Iterable[str]) -> dict[str, T]:
        return {value: metric.labels(value) for value in values}


class _BtcTurk:
    """The series that the requirements name (G14 to G17)."""

    def __init__(self, registry: CollectorRegistry, symbols: Iterable[str]) -> None:
        self.up = Gauge("btcturk_ws_up", "1 while the socket of BTCTurk is open.", registry=registry)
        ticks = Counter("btcturk_ticks", "New trades from the socket.", ("symbol",), registry=registry)
        self.ticks = {symbol: ticks.labels(symbol) for symbol in symbols}
        reconnects = Counter(
            "btcturk_reconnects",
            "Ends of connections, and attempts in vain, by why.",
            ("reason",),
            registry=registry,
        )
        self.reconnects = {reason: reconnects.labels(reason) for reason in CloseReason}
        self.lag = Histogram(
            "btcturk_ws_lag_ms",
            "From a trade to its receipt, clock error taken out, in milliseconds.",
            buckets=BTCTURK_LAG_MS,
            registry=registry,
        )


def _seconds(ms: float | None) -> float:
    return math.nan if ms is None else ms / 1000


def _age(symbol: SymbolHealth) -> float:
    age = symbol.last_message_age_ms
    return math.inf if age is None else age / 1000
