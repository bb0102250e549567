"""Many segments of a day become one: the same rows of the same commits, so every snapshot stays as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from spark_crds.formats.archive import SegmentFile, SeriesManifest

from spark_engine.data.archive.digest import day_digest
from spark_engine.errors import InvalidData
from spark_engine.feeds.archive.pending import SeriesKey
from spark_engine.feeds.archive.series_files import SeriesFiles, files_of, is_ticks
from spark_engine.feeds.archive.store import FIELD

OPEN_SEGMENTS: Final = 60  # of the day that is still written to


def compact_series(files: SeriesFiles, key: SeriesKey, today: str, open_segments: int) -> Sequence[str]:
    """Returns the names of the files that no manifest needs any more. Raises as `commit`.

    Days before the date `today` come down to one segment, others once they have more than `open_segments`.
    """
    manifest = files.manifest(key)
    if manifest is None:
        return ()
    removed: list[str] = []
    for date, count in sorted(Counter(file.date for file in manifest.files).items()):
        if count > (1 if date < today else open_segments):
            old = files_of(manifest, date)
            manifest = _with_one_file(files, key, manifest, date)
            removed += (f"{files.folder(key)}/{file.path}" for file in old)
    return removed


def _with_one_file(files: SeriesFiles, key: SeriesKey, manifest: SeriesManifest, date: str) -> SeriesManifest:
    columns = files.ticks(key, date, manifest) if is_ticks(key) else files.candles(key, date, manifest)
    day = next(day for day in manifest.days if day.date == date)
    if columns is None or day_digest(columns) != day.sha256:
        raise InvalidData(
            f"{files.store.uri}: {files.folder(key)}/{date} has other rows than its manifest says",
            field=FIELD,
        )
    whole: SegmentFile = files.write(key, date, columns)
    others = [file for file in manifest.files if file.date != date]
    joined = replace(
        manifest, files=tuple(sorted((*others, whole), key=lambda file: (file.date, file.first_commit)))
    )
    files.publish(key, joined)
    return joined
