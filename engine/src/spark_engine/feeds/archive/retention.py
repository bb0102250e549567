"""Days older than a limit lose their files. Their digests stay, so that a pinned run can say what is gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from spark_engine.feeds.archive.pending import SeriesKey
from spark_engine.feeds.archive.series_files import SeriesFiles


def retire_series(files: SeriesFiles, key: SeriesKey, before: str) -> Sequence[str]:
    """Of all days before the date `before`; returns the names of the files that are not needed any more."""
    manifest = files.manifest(key)
    old = [file for file in manifest.files if file.date < before] if manifest else []
    if manifest is None or not old:
        return ()
    files.publish(key, replace(manifest, files=tuple(file for file in manifest.files if file.date >= before)))
    return [files.name(key, file) for file in old]
