"""An archive in a real object store is the archive on a disk, digest for digest."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest
from spark_engine.errors import InvalidData, StoreUnavailable
from spark_engine.evidence.digests import candles_digest

from tests.archives import DAY, FIRST, HOUR, Writer, into, minute, minutes

pytestmark = pytest.mark.s3


@pytest.fixture
def root(s3: Any, tmp_path: Path) -> str:
    """One archive in both places: its URI in the bucket, the folder is `tmp_path`."""
    folder = uuid.uuid4().hex
    on_disk = into(tmp_path)

    def both(path: str, content: bytes) -> None:
        on_disk(path, content)
        s3.put(f"{folder}/{path}", content)

    writer = Writer(both)
    for begin in range(FIRST, FIRST + 2 * DAY, 6 * HOUR):
        writer.commit(minutes(begin, 360), [(begin, begin + 6 * HOUR)])
    writer.commit([minute(FIRST, price=20_000, revision=1)])
    return f"s3://{s3.bucket}/{folder}"


def request(uri: object, **changed: Any) -> CandleRequest:
    return CandleRequest(str(uri), "BTCTRY", "1h", **changed)


@pytest.mark.parametrize("below", ["", "/", "/btcturk", "/btcturk/BTCTRY", "/btcturk/BTCTRY/1m"])
def test_the_snapshot_and_the_rows_are_those_of_the_disk(root: str, tmp_path: Path, below: str) -> None:
    there, here = read_candles(request(root + below)), read_candles(request(tmp_path))
    assert there.source_sha256 == here.source_sha256
    assert candles_digest(there) == candles_digest(here)
    assert there.pinned_uri == f"{root}/btcturk/BTCTRY/1m?commit=9&to={FIRST + 2 * DAY}"


def test_a_pinned_run_reads_an_earlier_commit(root: str, tmp_path: Path) -> None:
    pin = f"btcturk/BTCTRY/1m?commit=8&to={FIRST + 2 * DAY}"
    there, here = read_candles(request(f"{root}/{pin}")), read_candles(request(f"{tmp_path}/{pin}"))
    assert there.source_sha256 == here.source_sha256 != read_candles(request(root)).source_sha256
    with pytest.raises(InvalidData, match=r"spec\.data\.sha256"):
        read_candles(request(f"{root}/{pin}", sha256="0" * 64))


def test_an_archive_behind_wrong_credentials_is_the_fault_of_the_store(
    root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StoreUnavailable, match="credentials in the environment"):
        read_candles(request(root))
