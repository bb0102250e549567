"""Segments and their digests: what goes in comes out, and the digest does not care for files or order."""

from __future__ import annotations

import hashlib
import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data.archive.digest import extended_digest, rows_digest
from spark_engine.data.archive.segment import (
    SOURCES,
    CandleRow,
    TickRow,
    candle_columns,
    candle_rows,
    tick_columns,
    tick_rows,
)
from spark_engine.data.archive.segment_file import (
    BATCH_TICKS,
    decode_candles,
    decode_ticks,
    encode_candles,
    encode_ticks,
    joined_ticks,
    tick_batches,
)
from spark_engine.errors import InvalidData

exact = st.integers(0, 2**52 - 1)
scale = st.integers(0, 18)
candles = st.builds(
    CandleRow,
    ts=st.integers(0, 2**41),
    open=exact,
    high=exact,
    low=exact,
    close=exact,
    volume=exact,
    trades=st.none() | st.integers(0, 2**40),
    quality=st.integers(0, 3),
    source=st.sampled_from(SOURCES),
    revision=st.integers(0, 2**31 - 1),
    commit=st.integers(0, 2**53),
    price_scale=scale,
    quantity_scale=scale,
)
whole = st.integers(-(2**63), 2**63 - 1)
ticks = st.builds(
    TickRow,
    ts=st.integers(0, 2**41),
    id=st.text(max_size=20).filter(lambda text: text.isprintable()),
    price=whole,
    quantity=whole,
    price_scale=scale,
    quantity_scale=scale,
    side=st.sampled_from((-1, 0, 1)),
    commit=st.integers(0, 2**53),
)


@given(st.lists(candles, max_size=30))
def test_candles_come_out_of_a_segment_as_they_went_in(rows: list[CandleRow]) -> None:
    assert candle_rows(decode_candles(encode_candles(candle_columns(rows)), "x.parquet")) == rows


@given(st.lists(ticks, max_size=30))
def test_ticks_come_out_of_a_segment_as_they_went_in(rows: list[TickRow]) -> None:
    assert tick_rows(decode_ticks(encode_ticks(tick_columns(rows)), "x.parquet")) == rows


@given(st.lists(candles, max_size=20, unique_by=lambda row: (row.ts, row.revision)), st.randoms())
def test_the_digest_of_a_day_is_that_of_its_rows_in_any_order(
    rows: list[CandleRow], chance: random.Random
) -> None:
    mixed = chance.sample(rows, len(rows))
    assert rows_digest(candle_columns(mixed)) == rows_digest(candle_columns(rows))


@given(st.lists(candles, min_size=1, max_size=5, unique_by=lambda row: (row.ts, row.revision)))
def test_any_other_value_gives_another_digest(rows: list[CandleRow]) -> None:
    digest = rows_digest(candle_columns(rows))
    first, *others = rows
    for other in (
        first._replace(volume=first.volume ^ 1 << 20),
        first._replace(commit=first.commit + 1),
        first._replace(trades=0 if first.trades is None else None),
        first._replace(quality=3 - first.quality if first.quality != 1 else 0),
    ):
        assert rows_digest(candle_columns([other, *others])) != digest


def test_two_rows_of_one_revision_have_no_digest() -> None:
    row = TickRow(5, "a", 1, 1, 2, 8, 1, 1)
    with pytest.raises(InvalidData, match="two rows"):
        rows_digest(tick_columns([row, row]))


def test_the_digest_is_made_of_the_bytes_that_its_module_states() -> None:
    rows = [TickRow(7, "9", 150, 20, 2, 8, -1, 3), TickRow(7, "10", 151, 30, 2, 8, 1, 3)]

    def label(text: str) -> bytes:
        return struct.pack("<H", len(text)) + text.encode()

    texts = struct.pack("<I", 2) + b"10" + struct.pack("<I", 1) + b"9"  # by id: "10" before "9"
    content = b"spark.trading/archive-day/v1\n" + label("ticks") + struct.pack("<HQ", 8, 2)
    content += label("ts") + b"q" + struct.pack("<2q", 7, 7) + label("id") + b"t" + texts
    content += label("price") + b"q" + struct.pack("<2q", 151, 150)
    content += label("quantity") + b"q" + struct.pack("<2q", 30, 20)
    content += label("price_scale") + b"b" + bytes([2, 2]) + label("quantity_scale") + b"b" + bytes([8, 8])
    content += (
        label("side") + b"b" + struct.pack("<2b", 1, -1) + label("commit") + b"q" + struct.pack("<2q", 3, 3)
    )
    assert rows_digest(tick_columns(rows)) == hashlib.sha256(content).hexdigest()


def test_the_digest_of_a_day_of_ticks_is_a_chain_over_its_commits() -> None:
    first = tick_columns([TickRow(7, "9", 150, 20, 2, 8, -1, 3), TickRow(7, "10", 151, 30, 2, 8, 1, 3)])
    second = tick_columns([TickRow(5, "8", 149, 20, 2, 8, -1, 4)])
    once = hashlib.sha256(bytes.fromhex(rows_digest(first))).digest()
    twice = hashlib.sha256(once + bytes.fromhex(rows_digest(second))).hexdigest()
    assert extended_digest("", first) == once.hex()
    assert extended_digest(once.hex(), second) == twice
    assert extended_digest(extended_digest("", second), first) != twice


@given(st.lists(st.lists(ticks, min_size=1, max_size=5), min_size=1, max_size=5))
def test_segments_that_are_put_together_are_read_one_after_another(parts: list[list[TickRow]]) -> None:
    content, count = joined_ticks([encode_ticks(tick_columns(rows)) for rows in parts], "x.parquet")
    rows = [row for part in parts for row in part]
    assert (tick_rows(decode_ticks(content, "x.parquet")), count) == (rows, len(rows))


def test_a_segment_is_read_in_parts_and_in_its_order() -> None:
    rows = [TickRow(n, f"{n}", n, 1, 2, 8, 1, 1) for n in range(2 * BATCH_TICKS + 1)]
    parts = list(tick_batches(encode_ticks(tick_columns(rows)), "x.parquet"))
    assert [len(part) for part in parts] == [BATCH_TICKS, BATCH_TICKS, 1]
    assert [row for part in parts for row in tick_rows(part)] == rows


def test_a_segment_that_is_damaged_is_told_in_words_when_it_is_read_in_parts() -> None:
    content = encode_ticks(tick_columns([TickRow(1, "1", 1, 1, 2, 8, 1, 1)]))
    with pytest.raises(InvalidData, match=r"x\.parquet"):
        list(tick_batches(content[:-1], "x.parquet"))
    with pytest.raises(InvalidData, match="is no segment: its columns are"):
        list(tick_batches(encode_candles(candle_columns([])), "x.parquet"))


def test_a_parquet_file_of_other_columns_is_no_segment() -> None:
    with pytest.raises(InvalidData, match="is no segment: its columns are ts, id"):
        decode_candles(encode_ticks(tick_columns([])), "x.parquet")
