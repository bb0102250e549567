"""Passes over columns, in both builds."""

from __future__ import annotations

from array import array

import pytest
from spark_engine.errors import EngineError
from spark_engine.evidence import digests

pytestmark = pytest.mark.usefixtures("build")


def test_negative_zeros_are_digested_as_zeros() -> None:
    assert digests.columns("t", {"x": array("d", [-0.0, -1.0])}) == digests.columns(
        "t", {"x": array("d", [0.0, -1.0])}
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_has_no_digest(value: float) -> None:
    with pytest.raises(EngineError, match="NaN or infinity"):
        digests.columns("t", {"x": array("d", [1.0, value])})
