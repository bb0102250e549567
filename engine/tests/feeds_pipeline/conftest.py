"""A symbol whose feed is live."""

from __future__ import annotations

import pytest

from engine.tests.feeds_pipeline.symbols import Symbol, trade


@pytest.fixture
def live() -> Symbol:
    """Joined with five trades of the first seconds, and told everything until 20 s."""
    one = Symbol()
    one.joined(*(trade(number, number * 1000) for number in range(1, 6)), at=6_000)
    one.streamed(trade(6, 10_000), at=10_010)
    one.proved(20_000)
    return one
