"""A row of a sweep has the bits of the single run with the same parameters."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import accumulate, pairwise
from math import fsum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spark_engine.data.candles import Candles
from spark_engine.errors import EngineError, InvalidSpec, InvalidStrategy
from spark_engine.simulation import trials
from spark_engine.simulation.checks import is_plain
from spark_engine.simulation.ledger import Account, Decisions, Gates
from spark_engine.simulation.simulate import simulate
from spark_engine.simulation.trials_window import cut
from spark_engine.strategies.registry import check_parameters, find

from .conftest import UseCore, account_of, alone, candles_of, decisions_of, rows_of

THOUSAND = [(fast, slow) for fast in range(5, 25) for slow in range(30, 130, 2)]
FEW = THOUSAND[::9]


def singles(candles: Candles, pairs: list[tuple[int, int]], down: float) -> Callable[[int], Decisions]:
    return partial(trials.crossings_of, candles, pairs, down)


def random_decisions(bars: int, density: float, targets: tuple[float, ...], seed: int) -> Decisions:
    draw = random.Random(seed)  # noqa: S311 - decisions, not keys
    return decisions_of(*((bar, draw.choice(targets)) for bar in range(bars) if draw.random() < density))


def ties(candles: Candles, fast: int, slow: int) -> int:
    sums = [0, *accumulate(candles.ticks_close)]
    return sum(
        (sums[row] - sums[row - fast]) * slow == (sums[row] - sums[row - slow]) * fast
        for row in range(slow, len(sums))
    )


@pytest.mark.parametrize("down", [0.0, -1.0], ids=["long", "long-short"])
def test_a_thousand_pairs_on_real_candles_equal_their_single_runs(
    real_candles: Candles, build: str, down: float
) -> None:
    account = account_of()
    table = trials.simulate_crossings(real_candles, THOUSAND, down, account, threads=2)
    assert sum(table.trades) > 100_000
    assert rows_of(table) == alone(
        real_candles, len(THOUSAND), singles(real_candles, THOUSAND, down), account, threads=2
    )


@pytest.mark.parametrize("down", [0.0, -1.0], ids=["long", "long-short"])
def test_ties_of_averages_and_returns_to_a_peak_are_read_as_in_a_single_run(
    coarse_candles: Candles, build: str, down: float
) -> None:
    assert sum(ties(coarse_candles, fast, slow) for fast, slow in FEW) > 300
    account = account_of(0.0, 0.0)
    table = trials.simulate_crossings(coarse_candles, FEW, down, account)
    assert rows_of(table) == alone(coarse_candles, len(FEW), singles(coarse_candles, FEW, down), account)


@pytest.mark.parametrize("next_close", [False, True])
@pytest.mark.parametrize("close_at_end", [False, True])
@pytest.mark.parametrize("fee", [0.0, 0.003])
def test_fill_at_the_close_closing_at_the_end_and_no_fees_equal_single_runs(
    coarse_candles: Candles, build: str, next_close: bool, close_at_end: bool, fee: float
) -> None:
    account = account_of(fee, next_close=next_close, close_at_end=close_at_end)
    table = trials.simulate_crossings(coarse_candles, FEW, -1.0, account)
    assert rows_of(table) == alone(coarse_candles, len(FEW), singles(coarse_candles, FEW, -1.0), account)


def test_windows_of_every_length_and_more_of_them_than_a_table_holds_equal_single_runs(
    real_candles: Candles, build: str
) -> None:
    candles = cut(real_candles, 1000, 5000, 700)
    draw = random.Random(5)  # noqa: S311 - windows, not keys
    pairs = [(1, 2), (1, 3999), (1, 4700), (699, 4000), (2, 10_000), (63, 64), (64, 65), (1, 700), (1, 701)]
    while len(pairs) < 300:
        fast, slow = sorted(draw.sample(range(1, 1200), 2))
        pairs.append((fast, slow))
    account = account_of()
    table = trials.simulate_crossings(candles, pairs, 0.0, account)
    assert rows_of(table) == alone(candles, len(pairs), singles(candles, pairs, 0.0), account)


def test_prices_beyond_the_reach_of_rounded_quotients_are_compared_exactly(
    coarse_candles: Candles, build: str
) -> None:
    big = array("q", (tick * 2**38 + (row % 2) for row, tick in enumerate(coarse_candles.ticks_close)))
    candles = replace(coarse_candles, ticks_close=memoryview(big))
    pairs = [(9, slow) for slow in range(60, 130)]
    account = account_of()
    table = trials.simulate_crossings(candles, pairs, 0.0, account, threads=2)
    assert max(big) * 9 * 129 > 2**52
    assert rows_of(table) == alone(candles, len(pairs), singles(candles, pairs, 0.0), account)


def test_a_sweep_of_rsi_equals_its_single_runs(real_candles: Candles, build: str) -> None:
    rsi = find("rsi")
    sets = [
        check_parameters(rsi, {"period": period, "lower": lower, "upper": 100 - lower, "direction": way})
        for period in range(5, 25, 2)
        for lower in (20, 25, 30, 35)
        for way in ("long", "long-short")
    ]

    def decide(k: int) -> Decisions:
        assert rsi.decide is not None
        return rsi.decide(real_candles, sets[k])

    account = account_of()
    table = trials.simulate_decisions(real_candles, len(sets), decide, account, threads=2)
    assert sum(table.trades) > 10_000
    assert rows_of(table) == alone(real_candles, len(sets), decide, account)


@pytest.mark.parametrize("density", [0.0, 0.001, 0.1, 1.0])
def test_any_list_of_targets_equals_its_single_run(real_candles: Candles, build: str, density: float) -> None:
    candles = cut(real_candles, 100, 3333, 50)
    bars = len(candles) - candles.warmup
    lists = [random_decisions(bars, density, (-1.0, 0.0, 1.0), seed) for seed in range(150)]
    account = account_of(0.0)
    table = trials.simulate_decisions(candles, len(lists), lists.__getitem__, account, threads=2)
    assert rows_of(table) == alone(candles, len(lists), lists.__getitem__, account)


def test_crossings_as_decisions_give_the_rows_of_crossings(real_candles: Candles, build: str) -> None:
    account = account_of()
    decide = singles(real_candles, FEW, -1.0)
    assert rows_of(trials.simulate_decisions(real_candles, len(FEW), decide, account)) == rows_of(
        trials.simulate_crossings(real_candles, FEW, -1.0, account)
    )


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_the_number_of_threads_changes_no_bit(real_candles: Candles, build: str, threads: int) -> None:
    account = account_of()
    decide = singles(real_candles, FEW, -1.0)
    for run in (
        partial(trials.simulate_crossings, real_candles, THOUSAND, -1.0, account),
        partial(trials.simulate_decisions, real_candles, len(FEW), decide, account),
    ):
        assert rows_of(run(threads=threads)) == rows_of(run(threads=1))


def test_sets_that_go_bankrupt_equal_their_single_runs(build: str) -> None:
    closes = [100, 100, 101, 350, 500, 90, 80, 120, 300, 900, 5, 700, 3, 4, 5, 6] * 20
    candles = candles_of([closes[0], *closes[:-1]], closes)
    lists = [random_decisions(len(closes), 0.005, (-1.0, 0.0, 1.0), seed) for seed in range(100)]
    account = account_of()
    table = trials.simulate_decisions(candles, len(lists), lists.__getitem__, account, threads=2)
    bankrupt = sum(bar >= 0 for bar in table.bankrupt_bar)
    assert 0 < bankrupt < len(lists)
    assert rows_of(table) == alone(candles, len(lists), lists.__getitem__, account)


def test_sets_with_fractional_targets_equal_their_single_runs(real_candles: Candles, build: str) -> None:
    candles = cut(real_candles, 0, 1000, 0)
    lists = [
        random_decisions(1000, 0.05, targets, seed)
        for seed, targets in enumerate([(1.0, 0.0), (0.5, 0.0, 1.0), (-1.0, 1.0), (-0.25, 0.75)] * 20)
    ]
    account = account_of()
    table = trials.simulate_decisions(candles, len(lists), lists.__getitem__, account, threads=2)
    assert rows_of(table) == alone(candles, len(lists), lists.__getitem__, account)


def test_without_compiling_the_rows_are_the_same(real_candles: Candles, use_core: UseCore) -> None:
    candles = cut(real_candles, 50, 450, 40)
    bars = len(candles) - candles.warmup
    pairs = [(fast, slow) for fast in range(1, 9) for slow in range(10, 60, 6)][:70]
    lists = [random_decisions(bars, 0.1, (-1.0, 0.0, 1.0), seed) for seed in range(5)]
    account = account_of()
    use_core("uncompiled")
    crossings = trials.simulate_crossings(candles, pairs, -1.0, account)
    decisions = trials.simulate_decisions(candles, len(lists), lists.__getitem__, account)
    assert rows_of(crossings) == alone(candles, len(pairs), singles(candles, pairs, -1.0), account)
    assert rows_of(decisions) == alone(candles, len(lists), lists.__getitem__, account)
    use_core("baseline")
    assert rows_of(crossings) == rows_of(trials.simulate_crossings(candles, pairs, -1.0, account))
    assert rows_of(decisions) == alone(candles, len(lists), lists.__getitem__, account)


PRICES = st.lists(st.tuples(st.integers(1, 400), st.integers(1, 400)), min_size=1, max_size=200)
ACCOUNTS = st.builds(
    account_of,
    st.sampled_from([0.0, 0.001, 0.3]),
    st.sampled_from([0.0, 0.0005, 0.5]),
    cash=st.sampled_from([1.0, 10_000.0, 1e-300]),
    next_close=st.booleans(),
    close_at_end=st.booleans(),
)
TARGETS = st.sampled_from([(1.0, 0.0), (1.0, -1.0), (-1.0, 0.0, 1.0)])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    prices=PRICES, account=ACCOUNTS, targets=TARGETS, density=st.floats(0.0, 1.0), seed=st.integers(0, 2**32)
)
def test_any_account_on_any_prices_equals_its_single_run(
    build: str,
    prices: list[tuple[int, int]],
    account: Account,
    targets: tuple[float, ...],
    density: float,
    seed: int,
) -> None:
    candles = candles_of([price for price, _ in prices], [price for _, price in prices])
    lists = [random_decisions(len(prices), density, targets, seed + k) for k in range(5)]
    pairs = [(1, 2), (2, 3), (1, 7), (3, 64)]
    table = trials.simulate_decisions(candles, len(lists), lists.__getitem__, account)
    assert rows_of(table) == alone(candles, len(lists), lists.__getitem__, account)
    crossed = trials.simulate_crossings(candles, pairs, -1.0, account)
    assert rows_of(crossed) == alone(candles, len(pairs), singles(candles, pairs, -1.0), account)


@pytest.mark.parametrize("bars", [161, 162, 176, 177, 5000])
def test_block_sums_are_what_plain_running_sums_grow_by(real_candles: Candles, build: str, bars: int) -> None:
    candles = cut(real_candles, 0, bars, 0)
    account = account_of()
    table = trials.simulate_crossings(candles, [(3, 8)], 0.0, account)
    equity = simulate(candles, singles(candles, [(3, 8)], 0.0)(0), account).equity
    returns = [after / before - 1.0 for before, after in pairwise(equity)]
    length, dropped = len(returns) // 16, len(returns) % 16
    borders = range(dropped, len(returns) + 1, length)
    s1 = [0.0, *accumulate(returns)]
    s2 = [0.0, *accumulate(value * value for value in returns)]
    spans = list(pairwise(borders))
    assert len(spans) == 16
    assert table.block_s1.tolist() == [s1[end] - s1[begin] for begin, end in spans]
    assert table.block_s2.tolist() == [s2[end] - s2[begin] for begin, end in spans]
    exact = [fsum(returns[begin:end]) for begin, end in spans]
    assert table.block_s1.tolist() == pytest.approx(exact, rel=1e-9, abs=1e-13)


def test_fewer_than_160_returns_have_no_blocks(real_candles: Candles, build: str) -> None:
    table = trials.simulate_crossings(cut(real_candles, 0, 160, 0), [(3, 8)], 0.0, account_of())
    assert table.block_s1.tolist() == table.block_s2.tolist() == [0.0] * 16


def test_blocks_can_be_left_out(real_candles: Candles, build: str) -> None:
    table = trials.simulate_crossings(real_candles, FEW, 0.0, account_of(), blocks=False)
    assert (len(table.block_s1), len(table.block_s2), len(table)) == (0, 0, len(FEW))


def test_no_sets_give_no_rows(coarse_candles: Candles, build: str) -> None:
    assert len(trials.simulate_crossings(coarse_candles, [], 0.0, account_of())) == 0


def test_a_cut_with_its_lookback_decides_as_the_whole_does(real_candles: Candles) -> None:
    account = account_of(cash=500.0)
    whole = trials.crossings_of(real_candles, [(9, 21)], 0.0, 0)
    inside = [
        (bar - 3000, target)
        for bar, target in zip(whole.bar, whole.target, strict=True)
        if 3000 <= bar < 7000
    ]
    window = cut(real_candles, 3000, 7000, 21)
    assert (len(window), window.warmup) == (4021, 21)
    table = trials.simulate_crossings(window, [(9, 21)], 0.0, account)
    assert rows_of(table) == alone(window, 1, lambda _: decisions_of(*inside), account)


def test_shorts_that_the_account_does_not_allow_are_refused_or_count_as_zero(coarse_candles: Candles) -> None:
    account = account_of(shorts=False)
    with pytest.raises(InvalidSpec, match="must be true") as refused:
        trials.simulate_crossings(coarse_candles, FEW, -1.0, account)
    assert refused.value.field == "spec.account.allowShort"
    down, flat = ([decisions_of((10, 1.0), (20, target))] for target in (-1.0, 0.0))
    assert rows_of(trials.simulate_decisions(coarse_candles, 1, down.__getitem__, account)) == rows_of(
        trials.simulate_decisions(coarse_candles, 1, flat.__getitem__, account)
    )


@pytest.mark.parametrize("pair", [(0, 5), (5, 5), (6, 5), (2**31, 2**32)])
def test_windows_that_cannot_cross_are_refused(coarse_candles: Candles, pair: tuple[int, int]) -> None:
    with pytest.raises(InvalidSpec, match=r"pair 1 is fast .* 1 <= fast < slow"):
        trials.simulate_crossings(coarse_candles, [(1, 2), pair], 0.0, account_of())


def test_an_account_out_of_range_is_refused_as_in_a_single_run(coarse_candles: Candles) -> None:
    with pytest.raises(InvalidSpec, match="must be above 0"):
        trials.simulate_crossings(coarse_candles, FEW, 0.0, account_of(cash=0.0))


def test_what_the_lanes_cannot_carry_is_refused(coarse_candles: Candles) -> None:
    account = replace(account_of(), gates=Gates(max_drawdown=0.1))
    assert not is_plain(coarse_candles, account)
    with pytest.raises(EngineError, match="simulate_singly"):
        trials.simulate_crossings(coarse_candles, FEW, 0.0, account)


def test_disordered_decisions_are_refused_with_the_number_of_their_set(coarse_candles: Candles) -> None:
    lists = [decisions_of((3, 1.0)), decisions_of((3, 1.0), (3, 0.0))]
    with pytest.raises(InvalidStrategy, match="set 1: decision 2"):
        trials.simulate_decisions(coarse_candles, 2, lists.__getitem__, account_of())
