"""What the event loop is told of rows that a disk or a store does not take."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from spark_engine.errors import StoreUnavailable
from spark_engine.feeds.archive import directory_store
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.market import Interval
from spark_engine.feeds.run.keeper import Keeper
from spark_engine.feeds.run.pace import Pace
from spark_engine.feeds.serve.metrics import FeedMetrics
from spark_engine.feeds.settings import FeedSettings

from engine.tests.feeds_archive.scenario import (
    DAY_MS,
    FIRST_MS,
    SYMBOLS,
    VENUE,
    Piece,
    instrument,
    piece,
    tick,
)
from engine.tests.feeds_archive.writers import opened

BTC = instrument("BTCTRY")
NOW = Pace(storage=0.0, compact=0.0)


def keeper(root: Path, said: list[str]) -> Keeper:
    settings = FeedSettings(
        "a-feed", VENUE, SYMBOLS, (), ("1m",), str(root / "archive"), candles_retention_ms=DAY_MS
    )
    return Keeper(settings, root / "journal", FeedMetrics(VENUE, SYMBOLS), said.append, NOW)


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


def test_what_was_held_for_long_is_acknowledged_without_comparing_each_piece_with_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That would stop the loop for minutes, and all that it has to do in time."""
    pieces = [Piece(BTC, ticks=(tick("BTCTRY", n, FIRST_MS + n),)) for n in range(1_000)]
    calls = 0

    def count(*_: Any) -> None:
        nonlocal calls
        calls += 1

    async def life() -> None:
        keeping = keeper(tmp_path, [])
        await keeping.open()
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            assert not await keeping.keep(pieces)
        sys.setprofile(count)
        try:
            assert await keeping.keep(())
        finally:
            sys.setprofile(None)
        await keeping.close()

    asyncio.run(life())
    assert calls < 50 * len(pieces)


def test_a_claim_is_not_acknowledged_before_the_rows_that_it_is_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk has room for a little, and before them is what no file could hold."""
    seen = Interval(FIRST_MS, FIRST_MS + 500)
    ticks = tuple(tick("BTCTRY", n, FIRST_MS + n) for n in range(500))
    pieces = [
        Piece(BTC, ticks=(tick("BTCTRY", 1, -1),)),
        Piece(BTC, ticks=ticks),
        Piece(BTC, covered_ticks=(seen,)),
    ]
    write = os.write

    def nearly_full(descriptor: int, content: bytes) -> int:
        if len(content) > 4096:
            full()
        return write(descriptor, content)

    async def life() -> None:
        keeping = keeper(tmp_path, said)
        await keeping.open()
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", nearly_full)
            assert not await keeping.keep(pieces)
            assert await keeping.ask(lambda archive: archive.coverage("BTCTRY")) == ()
        assert await keeping.keep(())
        await keeping.close()

    said: list[str] = []
    asyncio.run(life())
    assert any("a time must be from 0" in text for text in said)
    archive = opened(tmp_path)
    assert archive.ticks_since("BTCTRY", 0) == list(ticks)
    assert archive.coverage("BTCTRY") == (seen,)
    archive.close()


def test_retention_makes_room_on_a_disk_that_has_too_little_for_compaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = directory_store.write_durably

    def no_segments(path: Path, content: bytes) -> None:
        full() if path.suffix == ".parquet" else write(path, content)

    def files(archive: Archive) -> tuple[int, int]:
        found = archive.manifest("BTCTRY", "1m"), archive.manifest("BTCTRY")
        bars, ticks = (len(manifest.files) for manifest in found if manifest is not None)
        return bars, ticks

    async def life() -> None:
        keeping = keeper(tmp_path, said)
        await keeping.open()
        for n in (3, 6):
            assert await keeping.keep([piece(n)])
            await keeping.flush()
        assert await keeping.ask(files) == (2, 2)
        with monkeypatch.context() as patched:
            patched.setattr(directory_store, "write_durably", no_segments)
            upkeep = asyncio.create_task(keeping.maintain())
            while not any("No space left on device" in text for text in said):
                await asyncio.sleep(0)
            assert await keeping.ask(files) == (0, 2)
            upkeep.cancel()
        await keeping.close()

    said: list[str] = []
    asyncio.run(life())
