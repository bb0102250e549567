"""The host's clock is set while a feed runs."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.feeds.audit import faults_of, held
from tests.feeds.running import SYMBOLS, live

HOUR_NS = 3_600_000_000_000


@pytest.mark.parametrize("by_ns", [HOUR_NS, -HOUR_NS])
def test_a_host_whose_clock_is_set_makes_no_feed_claim_what_it_cannot_know(
    by_ns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unset = time.time_ns

    async def scenario() -> None:
        async with live(tmp_path, "set") as (venue, running, _):
            monkeypatch.setattr(time, "time_ns", lambda: unset() + by_ns)
            later_ms = venue.clock.now_ms() + 4_000
            await running.until(lambda _: venue.clock.now_ms() > later_ms, "four seconds")
            await running.known_to(later_ms)
            offset_ms = running.feed.health.offset_ms
            true_ms = (venue.clock.now_ns() - time.time_ns()) / 1e6
        end_ms = venue.clock.now_ms()
        for found in held(tmp_path, SYMBOLS):
            assert max(span.to_ms for span in (*found.known, *found.bars_known)) <= end_ms
            assert faults_of(found, venue.ledger) == []
        assert offset_ms == pytest.approx(true_ms, abs=500)

    asyncio.run(scenario())
