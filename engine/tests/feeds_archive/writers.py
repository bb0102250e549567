"""Processes that write, until they are killed."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.archive.stores import open_store

from engine.tests.feeds_archive.scenario import DAY_MS, VENUE, piece, time_of

CRASHED = 77
OPERATIONS = ("write", "fsync", "replace", "unlink", "mkdir", "rmdir", "ftruncate")


def opened(root: Path, **options: Any) -> Archive:
    """An archive without patience: what is superseded goes at once."""
    return Archive(
        open_store(str(root / "archive")),
        **{"venue": VENUE, "journal": root / "journal", "writer": "test", "grace_seconds": 0.0, **options},
    )


def write_for_ever(root: Path, first: int, seed: int, acknowledgements: Connection) -> None:
    """Sends n when piece n is acknowledged; flushes and compacts all the time."""
    acknowledgements.send(0)  # it runs
    chance = random.Random(seed)  # noqa: S311
    archive = opened(root)
    for n in count(first):
        archive.append(piece(n))
        acknowledgements.send(n)
        if chance.random() < 0.3:
            archive.flush()
        if chance.random() < 0.1:
            archive.compact(time_of(n), open_segments=3, most_ticks=chance.choice((9, 200_000)))


def short_life(root: Path, told: Callable[[int], None], first: int = 1) -> None:
    """Every kind of write, once or twice; `told` of each piece that is acknowledged."""
    archive = opened(root)
    for n in (first, first + 1):
        archive.append(piece(n))
        told(n)
    archive.flush()
    archive.append(piece(first + 72))
    told(first + 72)
    archive.flush()
    archive.compact(time_of(first + 72) + 3 * DAY_MS)
    archive.append(piece(first + 75))
    told(first + 75)
    archive.close()


def crash_at(root: Path, at: int, when: str, acknowledgements: Connection) -> None:
    """Ends the process at its `at`-th operation on files: before it (which is after the one before), or
    ("half") within a write."""
    done = 0
    telling = False

    def crashing(operation: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            nonlocal done
            done += not telling
            if done != at or telling:
                return operation(*arguments)
            if when == "half":
                operation(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
            os._exit(CRASHED)

        return wrapped

    def told(n: int) -> None:
        """A pipe is written by os.write too."""
        nonlocal telling
        telling = True
        acknowledgements.send(n)
        telling = False

    for name in ("write",) if when == "half" else OPERATIONS:
        setattr(os, name, crashing(getattr(os, name)))
    short_life(root, told)
    os._exit(0)
