"""Candles out of a real object store, and what is said when it has none, refuses or is down."""

from __future__ import annotations

import gzip
import hashlib
import io
import uuid
from typing import Any

import polars
import pytest
from spark_engine.data.candles import Candles
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest
from spark_engine.errors import InvalidData, StoreUnavailable

pytestmark = pytest.mark.s3

HOUR = 3_600_000
MIDNIGHT = 1_704_067_200_000


def table(begin: int, end: int) -> polars.DataFrame:
    hours = range(begin, end)
    columns = {"ts": [MIDNIGHT + hour * HOUR for hour in hours]}
    columns |= {name: [100.0 + hour for hour in hours] for name in ("open", "high", "low", "close", "volume")}
    return polars.DataFrame(columns)


def parquet(begin: int, end: int) -> bytes:
    buffer = io.BytesIO()
    table(begin, end).write_parquet(buffer)
    return buffer.getvalue()


def read(uri: str, **request: Any) -> Candles:
    return read_candles(CandleRequest(uri, "BTCUSDT", "1h", **request))


@pytest.fixture
def folder() -> str:
    """A prefix of its own, so that tests may share a bucket."""
    return uuid.uuid4().hex


@pytest.mark.parametrize("name", ["candles.parquet", "dt=2024 01/ü+x.parquet"])
def test_an_object_is_read_and_recorded_with_its_hash(name: str, folder: str, s3: Any) -> None:
    content = parquet(0, 20)
    candles = read(s3.put(f"{folder}/{name}", content), sha256=hashlib.sha256(content).hexdigest())
    assert len(candles) == 20
    assert (candles.source_sha256, candles.source_bytes) == (
        hashlib.sha256(content).hexdigest(),
        len(content),
    )


def test_a_packed_csv_object_is_read(folder: str, s3: Any) -> None:
    uri = s3.put(f"{folder}/x.csv.gz", gzip.compress(table(0, 20).write_csv().encode()))
    assert list(read(uri).ts) == table(0, 20)["ts"].to_list()


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_prefix_is_all_its_candle_files_in_the_order_of_their_names(
    ending: str, folder: str, s3: Any
) -> None:
    s3.put(f"{folder}/2024/02.parquet", parquet(10, 20))
    s3.put(f"{folder}/2024/01.parquet", parquet(0, 10))
    s3.put(f"{folder}/2024/_SUCCESS", b"")
    s3.put(f"{folder}/2024x.parquet", b"a neighbour whose name begins alike")
    candles = read(f"s3://{s3.bucket}/{folder}/2024{ending}")
    assert list(candles.ts) == table(0, 20)["ts"].to_list()
    assert candles.quality_report.unsorted_rows == 0


def test_a_prefix_has_the_hash_of_the_same_files_in_a_directory(folder: str, s3: Any, tmp_path: Any) -> None:
    for name in ("a.parquet", "b.parquet"):
        content = parquet(*((0, 5) if name == "a.parquet" else (5, 9)))
        (tmp_path / name).write_bytes(content)
        s3.put(f"{folder}/{name}", content)
    assert read(f"s3://{s3.bucket}/{folder}/").source_sha256 == read(str(tmp_path)).source_sha256


def test_a_wrong_checksum_is_refused(folder: str, s3: Any) -> None:
    with pytest.raises(InvalidData, match=r"spec\.data\.sha256: is 000"):
        read(s3.put(f"{folder}/x.parquet", parquet(0, 5)), sha256="0" * 64)


@pytest.mark.parametrize(
    "uri", ["s3://{bucket}/{folder}/x.parquet", "s3://{bucket}/{folder}/", "s3://no-such-bucket-{folder}/x"]
)
def test_a_missing_object_is_the_fault_of_the_spec(uri: str, folder: str, s3: Any) -> None:
    with pytest.raises(InvalidData, match=r"spec\.data\.uri: there is no object s3://.*nor \*\.parquet"):
        read(uri.format(bucket=s3.bucket, folder=folder))


def test_a_corrupt_object_is_the_fault_of_the_data(folder: str, s3: Any) -> None:
    with pytest.raises(InvalidData, match="not a whole parquet file"):
        read(s3.put(f"{folder}/x.parquet", parquet(0, 5)[:-3]))


@pytest.mark.parametrize("ending", ["x.parquet", ""])
def test_wrong_credentials_are_the_fault_of_the_store(
    ending: str, folder: str, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3.put(f"{folder}/x.parquet", parquet(0, 5))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(StoreUnavailable, match=r"the store refuses s3://.*credentials in the environment"):
        read(f"s3://{s3.bucket}/{folder}/{ending}")


def test_a_server_that_is_down_is_the_fault_of_the_store(
    s3: Any, nobody_listens: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", nobody_listens)
    with pytest.raises(StoreUnavailable, match=r"spec\.data\.uri: s3://candles/x\.parquet cannot be read"):
        read("s3://candles/x.parquet")


def test_an_endpoint_that_is_no_url_is_named(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:7070")
    with pytest.raises(StoreUnavailable, match="AWS_ENDPOINT_URL must start with http:// or https://"):
        read("s3://candles/x.parquet")


@pytest.mark.parametrize(
    "uri", ["s3://", "s3:///x", "s3://candles/a//b", "s3://candles/a?b", "s3://candles/a#b"]
)
def test_a_uri_that_names_no_object_is_the_fault_of_the_spec(uri: str, s3: Any) -> None:
    with pytest.raises(InvalidData, match=r"not an object or prefix|percent-encoded"):
        read(uri)
