"""What holds for any candles and decisions: the account adds up, and both builds agree in every bit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import fields

from hypothesis import given, settings
from hypothesis import strategies as st
from spark_engine.data.candles import Candles
from spark_engine.evidence import digests
from spark_engine.simulation.ledger import Account, Decisions, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.statistics.metrics import metrics

Builds = dict[str, Callable[[], AbstractContextManager[None]]]
MakeCandles = Callable[..., Candles]
MakeDecisions = Callable[..., Decisions]
Run = tuple[Candles, Decisions, Account]
Drawn = tuple[list[tuple[int, int]], int, list[tuple[int, float]], Account]  # bars, warm-up, events, account

# Leaps of up to tenfold a bar, so that shorts go bankrupt often.
PRICES = st.integers(min_value=1, max_value=1000)
RATES = st.sampled_from([0.0, 0.0005, 0.001, 0.1, 0.9])


@st.composite
def runs(draw: st.DrawFn) -> Drawn:
    bars = draw(st.lists(st.tuples(PRICES, PRICES), min_size=1, max_size=40))
    warmup = draw(st.integers(0, min(3, len(bars) - 1)))
    window = len(bars) - warmup
    at = sorted(draw(st.sets(st.integers(0, window - 1), max_size=window)))
    events = [(bar, draw(st.sampled_from([-1.0, 0.0, 1.0]))) for bar in at]
    taker, slippage = draw(RATES), draw(RATES)
    account = Account(
        initial_cash=draw(st.sampled_from([1.0, 1000.0, 12345.678])),
        maker_rate=taker,
        taker_rate=taker,
        slippage_rate=slippage,
        fill_next_close=draw(st.booleans()),
        close_at_end=draw(st.booleans()),
        allow_short=True,
    )
    return bars, warmup, events, account


def _inputs(drawn: Drawn, make_candles: MakeCandles, make_decisions: MakeDecisions) -> Run:
    bars, warmup, events, account = drawn
    opens, closes = [o / 10 for o, _ in bars], [c / 10 for _, c in bars]
    candles = make_candles(opens, closes, warmup=warmup, scale=1, step_ms=8 * 3_600_000)
    return candles, make_decisions(*events), account


@given(drawn=runs())
def test_equity_is_cash_plus_position_value_at_every_close(
    drawn: Drawn,
    make_candles: MakeCandles,
    make_decisions: MakeDecisions,
) -> None:
    candles, decisions, account = _inputs(drawn, make_candles, make_decisions)
    ledger = simulate(candles, decisions, account)
    closes = candles.close[candles.warmup :]
    for equity, cash, position, close in zip(
        ledger.equity, ledger.cash, ledger.position, closes, strict=True
    ):
        assert equity == cash + position * close


@given(drawn=runs())
def test_fills_alone_explain_cash_and_position(
    drawn: Drawn,
    make_candles: MakeCandles,
    make_decisions: MakeDecisions,
) -> None:
    candles, decisions, account = _inputs(drawn, make_candles, make_decisions)
    ledger = simulate(candles, decisions, account)
    fills = ledger.fills
    moved = list(zip(fills.side, fills.quantity, fills.price, fills.fee, strict=True))
    cash = account.initial_cash - sum(side * quantity * price + fee for side, quantity, price, fee in moved)
    position = sum(side * quantity for side, quantity, _, _ in moved)
    traded = account.initial_cash + sum(quantity * price for _, quantity, price, _ in moved)
    assert abs(cash - ledger.cash[-1]) <= 1e-12 * traded
    assert abs(position - ledger.position[-1]) <= 1e-12 * (1.0 + sum(quantity for _, quantity, _, _ in moved))


@given(drawn=runs())
def test_a_plain_account_of_the_rules_gives_the_same_bits(
    drawn: Drawn,
    make_candles: MakeCandles,
    make_decisions: MakeDecisions,
) -> None:
    candles, decisions, account = _inputs(drawn, make_candles, make_decisions)
    ledger = simulate(candles, decisions, account)
    equity, fills = _plainly(candles, decisions, account)
    assert ledger.equity.tolist() == equity
    assert list(zip(*(_column(ledger.fills, name) for name in FILL_COLUMNS), strict=True)) == fills


@settings(max_examples=200)
@given(drawn=runs())
def test_compiled_and_uncompiled_agree_in_every_bit(
    drawn: Drawn,
    builds: Builds,
    make_candles: MakeCandles,
    make_decisions: MakeDecisions,
) -> None:
    candles, decisions, account = _inputs(drawn, make_candles, make_decisions)
    seen = []
    for build in builds.values():
        with build():
            ledger = simulate(candles, decisions, account)
            seen.append((_bits(ledger), _digests(ledger, candles), metrics(ledger, candles, account)))
    assert seen[0] == seen[1]


FILL_COLUMNS = ("bar", "order", "side", "reason", "quantity", "price", "fee")


def _column(owner: object, name: str) -> list[float]:
    column: memoryview = getattr(owner, name)
    return column.tolist()


def _plainly(
    candles: Candles, decisions: Decisions, account: Account
) -> tuple[list[float], list[tuple[float, ...]]]:
    """SEMANTICS section 4 once more, without regard for speed."""
    cash, q, f, s = account.initial_cash, 0.0, account.taker_rate, account.slippage_rate
    events = zip(decisions.bar, decisions.target, strict=True)
    targets = {bar: (order, target) for order, (bar, target) in enumerate(events, 1)}
    opens, closes = candles.open[candles.warmup :], candles.close[candles.warmup :]
    equity, fills = [], []

    def sign(value: float) -> int:
        return (value > 0) - (value < 0)

    for i, close in enumerate(closes):
        legs: list[tuple[int, int, float, int, bool]] = []
        if i - 1 in targets:
            order, target = targets[i - 1]
            base = close if account.fill_next_close else opens[i]
            if sign(target) != sign(q):
                legs += [(order, 0, base, -sign(q), False)] if q else []
                legs += [(order, 0, base, sign(target), True)] if target else []
        for order, reason, base, side, opening in legs:
            cash, q, fill = _leg(cash, q, f, s, base, side, opening)
            fills += [(i, order, side, reason, *fill)] if fill else []
        if account.close_at_end and i == len(closes) - 1 and q:
            side = -sign(q)
            cash, q, fill = _leg(cash, q, f, s, close, side, False)
            fills += [(i, 0, side, 8, *fill)] if fill else []
        equity.append(cash + q * close)
    return equity, fills


def _leg(
    cash: float, q: float, f: float, s: float, base: float, side: int, opening: bool
) -> tuple[float, float, tuple[float, float, float] | None]:
    p = base * (1 + s) if side > 0 else base * (1 - s)
    if not opening:
        fee = (f * abs(q)) * p
        return (cash + q * p) - fee, 0.0, (abs(q), p, fee)
    if cash <= 0:
        return cash, q, None
    quantity = cash / (p * (1 + f))
    fee = (f * quantity) * p
    if side > 0:
        return 0.0, quantity, (quantity, p, fee)
    return (cash + quantity * p) - fee, -quantity, (quantity, p, fee)


def _bits(ledger: Ledger) -> list[object]:
    columns = [ledger.equity, ledger.cash, ledger.position]
    columns += [getattr(ledger.fills, field.name) for field in fields(ledger.fills)]
    columns += [getattr(ledger.trades, field.name) for field in fields(ledger.trades)]
    sums = [getattr(ledger.moments, field.name) for field in fields(ledger.moments)]
    money = [
        ledger.total_fees,
        ledger.total_slippage,
        ledger.turnover_notional,
        ledger.final_equity_liquidated,
    ]
    counts = [ledger.unfilled_at_end, ledger.bankrupt_bar]
    return [
        *(column.tobytes() for column in columns),
        *(float(value).hex() for value in sums + money),
        *counts,
    ]


def _digests(ledger: Ledger, candles: Candles) -> list[str]:
    return [
        digests.candles_digest(candles),
        digests.decisions_digest(ledger.decisions),
        digests.fills_digest(ledger.fills),
        digests.equity_digest(ledger.equity, ledger.position),
    ]
