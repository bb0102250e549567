"""The client on a real API server: every answer becomes the promised object or error."""

from __future__ import annotations

import asyncio
import gc
import time
import uuid
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from probe.fixtures import client_of, connection_of
from probe.kind import PROBES, probe
from probe.proxy import Fault, Proxy
from prometheus_client import CollectorRegistry
from spark_operator.cluster import errors
from spark_operator.cluster.client import KubernetesCluster, WatchEvent
from spark_operator.cluster.connection import NoConnection
from spark_operator.cluster.metrics import requests_counter
from spark_operator.cluster.resources import JOBS, PODS, Resource
from spark_operator.cluster.transport import Transport

pytestmark = pytest.mark.control_plane

Api = Callable[[Callable[[KubernetesCluster], Awaitable[Any]]], Any]
CONFIG_MAPS = Resource("", "v1", "ConfigMap", "configmaps")
NAMESPACES = Resource("", "v1", "Namespace", "namespaces")


def job(namespace: str, name: str) -> dict[str, Any]:
    container = {"name": "engine", "image": "example.test/engine:1"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "suspend": True,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    }


def test_an_object_that_is_not_there_is_none(api: Api, namespace: str) -> None:
    assert api(lambda cluster: cluster.get(PROBES, namespace, "absent")) is None
    assert api(lambda cluster: cluster.get(JOBS, namespace, "absent")) is None
    assert api(lambda cluster: cluster.get(JOBS, "no-such-namespace", "absent")) is None


def test_an_object_of_a_kind_that_is_not_served_is_not_none(api: Api, namespace: str) -> None:
    async def ask(cluster: KubernetesCluster) -> None:
        for resource in (Resource("no.such", "v1", "Thing", "things"), Resource("batch", "v1", "X", "xs")):
            with pytest.raises(errors.NotFound):
                await cluster.get(resource, namespace, "absent")

    api(ask)


def test_discovery_tells_which_kinds_are_served(api: Api) -> None:
    async def look(cluster: KubernetesCluster) -> list[bool]:
        unknown = (Resource("no.such", "v1", "Thing", "things"), Resource("batch", "v1", "X", "xs"))
        return [await cluster.is_served(each) for each in (PROBES, JOBS, PODS, *unknown)]

    assert api(look) == [True, True, True, False, False]


def test_a_second_create_of_a_name_already_exists(api: Api, namespace: str) -> None:
    async def create_twice(cluster: KubernetesCluster) -> None:
        created = await cluster.create(PROBES, namespace, probe(namespace, "one"))
        assert created["metadata"]["uid"]
        assert created == await cluster.get(PROBES, namespace, "one")
        with pytest.raises(errors.AlreadyExists):
            await cluster.create(PROBES, namespace, probe(namespace, "one"))

    api(create_twice)


def test_a_dry_run_leaves_nothing(api: Api, namespace: str) -> None:
    async def try_it(cluster: KubernetesCluster) -> Any:
        answer = await cluster.create(PROBES, namespace, probe(namespace, "dry"), dry_run=True)
        assert answer["status"] == {"phase": "Pending"}
        return await cluster.get(PROBES, namespace, "dry")

    assert api(try_it) is None


def test_an_object_that_breaks_the_schema_is_invalid_and_the_field_is_named(api: Api, namespace: str) -> None:
    async def create(cluster: KubernetesCluster) -> None:
        wrong = probe(namespace, "wrong") | {"spec": {"value": "text"}}
        with pytest.raises(errors.Invalid, match=r"spec\.value"):
            await cluster.create(PROBES, namespace, wrong)
        with pytest.raises(errors.Invalid, match=r"spec\.vlaue"):
            await cluster.create(PROBES, namespace, probe(namespace, "typo") | {"spec": {"vlaue": 1}})

    api(create)


def test_a_status_is_replaced_whole(api: Api, namespace: str) -> None:
    async def write(cluster: KubernetesCluster) -> dict[str, Any]:
        body = await cluster.create(PROBES, namespace, probe(namespace, "one"))
        body = await cluster.replace_status(PROBES, {**body, "status": {"phase": "Running", "value": 1}})
        written = await cluster.replace_status(PROBES, {**body, "status": {"phase": "Succeeded"}})
        status: dict[str, Any] = written["status"]
        return status

    assert api(write) == {"phase": "Succeeded"}


