"""What a simulation refuses: accounts out of range, decisions and scripts that cannot be carried out."""

from __future__ import annotations

from math import isfinite

from spark_engine.data.candles import Candles
from spark_engine.errors import EngineError, InvalidData, InvalidSpec, InvalidStrategy
from spark_engine.simulation import columns
from spark_engine.simulation.ledger import (
    Account,
    Action,
    Decisions,
    Gates,
    OrderType,
    Submissions,
    TimeInForce,
)

SMALLEST = 5e-324
PRICES = ("limit", "stop", "trail", "trail_rate", "take_profit", "stop_loss", "stop_trail", "stop_trail_rate")
WITH_LIMIT = (OrderType.LIMIT, OrderType.STOP_LIMIT)
WITH_STOP = (OrderType.STOP, OrderType.STOP_LIMIT)


def check_account(account: Account) -> None:
    """Raises `InvalidSpec` naming the field that is out of range."""
    if not (isfinite(account.initial_cash) and account.initial_cash > 0.0):
        raise InvalidSpec(f"must be above 0, is {account.initial_cash}", field="spec.account.initialCash")
    for field, rate in (
        ("execution.takerFeeBps", account.taker_rate),
        ("execution.makerFeeBps", account.maker_rate),
        ("execution.slippageBps", account.slippage_rate),
        ("account.liquidationFeeBps", account.liquidation_rate),
    ):
        if not 0.0 <= rate < 1.0:
            raise InvalidSpec(
                f"must be at least 0 and below 10000, is {rate * 10_000:g}", field=f"spec.{field}"
            )
    for field, number in (("account.leverage", account.leverage), ("execution.size", account.size)):
        if not (isfinite(number) and number > 0.0):
            raise InvalidSpec(f"must be above 0, is {number:g}", field=f"spec.{field}")
    for field, number in (
        ("market.minNotional", account.min_notional),
        ("account.borrowRateAnnual", account.borrow_rate_annual),
    ):
        if not (isfinite(number) and number >= 0.0):
            raise InvalidSpec(f"must be at least 0, is {number:g}", field=f"spec.{field}")
    margin = account.maintenance_margin
    if margin is not None and not 0.0 < margin < 1.0:
        raise InvalidSpec(
            f"must be above 0 and below 1, is {margin:g}", field="spec.account.maintenanceMargin"
        )


def check_simulation(candles: Candles, account: Account) -> int:
    """The number of bars of the window. Raises `InvalidSpec`, `InvalidData` or `EngineError`."""
    check_account(account)
    check_arithmetic(account.initial_cash)
    return check_window(candles)


def check_window(candles: Candles) -> int:
    """The number of bars in the window, at least 1; raises `InvalidData`."""
    bars = len(candles) - candles.warmup
    if bars <= 0:
        raise InvalidData("the window holds no bar", field="spec.market.start")
    return bars


def check_decisions(decisions: Decisions, bars: int) -> None:
    wrong = columns.first_disorder(decisions.bar, decisions.target, bars)
    if wrong >= 0:
        raise InvalidStrategy(
            f"decision {wrong + 1} (bar {decisions.bar[wrong]}, target {decisions.target[wrong]}): bars must "
            f"increase within 0 to {bars - 1} and targets be from -1 to 1",
            field="spec.strategy",
        )


def check_submissions(script: Submissions, bars: int) -> None:
    """Raises `InvalidStrategy` with what is wrong with the first unsound row."""
    wrong = columns.first_unsound(script, bars)
    if wrong >= 0:
        raise InvalidStrategy(
            f"submission {wrong + 1} {_complaint(script, wrong, bars)}", field="spec.strategy"
        )


def _complaint(script: Submissions, row: int, bars: int) -> str:
    bar, action, quantity = script.bar[row], script.action[row], script.quantity[row]
    if not (script.bar[row - 1] if row else 0) <= bar < bars:
        return f"(bar {bar}): bars must not fall and be within 0 to {bars - 1}"
    if action == Action.TARGET:
        return f"(target {quantity}): targets must be from -1 to 1"
    if action != Action.ORDER:
        return f"(action {action}): actions are 0 (order), 1 (target) and 2 (cancel)"
    return _order_complaint(script, row)


def _order_complaint(script: Submissions, row: int) -> str:
    kind, side, quantity = script.type[row], script.side[row], script.quantity[row]
    if kind not in range(OrderType.TARGET):
        return f"(type {kind}): an order's types are 0 to {OrderType.TARGET - 1}"
    if side not in (1, -1):
        return f"(side {side}): sides are 1 (buy) and -1 (sell)"
    if not (isfinite(quantity) and quantity > 0.0):
        return f"(quantity {quantity}): must be above 0"
    if script.tif[row] not in tuple(TimeInForce):
        return f"(tif {script.tif[row]}): times in force are 0 (GTC), 1 (GTD) and 2 (Day)"
    for name in PRICES:
        value = getattr(script, name)[row]
        if not (isfinite(value) and value >= 0.0):
            return f"({name} {value}): must be at least 0"
    if kind in WITH_LIMIT and script.limit[row] == 0.0:
        return "must have a limit price"
    if kind in WITH_STOP and script.stop[row] == 0.0:
        return "must have a stop price"
    if kind == OrderType.TRAILING_STOP and (script.trail[row] > 0.0) == (script.trail_rate[row] > 0.0):
        return "must trail by either an amount or a rate"
    if max(script.trail_rate[row], script.stop_trail_rate[row]) >= 1.0:
        return "must trail by a rate below 1"
    return f"(oco {script.oco[row]}): groups are numbers above 0, 0 is none"


def is_plain(candles: Candles, account: Account) -> bool:
    """Whether the fast kernel and the lanes of a sweep know all the rules that this account can need."""
    return (
        account.sizing == "AllIn"
        and account.leverage == 1.0
        and account.tick is None
        and account.lot is None
        and account.min_notional == 0.0
        and account.maintenance_margin is None
        and account.borrow_rate_annual == 0.0
        and account.gates in (Gates(), Gates(fail=True))
        and candles.funding is None
        and candles.finer is None
    )


def check_arithmetic(one: float) -> None:
    # A library linked with -ffast-math can set the processor to flush subnormal numbers: other bits.
    if SMALLEST * max(1.0, one) == 0.0:
        raise EngineError("this thread flushes subnormal numbers to zero: results would differ elsewhere")
