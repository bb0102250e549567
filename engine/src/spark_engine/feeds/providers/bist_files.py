"""Borsa Istanbul by files: delayed or daily, in a folder or behind HTTP, dropped by whoever has the licence.

A venue that only publishes files is a `FileProvider`: it is asked now and then, and answers what changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from spark_crds.canonical import sha256_hex

from spark_engine.data.source import file_path
from spark_engine.errors import BacktestError, InvalidSpec
from spark_engine.feeds.market import Candle, Instrument, Interval, MarketTick
from spark_engine.feeds.providers.bist.actions import CorporateActions, read_actions_file
from spark_engine.feeds.providers.bist.changes import Changes, changes
from spark_engine.feeds.providers.bist.drop import DropSeries, Findings, Wanted, read_drop
from spark_engine.feeds.providers.bist.files import Drop, DropFile, Outcome
from spark_engine.feeds.providers.bist.folder import DropFolder
from spark_engine.feeds.providers.bist.names import is_actions
from spark_engine.feeds.providers.bist.web import Client, DropUrl
from spark_engine.feeds.settings import FeedSettings

FIELD: Final = "spec.endpoints.files"
CALENDAR: Final = "XIST"
DAY_MS: Final = 86_400_000

# The latest revision of what the archive holds: symbol, timeframe, times [from, to) to candles by time.
Known = Callable[[str, str, int, int], Mapping[int, Candle]]


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file. reason: why it is quarantined or ignored. findings: by symbol."""

    name: str
    outcome: Outcome
    reason: str = ""
    sha256: str = ""
    findings: Mapping[str, Findings] | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """New and revised bars of one series: an `Acknowledgeable` of the archive. instrument: the widest scales.
    covered: sessions that the files speak of. There are no ticks."""

    instrument: Instrument
    timeframe: str
    changes: Changes
    covered: tuple[Interval, ...]

    ticks: tuple[MarketTick, ...] = ()
    covered_ticks: tuple[Interval, ...] = ()

    @property
    def candles(self) -> tuple[Candle, ...]:
        return self.changes.candles


@dataclass(frozen=True, slots=True)
class Poll:
    """What one look gave. Hand it to `acknowledge` once it is archived. more: look again at once."""

    deliveries: tuple[Delivery, ...]
    actions: tuple[CorporateActions, ...]
    files: tuple[FileReport, ...]
    more: bool
    read: tuple[tuple[DropFile, Sequence[DropSeries]], ...] = ()


class FileProvider(Protocol):
    """A venue that publishes files."""

    @property
    def name(self) -> str: ...

    @property
    def calendar(self) -> str: ...

    async def poll(self, now_ms: int, known: Known) -> Poll:
        """What is new. Nothing of a bad file; the rest is delivered all the same.

        Raises `StoreUnavailable`, or what the client raises, where nothing can be looked at.
        """

    def acknowledge(self, poll: Poll) -> None:
        """It is archived: its files are not read again until they change. What is not acknowledged comes
        again, after a restart everything does; what is known already makes no change."""


