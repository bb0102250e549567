"""The command line of the operator: `python -m spark_operator`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import socket
import uuid
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from spark_operator.cluster.client import KubernetesCluster
from spark_operator.cluster.connection import NoConnection
from spark_operator.cluster.metrics import requests_counter
from spark_operator.cluster.transport import Transport
from spark_operator.configuration.file import ConfigurationFile, InvalidConfiguration
from spark_operator.logs import configure_logs
from spark_operator.runtime.lease import LeaseLost
from spark_operator.runtime.process import Kinds, OperatorProcess, Place
from spark_operator.runtime.pump import PumpEnded
from spark_operator.serving import PortInUse, listen

LOG = logging.getLogger(__name__)
NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
STOPPED, FAILED, UNUSABLE = 0, 1, 2

DESCRIPTION = "Reconciles the custom resources of spark.trading."
EXIT_CODES = """exit codes:
  0  stopped by SIGTERM or SIGINT, after the work in hand was finished and the Lease given back
  1  the Lease was lost, or the watches ended: start it again
  2  wrong usage, configuration, kubeconfig or port: a restart alone does not help
"""


def main(arguments: Sequence[str], kinds: Kinds) -> int:
    """Runs the operator with these kinds until it is told to stop. Returns the exit code."""
    options = _parser().parse_args(arguments)
    configure_logs(options.log_level)
    try:
        return asyncio.run(_run(options, kinds))
    except (InvalidConfiguration, NoConnection, PortInUse) as error:
        LOG.error("%s", error)
        return UNUSABLE
    except (LeaseLost, PumpEnded) as error:
        LOG.error("ending, to be started again: %s", error)
        return FAILED
    except Exception:
        LOG.exception("ending by a fault of ours")
        return FAILED


async def _run(options: argparse.Namespace, kinds: Kinds) -> int:
    # A second series for every counter and histogram, which nobody reads.
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    configuration = ConfigurationFile(options.config, registry)
    listener = listen(options.port)
    cluster = KubernetesCluster(
        await Transport.of_process(options.kubeconfig),
        requests_counter(registry),
        write_timeout=configuration.current().controller.write_timeout_seconds,
    )
    place = Place(options.namespace or _namespace(), _identity())
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await OperatorProcess(cluster, configuration, kinds, place, registry).run(stop, listener)
    finally:
        await cluster.close()
        listener.close()
    LOG.info("stopped")
    return STOPPED


def _namespace() -> str:
    """Of the pod, or the one that kubectl would take."""
    if namespace := os.environ.get("POD_NAMESPACE"):
        return namespace
    return NAMESPACE_FILE.read_text().strip() if NAMESPACE_FILE.exists() else "default"


def _identity() -> str:
    return f"{os.environ.get('POD_NAME') or socket.gethostname()}_{uuid.uuid4()}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m spark_operator",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config", type=Path, default=Path("/etc/spark/config.yaml"), metavar="FILE", help="%(default)s"
    )
    parser.add_argument(
        "--kubeconfig", type=Path, metavar="FILE", help="in a pod: its service account; else as kubectl"
    )
    parser.add_argument("--namespace", help="of the Lease (default: that of the pod)")
    parser.add_argument("--port", type=int, default=8080, help="health and metrics (default: 8080)")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    return parser
