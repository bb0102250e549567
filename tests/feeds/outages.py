"""Scenarios that are no single fault of the exchange: what is lost for good, restarts, a venue away."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random

from spark_engine.data.archive.segment import SOURCES
from spark_engine.feeds.candles.coverage import IntervalSet
from spark_engine.feeds.connection.subscriptions import Stage
from spark_engine.feeds.market import Quality

from tests.exchange import Activity, Clock, FakeExchange, faults
from tests.exchange.stories import HELD
from tests.feeds.audit import held
from tests.feeds.outcome import Outcome, Scenario, audit, recovered
from tests.feeds.process import Process
from tests.feeds.running import BEFORE_MINUTE, SYMBOLS, Running, exchange, live

TRADES = "/api/v2/trades"
LOST = 80  # more than the 50 that the venue tells at most


def scenarios() -> dict[str, Scenario]:
    return {
        "more trades than the venue tells": _more_than_told,
        "rest while the socket is refused": _rest_alone,
        "trades lost on a live socket": _lost_on_a_live_socket,
        "a trade that nobody ever told": _never_told,
        "midnight by hand": _midnight,
        "restart": _restart,
        "restart after a kill in a gap": _killed_in_a_gap,
        "venue away at start": _away_at_start,
        "unknown symbol": _unknown,
        "delisted for good": _delisted,
        "process killed": _process_killed,
    }


async def _more_than_told(folder: Path, outcome: Outcome) -> None:
    async with live(folder, "gap") as (venue, running, begin_ms):
        await running.venue_second(15.0)
        lost_ms = await _lose(venue, running)
        await recovered(running, outcome)
        document = await running.document()
        metrics = await running.metrics()
        await _until(venue, begin_ms + 66_000)
    outcome.expect(document["gaps"] == len(SYMBOLS), f"{document['gaps']} gaps were counted, not one each")
    counted = metrics['feed_gaps_total{reason="snapshot"}']
    outcome.expect(counted == len(SYMBOLS), f"{counted} gaps in the metric")
    audit(venue, folder, outcome, SYMBOLS)
    outcome.later.append(partial(_filled, folder, outcome, begin_ms, lost_ms, SYMBOLS))


async def _lose(venue: FakeExchange, running: Running) -> int:
    """Trades that nobody can tell any more. When they were made. REST comes back when the snapshot of the
    next socket has shown the gap."""
    blind = await venue.inject(faults.RestError(HELD))
    refused = await venue.inject(faults.Refused(HELD))
    await running.until(lambda health: not health.ws_up, "the connection is lost")
    lost_ms = venue.clock.now_ms()
    for symbol in SYMBOLS:
        for _ in range(LOST):
            await venue.trade(symbol)
    await refused.let_go()
    await running.until(lambda health: health.gaps >= len(SYMBOLS), "the gaps are seen")
    await blind.let_go()
    return lost_ms


def _filled(folder: Path, outcome: Outcome, begin_ms: int, lost_ms: int, symbols: tuple[str, ...]) -> None:
    """The bar of the minute came from history, the ticks are not claimed."""
    for found in held(folder, symbols):
        claimed = IntervalSet(found.known).covered(lost_ms, lost_ms + 1)
        outcome.expect(not claimed, f"{found.symbol}: {found.known} claims {lost_ms}")
        (bar,) = (bar for bar in found.minutes if bar.ts_ms == begin_ms)
        outcome.expect(bar.quality is Quality.COMPLETE, f"{bar}")
        outcome.expect(bar.source in set(SOURCES) - {"ticks"}, f"{bar}")
        known = IntervalSet(found.bars_known).covered(begin_ms, begin_ms + 60_000)
        outcome.expect(known, f"{found.symbol}: {found.bars_known} lacks {begin_ms}")


async def _rest_alone(folder: Path, outcome: Outcome) -> None:
    """Far more trades than a snapshot holds, none lost: REST goes on where the socket does not."""
    symbols = ("BTCTRY",)
    async with live(folder, "rest", symbols) as (venue, running, begin_ms):
        await running.venue_second(5.0)
        record = await venue.inject(faults.HandshakeUnavailable(HELD))
        await venue.inject(faults.DropWithoutClose())
        await running.until(lambda health: not health.ws_up, "the connection is lost")
        outcome.expect((await running.get("/readyz"))[0] == 503, "ready without a socket")
        outcome.expect((await running.get("/healthz"))[0] == 200, "a restart would not help")
        for _ in range(5):
            for _ in range(20):
                await venue.trade("BTCTRY")
            await _asked_over_rest(venue, running)
        await record.let_go()
        await recovered(running, outcome)
        outcome.expect(running.feed.health.gaps == 0, f"{running.feed.health.gaps} gaps")
        await _until(venue, begin_ms + 64_000)
        end_ms = venue.clock.now_ms() - 3_000
    audit(venue, folder, outcome, symbols, until_ms=end_ms, whole_from_ms=begin_ms)


async def _asked_over_rest(venue: FakeExchange, running: Running) -> None:
    """Until trades have been asked for that were made before."""
    begun = venue.rest.requests.count(TRADES)
    await running.until(lambda _: venue.rest.requests.count(TRADES) >= begun + 2, "REST is asked for trades")


async def _lost_on_a_live_socket(folder: Path, outcome: Outcome) -> None:
    """Nothing but the ticker lives, and more trades are made than anybody can tell later."""
    async with live(folder, "dead") as (venue, running, begin_ms):
        await running.venue_second(10.0)
        blind = await venue.inject(faults.RestError(HELD))
        await venue.inject(faults.DeadTradeChannel(seconds=30))
        await asyncio.sleep(1.0)
        for symbol in SYMBOLS:
            for _ in range(LOST):
                await venue.trade(symbol)
        await asyncio.sleep(2.0)
        await blind.let_go()
        await recovered(running, outcome)
        outcome.expect(running.feed.health.gaps >= len(SYMBOLS), f"{running.feed.health.gaps} gaps")
        await _until(venue, begin_ms + 66_000)
    audit(venue, folder, outcome, SYMBOLS)
    outcome.later.append(partial(_merged, folder, outcome, begin_ms))


async def _never_told(folder: Path, outcome: Outcome) -> None:
    """One trade is missing on a live socket, and REST does not reach back to it when it is next asked: only
    the venue's bar shows it."""
    symbols = ("BTCTRY",)
    async with live(folder, "untold", symbols) as (venue, running, begin_ms):
        await running.venue_second(15.0)
        blind = await venue.inject(faults.RestError(HELD))
        record = await venue.inject(faults.MissingTrades(count=1))
        for _ in range(LOST):
            await venue.trade("BTCTRY")
        await asyncio.sleep(2.0)
        await blind.let_go()
        await recovered(running, outcome)
        await _until(venue, begin_ms + 66_000)
        document = await running.document()
    ((_, lost_id),) = record.trades
    (lost_ms,) = (trade.time_ms for trade in venue.ledger.trades("BTCTRY") if trade.id == lost_id)
    outcome.expect(document["gaps"] > 0, "no gap was counted")
    outcome.expect(document["reconnects"] == 0, f"{document['reconnects']} reconnects")
    audit(venue, folder, outcome, symbols)
    outcome.later.append(partial(_filled, folder, outcome, begin_ms, lost_ms, symbols))


