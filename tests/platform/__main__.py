"""python -m tests.platform up | down: the whole platform on a cluster of this machine, or on one of yours.

Yours: CONTEXT=<kubeconfig context> IMAGE=<registry>/spark-operator:<tag>, with spark-engine:<tag> beside it.
"""

from __future__ import annotations

import argparse
import os
import sys

from tests.platform import example
from tests.platform.release import Release
from tests.platform.steps import step
from tests.platform.target import Target, local, stop_local, yours


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.platform",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=("up", "down"))
    command = parser.parse_args().command
    try:
        up() if command == "up" else down()
    except (RuntimeError, AssertionError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


def up() -> None:
    """Idempotent: what is there stays, what changed is built, pushed and upgraded."""
    target = _target()
    release = Release(target.cluster, target.helm)
    with step("chart installed, every pod ready"):
        release.install(target.values)
    with step("example finished"):
        example.run(target.cluster)
    print(example.next_steps(target.cluster, release.namespace))


def down() -> None:
    if context := os.environ.get("CONTEXT"):
        target = yours(context, os.environ.get("IMAGE", ""))
        Release(target.cluster, target.helm).uninstall()
        print(
            "uninstalled; runs and their CRD stay: kubectl delete crd backtestruns.spark.trading removes them"
        )
    else:
        print(f"cluster: {stop_local()}")


def _target() -> Target:
    if context := os.environ.get("CONTEXT"):
        return yours(context, os.environ.get("IMAGE", ""))
    return local()


if __name__ == "__main__":
    sys.exit(main())
