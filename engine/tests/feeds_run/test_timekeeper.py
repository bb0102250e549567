"""How often a venue is asked what time it is."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from spark_engine.feeds.clock.offset import Clock
from spark_engine.feeds.providers.registry import stream_provider
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.rest.errors import RestRefused
from spark_engine.feeds.run.pace import Pace
from spark_engine.feeds.run.timekeeper import keep_time
from spark_engine.feeds.settings import Endpoints


class Refusing:
    """REST that answers 403 at once."""

    async def get(self, request: Any, **_: Any) -> Any:
        raise RestRefused(request.url, 403, "Forbidden")


def test_a_venue_that_refuses_its_time_is_not_asked_four_times_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 20:
            raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    provider = stream_provider("btcturk-spot", Endpoints())
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(keep_time(Clock(), provider, cast(RestClient, Refusing()), lambda _: None, Pace()))
    assert set(waits) == {Pace().clock}
