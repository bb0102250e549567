"""The report of a sweep: evidence and tables in, one self-contained HTML page out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spark_engine.evidence.sweep_result import TOP_FILE
from spark_engine.report import formatting, tables
from spark_engine.report.headline import Headline
from spark_engine.report.page import render_page
from spark_engine.report.sweep_data import Content, SweepData, sweep_data
from spark_engine.report.sweep_map import heat_map, shown
from spark_engine.report.sweep_plots import curve_plot, distribution_plot, stability_plots
from spark_engine.statistics.definitions import DEFINITIONS

SHOWN_METRICS = ("totalReturn", "cagr", "sharpe", "sortino", "maxDrawdown", "calmar", "trades", "exposure")
MOST_RANKED = 1_000
REASONS = {
    "NoTrial": "no trial without an error",
    "NoSharpe": "the best trial has no Sharpe ratio",
    "TooFewTrials": "fewer than two trials",
    "TooManyTrials": "more than 20,000 trials",
    "NoVariance": "the trials' Sharpe ratios are all alike",
    "ExtremeMoments": "skew and kurtosis are beyond the formula",
    "NotPositive": "the Sharpe ratio is not above 0",
    "TooShort": "fewer than 160 returns",
}
# id, label, unit, meaning
FIGURES = (
    (
        "dsr",
        "Deflated Sharpe ratio",
        "probability",
        "How likely the best is better than the best of as many trials without skill would "
        "look. Its authors ask for 0.95.",
    ),
    (
        "pbo",
        "Probability of backtest overfitting",
        "probability",
        "How often the best on one half of the time lands in the worse half of the trials on "
        "the other. Chance is 0.5.",
    ),
    (
        "negativeShare",
        "Share of negative scores",
        "probability",
        "How often the best on one half of the time loses on the other.",
    ),
    (
        "psr",
        "Probabilistic Sharpe ratio",
        "probability",
        "How likely its true Sharpe ratio is above 0, had it been the only trial.",
    ),
    (
        "expectedMaximumSharpe",
        "Expected maximum Sharpe ratio",
        "ratio",
        "Per bar: what the best of as many trials without skill is expected to show.",
    ),
    (
        "minTrackRecordBars",
        "Minimum track record",
        "bars",
        "Bars that such a record needs to show a Sharpe ratio above 0 with 95 % confidence, "
        "had it been the only trial.",
    ),
    (
        "minBacktestYears",
        "Minimum backtest length",
        "years",
        "In a shorter backtest, as many trials without skill are expected to produce this Sharpe ratio.",
    ),
)
DIGESTED = ("trials", "windows", "outOfSample", "candles", "strategyCode")


def render_sweep(evidence: Mapping[str, Any], files: Mapping[str, Content]) -> str:
    """`evidence` as docs/evidence.md describes that of a sweep, `files` the tables of its directory. The page
    loads nothing: its policy forbids every request."""
    result = evidence["result"]
    data = sweep_data(evidence, files)
    metric = result["objective"]["metric"]
    maximize = result["objective"]["direction"] == "Maximize"
    best = result["best"]
    return render_page(
        "sweep.html",
        library=False,
        sheets=("sweep.css",),
        more_scripts=("sweep.js",),
        evidence=evidence,
        result=result,
        run=evidence["run"],
        spec=result["spec"]["template"],
        name=evidence["run"]["name"] or evidence["id"],
        headlines=_headlines(result),
        objective=tables.metric_label(metric),
        direction="highest" if maximize else "lowest",
        best=best,
        best_params=[] if best is None else [(name, shown(best["params"][name])) for name in data.names],
        heat=heat_map(data, tables.metric_label(metric), maximize),
        stability=stability_plots(data, metric),
        distribution=distribution_plot(data, metric, None if best is None else best["objective"]),
        ranked_columns=[tables.metric_label(name) for name in _shown(metric)],
        ranked=list(_ranked(_top(files), data.names, metric)),
        names=data.names,
        selection=list(_selection(result["selection"])),
        counted=_counted(result["selection"]["trials"]),
        curve=curve_plot(data, result["measure"]["initialCash"]),
        windows=list(_windows(data, metric)),
        walk=[] if result["walkForward"] is None else list(_walk(result["walkForward"])),
        setting=tables.setting,
        settings=list(tables.setting_rows(_spread(result["spec"]))),
        quality=tables.quality_rows(result["dataQuality"]),
        digests=[
            ("Evidence", evidence["digest"]),
            *((formatting.words(name), result[name]) for name in DIGESTED if result[name]),
        ],
        execution=list(_execution(evidence["run"])),
    )


def _headlines(result: Mapping[str, Any]) -> list[Headline]:
    best, selection, counts = result["best"], result["selection"], result["counts"]
    metric = result["objective"]["metric"]
    value = None if best is None else best["objective"]
    params = "no trial" if best is None else ", ".join(f"{k} {shown(v)}" for k, v in best["params"].items())
    label, (text,) = tables.metric_text(metric, [value])
    lines = [f"{counts['sets']:,} sets", f"{selection['trials']['all']:,} counted in the DSR"]
    if counts["errors"]:
        lines.insert(1, f"{counts['errors']:,} with an error")
    return [
        Headline(f"Best {label.lower()}", metric, value, text, [params]),
        _worth(selection, "dsr", "Deflated Sharpe ratio", "Above 0.95 is evidence of skill"),
        _worth(selection, "pbo", "Overfitting (PBO)", "0.5 is chance, 0 the best"),
        Headline("Trials", "trials", counts["trials"], formatting.number(counts["trials"]), lines),
    ]


def _worth(selection: Mapping[str, Any], name: str, label: str, meaning: str) -> Headline:
    value = selection[name]["value"]
    text = formatting.significant(value, 3) if value is not None else formatting.ABSENT
    lines = [meaning] if value is not None else [_reason(selection[name])]
    return Headline(label, name, value, text, lines)


def _reason(figure: Mapping[str, Any]) -> str:
    return REASONS.get(figure["reason"], formatting.words(figure["reason"]).lower())


def _selection(selection: Mapping[str, Any]) -> Iterator[tuple[str, float | None, str, str]]:
    for name, label, unit, meaning in FIGURES:
        figure = selection[name]
        value = figure["value"]
        if value is None:
            yield label, None, f"{formatting.ABSENT} ({_reason(figure)})", meaning
        elif unit == "bars":
            yield label, value, formatting.plural(round(value), "bar"), meaning
        else:
            yield (
                label,
                value,
                formatting.significant(value, 4) + (" years" if unit == "years" else ""),
                meaning,
            )


def _counted(trials: Mapping[str, int]) -> str:
    parts = [f"{trials['sweep']:,} of this sweep"]
    if trials["training"]:
        parts.append(f"{trials['training']:,} on the training windows of its walk-forward")
    if trials["earlier"]:
        parts.append(f"{trials['earlier']:,} of earlier sweeps")
    listed = ", ".join(parts)
    return f"{trials['all']:,} trials are counted: {listed}. They are taken as independent, which is careful."


def _shown(metric: str) -> list[str]:
    return [metric, *(name for name in SHOWN_METRICS if name != metric)]


def _top(files: Mapping[str, Content]) -> Sequence[Mapping[str, Any]]:
    content = files[TOP_FILE]
    found: Sequence[Mapping[str, Any]] = json.loads(
        content if isinstance(content, bytes) else content.read_bytes()
    )
    return found


def _ranked(
    top: Sequence[Mapping[str, Any]], names: Sequence[str], metric: str
) -> Iterator[tuple[int, int, list[str], list[tuple[float | None, str]]]]:
    for row in top[:MOST_RANKED]:
        cells = []
        for name in _shown(metric):
            value = row["metrics"][name]
            _, (text,) = tables.metric_text(name, [value])
            cells.append((value, text))
        yield row["rank"], row["trial"], [shown(row["params"][name]) for name in names], cells


def _windows(data: SweepData, metric: str) -> Iterator[list[str]]:
    table = data.windows
    if table is None:
        return
    for row in range(len(table["window"])):
        chosen = ", ".join(f"{name} {shown(table[f'params.{name}'][row])}" for name in data.names)

        def text(name: str, column: str, row: int = row) -> str:
            return tables.metric_text(name, [table[column][row]])[1][0]

        yield [
            str(row + 1),
            formatting.utc(table["trainStartTs"][row]),
            formatting.utc(table["testStartTs"][row]),
            formatting.utc(table["testLastTs"][row]),
            formatting.ABSENT if table["trial"][row] is None else chosen,
            text(metric, "trainObjective"),
            text(metric, "testObjective"),
            text("totalReturn", "totalReturn"),
            text("maxDrawdown", "maxDrawdown"),
            text("trades", "trades"),
            table["error"][row] or "",
        ]


def _spread(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Lists of objects with a path for each, as fields are named in messages."""
    spread: dict[str, Any] = {}
    for name, value in spec.items():
        if isinstance(value, list) and value and isinstance(value[0], Mapping):
            spread.update({f"{name}[{place}]": each for place, each in enumerate(value)})
        else:
            spread[name] = value
    return spread


def _walk(walk: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    yield "Tests with a profit", f"{walk['profitable']} of {walk['windows']}", ""
    for name, figure in walk["metrics"].items():
        label, (text,) = tables.metric_text(name, [figure["value"]])
        yield label, text, DEFINITIONS[name].text


def _execution(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Sweep", f"{run['namespace']}/{run['name']}" if run["namespace"] else str(run["name"])
    yield "Started", str(run["startedAt"])
    yield "Finished", str(run["finishedAt"])
    yield "Engine time", f"{formatting.significant(run['engineMs'], 4)} ms"
    yield "Engine version", str(run["engineVersion"])
    yield "Python", f"{run['python']} on {run['platform']}"
    yield "Host", str(run["host"]) or formatting.ABSENT
    yield "Data", f"{run['data']['uri']} ({formatting.byte_size(run['data']['bytes'])})"
    if "shards" in run:
        yield "Shards", formatting.number(len(run["shards"]))
