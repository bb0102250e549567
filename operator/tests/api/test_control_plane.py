"""On a real API server: TokenReview, RBAC, admission and the watch are Kubernetes' own."""

from __future__ import annotations

import asyncio
import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from spark_operator.api.admin_token import AdminToken
from spark_operator.api.problem import objections
from spark_operator.cluster.client import KubernetesCluster
from spark_operator.cluster.errors import Invalid
from spark_operator.cluster.metrics import requests_counter
from spark_operator.cluster.resources import BACKTEST_RUNS
from spark_operator.cluster.transport import Transport
from spark_operator.configuration.model import Configuration

from api.serving import Answer, Api, eventually, serving
from tests.ports import free_ports

pytestmark = pytest.mark.control_plane

ADMIN = "8f14e45fceea167a5a36dedd4bea2543b6d1a1f0c9e3f7d2"
RIGHTS = {
    "alice": ["get", "list", "watch", "create", "update", "patch", "delete"],
    "bob": ["get", "list", "watch"],
    "mallory": [],
}
OWN_RULES = [
    {"apiGroups": ["spark.trading"], "resources": ["backtestruns"], "verbs": ["get", "list", "watch"]},
    {"apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"]},
    {"apiGroups": ["authorization.k8s.io"], "resources": ["subjectaccessreviews"], "verbs": ["create"]},
]
BREAK_GLASS = [{"apiGroups": ["spark.trading"], "resources": ["backtestruns"], "verbs": ["create", "patch"]}]


@dataclass(frozen=True)
class Place:
    """A namespace, tokens by name, and a cluster to look at it with everybody's rights."""

    namespace: str
    tokens: dict[str, str]
    cluster: Any

    def run(self, name: str) -> dict[str, Any]:
        return self.cluster.get("backtestruns.spark.trading", name, "--namespace", self.namespace)

    def conclude(self, name: str, type_: str, reason: str) -> None:
        """Writes a terminal status, as the operator would."""
        condition = {
            "type": type_,
            "status": "True",
            "reason": reason,
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        status = json.dumps({"status": {"conditions": [condition]}})
        place = ("--namespace", self.namespace, "--subresource=status", "--type=merge", "-p", status)
        self.cluster.kubectl("patch", "btr", name, *place)


@pytest.fixture(scope="module")
def place(control_plane: Any) -> Iterator[Place]:
    definition = yaml.safe_load(
        files("spark_crds").joinpath("manifests/spark.trading_backtestruns.yaml").read_bytes()
    )
    control_plane.apply(definition)
    control_plane.kubectl("wait", "--for=condition=Established", "crd/backtestruns.spark.trading")
    with control_plane.namespace("http-api") as namespace:
        for name, verbs in RIGHTS.items():
            rules = [{"apiGroups": ["spark.trading"], "resources": ["backtestruns"], "verbs": verbs}]
            grant(control_plane, namespace, name, rules if verbs else [])
        tokens = {
            name: control_plane.kubectl("create", "token", name, "--namespace", namespace).strip()
            for name in RIGHTS
        }
        yield Place(namespace, tokens, control_plane)


def grant(cluster: Any, namespace: str, name: str, rules: list[dict[str, Any]]) -> None:
    """A service account with these rights in its namespace."""
    metadata = {"name": name, "namespace": namespace}
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": rules,
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }
    cluster.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}, role, binding)


@pytest.fixture(scope="module")
def own_account(place: Place) -> Iterator[Path]:
    """The kubeconfig of the API's own service account: reviews and reads everywhere, break-glass here."""
    cluster, namespace = place.cluster, place.namespace
    grant(cluster, namespace, "spark-api", BREAK_GLASS)
    metadata = {"name": f"{namespace}-api"}
    cluster.apply(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": metadata,
            "rules": OWN_RULES,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": metadata,
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": metadata["name"],
            },
            "subjects": [{"kind": "ServiceAccount", "name": "spark-api", "namespace": namespace}],
        },
    )
    yield cluster.as_service_account(namespace, "spark-api").kubeconfig
    for kind in ("clusterrole", "clusterrolebinding"):
        cluster.kubectl("delete", kind, metadata["name"])


def own_cluster(kubeconfig: Path) -> Any:
    async def connect() -> KubernetesCluster:
        transport = await Transport.from_kubeconfig(kubeconfig)
        return KubernetesCluster(transport, requests_counter(CollectorRegistry()))

    return connect


