"""Decimal text becomes integers exactly, or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.feeds.provider import Malformed
from spark_engine.feeds.providers.decimals import MOST_UNITS, TooFine, decimals_of, rounded, units


@pytest.mark.parametrize(
    ("text", "scale", "number"),
    [
        ("586950.0000000000", 0, 586950),
        ("586950.0000000000", 2, 58695000),
        ("0.00863785", 8, 863785),
        ("0.00863785", 10, 86378500),
        ("3712281", 0, 3712281),
        ("3712281", 3, 3712281000),
        ("0", 18, 0),
        ("0.000", 0, 0),
        ("9.223372036854775807", 18, MOST_UNITS),
        ("0.000000000000000001", 18, 1),
    ],
)
def test_a_number_is_its_text_times_a_power_of_ten(text: str, scale: int, number: int) -> None:
    assert units(text, scale) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "NaN",
        "nan",
        "Infinity",
        "inf",
        "-1",
        "+1",
        "1e5",
        "1E-8",
        "1,5",
        "1.5.2",
        ".5",
        "5.",
        ".",
        "1_000",
        " 1",
        "1 ",
        "0x10",
        "١٢",
        "1٫5",
        "²",
        "1.²",
        "null",
        "1\n",
        "--",
        "9" * 65,
        "1." + "0" * 70,
    ],
)
def test_what_is_no_plain_decimal_number_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        units(text, 8)


@pytest.mark.parametrize("text", ["9223372036854775808", "92233720368.54775808", "99999999999999999999.5"])
def test_what_does_not_fit_into_64_bits_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="64 bits"):
        units(text, 8)


def test_more_decimals_than_the_scale_are_never_rounded_away() -> None:
    with pytest.raises(TooFine) as finer:
        units("0.0061489328", 8)
    assert finer.value.scale == 10


def test_more_decimals_than_the_widest_scale_are_malformed() -> None:
    with pytest.raises(Malformed, match="more than 18 decimals"):
        units("0.0000000000000000001", 18)


@given(whole=st.integers(0, 10**12), fraction=st.text("0123456789", max_size=22), scale=st.integers(0, 18))
def test_every_number_is_exact_or_refused(whole: int, fraction: str, scale: int) -> None:
    text = f"{whole}.{fraction}" if fraction else str(whole)
    decimals = len(fraction.rstrip("0"))
    exact = Decimal(text).scaleb(scale)
    try:
        number = units(text, scale)
    except TooFine as finer:
        assert (finer.scale, decimals > scale) == (decimals, True)
    except Malformed:
        assert decimals > 18 or Decimal(text).scaleb(max(scale, decimals)) > MOST_UNITS
    else:
        assert Decimal(number) == exact


@given(st.text(max_size=30), st.integers(0, 18))
def test_any_text_is_a_number_or_one_of_two_errors(text: str, scale: int) -> None:
    try:
        number = units(text, scale)
    except (Malformed, TooFine):
        return
    assert Decimal(number) == Decimal(text).scaleb(scale)


@pytest.mark.parametrize(
    ("number", "scale", "nearest"),
    [
        ("6.0229997634888", 3, 6023),
        ("6.0190000534058", 3, 6019),
        ("2.5", 0, 2),
        ("3.5", 0, 4),
        ("0.54581564", 8, 54581564),
        ("1e-400000", 8, 0),
        ("1e3", 2, 100000),
    ],
)
def test_floats_are_rounded_to_the_scale(number: str, scale: int, nearest: int) -> None:
    assert rounded(Decimal(number), scale) == nearest


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-0.1", "1e400", "1e999999", "99999999999"])
def test_floats_that_are_no_price_are_malformed(number: str) -> None:
    with pytest.raises(Malformed):
        rounded(Decimal(number), 8)


@pytest.mark.parametrize(
    ("step", "decimals"), [("0.01000000", 2), ("1.00000000", 0), ("10", 0), ("0.00001", 5)]
)
def test_a_step_has_the_decimals_of_its_last_digit(step: str, decimals: int) -> None:
    assert decimals_of(step) == decimals
