"""A drop folder of this machine."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from spark_engine.data.files import is_candle_file
from spark_engine.errors import StoreUnavailable
from spark_engine.feeds.providers.bist.files import CUT_STILL_MS, DropFile, Listing, ends_whole
from spark_engine.feeds.providers.bist.names import is_partial

FIELD: Final = "spec.endpoints.files"
STILL_MS: Final = 2_000  # how long size and time of change must stand still
MOST_FILES: Final = 256  # of one look
MOST_BYTES: Final = 256 << 20


@dataclass(frozen=True, slots=True)
class _Sight:
    size: int
    modified_ns: int

    @property
    def mark(self) -> str:
        return f"{self.size}:{self.modified_ns}"


class DropFolder:
    """Files of a folder and its subfolders. A file is complete once it has not changed for two seconds.

    What is hidden, begins with `_` or has a name of unfinished downloads (`.part`, `.tmp`, ...) is none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[_Sight, int]] = {}
        self._done: dict[str, str] = {}

    async def changed(self, now_ms: int) -> Listing:
        """Raises `StoreUnavailable`."""
        sights, partial = self._look()
        self._seen = {name: self._since(name, sight, now_ms) for name, sight in sights.items()}
        self._done = {name: mark for name, mark in self._done.items() if name in sights}
        new = [name for name, sight in sights.items() if self._done.get(name) != sight.mark]
        new.sort(key=lambda name: (-sights[name].modified_ns, name))
        return self._read(new, sights, partial, now_ms)

    def done(self, file: DropFile) -> None:
        self._done[file.name] = file.mark

    def _read(self, new: list[str], sights: dict[str, _Sight], partial: list[str], now_ms: int) -> Listing:
        files: list[DropFile] = []
        waiting: list[str] = list(partial)
        refused: list[tuple[str, str]] = []
        size, more = 0, False
        for name in new:
            sight = sights[name]
            still_ms = self._still_ms(name, now_ms)
            if still_ms < STILL_MS:
                waiting.append(name)
                continue
            if len(files) == MOST_FILES or (files and size + sight.size > MOST_BYTES):
                more = True
                break
            try:
                content = (self._folder / name).read_bytes()
                unchanged = _sight(self._folder / name) == sight and len(content) == sight.size
            except OSError as error:
                refused.append((name, f"cannot be read: {error.strerror or error}"))
                continue
            if not unchanged or (still_ms < CUT_STILL_MS and not ends_whole(name, content)):
                waiting.append(name)
                continue
            size += sight.size
            modified_ms = sight.modified_ns // 1_000_000
            files.append(DropFile(name, content, modified_ms, (sight.modified_ns, name), sight.mark))
        return Listing(tuple(files), tuple(waiting), tuple(refused), frozenset(sights), more)

    def _still_ms(self, name: str, now_ms: int) -> int:
        """Since it was first seen so, or since it was written where the clocks allow to say so."""
        sight, since_ms = self._seen[name]
        return now_ms - min(since_ms, sight.modified_ns // 1_000_000)

    def _since(self, name: str, sight: _Sight, now_ms: int) -> tuple[_Sight, int]:
        before = self._seen.get(name)
        return before if before is not None and before[0] == sight else (sight, now_ms)

    def _look(self) -> tuple[dict[str, _Sight], list[str]]:
        found: dict[str, _Sight] = {}
        partial: list[str] = []
        try:
            if not self._folder.is_dir():
                raise StoreUnavailable(f"there is no folder {self._folder}", field=FIELD)
            next(self._folder.iterdir(), None)  # os.walk says nothing of a folder that may not be read
            for parent, _folders, names in os.walk(self._folder):
                for name in names:
                    path = Path(parent) / name
                    relative = path.relative_to(self._folder).as_posix()
                    if is_partial(name):
                        partial.append(relative)
                    elif is_candle_file(relative) and (sight := _sight(path)) is not None:
                        found[relative] = sight
        except OSError as error:
            raise StoreUnavailable(f"{self._folder}: {error.strerror or error}", field=FIELD) from None
        return found, sorted(partial)


def _sight(path: Path) -> _Sight | None:
    """None for what is gone again, or no regular file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return _Sight(status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None
