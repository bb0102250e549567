"""The one writer of an archive in an object store is known by a lease, for as long as it lives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest
from spark_engine.errors import StoreUnavailable
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.archive.lock import LEASE_FILE, LEASE_MS, AnotherWriter, Lease

from engine.tests.feeds_archive.scenario import DAY_MS, VENUE, piece, time_of

PATIENCE = 30.0  # seconds, of a test that fails


class Objects:
    """A store in memory. turns: released once for each write, and each read while it is away. meanwhile:
    called once, when the next segment is written. renewed: likewise, after the next renewal."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], None] | None = None
        self.renewed: Callable[[], None] | None = None
        self.uri = "memory://archive"
        self.objects: dict[str, bytes] = {}
        self.turns = threading.Semaphore(0)
        self.away = False

    def get(self, name: str) -> bytes | None:
        if self.away:
            self.turns.release()
            raise StoreUnavailable("away")
        return self.objects.get(name)

    def put_new(self, name: str, content: bytes) -> None:
        self.objects[name] = content
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()

    def replace(self, name: str, content: bytes) -> None:
        self.objects[name] = content
        self.turns.release()
        renewed, self.renewed = self.renewed, None
        if renewed is not None:
            renewed()

    def delete(self, name: str) -> None:
        self.objects.pop(name, None)

    def list(self, folder: str) -> Iterable[str]:
        return [name for name in self.objects if name.startswith(folder) and not name.endswith(LEASE_FILE)]

    def remove_unfinished(self, folder: str) -> None:
        """A write is whole."""


class Clock:
    def __init__(self) -> None:
        self.ms = 10**12

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def store() -> Objects:
    return Objects()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lease(store: Objects, clock: Clock) -> Iterator[Lease]:
    held = Lease(store, VENUE, "feed-0", clock, renew_seconds=0.001)
    yield held
    held.release()


def tried(store: Objects) -> bool:
    """Waits for two renewals: the first may have been under way."""
    while store.turns.acquire(blocking=False):
        pass
    return all(store.turns.acquire(timeout=PATIENCE) for _ in range(2))


def test_a_writer_that_flushes_seldom_stays_the_writer(lease: Lease, store: Objects, clock: Clock) -> None:
    """As with a flush an hour, or one that takes long."""
    clock.ms += 2 * LEASE_MS
    assert tried(store)
    with pytest.raises(AnotherWriter, match="being written by feed-0"):
        Lease(store, VENUE, "feed-1", clock)
    lease.check()


def test_a_store_that_was_away_is_told_again_who_writes(lease: Lease, store: Objects, clock: Clock) -> None:
    store.away = True
    assert tried(store)
    clock.ms += 2 * LEASE_MS
    store.away = False
    assert tried(store)
    with pytest.raises(AnotherWriter, match="being written by feed-0"):
        Lease(store, VENUE, "feed-1", clock)


def test_a_writer_that_was_replaced_does_not_come_back(lease: Lease, store: Objects, clock: Clock) -> None:
    """Nobody can between two renewals; within one, which reads and then writes, the last to write is it."""
    taken: SimpleQueue[Lease] = SimpleQueue()
    store.renewed = lambda: taken.put(Lease(store, VENUE, "feed-0", clock, renew_seconds=0.001))
    after = taken.get(timeout=PATIENCE)
    assert tried(store)
    with pytest.raises(AnotherWriter, match="being written by feed-0"):
        lease.check()
    after.check()
    after.release()


def test_a_writer_that_left_leaves_nothing_behind(lease: Lease, store: Objects, clock: Clock) -> None:
    assert tried(store)
    lease.release()
    assert store.objects == {}
    Lease(store, VENUE, "feed-1", clock).release()
    assert store.objects == {}


def opened(store: Objects, journal: Path) -> Archive:
    """By the name of the one before, as a pod that takes its place."""
    return Archive(store, venue=VENUE, journal=journal, writer="feed-0")


def ids(archive: Archive) -> list[str]:
    return sorted(tick.id for tick in archive.ticks_since("BTCTRY", 0))


@pytest.mark.parametrize("stays", [True, False])
@pytest.mark.parametrize("work", ["flush", "compact"])
def test_a_writer_that_is_replaced_in_the_midst_of_its_work_takes_nothing_back(
    stays: bool, work: str, store: Objects, tmp_path: Path
) -> None:
    before = opened(store, tmp_path / "before")
    for n in (3, 6):
        before.append(piece(n))
        before.flush()
    before.append(piece(9))
    expected = {tick.id for n in (3, 6, 9, 12) for tick in piece(n).ticks}

    def take_over() -> None:
        after = opened(store, tmp_path / "after")
        after.append(piece(12))
        after.flush()
        if not stays:
            after.close()

    store.meanwhile = take_over
    with pytest.raises(StoreUnavailable, match=r"another writer|being written by feed-0"):
        before.flush() if work == "flush" else before.compact(time_of(12) + DAY_MS)
    before.abandon()
    last = opened(store, tmp_path / "before")
    assert ids(last) == sorted(expected)
    last.close()
