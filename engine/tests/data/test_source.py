"""Where candles come from: files, directories, samples, checksums, and everything that is none of them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.candles import Candles
from spark_engine.data.sample import SAMPLES
from spark_engine.errors import InvalidData

HOUR = 3_600_000
Bars = Callable[..., dict[str, list[Any]]]


def part(columns: dict[str, list[Any]], begin: int, end: int) -> dict[str, list[Any]]:
    return {name: values[begin:end] for name, values in columns.items()}


@pytest.mark.parametrize("spelling", ["{path}", "file://{path}", "file://localhost{path}"])
def test_a_file_is_named_by_path_or_uri_and_recorded_with_its_hash(
    spelling: str, bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    path = parquet(bars(10))
    candles = read(spelling.format(path=path))
    assert candles.source_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert candles.source_bytes == path.stat().st_size


def test_a_uri_may_be_percent_encoded(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    path = parquet(bars(10), "a b#1?.parquet")
    assert len(read(path.as_uri())) == len(read(path)) == 10


def test_a_directory_is_all_its_candle_files_in_the_order_of_their_names(
    bars: Bars,
    parquet: Callable[..., Path],
    csv: Callable[..., Path],
    tmp_path: Path,
    read: Callable[..., Candles],
) -> None:
    columns = bars(40)
    parquet(part(columns, 10, 20), "month=01/b.parquet")
    parquet(part(columns, 0, 10), "month=01/a.parquet")
    rows = zip(*part(columns, 20, 40).values(), strict=True)
    csv("".join(",".join(map(repr, row)) + "\n" for row in rows), "month=02.csv")
    csv("not candles", "README.md")
    csv("not candles", "_SUCCESS")
    csv("not candles", ".part.csv")
    candles = read(tmp_path)
    assert list(candles.ts) == columns["ts"]
    assert candles.quality_report.unsorted_rows == 0


def test_the_hash_of_a_directory_is_that_of_its_manifest(
    bars: Bars, parquet: Callable[..., Path], tmp_path: Path, read: Callable[..., Candles]
) -> None:
    parquet(part(bars(20), 10, 20), "x/b.parquet")
    parquet(part(bars(20), 0, 10), "x/a.parquet")
    files = [
        {
            "bytes": (tmp_path / "x" / name).stat().st_size,
            "path": name,
            "sha256": hashlib.sha256((tmp_path / "x" / name).read_bytes()).hexdigest(),
        }
        for name in ("a.parquet", "b.parquet")
    ]
    manifest = json.dumps({"files": files, "schema": "spark.trading/files/v1"}, separators=(",", ":"))
    assert read(tmp_path / "x").source_sha256 == hashlib.sha256(manifest.encode()).hexdigest()


def test_a_right_checksum_is_accepted_in_either_spelling(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    path = parquet(bars(10))
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    assert len(read(path, sha256=found)) == len(read(path, sha256=f"sha256:{found}")) == 10


def test_a_wrong_checksum_is_refused_with_both_values_before_the_file_is_decoded(
    csv: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    path = csv(b"no candles at all")
    found = hashlib.sha256(b"no candles at all").hexdigest()
    with pytest.raises(InvalidData, match=f"is {'0' * 64}, but that of the data is {found}") as refused:
        read(path, sha256="0" * 64)
    assert refused.value.field == "spec.data.sha256"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("/nowhere/at/all.parquet", "there is no /nowhere/at/all.parquet"),
        ("", "has no file named|cannot be read|neither"),
        ("file://host/x.parquet", "three slashes"),
        ("file://[x", "is not a URI"),
        ("http://example.org/x.parquet", "must be a path or file://"),
        ("ftp://x", "must be a path or file://"),
        ("://x", "must be a path or file://"),
        ("sample://ethusdt-1h", "the samples are sample://btcusdt-1h"),
        ("x" * 5000, "cannot be read: File name too long"),
        ("a\0b", "cannot be read"),
        ("/dev/zero", "neither a file nor a directory"),
    ],
)
def test_a_uri_that_names_no_candles_says_what_is_allowed(
    uri: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[..., Candles]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidData, match=message) as refused:
        read(uri)
    assert refused.value.field == "spec.data.uri"


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, read: Callable[..., Candles]) -> None:
    os.mkfifo(tmp_path / "x.parquet")
    with pytest.raises(InvalidData, match="neither a file nor a directory"):
        read(tmp_path / "x.parquet")


def test_a_directory_without_candle_files_says_which_names_count(
    tmp_path: Path, read: Callable[..., Candles]
) -> None:
    with pytest.raises(InvalidData, match=r"has no file named \*\.parquet, \*\.csv, \*\.csv\.gz"):
        read(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(
    bars: Bars, parquet: Callable[..., Path], read: Callable[..., Candles]
) -> None:
    path = parquet(bars(3))
    path.chmod(0)
    with pytest.raises(InvalidData, match="cannot be read: Permission denied"):
        read(path)


def test_one_bad_file_of_a_directory_is_named(
    bars: Bars,
    parquet: Callable[..., Path],
    csv: Callable[..., Path],
    tmp_path: Path,
    read: Callable[..., Candles],
) -> None:
    parquet(bars(10), "a.parquet")
    csv(b"PAR1 nothing", "b.parquet")
    with pytest.raises(InvalidData, match=r"b\.parquet is not a whole parquet file"):
        read(tmp_path)


def test_every_sample_is_there_and_is_what_it_says(read: Callable[..., Candles]) -> None:
    for sample in SAMPLES:
        candles = read(sample.uri, sample.timeframe, sample.symbol)
        assert candles.quality_report.resampled_from is None
        assert len(candles) > 1_000


def test_the_sample_can_be_had_in_longer_bars(read: Callable[..., Candles]) -> None:
    candles = read("sample://btcusdt-1h", "4h", "btc-usdt", partial_bars="Drop")
    assert candles.quality_report.resampled_from == "1h"


def test_another_symbol_than_the_sample_has_is_refused_with_both_named(read: Callable[..., Candles]) -> None:
    with pytest.raises(InvalidData, match="ETHUSDT was asked; sample://btcusdt-1h has BTCUSDT") as refused:
        read("sample://btcusdt-1h", "1h", "ETHUSDT")
    assert refused.value.field == "spec.market.symbol"


def test_shorter_bars_than_the_sample_has_are_refused_with_both_named(read: Callable[..., Candles]) -> None:
    with pytest.raises(InvalidData, match=r"bars of 5m were asked; .* in bars of 1h") as refused:
        read("sample://btcusdt-1h", "5m")
    assert refused.value.field == "spec.market.timeframe"
