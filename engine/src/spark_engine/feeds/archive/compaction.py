"""Many segments of a day become few: the same rows of the same commits, so every snapshot stays as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Final

from spark_crds.formats.archive import SegmentFile, SeriesManifest

from spark_engine.data.archive.digest import rows_digest
from spark_engine.errors import BacktestError, InvalidData
from spark_engine.feeds.archive.pending import SeriesKey
from spark_engine.feeds.archive.series_files import SeriesFiles, is_ticks
from spark_engine.feeds.archive.store import FIELD

OPEN_SEGMENTS: Final = 60  # of the day that is still written to
MOST_TICKS: Final = 200_000  # of a segment that is made of others: what is in memory at once
MOST_RUNS: Final = 100  # become one file each before the manifest, which names all days, is written


def compact_series(
    files: SeriesFiles, key: SeriesKey, today: str, open_segments: int, most_ticks: int
) -> Iterator[str]:
    """The names of the files that no manifest needs any more, of new ones too before it raises. Raises as
    `commit`.

    Days before the date `today` come down to one segment, of ticks to segments of at most `most_ticks` rows;
    others once that saves `open_segments`.
    """
    manifest = files.manifest(key)
    if manifest is None:
        return
    runs = list(_worthwhile(manifest.files, is_ticks(key), today, open_segments, most_ticks))
    for begin in range(0, len(runs), MOST_RUNS):
        some = runs[begin : begin + MOST_RUNS]
        new: list[SegmentFile] = []
        try:
            for run in some:
                one = _joined(files, key, manifest, run)
                new.append(one)
            manifest = _with_files(files, key, manifest, some, new)
        except BacktestError:
            yield from (files.name(key, file) for file in new)
            raise
        yield from (files.name(key, file) for run in some for file in run)


def _worthwhile(
    files: Iterable[SegmentFile], ticks: bool, today: str, open_segments: int, most_ticks: int
) -> Iterator[list[SegmentFile]]:
    """Files of a date that are to become one."""
    for date, found in groupby(files, lambda file: file.date):
        old = list(found)
        runs = _runs(old, most_ticks) if ticks else [old]
        if len(old) - len(runs) >= (1 if date < today else open_segments):
            yield from (run for run in runs if len(run) > 1)


def _runs(files: Sequence[SegmentFile], most_rows: int) -> list[list[SegmentFile]]:
    """Files that follow each other, as many together as have at most `most_rows`."""
    runs: list[list[SegmentFile]] = []
    rows = 0
    for file in files:
        if not runs or rows + file.rows > most_rows:
            runs.append([])
            rows = 0
        runs[-1].append(file)
        rows += file.rows
    return runs


def _with_files(
    files: SeriesFiles,
    key: SeriesKey,
    manifest: SeriesManifest,
    runs: Sequence[Sequence[SegmentFile]],
    new: Sequence[SegmentFile],
) -> SeriesManifest:
    """With one file in the place of each run."""
    gone = {file.path for run in runs for file in run}
    kept = (file for file in manifest.files if file.path not in gone)
    joined = replace(
        manifest, files=tuple(sorted((*kept, *new), key=lambda file: (file.date, file.first_commit)))
    )
    files.publish(key, joined)
    return joined


def _joined(
    files: SeriesFiles, key: SeriesKey, manifest: SeriesManifest, run: Sequence[SegmentFile]
) -> SegmentFile:
    if is_ticks(key):
        return files.join_ticks(key, run)
    return _joined_candles(files, key, manifest, run[0].date)


def _joined_candles(files: SeriesFiles, key: SeriesKey, manifest: SeriesManifest, date: str) -> SegmentFile:
    columns = files.candles(key, date, manifest)
    day = next(day for day in manifest.days if day.date == date)
    if columns is None or rows_digest(columns) != day.sha256:
        raise InvalidData(
            f"{files.store.uri}: {files.folder(key)}/{date} has other rows than its manifest says",
            field=FIELD,
        )
    return files.write(key, date, columns)
