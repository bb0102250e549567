"""The routes of a feed, asked over real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from http.client import HTTPConnection

import pytest
from spark_engine.errors import InvalidSpec
from spark_engine.feeds.connection.subscriptions import Stage
from spark_engine.feeds.serve.app import application
from spark_engine.feeds.serve.health import ArchiveHealth, FeedHealth, SymbolHealth
from spark_engine.feeds.serve.metrics import FeedMetrics
from spark_engine.feeds.serve.server import listen, serve
from spark_engine.feeds.settings import FeedSettings

HOST = "127.0.0.1"
SETTINGS = FeedSettings(
    name="btc",
    provider="btcturk-spot",
    symbols=("BTCTRY", "ETHTRY"),
    channels=("ticker", "trade"),
    timeframes=("1m", "1h"),
    archive_uri="archive",
)
HEALTH = FeedHealth(
    feed="btc",
    provider="btcturk-spot",
    ws_up=True,
    fresh=True,
    last_tick_ms=1_790_133_600_027,
    last_message_age_ms=120,
    lag_ms_p50=1.5,
    lag_ms_p95=4.25,
    lag_ms_p99=9.0,
    reconnects=2,
    gaps=1,
    duplicates=50,
    offset_ms=1270.25,
    offset_bound_ms=3.5,
    drift_ppm=-4.8,
    symbols=(
        SymbolHealth(
            "BTCTRY",
            Stage.LIVE,
            last_tick_ms=1_790_133_600_027,
            last_message_age_ms=120,
            covered_to_ms=1_790_133_600_000,
            gaps=1,
            duplicates=50,
            lag_ms_p95=4.25,
        ),
        SymbolHealth("ETHTRY", Stage.ACKNOWLEDGED),
    ),
    archive=ArchiveHealth(commit=3, journal_rows=12, last_flush_ms=1_790_133_590_000),
)


class Answer:
    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.text = status, headers, body.decode()


def ask(port: int, path: str, method: str = "GET", **headers: str) -> Answer:
    with closing(HTTPConnection(HOST, port, timeout=10)) as connection:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return Answer(
            response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
        )


def answers(health: FeedHealth, *paths: str) -> list[Answer]:
    """A feed in that state, asked for each path in turn, and stopped."""

    async def exchange() -> list[Answer]:
        listening, stop = listen(0, HOST), asyncio.Event()
        metrics = FeedMetrics(SETTINGS.provider, SETTINGS.symbols)
        served = asyncio.create_task(serve(application(SETTINGS, lambda: health, metrics), listening, stop))
        port = listening.getsockname()[1]
        try:
            return [await asyncio.to_thread(ask, port, path) for path in paths]
        finally:
            stop.set()
            await served

    return asyncio.run(exchange())


def test_health_has_the_names_of_the_requirement_and_more() -> None:
    (answer,) = answers(HEALTH, "/api/feeds/health")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["cache-control"] == "no-store"
    assert json.loads(answer.text) == [
        {
            "feed": "btc",
            "provider": "btcturk-spot",
            "wsUp": True,
            "lagMsP95": 4.25,
            "lastTick": "2026-09-23T03:20:00.027Z",
            "reconnects": 2,
            "fresh": True,
            "notFresh": [],
            "lastMessageAgeMs": 120,
            "lagMsP50": 1.5,
            "lagMsP99": 9.0,
            "gaps": 1,
            "duplicates": 50,
            "queueDepth": 0,
            "clock": {"offsetMs": 1270.25, "boundMs": 3.5, "driftPpm": -4.8},
            "archive": {
                "commit": 3,
                "journalRows": 12,
                "lastFlush": "2026-09-23T03:19:50.000Z",
                "error": None,
            },
            "storageError": None,
            "problem": None,
            "quarantined": [],
            "symbols": [
                {
                    "symbol": "BTCTRY",
                    "state": "live",
                    "lastTick": "2026-09-23T03:20:00.027Z",
                    "lastMessageAgeMs": 120,
                    "coveredTo": "2026-09-23T03:20:00.000Z",
                    "gaps": 1,
                    "duplicates": 50,
                    "lagMsP95": 4.25,
                },
                {
                    "symbol": "ETHTRY",
                    "state": "acknowledged",
                    "lastTick": None,
                    "lastMessageAgeMs": None,
                    "coveredTo": None,
                    "gaps": 0,
                    "duplicates": 0,
                    "lagMsP95": None,
                },
            ],
        }
    ]


def test_symbols_are_listed_with_their_channels_and_timeframes() -> None:
    (answer,) = answers(HEALTH, "/api/feeds/symbols")
    assert json.loads(answer.text) == [
        {"feed": "btc", "symbol": name, "channels": ["ticker", "trade"], "timeframes": ["1m", "1h"]}
        for name in ("BTCTRY", "ETHTRY")
    ]


def test_a_feed_whose_venue_is_down_and_whose_disk_is_full_is_alive_and_not_ready() -> None:
    health = replace(HEALTH, ws_up=False, fresh=False, storage_error="no space left on device", symbols=())
    alive, ready = answers(health, "/healthz", "/readyz")
    assert (alive.status, alive.text) == (200, "ok\n")
    assert ready.status == 503
    assert ready.text == "no connection to btcturk-spot\nstorage: no space left on device\n"


def test_a_feed_whose_pipeline_ended_is_not_alive() -> None:
    (alive,) = answers(replace(HEALTH, fresh=False, failure="KeyError: 'x'"), "/healthz")
    assert (alive.status, alive.text) == (503, "the pipeline ended: KeyError: 'x'\n")


def test_a_feed_with_live_data_is_ready() -> None:
    (ready,) = answers(HEALTH, "/readyz")
    assert (ready.status, ready.text) == (200, "ok\n")


def test_a_scrape_tells_the_state_of_its_moment() -> None:
    (scrape,) = answers(HEALTH, "/metrics")
    assert scrape.status == 200
    assert scrape.headers["content-type"].startswith("text/plain; version=")
    lines = scrape.text.splitlines()
    assert "btcturk_ws_up 1.0" in lines
    assert "feed_clock_offset_seconds 1.27025" in lines
    assert 'feed_subscription_state{state="acknowledged"} 1.0' in lines
    assert "feed_archive_commit 3.0" in lines


def test_other_paths_and_methods_are_refused() -> None:
    async def refused() -> list[int]:
        listening, stop = listen(0, HOST), asyncio.Event()
        app = application(SETTINGS, lambda: HEALTH, FeedMetrics(SETTINGS.provider, SETTINGS.symbols))
        served = asyncio.create_task(serve(app, listening, stop))
        port = listening.getsockname()[1]
        requests = [
            ("/", "GET"),
            ("/api/feeds", "GET"),
            ("/api/feeds/health", "DELETE"),
            ("/metrics", "HEAD"),
        ]
        try:
            return [(await asyncio.to_thread(ask, port, path, method)).status for path, method in requests]
        finally:
            stop.set()
            await served

    assert asyncio.run(refused()) == [404, 404, 405, 200]


def test_each_answer_is_of_the_moment_it_is_asked_for() -> None:
    async def twice() -> list[int]:
        listening, stop = listen(0, HOST), asyncio.Event()
        states = iter([HEALTH, replace(HEALTH, fresh=False)])
        source: Callable[[], FeedHealth] = lambda: next(states)  # noqa: E731
        app = application(SETTINGS, source, FeedMetrics(SETTINGS.provider, SETTINGS.symbols))
        served = asyncio.create_task(serve(app, listening, stop))
        port = listening.getsockname()[1]
        try:
            return [(await asyncio.to_thread(ask, port, "/readyz")).status for _ in range(2)]
        finally:
            stop.set()
            await served

    assert asyncio.run(twice()) == [200, 503]


def test_a_port_that_is_taken_is_said_before_anything_starts() -> None:
    with closing(listen(0, HOST)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidSpec) as caught:
            listen(port, HOST)
    assert str(caught.value) == f"port: nothing can listen on {port} of {HOST}: Address already in use"


@pytest.mark.parametrize(("port", "host"), [(70_000, HOST), (0, "203.0.113.1"), (0, "no.such.host.invalid")])
def test_a_place_where_nothing_can_listen_is_named(port: int, host: str) -> None:
    with pytest.raises(InvalidSpec, match=f"nothing can listen on {port} of {host}: ."):
        listen(port, host)


def test_a_stop_ends_the_server_and_frees_the_port_also_while_a_client_holds_on() -> None:
    async def stopped() -> int:
        listening, stop = listen(0, HOST), asyncio.Event()
        app = application(SETTINGS, lambda: HEALTH, FeedMetrics(SETTINGS.provider, SETTINGS.symbols))
        served = asyncio.create_task(serve(app, listening, stop))
        port: int = listening.getsockname()[1]
        await asyncio.to_thread(ask, port, "/healthz")
        with closing(socket.create_connection((HOST, port))) as idle:
            idle.sendall(b"GET /healthz HTTP/1.1\r\n")
            await asyncio.sleep(0.05)
            stop.set()
            await served
        return port

    with closing(listen(asyncio.run(stopped()), HOST)):
        pass


def test_a_cancelled_server_closes_its_socket() -> None:
    async def cancelled() -> int:
        listening = listen(0, HOST)
        app = application(SETTINGS, lambda: HEALTH, FeedMetrics(SETTINGS.provider, SETTINGS.symbols))
        served = asyncio.create_task(serve(app, listening, asyncio.Event()))
        port: int = listening.getsockname()[1]
        await asyncio.to_thread(ask, port, "/healthz")
        served.cancel()
        with pytest.raises(asyncio.CancelledError):
            await served
        return port

    with closing(listen(asyncio.run(cancelled()), HOST)):
        pass


def test_the_server_leaves_the_signals_of_the_process_alone() -> None:
    import signal

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    answers(HEALTH, "/healthz")
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_other_work_goes_on_while_a_slow_client_reads() -> None:
    async def turns() -> None:
        listening, stop = listen(0, HOST), asyncio.Event()
        app = application(SETTINGS, lambda: HEALTH, FeedMetrics(SETTINGS.provider, SETTINGS.symbols))
        served = asyncio.create_task(serve(app, listening, stop))
        with closing(socket.create_connection((HOST, listening.getsockname()[1]))) as slow:
            slow.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
            for _ in range(100):
                await asyncio.sleep(0.001)
            assert not served.done()
            stop.set()
            await served

    asyncio.run(turns())
