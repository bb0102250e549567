"""What the event loop is told of rows that a disk or a store does not take."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest
from spark_engine.errors import StoreUnavailable
from spark_engine.feeds.run.keeper import Keeper
from spark_engine.feeds.serve.metrics import FeedMetrics
from spark_engine.feeds.settings import FeedSettings

from engine.tests.feeds_archive.scenario import SYMBOLS, VENUE, piece


def keeper(root: Path, said: list[str]) -> Keeper:
    settings = FeedSettings("a-feed", VENUE, SYMBOLS, (), ("1m",), str(root / "archive"))
    return Keeper(settings, root / "journal", FeedMetrics(VENUE, SYMBOLS), said.append)


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_rows_that_no_disk_took_are_said_to_be_lost_when_the_feed_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Journal and archive are on one disk, as they are by default."""

    async def life() -> None:
        keeping = keeper(tmp_path, [])
        await keeping.open()
        assert await keeping.keep([piece(1)])
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            assert not await keeping.keep([piece(2)])
            await keeping.close()

    with pytest.raises(StoreUnavailable, match=r"^4 rows that were received are lost: .*No space left"):
        asyncio.run(life())
