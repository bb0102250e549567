"""One scenario for each fault of the exchange, and for sequences of them by chance."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from spark_engine.feeds.connection.subscriptions import Stage
from spark_engine.feeds.provider import Channel

from tests.exchange import FAULTS, Fault, FaultRecord, faults, random_script
from tests.feeds.outcome import Outcome, Scenario, audit, recovered
from tests.feeds.running import SYMBOLS, Running, live, reconnects_in

Reasons = Mapping[str, int]
LAST_SECOND = 64.0  # of the minute that is whole: its bar is closed by then
SEEDS = ("first", "second", "third", "fourth", "fifth")


@dataclass(frozen=True)
class Case:
    """down: for so long that it is seen.
    faults: together. least, most: reconnects by reason; `counted` adds those of refused handshakes.
    always_fresh: no fault of the socket. measured: by how much counters must have risen, at least, at most.
    trades: made while the faults hold, at once, beside those that chance brings."""

    faults: tuple[Fault, ...]
    least: Reasons | None = None
    most: Reasons | None = None
    counted: str = ""
    always_fresh: bool = False
    down: bool = False
    measured: Mapping[str, tuple[float, float]] | None = None
    channels: tuple[Channel, ...] = ("ticker", "trade")
    symbols: tuple[str, ...] = SYMBOLS
    at_second: float | None = None
    whole: bool = True
    trades: int = 0


def _rest(fault: Fault) -> Case:
    return Case((fault,), always_fresh=True)


def _measured(fault: Fault, counter: str, least: float, most: float = 1e9, trades: int = 0) -> Case:
    return Case((fault,), measured={counter: (least, most)}, always_fresh=True, trades=trades)


DROP = faults.DropWithoutClose()
BOOKS: tuple[Channel, ...] = ("ticker", "trade", "obdiff")
CASES: dict[str, Case] = {
    "CutMidFrame": Case((faults.CutMidFrame(kind=422),), {"dropped": 1}, {}),
    "CleanClose": Case((faults.CleanClose(),), {"closed_by_peer": 1}, {}),
    "DropWithoutClose": Case((faults.DropWithoutClose(with_reset=True),), {"dropped": 1}, {}),
    "Silence": Case((faults.Silence(seconds=12),), {"stale_channel": 1}, {}),
    "HalfOpen": Case((faults.HalfOpen(seconds=12),), {}, {"stale_channel": 1, "stalled": 1}),
    "SlowDrip": Case((faults.SlowDrip(),)),
    "StopsReading": Case((faults.StopsReading(seconds=2),), always_fresh=True),
    "HandshakeTooMany": Case(
        (faults.HandshakeTooMany(seconds=2.5), DROP), {"dropped": 1}, {}, "refused_429", down=True
    ),
    "HandshakeUnavailable": Case(
        (faults.HandshakeUnavailable(seconds=2), DROP), {"dropped": 1}, {}, "refused_5xx", down=True
    ),
    "Refused": Case(
        (faults.Refused(seconds=4, rest=True),),
        {"dropped": 1, "unreachable": 1},
        {"unreachable": 99},
        down=True,
    ),
    "RestTooMany": _rest(faults.RestTooMany(seconds=3)),
    "RestError": _rest(faults.RestError(seconds=3)),
    "RestFailureWith200": _rest(faults.RestFailureWith200(seconds=3)),
    "RestHang": _rest(faults.RestHang(seconds=3)),
    "RestTruncated": _rest(faults.RestTruncated(seconds=3)),
    "UnequalKlines": Case((faults.UnequalKlines(seconds=5),), always_fresh=True, at_second=0.0),
    "WrongServerTime": Case((faults.WrongServerTime(seconds=1.5),), always_fresh=True, at_second=0.5),
    "ClockStep": Case((faults.ClockStep(by_ms=400),), always_fresh=True),
    "ClockDrift": Case((faults.ClockDrift(seconds=20),), always_fresh=True),
    "FutureTrades": Case((faults.FutureTrades(),), always_fresh=True),
    "ReorderedTimes": Case((faults.ReorderedTimes(),), always_fresh=True),
    "Midnight": Case((faults.Midnight(),), always_fresh=True, whole=False),
    "DuplicateTrades": _measured(faults.DuplicateTrades(), "feed_duplicates_total", 3, 3, trades=3),
    "ReorderedTrades": _measured(faults.ReorderedTrades(seconds=1.5), "feed_reordered_total", 1, trades=3),
    "MissingTrades": Case(
        (faults.MissingTrades(),),
        {},
        {"stale_channel": 1},
        measured={"feed_recovered_ticks_total": (3, 20)},
        trades=3,
    ),
    "DeadTradeChannel": Case(
        (faults.DeadTradeChannel(seconds=10),), {"stale_channel": 1}, {"stale_channel": 2}
    ),
    "BookSkip": Case(
        (faults.BookSkip(),),
        measured={"feed_sequence_breaks_total": (1, 1)},
        always_fresh=True,
        channels=BOOKS,
    ),
    "BookDuplicate": Case(
        (faults.BookDuplicate(),),
        measured={"feed_sequence_breaks_total": (0, 0)},
        always_fresh=True,
        channels=BOOKS,
    ),
    "GarbageText": _measured(faults.GarbageText(), 'feed_parse_errors_total{type="frame"}', 5),
    "InvalidUtf8": _measured(faults.InvalidUtf8(), 'feed_parse_errors_total{type="frame"}', 1, 1),
    "BinaryFrame": _measured(faults.BinaryFrame(), 'feed_parse_errors_total{type="frame"}', 1, 2),
    "GiantTickerAll": Case((faults.GiantTickerAll(),), always_fresh=True),
    "GiantFrame": Case((faults.GiantFrame(),), {"protocol": 1}, {}),
    "UnknownType": _measured(faults.UnknownType(), "feed_notices_total", 3),
    "WrongPair": _measured(faults.WrongPair(), "feed_notices_total", 2),
    "NotANumber": _measured(faults.NotANumber(), 'feed_parse_errors_total{type="frame"}', 10),
    "Delisted": Case((faults.Delisted(seconds=25),), {}, {"stale_channel": 1}),
    "Maintenance": Case(
        (faults.Maintenance(seconds=2),), {"closed_by_peer": 1}, {}, "refused_5xx", down=True
    ),
    "SubscriptionIgnored": Case(
        (faults.SubscriptionIgnored(seconds=2), DROP), {"dropped": 1}, {"stale_channel": 2}
    ),
    "SubscriptionRefused": Case(
        (faults.SubscriptionRefused(seconds=2), DROP), {"dropped": 1}, {"stale_channel": 2}
    ),
}  # fmt: skip


def scenarios() -> dict[str, Scenario]:
    alone = {kind.__name__: kind for kind in FAULTS}
    found: dict[str, Scenario] = {
        name: partial(_alone, CASES[name], number) for number, name in enumerate(alone)
    }
    return found | {f"random-{seed}": partial(_sequence, seed) for seed in SEEDS}


async def _alone(case: Case, number: int, folder: Path, outcome: Outcome) -> None:
    async with live(folder, number, case.symbols, case.channels) as (venue, running, begin_ms):
        await running.venue_second(3.0 + number % 12 if case.at_second is None else case.at_second)
        before = await running.metrics()
        since = len(running.samples)
        records = [await venue.inject(fault) for fault in case.faults]
        for _ in range(case.trades):
            await venue.trade(case.symbols[0])
        for record in records:
            await record.ended()
        await recovered(running, outcome)
        whole_to_ms = venue.clock.now_ms()
        await asyncio.sleep(max(0.0, (begin_ms - whole_to_ms) / 1000 + LAST_SECOND))
        await _state(case, running, outcome, records, before, since)
        end_ms = venue.clock.now_ms() - 3_000
    whole = begin_ms if case.whole else None
    audit(venue, folder, outcome, case.symbols, until_ms=end_ms, whole_from_ms=whole)


async def _sequence(seed: str, folder: Path, outcome: Outcome) -> None:
    async with live(folder, seed) as (venue, running, begin_ms):
        await running.venue_second(2.0)
        await venue.play(random_script(seed, 12, SYMBOLS))
        await recovered(running, outcome)
        await asyncio.sleep(max(0.0, (begin_ms - venue.clock.now_ms()) / 1000 + LAST_SECOND))
        outcome.reconnects = await running.reconnects()
        document = await running.document()
        outcome.expect(document["wsUp"] and document["fresh"], f"at the end: {document}")
        outcome.expect(document["gaps"] == 0, f"{document['gaps']} gaps")
        outcome.expect(outcome.reconnects.total() == document["reconnects"], "counts of reconnects differ")
        end_ms = venue.clock.now_ms() - 3_000
    audit(venue, folder, outcome, SYMBOLS, until_ms=end_ms, whole_from_ms=begin_ms)


async def _state(
    case: Case,
    running: Running,
    outcome: Outcome,
    records: Sequence[FaultRecord],
    before: Mapping[str, float],
    since: int,
) -> None:
    """What the feed said during the fault and says after it."""
    expect = outcome.expect
    metrics, earlier = await running.metrics(), reconnects_in(before)
    found = outcome.reconnects = reconnects_in(metrics) - earlier
    least = Counter(case.least or {})
    if case.counted:
        least[case.counted] = sum(record.counts["handshakes"] for record in records)
    most = least | Counter(case.most or {})
    expect(least <= found <= most, f"reconnects {dict(found)}; {dict(least)} to {dict(most)} happened")
    samples = [health for _, health in running.samples[since:]]
    fresh = all(health.fresh for health in samples)
    expect(fresh or not case.always_fresh, "not fresh, though data came all the time")
    expect(not case.down or any(not health.ws_up for health in samples), "never said to be down")
    expect(all(health.ws_up or not health.fresh for health in samples), "fresh without a connection")
    expect(all(health.failure is None for health in samples), "a failure")
    document = await running.document()
    expect(document["wsUp"] is True and document["fresh"] is True, f"at the end: {document}")
    expect(document["reconnects"] == (earlier + found).total(), f"{document['reconnects']} reconnects")
    expect(document["gaps"] == 0, f"{document['gaps']} gaps, though nothing was lost")
    expect(all(one["state"] == Stage.LIVE for one in document["symbols"]), f"{document['symbols']}")
    expect((await running.get("/readyz"))[0] == 200, "not ready at the end")
    expect((await running.get("/healthz"))[0] == 200, "not healthy at the end")
    expect(metrics["btcturk_ws_up"] == 1, "btcturk_ws_up")
    for name, (low, high) in (case.measured or {}).items():
        risen = metrics[name] - before[name]
        expect(low <= risen <= high, f"{name} rose by {risen:g}, not {low:g} to {high:g}")
