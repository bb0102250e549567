"""A resolved spec, read into the values that the data room and the kernel take.

Decimals become `float(Decimal)`; rates are divided as decimals and converted once (SEMANTICS section 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from spark_engine.data.request import CandleRequest
from spark_engine.data.stamps import EPOCH, MILLISECOND
from spark_engine.errors import InvalidSpec
from spark_engine.simulation.ledger import Account

Spec = Mapping[str, Any]
BPS = Decimal(10_000)


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
    )


def account(spec: Spec) -> Account:
    """The account and the costs of trading, as the kernel takes them."""
    execution = _section(spec, "execution")
    return Account(
        initial_cash=float(_decimal(spec, "account.initialCash")),
        maker_rate=_rate(spec, "execution.makerFeeBps"),
        taker_rate=_rate(spec, "execution.takerFeeBps"),
        slippage_rate=_rate(spec, "execution.slippageBps"),
        fill_next_close=execution.get("fill") == "NextClose",
        close_at_end=execution.get("closeAtEnd", False),
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


def _decimal(spec: Spec, path: str) -> Decimal:
    value = value_at(spec, path)
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise InvalidSpec(f'must be a decimal in quotes, as "10.5"; is {value!r}', field=f"spec.{path}")
    return number


def _rate(spec: Spec, path: str) -> float:
    return float(_decimal(spec, path) / BPS)


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
