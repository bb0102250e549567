"""An operator in a process of its own, as a person or a kubelet meets it: exit code, logs, health."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.ports import free_port

QUICK = {  # and yet so slow that a busy machine does not lose its Lease
    "leaseSeconds": 8,
    "renewDeadlineSeconds": 6,
    "retrySeconds": 0.3,
    "writeTimeoutSeconds": 1.5,
}
PATIENCE = 60.0


def eventually(look: Callable[[], Any], what: str) -> Any:
    """What `look` gives once it is true. AssertionError with `what` when that never happens."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"never happened: {what}")


class Operator:
    """`python -m probe`. Ends with the block."""

    def __init__(
        self, folder: Path, kubeconfig: Path, namespace: str, *, name: str = "operator", **controller: Any
    ) -> None:
        self.name = name
        self.port = free_port()
        self._log = folder / f"{name}.log"
        config = folder / f"{name}.yaml"
        document = {
            "engine": {"image": "example.test/engine:1"},
            "watch": {"namespaces": [namespace]},
            "controller": {**QUICK, **controller},
        }
        config.write_text(yaml.safe_dump(document))
        arguments = ["--config", config, "--kubeconfig", kubeconfig, "--namespace", namespace]
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "probe", *map(str, arguments), "--port", str(self.port)],
                cwd=Path(__file__).parents[1],
                env={**os.environ, "POD_NAME": name},
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Operator:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()

    def text(self) -> str:
        return self._log.read_text()

    def logs(self) -> list[dict[str, Any]]:
        """Every line must be JSON."""
        return [json.loads(line) for line in self.text().splitlines()]

    def get(self, path: str) -> tuple[int, str]:
        """Status and text; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode().strip()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode().strip()
        except OSError:
            return 0, ""

    def await_ready(self) -> None:
        eventually(lambda: self.get("/readyz")[0] == 200, f"{self.name} is ready: {self.text()}")

    def await_leading(self) -> None:
        leads = "leader_election_master_status"
        eventually(lambda: self.metric(leads) == 1.0, f"{self.name} leads: {self.text()}")
        self.await_ready()

    def metric(self, name: str, /, **labels: str) -> float | None:
        status, text = self.get("/metrics")
        if status != 200:
            return None
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return None

    def await_exit(self) -> int:
        return self.process.wait(timeout=PATIENCE)
