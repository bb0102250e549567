"""The API as somebody with a token calls it, through `kubectl port-forward`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from tests.node.conftest import Platform


@contextmanager
def forwarded(platform: Platform) -> Iterator[str]:
    """The URL of the API, as the README forwards it."""
    command = [platform.cluster.kubectl_path, "--kubeconfig", str(platform.cluster.kubeconfig)]
    forward = ["--namespace", platform.namespace, "port-forward", "svc/spark-api", ":80"]
    with subprocess.Popen([*command, *forward], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()  # Forwarding from 127.0.0.1:34567 -> 4010
            yield f"http://{line.split()[2]}"
        finally:
            process.terminate()


def call(url: str, token: str, body: bytes | None = None, *, expect: int | None = None) -> dict[str, Any]:
    """The JSON answer; its status must be `expect`, or else any success."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        with urlopen(Request(url, body, headers), timeout=30) as answer:  # noqa: S310 - an address of our own
            status, content = answer.status, answer.read()
    except HTTPError as refused:
        status, content = refused.code, refused.read()
    assert status == expect if expect else status < 300, (status, content)
    told: dict[str, Any] = json.loads(content)
    return told
