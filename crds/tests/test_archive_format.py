"""The manifest of a series: read as it was written, and whatever is wrong with one is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_crds.canonical import canonical, sha256_hex
from spark_crds.formats.archive import (
    Coverage,
    Day,
    SegmentFile,
    SeriesManifest,
    latest_snapshot,
    merged_coverage,
    parse_pinned_uri,
    pinned_uri,
    read_series_manifest,
)
from spark_crds.formats.error import FormatError

SERIES = SeriesManifest(
    venue="btcturk",
    symbol="BTCTRY",
    venue_symbol="BTC_TRY",
    timeframe="1m",
    commit=9,
    known_to_ms=1_704_070_800_000,
    writer="pod-1",
    files=(
        SegmentFile(
            "2024-01-01/1-9-abababab.parquet",
            "2024-01-01",
            60,
            4000,
            "ab" * 32,
            first_commit=1,
            last_commit=9,
            first_ts=1_704_067_200_000,
            last_ts=1_704_070_740_000,
        ),
    ),
    days=(Day("2024-01-01", 60, 9, "cd" * 32),),
    coverage=(Coverage(1_704_067_200_000, 1_704_070_800_000, 1),),
    price_scale=2,
    quantity_scale=8,
)


def test_a_manifest_is_read_as_it_was_written() -> None:
    assert read_series_manifest(SERIES.content()) == SERIES
    assert read_series_manifest(json.dumps(SERIES.document(), indent=2).encode()) == SERIES


@given(st.integers(0, len(SERIES.content()) - 1), st.integers(0, 7))
def test_one_changed_bit_anywhere_is_found(place: int, bit: int) -> None:
    content = bytearray(SERIES.content())
    content[place] ^= 1 << bit
    with pytest.raises(FormatError):
        read_series_manifest(bytes(content))


@given(st.integers(0, len(SERIES.content()) - 1))
def test_a_torn_manifest_is_refused(length: int) -> None:
    with pytest.raises(FormatError, match="is no JSON"):
        read_series_manifest(SERIES.content()[:length])


def of(document: dict[str, Any]) -> bytes:
    """`document` under a digest that is right, so that only its content is at fault."""
    body = {name: value for name, value in document.items() if name != "sha256"}
    return canonical({**body, "sha256": sha256_hex(canonical(body))})


SPOILT: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "another schema": (lambda d: d.update(schema="x"), "schema"),
    "no commit": (lambda d: d.pop("commit"), "commit"),
    "a commit that is no number": (lambda d: d.update(commit="9"), "commit"),
    "a commit below 0": (lambda d: d.update(commit=-1), "commit"),
    "a venue that climbs": (lambda d: d.update(venue="../x"), "venue"),
    "an unknown timeframe": (lambda d: d.update(timeframe="often"), "timeframe"),
    "a scale out of range": (lambda d: d.update(priceScale=19), "priceScale"),
    "files that are no list": (lambda d: d.update(files={}), "files"),
    "a file that is no object": (lambda d: d.update(files=[1]), "files[0]"),
    "a path out of its folder": (
        lambda d: d["files"][0].update(path="2024-01-01/../../x.parquet"),
        "files[0].path",
    ),
    "a path of another date": (lambda d: d["files"][0].update(path="2024-01-02/x.parquet"), "files[0].path"),
    "a file without rows": (lambda d: d["files"][0].update(rows=0), "files[0].rows"),
    "a hash that is none": (lambda d: d["files"][0].update(sha256="xy"), "files[0].sha256"),
    "commits the wrong way round": (lambda d: d["files"][0].update(firstCommit=10), "files[0].firstCommit"),
    "times the wrong way round": (lambda d: d["files"][0].update(lastTs=5), "files[0].firstTs"),
    "a file without times": (lambda d: d["files"][0].pop("firstTs"), "files[0].firstTs"),
    "files of other rows than their day": (lambda d: d["files"][0].update(rows=61), "files"),
    "files of ticks of one commit": (
        lambda d: d.update(
            timeframe="trades", files=[{**d["files"][0], "rows": 30}, {**d["files"][0], "rows": 30}]
        ),
        "files",
    ),
    "a date that is none": (lambda d: d["days"][0].update(date="2024-13-01"), "days[0].date"),
    "a day twice": (lambda d: d["days"].append(d["days"][0]), "days"),
    "a file of no day": (lambda d: d.update(days=[]), "files"),
    "a day of a later commit": (lambda d: d["days"][0].update(lastCommit=10), "days"),
    "coverage that ends before it begins": (lambda d: d["coverage"][0].update(to=5), "coverage[0].to"),
    "coverage of a later commit": (lambda d: d["coverage"][0].update(commit=10), "coverage"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_manifest_that_cannot_be_names_its_field(case: str) -> None:
    spoil, field = SPOILT[case]
    document = json.loads(SERIES.content())
    spoil(document)
    with pytest.raises(FormatError) as refused:
        read_series_manifest(of(document))
    assert refused.value.field == field


@pytest.mark.parametrize("content", [b"", b"[]", b"1", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_refused(content: bytes) -> None:
    with pytest.raises(FormatError, match=r"manifest\.json"):
        read_series_manifest(content)


def test_a_snapshot_changes_with_what_was_seen_and_with_nothing_else() -> None:
    snapshot = latest_snapshot(SERIES)
    compacted = replace(SERIES, files=(), writer="pod-2")
    assert latest_snapshot(compacted).sha256 == snapshot.sha256
    for other in (
        replace(SERIES, commit=10),
        replace(SERIES, known_to_ms=SERIES.known_to_ms - 1),
        replace(SERIES, days=(Day("2024-01-01", 61, 9, "cd" * 32),)),
    ):
        assert latest_snapshot(other).sha256 != snapshot.sha256


def test_coverage_at_a_commit_is_that_of_the_commit_whatever_grew_since() -> None:
    before = [Coverage(0, 100, 1), Coverage(150, 200, 2)]
    after = [Coverage(0, 100, 1), Coverage(150, 900, 2), Coverage(100, 150, 3)]
    assert merged_coverage(after, 2, 200) == merged_coverage(before, 2, 200) == ((0, 100), (150, 200))
    assert merged_coverage(after, 3, 900) == ((0, 900),)


@given(st.integers(0, 10**14), st.integers(0, 10**14))
def test_a_pinned_uri_says_what_it_was_made_of(commit: int, known_to: int) -> None:
    for uri in ("s3://bucket/a b/BTCTRY/1m", "/archive/x?y"):
        assert parse_pinned_uri(pinned_uri(uri, commit, known_to)) == (uri, commit, known_to)
        assert parse_pinned_uri(uri) is None
