"""The feed of files as it runs: it looks, archives, and says over HTTP how it is."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from spark_engine.data.read import read_candles
from spark_engine.data.request import CandleRequest
from spark_engine.errors import InvalidSpec
from spark_engine.feeds.market import Interval
from spark_engine.feeds.providers.bist.due import missing_sessions, overdue
from spark_engine.feeds.run.feed import feed_of
from spark_engine.feeds.run.files import FilesFeed
from spark_engine.feeds.serve.server import listen
from spark_engine.feeds.settings import Endpoints, FeedSettings

HEADER = "date,open,high,low,close,volume\n"
DAY_MS = 86_400_000
PATIENCE = 60.0  # seconds, of a test that fails
Settings = Callable[..., FeedSettings]


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


FRIDAY_EVENING = ms("2026-11-20T18:00")


def rows(*days: str) -> str:
    return HEADER + "".join(f"{day},10,11,9,10,5\n" for day in days)


class Running:
    """A feed at work at a given time, asked over HTTP."""

    def __init__(self, settings: FeedSettings, folder: Path, now_ms: int) -> None:
        self.now_ms = now_ms
        self.said: list[str] = []
        self._listening = listen(0, "127.0.0.1")
        self._port = self._listening.getsockname()[1]
        self.feed = FilesFeed(
            settings,
            journal=folder / "journal",
            listening=self._listening,
            report=self.said.append,
            poll_seconds=0.02,
            wall=lambda: self.now_ms,
        )

    async def get(self, path: str) -> tuple[int, str]:
        def ask() -> tuple[int, str]:
            connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()

        return await asyncio.to_thread(ask)

    async def health(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((await self.get("/api/feeds/health"))[1])[0]
        return found

    async def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            while not holds(health := await self.health()):
                await asyncio.sleep(0.02)
        return health


def run(
    settings: FeedSettings,
    folder: Path,
    do: Callable[[Running], Awaitable[None]],
    now_ms: int = FRIDAY_EVENING,
) -> list[str]:
    """A feed from its start to its stop; what it said."""

    async def whole() -> list[str]:
        running, stop = Running(settings, folder, now_ms), asyncio.Event()
        task = asyncio.create_task(running.feed.run(stop))
        try:
            await do(running)
        finally:
            stop.set()
            await task
        return running.said

    return asyncio.run(whole())


def test_dropped_files_reach_the_archive_and_runs_read_them(
    settings: Settings, put: Callable[..., Path], tmp_path: Path
) -> None:
    put("THYAO.csv", rows("2026-11-18", "2026-11-19", "2026-11-20"), FRIDAY_EVENING - 60_000)
    put("THYAO.actions.csv", "date,split\n2026-11-19,2\n", FRIDAY_EVENING - 60_000)

    async def until_fresh(running: Running) -> None:
        health = await running.until(lambda health: health["fresh"])
        assert (health["wsUp"], health["notFresh"], health["problem"]) == (True, [], None)
        assert health["lastTick"] == "2026-11-20T00:00:00.000Z"
        assert await running.get("/readyz") == (200, "ok\n")
        assert await running.get("/healthz") == (200, "ok\n")
        metrics = (await running.get("/metrics"))[1]
        assert "feed_ws_up 1.0" in metrics
        assert 'feed_storage_errors_total{cause="full"} 0.0' in metrics

    said = run(settings(symbols=("THYAO",)), tmp_path, until_fresh)
    assert any("THYAO 1d: 3 new bars, 0 revised" in line for line in said)
    uri = str(tmp_path / "archive")
    (actions,) = (tmp_path / "archive" / "bist-files" / "THYAO" / "actions").iterdir()
    assert actions.read_text() == "date,split,dividend\n2026-11-19,2.0,\n"
    assert any(str(actions) in line for line in said), said
    archived = read_candles(CandleRequest(uri, "THYAO", "1d", calendar="XIST"))
    assert list(archived.close) == [10, 10, 10]


def test_a_bad_file_is_quarantined_by_name_and_the_others_go_on(
    settings: Settings, put: Callable[..., Path], tmp_path: Path
) -> None:
    put("EREGL.csv", HEADER + "2026-11-20,10,9,11,10,5\n", FRIDAY_EVENING - 60_000)
    put("THYAO.csv", rows("2026-11-20"), FRIDAY_EVENING - 60_000)

    async def until_taken(running: Running) -> None:
        health = await running.until(lambda health: health["lastTick"] is not None)
        (bad,) = health["quarantined"]
        assert bad["file"] == "EREGL.csv"
        assert bad["reason"]
        assert 'feed_parse_errors_total{type="file"} 1.0' in (await running.get("/metrics"))[1]
        await asyncio.sleep(0.1)  # some looks more
        assert 'feed_parse_errors_total{type="file"} 1.0' in (await running.get("/metrics"))[1]
        put("EREGL.csv", rows("2026-11-20"), FRIDAY_EVENING - 30_000)
        await running.until(lambda health: health["quarantined"] == [])

    said = run(settings(), tmp_path, until_taken)
    assert sum("EREGL.csv is quarantined" in line for line in said) == 1


def test_a_bad_file_whose_name_is_no_utf8_is_named_all_the_same(
    settings: Settings, put: Callable[..., Path], tmp_path: Path
) -> None:
    turkish = os.fsdecode("THYAO_D\xdcN.csv".encode("iso8859-9"))
    put(turkish, rows("2026-11-19") + "2026-11-19,20,20,20,20,5\n", FRIDAY_EVENING - 60_000)

    async def until_quarantined(running: Running) -> None:
        await running.until(lambda health: health["quarantined"] != [])
        (bad,) = (await running.health())["quarantined"]
        assert bad["file"] == r"THYAO_D\udcdcN.csv"
        assert "rows of 2026-11-19T00:00:00Z that differ" in bad["reason"]

    run(settings(symbols=("THYAO",)), tmp_path, until_quarantined)


def test_a_session_whose_file_does_not_come_makes_the_feed_stale_and_is_named(
    settings: Settings, put: Callable[..., Path], tmp_path: Path
) -> None:
    put("THYAO.csv", rows("2026-11-19"), FRIDAY_EVENING - DAY_MS - 60_000)

    async def until_late(running: Running) -> None:
        await running.until(lambda health: health["fresh"])
        running.now_ms = ms("2026-11-20T15:00")  # the session of Friday has just ended
        assert (await running.health())["fresh"]
        running.now_ms = ms("2026-11-21T18:00")
        health = await running.health()
        assert not health["fresh"]
        assert "bars of 1d of the session 2026-11-20 are overdue: THYAO" in health["notFresh"]
        assert health["symbols"][0]["state"] == "silent"
        status, body = await running.get("/readyz")
        assert (status, "2026-11-20" in body) == (503, True)
        assert (await running.get("/healthz"))[0] == 200
        put("THYAO-2.csv", rows("2026-11-20"), FRIDAY_EVENING)
        await running.until(lambda health: health["fresh"])
        running.now_ms = ms("2026-11-22T18:00")  # on Sunday nothing is due
        assert (await running.health())["fresh"]

    day = settings(symbols=("THYAO",))
    run(replace(day, stale_after_ms=DAY_MS), tmp_path, until_late, ms("2026-11-19T18:00"))


def test_a_folder_that_is_away_is_said_and_found_again(
    settings: Settings, put: Callable[..., Path], tmp_path: Path
) -> None:
    put("THYAO.csv", rows("2026-11-20"), FRIDAY_EVENING - 60_000)
    shutil.move(tmp_path / "drop", tmp_path / "away")

    async def until_back(running: Running) -> None:
        health = await running.until(lambda health: "there is no folder" in (health["problem"] or ""))
        assert not health["wsUp"]
        assert "there is no folder" in (await running.get("/readyz"))[1]
        assert (await running.get("/healthz"))[0] == 200
        shutil.move(tmp_path / "away", tmp_path / "drop")
        await running.until(lambda health: health["fresh"])

    said = run(settings(symbols=("THYAO",)), tmp_path, until_back)
    assert any("spec.endpoints.files: there is no folder" in line for line in said)


def test_a_restarted_feed_knows_what_it_has(
    settings: Settings, put: Callable[..., Path], tmp_path: Path
) -> None:
    path = put("THYAO.csv", rows("2026-11-20"), FRIDAY_EVENING - 60_000)

    async def until_fresh(running: Running) -> None:
        await running.until(lambda health: health["fresh"])

    run(settings(symbols=("THYAO",)), tmp_path, until_fresh)
    path.unlink()
    said = run(settings(symbols=("THYAO",)), tmp_path, until_fresh)
    assert not any("new bars" in line for line in said)


def test_a_provider_of_files_makes_such_a_feed_and_needs_a_place(settings: Settings, tmp_path: Path) -> None:
    with listen(0, "127.0.0.1") as listening:
        assert isinstance(feed_of(settings(), tmp_path, listening, print), FilesFeed)
        without = replace(settings(), endpoints=Endpoints())
        with pytest.raises(InvalidSpec, match=r"spec\.endpoints\.files: is required"):
            feed_of(without, tmp_path, listening, print)


def test_a_session_is_overdue_once_its_file_is_late_and_only_where_it_is_missing() -> None:
    friday = Interval(ms("2026-11-20"), ms("2026-11-21"))
    monday_close = ms("2026-11-23T15:00")
    for timeframe in ("1h", "1d", "1w"):
        assert overdue("XIST", timeframe, (friday,), monday_close - DAY_MS, 0) is None
    late = monday_close + DAY_MS
    assert overdue("XIST", "1d", (friday,), late - 1, DAY_MS) is None
    assert overdue("XIST", "1d", (friday,), late + DAY_MS // 2, DAY_MS) == ms("2026-11-23")
    assert overdue("XIST", "1w", (friday,), late + DAY_MS // 2, DAY_MS) is None
    assert overdue("XIST", "1d", (), ms("2026-11-22"), DAY_MS) == ms("2026-11-20")


def test_missing_sessions_are_counted_and_weekends_and_holidays_are_none() -> None:
    def day(text: str) -> Interval:
        return Interval(ms(text), ms(text) + DAY_MS)

    assert missing_sessions("XIST", (day("2026-11-20"), day("2026-11-23"))) == 0
    assert missing_sessions("XIST", (day("2026-11-18"), day("2026-11-23"))) == 2
    assert missing_sessions("XIST", (day("2026-10-28"), day("2026-10-30"))) == 0  # Republic Day
