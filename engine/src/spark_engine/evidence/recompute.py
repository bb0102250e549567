"""Digests and metrics once more, from the tables of an artifact directory alone."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spark_engine.data.request import timeframe_ms
from spark_engine.evidence import digests
from spark_engine.evidence.tables import LIQUIDITY, REASONS, SIDES, Table
from spark_engine.settings import account, periods_per_year
from spark_engine.simulation.ledger import Decisions, Fills
from spark_engine.statistics.moments import metrics_from_tables

Tables = Mapping[str, Table]


def table_digests(tables: Tables) -> Iterator[tuple[str, str, str]]:
    """(file, field of the evidence, digest) of every table that a digest covers."""
    orders, equity = tables["orders.parquet"], tables["equity.parquet"]
    decisions = Decisions(bar=_column("q", orders["bar"]), target=_column("d", orders["target"]))
    yield "orders.parquet", "decisions", digests.decisions_digest(decisions)
    yield "fills.parquet", "fills", digests.fills_digest(_fills(tables["fills.parquet"]))
    columns = _column("d", equity["equity"]), _column("d", equity["position"])
    yield "equity.parquet", "equity", digests.equity_digest(*columns)


def metric_values(tables: Tables, evidence: Mapping[str, Any]) -> dict[str, float | int | None]:
    """Every metric by id, in plain Python, under the account that the evidence states."""
    spec = evidence["result"]["spec"]
    metrics = metrics_from_tables(
        tables["equity.parquet"],
        tables["fills.parquet"],
        tables["trades.parquet"],
        account(spec),
        timeframe_ms(spec["market"]["timeframe"]),
        periods_per_year(spec),
    )
    return {name: metric.value for name, metric in metrics.items()}


def _fills(table: Table) -> Fills:
    return Fills(
        bar=_column("q", table["bar"]),
        order=_column("q", table["order"]),
        side=_codes(SIDES, table["side"]),
        liquidity=_codes(LIQUIDITY, table["liquidity"]),
        reason=_codes(REASONS, table["reason"]),
        quantity=_column("d", table["quantity"]),
        price=_column("d", table["price"]),
        fee=_column("d", table["fee"]),
    )


def _column(kind: str, values: Sequence[Any]) -> memoryview:
    return memoryview(array(kind, values))


def _codes(names: Mapping[int, str], values: Sequence[str]) -> memoryview:
    codes = {name: code for code, name in names.items()}
    return _column("b", [codes[value] for value in values])
