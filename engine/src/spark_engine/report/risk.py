"""The risk report as sections of text: the same rows for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spark_engine.report.formatting import (
    ABSENT,
    duration,
    money,
    number,
    percent,
    signed_percent,
    utc,
    words,
)
from spark_engine.report.page import render_page

Figure = Mapping[str, Any]
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One table. `note` says how to read it; `empty` stands in its place where there are no rows."""

    name: str
    title: str
    note: str
    columns: Row
    rows: list[Row]
    empty: str = "Nothing to show."


def render_risk(document: Mapping[str, Any], evidence: Mapping[str, Any]) -> str:
    """The page of a `spark.trading/risk/v1` document and of the evidence that it belongs to."""
    result = evidence["result"]
    return render_page(
        "risk.html",
        library=False,
        evidence=evidence,
        spec=result["spec"],
        window=result["window"],
        bars=result["counts"]["bars"],
        sections=list(risk_sections(document, str(result["spec"]["account"].get("currency", "")))),
    )


def risk_sections(document: Mapping[str, Any], currency: str) -> Iterator[Section]:
    """In the order in which they are read."""
    yield _tails(document)
    yield _drawdowns(document)
    yield _worst_days(document)
    yield _exposure(document["exposure"])
    yield _concentration(document["concentration"], currency)
    yield _kelly(document["kelly"])
    yield _costs(document.get("costSensitivity"), currency)


def _tails(document: Mapping[str, Any]) -> Section:
    rows: list[Row] = []
    for tail in document["tails"]:
        for index, level in enumerate(tail["levels"]):
            figures = [level[how][what] for how in ("historical", "cornishFisher") for what in _TAIL_FIGURES]
            ratio = _shown(tail["tailRatio"], _ratio) if index == 0 else ""
            period = f"{words(tail['period'])} ({number(tail['returns'])} returns)" if index == 0 else ""
            rows.append(
                (period, percent(level["confidence"], 0), *(_shown(one, percent) for one in figures), ratio)
            )
    return Section(
        "tails",
        "Value at risk and expected shortfall",
        "Losses of equity in one period. Value at risk: reached or passed by 5 or 1 percent of the periods. "
        "Expected shortfall: the mean of these. Modified: the normal quantile bent by skewness and kurtosis "
        "(Cornish-Fisher), where these allow it. Tail ratio: gain over loss, each of one period in twenty.",
        ("Period", "Confidence", "VaR", "ES", "Modified VaR", "Modified ES", "Tail ratio"),
        rows,
    )


def _drawdowns(document: Mapping[str, Any]) -> Section:
    rows: list[Row] = [
        (
            percent(fall["depth"]),
            utc(fall["peakTs"]),
            utc(fall["troughTs"]),
            utc(fall["recoveryTs"]) if fall["recoveryTs"] is not None else "not yet",
            duration(fall["seconds"]),
            number(fall["barsToTrough"]),
            number(fall["barsToRecovery"]),
        )
        for fall in document["drawdowns"]
    ]
    return Section(
        "drawdowns",
        "Deepest drawdowns",
        "Opens of the bars of peak, trough and recovery (UTC). Length: from peak to recovery, or the end.",
        ("Depth", "Peak", "Trough", "Recovery", "Length", "Bars down", "Bars up"),
        rows,
        "Equity never fell below an earlier peak.",
    )


def _worst_days(document: Mapping[str, Any]) -> Section:
    rows: list[Row] = [(utc(day["ts"])[:10], signed_percent(day["return"])) for day in document["worstDays"]]
    note = "Returns between the last closes of two days, the worst first."
    return Section("days", "Worst days", note, ("Day", "Return"), rows, "No day ended below the one before.")


def _exposure(exposure: Mapping[str, Any]) -> Section:
    rows: list[Row] = [
        ("Time in the market", percent(exposure["timeInMarket"])),
        ("Time long", percent(exposure["timeLong"])),
        ("Time short", percent(exposure["timeShort"])),
        ("Average notional over equity", _shown(exposure["averageGross"], percent)),
        ("Average, long minus short", _shown(exposure["averageNet"], percent)),
        ("Maximum notional over equity", _shown(exposure["maximumGross"], percent)),
        ("Maximum reached", utc(exposure["maximumTs"])),
    ]
    return Section(
        "exposure", "Exposure", "At closes; means over all bars, flat ones too.", ("", "Value"), rows
    )


def _concentration(found: Mapping[str, Any], currency: str) -> Section:
    rows: list[Row] = []
    for best in found["bestTrades"]:
        label = "Best trade" if best["trades"] == 1 else f"Best {best['trades']} trades"
        rows.append((f"{label}, share of gross profit", _shown(best["shareOfProfit"], percent)))
        rows.append((f"Net result without, {currency}", money(best["netWithout"])))
    rows += [
        ("Concentration of winning trades", _shown(found["winners"], _ratio)),
        ("Concentration of losing trades", _shown(found["losers"], _ratio)),
        ("Concentration of profitable months", _shown(found["profitableMonths"], _ratio)),
    ]
    note = "Concentration is a Herfindahl index from 0 (all alike) to 1 (one is everything)."
    return Section("concentration", "Concentration", note, ("", "Value"), rows)


def _kelly(kelly: Mapping[str, Any]) -> Section:
    rows: list[Row] = [
        ("From returns: times the exposure taken", _shown(kelly["fromReturns"], _ratio)),
        ("Half of it", _shown(kelly["halfFromReturns"], _ratio)),
        ("From trades: share of capital at risk", _shown(kelly["fromTrades"], percent)),
        ("Half of it", _shown(kelly["halfFromTrades"], percent)),
    ]
    note = "What would have grown fastest on this sample: an upper bound, for it takes the sample as known."
    return Section("kelly", "Kelly fraction", note, ("", "Value"), rows)


def _costs(rows: list[Mapping[str, Any]] | None, currency: str) -> Section:
    shown: list[Row] = [
        (
            f"x {row['feeFactor']}",
            money(row.get("finalEquity")),
            signed_percent(row.get("totalReturn")),
            _optional(row.get("sharpe"), _ratio),
            percent(row.get("maxDrawdown")),
            money(row.get("totalFees")),
            _optional(row.get("trades"), number),
        )
        for row in rows or []
    ]
    return Section(
        "costs",
        "Cost sensitivity",
        f"The run simulated again with all fee rates scaled; slippage stays. Money in {currency}.",
        ("Fees", "Final equity", "Return", "Sharpe", "Max drawdown", "Fees paid", "Trades"),
        shown,
        "Not measured: it needs the candles, and this artifact has none of its figures.",
    )


_TAIL_FIGURES = ("valueAtRisk", "expectedShortfall")


def _shown(figure: Figure, form: Callable[[float], str]) -> str:
    value = figure["value"]
    return f"{ABSENT} {words(str(figure.get('reason', ''))).lower()}" if value is None else form(value)


def _optional(value: float | None, form: Callable[[float], str]) -> str:
    return ABSENT if value is None else form(value)


def _ratio(value: float) -> str:
    return number(value, 3)
