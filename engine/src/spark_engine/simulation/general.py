"""Runs of the whole account, from an exchange to a ledger."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from dataclasses import fields, replace

from spark_engine.data.candles import Candles
from spark_engine.data.rows import zeros
from spark_engine.simulation import columns, exchange
from spark_engine.simulation.ledger import Account, Decisions, Ledger, Submissions
from spark_engine.simulation.moments import moments

Connect = Callable[[exchange.Exchange], Callable[[int], None]]
INTEGERS = ("bar", "order", "expires", "oco")
CODES = ("action", "type", "side", "tif", "reduce_only")


def of_targets(candles: Candles, decisions: Decisions, account: Account) -> Ledger:
    market = exchange.Exchange(candles, account, len(decisions) + 1)
    market.run_targets(decisions.bar, decisions.target)
    outcome = market.outcome()
    asked = Decisions(decisions.bar[: outcome.asked_rows], decisions.target[: outcome.asked_rows])
    return _ledger(candles, account, outcome, asked, None)


def of_script(candles: Candles, script: Submissions, account: Account) -> Ledger:
    market = exchange.Exchange(candles, account, len(script) // 2 + 1)
    ids = zeros("q", len(script))
    market.run_script(script, ids)
    outcome = market.outcome()
    script = replace(script, order=ids)
    asked = Submissions(*(getattr(script, field.name)[: outcome.asked_rows] for field in fields(script)))
    return _ledger(candles, account, outcome, _targets(asked), asked)


def of_events(candles: Candles, account: Account, connect: Connect) -> Ledger:
    market = exchange.Exchange(candles, account)
    market.run_events(connect(market))
    outcome = market.outcome()
    asked = _submissions(outcome.asked)
    return _ledger(candles, account, outcome, _targets(asked), asked)


def _ledger(
    candles: Candles,
    account: Account,
    outcome: exchange.Outcome,
    decisions: Decisions,
    submissions: Submissions | None,
) -> Ledger:
    sums = columns.return_sums(outcome.equity, outcome.position, account.initial_cash)
    return Ledger(
        equity=outcome.equity,
        cash=outcome.cash,
        position=outcome.position,
        fills=outcome.fills,
        trades=outcome.trades,
        decisions=decisions,
        moments=moments(sums, candles),
        total_fees=outcome.fees,
        total_slippage=outcome.slippage,
        turnover_notional=outcome.turnover,
        final_equity_liquidated=outcome.final_equity_liquidated,
        unfilled_at_end=outcome.unfilled_at_end,
        bankrupt_bar=None if sums.bankrupt_bar < 0 else sums.bankrupt_bar,
        submissions=submissions,
        events=outcome.events,
        carry=outcome.carry,
        total_funding=outcome.funding,
        total_borrow=outcome.borrow,
        short_targets_clamped=outcome.short_targets_clamped,
        ambiguous_bars=outcome.ambiguous_bars,
        unresolved_bars=outcome.unresolved_bars,
        stopped_bar=outcome.stopped_bar,
        open_orders=outcome.open_orders,
    )


def _targets(asked: Submissions) -> Decisions:
    bar, target = zeros("q", len(asked)), zeros("d", len(asked))
    count = columns.take_targets(asked.action, asked.bar, asked.quantity, bar, target)
    return Decisions(bar[:count], target[:count])


def _submissions(rows: list[tuple[float, ...]]) -> Submissions:
    names = [field.name for field in fields(Submissions)]
    return Submissions(
        **{name: _column(_code(name), (row[at] for row in rows)) for at, name in enumerate(names)}
    )


def _code(name: str) -> str:
    return "q" if name in INTEGERS else "b" if name in CODES else "d"


def _column(code: str, values: Iterable[float]) -> memoryview:
    return memoryview(array(code, values))