class BistFiles:
    """Provider `bist-files`. `spec.endpoints.files` is a folder, file://, or http(s):// of a file or listing.

    Of one bar that several files hold, the file that was written last is right. `poll` decodes in forked
    processes and blocks meanwhile: give it a thread with a loop of its own.
    """

    name = "bist-files"

    def __init__(self, settings: FeedSettings, client: Client | None = None) -> None:
        """Raises `InvalidSpec` for endpoints that are not to be had."""
        self.calendar = CALENDAR if settings.calendar == "24x7" else settings.calendar
        self._wanted = Wanted(settings.symbols, settings.timeframes, self.calendar)
        self._drop = _drop(settings.endpoints.files, client)
        self._quarantine: dict[str, FileReport] = {}
        self._latest: dict[tuple[str, str, int], tuple[int, str]] = {}  # of the bars of a UTC day

    @property
    def quarantined(self) -> tuple[FileReport, ...]:
        """Bad files that are still there as they were."""
        return tuple(self._quarantine.values())

    async def poll(self, now_ms: int, known: Known) -> Poll:
        listing = await self._drop.changed(now_ms)
        reports: list[FileReport] = [FileReport(name, "waiting") for name in listing.waiting]
        reports += [FileReport(name, "quarantined", reason) for name, reason in listing.refused]
        self._quarantine = {name: bad for name, bad in self._quarantine.items() if name in listing.names}
        read: list[tuple[DropFile, Sequence[DropSeries]]] = []
        actions: list[CorporateActions] = []
        for file in listing.files:
            report, series, found = self._read(file, now_ms)
            reports.append(report)
            if report.outcome == "quarantined":
                self._quarantine[file.name] = report
                self._drop.done(file)
            else:
                self._quarantine.pop(file.name, None)
                read.append((file, series))
                actions += found
        return Poll(
            tuple(self._deliveries(read, known)), _newest(actions), tuple(reports), listing.more, tuple(read)
        )

    def acknowledge(self, poll: Poll) -> None:
        for file, series in poll.read:
            self._drop.done(file)
            for part in series:
                for key in {_day(candle) for candle in part.candles}:
                    self._latest[key] = max(self._latest.get(key, file.order), file.order)

    def _read(
        self, file: DropFile, now_ms: int
    ) -> tuple[FileReport, Sequence[DropSeries], list[CorporateActions]]:
        digest = sha256_hex(file.content)
        try:
            if is_actions(file.name):
                actions = read_actions_file(file.name, file.content, self._wanted.symbols)
                return _report(file, digest, bool(actions)), (), actions
            series = read_drop(file.name, file.content, self._wanted, file.modified_ms, now_ms).series
        except BacktestError as bad:
            return FileReport(file.name, "quarantined", bad.message, digest), (), []
        findings = {part.instrument.symbol: part.findings for part in series}
        return _report(file, digest, bool(series), findings), series, []

    def _deliveries(
        self, read: Sequence[tuple[DropFile, Sequence[DropSeries]]], known: Known
    ) -> list[Delivery]:
        parts: dict[tuple[str, str], list[tuple[tuple[int, str], DropSeries]]] = {}
        for file, series in read:
            for part in series:
                parts.setdefault((part.instrument.symbol, part.timeframe), []).append((file.order, part))
        return [self._delivery(found, known) for _key, found in sorted(parts.items())]

    def _delivery(self, parts: Sequence[tuple[tuple[int, str], DropSeries]], known: Known) -> Delivery:
        """`parts`: of one series, each with the order of its file."""
        ordered = sorted(parts, key=lambda part: part[0])
        newest: dict[int, tuple[tuple[int, str], Candle]] = {}
        for order, part in ordered:
            newest |= {candle.ts_ms: (order, candle) for candle in part.candles}
        last = ordered[-1][1]
        have = known(last.instrument.symbol, last.timeframe, min(newest), max(newest) + 1)
        current = [
            candle
            for ts, (order, candle) in sorted(newest.items())
            if ts not in have or order >= self._latest.get(_day(candle), order)
        ]
        covered = tuple(interval for _order, part in ordered for interval in part.covered)
        instrument = Instrument(
            symbol=last.instrument.symbol,
            venue_symbol=last.instrument.venue_symbol,
            base=last.instrument.base,
            quote=last.instrument.quote,
            price_scale=max(part.instrument.price_scale for _order, part in ordered),
            quantity_scale=max(part.instrument.quantity_scale for _order, part in ordered),
        )
        return Delivery(instrument, last.timeframe, changes(have, current), covered)


def _day(candle: Candle) -> tuple[str, str, int]:
    return candle.symbol, candle.timeframe, candle.ts_ms // DAY_MS


def _drop(uri: str | None, client: Client | None) -> Drop:
    if uri is None:
        raise InvalidSpec("is required by provider bist-files: a folder or a URL", field=FIELD)
    scheme = urlsplit(uri).scheme.lower()
    if scheme in ("http", "https"):
        if client is None:
            raise InvalidSpec(f"needs a client of HTTP: {uri[:200]!r}", field=FIELD)
        return DropUrl(uri, client)
    if scheme == "file":
        return DropFolder(Path(file_path(uri)))
    if "://" in uri:
        raise InvalidSpec(f"must be a folder, file://, http:// or https://; is {uri[:200]!r}", field=FIELD)
    return DropFolder(Path(uri))


def _report(
    file: DropFile, digest: str, taken: bool, findings: Mapping[str, Findings] | None = None
) -> FileReport:
    if taken:
        return FileReport(file.name, "taken", "", digest, findings)
    return FileReport(file.name, "ignored", "it holds no finished bar of a symbol of the feed", digest)


def _newest(actions: Sequence[CorporateActions]) -> tuple[CorporateActions, ...]:
    """Files come the newest first: of one symbol the first is right."""
    found: dict[str, CorporateActions] = {}
    for part in actions:
        found.setdefault(part.symbol, part)
    return tuple(found[symbol] for symbol in sorted(found))
