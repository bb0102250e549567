"""What a person is told while the venue does not say what it trades."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.providers.registry import stream_provider
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.run.health import Vitals
from spark_engine.feeds.run.keeper import Keeper
from spark_engine.feeds.run.preparing import Preparation
from spark_engine.feeds.settings import Endpoints, FeedSettings

from engine.tests.feeds_rest.conftest import answering, reply_bytes


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        (reply_bytes(b"maintenance", "503 Service Unavailable\r\nRetry-After: 3600"), "503: maintenance"),
        (reply_bytes(b"", "429 Too Many Requests\r\nRetry-After: 3600"), "room in 60 min"),
    ],
    ids=["maintenance", "too many"],
)
def test_a_venue_that_is_away_for_an_hour_is_named_at_once_and_left_alone_for_it(
    refusal: bytes, words: str
) -> None:
    told: list[str] = []
    waits: list[float] = []

    class Waits(Backoff):
        def delay(self, *, floor: float = 0.0) -> float:
            waits.append(super().delay(floor=floor))
            return waits[-1]

    async def scenario() -> None:
        async with answering(refusal) as server:
            address = server.url.removesuffix("/api/v2/thing")
            settings = FeedSettings("tested", "btcturk-spot", ("BTCTRY",), ("trade",), ("1m",), "unused")
            rest = RestClient(user_agent="spark/1")
            vitals = Vitals()
            preparation = Preparation(
                settings,
                stream_provider(settings.provider, Endpoints(rest=address)),
                rest,
                cast(Keeper, None),
                vitals,
                told.append,
                Waits(),
                60.0,
            )
            asking = asyncio.create_task(preparation.instruments())
            async with asyncio.timeout(60):
                while not waits:
                    await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            await rest.close()
            assert len(server.requests) == 1
        assert words in (vitals.problem or "")
        assert told == [vitals.problem]
        assert 3590 < waits[0] < 3610

    asyncio.run(scenario())
