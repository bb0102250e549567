"""Conditions: exact, small, and with an error that names the token."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_crds.sweeps.error import SweepError
from spark_crds.sweeps.where import Where

NAMES = ("fast", "slow", "rate")


def holds(text: str, fast: Any = 9, slow: Any = 21, rate: Any = Fraction(1, 10)) -> bool:
    return Where(text, NAMES).holds((fast, slow, rate))


@pytest.mark.parametrize(
    "text",
    [
        "fast < slow",
        "fast <= 9 and slow >= 21",
        "not fast == slow",
        "fast != slow",
        "slow > 2 * fast",
        "slow - fast == 12",
        "slow / fast > 2.3",
        "1 < fast < slow < 30",
        "fast > 10 or slow < 30",
        "not (fast > 10 and slow < 30)",
        "rate + rate + rate == 0.3",
        "rate * 3 == .3",
        "-fast < +slow",
        "fast + slow * 2 == 51",
        "(fast + slow) * 2 == 60",
        "9/2 == 4.5",
        "slow == 21.",
        "fast<slow and\n  slow<30\n",
        "fast<9or slow>20",
    ],
)
def test_what_the_language_can_say(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize("text", ["fast > slow", "1 < fast < 5 < slow", "not fast < slow", "rate == 0.11"])
def test_what_does_not_hold(text: str) -> None:
    assert not holds(text)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("fast < slwo", '"slwo" is no swept parameter; there are: fast, slow, rate'),
        ("fast ** 2 < slow", '"**"'),
        ("fast // 2 < slow", '"//"'),
        ("fast % 2 == 0", '"%"'),
        ("fast.real < slow", '"."'),
        ("fast[0] < slow", '"["'),
        ("fast < 'a'", '"\'"'),
        ("fast := 3", '":"'),
        ("fast < slow # always", '"#"'),
        ("fast < 1e3", '"e3"'),
        ("fast < 0x10", '"x10"'),
        ("fast < 1_000", '"_000"'),
        ("fast < 1j", '"j"'),
        ("abs(fast) < slow", '"abs"'),
        ("fast if slow else rate", '"if"'),
        ("lambda: fast", '"lambda"'),
        ("True", '"True"'),
        ("fast is slow", '"is"'),
        ("fast < slow;", '";"'),
        ("fast ＜ slow", '"＜"'),
        ("fast < слow", '"с"'),
        ("fast <", "its end"),
        ("fast < < slow", '"<"'),
        ("(fast < slow", '"("'),
        ("fast slow", '"slow"'),
        ("fast(slow) < 1", '"fast ( slow )" is not part of a condition'),
        ("fast", '"fast" is a number where a condition belongs'),
        ("fast + slow", '"fast + slow" is a number where a condition belongs'),
        ("not fast", '"fast" is a number where a condition belongs'),
        ("fast and slow", '"fast" is a number where a condition belongs'),
        ("(fast < slow) + 1 > 0", '"fast < slow" is a condition where a number belongs'),
        ("fast < (slow < 3)", '"slow < 3" is a condition where a number belongs'),
        ("", "cannot be read"),
        ("() < 1", '"( )" is not part of a condition'),
    ],
)
def test_anything_else_is_an_error_that_names_the_token(text: str, token: str) -> None:
    with pytest.raises(SweepError) as caught:
        Where(text, NAMES)
    assert caught.value.field == "spec.where"
    assert token in caught.value.message


def test_a_condition_may_have_256_characters() -> None:
    assert holds("fast < slow".ljust(256))
    with pytest.raises(SweepError, match="at most 256 characters, has 257"):
        Where("fast < slow".ljust(257), NAMES)


def test_a_division_by_zero_names_the_set() -> None:
    with pytest.raises(SweepError, match="divides by zero at fast = 9, slow = 9, rate = 1/10"):
        holds("fast / (slow - 9) > 1", slow=9)
    assert not holds("slow != 9 and fast / (slow - 9) > 1", slow=9)


def test_text_is_not_compared_with_numbers() -> None:
    with pytest.raises(SweepError, match="compares what is no number"):
        holds("fast < slow", slow=None)


@pytest.mark.parametrize(
    "text", ["(" * 120 + "fast" + ")" * 120 + " < 1", "-" * 250 + "fast<1", "not " * 60 + "1<2"]
)
def test_deep_nesting_is_evaluated_or_refused_never_a_crash(text: str) -> None:
    try:
        assert Where(text, NAMES).holds((9, 21, 1)) in (True, False)
    except SweepError as error:
        assert error.field == "spec.where"


@given(st.text(alphabet="fastslowrate0123456789.+-*/<>=!() andortx\n_", max_size=60))
def test_any_text_is_read_or_refused_by_field(text: str) -> None:
    try:
        assert Where(text, NAMES).holds((9, 21, Fraction(1, 10))) in (True, False)
    except SweepError as error:
        assert error.field == "spec.where"


@given(st.integers(-99, 99), st.integers(-99, 99), st.integers(1, 99))
def test_arithmetic_is_that_of_fractions(fast: int, slow: int, rate: int) -> None:
    expected = Fraction(fast, rate) - slow * Fraction("0.25") <= fast + Fraction("1.5")
    assert holds("fast / rate - slow * 0.25 <= fast + 1.5", fast, slow, rate) == expected
