"""The two verdicts on a feed: whether a restart would help, and whether its data are live."""

from __future__ import annotations

from dataclasses import replace

from spark_engine.feeds.connection.subscriptions import Stage
from spark_engine.feeds.serve.documents import health_document
from spark_engine.feeds.serve.health import ArchiveHealth, FeedHealth, SymbolHealth, unhealthy, unready

STALE_AFTER = 30_000
LIVE = FeedHealth(
    feed="btc",
    provider="btcturk-spot",
    ws_up=True,
    fresh=True,
    last_tick_ms=1_790_133_600_027,
    last_message_age_ms=120,
    lag_ms_p95=4.25,
    symbols=(SymbolHealth("BTCTRY", Stage.LIVE, last_message_age_ms=120),),
)


def test_a_restart_does_not_help_against_a_venue_that_is_down_or_a_disk_that_is_full() -> None:
    for trouble in (
        replace(LIVE, ws_up=False, fresh=False, last_message_age_ms=3_600_000),
        replace(LIVE, fresh=False, storage_error="no space left on device"),
        replace(LIVE, fresh=False, archive=ArchiveHealth(error="no space left on device")),
        replace(LIVE, fresh=False, last_message_age_ms=None, symbols=()),
    ):
        assert unhealthy(trouble) == ""


def test_a_restart_helps_once_the_pipeline_ended_or_is_stuck() -> None:
    assert unhealthy(replace(LIVE, failure="ValueError: x")) == "the pipeline ended: ValueError: x"
    assert unhealthy(replace(LIVE, heartbeat_age_ms=60_000)) == ""
    stuck = unhealthy(replace(LIVE, heartbeat_age_ms=60_500))
    assert stuck == "the pipeline is stuck: its last turn was 60.5 s ago"


def test_live_data_are_ready() -> None:
    assert unready(LIVE, STALE_AFTER) == ()


def test_what_is_not_live_says_why() -> None:
    symbols = (
        SymbolHealth("BTCTRY", Stage.LIVE),
        SymbolHealth("NOPETRY", Stage.REFUSED),
        SymbolHealth("ETHTRY", Stage.SILENT),
        SymbolHealth("XRPTRY", Stage.SILENT),
    )
    health = replace(
        LIVE,
        ws_up=False,
        fresh=False,
        last_message_age_ms=45_500,
        symbols=symbols,
        storage_error="read-only file system",
    )
    assert unready(health, STALE_AFTER) == (
        "no connection to btcturk-spot",
        "the last message came 45.5 s ago; staleAfter is 30 s",
        "silent: ETHTRY, XRPTRY",
        "refused: NOPETRY",
        "storage: read-only file system",
    )


def test_before_the_first_message_a_feed_says_so() -> None:
    health = replace(LIVE, fresh=False, last_message_age_ms=None)
    assert unready(health, STALE_AFTER) == ("no message has come yet",)


def test_many_silent_symbols_are_counted_after_the_first_ten() -> None:
    symbols = tuple(SymbolHealth(f"S{number}", Stage.SILENT) for number in range(13))
    (reason,) = unready(replace(LIVE, fresh=False, symbols=symbols), STALE_AFTER)
    assert reason == "silent: S0, S1, S2, S3, S4, S5, S6, S7, S8, S9 and 3 more"


def test_a_feed_that_is_not_fresh_never_gives_no_reason() -> None:
    assert unready(replace(LIVE, fresh=False), STALE_AFTER) == ("data are not fresh",)


def test_numbers_and_times_that_json_does_not_have_are_null() -> None:
    odd = replace(LIVE, lag_ms_p95=float("nan"), lag_ms_p99=float("inf"), last_tick_ms=10**18)
    document = health_document(odd, STALE_AFTER)
    assert (document["lagMsP95"], document["lagMsP99"], document["lastTick"]) == (None, None, None)
