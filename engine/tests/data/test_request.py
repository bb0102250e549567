"""What may be asked for, and how a wrong request is answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.data.request import CandleRequest, timeframe_ms, timeframe_text
from spark_engine.errors import InvalidData, InvalidSpec


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1s", 1_000),
        ("90s", 90_000),
        ("5m", 300_000),
        ("1h", 3_600_000),
        ("1d", 86_400_000),
        ("52w", 31_449_600_000),
    ],
)
def test_a_timeframe_is_a_count_and_a_unit(text: str, length: int) -> None:
    assert timeframe_ms(text) == length


@pytest.mark.parametrize(
    "text",
    [
        "",
        "h",
        "0h",
        "01h",
        "1H",
        "1.5h",
        "-1h",
        "1 h",
        "1h ",
        "1h\n",
        "1M",
        "1y",
        "367d",
        "9" * 5000 + "s",
        "١h",
    ],
)
def test_any_other_timeframe_is_an_invalid_spec_that_names_the_field(text: str) -> None:
    with pytest.raises(InvalidSpec, match="at most 366d") as refused:
        timeframe_ms(text)
    assert refused.value.field == "spec.market.timeframe"
    assert len(refused.value.message) < 200


@given(st.integers(1, 10_000), st.sampled_from("smhdw"))
def test_a_timeframe_is_spelt_back_with_the_same_length(count: int, unit: str) -> None:
    try:
        length = timeframe_ms(f"{count}{unit}")
    except InvalidSpec:
        return
    assert timeframe_ms(timeframe_text(length)) == length


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"timestamps": "Middle"}, "spec.data.timestamps"),
        ({"gaps": "Drop"}, "spec.data.gaps"),
        ({"duplicates": "KeepFirst"}, "spec.data.duplicates"),
        ({"partial_bars": "drop"}, "spec.data.partialBars"),
        ({"warmup_bars": -1}, "spec.market.warmupBars"),
        ({"warmup_bars": 10**20}, "spec.market.warmupBars"),
        ({"warmup_bars": 1.5}, "spec.market.warmupBars"),
        ({"price_scale": 10}, "spec.market.priceScale"),
        ({"price_scale": True}, "spec.market.priceScale"),
    ],
)
def test_a_value_that_is_not_allowed_is_named_with_its_field(wrong: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidSpec, match="must be") as refused:
        CandleRequest("x.csv", "BTCUSDT", "1h", **wrong)  # type: ignore[arg-type]
    assert refused.value.field == field


def test_a_window_that_ends_before_it_starts_is_an_empty_window() -> None:
    with pytest.raises(InvalidData, match=r"spec\.market\.end: must be after spec\.market\.start"):
        CandleRequest("x.csv", "BTCUSDT", "1h", start_ms=10, end_ms=10)
