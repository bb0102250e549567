"""A real S3 server: versitygw, built once from its Go module, or the one that SPARK_TEST_S3_ENDPOINT names.

Another server takes its credentials and bucket from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
SPARK_TEST_S3_BUCKET.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import obstore
import pytest
from obstore.store import S3Store

from tests.go_tools import VERSITYGW
from tests.ports import free_port

BUCKET = "candles"


@dataclass(frozen=True)
class S3:
    """A server with an empty bucket, and how to put objects into it."""

    endpoint: str
    access_key: str
    secret_key: str
    bucket: str

    def put(self, key: str, content: bytes) -> str:
        """Stores `content` and returns its URI."""
        store = S3Store(
            self.bucket,
            endpoint=self.endpoint,
            access_key_id=self.access_key,
            secret_access_key=self.secret_key,
            region="us-east-1",
            client_options={"allow_http": True},
        )
        obstore.put(store, key, content)
        return f"s3://{self.bucket}/{key}"


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        assert server.poll() is None, f"the S3 server ended with {server.returncode}"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the S3 server does not listen")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    if endpoint := os.environ.get("SPARK_TEST_S3_ENDPOINT"):
        keys = os.environ.get("AWS_ACCESS_KEY_ID", ""), os.environ.get("AWS_SECRET_ACCESS_KEY", "")
        yield S3(endpoint, *keys, os.environ.get("SPARK_TEST_S3_BUCKET", BUCKET))
        return
    binary = VERSITYGW.build()
    folder = tmp_path_factory.mktemp("s3")
    (folder / BUCKET).mkdir()
    s3 = S3(f"http://127.0.0.1:{free_port()}", "spark", "not-a-secret", BUCKET)
    port = int(s3.endpoint.rpartition(":")[2])
    flags = ["--access", s3.access_key, "--secret", s3.secret_key]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [binary, *flags, "--port", f"127.0.0.1:{port}", "posix", folder], stdout=log, stderr=log
        )
        try:
            _await(port, process)
            yield s3
        finally:
            process.terminate()
            process.wait(timeout=20)


@pytest.fixture
def s3(server: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    """The server, with its endpoint and credentials in the environment as a pod has them."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    return server


@pytest.fixture
def nobody_listens() -> str:
    return f"http://127.0.0.1:{free_port()}"
