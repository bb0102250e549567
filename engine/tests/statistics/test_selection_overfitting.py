"""PBO: against a slow and independent implementation, and on trials whose answer is known."""

from __future__ import annotations

import random
import statistics
from array import array
from collections.abc import Iterator
from fractions import Fraction
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from itertools import combinations
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from spark_engine.statistics import cscv, selection_overfitting
from spark_engine.statistics.selection_overfitting import Overfitting, overfitting

Matrix = list[list[float]]  # trial, bar


@pytest.fixture(params=["compiled", "uncompiled"])
def build(request: pytest.FixtureRequest) -> Iterator[str]:
    assert not str(cscv.__file__).endswith(".py"), "cscv is not compiled: run make"
    if request.param == "compiled":
        yield request.param
        return
    source = Path(str(cscv.__file__)).with_name("cscv.py")
    spec = spec_from_loader("uncompiled_cscv", SourceFileLoader("uncompiled_cscv", str(source)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    with patch.object(selection_overfitting, "cscv", module):
        yield request.param


PINNED = (8322 / 12_870, 10_651 / 12_870, 12_870)


def blocks_of(returns: Matrix) -> tuple[memoryview, memoryview, int]:
    bars = len(returns[0])
    length = bars // 16
    sums, squares = array("d"), array("d")
    for row in returns:
        kept = row[bars % 16 :]
        for block in range(16):
            part = kept[block * length : (block + 1) * length]
            sums.append(sum(part))
            squares.append(sum(value * value for value in part))
    return memoryview(sums), memoryview(squares), bars


def found(returns: Matrix) -> Overfitting:
    result = overfitting(*blocks_of(returns))
    assert result is not None
    return result


def slow(returns: Matrix) -> Overfitting:
    """From the returns themselves, half by half, as the paper describes it."""
    matrix = np.array(returns)
    length = matrix.shape[1] // 16
    blocks = matrix[:, matrix.shape[1] % 16 :].reshape(len(returns), 16, length)
    low = negative = count = 0
    for chosen in combinations(range(16), 8):
        rest = [block for block in range(16) if block not in chosen]
        halves = (blocks[:, part].reshape(len(returns), -1) for part in (list(chosen), rest))
        training, test = (half.mean(axis=1) / half.std(axis=1, ddof=1) for half in halves)
        best = int(np.argmax(training))
        places = [place for place, score in enumerate(sorted(test), 1) if score == test[best]]
        low += Fraction(sum(places), len(places)) / (len(returns) + 1) <= Fraction(1, 2)
        negative += bool(test[best] < 0)
        count += 1
    return Overfitting(low / count, negative / count, count)


def noise(trials: int, bars: int, seed: int, drift: float = 0.0) -> Matrix:
    draw = random.Random(seed)  # noqa: S311  # no secret
    return [[draw.gauss(drift * trial, 0.01) for _ in range(bars)] for trial in range(trials)]


@pytest.mark.parametrize(("trials", "bars"), [(3, 175), (50, 320)])
def test_the_fast_way_and_the_slow_way_agree(trials: int, bars: int) -> None:
    returns = noise(trials, bars, seed=trials)
    assert found(returns) == slow(returns)


def test_the_uncompiled_source_gives_the_same_halves(build: str) -> None:
    assert found(noise(3, 175, seed=3)) == Overfitting(*PINNED)


def test_all_halves_of_sixteen_blocks_are_looked_at() -> None:
    assert found(noise(2, 160, 1)).halves == 12_870


def test_a_trial_that_is_better_everywhere_is_no_accident() -> None:
    result = found(noise(20, 1600, 1, drift=0.002))
    assert (result.probability, result.negative) == (0.0, 0.0)


def test_choosing_among_noise_is_overfitting_as_often_as_not() -> None:
    found_values = [found(noise(50, 320, seed)).probability for seed in range(10)]
    assert 0.4 < statistics.fmean(found_values) < 0.6


def test_what_gains_in_one_half_and_loses_it_in_the_other_is_overfit() -> None:
    """Trial k gains in block k and loses slowly elsewhere: the best of any half did best by its block."""
    returns = [
        [(0.05 if bar // 20 == trial else -0.003) + 0.0001 * (bar % 2) for bar in range(320)]
        for trial in range(16)
    ]
    result = found(returns)
    assert (result.probability, result.negative) == (1.0, 1.0)


def test_equal_trials_share_their_rank() -> None:
    (row,) = noise(1, 160, 3)
    result = found([row, row, row])
    assert result.probability == 1.0  # rank 2 of 3, w = 1/2


def test_a_trial_that_never_trades_scores_zero() -> None:
    (row,) = noise(1, 160, 5)
    losing = [value - 0.1 for value in row]
    result = found([[0.0] * 160, losing])
    assert (result.probability, result.negative) == (0.0, 0.0)


def test_the_first_returns_that_do_not_fill_a_block_are_dropped() -> None:
    returns = noise(4, 160, 7)
    assert found([[9.9] * 15 + row for row in returns]) == found(returns)


@pytest.mark.parametrize(("trials", "bars"), [(2, 159), (1, 1000)])
def test_too_little_data_has_no_pbo(trials: int, bars: int) -> None:
    assert overfitting(*blocks_of(noise(trials, bars, 1))) is None


def test_too_many_trials_have_no_pbo() -> None:
    rows = memoryview(array("d", bytes(8 * 16 * 20_001)))
    assert overfitting(rows, rows, 160) is None


def test_scaling_returns_by_a_power_of_two_changes_nothing() -> None:
    returns = noise(5, 320, 11)
    assert found([[4 * value for value in row] for row in returns]) == found(returns)
