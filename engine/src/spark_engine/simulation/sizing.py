# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator, call-overload"
"""Prices with slippage and ticks, quantities with lots (SEMANTICS section 4). Compiled; see `kernel`."""

from __future__ import annotations

import cython

from spark_engine.simulation.ledger import Account

NEGLIGIBLE = cython.declare(cython.double, 1e-9)
WHOLE_FROM = cython.declare(cython.double, 4503599627370496.0)  # 2^52: no float above has a fraction

FIXED_QUANTITY = cython.declare(cython.int, 1)
FIXED_NOTIONAL = cython.declare(cython.int, 2)
EQUITY_FRACTION = cython.declare(cython.int, 3)
SIZINGS = {
    "AllIn": 0,
    "FixedQuantity": FIXED_QUANTITY,
    "FixedNotional": FIXED_NOTIONAL,
    "EquityFraction": EQUITY_FRACTION,
}


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def whole(x: cython.double) -> cython.double:
    """The integer part of a number of at least 0."""
    if x >= WHOLE_FROM:
        return x
    return cython.cast(cython.double, cython.cast(cython.longlong, x))


@cython.cclass
class Sizing:
    """What the account's settings make of a price and of a quantity. It holds no state."""

    def __init__(self, account: Account) -> None:
        self.taker, self.maker = account.taker_rate, account.maker_rate
        self.buy, self.sell = 1.0 + account.slippage_rate, 1.0 - account.slippage_rate
        self.sizing, self.size, self.leverage = SIZINGS[account.sizing], account.size, account.leverage
        self.explicit = self.sizing in (FIXED_QUANTITY, FIXED_NOTIONAL)
        self.tick = self.tick_units = self.tick_scale = 0.0
        if account.tick is not None:
            self.tick_units, self.tick_scale = float(account.tick.units), float(account.tick.scale)
            self.tick = self.tick_units / self.tick_scale
        self.lot = self.lot_units = self.lot_scale = 0.0
        if account.lot is not None:
            self.lot_units, self.lot_scale = float(account.lot.units), float(account.lot.scale)
            self.lot = self.lot_units / self.lot_scale

    def slipped(self, base: cython.double, side: cython.int) -> cython.double:
        """What a taker pays or gets at `base`, rounded to ticks against them."""
        price: cython.double = base * (self.buy if side > 0 else self.sell)
        ticks: cython.double
        count: cython.double
        if self.tick == 0.0:
            return price
        ticks = price / self.tick - NEGLIGIBLE if side > 0 else price / self.tick + NEGLIGIBLE
        count = whole(ticks)
        if side > 0 and count < ticks:
            count += 1.0
        return (count * self.tick_units) / self.tick_scale

    def in_lots(self, quantity: cython.double) -> cython.double:
        if self.lot == 0.0:
            return quantity
        return (whole(quantity / self.lot + NEGLIGIBLE) * self.lot_units) / self.lot_scale

    def exposure(self, weight: cython.double) -> cython.double:
        """The leverage that a target of this size asks for, where the sizing is a share of the money."""
        if self.sizing == EQUITY_FRACTION:
            return (self.size * weight) * self.leverage
        return weight * self.leverage

    def sized(self, weight: cython.double, money: cython.double, price: cython.double) -> cython.double:
        """The quantity of a target."""
        share: cython.double
        if self.sizing == FIXED_QUANTITY:
            return self.size * weight
        if self.sizing == FIXED_NOTIONAL:
            return (self.size * weight) / price
        share = self.exposure(weight)
        return (share * money) / (price * (1.0 + share * self.taker))

    def affordable(
        self, cash: cython.double, position: cython.double, price: cython.double, rate: cython.double
    ) -> cython.double:
        """The AllIn quantity of an open leg."""
        money: cython.double = cash + position * price
        return (self.leverage * money - abs(position) * price) / (price * (1.0 + self.leverage * rate))
