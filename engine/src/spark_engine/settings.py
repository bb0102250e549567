"""A resolved spec, read into the values that the data room and the kernel take.

Decimals become `float(Decimal)`; rates are divided as decimals and converted once (SEMANTICS section 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import Any

from spark_engine.data.request import CandleRequest
from spark_engine.data.stamps import EPOCH, MILLISECOND
from spark_engine.errors import InvalidSpec
from spark_engine.simulation.ledger import Account, Gates, Step

Spec = Mapping[str, Any]
Limits = Mapping[str, Any]
BPS = Decimal(10_000)
MAX_STEP_DIGITS = 15
MAX_STEP_UNITS = 10**15
DECIMAL_LIMITS = ("maxNotional", "maxPosition", "maxLeverage", "maxDrawdown", "maxDailyLoss")


def candle_request(spec: Spec) -> CandleRequest:
    """What to read, and under which policies."""
    market, data = _section(spec, "market"), _section(spec, "data")
    return CandleRequest(
        uri=_text(spec, "data.uri"),
        symbol=_text(spec, "market.symbol"),
        timeframe=_text(spec, "market.timeframe"),
        start_ms=_milliseconds(spec, "market.start"),
        end_ms=_milliseconds(spec, "market.end"),
        warmup_bars=_integer(spec, "market.warmupBars", default=0),
        price_scale=market.get("priceScale"),
        sha256=data.get("sha256"),
        timestamps=data.get("timestamps", "Open"),
        gaps=data.get("gaps", "Keep"),
        duplicates=data.get("duplicates", "Fail"),
        partial_bars=data.get("partialBars", "Fail"),
        calendar=market.get("calendar", "24x7"),
        adjustment=data.get("adjustment", "None"),
        adjustment_uri=data.get("adjustmentUri"),
        funding_uri=data.get("fundingUri"),
        resolve_with=value_at(spec, "execution.resolveWith"),
    )


def account(spec: Spec, limits: Limits | None = None) -> Account:
    """The account, the costs of trading and the gates, as the kernel takes them.

    `limits` are those of the effective guardrails, checked (`execute.guardrails`).
    """
    execution = _section(spec, "execution")
    isolated = value_at(spec, "account.marginModel") == "Isolated"
    return Account(
        initial_cash=_positive(spec, "account.initialCash"),
        maker_rate=_rate(spec, "execution.makerFeeBps"),
        taker_rate=_rate(spec, "execution.takerFeeBps"),
        slippage_rate=_rate(spec, "execution.slippageBps"),
        fill_next_close=execution.get("fill") == "NextClose",
        close_at_end=execution.get("closeAtEnd", False),
        allow_short=bool(value_at(spec, "account.allowShort")),
        leverage=_positive(spec, "account.leverage", "1"),
        sizing=execution.get("sizing", "AllIn"),
        size=_positive(spec, "execution.size", "1"),
        tick=_step(spec, "market.tickSize"),
        lot=_step(spec, "market.lotSize"),
        min_notional=_at_least_0(spec, "market.minNotional", "0"),
        limit_through=execution.get("limitFill") == "Through",
        worst_path=execution.get("intrabarPath") == "Worst",
        maintenance_margin=_fraction(spec, "account.maintenanceMargin") if isolated else None,
        liquidation_rate=_rate(spec, "account.liquidationFeeBps", "0") if isolated else 0.0,
        borrow_rate_annual=_at_least_0(spec, "account.borrowRateAnnual", "0"),
        gates=gates(limits or {}),
    )


def gates(limits: Limits) -> Gates:
    """The gates that checked limits describe."""
    decimals = {name: float(Decimal(limits[name])) for name in DECIMAL_LIMITS if name in limits}
    return Gates(
        max_notional=decimals.get("maxNotional"),
        max_position=decimals.get("maxPosition"),
        max_leverage=decimals.get("maxLeverage"),
        max_open_orders=limits.get("maxOpenOrders"),
        max_drawdown=decimals.get("maxDrawdown"),
        max_daily_loss=decimals.get("maxDailyLoss"),
        fail=limits.get("policy") == "Fail",
    )


def periods_per_year(spec: Spec) -> float | None:
    """The annualisation factor that the spec sets, None where the timeframe decides."""
    value = value_at(spec, "statistics.periodsPerYear")
    return None if value is None else float(_decimal(spec, "statistics.periodsPerYear"))


def value_at(spec: Spec, path: str) -> Any:
    """The value at a dotted path, None where any part is absent."""
    value: Any = spec
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value


def _section(spec: Spec, name: str) -> Mapping[str, Any]:
    section = spec.get(name)
    if not isinstance(section, Mapping):
        raise InvalidSpec("must be an object", field=f"spec.{name}")
    return section


def _text(spec: Spec, path: str) -> str:
    value = value_at(spec, path)
    if not isinstance(value, str) or not value:
        raise InvalidSpec("is required and must be a string", field=f"spec.{path}")
    return value


def _integer(spec: Spec, path: str, default: int) -> int:
    value = value_at(spec, path)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidSpec(f"must be a whole number of at least 0, is {value!r}", field=f"spec.{path}")
    return value


def _decimal(spec: Spec, path: str, default: str | None = None) -> Decimal:
    value = value_at(spec, path)
    if value is None:
        value = default
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise InvalidSpec(f'must be a decimal in quotes, as "10.5"; is {value!r}', field=f"spec.{path}")
    return number


def _positive(spec: Spec, path: str, default: str | None = None) -> float:
    number = float(_decimal(spec, path, default))
    if not (isfinite(number) and number > 0.0):
        raise InvalidSpec(f"must be above 0, is {value_at(spec, path)}", field=f"spec.{path}")
    return number


def _at_least_0(spec: Spec, path: str, default: str) -> float:
    number = float(_decimal(spec, path, default))
    if not (isfinite(number) and number >= 0.0):
        raise InvalidSpec(f"must be at least 0, is {value_at(spec, path)}", field=f"spec.{path}")
    return number


def _fraction(spec: Spec, path: str) -> float:
    number = _decimal(spec, path)
    if not 0 < number < 1:
        raise InvalidSpec(f"must be above 0 and below 1, is {number}", field=f"spec.{path}")
    return float(number)


def _step(spec: Spec, path: str) -> Step | None:
    """A tick or a lot as whole units of 10^-digits (SEMANTICS section 4)."""
    if value_at(spec, path) is None:
        return None
    number = _decimal(spec, path).normalize()
    digits = max(0, -int(number.as_tuple().exponent))
    units = int(number.scaleb(digits)) if digits <= MAX_STEP_DIGITS else 0
    if not 0 < units <= MAX_STEP_UNITS:
        raise InvalidSpec(
            f"must be above 0, with at most {MAX_STEP_DIGITS} decimal places and 15 digits; is {number}",
            field=f"spec.{path}",
        )
    return Step(units=units, scale=10**digits)


def _rate(spec: Spec, path: str, default: str | None = None) -> float:
    """A rate in basis points as a fraction: divided as a decimal, converted once."""
    rate = _decimal(spec, path, default) / BPS
    if not 0 <= rate < 1:
        raise InvalidSpec(f"must be at least 0 and below 10000, is {rate * BPS:f}", field=f"spec.{path}")
    return float(rate)


def _milliseconds(spec: Spec, path: str) -> int | None:
    text = value_at(spec, path)
    if text is None:
        return None
    try:
        stamp = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise InvalidSpec(
            f"must be a time as 2024-01-31T00:00:00Z, is {text!r}", field=f"spec.{path}"
        ) from None
    if stamp.tzinfo is None:
        raise InvalidSpec(f"must name its zone, as 2024-01-31T00:00:00Z; is {text!r}", field=f"spec.{path}")
    return (stamp - EPOCH) // MILLISECOND
