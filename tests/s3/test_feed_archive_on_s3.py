"""A feed's archive in a real object store: the same promises as in a directory."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import from_url
from spark_crds.formats.archive import TICKS, SegmentFile, read_series_manifest
from spark_engine.data.archive.days import Days
from spark_engine.data.archive.find import Pin, find_series
from spark_engine.errors import StoreUnavailable
from spark_engine.feeds.archive.archive import Archive
from spark_engine.feeds.archive.lock import LEASE_MS, AnotherWriter
from spark_engine.feeds.archive.stores import open_store

from engine.tests.feeds_archive.scenario import DAY_MS, VENUE, piece, time_of

pytestmark = pytest.mark.s3


@pytest.fixture
def uri(s3: Any) -> str:
    return f"s3://{s3.bucket}/feeds/{uuid.uuid4().hex}"


def opened(uri: str, journal: Path, **options: Any) -> Archive:
    defaults = {"venue": VENUE, "journal": journal, "writer": "feed-0", "grace_seconds": 0.0}
    return Archive(open_store(uri), **{**defaults, **options})


def names(uri: str) -> set[str]:
    store = from_url(uri, client_options={"allow_http": True})
    return {entry["path"] for batch in obstore.list(store) for entry in batch}


def test_what_is_appended_is_read_back_after_flush_compaction_and_restart(uri: str, tmp_path: Path) -> None:
    archive = opened(uri, tmp_path)
    for n in (3, 6, 9):
        archive.append(piece(n))
        archive.flush()
    series = find_series(uri, "BTCTRY", "1m")
    assert series is not None
    pin = Pin(series.manifest.commit, series.manifest.known_to_ms)
    before = Days(series, pin).snapshot().sha256
    assert archive.compact(time_of(9) + DAY_MS) == 2 * 3
    archive.append(piece(12))
    archive.close()
    again = opened(uri, tmp_path)
    assert [each.id for each in again.ticks_since("BTCTRY", time_of(6))] == [
        each.id for n in (6, 9, 12) for each in piece(n).ticks
    ]
    series = find_series(uri, "BTCTRY", "1m")
    assert series is not None
    assert Days(series, pin).snapshot().sha256 == before
    again.close()
    assert names(uri) == {
        f"{VENUE}/BTCTRY/{timeframe}/{name}"
        for timeframe in (TICKS, "1m")
        for name in ("manifest.json", *(file.path for file in files(uri, timeframe)))
    }


def files(uri: str, timeframe: str) -> tuple[SegmentFile, ...]:
    body = open_store(uri).get(f"{VENUE}/BTCTRY/{timeframe}/manifest.json")
    assert body is not None
    return read_series_manifest(body).files


def test_another_writer_is_refused_until_the_first_is_silent(uri: str, tmp_path: Path) -> None:
    now = [10**12]
    first = opened(uri, tmp_path / "a", wall=lambda: now[0])
    first.append(piece(3))
    with pytest.raises(AnotherWriter, match="being written by feed-0"):
        opened(uri, tmp_path / "b", writer="feed-1", wall=lambda: now[0])
    now[0] += LEASE_MS
    second = opened(uri, tmp_path / "b", writer="feed-1", wall=lambda: now[0])
    with pytest.raises(AnotherWriter, match="being written by feed-1"):
        first.flush()
    first.abandon()
    assert second.ticks_since("BTCTRY", 0) == []
    second.close()
    third = opened(uri, tmp_path / "a")
    assert third.recovered_rows > 0
    third.close()


def test_a_restarted_writer_takes_over_at_once_and_the_one_before_stops(uri: str, tmp_path: Path) -> None:
    before = opened(uri, tmp_path / "a")
    after = opened(uri, tmp_path / "b")
    with pytest.raises(AnotherWriter, match="feed-0"):
        before.flush()
    before.abandon()
    after.flush()
    after.close()


def test_wrong_credentials_are_named_and_nothing_acknowledged_is_lost(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = opened(uri, tmp_path)
    archive.append(piece(3))
    archive.abandon()
    with monkeypatch.context() as environment:
        environment.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        with pytest.raises(StoreUnavailable, match=rf"spec\.storage\.uri: .*{uri}.* check the credentials"):
            opened(uri, tmp_path)
    again = opened(uri, tmp_path)
    assert len(again.ticks_since("BTCTRY", 0)) == 3
    again.close()


def test_an_unreachable_store_is_named(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nobody_listens: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", nobody_listens)
    with pytest.raises(StoreUnavailable, match=rf"spec\.storage\.uri: the archive {uri}: cannot read"):
        opened(uri, tmp_path)


def test_a_bucket_that_is_not_there_is_named(s3: Any, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"spec\.storage\.uri: the archive s3://nowhere/x"):
        opened("s3://nowhere/x", tmp_path)
