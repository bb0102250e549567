"""Which series of an archive a run means: by a URI of the series or of any folder above it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from spark_crds.formats.archive import (
    ARCHIVE_SCHEMA,
    MANIFEST_FILE,
    TICKS,
    SeriesManifest,
    parse_pinned_uri,
    pinned_uri,
    read_series_manifest,
)
from spark_crds.formats.error import FormatError

from spark_engine.data.archive.place import Entries, Place, open_place, uri_below
from spark_engine.data.files import FIELD
from spark_engine.data.names import plain_symbol
from spark_engine.data.request import anchor_ms, timeframe_ms
from spark_engine.errors import InvalidData

DEEPEST: Final = 3  # <root>/<venue>/<symbol>/<timeframe>
MOST_FOLDERS: Final = 100  # looked into in vain for one symbol, so that an ordinary prefix stays cheap
MANY: Final = 32  # folders, of which none is the symbol's: a few of them tell what is there
FEW: Final = 3
MARKS: Final = (ARCHIVE_SCHEMA.encode(), b'"knownTo"', b'"venueSymbol"', b'"coverage"')
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pin:
    """The state of a series that a run reads."""

    commit: int
    known_to_ms: int


@dataclass(frozen=True, slots=True)
class Address:
    """uri: of a series or a folder above it. pin: None for the latest state."""

    uri: str
    pin: Pin | None


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an archive, where it lies, and its manifest when it was last read."""

    address: Address
    place: Place
    path: str
    manifest: SeriesManifest

    @property
    def uri(self) -> str:
        return uri_below(self.address.uri, self.path)

    def reread(self) -> Series:
        """With the manifest of now."""
        manifest = read_manifest(self.place, self.path, self.address.uri)
        if manifest is None:
            raise InvalidData(f"{self.uri} has lost its {MANIFEST_FILE}", field=FIELD)
        return Series(self.address, self.place, self.path, manifest)


def address_of(uri: str) -> Address:
    """Raises `InvalidData` for a pin that is none."""
    parsed = parse_pinned_uri(uri)
    if parsed is not None:
        return Address(parsed[0], Pin(*parsed[1:]))
    if "?commit=" in uri:
        raise InvalidData(
            f"pins a series of an archive as <series>?commit=<number>&to=<ms>; is {uri[:200]!r}", field=FIELD
        )
    return Address(uri, None)


def find_series(uri: str, symbol: str, timeframe: str, finer: str | None = None) -> Series | None:
    """The series that a run of `symbol` in `timeframe` reads; None where `uri` names no archive.

    Of that timeframe, else the coarsest that divides it; with `finer` (`execution.resolveWith`) likewise of
    that. Raises `InvalidData` for an archive that has none, or has it at two venues.
    """
    address = address_of(uri)
    place = open_place(address.uri)
    found = [] if place is None else list(all_series(address, place, symbol))
    if found:
        return _chosen(found, address.uri, symbol, finer or timeframe)
    if address.pin is not None:
        raise InvalidData(f"there is no archive at {address.uri[:200]}", field=FIELD)
    return None


def archive_at(uri: str) -> list[Series]:
    """Every series at `uri` or up to three folders below. Raises as `find_series`."""
    address = address_of(uri)
    place = open_place(address.uri)
    return [] if place is None else list(all_series(address, place))


def moved_pin(pinned: str, uri: str) -> str:
    """`uri`, at the commit that the URI `pinned` names where both are of archives: one that was moved."""
    pin = address_of(pinned).pin
    if pin is None or address_of(uri).pin is not None or not archive_at(uri):
        return uri
    return pinned_uri(uri, pin.commit, pin.known_to_ms)


def all_series(address: Address, place: Place, symbol: str | None = None) -> Iterator[Series]:
    """The series at and below a place, ticks too; with `symbol` those of others may be left out.

    Raises `InvalidData` for a damaged manifest.
    """
    most = MOST_FOLDERS if symbol else 10 * MOST_FOLDERS
    budget = [most]
    for path in _folders_with_manifest(place, "", 0, budget, symbol):
        manifest = read_manifest(place, path, address.uri)
        if manifest is not None:
            budget[0] = most
            yield Series(address, place, path, manifest)


def read_manifest(place: Place, path: str, uri: str) -> SeriesManifest | None:
    """None where the file is of something else, or is gone. Raises `InvalidData` for a damaged one."""
    name = f"{path}/{MANIFEST_FILE}" if path else MANIFEST_FILE
    (content,) = place.read([name])
    if content is None or not _is_ours(content, place, path):
        return None
    try:
        return read_series_manifest(content)
    except FormatError as error:
        raise InvalidData(
            f"{uri_below(uri, name)} cannot be used: {error.field}: {error.message}", field=FIELD
        ) from None


def _is_ours(content: bytes, place: Place, path: str) -> bool:
    """Damage to a few bytes must not make an archive an ordinary folder of candle files."""
    if any(mark in content for mark in MARKS):
        return True
    try:
        json.loads(content)
    except (ValueError, RecursionError):
        folders = place.entries(path).folders
        return bool(folders) and all(map(DATE.fullmatch, folders))
    return False


def _folders_with_manifest(
    place: Place, path: str, depth: int, budget: list[int], symbol: str | None
) -> Iterator[str]:
    if budget[0] <= 0:
        return
    budget[0] -= 1
    entries = place.entries(path)
    if MANIFEST_FILE in entries.files:
        yield path
        return
    if depth == DEEPEST:
        return
    for name in _worth_a_look(entries, symbol):
        below = f"{path}/{name}" if path else name
        yield from _folders_with_manifest(place, below, depth + 1, budget, symbol)


def _worth_a_look(entries: Entries, symbol: str | None) -> Sequence[str]:
    names = [name for name in entries.folders if not name.startswith((".", "_")) and not DATE.fullmatch(name)]
    if symbol is None:
        return names
    own = [name for name in names if plain_symbol(name) == plain_symbol(symbol)]
    return own or (names if len(names) <= MANY else names[:FEW])


def _chosen(found: Sequence[Series], uri: str, symbol: str, timeframe: str) -> Series:
    own = [series for series in found if _is_of(series.manifest, symbol)]
    fitting = [series for series in own if _divides(series.manifest.timeframe, timeframe)]
    if not fitting:
        raise InvalidData(
            f"the archive {uri[:200]} has no {symbol} in bars of {timeframe}, nor in finer ones that make "
            f"them; there are {_listing(own or found)}",
            field=FIELD,
        )
    coarsest = max(timeframe_ms(series.manifest.timeframe) for series in fitting)
    best = [series for series in fitting if timeframe_ms(series.manifest.timeframe) == coarsest]
    if len(best) > 1:
        raise InvalidData(
            f"the archive {uri[:200]} has {symbol} in bars of {timeframe} more than once, name one of "
            f"{', '.join(series.uri for series in best)[:300]}",
            field=FIELD,
        )
    return best[0]


def _is_of(manifest: SeriesManifest, symbol: str) -> bool:
    return plain_symbol(symbol) in (plain_symbol(manifest.symbol), plain_symbol(manifest.venue_symbol))


def _divides(archived: str, asked: str) -> bool:
    """Whether bars of `asked` are made of whole bars of `archived`."""
    if archived == TICKS:
        return False
    step = timeframe_ms(archived)
    return timeframe_ms(asked) % step == 0 and (anchor_ms(asked) - anchor_ms(archived)) % step == 0


def _listing(found: Sequence[Series]) -> str:
    names = [
        f"{series.manifest.venue}/{series.manifest.symbol}/{series.manifest.timeframe}" for series in found
    ]
    return ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
