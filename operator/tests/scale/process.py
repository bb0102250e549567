"""The operator as it is shipped, in a process of its own, and what it says of itself."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.places import CHECKOUT
from tests.ports import free_port

T = TypeVar("T")
PATIENCE = 240.0
VALUES = CHECKOUT / "charts" / "spark-trading" / "values.yaml"


async def until(look: Callable[[], T], what: str, *, pause: float = 0.05) -> T:
    """What `look` gives once it is true. AssertionError with `what` when that never happens."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if found := await asyncio.to_thread(look):
            return found
        await asyncio.sleep(pause)
    raise AssertionError(f"never happened: {what}")


def memory_limit() -> int:
    """Bytes that the chart allows the operator's container."""
    text = yaml.safe_load(VALUES.read_text())["operator"]["resources"]["limits"]["memory"]
    return int(re.fullmatch(r"(\d+)Mi", text)[1]) * 2**20  # type: ignore[index]


class Operator:
    """`python -m spark_operator`, its Lease in spark-system. Stopped by SIGTERM at the end of the block."""

    def __init__(self, folder: Path, kubeconfig: Path, configuration: Mapping[str, Any]) -> None:
        self._port = free_port()
        self._log = folder / "operator.log"
        config = folder / "config.yaml"
        config.write_text(yaml.safe_dump(dict(configuration)))
        options = ["--config", str(config), "--kubeconfig", str(kubeconfig), "--namespace", "spark-system"]
        self._command = [sys.executable, "-m", "spark_operator", *options, "--port", str(self._port)]

    def __enter__(self) -> Operator:
        self.started = time.monotonic()
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                self._command, env={**os.environ, "POD_NAME": "scale"}, stdout=log, stderr=log
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=60)
        finally:
            self.process.kill()

    async def ready(self) -> float:
        """Seconds from its start until /readyz said 200, as its leader."""
        await until(self._is_ready, f"the operator is ready: {self._log.read_text()}", pause=0.02)
        return time.monotonic() - self.started

    def metrics(self) -> Metrics:
        return Metrics(self._get("/metrics")[1])

    def problems(self) -> list[str]:
        """What it logged above level info."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines()]
        return [line["msg"] for line in lines if line["level"] not in ("debug", "info")]

    def largest_memory(self) -> int:
        """The largest resident set so far, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self._log.read_text()
        return self._get("/readyz")[0] == 200 and self.metrics().of("leader_election_master_status") == 1

    def _get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            return 0, ""


class Metrics:
    """One scrape."""

    def __init__(self, text: str) -> None:
        self._samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def of(self, name: str, **labels: str) -> float:
        """The sum of all samples of that name that have these labels."""
        return sum(
            float(sample.value)
            for sample in self._samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def mean(self, name: str, **labels: str) -> float:
        """Of a histogram."""
        count = self.of(f"{name}_count", **labels)
        return self.of(f"{name}_sum", **labels) / count if count else 0.0
