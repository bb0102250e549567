"""From the journal into segments, a bounded number of rows at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spark_engine.errors import InvalidData
from spark_engine.feeds.archive.commit import commit
from spark_engine.feeds.archive.journal import Journal
from spark_engine.feeds.archive.pending import Pending, SeriesKey, series_of
from spark_engine.feeds.archive.series_files import SeriesFiles

MOST_ROWS: Final = 50_000  # in memory before a commit


@dataclass(slots=True)
class Flushed:
    """What a flush did. commits: manifests written. highest_commit: of the series that it looked at.
    refused_rows: of days that retention has removed."""

    commits: int = 0
    highest_commit: int = 0
    rows: int = 0
    refused_rows: int = 0


class Flush:
    """Sequence numbers that a manifest has are recorded in its `writer`: `<writer> <journal> <sequence>`. So
    records that a crash left in the journal are known again, and `commit` drops those of another journal."""

    def __init__(self, files: SeriesFiles, journal: Journal, writer: str) -> None:
        self._files = files
        self._journal = journal
        self._writer = writer
        self._reached: dict[SeriesKey, int] = {}
        self._failed: dict[SeriesKey, InvalidData] = {}
        self.committed: set[SeriesKey] = set()  # by the flush that runs

    def run(self, flushed: Flushed) -> None:
        """Everything that is journaled. Raises as `commit`: then the rest stays in the journal."""
        self.committed = set()
        self._failed = {}
        sealed = self._journal.sealed()
        self._take(sealed, flushed)  # by itself: on a full disk it makes the room to seal the next
        self._take([path for path in self._journal.seal() if path not in sealed], flushed)
        for failure in self._failed.values():
            raise failure

    def _take(self, paths: Iterable[Path], flushed: Flushed) -> None:
        gathered: dict[SeriesKey, Pending] = {}
        done: list[Path] = []
        through = rows = 0
        for path in paths:
            for entry in self._journal.read(path):
                through = entry.sequence
                for key in series_of(entry):
                    if self._lacks(key, entry.sequence):
                        gathered.setdefault(key, Pending(entry.venue_symbol)).add(entry, key.timeframe)
                rows += len(entry.ticks) + len(entry.candles)
                if rows >= MOST_ROWS:
                    self._commit(gathered, through, done, flushed)
                    rows = 0
            done.append(path)
        self._commit(gathered, through, done, flushed)

    def _commit(
        self, gathered: dict[SeriesKey, Pending], through: int, done: list[Path], flushed: Flushed
    ) -> None:
        """Empties `gathered` and `done`."""
        mark = f"{self._writer} {self._journal.id} {through}"
        for key in sorted(gathered):
            try:
                written = commit(self._files, key, gathered[key], mark)
            except InvalidData as failure:  # of this series alone
                self._failed[key] = failure
                continue
            flushed.commits += written.manifest.writer == mark
            flushed.highest_commit = max(flushed.highest_commit, written.manifest.commit)
            flushed.rows += written.rows
            flushed.refused_rows += written.refused
            self._reached[key] = through
            self.committed.add(key)
        gathered.clear()
        for path in () if self._failed else done:
            self._journal.drop(path)
        done.clear()

    def _lacks(self, key: SeriesKey, sequence: int) -> bool:
        """Whether a series is to have a record. A damaged one fails by itself."""
        if key in self._failed:
            return False
        try:
            return sequence > self._reach(key)
        except InvalidData as failure:
            self._failed[key] = failure
            return False

    def _reach(self, key: SeriesKey) -> int:
        """The last sequence number of this journal that the series has."""
        if key not in self._reached:
            manifest = self._files.manifest(key)
            journal, sequence = _writer_mark(manifest.writer) if manifest else ("", 0)
            self._reached[key] = sequence if journal == self._journal.id else 0
        return self._reached[key]


def _writer_mark(writer: str) -> tuple[str, int]:
    _, _, mark = writer.partition(" ")
    journal, _, sequence = mark.rpartition(" ")
    return (journal, int(sequence)) if sequence.isdigit() else ("", 0)
