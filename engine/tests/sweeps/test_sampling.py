"""Random search: pinned draws, every set equally likely, none twice."""

from __future__ import annotations

import hashlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.sweeps.sampling import draw, sample


def every(_trial: int) -> bool:
    return True


def test_a_draw_is_the_first_word_of_the_hash_of_seed_and_counter() -> None:
    message = b"spark-sweep-v1" + struct.pack("<QQ", 7, 3)
    assert draw(7, 3) == struct.unpack("<Q", hashlib.sha256(message).digest()[:8])[0]


def test_draws_are_pinned() -> None:
    assert [draw(0, counter) % 1000 for counter in range(5)] == PINNED
    assert sample(1000, 5, 0, every).ids == tuple(sorted(PINNED))


PINNED = [383, 229, 740, 568, 818]


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 2**53 - 1))
def test_a_sample_has_different_ids_in_order_within_the_space(size: int, samples: int, seed: int) -> None:
    found = sample(size, samples, seed, every)
    assert list(found.ids) == sorted(set(found.ids))
    assert all(0 <= trial < size for trial in found.ids)
    assert found.complete == (len(found.ids) == samples)
    assert found.draws <= 64 * samples
    if samples > size:
        assert not found.complete


def test_a_larger_sample_holds_the_smaller_one() -> None:
    assert set(sample(10_000, 50, 1, every).ids) < set(sample(10_000, 100, 1, every).ids)


def test_only_trials_are_drawn() -> None:
    found = sample(1000, 100, 3, lambda trial: trial % 2 == 1)
    assert found.complete
    assert all(trial % 2 == 1 for trial in found.ids)


def test_a_space_without_trials_ends_the_draws() -> None:
    found = sample(1000, 3, 0, lambda _trial: False)
    assert (found.ids, found.draws, found.complete) == ((), 192, False)


def test_draws_beyond_the_largest_multiple_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    size = 2**63 + 1  # almost half of all draws are beyond it
    found = sample(size, 20, 0, every)
    kept = [drawn for drawn in (draw(0, counter) for counter in range(found.draws)) if drawn < size]
    assert found.ids == tuple(sorted(kept))
    assert len(kept) < found.draws


def test_every_set_is_about_equally_likely() -> None:
    counts = [0] * 10
    for seed in range(2000):
        counts[sample(10, 1, seed, every).ids[0]] += 1
    assert min(counts) > 150
    assert max(counts) < 250
