"""Cash and position: what each leg costs, what may be opened, and the trades that come of it (section 4)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.tests.reference.case import Settings

SMALL = 1e-9


@dataclass
class Episode:
    """A trade in the making: legs (side, quantity, price, fee), and every flow of cash in time order."""

    side: int
    entry_bar: int
    legs: list[tuple[int, float, float, float]] = field(default_factory=list)
    flows: list[float] = field(default_factory=list)
    carry: float = 0.0

    def closed(self, bar: int) -> dict[str, Any]:
        row: dict[str, Any] = {"side": self.side, "entryBar": self.entry_bar, "exitBar": bar}
        row["fills"] = len(self.legs)
        row |= {"quantity": None, "entryPrice": None, "exitPrice": None}
        if len(self.legs) == 2:
            (_, quantity, entry, entry_fee), (_, _, leave, exit_fee) = self.legs
            row |= {"quantity": quantity, "entryPrice": entry, "exitPrice": leave}
            row["pnl"] = ((self.side * quantity * (leave - entry) - entry_fee) - exit_fee) + self.carry
        else:
            total = 0.0
            for flow in self.flows:
                total += flow
            row["pnl"] = total
        return row


class Money:
    def __init__(self, settings: Settings, record: Callable[[str, int, str, float], None]) -> None:
        """`record` takes kind, order, detail and value of an event."""
        self.settings = settings
        self.record = record
        self.bar = 0
        self.cash = settings.initial_cash
        self.position = 0.0
        self.fills: list[dict[str, Any]] = []
        self.trades: list[dict[str, Any]] = []
        self.episode: Episode | None = None
        self.last_acted = 0.0
        self.fees = self.funding = self.borrow = 0.0

    # prices and lots

    def slipped(self, side: int, price: float) -> float:
        """`price` after slippage, rounded against the trader where there is a tick."""
        rate, tick = self.settings.slippage, self.settings.tick
        slipped = price * (1 + rate) if side > 0 else price * (1 - rate)
        if tick is None:
            return slipped
        ticks = slipped / tick.step
        return tick.multiple(math.ceil(ticks - SMALL) if side > 0 else math.floor(ticks + SMALL))

    def lots(self, quantity: float) -> float:
        lot = self.settings.lot
        return quantity if lot is None else lot.multiple(math.floor(quantity / lot.step + SMALL))

    def equity_at(self, price: float) -> float:
        return self.cash + self.position * price

    def allin(self, price: float, fee_rate: float) -> float:
        """What an open leg may add at most."""
        leverage = self.settings.leverage
        owned = abs(self.position) * price
        return (leverage * self.equity_at(price) - owned) / (price * (1 + leverage * fee_rate))

    # legs

    def leg(
        self,
        order: int,
        side: int,
        quantity: float,
        price: float,
        fee_rate: float,
        liquidity: str,
        reason: str,
    ) -> None:
        """One fill. A quantity equal to the position closes it."""
        change = side * quantity
        fee = (fee_rate * quantity) * price
        self.cash = (self.cash - change * price) - fee
        opened_flat = self.position == 0
        self.position = (
            0.0 if quantity == abs(self.position) and change == -self.position else self.position + change
        )
        self.fees += fee
        self.fills.append(
            {
                "bar": self.bar,
                "order": order,
                "side": "buy" if side > 0 else "sell",
                "quantity": quantity,
                "price": price,
                "fee": fee,
                "liquidity": liquidity,
                "reason": reason,
            }
        )
        if opened_flat:
            self.episode = Episode(side, self.bar)
        assert self.episode is not None
        self.episode.legs.append((side, quantity, price, fee))
        self.episode.flows += [-change * price, -fee]
        if self.position == 0:
            self.trades.append(self.episode.closed(self.bar))
            self.episode = None

    def pay(self, amount: float) -> None:
        """Funding or borrow interest."""
        self.cash -= amount
        if self.episode is not None:
            self.episode.flows.append(-amount)
            self.episode.carry -= amount

    def open_leg(
        self,
        order: int,
        side: int,
        wanted: float,
        price: float,
        fee_rate: float,
        liquidity: str,
        reason: str,
        *,
        explicit: bool,
        all_in: bool = False,
    ) -> float:
        """Tests an addition and fills it. Returns what was opened, 0.0 when it was rejected.

        all_in: a target's open leg from flat that spends all the cash.
        """
        quantity = self.lots(wanted)
        if quantity <= 0:
            return self._reject(order, "LotSize")
        if side < 0 and not self.settings.allow_short:
            return self._reject(order, "ShortNotAllowed")
        if explicit:
            most = self.allin(price, fee_rate)
            if quantity > most:
                if quantity > most * (1 + SMALL):
                    return self._reject(order, "InsufficientFunds")
                quantity = self.lots(most)
                all_in = self.position == 0 and self.settings.leverage == 1
                if quantity <= 0:
                    return self._reject(order, "LotSize")
        if self._rejected_by_limits(order, side, quantity, price):
            return 0.0
        self.leg(order, side, quantity, price, fee_rate, liquidity, reason)
        if all_in and side > 0 and self.settings.lot is None:
            self.cash = 0.0
        return quantity

    def _rejected_by_limits(self, order: int, side: int, quantity: float, price: float) -> bool:
        settings = self.settings
        after = abs(self.position + side * quantity)
        notional = after * price
        equity = self.equity_at(price)
        if quantity * price < settings.min_notional:
            self._reject(order, "MinNotional")
        elif settings.max_notional is not None and notional > settings.max_notional:
            self._reject(order, "MaxNotional", notional)
        elif settings.max_position is not None and after > settings.max_position:
            self._reject(order, "MaxPosition", after)
        elif settings.max_leverage is not None and (equity <= 0 or notional / equity > settings.max_leverage):
            self._reject(order, "MaxLeverage", notional / equity if equity != 0 else math.inf)
        else:
            return False
        return True

    def _reject(self, order: int, detail: str, value: float = 0.0) -> float:
        self.record("Rejected", order, detail, value)
        return 0.0

    # targets

    def target_quantity(self, weight: float, price: float, fee_rate: float, cash: float) -> float:
        """|position| that a target asks for, its cost inside."""
        settings = self.settings
        if settings.sizing == "FixedQuantity":
            return settings.size * weight
        if settings.sizing == "FixedNotional":
            return (settings.size * weight) / price
        leverage = self.target_leverage(weight)
        return (leverage * cash) / (price * (1 + leverage * fee_rate))

    def target_leverage(self, weight: float) -> float:
        settings = self.settings
        return (settings.size * weight if settings.sizing == "EquityFraction" else weight) * settings.leverage

    def liquidated(self, close: float) -> float:
        """Equity if the position were sold at `close`."""
        if self.position == 0:
            return self.cash
        side = -1 if self.position > 0 else 1
        price = self.slipped(side, close)
        return (self.cash + self.position * price) - (self.settings.taker * abs(self.position)) * price
