"""Health, metrics, and the two lists of routes."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from spark_operator.api import runs
from spark_operator.configuration.model import Configuration

from api.memory import MemoryCluster
from api.serving import Api, eventually, serving

LEADER = """# TYPE leader_election_master_status gauge
leader_election_master_status{name="spark-operator"} 1
# TYPE backtest_start_total counter
backtest_start_total 3
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 99
# TYPE backtest_duration_seconds histogram
backtest_duration_seconds_bucket{le="1.0"} 1
backtest_duration_seconds_bucket{le="+Inf"} 2
backtest_duration_seconds_count 2
backtest_duration_seconds_sum 9
"""
STANDBY = (
    "# TYPE leader_election_master_status gauge\nleader_election_master_status 0\nbacktest_start_total 7\n"
)


@contextmanager
def operator(text: str) -> Iterator[str]:
    """An operator replica that answers with these series."""

    class Replica(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Replica)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()


def series(text: bytes) -> dict[str, float]:
    families = text_string_to_metric_families(text.decode())
    return {
        sample.name + str(sample.labels or ""): sample.value
        for family in families
        for sample in family.samples
    }


def test_metrics_have_every_name_before_anything_happened(api: Api) -> None:
    found = series(api.get("/metrics").content)
    for name in (
        "spark_ui_hits_total",
        "backtest_enqueue_ms_count",
        "executor_lite_heartbeat_timestamp_seconds",
        "backtest_auth_failures_total{'reason': 'missing'}",
        "backtest_auth_failures_total{'reason': 'ambiguous'}",
        "backtest_auth_failures_total{'reason': 'malformed'}",
        "backtest_auth_failures_total{'reason': 'invalid'}",
    ):
        assert name in found, name
    bounds = [name for name in found if name.startswith("backtest_enqueue_ms_bucket")]
    edges = [re.search(r"'le': '([^']+)'", name)[1] for name in bounds]
    assert edges == [
        *(f"{edge}.0" for edge in (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)),
        "+Inf",
    ]


def test_a_start_is_observed_and_a_refused_one_is_not(api: Api) -> None:
    api.start({})
    api.start({"pair": 1})
    api.start({}, bearer="bob-token")
    assert series(api.get("/metrics").content)["backtest_enqueue_ms_count"] == 1


def test_reads_of_metrics_are_counted(api: Api) -> None:
    before = series(api.get("/metrics").content)["spark_ui_hits_total"]
    api.get("/api/public/metrics/prom")
    assert series(api.get("/metrics").content)["spark_ui_hits_total"] == before + 2


def test_the_heartbeat_is_the_watchs_and_not_the_scrapes(api: Api, cluster: MemoryCluster) -> None:
    def beat() -> float:
        return series(api.get("/metrics").content)["executor_lite_heartbeat_timestamp_seconds"]

    first = beat()
    assert first > 1_700_000_000
    assert beat() == first
    cluster.add("one")
    eventually(lambda: beat() > first)


def test_one_address_shows_the_leaders_series_too(
    cluster: MemoryCluster, configuration: Configuration
) -> None:
    with operator(LEADER) as url, serving(lambda: cluster, configuration, operator_metrics_url=url) as api:
        answer = api.get("/api/public/metrics/prom")
        found = series(answer.content)
        assert found["backtest_start_total"] == 3
        assert found["backtest_duration_seconds_count"] == 2
        assert found["backtest_enqueue_ms_count"] == 0
        assert found["process_cpu_seconds_total"] != 99
        types = re.findall(rb"^# TYPE (\S+)", answer.content, re.MULTILINE)
        assert len(types) == len(set(types))
        assert "backtest_start_total" not in series(api.get("/metrics").content)


def test_a_standby_or_silent_operator_adds_nothing(
    cluster: MemoryCluster, configuration: Configuration, refused_port: int, unknown_name: str
) -> None:
    nobody = (f"http://127.0.0.1:{refused_port}/metrics", f"http://{unknown_name}:8080/metrics")
    with operator(STANDBY) as standby, operator("<html>") as nonsense:
        for url in (standby, nonsense, *nobody):
            with serving(lambda: cluster, configuration, operator_metrics_url=url) as api:
                found = series(api.get("/api/public/metrics/prom").content)
                assert "backtest_start_total" not in found, url
                assert "backtest_enqueue_ms_count" in found, url


def test_ready_only_once_the_runs_were_listed(cluster: MemoryCluster, configuration: Configuration) -> None:
    cluster.state.down = True
    with serving(lambda: cluster, configuration, wait=False) as api:
        for path in ("/readyz", "/api/public/healthz"):
            answer = api.get(path)
            assert (answer.status, answer.json["reason"]) == (503, "NotReady")
        assert api.get("/healthz").status == 200
        cluster.state.down = False
        eventually(lambda: api.get("/readyz").status == 200)
        assert api.get("/api/public/healthz").json == {"status": "ok"}


def test_not_ready_once_nothing_is_heard(api: Api, cluster: MemoryCluster, monkeypatch: object) -> None:
    api.get("/api/backtest")  # alice is known now
    monkeypatch.setattr(runs, "STALE_SECONDS", 0.05)
    cluster.state.down = True
    eventually(lambda: api.get("/readyz").status == 503)
    answer = api.get("/api/backtest")
    assert (answer.status, answer.json["reason"]) == (503, "Unavailable")
    assert api.get("/healthz").status == 200
    cluster.state.down = False
    monkeypatch.setattr(runs, "STALE_SECONDS", 60)
    eventually(lambda: api.get("/readyz").status == 200)


def test_not_alive_once_the_watch_ended_by_a_fault_of_ours(api: Api, cluster: MemoryCluster) -> None:
    broken = cluster.add("one")
    broken["spec"] = {}
    cluster.store(broken)
    eventually(lambda: api.get("/healthz").status == 503)


def test_routes_and_openapi_tell_the_same(api: Api) -> None:
    routes = {(route["path"], route["methods"]) for route in api.get("/__routes").json["routes"]}
    paths = api.get("/openapi.json").json["paths"]
    documented = {(path, ",".join(sorted(map(str.upper, item)))) for path, item in paths.items()}
    assert routes == documented
    assert ("/api/backtest/start", "POST") in routes
    assert ("/api/backtest/cancel/{id}", "DELETE") in routes


def test_the_page_about_the_api_names_every_route(api: Api) -> None:
    page = (Path(__file__).parents[3] / "docs/api.md").read_text()
    for route in api.get("/__routes").json["routes"]:
        assert f"`{route['methods']} {route['path']}`" in page


def test_fixed_paths_stand_before_the_id(api: Api) -> None:
    order = [route["path"] for route in api.get("/__routes").json["routes"]]
    by_id = order.index("/api/backtest/{id}")
    assert order.index("/api/backtest/status") < by_id
    assert order.index("/api/backtest/start") < by_id


def test_openapi_is_whole(api: Api) -> None:
    document = api.get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    references = set(re.findall(r'"#/components/schemas/(\w+)"', api.get("/openapi.json").content.decode()))
    assert references <= document["components"]["schemas"].keys()
    identifiers = [one["operationId"] for item in document["paths"].values() for one in item.values()]
    assert len(identifiers) == len(set(identifiers))
    for path, item in document["paths"].items():
        for one in item.values():
            declared = {p["name"] for p in one["parameters"] if p["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path)), path
    assert "x-kubernetes-validations" not in str(document)
    fields = document["components"]["schemas"]["BacktestRunSpec"]["properties"]
    assert fields["seed"]["minimum"] == 0


def test_answers_are_as_documented(api: Api, cluster: MemoryCluster) -> None:
    import jsonschema

    document = api.get("/openapi.json").json
    name = api.start({}).json["id"]
    for method, path, answer in (
        ("get", "/api/backtest", api.get("/api/backtest")),
        ("get", "/api/backtest/status", api.get("/api/backtest/status")),
        ("get", "/api/backtest/{id}", api.get(f"/api/backtest/{name}")),
        ("post", "/api/backtest/start", api.start({})),
        ("delete", "/api/backtest/cancel/{id}", api.ask("DELETE", f"/api/backtest/cancel/{name}")),
        ("get", "/__routes", api.get("/__routes")),
        ("get", "/api/backtest", api.get("/api/backtest", bearer="")),
        ("post", "/api/backtest/start", api.start({"pair": 1})),
    ):
        documented = document["paths"][path][method]["responses"][str(answer.status)]
        (content,) = documented["content"].values()
        schema = {**content["schema"], "components": document["components"]}
        jsonschema.validate(answer.json, schema, cls=jsonschema.Draft202012Validator)
