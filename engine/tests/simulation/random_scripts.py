"""Random candles, accounts and scripts of orders, on a coarse grid of prices so that levels meet."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from spark_engine.data.candles import Candles

from engine.tests.simulation.scripts import Entry, candles_of_columns

HOUR_MS = 3_600_000


@dataclass(frozen=True)
class RandomRun:
    """`config` is in the words of the run spec, `script` in those of the oracle's README."""

    columns: dict[str, list[float]]
    config: dict[str, Any]
    script: list[Entry]
    funding: list[tuple[int, str]]

    def candles(self, bars: int | None = None, scale: float = 1.0) -> Candles:
        """The first `bars` of them, prices times `scale`."""
        columns = {
            name: [value * (1.0 if name == "ts" else scale) for value in column[:bars]]
            for name, column in self.columns.items()
        }
        columns["ts"] = [int(ts) for ts in columns["ts"]]
        return candles_of_columns(columns, HOUR_MS, self.funding)


def random_run(seed: int, bars: int = 60) -> RandomRun:
    draw = Random(seed)  # noqa: S311 - candles, not keys
    columns = _columns(draw, bars)
    return RandomRun(columns, _config(draw), _script(draw, columns, bars), _funding(draw, bars))


def _columns(draw: Random, bars: int) -> dict[str, list[float]]:
    columns: dict[str, list[float]] = {name: [] for name in ("ts", "open", "high", "low", "close")}
    ts, price = 0, 100.0
    for _ in range(bars):
        ts += HOUR_MS * (draw.random() < 0.05) + HOUR_MS
        price = max(10.0, price + draw.choice((0.0, 0.0, 0.5, -0.5, 4.0, -4.0)))
        close = max(10.0, price + 0.5 * draw.randint(-6, 6))
        high = max(price, close) + 0.5 * draw.randint(0, 4)
        low = min(price, close) - 0.5 * draw.randint(0, 4)
        for name, value in zip(columns, (ts, price, high, low, close), strict=True):
            columns[name].append(value)
        price = close
    return columns


def _config(draw: Random) -> dict[str, Any]:
    options: dict[str, list[Any]] = {
        "makerFeeBps": ["2"],
        "takerFeeBps": ["7"],
        "slippageBps": ["3", "20"],
        "allowShort": [True, True, False],
        "leverage": ["2", "5"],
        "lotSize": ["0.1", "1"],
        "tickSize": ["0.25"],
        "minNotional": ["200"],
        "sizing": ["AllIn", "FixedQuantity", "FixedNotional", "EquityFraction"],
        "intrabarPath": ["Worst"],
        "limitFill": ["Through"],
        "fill": ["NextClose"],
        "closeAtEnd": [True],
        "borrowRateAnnual": ["0.5"],
        "gates": [
            {"maxOpenOrders": 4},
            {"maxNotional": "9000", "maxPosition": "80"},
            {"maxLeverage": "1.5", "maxDrawdown": "0.1"},
            {"maxDailyLoss": "0.03"},
            {"maxDrawdown": "0.1", "maxDailyLoss": "0.05", "policy": "Fail"},
        ],
    }
    config = {name: draw.choice(values) for name, values in options.items() if draw.random() < 0.5}
    config["size"] = {"FixedQuantity": "30", "FixedNotional": "3000", "EquityFraction": "0.7"}.get(
        config.get("sizing", "AllIn"), "1"
    )
    if draw.random() < 0.4:
        config |= {"marginModel": "Isolated", "maintenanceMargin": "0.1", "liquidationFeeBps": "50"}
    return config


def _funding(draw: Random, bars: int) -> list[tuple[int, str]]:
    if draw.random() < 0.6:
        return []
    times = sorted(draw.randrange(0, (bars + 2) * HOUR_MS) for _ in range(6))
    return [(ts, draw.choice(("0.001", "-0.0005"))) for ts in times]


def _script(draw: Random, columns: dict[str, list[float]], bars: int) -> list[Entry]:
    entries: list[Entry] = []
    for bar in range(bars):
        while draw.random() < 0.45:
            roll = draw.random()
            if roll < 0.1:
                entries.append({"bar": bar, "cancel": draw.randint(1, len(entries) + 2)})
            elif roll < 0.3:
                entries.append({"bar": bar, "target": draw.choice((-1.0, -0.5, 0.0, 0.5, 1.0))})
            else:
                order = _order(draw, columns["close"][bar], int(columns["ts"][bar]))
                entries.append({"bar": bar, "order": order})
    return entries


def _order(draw: Random, near: float, ts: int) -> dict[str, Any]:
    def level() -> float:
        return near + 0.5 * draw.randint(-8, 8)

    kind = draw.choice(("market", "limit", "stop", "stop-limit", "trailing-stop"))
    order: dict[str, Any] = {
        "side": draw.choice(("buy", "sell")),
        "type": kind,
        "quantity": draw.choice((5.0, 20.0, 20.05, 60.0, 200.0)),
    }
    if kind in ("limit", "stop-limit"):
        order["limit"] = level()
    if kind in ("stop", "stop-limit"):
        order["stop"] = level()
    if kind == "trailing-stop":
        order |= draw.choice(({"trail": 1.5}, {"trailBps": "150"}))
    order["tif"] = draw.choice(("GTC", "GTC", "GTD", "Day"))
    if order["tif"] == "GTD":
        order["expires"] = ts + draw.randint(0, 6) * HOUR_MS
    if draw.random() < 0.2:
        order["reduceOnly"] = True
    if draw.random() < 0.2:
        order["ocoGroup"] = draw.choice("ab")
    if draw.random() < 0.4:
        order["takeProfit"] = level()
    if draw.random() < 0.4:
        order["stopLoss"] = draw.choice((level(), {"trail": 2.0}, {"trailBps": "120"}))
    return order
