"""Asks the venue what time it is, often at first, then now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from spark_engine.feeds.clock.offset import Clock
from spark_engine.feeds.provider import StreamProvider
from spark_engine.feeds.rest.client import RestClient
from spark_engine.feeds.rest.errors import RestError
from spark_engine.feeds.run.pace import Pace

FIRST_SAMPLES: Final = 8
FIRST_SECONDS: Final = 0.25
PATIENCE_SECONDS: Final = 5.0


async def keep_time(
    clock: Clock, provider: StreamProvider, rest: RestClient, report: Callable[[str], None], pace: Pace
) -> None:
    """For ever. A sample during which the host's clock stepped is left out; failures are reported. One that
    contradicts the others is checked soon, but not at once: a lie that passes must not be believed."""
    samples = 0
    while True:
        try:
            answer = await rest.get(provider.server_time(), patience=PATIENCE_SECONDS)
        except RestError as error:
            report(f"the venue's time is not to be had: {error}")
            await asyncio.sleep(pace.clock)
            continue
        if answer.steady:
            clock.observe_rest(answer.sent_ns, answer.received_ns, answer.value)
            samples += 1
        if clock.doubtful:
            await asyncio.sleep(pace.clock_doubt)
        else:
            await asyncio.sleep(FIRST_SECONDS if samples < FIRST_SAMPLES else pace.clock)
