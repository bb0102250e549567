"""Segments that no manifest names any more, removed after a grace period: a reader may hold the manifest
before. One that comes later finds them gone, and reads the manifest again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from spark_engine.feeds.archive.pending import SeriesKey
from spark_engine.feeds.archive.series_files import SeriesFiles

GRACE_SECONDS: Final = 60.0


class Discarded:
    """clock: seconds, of any origin, that never go back."""

    def __init__(self, files: SeriesFiles, clock: Callable[[], float], grace_seconds: float) -> None:
        self._files = files
        self._clock = clock
        self._grace = grace_seconds
        self._due: deque[tuple[float, str]] = deque()

    def add(self, names: Iterable[str]) -> None:
        due = self._clock() + self._grace
        self._due.extend((due, name) for name in names)

    def sweep(self) -> int:
        """Removes those whose time has come; returns how many. What fails is tried again at the next."""
        removed = 0
        named: dict[SeriesKey, set[str]] = {}
        while self._due and self._due[0][0] <= self._clock():
            name = self._due[0][1]
            _, symbol, timeframe, path = name.split("/", 3)
            key = SeriesKey(symbol, timeframe)
            if key not in named:
                manifest = self._files.manifest(key)
                named[key] = {file.path for file in manifest.files} if manifest else set()
            if path not in named[key]:
                self._files.store.delete(name)
                removed += 1
            self._due.popleft()
        return removed
