"""The runs of the watched namespaces, as lists and details need them: two JSON texts a run, and an order.

Kept as text, because answers are text: a list of a thousand runs is a join, and 10,000 runs are some 40 MB.
"""

from __future__ import annotations

import asyncio
import json
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spark_operator.api.views import detail_view, strategy_of, summary_view
from spark_operator.core.vocabulary import Word, standing

Position = tuple[str, str]
"""Creation time and name: the order of a list, newest first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One run. `summary` and `detail` are JSON; `artifact_uri` is empty before there is one."""

    position: Position
    uid: str
    version: str
    word: Word
    reason: str
    strategy: str
    symbol: str
    artifact_uri: str
    summary: bytes
    detail: bytes

    @property
    def name(self) -> str:
        return self.position[1]

    @property
    def ended(self) -> bool:
        return self.word in (Word.DONE, Word.FAILED)


@dataclass(slots=True)
class _Namespace:
    entries: dict[str, Entry] = field(default_factory=dict)
    order: list[Position] = field(default_factory=list)
    counts: Counter[Word] = field(default_factory=Counter)
    version: str = ""
    watched: str = ""


class RunCache:
    """Written by the watch, and ahead of it by this process's own writes. What is older is ignored."""

    def __init__(self) -> None:
        self._namespaces: dict[str, _Namespace] = {}
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return sum(len(namespace.entries) for namespace in self._namespaces.values())

    def put(self, run: Mapping[str, Any]) -> None:
        """Takes note of an object that a LIST or a watch showed."""
        namespace = self._of(run["metadata"]["namespace"])
        namespace.watched = later(namespace.watched, run["metadata"]["resourceVersion"])
        self._put(namespace, entry_of(run))

    def put_written(self, run: Mapping[str, Any]) -> None:
        """Takes note of our own write, so that who wrote can read it. The watch may have been faster."""
        namespace = self._of(run["metadata"]["namespace"])
        if is_newer(run["metadata"]["resourceVersion"], namespace.watched or "0"):
            self._put(namespace, entry_of(run))

    def _of(self, namespace: str) -> _Namespace:
        return self._namespaces.setdefault(namespace, _Namespace())

    def _put(self, namespace: _Namespace, new: Entry) -> None:
        old = namespace.entries.get(new.name)
        if old is not None and is_newer(old.version, new.version):
            return
        if old is not None:
            _remove(namespace, old)
        namespace.entries[new.name] = new
        insort(namespace.order, new.position)
        namespace.counts[new.word] += 1
        self._note(namespace, new.version)

    def discard(self, namespace: str, name: str, version: str) -> None:
        """The object is gone since `version`."""
        held = self._of(namespace)
        held.watched = later(held.watched, version)
        entry = held.entries.get(name)
        if entry is None or is_newer(entry.version, version):
            return
        _remove(held, entry)
        self._note(held, version)

    def keep_only(self, scope: str, seen: set[tuple[str, str]], version: str) -> None:
        """Drops what a complete LIST at `version` did not show; an empty `scope` is every namespace."""
        for namespace, held in self._namespaces.items():
            if scope in ("", namespace):
                for name in [name for name in held.entries if (namespace, name) not in seen]:
                    self.discard(namespace, name, version)

    def get(self, namespace: str, name: str) -> Entry | None:
        held = self._namespaces.get(namespace)
        return held.entries.get(name) if held else None

    def newest(self, namespace: str, before: Position | None = None) -> Iterator[Entry]:
        """Newest first; from below `before`, if that is given."""
        held = self._namespaces.get(namespace, _Namespace())
        end = len(held.order) if before is None else bisect_left(held.order, before)
        for index in range(end - 1, -1, -1):
            yield held.entries[held.order[index][1]]

    def counts(self, namespace: str) -> dict[str, int]:
        """Runs by public status, all four named."""
        counts = self._namespaces.get(namespace, _Namespace()).counts
        return {word.value: counts[word] for word in Word}

    def version(self, namespace: str) -> str:
        """resourceVersion of the namespace's last change that was seen; empty before any."""
        return self._namespaces.get(namespace, _Namespace()).version

    async def wait_until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Whether `holds` came true in time; it is asked again after every change."""
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def _note(self, namespace: _Namespace, version: str) -> None:
        namespace.version = later(namespace.version, version)
        self._changed.set()
        self._changed = asyncio.Event()


def entry_of(run: Mapping[str, Any]) -> Entry:
    """What is kept of an object."""
    metadata, spec, status = run["metadata"], run["spec"], run.get("status") or {}
    found = standing(status)
    return Entry(
        position=(metadata["creationTimestamp"], metadata["name"]),
        uid=metadata["uid"],
        version=metadata["resourceVersion"],
        word=found.word,
        reason=found.reason,
        strategy=strategy_of(spec),
        symbol=spec["market"]["symbol"],
        artifact_uri=(status.get("artifact") or {}).get("uri", ""),
        summary=json_bytes(summary_view(run)),
        detail=json_bytes(detail_view(run)),
    )


def is_newer(version: str, other: str) -> bool:
    """Whether the first resourceVersion is the later one. Comparable as numbers (KEP-5504)."""
    return version.isdecimal() and other.isdecimal() and int(version) > int(other)


def later(version: str, other: str) -> str:
    """The later of two resourceVersions."""
    return version if is_newer(version, other) else other


def json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def joined(items: Iterable[bytes]) -> bytes:
    """JSON texts as one JSON array."""
    return b"[" + b",".join(items) + b"]"


def _remove(namespace: _Namespace, entry: Entry) -> None:
    del namespace.entries[entry.name]
    del namespace.order[bisect_left(namespace.order, entry.position)]
    namespace.counts[entry.word] -= 1
