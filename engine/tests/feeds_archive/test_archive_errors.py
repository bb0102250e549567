"""What goes wrong with a disk, a directory or a second writer is said in clear words, and loses nothing."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from spark_engine.errors import InvalidSpec, StoreUnavailable
from spark_engine.feeds.archive import compaction, directory_store
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.archive.journal import Journal
from spark_engine.feeds.archive.lock import AnotherWriter

from engine.tests.feeds_archive.audit import archived, leftovers, require_each_once
from engine.tests.feeds_archive.scenario import DAY_MS, VENUE, piece, time_of
from engine.tests.feeds_archive.writers import opened

PAGES = 64 * 4096


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={PAGES}", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_under_the_archive_keeps_everything_in_the_journal(
    tmp_path: Path, small_disk: Path
) -> None:
    (tmp_path / "archive").symlink_to(small_disk)
    archive = opened(tmp_path)
    n = 0
    with pytest.raises(StoreUnavailable, match=r"spec\.storage\.uri.*archive.*No space left on device"):
        while True:
            n += 1
            archive.append(piece(n))
            archive.flush()
    archive.append(piece(n + 1))
    archived(small_disk)
    subprocess.run(["mount", "-o", f"remount,size={4 * PAGES}", str(small_disk)], check=True)
    archive.close()
    everything = list(map(piece, range(1, n + 2)))
    require_each_once(small_disk, everything, everything)


def test_superseded_files_make_room_where_a_flush_finds_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    archive = opened(tmp_path, clock=lambda: now[0], grace_seconds=30.0)
    for n in (1, 4):
        archive.append(piece(n))
        archive.flush()
    assert archive.compact(time_of(4) + DAY_MS) > 0
    assert len(leftovers(tmp_path)) > 0
    archive.append(piece(10))
    write = directory_store.write_durably

    def full(path: Path, content: bytes) -> None:
        if path.suffix == ".parquet" and leftovers(tmp_path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, content)

    monkeypatch.setattr(directory_store, "write_durably", full)
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        archive.flush()
    now[0] = 31.0
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        archive.flush()
    archive.flush()
    everything = list(map(piece, (1, 4, 10)))
    require_each_once(tmp_path / "archive", everything, everything)


@pytest.mark.parametrize("runs", [1, 100])
def test_a_compaction_that_finds_no_room_leaves_nothing_behind(
    runs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = opened(tmp_path)
    numbers = (1, 4, 73, 76)  # two of a day
    for n in numbers:
        archive.append(piece(n))
        archive.flush()
    write = directory_store.write_durably

    def full_by_the_second_day(path: Path, content: bytes) -> None:
        if path.suffix == ".parquet" and path.parent.name != "2023-11-15":
            no_space()
        write(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(directory_store, "write_durably", full_by_the_second_day)
        patched.setattr(compaction, "MOST_RUNS", runs)
        with pytest.raises(StoreUnavailable, match="No space left on device"):
            archive.compact(time_of(76) + DAY_MS)
    archive.flush()
    assert leftovers(tmp_path) == []
    require_each_once(tmp_path / "archive", map(piece, numbers), map(piece, numbers))


def test_a_full_disk_under_the_journal_refuses_to_acknowledge(tmp_path: Path, small_disk: Path) -> None:
    archive = opened(tmp_path, journal=small_disk / "journal")
    n = 0
    with pytest.raises(StoreUnavailable, match=r"the journal .* cannot be kept: No space left on device"):
        while True:
            archive.append(piece(n + 1))
            n += 1
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        archive.append_many(map(piece, range(n + 1, n + 100)))
    subprocess.run(["mount", "-o", f"remount,size={4 * PAGES}", str(small_disk)], check=True)
    archive.append(piece(n + 1))
    archive.close()
    everything = list(map(piece, range(1, n + 2)))
    require_each_once(tmp_path / "archive", everything, everything)


def test_a_journal_that_filled_its_disk_while_the_store_was_away_drains_when_it_is_back(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Journal.__init__.__kwdefaults__, "seal_bytes", PAGES // 4)
    archive = opened(tmp_path, journal=small_disk / "journal")
    n = 0
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        while True:
            archive.append(piece(n + 1))
            n += 1
    fill(small_disk)
    archive.flush()
    archive.append(piece(n + 1))
    archive.close()
    everything = list(map(piece, range(1, n + 2)))
    require_each_once(tmp_path / "archive", everything, everything)


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_directory_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("a file")
    with pytest.raises(StoreUnavailable, match=r"spec\.storage\.uri: the archive .*archive.*Not a directory"):
        opened(tmp_path)


def test_a_read_only_disk_is_named_and_the_journal_keeps_what_it_has(
    tmp_path: Path, small_disk: Path
) -> None:
    (tmp_path / "archive").symlink_to(small_disk)
    archive = opened(tmp_path)
    archive.append(piece(1))
    archive.abandon()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreUnavailable, match=r"spec\.storage\.uri: .*archive.*Read-only file system"):
        opened(tmp_path)
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    opened(tmp_path).abandon()
    require_each_once(small_disk, [piece(1)], [piece(1)])


@pytest.mark.parametrize("uri", ["ftp://host/x", "s3://", "s3:///feeds"])
def test_an_address_of_no_store_is_refused_with_what_is_allowed(uri: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.storage\.uri: must be a path, or file://, s3://BUCKET"):
        Archive.open(uri, venue=VENUE, journal=tmp_path / "journal", writer="me")


def test_a_second_writer_is_refused_and_the_first_is_named(tmp_path: Path) -> None:
    first = opened(tmp_path, writer="feed-0")
    with pytest.raises(AnotherWriter, match="feed-0, process"):
        opened(tmp_path, journal=tmp_path / "other", writer="feed-1")
    with pytest.raises(AnotherWriter, match=r"the journal .* feed-0"):
        Archive.open(str(tmp_path / "elsewhere"), venue=VENUE, journal=tmp_path / "journal", writer="feed-1")
    first.close()
    opened(tmp_path, journal=tmp_path / "other", writer="feed-1").close()


def test_a_killed_writer_holds_no_lock(tmp_path: Path) -> None:
    script = (
        "import os, signal; from pathlib import Path; from engine.tests.feeds_archive.writers import opened;"
        f"held = opened(Path({str(tmp_path)!r})); os.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert (tmp_path / "archive" / VENUE / ".writer.lock").exists()
    opened(tmp_path).close()


def test_a_journal_of_another_archive_is_not_taken_over_while_it_holds_records(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    archive.append(piece(1))
    archive.abandon()
    with pytest.raises(StoreUnavailable, match=r"holds records of .*archive"):
        Archive.open(str(tmp_path / "elsewhere"), venue=VENUE, journal=tmp_path / "journal", writer="me")
    opened(tmp_path).close()
    Archive.open(str(tmp_path / "elsewhere"), venue=VENUE, journal=tmp_path / "journal", writer="me").close()


def test_damage_in_a_sealed_part_of_the_journal_is_not_passed_over(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "an archive", seal_bytes=1)
    for n in (1, 2, 3):
        journal.append([piece(n)], ())
    journal.close()
    first = min(tmp_path.glob("*.journal"))
    body = bytearray(first.read_bytes())
    body[-40] ^= 1
    first.write_bytes(body)
    again = Journal(tmp_path, "an archive")
    sealed = again.seal()
    with pytest.raises(StoreUnavailable, match="is damaged after"):
        list(again.read(sealed[0]))
    assert [entry.sequence for path in sealed[1:] for entry in again.read(path)] == [2, 3]


def test_a_record_that_was_cut_short_was_never_acknowledged(tmp_path: Path) -> None:
    archive = opened(tmp_path)
    archive.append(piece(1))
    archive.append(piece(2))
    archive.abandon()
    (journal,) = (tmp_path / "journal").glob("*.journal")
    journal.write_bytes(journal.read_bytes()[:-1])
    again = opened(tmp_path)
    again.append(piece(4))
    again.close()
    require_each_once(tmp_path / "archive", [piece(1), piece(4)], [piece(1), piece(4)])


def test_a_journal_whose_next_file_failed_numbers_its_records_on_after_a_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was there already when its folder could not be synced."""
    archive = opened(tmp_path)
    archive.append(piece(1))
    with monkeypatch.context() as patched:
        patched.setattr(directory_store, "sync_folder", no_space)
        with pytest.raises(StoreUnavailable, match=r"the journal .* cannot be kept"):
            archive.flush()
    archive.append(piece(2))
    archive.append(piece(4))
    archive.abandon()  # as a crash leaves it
    again = opened(tmp_path)
    again.append(piece(5))
    again.append(piece(8))
    again.close()
    everything = list(map(piece, (1, 2, 4, 5, 8)))
    require_each_once(tmp_path / "archive", everything, everything)


def test_a_journal_goes_on_in_its_old_file_where_the_next_cannot_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process may have only so many files open at once."""
    archive = opened(tmp_path)
    archive.append(piece(1))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", too_many_files)
        with pytest.raises(StoreUnavailable, match="Too many open files"):
            archive.flush()
    archive.append(piece(2))
    archive.close()
    require_each_once(tmp_path / "archive", [piece(1), piece(2)], [piece(1), piece(2)])


open_path = Path.open


def too_many_files(path: Path, mode: str, buffering: int) -> object:
    if mode == "ab":
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    return open_path(path, mode, buffering)


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