@pytest.fixture(scope="module")
def api(place: Place, own_account: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    token_file = tmp_path_factory.mktemp("secret") / "ADMIN_TOKEN"
    token_file.write_text(ADMIN)
    document = {"engine": {"image": "x"}, "api": {"defaultNamespace": place.namespace}}
    configuration = Configuration.model_validate(document)
    with serving(own_cluster(own_account), configuration, admin=AdminToken(token_file)) as running:
        yield running


def start(api: Api, token: str, body: dict[str, Any] | None = None, **options: Any) -> Answer:
    return api.start(body or {}, bearer=token, **options)


def test_alice_starts_and_it_is_she_who_did(api: Api, place: Place) -> None:
    answer = start(api, place.tokens["alice"], {"pair": "ETHUSDT", "timeframe": "4h", "notes": "Smoke test"})
    assert answer.status == 201, answer.content
    run = place.run(answer.json["id"])
    assert run["spec"]["market"]["symbol"] == "ETHUSDT"
    assert answer.json["uid"] == run["metadata"]["uid"]
    if place.cluster.audit_log is not None:
        who = {
            record["user"]["username"]
            for record in place.cluster.audited()
            if record["verb"] == "create" and record.get("objectRef", {}).get("name") == answer.json["id"]
        }
        assert who == {f"system:serviceaccount:{place.namespace}:alice"}


def test_what_the_api_creates_the_server_stores_unchanged(api: Api, place: Place) -> None:
    """The resolved spec is complete: the server adds no default to it."""
    from spark_crds.resolve import resolve

    run = place.run(start(api, place.tokens["alice"]).json["id"])
    assert resolve(run) == run["spec"]


def test_alice_cancels(api: Api, place: Place) -> None:
    name = start(api, place.tokens["alice"]).json["id"]
    answer = api.ask("DELETE", f"/api/backtest/cancel/{name}", bearer=place.tokens["alice"])
    assert (answer.status, answer.json["status"]) == (202, "queued")  # no operator runs here
    assert place.run(name)["spec"]["cancel"] is True
    place.conclude(name, "Failed", "Cancelled")
    again = api.ask("DELETE", f"/api/backtest/cancel/{name}", bearer=place.tokens["alice"])
    assert (again.status, again.json["runStatus"], again.json["runReason"]) == (409, "failed", "Cancelled")


def test_bob_may_look_and_is_refused_in_the_servers_words(api: Api, place: Place) -> None:
    name = start(api, place.tokens["alice"]).json["id"]
    assert api.get(f"/api/backtest/{name}", bearer=place.tokens["bob"]).status == 200
    user = f"system:serviceaccount:{place.namespace}:bob"
    answer = start(api, place.tokens["bob"])
    assert answer.status == 403
    assert answer.json["detail"] == (
        f'backtestruns.spark.trading is forbidden: User "{user}" cannot create resource "backtestruns" '
        f'in API group "spark.trading" in the namespace "{place.namespace}"'
    )
    cancelled = api.ask("DELETE", f"/api/backtest/cancel/{name}", bearer=place.tokens["bob"])
    assert cancelled.status == 403
    assert "cannot patch resource" in cancelled.json["detail"]
    assert place.run(name)["spec"]["cancel"] is False


def test_our_own_refusal_reads_like_the_servers(api: Api, place: Place) -> None:
    told = api.get("/api/backtest", bearer=place.tokens["mallory"])
    mallory = place.cluster.as_service_account(place.namespace, "mallory")
    refused = mallory.try_kubectl("get", "btr", "--namespace", place.namespace)
    assert told.status == 403
    assert told.json["detail"] in refused.stderr


def test_rights_end_at_the_namespace(api: Api, place: Place) -> None:
    assert api.get("/api/backtest?namespace=kube-system", bearer=place.tokens["alice"]).status == 403
    answer = api.ask("POST", "/api/backtest/start?namespace=kube-system", {}, bearer=place.tokens["alice"])
    assert answer.status == 403


def test_no_and_bad_credentials_are_401(api: Api, place: Place) -> None:
    assert start(api, "").status == 401
    assert start(api, "not.a.token").status == 401
    tampered = place.tokens["alice"][:-4] + "AAAA"
    assert api.get("/api/backtest", bearer=tampered).status == 401


def test_a_token_that_ended_is_401_on_a_write(api: Api, place: Place) -> None:
    """The kept review says yes for a while; the API server itself says no."""
    cluster, namespace = place.cluster, place.namespace
    grant(cluster, namespace, "leaver", [{**BREAK_GLASS[0], "verbs": RIGHTS["alice"]}])
    token = cluster.kubectl("create", "token", "leaver", "--namespace", namespace).strip()
    assert start(api, token).status == 201
    cluster.kubectl("delete", "serviceaccount", "leaver", "--namespace", namespace)
    eventually(lambda: start(api, token).status == 401, 30)


def test_break_glass_writes_as_the_apis_own_account(api: Api, place: Place) -> None:
    answer = api.start({}, headers={"x-admin-token": ADMIN})
    assert answer.status == 201
    cancelled = api.ask("DELETE", f"/api/backtest/cancel/{answer.json['id']}", bearer=ADMIN)
    assert cancelled.status == 202
    if place.cluster.audit_log is not None:
        who = {
            record["user"]["username"]
            for record in place.cluster.audited()
            if record.get("objectRef", {}).get("name") == answer.json["id"]
        }
        assert who == {f"system:serviceaccount:{place.namespace}:spark-api"}


def test_a_run_of_kubectl_appears_and_changes_and_goes(api: Api, place: Place) -> None:
    token = place.tokens["bob"]
    run = place.run(start(api, place.tokens["alice"]).json["id"])
    metadata = {"name": "by-kubectl", "namespace": place.namespace}
    place.cluster.apply({**{k: run[k] for k in ("apiVersion", "kind", "spec")}, "metadata": metadata})

    def listed(query: str = "") -> list[str]:
        return [each["id"] for each in api.get(f"/api/backtest?limit=500{query}", bearer=token).json["runs"]]

    eventually(lambda: "by-kubectl" in listed())
    place.conclude("by-kubectl", "Complete", "Succeeded")
    eventually(lambda: listed("&status=done") == ["by-kubectl"])
    place.cluster.kubectl("delete", "btr", "by-kubectl", "--namespace", place.namespace)
    eventually(lambda: "by-kubectl" not in listed())
    assert api.get("/api/backtest/by-kubectl", bearer=token).status == 404


def test_the_same_key_makes_one_run(api: Api, place: Place) -> None:
    token, headers = place.tokens["alice"], {"Idempotency-Key": f"key-{time.time_ns()}"}
    first, second = start(api, token, headers=headers), start(api, token, headers=headers)
    assert (first.status, second.status) == (201, 200)
    assert first.json == second.json
    other = start(api, token, {"notes": "else"}, headers=headers)
    assert (other.status, other.json["reason"]) == (422, "IdempotencyKeyReused")


def test_objections_of_the_real_server_name_their_fields(place: Place) -> None:
    """What the resolver would have told before; here the server's own words are read."""
    spec = {
        "strategy": {"name": "sma-cross", "entryPoint": "a:b"},
        "market": {"symbol": "a, b", "timeframe": "1 fortnight", "start": "2025-01-02T00:00:00Z"},
        "data": {"uri": "sample://btcusdt-1h"},
        "seed": -1,
    }
    run = {
        "apiVersion": "spark.trading/v1alpha1",
        "kind": "BacktestRun",
        "metadata": {"name": "bad"},
        "spec": spec,
    }

    async def refused() -> str:
        cluster = await own_cluster(place.cluster.kubeconfig)()
        try:
            await cluster.create(BACKTEST_RUNS, place.namespace, run)
        except Invalid as error:
            return error.message
        finally:
            await cluster.close()
        raise AssertionError("the server took it")

    message = asyncio.run(refused())
    found = {error.field: error.message for error in objections(message)}
    assert {"spec.market.symbol", "spec.market.timeframe", "spec.seed"} <= found.keys(), message
    assert found["spec.seed"].startswith("Invalid value: -1:")
    assert "should be greater than or equal to 0" in found["spec.seed"]


def test_an_objection_of_admission_keeps_its_words(api: Api, place: Place) -> None:
    """A policy of the cluster, of which the resolver knows nothing."""
    name = f"{place.namespace}-no-notes"
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": ["spark.trading"],
                        "apiVersions": ["*"],
                        "operations": ["CREATE"],
                        "resources": ["backtestruns"],
                    }
                ],
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": place.namespace}},
            },
            "validations": [
                {"expression": "object.spec.?notes.orValue('') != 'no'", "message": "not these notes"}
            ],
        },
    }
    binding = {
        "apiVersion": policy["apiVersion"],
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Deny"]},
    }
    place.cluster.apply(policy, binding)
    try:
        token = place.tokens["alice"]
        answer = eventually(lambda: (a := start(api, token, {"notes": "no"})).status == 422 and a, 30)
        assert "not these notes" in answer.json["detail"]
    finally:
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            place.cluster.kubectl("delete", kind, name)


