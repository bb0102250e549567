"""The offset of the venue's clock from answers of its server time."""

from __future__ import annotations

from spark_engine.feeds.clock.offset import MS, OffsetEstimate

NOW = 1_700_000_000_000 * MS
SECOND = 1000 * MS


def answered(
    estimate: OffsetEstimate, at_ns: int, offset_ms: float, out_ms: float = 20, back_ms: float = 20
) -> bool:
    """One exchange with a server whose clock is `offset_ms` ahead."""
    server_ns = at_ns + round((out_ms + offset_ms) * MS)
    return estimate.sample(at_ns, at_ns + round((out_ms + back_ms) * MS), server_ns // MS)


def believed_ms(estimate: OffsetEstimate, now_ns: int) -> float:
    assert estimate.best is not None
    return estimate.best.offset_at(now_ns, 0.0) / MS


def test_nothing_is_believed_before_the_first_sample() -> None:
    assert OffsetEstimate().best is None


def test_the_quickest_of_the_samples_counts() -> None:
    """Round trips and offsets as measured on the real venue (reference/feeds.md 1.6)."""
    estimate = OffsetEstimate()
    for number, (out_ms, back_ms) in enumerate([(443, 160), (140, 124), (118, 118), (190, 155), (290, 111)]):
        assert answered(estimate, NOW + number * SECOND, 5, out_ms, back_ms)
    assert abs(believed_ms(estimate, NOW) - 5) <= 1


def test_the_error_is_within_the_bound_however_unequal_the_ways() -> None:
    for out_ms, back_ms in [(0, 300), (300, 0), (1, 1), (150, 20)]:
        estimate = OffsetEstimate()
        answered(estimate, NOW, 1270, out_ms, back_ms)
        assert estimate.best is not None
        assert abs(believed_ms(estimate, NOW) - 1270) * MS <= estimate.best.bound_ns
        assert estimate.best.bound_ns == round((out_ms + back_ms) / 2 * MS) + MS // 2


def test_a_sample_is_good_for_eight_rounds() -> None:
    estimate = OffsetEstimate()
    answered(estimate, NOW, 100, 1, 1)
    for number in range(1, 9):
        answered(estimate, NOW + number * SECOND, 100, 60, 20)
    assert believed_ms(estimate, NOW) > 110


def test_the_bound_widens_with_age() -> None:
    estimate = OffsetEstimate()
    answered(estimate, NOW, 0)
    assert estimate.best is not None
    grown = estimate.best.bound_at(NOW + 60 * SECOND, 0.0) - estimate.best.bound_at(NOW, 0.0)
    assert 2.9 * MS <= grown <= 3.1 * MS


def test_an_old_quick_sample_gives_way_to_a_new_one_that_is_surer_by_now() -> None:
    estimate = OffsetEstimate()
    answered(estimate, NOW, 10, 5, 5)
    answered(estimate, NOW + 600 * SECOND, 12, 6, 6)
    assert abs(believed_ms(estimate, NOW + 600 * SECOND) - 12) < 0.6


def test_one_lie_is_put_aside() -> None:
    estimate = OffsetEstimate()
    answered(estimate, NOW, 1270)
    assert not answered(estimate, NOW + SECOND, 3_600_000)
    assert estimate.doubtful
    assert abs(believed_ms(estimate, NOW) - 1270) < 1
    assert answered(estimate, NOW + 2 * SECOND, 1270)
    assert not estimate.doubtful
    assert (estimate.contradictions, estimate.replaced) == (1, 0)


def test_three_that_agree_with_one_another_replace_what_was_believed() -> None:
    estimate = OffsetEstimate()
    answered(estimate, NOW, 1270)
    assert not answered(estimate, NOW + SECOND, -5000)
    assert not answered(estimate, NOW + 2 * SECOND, -5000)
    assert answered(estimate, NOW + 3 * SECOND, -5000)
    assert abs(believed_ms(estimate, NOW) + 5000) < 1
    assert estimate.replaced == 1


def test_lies_that_do_not_agree_never_replace_it() -> None:
    estimate = OffsetEstimate()
    answered(estimate, NOW, 1270)
    for number in range(1, 30):
        assert not answered(estimate, NOW + number * SECOND, 10_000 * number)
    assert abs(believed_ms(estimate, NOW) - 1270) < 1


def test_an_answer_before_its_request_is_of_no_use() -> None:
    estimate = OffsetEstimate()
    assert not estimate.sample(NOW, NOW - 1, NOW // MS)
    assert estimate.best is None
