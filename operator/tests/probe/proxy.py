"""An HTTP proxy before a real API server that spoils requests as told, and asks as our own user."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from aiohttp import web
from spark_operator.cluster.connection import Connection

NOT_FORWARDED = {"host", "transfer-encoding", "content-encoding", "content-length", "connection"}


@dataclass(frozen=True)
class Fault:
    """An answer of the proxy itself; a `status` of 0 is silence. `after`: the API server is asked first."""

    status: int
    matches: Callable[[web.Request], bool]
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False


class Proxy:
    """Runs in a thread of its own. `faults` may change at any time; the first that matches is done."""

    def __init__(self, upstream: Connection, port: int = 0) -> None:
        self.faults: list[Fault] = []
        self.connections: set[Any] = set()
        self.port = port
        self._upstream = upstream
        self._watches: set[web.StreamResponse] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._call(self._start())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def open_watches(self) -> int:
        return len(self._watches)

    def kubeconfig(self, folder: Path) -> Path:
        path = folder / "proxied.kubeconfig"
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "proxy", "cluster": {"server": self.url}}],
            "users": [{"name": "nobody", "user": {}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "nobody"}}],
            "current-context": "proxy",
        }
        path.write_text(yaml.safe_dump(document))
        return path

    def write_into_watches(self, event: dict[str, Any]) -> None:
        """One more line in every watch that is open."""
        line = json.dumps(event).encode() + b"\n"
        self._call(self._write(line))

    def cut_watches(self) -> None:
        self._call(self._cut())

    def close(self) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(20)

    async def _start(self) -> None:
        context = ssl.create_default_context(cafile=self._upstream.ca_path)
        if self._upstream.certificate_path:
            context.load_cert_chain(self._upstream.certificate_path, self._upstream.private_key_path)
        timeout = aiohttp.ClientTimeout(total=None)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context, limit=0), timeout=timeout, auto_decompress=False
        )
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        await self._session.close()
        await self._runner.cleanup()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:  # answers to clients that never hang up
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.connections.add(request.transport)
        fault = next((each for each in self.faults if each.matches(request)), None)
        if fault and not fault.after:
            return await self._spoil(fault)
        headers = {
            name: value for name, value in request.headers.items() if name.lower() not in NOT_FORWARDED
        }
        async with self._session.request(
            request.method,
            f"{self._upstream.server}{request.raw_path}",
            headers={**headers, "Accept-Encoding": "identity", **self._authorization(headers)},
            data=await request.read() or None,
        ) as upstream:
            if fault:
                await upstream.read()
                return await self._spoil(fault)
            return await self._forward(request, upstream)

    def _authorization(self, headers: dict[str, str]) -> dict[str, str]:
        own = self._upstream.authorization
        return {"Authorization": own} if own and "Authorization" not in headers else {}

    async def _forward(self, request: web.Request, upstream: aiohttp.ClientResponse) -> web.StreamResponse:
        kept = {name: value for name, value in upstream.headers.items() if name.lower() not in NOT_FORWARDED}
        response = web.StreamResponse(status=upstream.status, headers=kept)
        await response.prepare(request)
        if "watch=true" in request.query_string:
            self._watches.add(response)
        with contextlib.suppress(ConnectionError):  # the client left
            async for chunk in upstream.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
        self._watches.discard(response)
        return response

    async def _spoil(self, fault: Fault) -> web.StreamResponse:
        if fault.status == 0:
            await asyncio.sleep(3600)
        status = {"kind": "Status", "apiVersion": "v1", "code": fault.status, "message": "spoilt by the test"}
        return web.json_response(status, status=fault.status, headers=fault.headers)

    async def _write(self, line: bytes) -> None:
        for response in list(self._watches):
            with contextlib.suppress(ConnectionError):  # a client that is gone, but not noticed yet
                await response.write(line)

    async def _cut(self) -> None:
        for response in list(self._watches):
            self._watches.discard(response)
            request = response._req
            if request is not None and request.transport is not None:
                request.transport.close()