def test_a_quota_is_told_in_the_servers_words(api: Api, place: Place) -> None:
    """The count of runs in a namespace is limited by a ResourceQuota."""
    hard = {"count/backtestruns.spark.trading": "1"}
    with place.cluster.namespace("http-api-quota") as namespace:
        quota = {"name": "runs", "namespace": namespace}
        place.cluster.apply(
            {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": quota, "spec": {"hard": hard}}
        )
        rules = [{"apiGroups": ["spark.trading"], "resources": ["backtestruns"], "verbs": RIGHTS["alice"]}]
        grant(place.cluster, namespace, "alice", rules)
        token = place.cluster.kubectl("create", "token", "alice", "--namespace", namespace).strip()
        path = f"/api/backtest/start?namespace={namespace}"
        answer = eventually(lambda: (a := api.ask("POST", path, {}, bearer=token)).status == 403 and a, 30)
        assert "exceeded quota" in answer.json["detail"] or "quota" in answer.json["detail"]


def test_an_api_server_that_cannot_be_reached_is_503(place: Place, own_account: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(own_account.read_text())
    document["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:9"
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(document))
    configuration = Configuration.model_validate({"engine": {"image": "x"}})
    with serving(own_cluster(tmp_path / "kubeconfig"), configuration, wait=False) as unreachable:
        answer = unreachable.get("/api/backtest", bearer=place.tokens["alice"])
        assert answer.status == 503
        assert b"127.0.0.1:9" not in answer.content
        assert unreachable.get("/readyz").status == 503
        assert unreachable.get("/healthz").status == 200


def test_an_api_without_the_right_to_review_says_503_and_not_401(place: Place) -> None:
    kubeconfig = place.cluster.as_service_account(place.namespace, "mallory").kubeconfig
    configuration = Configuration.model_validate({"engine": {"image": "x"}})
    with serving(own_cluster(kubeconfig), configuration, wait=False) as powerless:
        assert powerless.get("/api/backtest", bearer=place.tokens["alice"]).status == 503


def command(folder: Path, kubeconfig: Path, config: str, token: str, ports: list[int]) -> list[str]:
    """As the image runs it."""
    (folder / "config.yaml").write_text(config)
    (folder / "ADMIN_TOKEN").write_text(token)
    options = {
        "host": "127.0.0.1",
        "config": folder / "config.yaml",
        "kubeconfig": kubeconfig,
        "admin-token-file": folder / "ADMIN_TOKEN",
        "port": ports[0],
        "metrics-port": ports[1],
    }
    return [
        sys.executable,
        "-m",
        "spark_operator.api",
        *(f"--{name}={value}" for name, value in options.items()),
    ]


def status_of(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def test_the_command_serves_two_ports_and_stops_when_told(
    place: Place, own_account: Path, tmp_path: Path
) -> None:
    port, metrics_port = ports = free_ports(2)
    config = f"engine: {{image: x}}\napi: {{defaultNamespace: {place.namespace}}}\n"
    started = command(tmp_path, own_account, config, ADMIN, ports)
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(started, stderr=log)
    try:
        eventually(lambda: status_of(port, "/readyz") == 200, 90)
        assert status_of(metrics_port, "/metrics") == 200
        assert status_of(metrics_port, "/healthz") == 200
        assert status_of(metrics_port, "/api/backtest") == 404
        assert status_of(port, "/api/backtest") == 401
        api = Api(port, Configuration.model_validate({"engine": {"image": "x"}}))
        assert api.start({}, bearer=place.tokens["alice"]).status == 201
        (tmp_path / "config.yaml").write_text("engine: {image: x}\napi: {mode: readOnly}\n")
        eventually(lambda: api.start({}, bearer="").status == 503, 60)
    finally:
        running.send_signal(signal.SIGTERM)
        code = running.wait(timeout=60)
    assert code == 0
    text = (tmp_path / "log").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[-1]["msg"] == "stopped"
    assert place.tokens["alice"] not in text
    assert ADMIN not in text


@pytest.mark.parametrize(
    ("token", "config", "words"),
    [
        ("test-secret-123", "engine: {image: x}", "at least 32 are needed"),
        (ADMIN, "engine: {image: x}\napi: {runDefaults: {seed: -1}}", "api.runDefaults.seed"),
        (ADMIN, "engine: {image: x}\napi: {mod: readOnly}", "unknown field"),
    ],
)
def test_the_command_ends_at_once_where_a_restart_would_not_help(
    own_account: Path, tmp_path: Path, token: str, config: str, words: str
) -> None:
    started = command(tmp_path, own_account, config, token, free_ports(2))
    ended = subprocess.run(started, stderr=subprocess.PIPE, text=True, timeout=120)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "raceback" not in ended.stderr
    assert token not in ended.stderr
