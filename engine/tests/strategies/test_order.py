"""Orders are checked where they are written, by field."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy
import pytest
from spark_engine.strategies import Order, OrderError, Trail

GOOD: dict[str, Any] = {"side": "buy", "quantity": 1}


def test_an_order_is_a_market_order_until_it_says_otherwise() -> None:
    order = Order(**GOOD)
    assert (order.type, order.tif, order.quantity, order.reduce_only) == ("market", "GTC", 1.0, False)
    assert order.limit is order.stop is order.oco_group is order.take_profit is order.stop_loss is None


@pytest.mark.parametrize("quantity", [2, 2.0, numpy.float32(2), numpy.int64(2), Decimal(2)])
def test_every_kind_of_number_is_a_quantity(quantity: Any) -> None:
    assert Order(side="sell", quantity=quantity).quantity == 2.0


def test_an_expiry_is_a_time_in_ms_or_a_datetime_with_a_zone() -> None:
    when = datetime(2024, 1, 2, tzinfo=UTC)
    assert Order(**GOOD, tif="GTD", expires=when).expires == 1_704_153_600_000
    assert Order(**GOOD, tif="GTD", expires=1_704_153_600_000).expires == 1_704_153_600_000


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"side": "long"}, "Order.side must be one of buy, sell; is 'long'"),
        ({"side": 1}, "Order.side must be one of buy, sell; is 1"),
        (
            {"type": "Market"},
            "Order.type must be one of market, limit, stop, stop-limit, trailing-stop; is 'Market'",
        ),
        ({"quantity": -1}, "Order.quantity must be a number above 0, is -1"),
        ({"quantity": 0}, "Order.quantity must be a number above 0, is 0"),
        ({"quantity": float("nan")}, "Order.quantity must be a number above 0, is nan"),
        ({"quantity": float("inf")}, "Order.quantity must be a number above 0, is inf"),
        ({"quantity": "1"}, "Order.quantity must be a number, is '1'"),
        ({"quantity": True}, "Order.quantity must be a number, is True"),
        ({"quantity": None}, "Order.quantity must be a number, is None"),
        ({"quantity": 10**400}, "Order.quantity must be a number"),
        ({"type": "limit"}, "Order.limit is required for a limit order: a price above 0"),
        ({"type": "stop"}, "Order.stop is required for a stop order: a price above 0"),
        ({"type": "stop-limit", "stop": 5}, "Order.limit is required for a stop-limit order"),
        ({"limit": 5}, "Order.limit does not go with a market order, only with: limit, stop-limit"),
        ({"type": "limit", "limit": 5, "stop": 5}, "Order.stop does not go with a limit order"),
        ({"type": "limit", "limit": float("nan")}, "Order.limit must be a number above 0, is nan"),
        ({"type": "limit", "limit": -5}, "Order.limit must be a number above 0, is -5"),
        ({"type": "trailing-stop"}, "takes exactly one of trail and trail_bps"),
        ({"type": "trailing-stop", "trail": 1, "trail_bps": 1}, "takes exactly one of trail and trail_bps"),
        ({"type": "trailing-stop", "trail": 0}, "Order.trail must be a number above 0, is 0"),
        ({"type": "trailing-stop", "trail_bps": 10_000}, "Order.trail_bps must be above 0 and below 10000"),
        ({"trail_bps": 50}, "Order.trail_bps does not go with a market order, only with: trailing-stop"),
        ({"tif": "IOC"}, "Order.tif must be one of GTC, GTD, Day; is 'IOC'"),
        ({"tif": "GTD"}, "Order.expires must be set with tif GTD, and only with it"),
        ({"expires": 5}, "Order.expires must be set with tif GTD, and only with it"),
        (
            {"tif": "GTD", "expires": "2024-01-01"},
            "Order.expires must be a time in ms UTC or an aware datetime",
        ),
        ({"tif": "GTD", "expires": datetime(2024, 1, 1)}, "Order.expires must name its zone"),
        ({"tif": "GTD", "expires": 2**63}, "Order.expires must be a time in ms UTC"),
        ({"reduce_only": 1}, "Order.reduce_only must be True or False, is 1"),
        ({"oco_group": 0}, "Order.oco_group must be a whole number above 0, is 0"),
        ({"oco_group": 1.5}, "Order.oco_group must be a whole number above 0, is 1.5"),
        ({"take_profit": 0}, "Order.take_profit must be a number above 0, is 0"),
        ({"stop_loss": float("nan")}, "Order.stop_loss must be a number above 0, is nan"),
        ({"stop_loss": "5%"}, "Order.stop_loss must be a number, is '5%'"),
    ],
)
def test_a_field_that_cannot_be_is_named_with_what_is_allowed(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(OrderError) as caught:
        Order(**{**GOOD, **fields})
    assert told in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("fields", [{}, {"amount": 1, "bps": 1}, {"amount": -1}, {"bps": float("nan")}])
def test_a_trail_is_one_distance_above_zero(fields: dict[str, float]) -> None:
    with pytest.raises(OrderError, match="Trail"):
        Trail(**fields)


def test_basis_points_are_divided_as_decimals() -> None:
    assert Trail(bps=0.3).rate == 0.00003
    assert Trail(amount=2).amount == 2.0
