"""Scripts of orders, targets and cancels over candles, by SEMANTICS sections 1 and 3 to 7 and nothing else.

Slow and plain on purpose, written without a look at the kernel: the two must agree in every bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.tests.reference.case import Case, Order, case_of, order_of
from engine.tests.reference.matching import Matching

YEAR_MS = 31_536_000_000


def simulate(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the oracle calls `expected`; moreover `value` of each event, `cash` per bar, `submissions`."""
    return Simulation(case_of(document)).run()


class Simulation(Matching):
    def __init__(self, case: Case) -> None:
        super().__init__(case)
        self.equity: list[float] = []
        self.positions: list[float] = []
        self.cash: list[float] = []
        self.submissions: list[tuple[int, int, Mapping[str, Any]]] = []
        self.funding = list(case.settings.funding)
        self.clamped = 0
        self.bankrupt: int | None = None
        self.stopped: int | None = None
        self.drawdown_closed = False
        self.daily_closed: int | None = None  # day of the breach
        self.peak = self.day_start = case.settings.initial_cash

    def run(self) -> dict[str, Any]:
        for index in range(len(self.case.bars)):
            self.bar = self.money.bar = index
            self.expire()
            self.match()
            self.carry()
            self.mark()
            self.gates()
            if self.stopped is not None:
                break
            self.submit()
        return self.outcome()

    # step 1

    def expire(self) -> None:
        for order in sorted([*self.book, *self.coming], key=lambda one: one.id):
            if order.weight is not None:
                continue
            if order.first_day is None:
                order.first_day = self.now.day
            if order.tif == "GTD" and order.expires is not None and self.now.close_ts > order.expires:
                self.remove(order, "Expired", "GTD")
            elif order.tif == "Day" and self.now.day != order.first_day:
                self.remove(order, "Expired", "Day")

    # steps 3 to 5

    def carry(self) -> None:
        money, bar = self.money, self.now
        while self.funding and self.funding[0][0] <= bar.close_ts:
            _, funding_rate = self.funding.pop(0)
            if money.position != 0:
                paid = (money.position * bar.close) * funding_rate
                money.pay(paid)
                money.funding += paid
        if money.position < 0 and self.settings.borrow > 0:
            notional = abs(money.position) * bar.close
            paid = ((notional * self.settings.borrow) * self.settings.timeframe_ms) / YEAR_MS
            money.pay(paid)
            money.borrow += paid

    def mark(self) -> None:
        if self.bar > 0 and self.now.day != self.case.bars[self.bar - 1].day:
            self.day_start = self.equity[-1]
        value = self.money.equity_at(self.now.close)
        self.equity.append(value)
        self.positions.append(self.money.position)
        self.cash.append(self.money.cash)
        self.peak = max(self.peak, value)
        if value <= 0 and self.bankrupt is None:
            self.bankrupt = self.bar

    def gates(self) -> None:
        if self.daily_closed is not None and self.now.day != self.daily_closed:
            self.daily_closed = None
        value, limits = self.equity[-1], self.settings
        if limits.max_drawdown is not None and not self.drawdown_closed:
            loss = 1 - value / self.peak
            if loss >= limits.max_drawdown and self.breached("maxDrawdown", loss):
                self.drawdown_closed = True
        if self.stopped is not None:
            return
        if limits.max_daily_loss is not None and self.daily_closed is None and self.day_start > 0:
            loss = 1 - value / self.day_start
            if loss >= limits.max_daily_loss and self.breached("maxDailyLoss", loss):
                self.daily_closed = self.now.day

    def breached(self, gate: str, loss: float) -> bool:
        """True if the gate closes; on the last bar, and with policy Fail, there is the event only."""
        self.record("Breach", 0, gate, loss)
        if self.settings.fail:
            self.stopped = self.bar
            return False
        if self.last:
            return False
        self.cancel_all(list(self.book), "Gate")
        self.flatten = self.money.position != 0
        return True

    # step 6

    @property
    def closed(self) -> bool:
        return self.drawdown_closed or self.daily_closed is not None or self.halted

    def submit(self) -> None:
        for entry in self.case.script.get(self.bar, ()):
            if "cancel" in entry:
                self.submissions.append((self.bar, entry["cancel"], entry))
                self.cancel(entry["cancel"])
                continue
            number, self.next_id = self.next_id, self.next_id + 1
            self.submissions.append((self.bar, number, entry))
            if "target" in entry:
                self.submit_target(number, float(entry["target"]))
            else:
                self.submit_order(order_of(number, entry["order"]))

    def cancel(self, number: int) -> None:
        for order in [*self.book, *self.coming]:
            if order.id == number and order.weight is None:
                self.remove(order, "Cancelled", "User")

    def submit_target(self, number: int, weight: float) -> None:
        if weight < 0 and not self.settings.allow_short:
            self.clamped += 1
            weight = 0.0
        if self.closed:
            self.record("Rejected", number, "GateClosed")
        else:
            self.coming.append(Order(number, 0, "target", 0.0, weight=weight))

    def submit_order(self, order: Order) -> None:
        most = self.settings.max_open_orders
        waiting = len(self.book) + sum(one.weight is None for one in self.coming)
        if self.closed:
            self.record("Rejected", order.id, "GateClosed")
        elif most is not None and waiting >= most:
            self.record("Rejected", order.id, "MaxOpenOrders", float(waiting + 1))
        else:
            self.coming.append(order)

    def outcome(self) -> dict[str, Any]:
        money = self.money
        return {
            "fills": money.fills,
            "events": self.events,
            "equity": self.equity,
            "positions": self.positions,
            "cash": self.cash,
            "trades": money.trades,
            "finalCash": money.cash,
            "finalPosition": money.position,
            "finalEquityLiquidated": money.liquidated(self.now.close),
            "totalFees": money.fees,
            "totalFunding": money.funding,
            "totalBorrow": money.borrow,
            "openOrders": sorted(order.id for order in self.book),
            "unfilledAtEnd": len(self.coming),
            "ambiguousBars": self.ambiguous,
            "unresolvedBars": self.unresolved,
            "shortTargetsClamped": self.clamped,
            "bankruptBar": self.bankrupt,
            "stoppedBar": self.stopped,
            "submissions": self.submissions,
        }
