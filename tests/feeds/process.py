"""`backtest feed run` as a process beside an exchange in this event loop."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.exchange import FakeExchange
from tests.feeds.running import SYMBOLS

PATIENCE_SECONDS = 60.0


class Process:
    """`backtest feed run` on a manifest in `folder`."""

    def __init__(self, venue: FakeExchange, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None
        storage = {"uri": str(folder / "archive"), "flushInterval": "1s"}
        endpoints = {"webSocket": venue.websocket_url, "rest": venue.rest_url, "history": venue.rest_url}
        spec = {
            "provider": "btcturk-spot",
            "symbols": list(SYMBOLS),
            "channels": ["ticker", "trade"],
            "timeframes": ["1m", "5m"],
            "endpoints": endpoints,
            "storage": storage,
        }
        manifest = {
            "apiVersion": "spark.trading/v1alpha1",
            "kind": "MarketDataFeed",
            "metadata": {"name": "tested"},
            "spec": spec,
        }
        (folder / "feed.json").write_text(json.dumps(manifest))

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "spark_engine.command.main", "feed", "run",
            "-f", str(self._folder / "feed.json"),
            "--state", str(self._folder / "journal"), "--host", "127.0.0.1", "--port", "0",
            stderr=asyncio.subprocess.PIPE, cwd=self._folder,
        )  # fmt: skip
        assert self._process.stderr is not None
        line = ""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while "health on port " not in line:
                more = (await self._process.stderr.readline()).decode()
                assert more, f"it did not start: {line}"
                line += more
        self._port = int(line.partition("health on port ")[2].partition(",")[0])
        self._reading = asyncio.create_task(self._process.stderr.read())

    async def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        await self._process.wait()

    async def end(self) -> str:
        """Politely; what it complained of, if it did not end well."""
        assert self._process is not None
        self._process.terminate()
        async with asyncio.timeout(PATIENCE_SECONDS):
            code = await self._process.wait()
        return "" if code == 0 else f"ended with {code}: {(await self._reading).decode()}"

    async def document(self) -> dict[str, Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(b"GET /api/feeds/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return dict(json.loads(answer.partition(b"\r\n\r\n")[2])[0])

    async def until(self, condition: Callable[[dict[str, Any]], bool], what: str) -> None:
        document: dict[str, Any] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    with suppress(OSError):
                        document = await self.document()
                        if condition(document):
                            return
                    await asyncio.sleep(0.1)
        raise AssertionError(f"not {what}: {document}")
