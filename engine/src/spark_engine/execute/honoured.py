"""What this engine cannot honour yet. Such a spec is refused, never run as if the field were not there.

The list is the specification: a row goes when its feature lands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from spark_engine.errors import InvalidSpec
from spark_engine.settings import value_at

Spec = Mapping[str, Any]
UNLIMITED_GATES = ("allowedSymbols", "policy")


def only(path: str, *allowed: Any) -> Callable[[Spec], None]:
    """Refuses any value of the field at `path` but those of `allowed`; an absent field passes."""

    def check(spec: Spec) -> None:
        value = value_at(spec, path)
        if value is not None and value not in allowed:
            choices = ", ".join(_shown(choice) for choice in allowed)
            raise InvalidSpec(
                f"{_shown(value)} is not supported by this engine yet; supported: {choices}",
                field=f"spec.{path}",
            )

    return check


def absent(path: str) -> Callable[[Spec], None]:
    """Refuses the field at `path` altogether."""

    def check(spec: Spec) -> None:
        if value_at(spec, path) is not None:
            raise InvalidSpec("is not supported by this engine yet; leave it out", field=f"spec.{path}")

    return check


CHECKS: tuple[Callable[[Spec], None], ...] = (
    absent("strategy.entryPoint"),
    absent("market.tickSize"),
    absent("market.lotSize"),
    absent("market.minNotional"),
    only("market.calendar", "24x7"),
    absent("data.feedRef"),
    absent("data.fundingUri"),
    only("data.adjustment", "None"),
    only("account.leverage", "1"),
    only("account.marginModel", "None"),
    absent("account.maintenanceMargin"),
    absent("account.liquidationFeeBps"),
    absent("account.borrowRateAnnual"),
    only("execution.sizing", "AllIn"),
    absent("execution.size"),
    absent("execution.resolveWith"),
)


def check_honoured(spec: Spec) -> None:
    """Raises `InvalidSpec` for the first field of a resolved spec that would otherwise be ignored."""
    for check in CHECKS:
        check(spec)


def check_limits_honoured(limits: Mapping[str, Any]) -> None:
    """Raises `InvalidSpec` for a guardrail limit that this engine would not enforce."""
    for name in limits:
        if name not in UNLIMITED_GATES:
            raise InvalidSpec(
                "this gate is not enforced by this engine yet; a run under it is refused",
                field=f"guardrails.{name}",
            )


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()
