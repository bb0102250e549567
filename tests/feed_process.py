"""`backtest feed run` as a process of its own, as a person or a kubelet has it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.exchange.threaded import ExchangeThread

HEALTH = re.compile(r"health on port ([0-9]+)")
PATIENCE_SECONDS = 60.0
STOP_SECONDS = 10.0


def manifest_of(name: str, archive: object, **spec: Any) -> dict[str, Any]:
    """Of BTCTRY and ETHTRY of BTCTurk."""
    return {
        "apiVersion": "spark.trading/v1alpha1",
        "kind": "MarketDataFeed",
        "metadata": {"name": name},
        "spec": {
            "provider": "btcturk-spot",
            "symbols": ["BTCTRY", "ETHTRY"],
            "storage": {"uri": str(archive), "flushInterval": "1s"},
            **spec,
        },
    }


def endpoints_of(running: ExchangeThread) -> dict[str, str]:
    """Where a feed finds the fake exchange."""
    exchange = running.exchange
    return {"webSocket": exchange.websocket_url, "rest": exchange.rest_url, "history": exchange.rest_url}


class FeedProcess:
    """`with FeedProcess(manifest, folder) as feed:`; at the end it is told to stop, and must, in order."""

    def __init__(
        self, manifest: Mapping[str, Any], folder: Path, *arguments: object, **environment: str
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "feed.json"
        file.write_text(json.dumps(manifest))
        self._log = folder / "feed.log"
        self._seen: tuple[int, float] = 0, 0.0
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "spark_engine.command.main", "feed", "run", "-f", str(file)),
                    *("--host", "127.0.0.1", "--port", "0", *map(str, arguments)),
                ],
                cwd=folder,
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> FeedProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def said(self) -> str:
        """All that it wrote so far."""
        return self._log.read_text()

    @property
    def port(self) -> int:
        self.until(lambda: HEALTH.search(self.said))
        match = HEALTH.search(self.said)
        assert match is not None
        return int(match[1])

    def get(self, path: str) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def health(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.get("/api/feeds/health")[1])[0]
        except (OSError, HTTPException):
            return {}
        return found

    def metric(self, series: str) -> float:
        """The value of a series, named with its labels as it is exposed."""
        lines = self.get("/metrics")[1].splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.rpartition(" ")[0] == series)

    def until(self, holds: Callable[[], Any], what: str = "", seconds: float = PATIENCE_SECONDS) -> None:
        """Waits until it holds."""
        end = time.monotonic() + seconds
        while not holds():
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.said}"
            assert time.monotonic() < end, f"{what or 'it did not come to be'}; it said:\n{self.said}"
            time.sleep(0.05)

    def says(self, words: str) -> None:
        self.until(lambda: words in self.said, f"it never said {words!r}")

    def ended(self) -> int:
        """The exit code of one that ends by itself."""
        return self.process.wait(PATIENCE_SECONDS)

    def stopped(self) -> int:
        """The exit code after SIGTERM, which must come within seconds, without a traceback."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS)
        assert "Traceback" not in self.said, self.said
        return code
