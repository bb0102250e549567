"""Clusters of other checkouts, for tests of how clusters begin and end."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.cluster.client import NodeCluster
from tests.cluster.instance import Instance, Kind
from tests.images import Buildah, push
from tests.places import CHECKOUT

SESSION = """
import sys
from pathlib import Path
from tests.cluster.client import NodeCluster
from tests.cluster.instance import Instance, Kind
from tests.images import Buildah, push
with Instance(Kind(sys.argv[1]), Path(sys.argv[2])).session():
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Callable[..., Instance]]:
    """instance(kind, checkout="a"): one of another checkout, ended with the test."""
    with ExitStack() as stack:

        def make(kind: Kind, checkout: str = "a") -> Instance:
            (tmp_path / checkout).mkdir(exist_ok=True)
            made = Instance(kind, tmp_path / checkout)
            stack.callback(shutil.rmtree, made.directory.parent, ignore_errors=True)
            stack.callback(made.down)
            return made

        yield make


@pytest.fixture
def session() -> Iterator[Callable[[Instance], subprocess.Popen[str]]]:
    """session(instance): a process that uses it as a test session does, until its input ends."""
    with ExitStack() as stack:

        def start(instance: Instance) -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-c", SESSION, instance.kind, str(instance.checkout)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=CHECKOUT,
            )
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def ready(
    session: Callable[[Instance], subprocess.Popen[str]],
) -> Callable[[Instance], subprocess.Popen[str]]:
    """As `session`, when the cluster is ready."""

    def start(instance: Instance) -> subprocess.Popen[str]:
        process = session(instance)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    return start


@pytest.fixture
def pushed_to(buildah: Buildah, python_base: str) -> Callable[[Instance], str]:
    """pushed_to(instance): the reference by digest of an image that its node can pull."""

    def push_base(instance: Instance) -> str:
        cluster = instance.cluster()
        assert isinstance(cluster, NodeCluster)
        return push(buildah, python_base, cluster.registry, "python-base")

    return push_base


@pytest.fixture
def kill() -> Callable[[subprocess.Popen[str]], None]:
    """Ends a process as the kernel does where memory is short: without a word."""

    def sigkill(process: subprocess.Popen[str]) -> None:
        process.send_signal(signal.SIGKILL)
        process.wait()

    return sigkill
