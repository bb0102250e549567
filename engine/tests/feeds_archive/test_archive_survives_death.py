"""A writer that dies at any moment loses nothing that it acknowledged, and leaves nothing half-done."""

from __future__ import annotations

import errno
import multiprocessing
import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from spark_engine.errors import StoreUnavailable
from spark_engine.feeds.archive import flush

from engine.tests.feeds_archive.audit import archived, leftovers, require_each_once
from engine.tests.feeds_archive.scenario import VENUE, piece
from engine.tests.feeds_archive.writers import (
    CRASHED,
    OPERATIONS,
    crash_at,
    opened,
    short_life,
    write_for_ever,
)

KILLS = 50
SHORT_LIFE = (1, 2, 73, 76)

STARTED = 0

processes = multiprocessing.get_context("fork")  # a hundred times faster than a new interpreter


def received(acknowledgements: Connection) -> list[int]:
    found = []
    with suppress(EOFError):
        while acknowledgements.poll(0):
            found.append(acknowledgements.recv())
    return found


def test_a_writer_killed_at_fifty_random_moments_loses_and_doubles_nothing(tmp_path: Path) -> None:
    seed = 20261121
    chance = random.Random(seed)  # noqa: S311
    acknowledged: list[int] = []
    for kill in range(KILLS):
        first = acknowledged[-1] + 1 if acknowledged else 1
        here, there = processes.Pipe(duplex=False)
        writer = processes.Process(target=write_for_ever, args=(tmp_path, first, seed + kill, there))
        writer.start()
        there.close()
        assert here.recv() == STARTED
        acknowledged += [here.recv() for _ in range(chance.randrange(6))]
        time.sleep(chance.uniform(0, 0.03))
        writer.kill()
        writer.join()
        acknowledged += received(here)
        archived(tmp_path / "archive")  # a reader that comes now sees no partial file
        opened(tmp_path).abandon()
        assert leftovers(tmp_path) == []
        last = acknowledged[-1] if acknowledged else 0
        require_each_once(tmp_path / "archive", map(piece, acknowledged), map(piece, range(1, last + 2)))
    assert len(acknowledged) > 2 * KILLS


def crashed_at(root: Path, at: int, when: str) -> tuple[list[int], bool]:
    here, there = processes.Pipe(duplex=False)
    writer = processes.Process(target=crash_at, args=(root, at, when, there))
    writer.start()
    there.close()
    writer.join()
    assert writer.exitcode in (0, CRASHED)
    return received(here), writer.exitcode == 0


@pytest.mark.parametrize(("when", "most_rows"), [("before", 50_000), ("half", 50_000), ("before", 4)])
def test_a_crash_at_any_operation_on_files_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str, most_rows: int
) -> None:
    """Also where a flush commits each piece by itself, in the midst of a file of the journal."""
    monkeypatch.setattr(flush, "MOST_ROWS", most_rows)
    finished, at = False, 0
    while not finished:
        at += 1
        root = tmp_path / f"{at}"
        acknowledged, finished = crashed_at(root, at, when)
        if (root / "archive").exists():
            archived(root / "archive")
        opened(root).abandon()
        assert leftovers(root) == [], f"after operation {at}"
        if acknowledged:
            require_each_once(root / "archive", map(piece, acknowledged), map(piece, SHORT_LIFE))
    assert at > (50 if when == "before" else 20)


def fail_at(
    monkeypatch: pytest.MonkeyPatch, at: int, code: int, *, last: int | None = None
) -> Callable[[], int]:
    """Operations `at` to `last` on files fail with `code`. Returns how to ask for the number so far."""
    done = 0

    def failing(name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any) -> Any:
            nonlocal done
            done += 1
            if at <= done <= (last or at):
                if name == "write":
                    operation(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
                raise OSError(code, os.strerror(code))
            return operation(*arguments)

        return wrapped

    for name in OPERATIONS:
        monkeypatch.setattr(os, name, failing(name, getattr(os, name)))
    return lambda: done


def test_a_disk_that_is_full_for_one_operation_is_named_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    acknowledged: list[int] = []
    at, done, failures = 0, 1, 0
    while done >= at:
        at += 1
        root = tmp_path / f"{at}"
        opened(root).abandon()
        acknowledged.clear()
        with monkeypatch.context() as patched:
            count = fail_at(patched, at, errno.ENOSPC)
            try:
                short_life(root, acknowledged.append)
            except StoreUnavailable as failure:
                failures += 1
                assert "No space left on device" in str(failure)
                assert str(root) in str(failure)
            done = count()
        archived(root / "archive") if (root / "archive" / VENUE).exists() else None
        again = opened(root)
        for n in SHORT_LIFE:
            again.append(piece(n))
        again.close()
        assert leftovers(root) == [], f"after operation {at}"
        require_each_once(root / "archive", map(piece, SHORT_LIFE), map(piece, SHORT_LIFE))
    assert failures > 50


def test_a_writer_goes_on_in_its_own_process_once_the_disk_has_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(1, 60, 2):
        root = tmp_path / f"{at}"
        archive = opened(root)
        acknowledged = []
        with monkeypatch.context() as patched:
            fail_at(patched, at, errno.ENOSPC, last=at + at % 4)
            for n in range(1, 6):
                try:
                    archive.append(piece(n))
                    acknowledged.append(n)
                    archive.flush()
                except StoreUnavailable:
                    archived(root / "archive")
        archive.append(piece(6))
        archive.flush()
        archive.compact(10**13)
        archive.abandon()
        opened(root).abandon()
        assert leftovers(root) == []
        require_each_once(root / "archive", map(piece, [*acknowledged, 6]), map(piece, range(1, 7)))
