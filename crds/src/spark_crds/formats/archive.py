"""The archive of a feed: `<root>/<venue>/<symbol>/<timeframe>/manifest.json`, and parquet files beside it.

A series (`timeframe` is a candle timeframe, or `trades`) is append-only: every row carries the number of
the commit that wrote it, an amended bar is a new row of a higher revision. So what a reader saw at a commit
can be read again for ever, whatever was appended or compacted since; its digest is that of `Snapshot`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, TypeVar

from spark_crds.canonical import canonical, sha256_hex
from spark_crds.formats.error import FormatError
from spark_crds.patterns import TIMEFRAME_PATTERN

ARCHIVE_SCHEMA = "spark.trading/archive/v1"
SNAPSHOT_SCHEMA = "spark.trading/archive-snapshot/v1"
MANIFEST_FILE = "manifest.json"
TICKS = "trades"  # the name of a series of ticks, in the place of a timeframe
MOST_SCALE = 18
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}\.parquet", re.ASCII)
PINNED = re.compile(r"(.+)\?commit=([0-9]{1,15})&to=([0-9]{1,15})", re.ASCII | re.DOTALL)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """An immutable parquet file. path: in the series, `<date>/<first>-<last>-<sha256[:8]>.parquet`.

    first_ts, last_ts: the earliest and the latest time of its rows, ms UTC. So whoever looks for a few rows
    of a day reads only the files that can have them.
    """

    path: str
    date: str
    rows: int
    bytes: int
    sha256: str
    first_commit: int
    last_commit: int
    first_ts: int
    last_ts: int


@dataclass(frozen=True, slots=True)
class Day:
    """All rows of a UTC date (a session's, for a calendar) in every revision.

    sha256: as `spark_engine.data.archive.digest` says, of candles that of all rows, of ticks a chain over
    commits. When retention removes the files of a date, all of them go, and this stays.
    """

    date: str
    rows: int
    last_commit: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """[from_ms, to_ms) in which every trade is known. Recorded by `commit`; only `to_ms` may still grow.

    And it may grow only while it is the manifest's `known_to_ms`: a reader at an older commit clips it to
    what was known then, so an interval that had ended earlier must stay as it is (write another beside it).
    """

    from_ms: int
    to_ms: int
    commit: int


@dataclass(frozen=True, slots=True)
class SeriesManifest:
    """What a series holds now. known_to_ms: nothing is said about the time from here on."""

    venue: str
    symbol: str
    venue_symbol: str
    timeframe: str
    commit: int
    known_to_ms: int
    writer: str
    files: tuple[SegmentFile, ...]
    days: tuple[Day, ...]
    coverage: tuple[Coverage, ...]
    price_scale: int
    quantity_scale: int

    def document(self) -> dict[str, Any]:
        """The JSON value of `manifest.json`. Its `sha256` is that of the canonical form of all the rest."""
        body = {
            "schema": ARCHIVE_SCHEMA,
            "venue": self.venue,
            "symbol": self.symbol,
            "venueSymbol": self.venue_symbol,
            "timeframe": self.timeframe,
            "commit": self.commit,
            "knownTo": self.known_to_ms,
            "writer": self.writer,
            "priceScale": self.price_scale,
            "quantityScale": self.quantity_scale,
            "files": [_file_document(file) for file in self.files],
            "days": [_day_document(day) for day in self.days],
            "coverage": [
                {"from": entry.from_ms, "to": entry.to_ms, "commit": entry.commit} for entry in self.coverage
            ],
        }
        return {**body, "sha256": sha256_hex(canonical(body))}

    def content(self) -> bytes:
        """The bytes of `manifest.json`."""
        return canonical(self.document())


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A series as it was at a commit: rows of later commits and coverage beyond `known_to_ms` left out."""

    venue: str
    symbol: str
    timeframe: str
    commit: int
    known_to_ms: int
    days: Sequence[tuple[str, int, str]]  # date, rows, sha256
    coverage: Sequence[tuple[int, int]]  # merged, ascending

    @property
    def sha256(self) -> str:
        """What `data.sha256` of a run pins, hex."""
        return sha256_hex(canonical(self.document()))

    def document(self) -> dict[str, Any]:
        return {
            "schema": SNAPSHOT_SCHEMA,
            "venue": self.venue,
            "symbol": self.symbol,
            "timeframe": self.timeframe,
            "commit": self.commit,
            "knownTo": self.known_to_ms,
            "days": [{"date": date, "rows": rows, "sha256": sha256} for date, rows, sha256 in self.days],
            "coverage": [[begin, end] for begin, end in self.coverage],
        }


def merged_coverage(
    coverage: Sequence[Coverage], commit: int, known_to_ms: int
) -> tuple[tuple[int, int], ...]:
    """Intervals recorded up to `commit`, clipped to `known_to_ms`, overlapping and touching ones as one."""
    clipped = sorted(
        (entry.from_ms, min(entry.to_ms, known_to_ms)) for entry in coverage if entry.commit <= commit
    )
    merged: list[tuple[int, int]] = []
    for begin, end in clipped:
        if end <= begin:
            continue
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((begin, end))
    return tuple(merged)


def latest_snapshot(manifest: SeriesManifest) -> Snapshot:
    """The series as its manifest has it now."""
    return Snapshot(
        venue=manifest.venue,
        symbol=manifest.symbol,
        timeframe=manifest.timeframe,
        commit=manifest.commit,
        known_to_ms=manifest.known_to_ms,
        days=tuple((day.date, day.rows, day.sha256) for day in manifest.days if day.rows),
        coverage=merged_coverage(manifest.coverage, manifest.commit, manifest.known_to_ms),
    )


def pinned_uri(series_uri: str, commit: int, known_to_ms: int) -> str:
    """What `data.uri` of a run names, so that it reads the same rows for ever."""
    return f"{series_uri}?commit={commit}&to={known_to_ms}"


def parse_pinned_uri(uri: str) -> tuple[str, int, int] | None:
    """The URI of the series, the commit and `known_to_ms` of a pinned URI; None for any other."""
    match = PINNED.fullmatch(uri)
    return None if match is None else (match[1], int(match[2]), int(match[3]))


def is_series_manifest(content: bytes) -> bool:
    """Whether `content` says that it is a series' manifest, well-formed or not."""
    return ARCHIVE_SCHEMA.encode() in content


def read_series_manifest(content: bytes) -> SeriesManifest:
    """The manifest in the bytes of `manifest.json`. Raises `FormatError` naming the field."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FormatError(MANIFEST_FILE, f"is no JSON: {error}") from None
    root = _object(document, MANIFEST_FILE)
    if root.get("schema") != ARCHIVE_SCHEMA:
        raise FormatError("schema", f"must be {ARCHIVE_SCHEMA!r}, is {root.get('schema')!r:.80}")
    manifest = SeriesManifest(
        venue=_matching(root, "venue", NAME, "a name"),
        symbol=_matching(root, "symbol", NAME, "a name"),
        venue_symbol=_text(root, "venueSymbol"),
        timeframe=_matching(root, "timeframe", re.compile(f"{TICKS}|{TIMEFRAME_PATTERN}"), "a timeframe"),
        commit=_whole(root, "commit"),
        known_to_ms=_whole(root, "knownTo"),
        writer=_text(root, "writer"),
        files=_each(root, "files", _file),
        days=_each(root, "days", _day),
        coverage=_each(root, "coverage", _coverage),
        price_scale=_whole(root, "priceScale", MOST_SCALE),
        quantity_scale=_whole(root, "quantityScale", MOST_SCALE),
    )
    _require_intact(root)
    _require_consistent(manifest)
    return manifest


def _file_document(file: SegmentFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "date": file.date,
        "rows": file.rows,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "firstCommit": file.first_commit,
        "lastCommit": file.last_commit,
        "firstTs": file.first_ts,
        "lastTs": file.last_ts,
    }


def _day_document(day: Day) -> dict[str, Any]:
    return {"date": day.date, "rows": day.rows, "lastCommit": day.last_commit, "sha256": day.sha256}


def _file(entry: Mapping[str, Any], at: str) -> SegmentFile:
    file = SegmentFile(
        path=_text(entry, "path", at),
        date=_date(entry, at),
        rows=_whole(entry, "rows", at=at),
        bytes=_whole(entry, "bytes", at=at),
        sha256=_matching(entry, "sha256", SHA256, "64 hex digits", at),
        first_commit=_whole(entry, "firstCommit", at=at),
        last_commit=_whole(entry, "lastCommit", at=at),
        first_ts=_whole(entry, "firstTs", at=at),
        last_ts=_whole(entry, "lastTs", at=at),
    )
    folder, _, name = file.path.partition("/")
    if folder != file.date or FILE_NAME.fullmatch(name) is None:
        raise FormatError(f"{at}.path", f"must be <date>/<name>.parquet, is {file.path!r:.120}")
    if file.rows == 0:
        raise FormatError(f"{at}.rows", "must be at least 1: a file without rows is not written")
    if file.first_commit > file.last_commit:
        raise FormatError(f"{at}.firstCommit", f"must be at most lastCommit, {file.last_commit}")
    if file.first_ts > file.last_ts:
        raise FormatError(f"{at}.firstTs", f"must be at most lastTs, {file.last_ts}")
    return file


def _day(entry: Mapping[str, Any], at: str) -> Day:
    return Day(
        date=_date(entry, at),
        rows=_whole(entry, "rows", at=at),
        last_commit=_whole(entry, "lastCommit", at=at),
        sha256=_matching(entry, "sha256", SHA256, "64 hex digits", at),
    )


def _coverage(entry: Mapping[str, Any], at: str) -> Coverage:
    found = Coverage(
        from_ms=_whole(entry, "from", at=at),
        to_ms=_whole(entry, "to", at=at),
        commit=_whole(entry, "commit", at=at),
    )
    if found.from_ms >= found.to_ms:
        raise FormatError(f"{at}.to", f"must be after from, {found.from_ms}; is {found.to_ms}")
    return found


def _require_intact(root: Mapping[str, Any]) -> None:
    """A digit that changed in a number leaves good JSON, so the document carries a digest of itself."""
    stated = _matching(root, "sha256", SHA256, "64 hex digits")
    found = sha256_hex(canonical({name: value for name, value in root.items() if name != "sha256"}))
    if stated != found:
        raise FormatError("sha256", f"says {stated}, but that of the content is {found}: the file is damaged")


def _require_consistent(manifest: SeriesManifest) -> None:
    for before, after in pairwise(manifest.days):
        if before.date >= after.date:
            raise FormatError("days", f"must ascend by date; {after.date} follows {before.date}")
    _require_files_of_days(manifest)
    newest: Iterable[tuple[str, int]] = (
        *(("files", file.last_commit) for file in manifest.files),
        *(("days", day.last_commit) for day in manifest.days),
        *(("coverage", entry.commit) for entry in manifest.coverage),
    )
    for field, commit in newest:
        if commit > manifest.commit:
            raise FormatError(field, f"names commit {commit}, but the last one is {manifest.commit}")


def _require_files_of_days(manifest: SeriesManifest) -> None:
    """Files of ticks follow one another by commit, for that is the order of a day's digest."""
    days = {day.date: day.rows for day in manifest.days}
    rows = dict.fromkeys((file.date for file in manifest.files), 0)
    for file in manifest.files:
        if file.date not in days:
            raise FormatError("files", f"{file.path} is of a date that days does not have")
        rows[file.date] += file.rows
    for date_, count in rows.items():
        if count != days[date_]:
            raise FormatError("files", f"have {count} rows of {date_}, but days says {days[date_]}")
    for before, after in pairwise(manifest.files if manifest.timeframe == TICKS else ()):
        if (before.date, before.last_commit) >= (after.date, after.first_commit):
            raise FormatError("files", f"must ascend by date and commit; {after.path} follows {before.path}")


def _object(value: Any, field: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise FormatError(field, f"must be an object, is {type(value).__name__}")
    return value


def _each(root: Mapping[str, Any], name: str, read: Callable[[Mapping[str, Any], str], T]) -> tuple[T, ...]:
    values = root.get(name)
    if not isinstance(values, list):
        raise FormatError(name, f"must be a list, is {type(values).__name__}")
    return tuple(read(_object(value, f"{name}[{n}]"), f"{name}[{n}]") for n, value in enumerate(values))


def _text(root: Mapping[str, Any], name: str, at: str = "") -> str:
    value = root.get(name)
    if not isinstance(value, str) or not value:
        raise FormatError(_path(at, name), f"must be a text, is {value!r:.80}")
    return value


def _matching(root: Mapping[str, Any], name: str, pattern: re.Pattern[str], what: str, at: str = "") -> str:
    value = _text(root, name, at)
    if pattern.fullmatch(value) is None:
        raise FormatError(_path(at, name), f"must be {what}, is {value!r:.80}")
    return value


def _date(entry: Mapping[str, Any], at: str) -> str:
    text = _matching(entry, "date", DATE, "a date", at)
    try:
        date.fromisoformat(text)
    except ValueError:
        raise FormatError(f"{at}.date", f"must be a date, is {text!r}") from None
    return text


def _whole(root: Mapping[str, Any], name: str, most: int = 2**53 - 1, at: str = "") -> int:
    value = root.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise FormatError(_path(at, name), f"must be a whole number from 0 to {most}, is {value!r:.80}")
    return value


def _path(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name