def test_a_status_field_that_the_crd_does_not_know_is_refused_instead_of_dropped(
    api: Api, namespace: str
) -> None:
    async def write(cluster: KubernetesCluster) -> None:
        body = await cluster.create(PROBES, namespace, probe(namespace, "one"))
        with pytest.raises(errors.Invalid, match="unknown field"):
            await cluster.replace_status(PROBES, {**body, "status": {"phase": "Running", "newer": 1}})

    api(write)


def test_a_write_over_an_older_version_conflicts(api: Api, namespace: str) -> None:
    async def write(cluster: KubernetesCluster) -> None:
        old = await cluster.create(PROBES, namespace, probe(namespace, "one"))
        await cluster.replace_status(PROBES, {**old, "status": {"phase": "Running"}})
        with pytest.raises(errors.Conflict):
            await cluster.replace_status(PROBES, {**old, "status": {"phase": "Failed"}})
        with pytest.raises(errors.Conflict):
            await cluster.replace(PROBES, {**old, "spec": {"value": 2}})

    api(write)


def test_a_write_to_an_object_that_is_gone_is_not_found(api: Api, namespace: str) -> None:
    async def write(cluster: KubernetesCluster) -> None:
        body = await cluster.create(PROBES, namespace, probe(namespace, "one"), dry_run=True)
        with pytest.raises(errors.NotFound):
            await cluster.replace_status(PROBES, {**body, "status": {"phase": "Failed"}})
        with pytest.raises(errors.NotFound):
            await cluster.patch(JOBS, namespace, "absent", {"spec": {"suspend": True}})
        with pytest.raises(errors.NotFound):
            await cluster.delete(JOBS, namespace, "absent", uid="any")

    api(write)


def test_a_namesake_is_neither_patched_nor_deleted(api: Api, namespace: str) -> None:
    async def write(cluster: KubernetesCluster) -> None:
        uid = (await cluster.create(JOBS, namespace, job(namespace, "one")))["metadata"]["uid"]
        foreign = str(uuid.uuid4())
        with pytest.raises((errors.Invalid, errors.Conflict)):
            merge = {"metadata": {"uid": foreign}, "spec": {"suspend": False}}
            await cluster.patch(JOBS, namespace, "one", merge)
        with pytest.raises(errors.Conflict):
            await cluster.delete(JOBS, namespace, "one", uid=foreign)
        body = await cluster.get(JOBS, namespace, "one")
        assert body is not None
        assert (body["metadata"]["uid"], body["spec"]["suspend"]) == (uid, True)
        assert "deletionTimestamp" not in body["metadata"]

    api(write)


def test_a_patch_reaches_spec_and_subresource(api: Api, namespace: str) -> None:
    async def write(cluster: KubernetesCluster) -> tuple[Any, Any]:
        created = await cluster.create(JOBS, namespace, job(namespace, "one"))
        uid = created["metadata"]["uid"]
        merge = {"metadata": {"uid": uid, "labels": {"a": "b"}}, "spec": {"ttlSecondsAfterFinished": 60}}
        patched = await cluster.patch(JOBS, namespace, "one", merge)
        merge = {"metadata": {"uid": uid}, "status": {"startTime": None}}
        await cluster.patch(JOBS, namespace, "one", merge, subresource="status")
        return patched["metadata"]["labels"]["a"], patched["spec"]["ttlSecondsAfterFinished"]

    assert api(write) == ("b", 60)


def test_a_job_that_is_deleted_stays_until_its_pods_are_gone(api: Api, namespace: str) -> None:
    async def delete(cluster: KubernetesCluster) -> None:
        body = job(namespace, "one")
        body["spec"]["suspend"] = False
        body["spec"]["template"]["spec"] |= RESTRICTED_POD
        body["spec"]["template"]["spec"]["containers"][0]["securityContext"] = RESTRICTED_CONTAINER
        uid = (await cluster.create(JOBS, namespace, body))["metadata"]["uid"]
        await until(lambda: pods(cluster, namespace))
        await cluster.delete(JOBS, namespace, "one", uid=uid)
        while (seen := await cluster.get(JOBS, namespace, "one")) is not None:
            assert "foregroundDeletion" in seen["metadata"].get("finalizers", [])
            await asyncio.sleep(0.05)
        assert await pods(cluster, namespace) == []

    api(delete)


