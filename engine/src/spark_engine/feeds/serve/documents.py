"""The JSON of the routes. Names of the first seven fields of a feed are fixed (requirements, B15)."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from spark_engine.feeds.market import TimeMs
from spark_engine.feeds.serve.health import ArchiveHealth, FeedHealth, SymbolHealth, unready
from spark_engine.feeds.settings import FeedSettings


def health_document(health: FeedHealth, stale_after_ms: int) -> dict[str, Any]:
    """One entry of `/api/feeds/health`. Times are RFC 3339, durations ms; null: not known (yet)."""
    return {
        "feed": health.feed,
        "provider": health.provider,
        "wsUp": health.ws_up,
        "lagMsP95": _number(health.lag_ms_p95),
        "lastTick": _time(health.last_tick_ms),
        "reconnects": health.reconnects,
        "fresh": health.fresh,
        "notFresh": list(unready(health, stale_after_ms)),
        "lastMessageAgeMs": health.last_message_age_ms,
        "lagMsP50": _number(health.lag_ms_p50),
        "lagMsP99": _number(health.lag_ms_p99),
        "gaps": health.gaps,
        "duplicates": health.duplicates,
        "queueDepth": health.queue_depth,
        "clock": {
            "offsetMs": _number(health.offset_ms),
            "boundMs": _number(health.offset_bound_ms),
            "driftPpm": _number(health.drift_ppm),
        },
        "archive": _archive(health.archive),
        "storageError": health.storage_error,
        "problem": health.problem,
        "quarantined": [{"file": file, "reason": reason} for file, reason in health.quarantined],
        "symbols": [_symbol(each) for each in health.symbols],
    }


def symbol_documents(settings: FeedSettings) -> list[dict[str, Any]]:
    """`/api/feeds/symbols`: what is received, whether or not data come."""
    return [
        {
            "feed": settings.name,
            "symbol": symbol,
            "channels": list(settings.channels),
            "timeframes": list(settings.timeframes),
        }
        for symbol in settings.symbols
    ]


def _symbol(health: SymbolHealth) -> dict[str, Any]:
    return {
        "symbol": health.symbol,
        "state": health.state.value,
        "lastTick": _time(health.last_tick_ms),
        "lastMessageAgeMs": health.last_message_age_ms,
        "coveredTo": _time(health.covered_to_ms),
        "gaps": health.gaps,
        "duplicates": health.duplicates,
        "lagMsP95": _number(health.lag_ms_p95),
    }


def _archive(health: ArchiveHealth) -> dict[str, Any]:
    return {
        "commit": health.commit,
        "journalRows": health.journal_rows,
        "lastFlush": _time(health.last_flush_ms),
        "error": health.error,
    }


def _time(ms: TimeMs | None) -> str | None:
    """None also for a time that no calendar has: what a venue sends is not ours to trust."""
    if ms is None:
        return None
    try:
        moment = datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)
    except (OverflowError, ValueError, OSError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(value: float | None) -> float | None:
    """JSON has no NaN and no infinity."""
    return round(value, 3) if value is not None and math.isfinite(value) else None
