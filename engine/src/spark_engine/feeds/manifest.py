"""From a MarketDataFeed to the values that a feed runs on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from spark_crds.durations import duration_ms
from spark_crds.feeds import FILE_PROVIDERS

from spark_engine.data.calendars.table import ALWAYS, exchange_calendar
from spark_engine.data.stamps import EPOCH, MILLISECOND
from spark_engine.errors import InvalidSpec
from spark_engine.execute.manifest import object_name, resolved_spec
from spark_engine.feeds.providers.bist.names import canonical_symbol
from spark_engine.feeds.settings import Endpoints, FeedSettings

Spec = Mapping[str, Any]


def feed_settings(manifest: Mapping[str, Any]) -> FeedSettings:
    """A MarketDataFeed, validated and with every default filled in; one with a resolved spec gives the same.

    Raises `InvalidSpec` with everything that is wrong with it, naming the field.
    """
    spec = resolved_spec(manifest, "MarketDataFeed")
    retention = spec.get("retention", {})
    return FeedSettings(
        name=object_name(manifest),
        provider=spec["provider"],
        symbols=_symbols(spec),
        channels=tuple(spec.get("channels", ())),
        timeframes=tuple(spec["timeframes"]),
        archive_uri=spec["storage"]["uri"],
        endpoints=_endpoints(spec.get("endpoints", {})),
        flush_ms=duration_ms(spec["storage"]["flushInterval"]),
        stale_after_ms=duration_ms(spec["staleAfter"]),
        grace_ms=duration_ms(spec["candles"]["grace"]),
        amend_ms=duration_ms(spec["candles"]["amendWindow"]),
        ticks_retention_ms=_duration(retention.get("trades")),
        candles_retention_ms=_duration(retention.get("candles")),
        backfill_start_ms=_time(spec.get("backfill", {}).get("start")),
        calendar=_calendar(spec),
    )


def _symbols(spec: Spec) -> tuple[str, ...]:
    """Raises `InvalidSpec` for a spelling under which no file would ever be found."""
    symbols: list[str] = spec["symbols"]
    for symbol in symbols if spec["provider"] in FILE_PROVIDERS else ():
        if (canonical := canonical_symbol(symbol)) != symbol:
            message = f"must be canonical names: {symbol} is {canonical}, however files spell it"
            raise InvalidSpec(message, field="spec.symbols")
    return tuple(symbols)


def _endpoints(spec: Spec) -> Endpoints:
    for name, url in spec.items():
        if "://" in url:  # files may be a folder
            require_address(url, f"spec.endpoints.{name}")
    return Endpoints(
        websocket=spec.get("webSocket"),
        rest=spec.get("rest"),
        history=spec.get("history"),
        files=spec.get("files"),
    )


def require_address(url: str, field: str) -> None:
    """What the schema's pattern cannot tell of an address. Raises `InvalidSpec`."""
    try:
        parts = urlsplit(url)
        missing = parts.scheme != "file" and not parts.hostname
        _ = parts.port
    except ValueError as error:
        raise InvalidSpec(f"is no address: {error}", field=field) from None
    if missing:
        raise InvalidSpec("is no address: it has no host", field=field)


def _calendar(spec: Spec) -> str:
    """Raises `InvalidSpec` for a calendar that is not known, and where a venue that never closes has one."""
    name: str = spec["calendar"]
    if name == ALWAYS:
        return name
    if spec["provider"] not in FILE_PROVIDERS:
        message = f"{spec['provider']} never closes: must be {ALWAYS}, is {name!r}"
        raise InvalidSpec(message, field="spec.calendar")
    try:
        exchange_calendar(name)
    except InvalidSpec as error:
        raise InvalidSpec(error.message, field="spec.calendar") from None
    return name


def _duration(text: str | None) -> int | None:
    return None if text is None else duration_ms(text)


def _time(text: str | None) -> int | None:
    if text is None:
        return None
    return (datetime.fromisoformat(text.replace("Z", "+00:00")) - EPOCH) // MILLISECOND
