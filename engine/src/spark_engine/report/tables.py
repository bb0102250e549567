"""The tables of the report as rows of text, each number with its exact value beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from spark_engine.evidence.comparison import BENCHMARK
from spark_engine.report.formatting import (
    ABSENT,
    aligned,
    column_decimals,
    duration,
    money,
    number,
    percent,
    signed_percent,
    significant,
    utc,
    words,
)
from spark_engine.statistics.definitions import DEFINITIONS

MAX_TRADES = 1_000
QUALITY_LABELS = {
    "rowsRead": "Rows of the source",
    "rows": "Rows of the window",
    "firstTs": "First bar",
    "lastTs": "Last bar",
    "gaps": "Gaps",
    "missingBars": "Missing bars",
    "longestGapSeconds": "Longest gap",
    "unsortedRows": "Rows out of order, sorted",
    "duplicateRows": "Exact duplicates, dropped",
    "conflictingDuplicates": "Conflicting duplicates, last one kept",
    "clampedRows": "Highs or lows clamped",
    "snappedRows": "Prices snapped to their tick",
    "nullVolumes": "Volumes absent, taken as 0",
    "zeroVolumeRows": "Bars without volume",
    "partialRows": "Partial bars",
    "partialRowsDropped": "Partial bars dropped",
    "formingBarDropped": "Forming last bar dropped",
    "resampledFrom": "Resampled from",
    "ticksExact": "Prices are exact ticks",
    "priceScale": "Decimals of a price",
}


def _ratio(value: float) -> str:
    return number(value, 3) if abs(value) >= 0.0005 or value == 0 else significant(value, 3)


UNITS: dict[str, Callable[[float], str]] = {
    "money": money,
    "fraction": percent,
    "ratio": _ratio,
    "count": number,
    "bars": lambda value: number(value, 0 if value == int(value) else 1),
    "seconds": duration,
}


@dataclass(frozen=True, slots=True)
class MetricRow:
    id: str
    name: str
    value: float | None
    text: str
    reason: str  # why there is no value, else empty
    definition: str  # id of the definition
    meaning: str


def metric_rows(metrics: Mapping[str, Any]) -> list[MetricRow]:
    """All metrics in the order of their definitions: evidence.json sorts its names."""
    names = [*(name for name in DEFINITIONS if name in metrics), *sorted(metrics.keys() - DEFINITIONS.keys())]
    return [_metric_row(name, metrics[name]) for name in names]


def metric_text(name: str, values: Sequence[float | None]) -> tuple[str, list[str]]:
    """The name of a metric as a label, and values of it as texts."""
    known = DEFINITIONS.get(name)
    show = percent if name == BENCHMARK else UNITS.get(known.unit if known else "", _ratio)
    return metric_label(name), [ABSENT if value is None else show(value) for value in values]


def metric_label(name: str) -> str:
    return "Buy-and-hold return" if name == BENCHMARK else words(name.replace("Seconds", "Duration"))


def setting(value: Any) -> str:
    """A value of the spec as it would be written there."""
    if value is None:
        return ABSENT
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(map(setting, value)) or ABSENT
    return ABSENT if value == {} else str(value)


def setting_rows(spec: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """A nested object as (dotted path, value) pairs."""
    for name, value in spec.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            yield from setting_rows(value, f"{path}.")
        else:
            yield path, setting(value)


def quality_rows(quality: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The counts of `DataQuality`, in the order in which candles are read, checked and mended."""
    names = [
        *(name for name in QUALITY_LABELS if name in quality),
        *sorted(quality.keys() - QUALITY_LABELS.keys()),
    ]
    return [(QUALITY_LABELS.get(name, words(name)), _quality(name, quality[name])) for name in names]


@dataclass(frozen=True, slots=True)
class TradeTable:
    """The last `MAX_TRADES` trades; `numbers` count from 1 over all trades."""

    total: int
    rows: list[TradeRow]
    has_funding: bool = False

    @property
    def omitted(self) -> int:
        return self.total - len(self.rows)


@dataclass(frozen=True, slots=True)
class TradeRow:
    number: int
    won: bool
    side: str
    cells: tuple[str, ...]

    @property
    def markup(self) -> Markup:
        """Number, side and cells as `<td>`s, escaped as one text: a thousand rows of them take their time."""
        return escape("\n".join((str(self.number), self.side, *self.cells))).replace("\n", Markup("<td>"))


def trade_table(trades: Mapping[str, Sequence[Any]]) -> TradeTable:
    total = len(trades["pnl"])
    first = max(0, total - MAX_TRADES)
    shown = {name: column[first:] for name, column in trades.items()}
    price = column_decimals([*shown["entry_price"], *shown["exit_price"]])
    carry = shown.get("funding") if any(shown.get("funding", ())) else None
    quantity, amount = column_decimals(shown["quantity"]), column_decimals(shown["fees"], 3)
    cash = 2 if amount is not None and amount <= 4 else amount
    rows = [
        TradeRow(
            number=first + index + 1,
            won=shown["pnl"][index] > 0,
            side=str(shown["side"][index]),
            cells=(
                utc(shown["entry_ts"][index]),
                utc(shown["exit_ts"][index]),
                aligned(shown["entry_price"][index], price),
                aligned(shown["exit_price"][index], price),
                aligned(shown["quantity"][index], quantity),
                aligned(shown["fees"][index], cash),
                *([aligned(carry[index], cash)] if carry else []),
                aligned(shown["pnl"][index], cash),
                signed_percent(shown["return"][index]),
                percent(shown["mae"][index]),
                percent(shown["mfe"][index]),
                number(shown["exit_bar"][index] - shown["entry_bar"][index]),
                words(str(shown["exit_reason"][index])),
            ),
        )
        for index in range(total - first)
    ]
    return TradeTable(total, rows, carry is not None)


def _metric_row(name: str, metric: Mapping[str, Any]) -> MetricRow:
    value = metric["value"]
    known = DEFINITIONS.get(name)
    show = UNITS.get(known.unit if known else "", _ratio)
    return MetricRow(
        id=name,
        name=metric_label(name),
        value=value,
        text=ABSENT if value is None else show(value),
        reason=words(str(metric.get("reason") or "not defined")) if value is None else "",
        definition=str(metric["definition"]),
        meaning=known.text if known else "",
    )


def _quality(name: str, value: Any) -> str:
    if name.endswith("Ts"):
        return f"{utc(value)} UTC" if value is not None else ABSENT
    if name.endswith("Seconds"):
        return duration(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return setting(value)
    return number(value)
