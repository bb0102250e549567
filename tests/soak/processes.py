"""The two processes of a soak: the exchange, and the feed as a person starts it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from tests.exchange.faults import Fault
from tests.soak.folder import TIMEFRAMES, VENUE, Folder

ROOT = Path(__file__).resolve().parents[2]
BACKTEST = Path(sys.executable).with_name("backtest")
TRADES_A_MINUTE = 120  # so that 50, all that the venue tells afterwards, are made in some twenty seconds
CLOCK = ("--offset-ms", "1270", "--drift-ppm", "5")  # a lag without compensation would be far off
PATIENCE_SECONDS = 60.0
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(url: str, body: Any = None, timeout: float = 10.0) -> bytes:
    """The body of an answer of 200. OSError for any other, and for none."""
    data = None if body is None else json.dumps(body).encode()
    with _opener.open(urllib.request.Request(url, data=data), timeout=timeout) as response:  # noqa: S310
        return bytes(response.read())


class Exchange:
    """`python -m tests.exchange`. What it says goes to a file; it ends with `stop`."""

    def __init__(self, folder: Folder, symbols: Sequence[str], seed: str) -> None:
        self._log = folder.exchange_log.open("w")
        command = [sys.executable, "-m", "tests.exchange", "--symbols", ",".join(symbols), "--seed", seed]
        command += ["--rate", str(TRADES_A_MINUTE), "--history-minutes", "3", *CLOCK]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self._process.stdout is not None
        self.addresses: dict[str, str] = json.loads(self._process.stdout.readline())

    def state(self) -> dict[str, Any]:
        return dict(json.loads(self._get("/state")))

    def ledger(self, symbol: str, first: int) -> bytes:
        return self._get(f"/ledger?symbol={symbol}&first={first}")

    def faults(self) -> bytes:
        return self._get("/faults")

    def inject(self, fault: Fault) -> None:
        get(f"{self.addresses['control']}/inject", {"fault": fault.name, "with": asdict(fault)})

    def stop(self) -> None:
        _end(self._process)
        self._log.close()

    def _get(self, path: str) -> bytes:
        return get(self.addresses["control"] + path)


class Feed:
    """`backtest feed run -f feed.yaml`, in the soak's folder."""

    def __init__(self, folder: Folder, symbols: Sequence[str], addresses: dict[str, str]) -> None:
        folder.manifest.write_text(yaml.safe_dump(_manifest(symbols, addresses), sort_keys=False))
        self.command = (str(BACKTEST), "feed", "run", "-f", folder.manifest.name)
        self._log = folder.feed_log.open("w")
        self._process = subprocess.Popen(
            [*self.command, "--host", "127.0.0.1", "--port", "0"], cwd=folder.path, stderr=self._log
        )
        self.pid = self._process.pid
        self.url = f"http://127.0.0.1:{self._port(folder.feed_log)}"

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> int:
        """Gracefully; the exit code."""
        code = _end(self._process)
        self._log.close()
        return code

    def _port(self, log: Path) -> int:
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until and self.running:
            if found := re.search(r"health on port (\d+)", log.read_text()):
                return int(found[1])
            time.sleep(0.05)
        raise RuntimeError(f"the feed did not start: {log.read_text()}")


def _end(process: subprocess.Popen[Any]) -> int:
    """SIGTERM; a process that does not heed it within a minute is killed, which its exit code tells."""
    process.terminate()
    try:
        return process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _manifest(symbols: Sequence[str], addresses: dict[str, str]) -> dict[str, Any]:
    rest = addresses["rest"]
    return {
        "apiVersion": "spark.trading/v1alpha1",
        "kind": "MarketDataFeed",
        "metadata": {"name": "soak"},
        "spec": {
            "provider": VENUE,
            "symbols": list(symbols),
            "channels": ["trade", "ticker", "obdiff"],
            "timeframes": list(TIMEFRAMES),
            "endpoints": {"webSocket": addresses["websocket"], "rest": rest, "history": rest},
            "storage": {"uri": "archive", "flushInterval": "10s"},
        },
    }


PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads so far."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / TICKS_A_SECOND
