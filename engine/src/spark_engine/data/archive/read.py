"""The rows that a run needs out of an archive, at the commit that it pins or at the latest."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spark_crds.formats.archive import Day, SeriesManifest, Snapshot, merged_coverage, pinned_uri

from spark_engine.data import scan
from spark_engine.data.archive.coverage import Known, flag_uncovered
from spark_engine.data.archive.days import DAY_MS, Days, Vanished, date_ms
from spark_engine.data.archive.find import Pin, Series, find_series
from spark_engine.data.decode import SortedRows
from spark_engine.data.files import FIELD
from spark_engine.data.request import CandleRequest, timeframe_ms
from spark_engine.data.rows import Rows, empty, joined
from spark_engine.data.timetable import ALWAYS, timetable_of
from spark_engine.errors import InvalidData

ATTEMPTS: Final = 10  # as often as compaction may overtake a reader


@dataclass(frozen=True, slots=True)
class Archived:
    """table: the rows that a run needs. uri and sha256: what pins them. bytes: of the files read."""

    table: SortedRows
    uri: str
    sha256: str
    bytes: int
    known_to_ms: int


def read_archive(request: CandleRequest) -> Archived | None:
    """None where `request.uri` names no archive.

    Raises `InvalidData` for a series that is not there, is ambiguous or damaged, for a pin that it cannot
    honour, and for days that retention removed; `StoreUnavailable` for a store that is silent.
    """
    series = find_series(request.uri, request.symbol, request.timeframe, request.resolve_with)
    if series is None:
        return None
    if request.timestamps != "Open":
        raise InvalidData("an archive stamps bars at their open: leave it out", field="spec.data.timestamps")
    for _ in range(ATTEMPTS):
        try:
            return _read(series, request)
        except Vanished as vanished:
            newer, missing = series.reread(), str(vanished)
        if newer.manifest == series.manifest:
            raise InvalidData(f"{series.uri} names {missing}, which is not there", field=FIELD)
        series = newer
    raise InvalidData(f"{series.uri} changes faster than it can be read", field=FIELD)


def _read(series: Series, request: CandleRequest) -> Archived:
    pin = _pin(series)
    days = Days(series, pin)
    snapshot = days.snapshot()
    _require_sha256(request, snapshot, series)
    known = _known(series.manifest, pin, days, request)
    wanted = _of_window(days, request)
    days.load(wanted)
    rows = _with_warmup(days, wanted, request, known)
    if not len(rows):
        raise InvalidData(
            f"{series.uri} has no bar in the window; it has {_span(days.dates())}", field="spec.market.start"
        )
    uri = pinned_uri(series.uri, pin.commit, pin.known_to_ms)
    return Archived(SortedRows(rows, 0, known), uri, snapshot.sha256, days.size, pin.known_to_ms)


def _pin(series: Series) -> Pin:
    manifest, pin = series.manifest, series.address.pin
    if pin is None:
        return Pin(manifest.commit, manifest.known_to_ms)
    if pin.commit > manifest.commit or pin.known_to_ms > manifest.known_to_ms:
        raise InvalidData(
            f"pins commit {pin.commit} and the time {pin.known_to_ms}, but {series.uri} has got to "
            f"{manifest.commit} and {manifest.known_to_ms}: is it another archive?",
            field=FIELD,
        )
    return pin


def _require_sha256(request: CandleRequest, snapshot: Snapshot, series: Series) -> None:
    expected = request.sha256
    if expected is None or expected.removeprefix("sha256:").lower() == snapshot.sha256:
        return
    advice = (
        "the archive was rewritten, or it is another one"
        if series.address.pin
        else "it has grown since; spec.data.uri with ?commit=...&to=... pins what it was"
    )
    raise InvalidData(
        f"is {expected[:100]}, but that of {series.uri} at commit {snapshot.commit} is {snapshot.sha256}: "
        f"{advice}",
        field="spec.data.sha256",
    )


def _known(manifest: SeriesManifest, pin: Pin, days: Days, request: CandleRequest) -> Known:
    """A run without a start begins where retention has left the days."""
    covered = merged_coverage(manifest.coverage, pin.commit, pin.known_to_ms)
    dates = days.dates()
    begin_ms = covered[0][0] if covered else date_ms(dates[0].date) if dates else 0
    removed = [day for day in dates if days.removed(day)]
    if removed and request.start_ms is None:
        begin_ms = max(begin_ms, date_ms(removed[-1].date) + DAY_MS)
        covered = tuple((max(begin, begin_ms), end) for begin, end in covered if end > begin_ms)
    return Known(timeframe_ms(manifest.timeframe), covered, begin_ms, pin.known_to_ms)


def _of_window(days: Days, request: CandleRequest) -> list[Day]:
    """An exchange's date may be a day off the UTC date of its stamps. Factors may lie anywhere.

    Without a start: from where retention has left the days.
    """
    dates = days.dates()
    if request.start_ms is None:
        removed = [place for place, day in enumerate(dates) if days.removed(day)]
        dates = dates[removed[-1] + 1 :] if removed else dates
    slack = 0 if request.calendar == ALWAYS else DAY_MS
    begin = request.start_ms if request.adjustment == "None" else None
    return [
        day
        for day in dates
        if (begin is None or date_ms(day.date) + DAY_MS + slack > begin)
        and (request.end_ms is None or date_ms(day.date) - slack < request.end_ms)
    ]


def _with_warmup(days: Days, wanted: Sequence[Day], request: CandleRequest, known: Known) -> Rows:
    """The rows of `wanted`, and of as many days before them as the warm-up needs."""
    earlier = [day for day in days.dates() if wanted and day.date < wanted[0].date]
    if request.start_ms is None or not request.warmup_bars:
        return _rows(days, wanted, known)
    length_ms = request.warmup_bars * timeframe_ms(request.timeframe)
    count = length_ms // DAY_MS + 2
    while True:
        chosen = [*earlier[-count:], *wanted]
        days.load(chosen)
        rows = _rows(days, chosen, known)
        if count >= len(earlier) or _is_enough(rows, request, known):
            return rows
        count *= 2


def _is_enough(rows: Rows, request: CandleRequest, known: Known) -> bool:
    """Whether the warm-up begins within the rows, and not perhaps before them."""
    timetable = timetable_of(request, known.step_ms)
    flag_uncovered(rows, timetable, known)
    return timetable.window(rows, request, known.to_ms).begin > 0


def _rows(days: Days, chosen: Sequence[Day], known: Known) -> Rows:
    parts = days.rows(chosen)
    if not parts:
        return empty(0)
    rows = joined(parts)
    if scan.unsorted_rows(rows.ts):
        raise InvalidData(f"{days.series.uri}: its days overlap in time", field=FIELD)
    return rows.between(0, bisect_left(rows.ts, known.to_ms))


def _span(dates: Sequence[Day]) -> str:
    return f"rows from {dates[0].date} to {dates[-1].date}" if dates else "no rows"
