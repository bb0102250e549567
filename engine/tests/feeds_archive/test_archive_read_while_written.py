"""A reader that looks all the time, while a writer flushes, compacts and discards without patience."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

from spark_crds.formats.archive import TICKS, read_series_manifest
from spark_engine.data.archive.days import Days, Vanished
from spark_engine.data.archive.find import Pin, find_series

from engine.tests.feeds_archive.audit import content
from engine.tests.feeds_archive.scenario import VENUE
from engine.tests.feeds_archive.writers import write_for_ever

SECONDS = 2.0
LEAST = 6  # of its states that are seen, however long that takes


def read_whole(folder: Path, retries: list[int]) -> int:
    """Rows of a series, read as often as it takes for the files to be those of the manifest."""
    while True:
        try:
            manifest = read_series_manifest((folder / "manifest.json").read_bytes())
            return len(content(folder, manifest))
        except FileNotFoundError:
            retries.append(1)


def test_a_reader_never_sees_a_torn_or_a_missing_file_and_its_snapshots_stay(tmp_path: Path) -> None:
    processes = multiprocessing.get_context("fork")
    here, there = processes.Pipe(duplex=False)
    writer = processes.Process(target=write_for_ever, args=(tmp_path, 1, 7, there), daemon=True)
    writer.start()
    folder = tmp_path / "archive" / VENUE / "BTCTRY"
    retries: list[int] = []
    seen: list[int] = []
    pins: list[tuple[Pin, str]] = []
    until = time.monotonic() + SECONDS
    try:
        while time.monotonic() < until or len(set(seen)) < LEAST:
            assert writer.is_alive()
            if here.poll(0.001):
                here.recv()
            if not (folder / "1m" / "manifest.json").exists():
                continue
            seen += [read_whole(folder / "1m", retries)]
            if (folder / TICKS / "manifest.json").exists():
                read_whole(folder / TICKS, retries)
            pins += pinned(tmp_path)
    finally:
        writer.kill()
        writer.join()
    assert seen == sorted(seen)
    series = find_series(str(tmp_path / "archive"), "BTCTRY", "1m")
    assert series is not None
    assert [Days(series, pin).snapshot().sha256 for pin, _ in pins] == [sha256 for _, sha256 in pins]


def pinned(root: Path) -> list[tuple[Pin, str]]:
    series = find_series(str(root / "archive"), "BTCTRY", "1m")
    assert series is not None
    pin = Pin(series.manifest.commit, series.manifest.known_to_ms)
    try:
        days = Days(series, pin)
        days.load(days.dates()[-2:])
        return [(pin, days.snapshot().sha256)]
    except Vanished:
        return []
