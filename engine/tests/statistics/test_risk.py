"""The risk report of small accounts whose figures can be worked by hand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spark_engine.statistics.risk import FEE_FACTORS, risk_document
from spark_engine.statistics.risk_concentration import best_trades, herfindahl, monthly
from spark_engine.statistics.risk_drawdowns import drawdowns
from spark_engine.statistics.risk_kelly import from_returns, from_trades, kelly
from spark_engine.statistics.risk_tails import Returns, Shape, returns_of

HOUR = 3_600_000
DAY = 24 * HOUR
NO_TRADES: dict[str, list[Any]] = {"exit_bar": [], "pnl": [], "quantity": [], "entry_price": []}


def account(
    equity: list[float],
    *,
    position: list[float] | None = None,
    cash: list[float] | None = None,
    step: int = DAY,
) -> dict[str, list[Any]]:
    return {
        "ts": [step * bar for bar in range(len(equity))],
        "equity": equity,
        "cash": cash or equity,
        "position": position or [0.0] * len(equity),
    }


def test_a_drawdown_has_a_peak_a_trough_and_a_recovery() -> None:
    rows = risk_document(account([100, 120, 90, 60, 119, 120, 130, 129]), NO_TRADES, initial_cash=100)[
        "drawdowns"
    ]
    assert rows[0] == {
        "depth": 0.5,
        "peakTs": DAY,
        "troughTs": 3 * DAY,
        "recoveryTs": 5 * DAY,
        "bars": 4,
        "barsToTrough": 2,
        "barsToRecovery": 2,
        "seconds": 4 * 86_400,
    }
    assert rows[1]["recoveryTs"] is None
    assert rows[1]["bars"] == 1
    assert len(rows) == 2


def test_the_first_peak_is_the_initial_cash() -> None:
    fall = drawdowns([90.0, 80.0, 100.0], 100.0)
    assert [(one.peak, one.trough, one.recovery) for one in fall] == [(0, 1, 2)]
    assert fall[0].depth == pytest.approx(0.2)


@given(st.lists(st.floats(1, 1_000), min_size=1, max_size=60))
def test_the_deepest_drawdown_is_the_maximum_drawdown(equity: list[float]) -> None:
    peak, worst = 500.0, 0.0
    for value in equity:
        peak = max(peak, value)
        worst = max(worst, 1 - value / peak)
    assert max((fall.depth for fall in drawdowns(equity, 500.0)), default=0.0) == worst


def test_at_most_ten_drawdowns_are_listed_the_deepest_first() -> None:
    equity = [value for k in range(1, 30) for value in (1_000.0, 1_000.0 - k)]
    depths = [
        row["depth"] for row in risk_document(account(equity), NO_TRADES, initial_cash=1_000)["drawdowns"]
    ]
    assert len(depths) == 10
    assert depths == sorted(depths, reverse=True)
    assert depths[0] == 0.029


def test_worst_days_run_from_last_close_to_last_close() -> None:
    hourly = [100.0] * 24 + [110.0] * 23 + [50.0] + [75.0] * 24
    rows = risk_document(account(hourly, step=HOUR), NO_TRADES, initial_cash=100)["worstDays"]
    assert rows == [{"ts": 47 * HOUR, "return": -0.5}]


def test_days_can_be_sessions_of_an_exchange() -> None:
    document = risk_document(
        account([100.0, 80.0, 100.0, 50.0], step=HOUR), NO_TRADES, initial_cash=100, days=[1, 1, 2, 2]
    )
    assert document["days"] == 2
    assert [row["return"] for row in document["worstDays"]] == [-0.375]


def test_exposure_is_notional_over_equity_by_side() -> None:
    found = risk_document(
        account([100.0, 100.0, 200.0, 100.0], position=[0, 2, -1, 0], cash=[100.0, -100.0, 300.0, 100.0]),
        NO_TRADES,
        initial_cash=100,
    )["exposure"]
    assert found["timeInMarket"] == 0.5
    assert found["timeLong"] == found["timeShort"] == 0.25
    assert found["averageGross"]["value"] == (2.0 + 0.5) / 4
    assert found["averageNet"]["value"] == (2.0 - 0.5) / 4
    assert found["maximumGross"]["value"] == 2.0
    assert found["maximumTs"] == DAY


def test_a_bankrupt_account_has_reasons_instead_of_figures() -> None:
    document = risk_document(account([100.0, -5.0, 10.0]), NO_TRADES, initial_cash=100)
    assert document["exposure"]["averageGross"]["reason"] == "Bankrupt"
    assert document["worstDays"] == []
    assert document["kelly"]["fromReturns"]["reason"] == "Bankrupt"
    for tail in document["tails"]:
        assert tail["tailRatio"]["reason"] == "Bankrupt"
        assert tail["levels"][0]["historical"]["valueAtRisk"]["reason"] == "Bankrupt"
    assert document["drawdowns"][0]["depth"] == 1.05


def test_the_best_trades_are_set_against_all_profit() -> None:
    pnl = [10.0, -20.0, 30.0, 60.0]
    assert best_trades(pnl, 1) == {"trades": 1, "shareOfProfit": {"value": 0.6}, "netWithout": 20.0}
    assert best_trades(pnl, 5)["shareOfProfit"]["value"] == 1.0
    assert best_trades([-1.0], 1)["shareOfProfit"] == {"value": None, "reason": "NoWins"}


def test_the_herfindahl_index_runs_from_equal_shares_to_one_that_is_all() -> None:
    assert herfindahl([5.0] * 4)["value"] == 0.0
    assert herfindahl([1.0, 0.0])["value"] == 1.0
    assert herfindahl([1.0, 3.0])["value"] == pytest.approx((0.0625 + 0.5625 - 0.5) / 0.5)
    assert herfindahl([7.0])["reason"] == "TooFew"


def test_profit_belongs_to_the_utc_month_of_its_exit() -> None:
    new_year = 1_704_067_200_000  # 2024-01-01T00:00Z
    assert monthly([1.0, 2.0, 4.0], [new_year, new_year - 1, new_year + DAY]) == {
        "2023-12": 2.0,
        "2024-01": 5.0,
    }


def test_the_kelly_fraction_of_an_even_bet_is_twice_its_edge() -> None:
    """Thorp 2006, section 2: even money won with p = 0.53 gives 0.06."""
    assert from_trades([0.1] * 53 + [-0.1] * 47)["value"] == pytest.approx(0.06)


def test_the_kelly_fraction_of_an_uneven_bet_is_edge_over_odds() -> None:
    assert from_trades([0.2] * 40 + [-0.1] * 60)["value"] == pytest.approx(0.4 - 0.6 / 2)


def test_the_continuous_kelly_fraction_is_drift_over_variance() -> None:
    """Thorp 2006, section 7.1: excess drift 0.05 and deviation 0.15 give 2.22."""
    assert from_returns(Returns([], Shape(0.05, 0.15, 0, 0)))["value"] == pytest.approx(0.05 / 0.0225)


def test_half_kelly_is_half_and_absent_where_the_whole_is() -> None:
    found = kelly(returns_of([1.1, 0.95, 1.0]), [], [])
    assert found["halfFromReturns"]["value"] == pytest.approx(found["fromReturns"]["value"] / 2)
    assert found["halfFromTrades"] == {"value": None, "reason": "NoTrades"}
    assert from_trades([0.1])["reason"] == "NoLosses"
    assert from_trades([-0.1, 0.0])["reason"] == "NoWins"


def test_fees_are_scaled_and_the_run_repeated_for_each_factor() -> None:
    asked: list[float] = []

    def rerun(factor: float) -> dict[str, float]:
        asked.append(factor)
        return {"finalEquity": 100.0 - factor}

    document = risk_document(account([100.0, 99.0]), NO_TRADES, initial_cash=100, rerun=rerun)
    assert asked == list(FEE_FACTORS) == [0, 1, 2, 5]
    assert document["costSensitivity"][3] == {"feeFactor": 5, "finalEquity": 95.0}
    assert risk_document(account([100.0]), NO_TRADES, initial_cash=100)["costSensitivity"] is None


def test_columns_may_be_views_of_the_ledger() -> None:
    from array import array

    lists = account([100.0, 120.0, 90.0, 110.0], position=[0.0, 1.0, 1.0, 0.0], cash=[100.0, 0.0, 0.0, 110.0])
    views = {name: memoryview(array("q" if name == "ts" else "d", column)) for name, column in lists.items()}
    trades = {"exit_bar": [3], "pnl": [10.0], "quantity": [1.0], "entry_price": [100.0]}
    kinds = {"exit_bar": "q", "pnl": "d", "quantity": "d", "entry_price": "d"}
    seen = {name: memoryview(array(kinds[name], column)) for name, column in trades.items()}
    assert risk_document(views, seen, initial_cash=100) == risk_document(lists, trades, initial_cash=100)
