"""Who trades with what: strategy, account, execution, statistics, acceptance criteria."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from spark_crds.kinds.base import (
    BasisPoints,
    Decimal,
    Fraction,
    Model,
    PositiveDecimal,
    SignedDecimal,
    Timeframe,
    rule,
    validations,
)

MAX_PARAMETERS = 64
# Guarded, because the server checks `default: {}` before it fills the defaults inside
ISOLATED = "(has(self.marginModel) && self.marginModel == 'Isolated')"
Parameters = Annotated[
    dict[str, Any],
    Field(max_length=MAX_PARAMETERS),
    WithJsonSchema(
        {"type": "object", "maxProperties": MAX_PARAMETERS, "x-kubernetes-preserve-unknown-fields": True}
    ),
]


class Strategy(Model):
    """A built-in strategy by name, or one of your own by entry point."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule("has(self.name) != has(self.entryPoint)", "exactly one of name and entryPoint must be set")
        )
    )

    name: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z][A-Za-z0-9-]*$")] | None = None
    """Built-in or registered strategy; `backtest strategies` lists them."""
    entry_point: (
        Annotated[str, Field(min_length=3, max_length=255, pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")] | None
    ) = None
    """Strategy in a Python module of the engine image, as package.module:Name."""
    params: Parameters | None = None
    """The strategy's parameters: integers, numbers, booleans or strings; its own schema decides."""


class Account(Model):
    """Capital and what may be done with it."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                f"{ISOLATED} == has(self.maintenanceMargin)",
                "maintenanceMargin must be set with marginModel Isolated, and only with it",
            ),
            rule(
                f"{ISOLATED} || !has(self.liquidationFeeBps)",
                "liquidationFeeBps may only be set with marginModel Isolated",
            ),
        )
    )

    initial_cash: PositiveDecimal = "10000"
    """Equity at the first bar, in the currency of the account."""
    currency: Annotated[str, Field(min_length=2, max_length=12, pattern=r"^[A-Z0-9]+$")] = "USDT"
    """Currency of cash and prices; for display only."""
    leverage: PositiveDecimal = "1"
    """Notional per unit of equity that a full target opens."""
    allow_short: bool = False
    """Whether positions may be negative."""
    margin_model: Literal["None", "Isolated"] = "None"
    """None: cash and equity may go negative. Isolated: positions are liquidated at maintenanceMargin."""
    maintenance_margin: Fraction | None = None
    """Equity as a fraction of notional at which a position is liquidated."""
    liquidation_fee_bps: BasisPoints | None = None
    """Fee of a liquidation on top of the taker fee, in basis points of notional."""
    borrow_rate_annual: Decimal | None = None
    """Interest on short notional a year, as a fraction: 0.05 is 5 %."""


class Execution(Model):
    """How orders fill and what they cost."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "(!has(self.sizing) || self.sizing == 'AllIn') != has(self.size)",
                "size must be set with sizing FixedQuantity, FixedNotional or EquityFraction, not with AllIn",
            )
        )
    )

    fill: Literal["NextOpen", "NextClose"] = "NextOpen"
    """Price at which an order of this bar fills: the next bar's open or close."""
    maker_fee_bps: BasisPoints = "10"
    """Fee of resting limit orders, in basis points of notional."""
    taker_fee_bps: BasisPoints = "10"
    """Fee of all other fills, in basis points of notional."""
    slippage_bps: BasisPoints = "1"
    """Slippage of market and stop fills, in basis points of the price."""
    sizing: Literal["AllIn", "FixedQuantity", "FixedNotional", "EquityFraction"] = "AllIn"
    """What a full target means: all cash, a quantity, a notional, or a fraction of equity."""
    size: PositiveDecimal | None = None
    """Value of the sizing: quantity, notional or fraction."""
    close_at_end: bool = False
    """Whether an open position is closed on the last bar; else it is marked and is no trade."""
    limit_fill: Literal["Touch", "Through"] = "Touch"
    """Whether a limit order fills when the price touches it, or only when it trades through."""
    intrabar_path: Literal["CloseDirection", "Worst"] = "CloseDirection"
    """Order in which a bar visits its high and low; Worst takes the stop first where both are possible."""
    resolve_with: Timeframe | None = None
    """Finer timeframe whose bars decide the path within a bar."""


class Statistics(Model):
    """Conventions of annualised metrics."""

    periods_per_year: Annotated[int, Field(ge=1, le=31_622_400)] | None = None
    """Bars a year. Absent: derived from timeframe and calendar."""


class Verdict(Model):
    """Acceptance criteria; a metric that is null fails. The run completes either way."""

    min_trades: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    """Fewest closed trades."""
    min_sharpe: SignedDecimal | None = None
    """Lowest annualised Sharpe ratio."""
    max_drawdown: Decimal | None = None
    """Deepest drawdown, as a positive fraction of the peak."""
