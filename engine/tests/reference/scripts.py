"""Random cases: candles, settings and scripts that meet every rule, from one source of chance.

Prices mostly lie on a coarse grid, so that levels tie, touch and gap often.
"""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import strategies as st

Document = dict[str, Any]
START = 1_704_067_200_000  # 2024-01-01T00:00:00Z
STEPS = {"1h": 3_600_000, "4h": 14_400_000, "1d": 86_400_000}
CHEAPEST = 5.0  # no price that the widest tick rounds to nothing
RUINOUS = "20"  # leverage that wide bars end in bankruptcy
INNER = 4  # finer bars in a bar
FINER = {"1h": "15m", "4h": "1h", "1d": "6h"}
PRICES = ("open", "high", "low", "close")


def cases() -> st.SearchStrategy[Document]:
    return st.randoms(use_true_random=False).map(random_case)


def random_case(chance: Random) -> Document:
    timeframe = chance.choice(["1h", "1h", "4h", "1d"])
    grid = chance.choice([1.0, 1.0, 0.5, 0.1, 0.0])
    config = settings(chance, timeframe)
    rows = chance.randint(4, 40)
    if chance.random() < 0.2:
        candles, finer = resolvable(chance, timeframe, grid, rows)
        config["resolveWith"] = {"timeframe": FINER[timeframe], "candles": finer}
    else:
        ruin = config.get("leverage") == RUINOUS
        candles = walk(chance, STEPS[timeframe], grid, rows, 0.2 if ruin else wildness(chance))
    if config.pop("session days", False):
        candles |= sessions(candles, STEPS[timeframe])
    if chance.random() < 0.3:
        times = sorted(chance.choices(range(-2, 2 * rows), k=chance.randint(1, 6)))
        half = STEPS[timeframe] // 2
        config["funding"] = [
            [START + time * half, chance.choice(["0.0001", "-0.003", "0.02", "0"])] for time in times
        ]
    entries = script(chance, candles, config, grid)
    return {"candles": candles, "config": config, "script": entries, "warmup": chance.choice([0, 0, 3])}


# candles


def wildness(chance: Random) -> float:
    return chance.choice([0.01, 0.02, 0.05, 0.05, 0.2])


def on_grid(price: float, grid: float) -> float:
    return max(CHEAPEST, round(round(price / grid) * grid, 6) if grid else price)


def next_bar(chance: Random, last: float, grid: float, spread: float) -> tuple[float, float, float, float]:
    gap = chance.choice([0.0, 0.0, 0.5, 2.0])
    start = on_grid(last * (1 + gap * chance.uniform(-spread, spread)), grid)
    end = start if chance.random() < 0.1 else on_grid(start * (1 + chance.uniform(-spread, spread)), grid)
    high = max(start, end, on_grid(start * (1 + chance.uniform(-spread, spread)), grid))
    low = min(start, end, on_grid(start * (1 + chance.uniform(-spread, spread)), grid))
    return start, high, low, end


def walk(chance: Random, step: int, grid: float, rows: int, spread: float, gaps: bool = True) -> Document:
    bars, ts, last = [], START + step * chance.randint(0, 30), 100.0 + chance.randint(-40, 40)
    for _ in range(rows):
        bar = next_bar(chance, last, grid, spread)
        bars.append((ts, *bar))
        last = bar[3]
        ts += step * (chance.randint(2, 40) if gaps and chance.random() < 0.04 else 1)
    return columns(bars)


def columns(bars: list[Any]) -> Document:
    return dict(zip(("ts", *PRICES), map(list, zip(*bars, strict=True)), strict=True))


