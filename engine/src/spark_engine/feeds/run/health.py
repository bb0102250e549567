"""The state of a streaming feed, put together from its parts."""

from __future__ import annotations

import time
from dataclasses import dataclass

from spark_engine.feeds.clock.offset import Clock
from spark_engine.feeds.connection.state import ConnectionState
from spark_engine.feeds.connection.subscriptions import Stage
from spark_engine.feeds.host_clock import local_ns
from spark_engine.feeds.pipeline.pipeline import Pipeline, SymbolState
from spark_engine.feeds.run.keeper import Keeper
from spark_engine.feeds.serve.health import FeedHealth, SymbolHealth
from spark_engine.feeds.settings import FeedSettings

MS = 1_000_000


@dataclass(slots=True)
class Vitals:
    """What no other part keeps. problem: why there is no pipeline yet. turned_at: when the pipeline last took
    a turn, monotonic seconds, None before the first."""

    connection: ConnectionState | None = None
    reconnects: int = 0
    problem: str | None = None
    failure: str | None = None
    unknown: tuple[str, ...] = ()
    turned_at: float | None = None


def feed_health(
    settings: FeedSettings,
    pipeline: Pipeline | None,
    clock: Clock,
    keeper: Keeper,
    queue_depth: int,
    vitals: Vitals,
) -> FeedHealth:
    """Values of this moment."""
    now_ns = local_ns()
    states = pipeline.symbols if pipeline is not None else {}
    up = vitals.connection is not None and vitals.connection.kind == "open"
    age = _age(pipeline.last_data_ns if pipeline is not None else None, now_ns)
    lags = pipeline.lag.percentiles(now_ns) if pipeline is not None else None
    bound = clock.bound_ns(now_ns)
    set_ns = time.time_ns() - now_ns  # of the host's clock, since the process began
    last = [state.feed.last_tick.ts_ms for state in states.values() if state.feed.last_tick is not None]
    return FeedHealth(
        feed=settings.name,
        provider=settings.provider,
        ws_up=up,
        fresh=up and age is not None and age <= settings.stale_after_ms and keeper.error is None,
        last_tick_ms=max(last, default=None),
        last_message_age_ms=age,
        lag_ms_p50=lags[0] if lags else None,
        lag_ms_p95=lags[1] if lags else None,
        lag_ms_p99=lags[2] if lags else None,
        reconnects=vitals.reconnects,
        gaps=sum(state.feed.gaps for state in states.values()),
        duplicates=sum(state.feed.duplicates for state in states.values()),
        offset_ms=(clock.offset_ns(now_ns) - set_ns) / MS if clock.known else None,
        offset_bound_ms=None if bound is None else bound / MS,
        drift_ppm=clock.drift_ppm,
        queue_depth=queue_depth,
        symbols=(
            *(_symbol(symbol, state, pipeline, now_ns) for symbol, state in states.items()),
            *(SymbolHealth(symbol, Stage.REFUSED) for symbol in vitals.unknown),
            *(
                SymbolHealth(symbol, Stage.REQUESTED)  # the venue has not said yet what it trades
                for symbol in settings.symbols
                if symbol not in states and symbol not in vitals.unknown
            ),
        ),
        archive=keeper.health,
        storage_error=keeper.error,
        problem=vitals.problem or _connection_problem(vitals),
        failure=vitals.failure,
        heartbeat_age_ms=0
        if vitals.turned_at is None
        else round((time.monotonic() - vitals.turned_at) * 1000),
    )


def _connection_problem(vitals: Vitals) -> str | None:
    state = vitals.connection
    return state.cause or None if state is not None and state.kind != "open" else None


def _symbol(symbol: str, state: SymbolState, pipeline: Pipeline | None, now_ns: int) -> SymbolHealth:
    worst = Stage.LIVE
    if pipeline is not None:
        stages = [stage for one, stage in pipeline.states.stages().items() if one.symbol == symbol]
        worst = max(stages, key=_BADNESS.index, default=Stage.REQUESTED)
    lags = state.lag.percentiles(now_ns, (95.0,))
    last = state.feed.last_tick
    return SymbolHealth(
        symbol=symbol,
        state=worst,
        last_tick_ms=None if last is None else last.ts_ms,
        last_message_age_ms=_age(state.last_message_ns, now_ns),
        covered_to_ms=state.feed.known_to_ms,
        gaps=state.feed.gaps,
        duplicates=state.feed.duplicates,
        lag_ms_p95=lags[0] if lags else None,
    )


_BADNESS = (Stage.LIVE, Stage.ACKNOWLEDGED, Stage.REQUESTED, Stage.SILENT, Stage.REFUSED)


def _age(since_ns: int | None, now_ns: int) -> int | None:
    return None if since_ns is None else max(0, (now_ns - since_ns) // MS)
