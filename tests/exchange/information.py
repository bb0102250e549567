"""What exchangeinfo says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.exchange.listings import Listing

if TYPE_CHECKING:
    from tests.exchange.server import FakeExchange


def exchange_information(exchange: FakeExchange) -> dict[str, Any]:
    """Fields and types as documented; values beyond names, scales and tick size are constructed."""
    listings = exchange.listings.values()
    currencies = sorted({name for listing in listings for name in (listing.base, listing.quote)})
    return {
        "timeZone": "UTC",
        "serverTime": exchange.clock.now_ms(),
        "symbols": [_symbol(one, exchange.statuses.get(one.symbol, "TRADING")) for one in listings],
        "currencies": [_currency(number, name) for number, name in enumerate(currencies, 1)],
        "currencyOperationBlocks": [],
    }


def _symbol(listing: Listing, status: str) -> dict[str, Any]:
    return {
        "id": listing.id,
        "name": listing.symbol,
        "nameNormalized": listing.normalized,
        "status": status,
        "numerator": listing.base,
        "denominator": listing.quote,
        "numeratorScale": listing.amount_scale,
        "denominatorScale": listing.price_scale,
        "hasFraction": listing.price_scale > 0,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": "0.0000000000001",
                "maxPrice": "10000000",
                "tickSize": listing.tick_size,
                "minExchangeValue": "99.91",
                "minAmount": None,
                "maxAmount": None,
            }
        ],
        "orderMethods": ["MARKET", "LIMIT", "STOP_MARKET", "STOP_LIMIT"],
        "displayFormat": "#,###",
        "commissionFromNumerator": False,
        "order": 999 + listing.id,
        "priceRounding": False,
        "isNew": False,
        "marketPriceWarningThresholdPercentage": 0.25,
        "maximumOrderAmount": None,
        "maximumLimitOrderPrice": float(listing.start * 10),
        "minimumLimitOrderPrice": float(listing.start / 10),
    }


def _currency(number: int, name: str) -> dict[str, Any]:
    return {"id": number, "symbol": name, "precision": 8 if name != "TRY" else 2}
