"""The watch cache keeps up with whatever the API server does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from spark_operator.api import watching
from spark_operator.api.cache import RunCache
from spark_operator.api.watching import RunWatch

from api.memory import MemoryCluster, a_run, ended


def watched(
    cluster: MemoryCluster, story: Callable[[RunCache, RunWatch], Awaitable[None]], **options: Any
) -> None:
    """Runs the story beside a watch."""

    async def run() -> None:
        cache = RunCache()
        watch = RunWatch(cluster, cache, **options)
        task = asyncio.create_task(watch.run())
        try:
            await until(lambda: watch.synced)
            await story(cache, watch)
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.005)


def names(cache: RunCache, namespace: str = "quant") -> list[str]:
    return [entry.name for entry in cache.newest(namespace)]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(watching, "LONGEST_PAUSE", 0.02)


def test_a_list_of_many_pages_is_read_whole(cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "PAGE", 3)
    for number in range(10):
        cluster.add(f"run-{number}")

    async def story(cache: RunCache, _: RunWatch) -> None:
        assert len(names(cache)) == 10

    watched(cluster, story)


def test_what_was_deleted_while_the_watch_was_blind_is_dropped(cluster: MemoryCluster) -> None:
    cluster.add("stays")
    cluster.add("goes")

    async def story(cache: RunCache, _: RunWatch) -> None:
        del cluster.state.runs["quant", "goes"]  # no event tells
        cluster.state.compacted = True
        await until(lambda: names(cache) == ["stays"])
        cluster.add("new")
        await until(lambda: names(cache) == ["new", "stays"])

    watched(cluster, story)


def test_an_api_server_that_was_down_is_followed_again(cluster: MemoryCluster) -> None:
    async def story(cache: RunCache, _: RunWatch) -> None:
        cluster.state.down = True
        await asyncio.sleep(0.05)
        cluster.add("meanwhile")
        cluster.state.down = False
        await until(lambda: names(cache) == ["meanwhile"])

    watched(cluster, story)


def test_a_silent_watch_asks_whether_anybody_is_there(cluster: MemoryCluster) -> None:
    signs = []

    async def story(_: RunCache, watch: RunWatch) -> None:
        first = len(signs)
        await until(lambda: len(signs) > first + 2)
        assert watch.silent_seconds < 5
        cluster.add("after")

    watched(cluster, story, alive=lambda: signs.append(1), quiet_seconds=0.02)
    assert len(cluster.state.log) == 1


def test_one_namespace_alone_is_watched(cluster: MemoryCluster) -> None:
    cluster.add("mine")
    cluster.add("theirs", namespace="other")

    async def story(cache: RunCache, _: RunWatch) -> None:
        cluster.add("mine-too")
        await until(lambda: len(names(cache)) == 2)
        assert names(cache, "other") == []

    watched(cluster, story, namespace="quant")


def with_version(run: dict[str, Any], version: int) -> dict[str, Any]:
    return {**run, "metadata": {**run["metadata"], "resourceVersion": str(version)}}


def test_an_older_event_does_not_undo_a_newer_write() -> None:
    cache, run = RunCache(), a_run("one")
    cache.put_written(with_version({**run, "status": ended()}, 12))
    cache.put(with_version(run, 11))
    assert cache.get("quant", "one").word == "done"
    assert cache.counts("quant") == {"queued": 0, "running": 0, "done": 1, "failed": 0}


def test_a_write_that_the_watch_saw_and_saw_deleted_does_not_come_back() -> None:
    cache, run = RunCache(), a_run("one")
    cache.put(with_version(run, 10))
    cache.discard("quant", "one", "11")
    cache.put_written(with_version(run, 10))
    assert cache.get("quant", "one") is None


def test_writes_that_overtake_each_other_are_all_seen() -> None:
    cache = RunCache()
    cache.put_written(with_version(a_run("late"), 20))
    cache.put_written(with_version(a_run("early"), 19))
    assert sorted(names(cache)) == ["early", "late"]


def test_a_run_of_the_same_name_takes_the_place_of_the_old_one() -> None:
    cache = RunCache()
    cache.put(with_version(a_run("one", order=0, status=ended()), 10))
    new = with_version(a_run("one", order=60), 30)
    cache.put(new)
    assert cache.get("quant", "one").uid == new["metadata"]["uid"]
    assert names(cache) == ["one"]
    assert cache.counts("quant")["done"] == 0
