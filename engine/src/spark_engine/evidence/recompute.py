"""Digests and metrics once more, from the tables of an artifact directory alone."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from spark_crds.formats.evidence import EVENTS_FILE

from spark_engine.data.request import timeframe_ms
from spark_engine.evidence import digests
from spark_engine.evidence.tables import (
    LIQUIDITY,
    ORDER_TYPES,
    REASONS,
    SIDES,
    TIMES_IN_FORCE,
    Table,
    target_submissions,
)
from spark_engine.settings import account, periods_per_year
from spark_engine.simulation.ledger import Action, Decisions, Events, Fills
from spark_engine.statistics.moments import metrics_from_tables

Tables = Mapping[str, Table]


def table_digests(tables: Tables, events: Events, form: str) -> Iterator[tuple[str, str, str]]:
    """(file, field of the evidence, digest) of every table that a digest covers.

    `form` is `targets` or `orders`: what the strategy decides in (`executionModel.decisions`).
    """
    equity = tables["equity.parquet"]
    yield "orders.parquet", "decisions", _decisions_digest(tables["orders.parquet"], form)
    yield "fills.parquet", "fills", digests.fills_digest(_fills(tables["fills.parquet"]))
    columns = _column("d", equity["equity"]), _column("d", equity["position"])
    yield "equity.parquet", "equity", digests.equity_digest(*columns)
    yield EVENTS_FILE, "events", digests.events_digest(events)


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
        calendar=spec["market"]["calendar"],
    )
    return {name: metric.value for name, metric in metrics.items()}


def _decisions_digest(orders: Table, form: str) -> str:
    decisions = Decisions(bar=_column("q", orders["bar"]), target=_numbers(orders["target"]))
    if form == "targets":
        return digests.decisions_digest(decisions)
    targets = [kind == "target" for kind in orders["type"]]
    sizes = zip(targets, orders["target"], orders["quantity"], strict=True)
    actions = [Action.CANCEL if kind == "cancel" else Action.ORDER for kind in orders["type"]]
    return digests.submissions_digest(
        replace(
            target_submissions(decisions),
            action=_column("b", actions),
            order=_column("q", orders["order"]),
            type=_codes({-1: "cancel", **ORDER_TYPES}, orders["type"]),
            side=_codes(SIDES, orders["side"]),
            tif=_codes(TIMES_IN_FORCE, orders["tif"]),
            quantity=_numbers([target if is_target else size for is_target, target, size in sizes]),
            limit=_numbers(orders["limit"]),
            stop=_numbers(orders["stop"]),
        )
    )


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
        slippage=_column("d", table["slippage"]),
    )


def _column(kind: str, values: Sequence[Any]) -> memoryview:
    return memoryview(array(kind, values))


def _numbers(values: Sequence[float | None]) -> memoryview:
    return _column("d", [value or 0.0 for value in values])


def _codes(names: Mapping[int, str], values: Sequence[str | None]) -> memoryview:
    """Codes of names; 0 for null."""
    codes: dict[str | None, int] = {None: 0, **{name: code for code, name in names.items()}}
    return _column("b", [codes[value] for value in values])