def resolvable(chance: Random, timeframe: str, grid: float, rows: int) -> tuple[Document, Document]:
    """Bars made of finer ones, of which some are then lost or disagree."""
    step = STEPS[timeframe]
    finer = walk(chance, step // INNER, grid, rows * INNER, wildness(chance), gaps=False)
    start = finer["ts"][0] // step * step
    finer["ts"] = [start + index * (step // INNER) for index in range(rows * INNER)]
    bars = []
    for first in range(0, rows * INNER, INNER):
        part = slice(first, first + INNER)
        high, low = max(finer["high"][part]), min(finer["low"][part])
        bars.append((finer["ts"][first], finer["open"][first], high, low, finer["close"][first + INNER - 1]))
    kept = [index for index in range(rows * INNER) if chance.random() > 0.03]
    finer = {name: [column[index] for index in kept] for name, column in finer.items()}
    for index in range(len(kept)):
        if chance.random() < 0.02:
            finer["high"][index] += 1.0
    return columns([bar for bar in bars if chance.random() > 0.05] or bars), finer


def sessions(candles: Document, step: int) -> Document:
    """Sessions of two days that close an hour early, as an exchange might have."""
    first = candles["ts"][0]
    early = step // 4
    return {
        "close_ts": [ts + step - early for ts in candles["ts"]],
        "day": [(ts - first) // (2 * 86_400_000) for ts in candles["ts"]],
    }


# settings


def settings(chance: Random, timeframe: str) -> Document:
    config: Document = {"timeframe": timeframe}

    def maybe(probability: float, **values: Any) -> None:
        if chance.random() < probability:
            config.update(values)

    maybe(0.5, makerFeeBps=chance.choice(["2", "0.5", "10"]), takerFeeBps=chance.choice(["6", "12", "100"]))
    maybe(0.5, slippageBps=chance.choice(["3", "50", "300"]))
    maybe(0.6, allowShort=True)
    maybe(0.5, leverage=chance.choice(["2", "5", "0.5", "10", RUINOUS]))
    maybe(0.3, tickSize=chance.choice(["0.05", "0.25", "1", "0.001"]))
    maybe(0.3, lotSize=chance.choice(["0.1", "0.5", "3", "0.001", "10"]))
    maybe(0.2, minNotional=chance.choice(["50", "500"]))
    maybe(
        0.3,
        leverage=chance.choice(["3", "10", RUINOUS]),
        marginModel="Isolated",
        maintenanceMargin=chance.choice(["0.05", "0.005"]),
        liquidationFeeBps=chance.choice(["0", "75"]),
    )
    maybe(0.2, borrowRateAnnual=chance.choice(["0.1", "5"]))
    maybe(0.2, sizing="FixedQuantity", size=chance.choice(["10", "99", "33.3"]))
    maybe(0.15, sizing="FixedNotional", size=chance.choice(["3000", "10000"]))
    maybe(0.15, sizing="EquityFraction", size=chance.choice(["0.5", "0.1", "1"]))
    maybe(0.3, limitFill="Through")
    maybe(0.3, intrabarPath="Worst")
    maybe(0.2, fill="NextClose")
    maybe(0.2, closeAtEnd=True)
    maybe(0.1, initialCash=chance.choice(["5000", "1000"]))
    if chance.random() < 0.1:
        config["session days"] = True
    gates = gate_limits(chance)
    if gates:
        config["gates"] = gates
    return config


def gate_limits(chance: Random) -> Document:
    gates: Document = {}
    limits: dict[str, list[Any]] = {
        "maxNotional": ["8000", "20000"],
        "maxPosition": ["50", "120"],
        "maxLeverage": ["1", "1.5", "4"],
        "maxOpenOrders": [1, 3, 6],
        "maxDrawdown": ["0.02", "0.1", "0.3"],
        "maxDailyLoss": ["0.01", "0.05"],
    }
    for name, values in limits.items():
        if chance.random() < 0.12:
            gates[name] = chance.choice(values)
    if gates and chance.random() < 0.2:
        gates["policy"] = "Fail"
    return gates


# scripts


def script(chance: Random, candles: Document, config: Document, grid: float) -> list[Document]:
    busy = chance.choice([0.2, 0.5, 0.9])
    entries: list[Document] = []
    for bar in range(len(candles["ts"])):
        while chance.random() < busy:
            entries.append({"bar": bar, **entry(chance, candles, config, grid, bar)})
            if len(entries) > 100:
                return entries
    return entries


def entry(chance: Random, candles: Document, config: Document, grid: float, bar: int) -> Document:
    kind = chance.random()
    if kind < 0.1:
        return {"cancel": chance.randint(1, bar * 2 + 3)}
    if kind < 0.3:
        return {"target": chance.choice([0, 1, 1, -1, 0.5, -0.5, 0.25, 0.3, -0.75])}
    return {"order": order(chance, candles, config, grid, bar)}


def order(chance: Random, candles: Document, config: Document, grid: float, bar: int) -> Document:
    close = candles["close"][bar]

    def near(widest: int = 5) -> float:
        unit = grid or close * 0.01
        reach = max(1, min(widest, int(close * 0.05 / unit)))
        return float(max(round(close + chance.randint(-reach, reach) * unit, 6), unit))

    side, kind = (
        chance.choice(["buy", "sell"]),
        chance.choice(["market", "limit", "limit", "stop", "stop-limit", "trailing-stop"]),
    )
    given: Document = {"side": side, "type": kind, "quantity": quantity(chance, candles, config, side, bar)}
    if "limit" in kind:
        given["limit"] = near()
    if kind in ("stop", "stop-limit"):
        given["stop"] = near()
    if kind == "trailing-stop":
        given |= trail(chance, grid)
    step = STEPS[config["timeframe"]]
    if chance.random() < 0.3:
        given["tif"] = chance.choice(["GTD", "Day"])
        if given["tif"] == "GTD":
            given["expires"] = candles["ts"][bar] + step * chance.randint(1, 5) + chance.choice([0, 0, -1, 1])
    if chance.random() < 0.25:
        given["reduceOnly"] = True
    if chance.random() < 0.2:
        given["ocoGroup"] = chance.choice(["a", "b"]) + str(bar // 5)
    up = 1 if side == "buy" else -1
    if chance.random() < 0.35:
        given["takeProfit"] = level_beyond(chance, close, up, grid)
    if chance.random() < 0.35:
        loss = level_beyond(chance, close, -up, grid)
        given["stopLoss"] = trail(chance, grid) if chance.random() < 0.4 else loss
    return given


def level_beyond(chance: Random, close: float, direction: int, grid: float) -> float:
    """Mostly on the sensible side of the price, now and then on the other."""
    unit = grid or close * 0.01
    return float(max(round(close + direction * chance.randint(-1, 4) * unit, 6), unit))


def trail(chance: Random, grid: float) -> Document:
    if chance.random() < 0.5:
        return {"trail": (grid or 1.0) * chance.randint(1, 4)}
    return {"trailBps": chance.choice(["50", "200", "333"])}


def quantity(chance: Random, candles: Document, config: Document, side: str, bar: int) -> float:
    """Whole or odd; sometimes the whole cash at the next open, missed by a rounding or a little more."""
    cash = float(config.get("initialCash", 10_000))
    if chance.random() < 0.15 and bar + 1 < len(candles["ts"]):
        slippage, fee = (float(config.get(name, 0)) / 10_000 for name in ("slippageBps", "takerFeeBps"))
        price = candles["open"][bar + 1] * (1 + slippage if side == "buy" else 1 - slippage)
        leverage = float(config.get("leverage", 1))
        most = (leverage * cash) / (price * (1 + leverage * fee))
        return float(most * chance.choice([1, 1 + 5e-10, 1 + 5e-9, 1 - 5e-10]))
    if chance.random() < 0.1:
        return chance.choice([0.04, 0.1, 0.3, 7.123456789, 400.0])
    largest = max(1, int(cash * float(config.get("leverage", 1)) / candles["close"][bar]))
    return float(chance.randint(1, largest))
