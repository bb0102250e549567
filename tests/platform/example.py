"""The first run, and what a person tries after it."""

from __future__ import annotations

from tests.cluster.client import Cluster
from tests.places import CHECKOUT

NAMESPACE = "default"
EXAMPLE = CHECKOUT / "examples" / "btcusdt-1h-sma-cross.yaml"
RUN = "btcusdt-1h-sma-cross"
ACCOUNT = "quant"
SECONDS_TO_FINISH = 180


def run(cluster: Cluster) -> None:
    """Applies the example, waits until it is Complete, and lets the service account `quant` edit runs.

    Raises `RuntimeError` with what kubectl describes where it does not finish.
    """
    here = ("--namespace", NAMESPACE)
    cluster.apply(*_quant())
    cluster.kubectl("apply", *here, "--filename", EXAMPLE)
    waiting = ("wait", *here, "--for=condition=Complete", f"--timeout={SECONDS_TO_FINISH}s", f"btr/{RUN}")
    if cluster.try_kubectl(*waiting).returncode != 0:
        described = cluster.try_kubectl("describe", *here, f"btr/{RUN}").stdout
        raise RuntimeError(f"{RUN} is not Complete after {SECONDS_TO_FINISH} s:\n{described}")


def next_steps(cluster: Cluster, release_namespace: str) -> str:
    """The table of runs, and commands to go on with."""
    runs = cluster.kubectl("get", "btr", "--namespace", NAMESPACE)
    kubectl = cluster.kubectl_path
    return f"""
{runs}
Try next:
  export KUBECONFIG={cluster.kubeconfig}
  {kubectl} get btr -w
  {kubectl} describe btr {RUN}
  {kubectl} apply -f {CHECKOUT / "examples" / "btcusdt-4h-rsi.yaml"}

The API:
  {kubectl} -n {release_namespace} port-forward svc/spark-api 3003:80 &
  TOKEN=$({kubectl} create token {ACCOUNT})
  curl -X POST -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{{}}' http://127.0.0.1:3003/api/backtest/start
  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:3003/api/backtest/status

make down ends it."""


def _quant() -> list[dict[str, object]]:
    subject = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"}
    metadata = {"name": ACCOUNT, "namespace": NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": role,
            "subjects": [subject],
        },
    ]
