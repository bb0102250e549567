"""What a feed was told: the resolved spec of a MarketDataFeed as values."""

from __future__ import annotations

from dataclasses import dataclass

from spark_engine.feeds.provider import Channel


@dataclass(frozen=True, slots=True)
class Endpoints:
    """None: the provider's own. `files`: the drop folder or URL of a provider of files."""

    websocket: str | None = None
    rest: str | None = None
    history: str | None = None
    files: str | None = None


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """`timeframes` are what is archived; 1m is always among them for a streaming provider.

    grace_ms: how long after its end a bar waits for late ticks. amend_ms: how long after that late ticks
    still amend it. `*_retention_ms` None keeps for ever. backfill_start_ms None: only what was missed.
    """

    name: str
    provider: str
    symbols: tuple[str, ...]
    channels: tuple[Channel, ...]
    timeframes: tuple[str, ...]
    archive_uri: str
    endpoints: Endpoints = Endpoints()
    flush_ms: int = 60_000
    stale_after_ms: int = 30_000
    grace_ms: int = 2_000
    amend_ms: int = 600_000
    ticks_retention_ms: int | None = None
    candles_retention_ms: int | None = None
    backfill_start_ms: int | None = None
    calendar: str = "24x7"
