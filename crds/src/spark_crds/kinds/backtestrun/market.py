"""What is traded, when, and on which candles."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from spark_crds.kinds.base import (
    Decimal,
    Model,
    PositiveDecimal,
    Reference,
    Sha256,
    Timeframe,
    Timestamp,
    Uri,
    rule,
    validations,
)

Calendar = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class Market(Model):
    """The instrument, its bars and the window [start, end)."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "!has(self.start) || !has(self.end) || self.start < self.end",
                "end must be after start",
                fieldPath=".end",
            )
        )
    )

    symbol: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]*$")]
    """Symbol as the venue writes it, such as BTCUSDT."""
    timeframe: Timeframe
    """Length of a bar: a whole number and s, m, h, d or w. Finer candles are resampled to it."""
    start: Timestamp | None = None
    """First bar: its open is at or after this RFC 3339 time. Absent: the first bar of the data."""
    end: Timestamp | None = None
    """Last bar: its close is at or before this RFC 3339 time. Absent: the last bar of the data."""
    tick_size: PositiveDecimal | None = None
    """Smallest price step; prices after slippage are rounded to it against the trader. Absent: none."""
    lot_size: PositiveDecimal | None = None
    """Smallest quantity step; quantities are rounded down to it. Absent: none."""
    min_notional: Decimal | None = None
    """Smallest quantity times price of an opening order; below it the order is rejected."""
    price_scale: Annotated[int, Field(ge=0, le=9)] | None = None
    """Decimal places of prices. Absent: the fewest that fit every price of the data exactly."""
    calendar: Calendar = "24x7"
    """Trading sessions: 24x7, or an exchange calendar by its market identifier code, such as XIST."""
    warmup_bars: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Bars before start that feed indicators only: no orders, no marking, no metrics."""


class Data(Model):
    """Where the candles are, and what to do with their faults."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule("has(self.uri) != has(self.feedRef)", "exactly one of uri and feedRef must be set"),
            rule(
                "(has(self.adjustment) && self.adjustment != 'None') == has(self.adjustmentUri)",
                "adjustmentUri must be set with adjustment Splits or SplitsAndDividends, and only with it",
            ),
        )
    )

    uri: Uri | None = None
    """File or directory of candles (parquet, CSV): a path, or s3://, gs://, az:// or sample://."""
    sha256: Sha256 | None = None
    """SHA-256 that the data must have: of the file's bytes, or of a directory's manifest."""
    feed_ref: Reference | None = None
    """The MarketDataFeed whose archive is read."""
    timestamps: Literal["Open", "Close"] = "Open"
    """Whether the source stamps a bar at its open or at its close."""
    gaps: Literal["Keep", "Fail"] = "Keep"
    """Missing bars: kept as gaps (never filled in), or an error."""
    duplicates: Literal["Fail", "KeepLast"] = "Fail"
    """Rows with one time and different prices: an error, or the last one counts."""
    partial_bars: Literal["Fail", "Drop", "Keep"] = "Fail"
    """Bars that the source marks as incomplete: an error, left out, or used."""
    adjustment: Literal["None", "Splits", "SplitsAndDividends"] = "None"
    """Corporate actions to apply to prices."""
    adjustment_uri: Uri | None = None
    """Splits and dividends: rows of date, split, dividend, or a LEAN factor file."""
    funding_uri: Uri | None = None
    """Funding rates of a perpetual future: rows of time and rate."""
