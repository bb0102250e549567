"""An archive on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from spark_engine.feeds.archive.archive import Archive

TIMEFRAMES = ("1m", "5m", "1h", "1d", "1w")


@pytest.fixture
def open_archive(tmp_path: Path) -> Iterator[Callable[[], Archive]]:
    """Opens it anew each time, as after a crash: what was open before is let go without a flush."""
    opened: list[Archive] = []

    def call() -> Archive:
        if opened:
            opened.pop().abandon()
        archive = Archive.open(
            str(tmp_path / "archive"),
            venue="btcturk-spot",
            journal=tmp_path / "journal",
            writer="test",
            timeframes=TIMEFRAMES,
        )
        opened.append(archive)
        return archive

    yield call
    for archive in opened:
        archive.close()