RESTRICTED_POD = {
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
}
RESTRICTED_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


async def pods(cluster: KubernetesCluster, namespace: str) -> list[Any]:
    return (await cluster.list_page(PODS, namespace)).items


async def until(look: Callable[[], Awaitable[Any]]) -> None:
    async with asyncio.timeout(30):
        while not await look():
            await asyncio.sleep(0.05)


def test_a_list_comes_in_pages_and_by_selector(api: Api, namespace: str) -> None:
    async def listed(cluster: KubernetesCluster) -> None:
        for number in range(5):
            body = probe(namespace, f"p{number}")
            body["metadata"]["labels"] = {"parity": str(number % 2)}
            await cluster.create(PROBES, namespace, body)
        sizes, token = [], ""
        while True:
            page = await cluster.list_page(PROBES, namespace, limit=2, continue_token=token)
            sizes.append(len(page.items))
            token = page.continue_token
            if not token:
                break
        assert sizes == [2, 2, 1]
        odd = await cluster.list_page(PROBES, namespace, label_selector="parity=1,!absent")
        assert [each["metadata"]["name"] for each in odd.items] == ["p1", "p3"]
        pending = await cluster.list_page(PROBES, namespace, field_selector="status.phase!=Pending")
        assert pending.items == []

    api(listed)


def test_items_of_a_built_in_kind_say_what_they_are(api: Api, namespace: str) -> None:
    async def listed(cluster: KubernetesCluster) -> Any:
        await cluster.create(JOBS, namespace, job(namespace, "one"))
        return (await cluster.list_page(JOBS, namespace)).items[0]

    item = api(listed)
    assert (item["apiVersion"], item["kind"]) == ("batch/v1", "Job")


def test_a_spoilt_continue_token_is_invalid(api: Api, namespace: str) -> None:
    with pytest.raises(errors.Invalid, match="continue"):
        api(lambda cluster: cluster.list_page(PROBES, namespace, continue_token="nonsense"))  # noqa: S106 - no secret


def test_a_name_cannot_leave_its_path(api: Api, namespace: str) -> None:
    async def ask(cluster: KubernetesCluster) -> None:
        for name in (".", "..", "one/status", "../../../nodes", "%2e%2e%2fnodes"):
            with pytest.raises(errors.Invalid):
                await cluster.get(PROBES, namespace, name)

    api(ask)


def test_a_namespace_that_goes_takes_nothing_new(api: Api, namespace: str) -> None:
    async def create(cluster: KubernetesCluster) -> None:
        held = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "held", "finalizers": ["machinery.test/held"]},
        }
        await cluster.create(CONFIG_MAPS, namespace, held)
        body = await cluster.get(NAMESPACES, "", namespace)
        assert body is not None
        try:
            await cluster.delete(NAMESPACES, "", namespace, uid=body["metadata"]["uid"])
            with pytest.raises(errors.Forbidden) as refused:
                await cluster.create(PROBES, namespace, probe(namespace, "late"))
            assert refused.value.namespace_terminating
        finally:
            await cluster.patch(CONFIG_MAPS, namespace, "held", {"metadata": {"finalizers": None}})

    api(create)


def test_a_token_that_nobody_has_is_unauthorized_though_we_have_a_certificate(
    api: Api, namespace: str
) -> None:
    async def ask(cluster: KubernetesCluster) -> None:
        await cluster.get(PROBES, namespace, "absent")  # a connection of ours is open now
        with pytest.raises(errors.Unauthorized):
            await cluster.with_token("nobody").get(PROBES, namespace, "absent")
        for impossible in ("", "two words", "line\nfeed", "ümlaut"):
            with pytest.raises(errors.Unauthorized):
                cluster.with_token(impossible)

    api(ask)


