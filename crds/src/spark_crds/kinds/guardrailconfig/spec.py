"""The spec of a GuardrailConfig: the PROPOSAL. Only the effective revision reaches pods."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from spark_crds.kinds.base import Fraction, Model, PositiveDecimal, distinct

UserName = Annotated[str, Field(min_length=1, max_length=512)]
AllowedSymbol = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]


AllowedSymbols = Annotated[
    list[AllowedSymbol],
    Field(max_length=1000, json_schema_extra={"x-kubernetes-list-type": "set"}),
    AfterValidator(distinct("symbol")),
]


class Approval(Model):
    """Who must agree to a loosening, as the effective revision says."""

    min_approvals: Annotated[int, Field(ge=0, le=10)] = 1
    """Distinct people who must approve."""
    four_eyes: bool = True
    """Whether nobody who proposed since the last effective revision may approve."""


class Limits(Model):
    """What a run may not exceed; an absent limit is no limit. These alone reach the engine and the digest."""

    max_notional: PositiveDecimal | None = None
    """Largest position in money, at the price of the fill; above it the fill is rejected."""
    max_position: PositiveDecimal | None = None
    """Largest position in units; above it the fill is rejected."""
    max_leverage: PositiveDecimal | None = None
    """Largest position in money over equity; above it the fill is rejected."""
    max_open_orders: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """Most orders in the book; beyond it an order is rejected when it is submitted."""
    allowed_symbols: AllowedSymbols | None = None
    """Symbols that may be traded; a run of another is refused. Absent: every symbol."""
    max_drawdown: Fraction | None = None
    """Fall from the peak of equity, as a fraction, at which the run is flattened and halted."""
    max_daily_loss: Fraction | None = None
    """Loss since the day's start, as a fraction, at which the run is flattened until the next day."""
    policy: Literal["Halt", "Fail"] = "Halt"
    """At a breach of the last two: trade no more, or end the run as failed."""


class GuardrailConfigSpec(Model):
    """The proposal. A change that only tightens takes effect at once, one that loosens needs approvals."""

    proposer: UserName
    """User who made the last change of the spec; an admission policy forces the truth."""
    kill_switch: bool = False
    """Holds every new run under this config. Setting it needs no approval, clearing it does."""
    approval: Approval = Field(default_factory=Approval)
    """Rules of approval."""
    limits: Limits = Field(default_factory=Limits)
    """Limits of runs."""
