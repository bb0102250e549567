"""The eight cases of an independent simulator, in both builds of the kernel."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import arro3.io
import pytest
from spark_engine.data.candles import Candles
from spark_engine.simulation.ledger import Account, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.statistics.metrics import metrics
from spark_engine.strategies.registry import check_parameters, find

CASES = sorted((Path(__file__).parents[1] / "oracle").glob("*.json"))
DECIMALS = 2
DIRECTIONS = {"long": "long", "long_short": "long-short"}
ORACLE_PERIODS = 525_600.0  # whatever the bar length

MarketData = Callable[[str], Path]
MakeCandles = Callable[..., Candles]


@cache
def _columns(path: Path) -> dict[str, list[float]]:
    table = arro3.io.read_parquet(str(path), batch_size=1_000_000).read_all()
    return {name: table.column(name).to_pylist() for name in ("open", "high", "low", "close")}


def _candles(case: dict[str, Any], market_data: MarketData, make_candles: MakeCandles) -> Candles:
    data = case["data"]
    if "file" not in data:
        return make_candles(data["open"], data["close"])
    columns = _columns(market_data(Path(data["file"]).name))
    return make_candles(columns["open"], columns["close"], columns["high"], columns["low"], scale=DECIMALS)


def _parameters(case: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    given, direction = case["params"], DIRECTIONS[case["mode"]]
    if case["strategy"] == "sma":
        return "sma-cross", {"fast": given["fast"], "slow": given["slow"], "direction": direction}
    return "rsi", {"period": given["n"], "lower": given["lo"], "upper": given["hi"], "direction": direction}


def _run(case: dict[str, Any], candles: Candles) -> tuple[Ledger, Account]:
    name, parameters = _parameters(case)
    strategy = find(name)
    account = Account(
        case["cash0"], case["fee"], case["fee"], case["slip"], allow_short=case["mode"] == "long_short"
    )
    decisions = strategy.decide(candles, check_parameters(strategy, parameters))
    return simulate(candles, decisions, account), account


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_oracle_agrees(
    path: Path, build: str, market_data: MarketData, make_candles: MakeCandles
) -> None:
    case = json.loads(path.read_text())
    candles = _candles(case, market_data, make_candles)
    ledger, account = _run(case, candles)
    exact = case.get("expected_exact_ticks", case["expected"])

    assert len(ledger.trades) == exact["n_trades"]
    assert ledger.equity[-1] == exact["final_equity"]
    if exact["final_equity"] == case["expected"]["final_equity"]:  # else ties decided otherwise there
        _assert_agrees(case, ledger, candles, account)


def _assert_agrees(case: dict[str, Any], ledger: Ledger, candles: Candles, account: Account) -> None:
    expected = case["expected"]
    trades = ledger.trades
    lines = "".join(
        f"{side},{entry},{leave}\n"
        for side, entry, leave in zip(trades.side, trades.entry_bar, trades.exit_bar, strict=True)
    )
    assert hashlib.sha256(lines.encode()).hexdigest() == expected["trades_sha256"]
    assert len(ledger.decisions) == expected["n_signals"]
    assert sum(1 for pnl in trades.pnl if pnl > 0) == expected["win_trades"]
    assert ledger.final_equity_liquidated == pytest.approx(expected["final_equity_liquidated"], rel=1e-9)
    assert ledger.total_fees == pytest.approx(expected["total_fees"], rel=1e-9)
    assert ledger.moments.max_drawdown == pytest.approx(expected["max_drawdown"], rel=1e-9)
    assert [ledger.equity[bar] for bar, _ in case.get("equity_samples", [])] == pytest.approx(
        [equity for _, equity in case.get("equity_samples", [])], rel=1e-9
    )
    _assert_same_trades(case, ledger)
    sharpe = metrics(ledger, candles, account, ORACLE_PERIODS)["sharpe"].value
    assert (0.0 if sharpe is None else sharpe) == pytest.approx(expected["sharpe"], rel=1e-9)


def _assert_same_trades(case: dict[str, Any], ledger: Ledger) -> None:
    trades = ledger.trades
    head = case.get("trades", case.get("trades_head", []))
    tail = case.get("trades_tail", [])
    rows = [*enumerate(head), *enumerate(tail, start=len(trades) - len(tail))]
    for row, trade in rows:
        assert (trades.side[row], trades.entry_bar[row], trades.exit_bar[row]) == (
            trade["side"],
            trade["entry_bar"],
            trade["exit_bar"],
        )
        actual = (trades.entry_price[row], trades.exit_price[row], trades.quantity[row], trades.pnl[row])
        given = (trade["entry_price"], trade["exit_price"], trade["qty"], trade["pnl"])
        assert actual == pytest.approx(given, rel=1e-9)
        assert trades.fees[row] == pytest.approx(trade["entry_fee"] + trade["exit_fee"], rel=1e-9)


def test_every_case_of_the_oracle_is_committed() -> None:
    assert len(CASES) == 8
