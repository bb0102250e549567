"""What is said of a wait for the venue."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from spark_engine.feeds.rest.errors import EventKind
from spark_engine.feeds.run.fetching import _Waits


@pytest.mark.parametrize("end", ["answered", "unavailable", "refused", "malformed"])
def test_a_request_that_is_over_gives_no_reason_for_the_next_wait(
    end: EventKind, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    waits = _Waits(told.append)

    async def at_once(_: float) -> Any:
        return None

    monkeypatch.setattr(asyncio, "sleep", at_once)
    events: tuple[EventKind, ...] = ("retried", end, "waited")
    for event in events:
        waits.event(event)
    asyncio.run(waits.sleep(30.0))
    assert told[0].startswith("the venue's limit of requests is used up: waiting until ")
