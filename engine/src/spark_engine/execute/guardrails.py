"""The effective guardrail limits of a run: a mounted file, pinned by its hash."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from spark_crds.canonical import canonical_decimal, sha256_hex
from spark_crds.formats.run import GuardrailPin

from spark_engine.errors import GuardrailBreach, InvalidSpec
from spark_engine.settings import value_at

Limits = dict[str, Any]
MAX_SYMBOLS = 4096
MAX_ORDERS = 1_000_000


def read_limits(path: Path, pin: GuardrailPin | None = None) -> Limits:
    """The limits in guardrails.json. Raises `InvalidSpec` if it cannot be read or is not the pinned one."""
    content = read_file(path)
    if pin is not None and sha256_hex(content) != pin.sha256:
        raise InvalidSpec(
            f"{path} has sha256 {sha256_hex(content)}, the run pins {pin.sha256}", field="guardrails.sha256"
        )
    try:
        limits = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InvalidSpec(f"{path} is not JSON: {error}", field="guardrails") from None
    return check_limits(limits)


def read_file(path: Path) -> bytes:
    """The bytes of a guardrail file. Raises `InvalidSpec`."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidSpec(f"cannot read {path}: {error.strerror}", field="guardrails") from None


def check_limits(limits: Any) -> Limits:
    """The limits with decimals in one form. Raises `InvalidSpec` for the first that is not understood:
    a limit that is not enforced is worse than none."""
    if not isinstance(limits, Mapping):
        raise InvalidSpec("must be an object of limits", field="guardrails")
    checked = {}
    for name, value in limits.items():
        if name not in LIMITS:
            raise InvalidSpec(
                f"there is no such limit; there are: {', '.join(LIMITS)}", field=f"guardrails.{name}"
            )
        allowed, read = LIMITS[name]
        found = read(value)
        if found is None:
            raise InvalidSpec(f"must be {allowed}, is {value!r:.60}", field=f"guardrails.{name}")
        checked[name] = found
    return checked


def check_symbol_allowed(spec: Mapping[str, Any], limits: Mapping[str, Any]) -> None:
    """Raises `GuardrailBreach` for a symbol that the limits do not list."""
    allowed, symbol = limits.get("allowedSymbols"), value_at(spec, "market.symbol")
    if allowed is not None and symbol not in allowed:
        raise GuardrailBreach(
            f"{symbol} is not allowed by the guardrails; allowed: {', '.join(allowed) or 'none'}",
            field="spec.market.symbol",
        )


def _decimal(most: int | None = None) -> Callable[[Any], str | None]:
    """Reads a positive decimal of at most `most`."""

    def read(value: Any) -> str | None:
        try:
            number = Decimal(value) if isinstance(value, str) else Decimal("NaN")
        except InvalidOperation:
            return None
        if not number.is_finite() or number <= 0 or (most is not None and number > most):
            return None
        return canonical_decimal(value)

    return read


def _orders(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value <= MAX_ORDERS else None


def _symbols(value: Any) -> list[str] | None:
    texts = isinstance(value, list) and all(isinstance(symbol, str) and symbol for symbol in value)
    return sorted(set(value)) if texts and len(value) <= MAX_SYMBOLS else None


def _policy(value: Any) -> str | None:
    return str(value) if value in ("Halt", "Fail") else None


POSITIVE = 'a decimal above 0 in quotes, as "50000"'
FRACTION = 'a decimal above 0 and at most 1 in quotes, as "0.2"'

# name -> what it may be, and how it is read: None for what it may not be
LIMITS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "maxNotional": (POSITIVE, _decimal()),
    "maxPosition": (POSITIVE, _decimal()),
    "maxLeverage": (POSITIVE, _decimal()),
    "maxOpenOrders": (f"a whole number from 0 to {MAX_ORDERS}", _orders),
    "allowedSymbols": (f"a list of at most {MAX_SYMBOLS} symbols", _symbols),
    "maxDrawdown": (FRACTION, _decimal(1)),
    "maxDailyLoss": (FRACTION, _decimal(1)),
    "policy": ("Halt or Fail", _policy),
}
