"""The same sums again, from the tables of an artifact directory, in plain Python, for `verify`.

Nothing here is shared with the kernel, so that an error in either shows.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import ceil, floor
from typing import Any

from spark_engine.data.candles import Sessions
from spark_engine.data.timetable import ALWAYS
from spark_engine.simulation.ledger import Account, Moments, Step
from spark_engine.statistics.figures import DAY_MS, DAYS_PER_YEAR, Figures, TradeSums
from spark_engine.statistics.metric import Metric
from spark_engine.statistics.metrics import annual_periods, metrics_of

NEGLIGIBLE = 1e-9

Table = Mapping[str, Sequence[Any]]


def metrics_from_tables(
    equity: Table,
    fills: Table,
    trades: Table,
    account: Account,
    timeframe_ms: int,
    periods_per_year: float | None = None,
    calendar: str = ALWAYS,
) -> dict[str, Metric]:
    """Every metric by id, from the columns of the parquet tables (docs/evidence.md).

    `calendar` is `spec.market.calendar`. Needs equity's ts (int64 ms), equity, cash, position, funding;
    fills' quantity, price, fee, slippage; trades' entry_bar, exit_bar, pnl. equity has n >= 1 rows.
    """
    values = equity["equity"]
    sessions = table_sessions(calendar, equity["ts"], timeframe_ms)
    closes = _closes(sessions, equity["ts"])
    daily = list(_returns(list(_daily_closes(_days(sessions, equity["ts"]), values))))
    return metrics_of(
        Figures(
            bars=len(values),
            span_ms=closes[-1] - closes[0],
            initial_cash=account.initial_cash,
            final_equity=values[-1],
            final_equity_liquidated=_liquidated(equity, account),
            equity_sum=_sum(values),
            moments=moments(closes, values, equity["position"], account.initial_cash),
            daily_returns=len(daily),
            daily_s1=_sum(daily),
            daily_s2=_sum([change * change for change in daily]),
            trades=_trade_sums(trades),
            total_fees=_sum(fills["fee"]),
            total_slippage=_sum(fills["slippage"]),
            total_funding=_sum(equity["funding"]),
            turnover_notional=_sum(_products(fills["quantity"], fills["price"])),
            periods_per_year=annual_periods(timeframe_ms, periods_per_year, sessions),
            days_per_year=DAYS_PER_YEAR if sessions is None else sessions.sessions_per_year,
        )
    )


def table_sessions(calendar: str, ts: Sequence[int], timeframe_ms: int) -> Sessions | None:
    """How the exchange's calendar sees the bars of a table; None around the clock."""
    if calendar == ALWAYS:
        return None
    from spark_engine.data.calendars.timetable import sessions_of

    return sessions_of(calendar, memoryview(array("q", ts)), timeframe_ms)


def _closes(sessions: Sessions | None, ts: Sequence[int]) -> Sequence[int]:
    """Close times; around the clock opens, which are as far apart."""
    return ts if sessions is None else sessions.close_ts


def _days(sessions: Sessions | None, ts: Sequence[int]) -> Sequence[int]:
    return [stamp // DAY_MS for stamp in ts] if sessions is None else sessions.day


def moments(
    ts: Sequence[int], equity: Sequence[float], position: Sequence[float], initial_cash: float
) -> Moments:
    """The sums of SEMANTICS section 8 over a column of equity. ts: of the closes, or as far apart."""
    returns = list(_returns(equity))
    peak, drawdown = initial_cash, 0.0
    for value in equity:
        peak = max(peak, value)
        drawdown = max(drawdown, 1.0 - value / peak)
    first, last = _longest_below_peak(equity, initial_cash)
    return Moments(
        s1=_sum(returns),
        s2=_sum([r * r for r in returns]),
        s3=_sum([r * r * r for r in returns]),
        s4=_sum([(r * r) * (r * r) for r in returns]),
        d2=_sum([r * r for r in returns if r < 0.0]),
        min_equity=min(initial_cash, min(equity)),
        max_drawdown=drawdown,
        max_drawdown_bars=last - first,
        max_drawdown_seconds=(ts[last] - ts[first]) // 1000,
        bars_in_position=sum(1 for quantity in position if quantity != 0.0),
    )


def _returns(values: Sequence[float]) -> Iterator[float]:
    for before, now in pairwise(values):
        if before > 0.0:
            yield now / before - 1.0


def _longest_below_peak(equity: Sequence[float], initial_cash: float) -> tuple[int, int]:
    """Bar of the peak and last bar of the longest run below it, the first of equals; (0, 0) for none."""
    peak, peak_bar, longest = initial_cash, 0, (0, 0)
    for bar, value in enumerate(equity):
        if value >= peak:
            peak, peak_bar = value, bar
        elif bar - peak_bar > longest[1] - longest[0]:
            longest = (peak_bar, bar)
    return longest


def _daily_closes(days: Sequence[int], values: Sequence[float]) -> Iterator[float]:
    for bar, value in enumerate(values):
        if bar + 1 == len(values) or days[bar] != days[bar + 1]:
            yield value


def _trade_sums(trades: Table) -> TradeSums | None:
    pnl = trades["pnl"]
    if not len(pnl):
        return None
    return TradeSums(
        count=len(pnl),
        wins=sum(1 for profit in pnl if profit > 0.0),
        losses=sum(1 for profit in pnl if profit < 0.0),
        gained=_sum([profit for profit in pnl if profit > 0.0]),
        lost=_sum([profit for profit in pnl if profit < 0.0]),
        total=_sum(pnl),
        best=max(pnl),
        worst=min(pnl),
        bars=sum(trades["exit_bar"]) - sum(trades["entry_bar"]),
    )


def _liquidated(equity: Table, account: Account) -> float:
    value, cash, position = equity["equity"][-1], equity["cash"][-1], equity["position"][-1]
    if position == 0.0:
        return float(cash)
    close = (value - cash) / position
    side = 1.0 - account.slippage_rate if position > 0.0 else 1.0 + account.slippage_rate
    price = _on_a_tick(close * side, position < 0.0, account.tick)
    return float((cash + position * price) - (account.taker_rate * abs(position)) * price)


def _on_a_tick(price: float, buying: bool, tick: Step | None) -> float:
    """Against the trader: up for a buy, down for a sell (SEMANTICS section 4)."""
    if tick is None:
        return price
    ticks = price / (tick.units / tick.scale)
    whole = ceil(ticks - NEGLIGIBLE) if buying else floor(ticks + NEGLIGIBLE)
    return whole * tick.units / tick.scale


def _products(left: Sequence[float], right: Sequence[float]) -> list[float]:
    return [a * b for a, b in zip(left, right, strict=True)]


def _sum(values: Sequence[float]) -> float:
    """From left to right: the built-in `sum` compensates from Python 3.12 on."""
    total = 0.0
    for value in values:
        total += value
    return total
