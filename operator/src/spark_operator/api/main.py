"""The command line of the API."""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import disable_created_metrics

from spark_operator.api.admin_token import AdminToken, WeakToken
from spark_operator.api.application import create_application, create_metrics_application
from spark_operator.api.authentication import Authenticator
from spark_operator.api.authorization import Authorizer
from spark_operator.api.metrics import Metrics
from spark_operator.api.runs import Runs
from spark_operator.api.serve import serve
from spark_operator.api.services import Services
from spark_operator.api.start_request import InvalidDefaults, complete_defaults
from spark_operator.cluster.client import KubernetesCluster
from spark_operator.cluster.connection import NoConnection
from spark_operator.cluster.metrics import requests_counter
from spark_operator.cluster.transport import Transport
from spark_operator.configuration.file import ConfigurationFile, InvalidConfiguration
from spark_operator.logs import configure_logs
from spark_operator.serving import PortInUse, listen

LOG = logging.getLogger(__name__)
STOPPED, UNUSABLE = 0, 2

DESCRIPTION = "Serves the HTTP API of Spark Trading. Writes are the caller's own; see docs/api.md."
EXIT_CODES = """exit codes:
  0  stopped by SIGTERM or SIGINT, after the answers in hand were given
  2  wrong usage, configuration, ADMIN_TOKEN, kubeconfig or port: a restart alone does not help
"""


def main(arguments: Sequence[str]) -> int:
    """Serves until it is told to stop. Returns the exit code."""
    options = _parser().parse_args(arguments)
    configure_logs(options.log_level)
    disable_created_metrics()  # type: ignore[no-untyped-call]
    try:
        asyncio.run(_run(options))
    except (InvalidConfiguration, InvalidDefaults, WeakToken, NoConnection, PortInUse, OSError) as error:
        LOG.error("%s", error)
        return UNUSABLE
    return STOPPED


async def _run(options: argparse.Namespace) -> None:
    metrics = Metrics()
    configuration = ConfigurationFile(options.config, metrics.registry)
    complete_defaults(configuration.current().api.run_defaults)
    admin = AdminToken(options.admin_token_file)
    http, metrics_port = listen(options.port, options.host), listen(options.metrics_port, options.host)
    cluster = KubernetesCluster(
        await Transport.of_process(options.kubeconfig), requests_counter(metrics.registry)
    )
    services = Services(
        cluster=cluster,
        configuration=configuration.current,
        runs=Runs(cluster, configuration.current().watch.namespaces, metrics.beat),
        authenticator=Authenticator(cluster, admin, metrics.refused),
        authorizer=Authorizer(cluster),
        metrics=metrics,
        operator_metrics_url=options.operator_metrics_url,
    )
    following = asyncio.create_task(configuration.follow())
    LOG.info("serving", extra={"port": options.port, "breakGlass": admin.enabled})
    try:
        await serve(
            (create_application(services), http), (create_metrics_application(services), metrics_port)
        )
    finally:
        following.cancel()
        await cluster.close()
    LOG.info("stopped")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m spark_operator.api",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--config", type=Path, default=Path("/etc/spark/config.yaml"), metavar="FILE", help="%(default)s")
    add("--kubeconfig", type=Path, metavar="FILE", help="in a pod: its service account; else as kubectl")
    add("--host", default="", help="address to listen at (default: all)")
    add("--port", type=int, default=4010, help="API (default: 4010)")
    add("--metrics-port", type=int, default=8080, help="metrics and liveness (default: 8080)")
    add(
        "--admin-token-file",
        type=Path,
        metavar="FILE",
        help="ADMIN_TOKEN, one a line, at most two; none: break-glass is off",
    )
    add(
        "--operator-metrics-url",
        default="",
        metavar="URL",
        help="of the operator's replicas; the leader's series are shown at /api/public/metrics/prom",
    )
    add("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    return parser
