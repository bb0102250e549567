"""All worked rules as the tables of docs/semantics.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from engine.tests.semantics import account, fills, market_data, orders
from engine.tests.semantics.row import DataRow, Row, SignalRow

AnyRow = Row | DataRow | SignalRow
PARTS: Mapping[str, Mapping[str, Sequence[AnyRow]]] = {
    "market data": market_data.SECTIONS,
    "fills": fills.SECTIONS,
    "orders": orders.SECTIONS,
    "account": account.SECTIONS,
}


def rows() -> Iterable[AnyRow]:
    return (row for sections in PARTS.values() for group in sections.values() for row in group)


def part(name: str) -> str:
    """The tables of one part, a heading each."""
    return "\n\n".join(f"### {title}\n\n{_table(group)}" for title, group in PARTS[name].items())


def parts() -> Mapping[str, Callable[[], str]]:
    return {name: lambda name=name: part(name) for name in PARTS}  # type: ignore[misc]


def _table(group: Sequence[AnyRow]) -> str:
    lines = ["| rule | given | result |", "|---|---|---|"]
    for row in group:
        result = "<br>".join(f"`{line}`" for line in row.result)
        lines.append(f"| {_cell(row.rule)} | {_cell('<br>'.join(row.given()))} | {_cell(result)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