def _merged(folder: Path, outcome: Outcome, begin_ms: int) -> None:
    for found in held(folder, SYMBOLS):
        (bar,) = (bar for bar in found.minutes if bar.ts_ms == begin_ms)
        outcome.expect(bar.quality is Quality.COMPLETE and bar.source == "merged", f"{bar}")


async def _midnight(folder: Path, outcome: Outcome) -> None:
    clock = Clock(at=datetime(2026, 3, 28, 23, 58, 54, tzinfo=UTC), manual=True)
    async with exchange(seed="midnight", clock=clock) as venue:
        going = asyncio.create_task(_advance(venue))
        async with Running(venue, folder) as running:
            await running.live()
            midnight_ms = 1_774_742_400_000  # 2026-03-29T00:00:00Z
            await _until(venue, midnight_ms + 5_000)
            await recovered(running, outcome)
            end_ms = venue.clock.now_ms() - 3_000
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
        audit(venue, folder, outcome, SYMBOLS, until_ms=end_ms, whole_from_ms=midnight_ms - 60_000)
        outcome.later.append(partial(_two_days, folder, outcome, midnight_ms))


def _two_days(folder: Path, outcome: Outcome, midnight_ms: int) -> None:
    for found in held(folder, SYMBOLS):
        (last,) = (bar for bar in found.fives if bar.ts_ms == midnight_ms - 300_000)
        outcome.expect(last.close == found.minutes[-1].close, "the last five minutes of the day")
        days = {path.name for path in (folder / "archive/btcturk-spot" / found.symbol / "trades").iterdir()}
        outcome.expect({"2026-03-28", "2026-03-29"} <= days, f"{days}")