def test_a_caller_has_the_rights_of_the_token_and_no_others(
    api: Api, namespace: str, probes_served: Any
) -> None:
    token = probes_served.kubectl("create", "token", "default", "--namespace", namespace).strip()

    async def ask(cluster: KubernetesCluster) -> None:
        with pytest.raises(errors.Forbidden) as refused:
            await cluster.with_token(token).get(PROBES, namespace, "one")
        assert f"system:serviceaccount:{namespace}:default" in refused.value.message
        assert not refused.value.namespace_terminating
        assert await cluster.get(PROBES, namespace, "one") is None

    api(ask)


def test_callers_share_connections_and_leave_none_open(proxy: Proxy, namespace: str, tmp_path: Path) -> None:
    async def ask() -> None:
        async with client_of(proxy.kubeconfig(tmp_path)) as cluster:
            for number in range(50):
                await cluster.with_token(f"caller-{number}").get(PROBES, namespace, "one")

    gc.collect()  # what other tests left open is theirs
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(ask())
        gc.collect()
    assert len(proxy.connections) == 1
    assert [str(each.message) for each in caught if issubclass(each.category, ResourceWarning)] == []


def test_a_watch_shows_changes_in_order_and_goes_on_from_a_version(api: Api, namespace: str) -> None:
    async def watch(cluster: KubernetesCluster) -> None:
        start = (await cluster.list_page(CONFIG_MAPS, namespace)).resource_version
        named = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one", "labels": {"a": "b"}}}
        created = await cluster.create(CONFIG_MAPS, namespace, named)
        changed = await cluster.patch(CONFIG_MAPS, namespace, "one", {"data": {"c": "d"}})
        await cluster.delete(CONFIG_MAPS, namespace, "one", uid=created["metadata"]["uid"])
        types = [event.type for event in await events(cluster, start, 4)]
        assert types == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"]
        version = changed["metadata"]["resourceVersion"]
        assert [event.type for event in await events(cluster, version, 2)] == ["MODIFIED", "DELETED"]

    async def events(cluster: KubernetesCluster, version: str, count: int) -> list[WatchEvent]:
        seen: list[WatchEvent] = []
        stream = cluster.watch(CONFIG_MAPS, namespace, version, label_selector="a=b")
        async with asyncio.timeout(30):
            async for event in stream:
                seen += [event] if event.type != "BOOKMARK" else []
                if len(seen) == count:
                    break
        await stream.aclose()
        return seen

    api(watch)


def test_a_watch_from_a_forgotten_version_is_expired(api: Api, namespace: str) -> None:
    async def watch(cluster: KubernetesCluster) -> None:
        with pytest.raises(errors.Expired):
            async for _ in cluster.watch(PROBES, namespace, "1"):
                pass

    api(watch)


def test_a_broken_watch_is_unavailable_and_a_spoilt_one_says_why(
    proxy: Proxy, namespace: str, tmp_path: Path
) -> None:
    async def watch(spoil: Callable[[], None]) -> None:
        async with client_of(proxy.kubeconfig(tmp_path)) as cluster:
            version = (await cluster.list_page(PROBES, namespace)).resource_version
            stream = cluster.watch(PROBES, namespace, version)
            next_event = asyncio.ensure_future(anext(stream))
            await until(lambda: _as_awaitable(proxy.open_watches > 0))
            await asyncio.to_thread(spoil)
            await asyncio.wait_for(next_event, 30)

    with pytest.raises(errors.Unavailable):
        asyncio.run(watch(proxy.cut_watches))
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    with pytest.raises(errors.Expired, match="too old"):
        asyncio.run(watch(lambda: proxy.write_into_watches({"type": "ERROR", "object": status})))


async def _as_awaitable(value: bool) -> bool:
    return value


