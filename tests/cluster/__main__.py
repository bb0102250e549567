"""python -m tests.cluster: a real Kubernetes cluster of this checkout, without a container registry."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable

from tests import go_tools
from tests.cluster import node, programs
from tests.cluster.client import Cluster, NodeCluster
from tests.cluster.instance import Instance, Kind, forget_lost_checkouts
from tests.go_tools import GoTool

Command = Callable[[Instance], int]


def main() -> int:
    arguments = _parser().parse_args()
    kind = Kind.CONTROL_PLANE if getattr(arguments, "control_plane_only", False) else Kind.NODE
    try:
        status: int = arguments.run(Instance(kind))
    except (RuntimeError, ValueError, OSError, subprocess.CalledProcessError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    of_a_kind: tuple[tuple[Command, str], ...] = (
        (up, "start it, to stay until `down` (idempotent)"),
        (env, "print what a shell needs to use it: eval $(python -m tests.cluster env)"),
    )
    for run, text in of_a_kind:
        command = commands.add_parser(run.__name__, help=text, description=text)
        command.add_argument("--control-plane-only", action="store_true", help="no node: needs no root")
        command.set_defaults(run=run)
    of_both: tuple[tuple[Command, str], ...] = (
        (down, "end both kinds and remove what dead ones left"),
        (status, "what runs"),
        (build, "build every program (and get Go from PyPI where there is none)"),
    )
    for run, text in of_both:
        command = commands.add_parser(run.__name__, help=text, description=text)
        command.set_defaults(run=run)
    return parser


def up(instance: Instance) -> int:
    if instance.kind is Kind.NODE and (missing := _missing_for_node()):
        raise RuntimeError(f"a node {missing}; --control-plane-only does not")
    _get_go(programs.node_tools() if instance.kind is Kind.NODE else programs.control_plane_tools())
    forget_lost_checkouts()
    started = time.monotonic()
    cluster = instance.up()
    print(f"{instance.kind} ready after {time.monotonic() - started:.1f} s", file=sys.stderr)
    _print_environment(cluster)
    return 0


def env(instance: Instance) -> int:
    if not instance.ready:
        raise RuntimeError(f"no {instance.kind} runs: `python -m tests.cluster up`")
    _print_environment(instance.cluster())
    return 0


def down(_: Instance) -> int:
    for kind in Kind:
        print(f"{kind}: {Instance(kind).down()}")
    forget_lost_checkouts()
    return 0


def status(_: Instance) -> int:
    for kind in Kind:
        instance = Instance(kind)
        if not instance.ready:
            told = (
                "not ready: starting, or left by a dead session"
                if instance.directory.exists()
                else "not there"
            )
        else:
            told = f"runs at {instance.cluster().server}"
            told += ", kept" * instance.kept + ", used by tests" * instance.used
        print(f"{kind}: {told} ({instance.directory})")
    return 0


def build(_: Instance) -> int:
    _get_go(programs.all_tools())
    programs.build(programs.all_tools())
    return 0


def _get_go(tools: list[GoTool]) -> None:
    if go_tools.missing(*tools):
        go_tools.install_go()


def _missing_for_node() -> str:
    return "needs root" if os.geteuid() != 0 else node.missing()


def _print_environment(cluster: Cluster) -> None:
    values = {"KUBECONFIG": str(cluster.kubeconfig), "SPARK_KUBECTL": cluster.kubectl_path}
    if isinstance(cluster, NodeCluster):
        values |= {"SPARK_TEST_REGISTRY": cluster.registry, "SPARK_TEST_S3_ENDPOINT": cluster.s3.endpoint}
        values |= {"SPARK_TEST_S3_BUCKET": cluster.s3.bucket, **cluster.s3.environment}
    for name, value in values.items():
        print(f"export {name}={value}")


if __name__ == "__main__":
    sys.exit(main())
