"""What a scenario found, as values that go from one process to another."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.exchange import FakeExchange
from tests.feeds.audit import faults_of, held, lost
from tests.feeds.running import Running


@dataclass
class Outcome:
    """`archive`: what is not true in it, or missing. `state`: what the feed said that was not so. `failed`: a
    traceback. `recovery`: seconds from the fault's end until live data of a known whole again."""

    name: str
    archive: list[str] = field(default_factory=list)
    state: list[str] = field(default_factory=list)
    failed: str = ""
    recovery: float | None = None
    reconnects: Counter[str] = field(default_factory=Counter)
    trades: int = 0
    later: list[Callable[[], None]] = field(
        default_factory=list
    )  # reads archives: when nothing runs any more

    def expect(self, true: bool, what: str) -> None:
        if not true:
            self.state.append(what)


AT_ONCE = 13  # more would be late for their own seconds where a core has other work
STAGGER = 0.1  # seconds
Scenario = Callable[[Path, Outcome], Awaitable[None]]


async def play(scenarios: Mapping[str, Scenario], folder: Path) -> list[Outcome]:
    """So many at once as a slow machine carries."""
    outcomes = [Outcome(name) for name in scenarios]
    room = asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(
        *(
            _one(scenarios[outcome.name], folder / outcome.name, outcome, room, STAGGER * number)
            for number, outcome in enumerate(outcomes)
        )
    )
    for outcome in outcomes:
        _look(outcome)
    return outcomes


def _look(outcome: Outcome) -> None:
    looks, outcome.later = outcome.later, []
    try:
        for look in looks:
            look()
    except Exception:
        outcome.failed += traceback.format_exc()


async def _one(
    scenario: Scenario, folder: Path, outcome: Outcome, room: asyncio.Semaphore, after: float
) -> None:
    folder.mkdir(parents=True)
    await asyncio.sleep(after)
    async with room:
        try:
            async with asyncio.timeout(200):
                await scenario(folder, outcome)
        except Exception:  # one that fails must not hide the others
            outcome.failed = traceback.format_exc()


async def recovered(running: Running, outcome: Outcome, symbols: Sequence[str] | None = None) -> None:
    """Until the state is whole again, of all trades until now."""
    began = time.monotonic()
    await running.known_to(running.exchange.clock.now_ms(), None if symbols is None else tuple(symbols))
    outcome.recovery = time.monotonic() - began


def audit(
    exchange: FakeExchange,
    folder: Path,
    outcome: Outcome,
    symbols: Sequence[str],
    *,
    until_ms: int | None = None,
    whole_from_ms: int | None = None,
) -> None:
    """Later. `until_ms`: no trade until then may be missing at all. `whole_from_ms`: this minute must be
    COMPLETE, of ticks."""

    def look() -> None:
        for found in held(folder, symbols):
            outcome.trades += len(found.ticks)
            outcome.archive += faults_of(found, exchange.ledger)
            if not found.known:
                outcome.archive.append(f"{found.symbol}: nothing is known")
            if until_ms is not None:
                missing = lost(found, exchange.ledger, until_ms)
                outcome.archive += [f"{found.symbol}: {trade} was lost" for trade in missing]
                if len(found.known) != 1:
                    outcome.archive.append(f"{found.symbol}: known in pieces: {found.known}")
            if whole_from_ms is not None:
                whole = [bar for bar in found.minutes if bar.ts_ms == whole_from_ms]
                if not whole or whole[0].source != "ticks" or whole[0].quality:
                    outcome.archive.append(
                        f"{found.symbol}: minute {whole_from_ms}: {whole or found.minutes}"
                    )

    outcome.later.append(look)