async def _advance(venue: FakeExchange) -> None:
    """As fast as the host's clock."""
    began, start_ns = time.monotonic(), venue.clock.now_ns()
    while True:
        await asyncio.sleep(0.02)
        due = (time.monotonic() - began) - (venue.clock.now_ns() - start_ns) / 1e9
        await venue.advance(max(due, 0.0))


async def _restart(folder: Path, outcome: Outcome) -> None:
    async with live(folder, "restart") as (venue, running, begin_ms):
        for second in (15.0, 30.0):
            await _until(venue, begin_ms + round(second * 1000))
            await running.stop()
            await asyncio.sleep(3.0)
            running.start()
            await running.live()
        await recovered(running, outcome)
        outcome.expect(running.feed.health.gaps == 0, f"{running.feed.health.gaps} gaps")
        await _until(venue, begin_ms + 64_000)
        end_ms = venue.clock.now_ms() - 3_000
    audit(venue, folder, outcome, SYMBOLS, until_ms=end_ms, whole_from_ms=begin_ms)


async def _killed_in_a_gap(folder: Path, outcome: Outcome) -> None:
    """What was missing when the feed stopped is asked for by the next one."""
    async with live(folder, "killed") as (venue, running, begin_ms):
        await running.venue_second(20.0)
        lost_ms = await _lose(venue, running)
        await recovered(running, outcome)
        await asyncio.sleep(3.0)
        await running.stop()
        running.start()
        await running.live()
        await _until(venue, begin_ms + 66_000)
    audit(venue, folder, outcome, SYMBOLS)
    outcome.later.append(partial(_filled, folder, outcome, begin_ms, lost_ms, SYMBOLS))


