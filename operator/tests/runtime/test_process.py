"""The operator as processes on a real API server: who leads, what ends one, and what health says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from probe.kind import CRD, probe
from probe.process import Operator, eventually
from probe.proxy import Fault, Proxy

from tests.ports import free_port

pytestmark = pytest.mark.control_plane


def value_of(cluster: Any, namespace: str, name: str) -> Any:
    return cluster.get("probe", name, "--namespace", namespace)["status"].get("value")


def holder_of(cluster: Any, namespace: str) -> str:
    lease = cluster.get("lease", "spark-operator", "--namespace", namespace)
    return str(lease["spec"].get("holderIdentity", ""))


def events_of(cluster: Any, namespace: str) -> list[dict[str, Any]]:
    events = cluster.get("events.events.k8s.io", "--namespace", namespace)["items"]
    return [each for each in events if each["reportingController"] == "spark.trading/operator"]


def test_objects_old_and_new_are_reconciled_with_one_event_each(
    probes_served: Any, namespace: str, tmp_path: Path
) -> None:
    probes_served.apply(probe(namespace, "old"))
    with Operator(tmp_path, probes_served.kubeconfig, namespace) as operator:
        operator.await_leading()
        eventually(lambda: value_of(probes_served, namespace, "old") == 1, "the old object is noted")
        probes_served.apply(probe(namespace, "new", 5))
        eventually(lambda: value_of(probes_served, namespace, "new") == 5, "the new object is noted")
        probes_served.apply(probe(namespace, "new", 6))
        eventually(lambda: value_of(probes_served, namespace, "new") == 6, "the change is noted")
        eventually(lambda: len(events_of(probes_served, namespace)) == 3, "three Events")
        notes = {(each["regarding"]["name"], each["note"]) for each in events_of(probes_served, namespace)}
        assert notes == {("old", "the value is 1"), ("new", "the value is 5"), ("new", "the value is 6")}
        assert operator.metric("probe_transitions_total") == 3
        assert operator.metric("controller_runtime_reconcile_errors_total", controller="probe") == 0
        # the last write of a status wakes once more
        eventually(lambda: operator.metric("workqueue_depth", name="probe") == 0, "nothing waits")
        assert operator.metric("rest_client_requests_total", code="200", method="PUT") is not None
        assert operator.get("/healthz") == (200, "ok")
        assert all("traceback" not in line for line in operator.logs())


def test_a_job_event_wakes_the_owner(probes_served: Any, namespace: str, tmp_path: Path) -> None:
    probes_served.apply(probe(namespace, "owner"))
    with Operator(tmp_path, probes_served.kubeconfig, namespace) as operator:
        operator.await_leading()
        eventually(lambda: value_of(probes_served, namespace, "owner") == 1, "the owner is noted")
        uid = probes_served.get("probe", "owner", "--namespace", namespace)["metadata"]["uid"]
        container = {"name": "engine", "image": "example.test/engine:1"}
        adds = "workqueue_adds_total"
        before = operator.metric(adds, name="probe") or 0.0
        probes_served.apply(
            {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "metadata": {
                    "name": "child",
                    "namespace": namespace,
                    "labels": {"spark.trading/run": "owner"},
                    "ownerReferences": [
                        {
                            "apiVersion": "machinery.test/v1",
                            "kind": "Probe",
                            "name": "owner",
                            "uid": uid,
                            "controller": True,
                        }
                    ],
                },
                "spec": {
                    "suspend": True,
                    "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
                },
            }
        )
        eventually(lambda: (operator.metric(adds, name="probe") or 0.0) > before, "the owner is woken")


def test_of_two_processes_one_leads_and_sigterm_hands_over_at_once(
    probes_served: Any, namespace: str, tmp_path: Path
) -> None:
    patient = {"leaseSeconds": 3600, "renewDeadlineSeconds": 3000}
    kubeconfig = probes_served.kubeconfig
    with (
        Operator(tmp_path, kubeconfig, namespace, name="first", **patient) as first,
        Operator(tmp_path, kubeconfig, namespace, name="second", **patient) as second,
    ):
        first.await_ready()
        second.await_ready()
        eventually(lambda: holder_of(probes_served, namespace), "somebody leads")
        leads = [each.metric("leader_election_master_status") for each in (first, second)]
        assert sorted(map(str, leads)) == ["0.0", "1.0"]
        leader, standby = (first, second) if leads[0] else (second, first)
        assert holder_of(probes_served, namespace).startswith(f"{leader.name}_")
        of_kinds = [each.metric("probe_transitions_total") for each in (leader, standby)]
        assert of_kinds == [0, None]  # else a standby would hide that nobody leads
        leader.process.send_signal(signal.SIGTERM)
        assert leader.await_exit() == 0
        standby.await_leading()  # an hour would pass, had the Lease not been given back
        probes_served.apply(probe(namespace, "late"))
        eventually(lambda: value_of(probes_served, namespace, "late") == 1, "the new leader works")
        lease = probes_served.get("lease", "spark-operator", "--namespace", namespace)
        assert lease["spec"]["leaseTransitions"] == 2


def test_a_standby_that_is_told_to_stop_leaves_the_lease_alone(
    probes_served: Any, namespace: str, tmp_path: Path
) -> None:
    with (
        Operator(tmp_path, probes_served.kubeconfig, namespace, name="first") as first,
        Operator(tmp_path, probes_served.kubeconfig, namespace, name="second") as second,
    ):
        first.await_ready()
        second.await_ready()
        leader, standby = (
            (first, second) if holder_of(probes_served, namespace).startswith("first_") else (second, first)
        )
        standby.process.send_signal(signal.SIGTERM)
        assert standby.await_exit() == 0
        assert holder_of(probes_served, namespace).startswith(f"{leader.name}_")


def test_a_leader_that_is_killed_is_followed_when_its_lease_is_over(
    probes_served: Any, namespace: str, tmp_path: Path
) -> None:
    with Operator(tmp_path, probes_served.kubeconfig, namespace, name="first") as first:
        first.await_leading()
        with Operator(tmp_path, probes_served.kubeconfig, namespace, name="second") as second:
            second.await_ready()
            first.process.kill()
            second.await_leading()
            assert holder_of(probes_served, namespace).startswith("second_")


@pytest.mark.parametrize("thief", ["another", ""])
def test_a_lease_that_is_taken_away_ends_the_process(
    probes_served: Any, namespace: str, tmp_path: Path, thief: str
) -> None:
    with Operator(tmp_path, probes_served.kubeconfig, namespace) as operator:
        operator.await_leading()
        patch = json.dumps({"spec": {"holderIdentity": thief, "leaseDurationSeconds": 3600}})
        lease = ("lease", "spark-operator", "--namespace", namespace)
        probes_served.kubectl("patch", *lease, "--type=merge", "--patch", patch)
        assert operator.await_exit() == 1
        last = operator.logs()[-1]
        assert last["msg"] == f"ending, to be started again: the Lease is lost to {thief or 'nobody'}"
        assert holder_of(probes_served, namespace) == thief


def test_a_lease_that_is_deleted_ends_the_process(probes_served: Any, namespace: str, tmp_path: Path) -> None:
    with Operator(tmp_path, probes_served.kubeconfig, namespace) as operator:
        operator.await_leading()
        probes_served.kubectl("delete", "lease", "spark-operator", "--namespace", namespace)
        assert operator.await_exit() == 1


def test_a_lease_that_cannot_be_renewed_ends_the_process_with_the_reason(
    probes_served: Any, proxy: Proxy, namespace: str, tmp_path: Path
) -> None:
    with Operator(tmp_path, proxy.kubeconfig(tmp_path), namespace) as operator:
        operator.await_leading()
        proxy.faults = [Fault(503, lambda request: "/leases/" in request.path)]
        assert operator.await_exit() == 1
        assert "was not renewed for 6 s: spoilt by the test" in operator.logs()[-1]["msg"]


def test_an_error_within_a_watch_ends_the_process_with_a_reason_and_the_next_one_loses_nothing(
    probes_served: Any, proxy: Proxy, namespace: str, tmp_path: Path
) -> None:
    kubeconfig = proxy.kubeconfig(tmp_path)
    with Operator(tmp_path, kubeconfig, namespace) as operator:
        operator.await_leading()
        eventually(lambda: proxy.open_watches == 2, "kopf watches Probes and Jobs")
        proxy.faults = [Fault(503, lambda request: "watch=true" in request.query_string)]
        error = {"kind": "Status", "code": 500, "reason": "InternalError", "message": "etcdserver: no leader"}
        proxy.write_into_watches({"type": "ERROR", "object": error})
        assert operator.await_exit() == 1
        last = operator.logs()[-1]["msg"]
        assert last.startswith("ending, to be started again: the watches of kopf ended")
        assert "etcdserver: no leader" in last
        assert "\n" not in last
    probes_served.apply(probe(namespace, "meanwhile"))
    proxy.faults = []
    with Operator(tmp_path, kubeconfig, namespace) as successor:
        successor.await_leading()
        eventually(lambda: value_of(probes_served, namespace, "meanwhile") == 1, "nothing is lost")


def test_readiness_tells_what_is_missing_at_every_step(
    probes_served: Any, proxy: Proxy, namespace: str, tmp_path: Path
) -> None:
    discovery, lease, lists = (
        Fault(503, lambda request: request.path == "/apis/machinery.test/v1"),
        Fault(503, lambda request: "/leases" in request.path),
        Fault(503, lambda request: request.path.endswith("/probes")),
    )
    proxy.faults = [discovery, lease, lists]
    with Operator(tmp_path, proxy.kubeconfig(tmp_path), namespace) as operator:

        def says(words: str) -> bool:
            assert operator.process.poll() is None, operator.text()
            return operator.get("/readyz")[0] == 503 and words in operator.get("/readyz")[1]

        eventually(lambda: says("discovery fails: spoilt by the test"), "discovery is missing")
        proxy.faults = [lease, lists]
        eventually(lambda: says("spoilt by the test") and not says("discovery"), "the Lease is missing")
        proxy.faults = [lists]
        eventually(lambda: says("the first LIST failed: spoilt by the test"), "the first LIST is missing")
        assert operator.get("/healthz") == (200, "ok")
        assert operator.metric("leader_election_master_status") == 1
        proxy.faults = []
        operator.await_ready()
        assert operator.get("/readyz") == (200, "ok")


def test_a_kind_that_is_not_served_is_waited_for(probes_served: Any, namespace: str, tmp_path: Path) -> None:
    """The CRDs may come after the operator. A second group, so that other tests keep theirs."""
    definition = json.loads(json.dumps(CRD).replace("machinery.test", f"{namespace}.test"))
    environment = {"PROBE_GROUP": f"{namespace}.test"}
    os.environ |= environment
    try:
        with Operator(tmp_path, probes_served.kubeconfig, namespace) as operator:
            words = f"the API server does not serve probes.{namespace}.test: its CRDs are not installed"
            eventually(lambda: operator.get("/readyz") == (503, words), "the reason is told")
            assert operator.get("/healthz") == (200, "ok")
            probes_served.apply(definition)
            operator.await_leading()
            probes_served.kubectl("delete", "crd", f"probes.{namespace}.test", "--wait=false")
            assert operator.await_exit() == 1
    finally:
        del os.environ["PROBE_GROUP"]
        probes_served.try_kubectl("delete", "crd", f"probes.{namespace}.test", "--wait=false")


def test_an_api_server_that_does_not_answer_is_told_without_a_traceback(
    proxy: Proxy, namespace: str, tmp_path: Path
) -> None:
    kubeconfig = proxy.kubeconfig(tmp_path)
    kubeconfig.write_text(kubeconfig.read_text().replace(str(proxy.port), str(free_port())))
    with Operator(tmp_path, kubeconfig, namespace) as operator:
        words = "discovery fails: http://127.0.0.1"
        eventually(lambda: words in operator.get("/readyz")[1], "the reason is told")
        assert operator.get("/healthz") == (200, "ok")
        operator.process.send_signal(signal.SIGTERM)
        assert operator.await_exit() == 0
        assert "Traceback" not in operator.text()
        assert [line["level"] for line in operator.logs()] == ["warning", "info"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda path: path.write_text("engine: {}"), "engine.image: is required"),
        (lambda path: path.unlink(), "No such file"),
    ],
)
def test_a_bad_configuration_ends_with_one_line_and_code_2(tmp_path: Path, change: Any, words: str) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("")
    change(config)
    done = run("--config", config)
    assert done.returncode == 2
    assert words in json.loads(done.stderr)["msg"]


def test_a_kubeconfig_that_is_not_there_ends_with_one_line_and_code_2(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("engine: {image: a}")
    done = run("--config", config, "--kubeconfig", tmp_path / "absent", "--port", free_port())
    assert done.returncode == 2
    assert str(tmp_path / "absent") in json.loads(done.stderr)["msg"]


def test_wrong_usage_ends_with_code_2() -> None:
    assert run("--no-such-option").returncode == 2


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "probe", *map(str, arguments)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
    )
