"""A case as the oracle writes it: candles, settings and the script of a strategy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

UNITS_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
DAY_MS = 86_400_000


def rate(bps: str | float) -> float:
    """Basis points as a fraction: divided as decimals, then one rounding."""
    return float(Decimal(str(bps)) / 10_000)


@dataclass(frozen=True)
class Bar:
    ts: int
    open: float
    high: float
    low: float
    close: float
    close_ts: int
    day: int


@dataclass(frozen=True)
class Grid:
    """Multiples of units/scale, as of a tick or a lot."""

    units: int
    scale: int

    @classmethod
    def of(cls, text: str) -> Grid:
        _, digits, exponent = Decimal(text).as_tuple()
        assert isinstance(exponent, int)
        whole = int("".join(map(str, digits)))
        return cls(whole * 10 ** max(exponent, 0), 10 ** max(-exponent, 0))

    def multiple(self, count: int) -> float:
        return count * self.units / self.scale

    @property
    def step(self) -> float:
        return self.units / self.scale


@dataclass(frozen=True)
class Settings:
    timeframe_ms: int
    initial_cash: float
    maker: float
    taker: float
    slippage: float
    allow_short: bool
    leverage: float
    maintenance: float | None
    liquidation: float
    tick: Grid | None
    lot: Grid | None
    min_notional: float
    sizing: str
    size: float
    worst: bool
    through: bool
    next_close: bool
    close_at_end: bool
    max_notional: float | None
    max_position: float | None
    max_leverage: float | None
    max_open_orders: int | None
    max_drawdown: float | None
    max_daily_loss: float | None
    fail: bool
    funding: tuple[tuple[int, float], ...]
    borrow: float


@dataclass
class Order:
    """An order in whatever state. `weight` is of a target; `fresh` until it has been tested once."""

    id: int
    side: int
    type: str
    quantity: float
    limit: float | None = None
    stop: float | None = None
    trail: float | None = None
    trail_rate: float | None = None
    tif: str = "GTC"
    expires: int | None = None
    reduce_only: bool = False
    group: object = None
    take_profit: float | None = None
    stop_loss: float | Mapping[str, Any] | None = None
    weight: float | None = None
    role: str | None = None
    best: float = 0.0
    triggered: bool = False
    first_day: int | None = None
    fresh: bool = True

    def stop_level(self) -> float | None:
        """Where it triggers, None once it has or if it never does."""
        if self.type == "stop" or (self.type == "stop-limit" and not self.triggered):
            return self.stop
        if self.type == "trailing-stop":
            if self.trail is not None:
                return self.best + self.side * self.trail
            assert self.trail_rate is not None
            return self.best * (1 + self.side * self.trail_rate)
        return None

    def limit_level(self) -> float | None:
        """Where it rests as a limit."""
        return self.limit if self.type == "limit" or self.triggered else None

    @property
    def reason(self) -> str:
        if self.role is not None:
            return "trailing" if self.type == "trailing-stop" else self.role
        named = {"limit": "limit", "stop": "stop", "stop-limit": "stop", "trailing-stop": "trailing"}
        return named.get(self.type, "signal")


def order_of(number: int, given: Mapping[str, Any]) -> Order:
    return Order(
        id=number,
        side=1 if given["side"] == "buy" else -1,
        type=given["type"],
        quantity=float(given["quantity"]),
        limit=_price(given.get("limit")),
        stop=_price(given.get("stop")),
        trail=_price(given.get("trail")),
        trail_rate=rate(given["trailBps"]) if "trailBps" in given else None,
        tif=given.get("tif", "GTC"),
        expires=given.get("expires"),
        reduce_only=given.get("reduceOnly", False),
        group=given.get("ocoGroup"),
        take_profit=_price(given.get("takeProfit")),
        stop_loss=given.get("stopLoss"),
    )


def _price(value: Any) -> float | None:
    return None if value is None else float(value)


@dataclass(frozen=True)
class Case:
    bars: Sequence[Bar]
    finer: Sequence[Bar] | None
    finer_ms: int
    settings: Settings
    script: Mapping[int, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


def case_of(document: Mapping[str, Any]) -> Case:
    config = document["config"]
    settings = settings_of(config)
    resolve = config.get("resolveWith")
    script: dict[int, list[Mapping[str, Any]]] = {}
    for entry in document["script"]:
        script.setdefault(entry["bar"], []).append(entry)
    finer_ms = timeframe_ms(resolve["timeframe"]) if resolve else 0
    return Case(
        bars_of(document["candles"], settings.timeframe_ms),
        bars_of(resolve["candles"], finer_ms) if resolve else None,
        finer_ms,
        settings,
        script,
    )


def timeframe_ms(text: str) -> int:
    return int(text[:-1]) * UNITS_MS[text[-1]]


def bars_of(columns: Mapping[str, Sequence[Any]], step_ms: int) -> list[Bar]:
    """Bars of the calendar 24x7, or with `close_ts` and `day` (session number) those of an exchange."""
    ts = columns["ts"]
    prices = (map(float, columns[name]) for name in ("open", "high", "low", "close"))
    close_ts = columns.get("close_ts", [one + step_ms for one in ts])
    day = columns.get("day", [one // DAY_MS for one in ts])
    return [Bar(*row) for row in zip(ts, *prices, close_ts, day, strict=True)]


def settings_of(config: Mapping[str, Any]) -> Settings:
    gates = config.get("gates", {})
    isolated = config.get("marginModel", "None") == "Isolated"

    def number(name: str, among: Mapping[str, Any] = config) -> float | None:
        return float(Decimal(str(among[name]))) if name in among else None

    return Settings(
        timeframe_ms=timeframe_ms(config.get("timeframe", "1h")),
        initial_cash=number("initialCash") or 10_000.0,
        maker=rate(config.get("makerFeeBps", "0")),
        taker=rate(config.get("takerFeeBps", "0")),
        slippage=rate(config.get("slippageBps", "0")),
        allow_short=config.get("allowShort", False),
        leverage=number("leverage") or 1.0,
        maintenance=number("maintenanceMargin") if isolated else None,
        liquidation=rate(config.get("liquidationFeeBps", "0")),
        tick=Grid.of(config["tickSize"]) if "tickSize" in config else None,
        lot=Grid.of(config["lotSize"]) if "lotSize" in config else None,
        min_notional=number("minNotional") or 0.0,
        sizing=config.get("sizing", "AllIn"),
        size=number("size") or 1.0,
        worst=config.get("intrabarPath", "CloseDirection") == "Worst",
        through=config.get("limitFill", "Touch") == "Through",
        next_close=config.get("fill", "NextOpen") == "NextClose",
        close_at_end=config.get("closeAtEnd", False),
        max_notional=number("maxNotional", gates),
        max_position=number("maxPosition", gates),
        max_leverage=number("maxLeverage", gates),
        max_open_orders=gates.get("maxOpenOrders"),
        max_drawdown=number("maxDrawdown", gates),
        max_daily_loss=number("maxDailyLoss", gates),
        fail=gates.get("policy", "Halt") == "Fail",
        funding=tuple((int(ts), float(Decimal(str(value)))) for ts, value in config.get("funding", [])),
        borrow=number("borrowRateAnnual") or 0.0,
    )
