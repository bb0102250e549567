"""The state of a feed as values, and the two verdicts on it that a kubelet asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spark_engine.feeds.connection.subscriptions import Stage
from spark_engine.feeds.market import TimeMs

STUCK_MS: Final = 60_000
NAMED_MOST: Final = 10


@dataclass(frozen=True, slots=True)
class ArchiveHealth:
    """commit: the highest of any series. journal_rows: received, and in no segment yet.

    error: why the last flush failed, None once one succeeded again.
    """

    commit: int = 0
    journal_rows: int = 0
    last_flush_ms: TimeMs | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SymbolHealth:
    """state: the worst of its channels. Counts are since the process started, ages of now; None: not yet.

    covered_to_ms: up to here every trade is known.
    """

    symbol: str
    state: Stage
    last_tick_ms: TimeMs | None = None
    last_message_age_ms: int | None = None
    covered_to_ms: TimeMs | None = None
    gaps: int = 0
    duplicates: int = 0
    lag_ms_p95: float | None = None


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """Lags are from a trade to its receipt in ms, clock error taken out. Counts are since the start.

    fresh: live data within staleAfter; the composition decides it. storage_error: why nothing can be
    acknowledged at present. problem: what keeps the venue's side from being live, in words. failure: why the
    pipeline ended by itself. heartbeat_age_ms: since it last took a turn. quarantined: bad files,
    each with why.
    """

    feed: str
    provider: str
    ws_up: bool
    fresh: bool
    last_tick_ms: TimeMs | None = None
    last_message_age_ms: int | None = None
    lag_ms_p50: float | None = None
    lag_ms_p95: float | None = None
    lag_ms_p99: float | None = None
    reconnects: int = 0
    gaps: int = 0
    duplicates: int = 0
    offset_ms: float | None = None
    offset_bound_ms: float | None = None
    drift_ppm: float | None = None
    queue_depth: int = 0
    symbols: tuple[SymbolHealth, ...] = ()
    archive: ArchiveHealth = ArchiveHealth()
    storage_error: str | None = None
    problem: str | None = None
    quarantined: tuple[tuple[str, str], ...] = ()
    failure: str | None = None
    heartbeat_age_ms: int = 0


def unhealthy(health: FeedHealth) -> str:
    """Why a restart would help; empty where it would not.

    A venue that is down and a disk that is full are no reasons: a new process would find them as they are.
    """
    if health.failure is not None:
        return f"the pipeline ended: {health.failure}"
    if health.heartbeat_age_ms > STUCK_MS:
        return f"the pipeline is stuck: its last turn was {_seconds(health.heartbeat_age_ms)} ago"
    return ""


def unready(health: FeedHealth, stale_after_ms: int) -> tuple[str, ...]:
    """Why the data are not live; empty where they are."""
    if health.fresh:
        return ()
    return tuple(_reasons(health, stale_after_ms)) or ("data are not fresh",)


def _reasons(health: FeedHealth, stale_after_ms: int) -> Iterator[str]:
    if problem := unhealthy(health):
        yield problem
    if not health.ws_up:
        yield f"no connection to {health.provider}" + (f": {health.problem}" if health.problem else "")
    elif health.problem is not None:
        yield health.problem
    age = health.last_message_age_ms
    if age is None:
        yield "no message has come yet"
    elif age > stale_after_ms:
        yield f"the last message came {_seconds(age)} ago; staleAfter is {_seconds(stale_after_ms)}"
    for state in Stage:
        names = [each.symbol for each in health.symbols if each.state is state is not Stage.LIVE]
        if names:
            yield f"{state}: {_listed(names)}"
    if health.storage_error is not None:
        yield f"storage: {health.storage_error}"


def _seconds(ms: int) -> str:
    return f"{ms / 1000:g} s"


def _listed(names: list[str]) -> str:
    more = len(names) - NAMED_MOST
    return ", ".join(names[:NAMED_MOST]) + (f" and {more} more" if more > 0 else "")
