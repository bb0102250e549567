"""A defect of ours ends a feed, and is named."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from spark_engine.feeds.pipeline.pipeline import Pipeline

from tests.feeds.running import Running, exchange


class Defect(Exception):
    """What nobody foresaw."""


def test_a_defect_in_the_midst_of_the_work_is_raised_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bool:
        raise Defect("a price of no kind")

    async def run() -> Running:
        async with exchange() as venue:
            running = Running(venue, tmp_path)
            running.start()
            await running.live()
            monkeypatch.setattr(Pipeline, "frame", broken)
            with pytest.raises(Defect, match="a price of no kind"):
                await running.until(lambda _: False, "it ends")
            with pytest.raises(Defect):
                await running.stop()
            return running

    assert asyncio.run(run()).feed.health.failure == "a price of no kind"
