"""The API as a server of this process, and requests to it."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from spark_operator.api.admin_token import AdminToken
from spark_operator.api.application import create_application
from spark_operator.api.authentication import Authenticator
from spark_operator.api.authorization import Authorizer
from spark_operator.api.metrics import Metrics
from spark_operator.api.runs import Runs
from spark_operator.api.serve import server_config
from spark_operator.api.services import Services
from spark_operator.api.watching import WatchedCluster
from spark_operator.configuration.model import Configuration


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Api:
    """A running API. `configuration` is what is in force; `services` is set once it runs."""

    port: int
    configuration: Configuration
    bearer: str = ""
    services: Services | None = None
    extra: dict[str, str] = field(default_factory=dict)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        bearer: str | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """One request on a connection of its own. A `bearer` of "" sends none."""
        sent = {**self.extra}
        secret = self.bearer if bearer is None else bearer
        if secret:
            sent["Authorization"] = f"Bearer {secret}"
        if body is not None:
            content, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        sent |= headers or {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, content, {k: v for k, v in sent.items() if v is not None})
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **options: Any) -> Answer:
        return self.ask("GET", path, **options)

    def start(self, body: Any = None, **options: Any) -> Answer:
        return self.ask("POST", "/api/backtest/start", {} if body is None else body, **options)

    def configure(self, **api: Any) -> None:
        """Changes fields of the section `api`, as a new file would."""
        changed = self.configuration.api.model_copy(update=api)
        self.configuration = self.configuration.model_copy(update={"api": changed})


class _Server(uvicorn.Server):
    async def main_loop(self) -> None:
        """Ends sooner than uvicorn's own, whose tick is 0.1 s."""
        while not await self.on_tick(0):
            await asyncio.sleep(0.005)


@contextmanager
def serving(
    make_cluster: Callable[[], Any],
    configuration: Configuration,
    *,
    admin: AdminToken | None = None,
    operator_metrics_url: str = "",
    wait: bool = True,
) -> Iterator[Api]:
    """A server in a thread of its own; its cluster may be a coroutine function's, made within its loop."""
    listener = socket.create_server(("127.0.0.1", 0))
    api = Api(listener.getsockname()[1], configuration)
    started: list[uvicorn.Server] = []

    async def run() -> None:
        made = make_cluster()
        cluster: WatchedCluster = await made if asyncio.iscoroutine(made) else made
        metrics = Metrics()
        api.services = Services(
            cluster=cluster,
            configuration=lambda: api.configuration,
            runs=Runs(cluster, configuration.watch.namespaces, metrics.beat),
            authenticator=Authenticator(cluster, admin or AdminToken(None), metrics.refused),
            authorizer=Authorizer(cluster),
            metrics=metrics,
            operator_metrics_url=operator_metrics_url,
        )
        application = create_application(api.services)
        server = _Server(server_config(application))
        started.append(server)
        await server.serve(sockets=[listener])
        if close := getattr(cluster, "close", None):
            await close()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        _await(lambda: bool(started) and started[0].started)
        if wait:
            _await(lambda: api.get("/readyz").status == 200)
        yield api
    finally:
        started[0].should_exit = True
        thread.join(20)
        listener.close()


def eventually(asked: Callable[[], Any], seconds: float = 30) -> Any:
    """The first answer that is true."""
    until = time.monotonic() + seconds
    while not (found := asked()):
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.01)
    return found


def _await(asked: Callable[[], bool]) -> None:
    eventually(asked)
