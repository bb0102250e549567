"""Runs to report on: made-up prices and decisions, simulated, measured and evidenced by the real engine."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from spark_crds.canonical import canonical
from spark_engine.data.candles import Candles, DataQuality
from spark_engine.evidence.artifact import evidence_document
from spark_engine.evidence.chart import chart_document
from spark_engine.evidence.result import build_result
from spark_engine.evidence.tables import decode, encode, trades_table
from spark_engine.report.render import render_report
from spark_engine.simulation.ledger import Account, Decisions, Ledger
from spark_engine.simulation.simulate import simulate
from spark_engine.statistics.metrics import metrics

START = 1_600_000_000_000 // 86_400_000 * 86_400_000
DAY = 86_400_000


def column(code: str, values: Sequence[float]) -> memoryview:
    return memoryview(array(code, values))


def candles_of(closes: Sequence[float], *, step: int = DAY, warmup: int = 0) -> Candles:
    """Bars that open at the previous close; highs and lows are those two."""
    opens = [closes[0], *closes[:-1]]
    rows = len(closes)
    ts = [START + step * row for row in range(rows)]
    return Candles(
        ts=column("q", ts),
        open=column("d", opens),
        high=column("d", [max(pair) for pair in zip(opens, closes, strict=True)]),
        low=column("d", [min(pair) for pair in zip(opens, closes, strict=True)]),
        close=column("d", closes),
        volume=column("d", [1.0] * rows),
        quality=column("b", [0] * rows),
        ticks_close=column("q", [0] * rows),
        timeframe_ms=step,
        warmup=warmup,
        quality_report=DataQuality(rows_read=rows, rows=rows, first_ts=ts[0], last_ts=ts[-1]),
    )


@dataclass
class Run:
    """A simulated run and what the report is drawn from. `targets` maps window bars to positions."""

    closes: Sequence[float]
    targets: Mapping[int, float] = field(default_factory=dict)
    symbol: str = "BTCUSDT"
    notes: str = ""
    cash: float = 10_000.0
    warmup: int = 0
    fee: float = 0.001
    criteria: Mapping[str, Any] | None = None
    candles: Candles = field(init=False)
    ledger: Ledger = field(init=False)
    evidence: dict[str, Any] = field(init=False)
    chart: dict[str, Any] = field(init=False)
    trades: dict[str, list[Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.candles = candles_of(self.closes, warmup=self.warmup)
        account = Account(self.cash, self.fee, self.fee, 0.0001, allow_short=True)
        self.ledger = simulate(self.candles, self._decisions(self.targets), account)
        held = simulate(self.candles, self._decisions({0: 1.0}), account)
        self.evidence = self._evidence(account, held)
        chart = chart_document(
            symbol=self.symbol,
            timeframe="1d",
            candles=self.candles,
            ledger=self.ledger,
            benchmark=held,
            initial_cash=self.cash,
        )
        self.chart = json.loads(canonical(chart))
        self.trades = decode(encode(trades_table(self.ledger.trades, self.candles)), "trades.parquet")

    def page(self) -> str:
        return render_report(self.evidence, self.chart, self.trades)

    def _decisions(self, targets: Mapping[int, float]) -> Decisions:
        return Decisions(column("q", list(targets)), column("d", list(targets.values())))

    def _evidence(self, account: Account, held: Ledger) -> dict[str, Any]:
        result = build_result(
            spec=self._spec(),
            limits=None,
            candles=self.candles,
            ledger=self.ledger,
            strategy_code="builtin",
            look_ahead=None,
            metrics=metrics(self.ledger, self.candles, account),
            benchmark=metrics(held, self.candles, account),
        )
        evidence = evidence_document(
            run_id="a-run", status="done", result=result, run=self._run(), files={"spec.json": b"{}"}
        )
        return dict(json.loads(canonical(evidence)))

    def _spec(self) -> dict[str, Any]:
        return {
            "strategy": {"name": "sma-cross", "params": {"fast": 9, "slow": 21}},
            "market": {"symbol": self.symbol, "timeframe": "1d"},
            "account": {"initialCash": str(self.cash), "currency": "USDT"},
            "execution": {"fill": "NextOpen", "intrabarPath": "CloseDirection", "limitFill": "Touch"},
            "data": {"gaps": "Keep"},
            "verdict": self.criteria,
            "seed": 0,
        }

    def _run(self) -> dict[str, Any]:
        return {
            "namespace": "default",
            "name": "a-run",
            "uid": "",
            "jobUID": "",
            "attempt": 1,
            "index": 0,
            "specHash": "sha256:" + "1" * 64,
            "startedAt": "2026-01-01T00:00:00.000Z",
            "finishedAt": "2026-01-01T00:00:01.000Z",
            "engineMs": 3,
            "host": "laptop",
            "image": "",
            "engineVersion": "0.1.0",
            "python": "3.11.7",
            "platform": "linux/x86_64",
            "kernel": {"compiled": True, "build": "cython"},
            "data": {"uri": "made-up.parquet", "sha256": "ab" * 32, "bytes": 1234},
            "notes": self.notes,
        }


@pytest.fixture(scope="session")
def a_run() -> Callable[..., Run]:
    """Builds a run: `a_run(closes, {bar: target})`."""
    return Run
