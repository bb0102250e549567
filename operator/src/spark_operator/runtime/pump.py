"""kopf as a pump of watch events, and nothing else: the only module that imports it.

It runs in a thread and an event loop of its own. When the thread ends, for whatever reason, the process must
end: kopf is not started twice.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import kopf

from spark_operator.cluster.connection import Connection
from spark_operator.cluster.resources import Resource
from spark_operator.cluster.transport import one_line
from spark_operator.runtime.kind import Key, Kind
from spark_operator.runtime.owner import CHILDREN, owner_key

LOG = logging.getLogger(__name__)
UNFINISHED = "status.phase!=Succeeded,status.phase!=Failed,status.phase!=Cancelled"
"""Field selector of our kinds. An object that leaves it arrives as DELETED, and is then read live."""
HEARTBEAT_SECONDS = 1.0
RETRIES = (1, 1, 2, 3, 5, 8, 13, 21)
"""Seconds between attempts of one request, after which kopf gives up."""


class PumpEnded(Exception):
    """kopf ended; the message says why, in one line."""


class Pump:
    """Calls `wake` in the event loop of `start` with the key of every object that an event is about."""

    def __init__(
        self,
        kinds: Sequence[Kind],
        namespaces: Sequence[str],
        connection: Callable[[], Awaitable[Connection]],
        wake: Callable[[Key], None],
        *,
        retries: Iterable[float] = RETRIES,
    ) -> None:
        self._kinds = kinds
        self._namespaces = namespaces
        self._connection = connection
        self._wake = wake
        self._retries = tuple(retries)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[str] | None = None
        self._heartbeat = time.monotonic()

    @property
    def silence(self) -> float:
        """Seconds since kopf's event loop last ran."""
        return time.monotonic() - self._heartbeat

    @property
    def started(self) -> bool:
        return self._thread is not None

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._heartbeat = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="kopf", daemon=True)
        self._thread.start()

    async def until_ended(self) -> None:
        """Raises `PumpEnded` when the thread has ended."""
        if self._ended is None:
            raise RuntimeError("the pump was not started")
        raise PumpEnded(await asyncio.shield(self._ended))

    def stop(self) -> None:
        """Asks the thread to end."""
        self._stop.set()

    def _run(self) -> None:
        reason = "the watches of kopf ended"
        try:
            asyncio.run(self._operate())
        except BaseException as error:
            reason = f"{reason}: {type(error).__name__}: {one_line(error)}"
        finally:
            self._tell(self._set_ended, reason)

    def _set_ended(self, reason: str) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(reason)

    async def _operate(self) -> None:
        heartbeat = asyncio.create_task(self._beat())
        try:
            await kopf.operator(
                registry=self._registry(),
                settings=self._settings(),
                namespaces=self._namespaces,
                clusterwide=not self._namespaces,
                standalone=True,
                # Else kopf asks for the name of the user, and one in a container has none
                identity="spark-operator",  # type: ignore[arg-type]
                stop_flag=self._stop,
            )
        finally:
            # kopf waits for this flag in an executor's thread: unset, asyncio.run() would never return
            self._stop.set()
            heartbeat.cancel()

    async def _beat(self) -> None:
        while True:
            self._heartbeat = time.monotonic()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry)(self._login)
        for kind in self._kinds:
            resource = kind.resource
            _on_event(registry, resource)(self._own_handler(resource))
        for child in self._children():
            _on_event(registry, child)(self._child_event)
        return registry

    def _children(self) -> list[Resource]:
        return list(dict.fromkeys(child for kind in self._kinds for child in kind.children))

    def _own_handler(self, resource: Resource) -> Any:
        async def own_event(namespace: str | None, name: str | None, **_: Any) -> None:
            self._tell(self._wake, Key(resource.plural, namespace or "", name or ""))

        return own_event

    async def _child_event(self, body: kopf.Body, **_: Any) -> None:
        if key := owner_key(body, [kind.resource for kind in self._kinds]):
            self._tell(self._wake, key)

    def _tell(self, call: Callable[..., None], argument: Any) -> None:
        if self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(call, argument)
        except RuntimeError:
            LOG.debug("an event came after the end of the event loop")

    async def _login(self, **_: Any) -> kopf.ConnectionInfo:
        """Called again when the API server answers 401: the token of the service account may have rotated."""
        connection = await self._connection()
        scheme, token = [*connection.authorization.split(" ", 1), "", ""][:2]
        return kopf.ConnectionInfo(
            server=connection.server,
            ca_path=connection.ca_path,
            insecure=connection.insecure,
            scheme=scheme.capitalize() or None,
            token=token or None,
            certificate_path=connection.certificate_path,
            private_key_path=connection.private_key_path,
        )

    def _settings(self) -> kopf.OperatorSettings:
        settings = kopf.OperatorSettings()
        settings.posting.enabled = False
        settings.peering.standalone = True
        settings.scanning.disabled = True
        settings.queueing.worker_limit = None
        settings.networking.request_timeout = 30
        settings.networking.error_backoffs = self._retries
        settings.watching.inactivity_timeout = 70
        settings.process.ultimate_exiting_timeout = 20
        for kind in self._kinds:
            settings.watching.field_selectors[_selector(kind.resource)] = UNFINISHED
        for child in self._children():
            settings.watching.label_selectors[_selector(child)] = CHILDREN
        return settings


def _on_event(registry: kopf.OperatorRegistry, resource: Resource) -> Callable[[Any], Any]:
    return kopf.on.event(resource.group, resource.version, resource.plural, registry=registry)


def _selector(resource: Resource) -> tuple[str, str, str]:
    return resource.group, resource.version, resource.plural
