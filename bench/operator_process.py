"""An operator of this checkout as a process beside the cluster, for one namespace."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from importlib.resources import files
from pathlib import Path

import yaml

from tests.cluster.client import Cluster

SECONDS_TO_BE_READY = 60.0
LEADS = re.compile(rb"^leader_election_master_status\{.*\} 1\.0$", re.MULTILINE)
CRD = "manifests/spark.trading_backtestruns.yaml"


class LocalOperator:
    """Leads for the length of the block; its Lease is in the namespace that it watches."""

    def __init__(self, cluster: Cluster, namespace: str, image: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._configuration = {"engine": {"image": image}, "watch": {"namespaces": [namespace]}}

    def __enter__(self) -> None:
        self._cluster.apply(yaml.safe_load(files("spark_crds").joinpath(CRD).read_bytes()))
        self._folder = tempfile.TemporaryDirectory(prefix="spark-bench-")
        config, log = (Path(self._folder.name) / name for name in ("config.yaml", "operator.log"))
        config.write_text(yaml.safe_dump(self._configuration))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        options = ["--config", config, "--kubeconfig", self._cluster.kubeconfig, "--port", port]
        options += ["--namespace", self._namespace]
        command = [sys.executable, "-m", "spark_operator", *map(str, options)]
        with log.open("w") as output:
            self._process = subprocess.Popen(command, env={**os.environ}, stdout=output, stderr=output)
        _await_leader(port, log)

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=60)
        self._folder.cleanup()


def _await_leader(port: int, log: Path) -> None:
    until = time.monotonic() + SECONDS_TO_BE_READY
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                leads = LEADS.search(answer.read()) is not None
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                if leads and answer.status == 200:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"the operator does not get ready:\n{log.read_text()}")