async def _away_at_start(folder: Path, outcome: Outcome) -> None:
    async with exchange(seed="away", seconds_to_minute=BEFORE_MINUTE + 6) as venue:
        record = await venue.inject(faults.Maintenance(HELD, trading=True))
        async with Running(venue, folder) as running:
            await running.until(lambda health: "503" in (health.problem or ""), "a problem")
            document = await running.document()
            outcome.expect("503" in (document["problem"] or ""), f"{document}")
            outcome.expect(not document["wsUp"] and not document["fresh"], "up without a venue")
            status, body = await running.get("/readyz")
            outcome.expect(status == 503 and "503" in body, body)
            outcome.expect((await running.get("/healthz"))[0] == 200, "a restart would not help")
            outcome.expect((await running.metrics())["btcturk_ws_up"] == 0, "btcturk_ws_up")
            await record.let_go()
            await recovered(running, outcome)
            outcome.expect((await running.document())["problem"] is None, "a problem that is over")
            begin_ms = -(-venue.clock.now_ms() // 60_000) * 60_000
            await _until(venue, begin_ms + 64_000)
            end_ms = venue.clock.now_ms() - 3_000
        audit(venue, folder, outcome, SYMBOLS, until_ms=end_ms, whole_from_ms=begin_ms)


async def _unknown(folder: Path, outcome: Outcome) -> None:
    async with exchange(seed="unknown", seconds_to_minute=BEFORE_MINUTE) as venue:
        async with Running(venue, folder, ("BTCTRY", "BTCTRYY")) as running:
            await running.known_to(venue.clock.now_ms(), ("BTCTRY",))
            told = [line for line in running.reports if "spec.symbols" in line]
            outcome.expect(len(told) == 1 and "did you mean BTCTRY" in told[0], f"{running.reports}")
            states = {one["symbol"]: one["state"] for one in (await running.document())["symbols"]}
            outcome.expect(states == {"BTCTRY": Stage.LIVE, "BTCTRYY": Stage.REFUSED}, f"{states}")
            await asyncio.sleep(3.0)
            end_ms = venue.clock.now_ms() - 3_000
        audit(venue, folder, outcome, ("BTCTRY",), until_ms=end_ms)


async def _delisted(folder: Path, outcome: Outcome) -> None:
    """One pair ends for ever; the other is disturbed once at most."""
    async with live(folder, "delisted") as (venue, running, begin_ms):
        await running.venue_second(5.0)
        await venue.inject(faults.Delisted(symbol="BTCTRY"))
        await asyncio.sleep(30.0)
        await recovered(running, outcome, ("ETHTRY",))
        outcome.reconnects = await running.reconnects()
        outcome.expect(outcome.reconnects.total() <= 1, f"{outcome.reconnects}")
        states = {one["symbol"]: one["state"] for one in (await running.document())["symbols"]}
        outcome.expect(states["ETHTRY"] == Stage.LIVE != states["BTCTRY"], f"{states}")
        await _until(venue, begin_ms + 64_000)
        end_ms = venue.clock.now_ms() - 3_000
    audit(venue, folder, outcome, ("ETHTRY",), until_ms=end_ms, whole_from_ms=begin_ms)
    audit(venue, folder, outcome, ("BTCTRY",))


async def _process_killed(folder: Path, outcome: Outcome) -> None:
    """`backtest feed run` as a process, killed in the middle of its work, three times, at its own pace."""
    chance = Random("killed")  # noqa: S311
    async with exchange(
        seed="process",
        seconds_to_minute=BEFORE_MINUTE,
        period_scale=1.0,
        limits=False,
        activity=Activity(per_minute=30.0, quiet=0.0, burst=0.0),  # fifty are told: of 80 seconds
    ) as venue:
        process = Process(venue, folder)
        begin_ms = -(-venue.clock.now_ms() // 60_000) * 60_000
        for _ in range(3):
            await process.start()
            await process.until(lambda health: bool(health["fresh"]), "fresh")
            await asyncio.sleep(chance.uniform(2.0, 6.0))
            await process.kill()
        await process.start()
        began = time.monotonic()
        await process.until(lambda health: bool(health["fresh"]), "fresh")
        outcome.recovery = time.monotonic() - began
        end_ms = venue.clock.now_ms()
        await _until(venue, max(begin_ms + 75_000, end_ms + 5_000))
        document = await process.document()
        outcome.expect(document["gaps"] == 0, f"{document['gaps']} gaps")
        outcome.failed += await process.end()
        audit(venue, folder, outcome, SYMBOLS, until_ms=end_ms)


async def _until(venue: FakeExchange, time_ms: int) -> None:
    """By the venue's clock."""
    while venue.clock.now_ms() < time_ms:
        await asyncio.sleep(max(0.02, (time_ms - venue.clock.now_ms()) / 1000))
