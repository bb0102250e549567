"""The spec of a MarketDataFeed: what is received, and how it is kept. Provider and archive are for good."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from spark_crds.kinds.backtestrun.engine import Workload
from spark_crds.kinds.backtestrun.market import Calendar
from spark_crds.kinds.base import Model, Timestamp, distinct, rule, validations
from spark_crds.kinds.marketdatafeed.duration import Duration, at_least_a_day, at_most
from spark_crds.kinds.marketdatafeed.endpoints import ArchiveUri, Endpoints

SET = {"x-kubernetes-list-type": "set"}
FILES = "self.provider == 'bist-files'"
ADDRESSES = "has(self.endpoints.webSocket) || has(self.endpoints.rest) || has(self.endpoints.history)"

FeedSymbol = Annotated[str, Field(max_length=32, pattern=r"^[A-Z0-9][A-Z0-9.]{0,31}$")]
FeedSymbols = Annotated[
    list[FeedSymbol],
    Field(min_length=1, max_length=400, json_schema_extra=SET),
    AfterValidator(distinct("symbol")),
]
FeedChannels = Annotated[
    list[Literal["ticker", "trade", "orderbook", "obdiff"]],
    Field(min_length=1, max_length=4, json_schema_extra=SET),
    AfterValidator(distinct("channel")),
]
FeedTimeframes = Annotated[
    list[Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"]],
    Field(min_length=1, max_length=8, json_schema_extra=SET),
    AfterValidator(distinct("timeframe")),
]
StaleAfter = Annotated[Duration, Field(json_schema_extra=at_most("720h", "30d", days="([1-9]|[12][0-9]|30)"))]


class Storage(Model):
    """The archive: append-only parquet files, one folder a venue, symbol and timeframe."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "self.uri == oldSelf.uri",
                "uri is immutable: create a new MarketDataFeed",
                fieldPath=".uri",
                reason="FieldValueForbidden",
            )
        )
    )

    uri: ArchiveUri
    """Root of the archive: a path, or file://, s3://, gs:// or az://. Cannot be changed."""
    flush_interval: Annotated[Duration, Field(json_schema_extra=at_most("1h"))] = "60s"
    """How often what was received becomes files of the archive, 1s to 1h; until then it is in a journal."""


class Retention(Model):
    """How long data are kept, at least a day; an absent one keeps them for ever."""

    trades: Annotated[Duration, Field(json_schema_extra=at_least_a_day())] | None = None
    """Age at which trades are removed."""
    candles: Annotated[Duration, Field(json_schema_extra=at_least_a_day())] | None = None
    """Age at which candles are removed."""


class Candles(Model):
    """When a bar built from trades is closed, and for how long it may still be amended."""

    grace: Annotated[Duration, Field(json_schema_extra=at_most("5m"))] = "2s"
    """How long after its end a bar waits for late trades, at most 5m."""
    amend_window: Annotated[Duration, Field(json_schema_extra=at_most("24h", "1d", days="1"))] = "10m"
    """How long after that late trades still amend it, visibly, at most 1d; later ones are only archived."""


class Backfill(Model):
    """What to fetch from the venue's history besides what was missed."""

    start: Timestamp | None = None
    """History from this RFC 3339 time on is fetched. Absent: only what was missed."""


class MarketDataFeedSpec(Model):
    """What to receive and where to keep it. Provider and storage.uri cannot be changed."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            rule(
                "self.provider == oldSelf.provider",
                "provider is immutable: create a new MarketDataFeed",
                fieldPath=".provider",
                reason="FieldValueForbidden",
            ),
            rule(
                f"{FILES} || !has(self.channels) || 'trade' in self.channels",
                "must hold trade: candles are made of trades",
                fieldPath=".channels",
            ),
            rule(
                f"!({FILES}) || !has(self.channels)",
                "must not be set with provider bist-files: files have no channels",
                fieldPath=".channels",
            ),
            rule(
                f"({FILES}) == (has(self.endpoints) && has(self.endpoints.files))",
                "endpoints.files must be set with provider bist-files, and only with it",
            ),
            rule(
                f"!({FILES}) || !has(self.endpoints) || !({ADDRESSES})",
                "must not hold webSocket, rest or history with provider bist-files",
                fieldPath=".endpoints",
            ),
        )
    )

    provider: Literal["btcturk-spot", "binance-spot", "bist-files"]
    """Venue, and how its data come: two stream trades, bist-files reads files. Cannot be changed."""
    symbols: FeedSymbols
    """What is received, by canonical names such as BTCTRY or THYAO."""
    channels: FeedChannels | None = None
    """Channels of every symbol. Absent: trade and ticker; bist-files has none."""
    timeframes: FeedTimeframes | None = None
    """Candles to archive. Absent: 1m, of bist-files 1d. Where trades are streamed, 1m is always archived."""
    endpoints: Endpoints | None = None
    """Addresses, where they are not the provider's own."""
    storage: Storage
    """The archive."""
    retention: Retention | None = None
    """How long data are kept. Absent: for ever."""
    stale_after: StaleAfter | None = None
    """Data are stale when nothing came for so long; files, when they are so late. At most 30d.

    Absent: 30s, of bist-files 1d."""
    candles: Candles = Field(default_factory=Candles)
    """Closing and amending of bars."""
    backfill: Backfill | None = None
    """History to fetch."""
    calendar: Calendar | None = None
    """Sessions: 24x7, or an exchange calendar such as XIST. Absent: 24x7, of bist-files XIST."""
    suspend: bool = False
    """Stops the feed; what it misses meanwhile is marked, and fetched from the history when it goes on."""
    engine: Workload | None = None
    """Image and scheduling of the pod."""