@pytest.mark.parametrize(
    ("status", "expected"),
    [(429, errors.TooManyRequests), (500, errors.Unavailable), (503, errors.Unavailable)],
)
def test_a_troubled_server_is_told_as_such_and_asked_once(
    proxy: Proxy, namespace: str, tmp_path: Path, status: int, expected: type[errors.ClusterError]
) -> None:
    asked: list[str] = []

    def note(request: web.Request) -> bool:
        asked.append(request.method)
        return True

    proxy.faults = [Fault(status, note, {"Retry-After": "9"})]
    registry = CollectorRegistry()

    async def ask() -> errors.ClusterError:
        async with client_of(proxy.kubeconfig(tmp_path), registry) as cluster:
            with pytest.raises(expected) as told:
                await cluster.create(PROBES, namespace, probe(namespace, "one"))
            return told.value

    error = asyncio.run(ask())
    assert asked == ["POST"]
    assert getattr(error, "retry_after", 9.0) == 9.0
    labels = {"code": str(status), "method": "POST"}
    assert registry.get_sample_value("rest_client_requests_total", labels) == 1


def test_a_write_without_an_answer_is_unavailable_and_may_have_happened(
    proxy: Proxy, namespace: str, tmp_path: Path
) -> None:
    proxy.faults = [Fault(0, lambda request: request.method == "POST", after=True)]
    registry = CollectorRegistry()

    async def ask() -> None:
        async with client_of(proxy.kubeconfig(tmp_path), registry, write_timeout=2.0) as cluster:
            with pytest.raises(errors.Unavailable, match="in time"):
                await cluster.create(PROBES, namespace, probe(namespace, "one"))
            await until(lambda: cluster.get(PROBES, namespace, "one"))

    asyncio.run(ask())
    labels = {"code": "<error>", "method": "POST"}
    assert registry.get_sample_value("rest_client_requests_total", labels) == 1


def test_no_connection_is_unavailable(proxy: Proxy, tmp_path: Path) -> None:
    kubeconfig = proxy.kubeconfig(tmp_path)
    proxy.faults = []

    async def ask() -> None:
        closed = Path(kubeconfig).read_text().replace(str(proxy.port), "1")
        Path(kubeconfig).write_text(closed)
        async with client_of(kubeconfig) as cluster:
            with pytest.raises(errors.Unavailable, match=r"http://127\.0\.0\.1:1"):
                await cluster.list_page(PROBES)

    asyncio.run(ask())


def test_a_kubeconfig_that_is_missing_or_spoilt_is_named(tmp_path: Path) -> None:
    async def load(path: Path) -> None:
        await Transport.from_kubeconfig(path)

    spoilt = tmp_path / "spoilt"
    spoilt.write_text("a: [")
    for path in (tmp_path / "absent", spoilt):
        with pytest.raises(NoConnection, match=str(path)) as told:
            asyncio.run(load(path))
        assert "\n" not in str(told.value)


def test_a_rotated_token_of_the_service_account_is_taken_up(
    probes_served: Any, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kubernetes.aio.config import incluster_config

    good = probes_served.kubectl("create", "token", "default", "--namespace", namespace).strip()
    token, authority = tmp_path / "token", tmp_path / "ca.crt"
    token.write_text("expired")
    trusted = asyncio.run(connection_of(probes_served.kubeconfig)).ca_path
    assert trusted is not None
    authority.write_bytes(Path(trusted).read_bytes())
    host, _, port = probes_served.server.removeprefix("https://").partition(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(authority))

    async def ask() -> None:
        cluster = KubernetesCluster(Transport.in_cluster(), requests_counter(CollectorRegistry()))
        try:
            with pytest.raises(errors.Unauthorized):
                await cluster.get(PROBES, namespace, "one")
            token.write_text(good)
            pass_a_minute(monkeypatch, incluster_config)
            with pytest.raises(errors.Forbidden, match=f"{namespace}:default"):
                await cluster.get(PROBES, namespace, "one")
            assert (await cluster.connection()).authorization == f"bearer {good}"
        finally:
            await cluster.close()

    asyncio.run(ask())


def pass_a_minute(monkeypatch: pytest.MonkeyPatch, module: Any) -> None:
    """The library looks at the token's file again when its own minute is over."""
    import datetime

    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Later:
            later = datetime.datetime.fromtimestamp(time.time() + 61, tz)
            return cls.fromtimestamp(later.timestamp(), tz)

    class Module:
        timedelta = datetime.timedelta

    Module.datetime = Later  # type: ignore[attr-defined]
    monkeypatch.setattr(module, "datetime", Module)
