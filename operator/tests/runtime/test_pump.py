"""kopf in its thread: it wakes, it writes nothing, and its end is always noticed."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from probe.fixtures import client_of
from probe.kind import Probes, probe
from probe.process import eventually
from probe.proxy import Fault, Proxy
from prometheus_client import CollectorRegistry
from spark_operator.runtime.kind import Key
from spark_operator.runtime.pump import Pump, PumpEnded

pytestmark = pytest.mark.control_plane


@pytest.fixture(autouse=True)
def what_kopf_left_is_told_within_its_test() -> Iterator[None]:
    """Failed tasks of kopf are logged when they are collected: here, not after pytest's last line."""
    yield
    gc.collect()


def with_pump(
    proxy: Proxy, folder: Path, namespace: str, test: Callable[[Pump, list[str]], Awaitable[None]]
) -> None:
    async def run() -> None:
        async with client_of(proxy.kubeconfig(folder)) as cluster:
            woken: list[str] = []

            def wake(key: Key) -> None:
                woken.append(key.name)

            kinds = [Probes(CollectorRegistry())]
            pump = Pump(kinds, [namespace], cluster.connection, wake, retries=(0.1, 0.1))
            pump.start()
            try:
                await test(pump, woken)
            finally:
                pump.stop()

    asyncio.run(run())


async def wait_for(look: Callable[[], Any], what: str) -> None:
    await asyncio.to_thread(eventually, look, what)


def test_events_wake_and_kopf_writes_nothing(
    probes_served: Any, proxy: Proxy, namespace: str, tmp_path: Path
) -> None:
    methods: set[str] = set()

    def note(request: web.Request) -> bool:
        methods.add(request.method)
        return False

    proxy.faults = [Fault(500, note)]

    async def test(pump: Pump, woken: list[str]) -> None:
        await wait_for(lambda: proxy.open_watches == 2, "watches are open")
        probes_served.apply(probe(namespace, "one"))
        await wait_for(lambda: "one" in woken, "the new object woke")
        woken.clear()
        probes_served.kubectl("delete", "probe", "one", "--namespace", namespace)
        await wait_for(lambda: "one" in woken, "the deletion woke")
        assert pump.alive

    with_pump(proxy, tmp_path, namespace, test)
    assert methods == {"GET"}


def test_finished_objects_are_not_sent_at_all_and_one_that_finishes_wakes_once_more(
    probes_served: Any, proxy: Proxy, namespace: str, tmp_path: Path
) -> None:
    def finish(name: str) -> None:
        status = '{"status": {"phase": "Succeeded"}}'
        place = ("--namespace", namespace, "--subresource=status", "--type=merge", "--patch", status)
        probes_served.kubectl("patch", "probe", name, *place)

    probes_served.apply(probe(namespace, "finished"), probe(namespace, "live"))
    finish("finished")

    async def test(_: Pump, woken: list[str]) -> None:
        await wait_for(lambda: "live" in woken, "the live object woke")
        await wait_for(lambda: proxy.open_watches == 2, "watches are open")
        woken.clear()
        finish("live")
        await wait_for(lambda: woken == ["live"], "its end woke")

    with_pump(proxy, tmp_path, namespace, test)


def test_a_watch_that_is_cut_goes_on(
    probes_served: Any, proxy: Proxy, namespace: str, tmp_path: Path
) -> None:
    async def test(_: Pump, woken: list[str]) -> None:
        await wait_for(lambda: proxy.open_watches == 2, "watches are open")
        await asyncio.to_thread(proxy.cut_watches)
        probes_served.apply(probe(namespace, "one"))
        await wait_for(lambda: "one" in woken, "the new object woke")

    with_pump(proxy, tmp_path, namespace, test)


@pytest.mark.parametrize("status", [500, 503])
def test_an_api_server_in_trouble_for_longer_than_kopf_tries_ends_the_pump_with_a_reason(
    proxy: Proxy, namespace: str, tmp_path: Path, status: int
) -> None:
    async def test(pump: Pump, _: list[str]) -> None:
        await wait_for(lambda: proxy.open_watches == 2, "watches are open")
        proxy.faults = [Fault(status, lambda request: "/namespaces/" in request.path)]
        await asyncio.to_thread(proxy.cut_watches)
        with pytest.raises(PumpEnded, match="spoilt by the test"):
            await asyncio.wait_for(pump.until_ended(), 60)

    with_pump(proxy, tmp_path, namespace, test)


def test_an_error_within_a_watch_ends_the_pump(proxy: Proxy, namespace: str, tmp_path: Path) -> None:
    async def test(pump: Pump, _: list[str]) -> None:
        await wait_for(lambda: proxy.open_watches == 2, "watches are open")
        error = {"kind": "Status", "code": 500, "message": "storage is gone"}
        await asyncio.to_thread(proxy.write_into_watches, {"type": "ERROR", "object": error})
        with pytest.raises(PumpEnded, match="storage is gone") as ended:
            await asyncio.wait_for(pump.until_ended(), 60)
        assert "\n" not in str(ended.value)
        await wait_for(lambda: not pump.alive, "the thread is gone")

    with_pump(proxy, tmp_path, namespace, test)


def test_a_pump_that_is_told_to_stop_stops(proxy: Proxy, namespace: str, tmp_path: Path) -> None:
    async def test(pump: Pump, _: list[str]) -> None:
        await wait_for(lambda: proxy.open_watches == 2, "watches are open")
        pump.stop()
        with pytest.raises(PumpEnded):
            await asyncio.wait_for(pump.until_ended(), 60)

    with_pump(proxy, tmp_path, namespace, test)
