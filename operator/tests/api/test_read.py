"""List, status, detail: answers from the watch cache."""

from __future__ import annotations

from base64 import urlsafe_b64encode

from api.memory import MemoryCluster, a_run, conditions, ended
from api.serving import Api, eventually


def names(answer: object) -> list[str]:
    return [run["id"] for run in answer.json["runs"]]


def shown(api: Api, count: int) -> None:
    """Waits for the watch."""
    eventually(lambda: len(api.get("/api/backtest?limit=500").json["runs"]) == count)


def test_a_run_made_by_kubectl_appears(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("by-kubectl", symbol="ETHUSDT")
    shown(api, 1)
    (run,) = api.get("/api/backtest").json["runs"]
    assert (run["id"], run["pair"], run["status"]) == ("by-kubectl", "ETHUSDT", "queued")


def test_a_run_just_started_is_read_at_once(api: Api) -> None:
    name = api.start({}).json["id"]
    assert api.get(f"/api/backtest/{name}").status == 200
    assert names(api.get("/api/backtest")) == [name]


def test_a_run_that_another_replica_made_is_read_live(api: Api, cluster: MemoryCluster) -> None:
    run = a_run("elsewhere")
    cluster.state.runs["quant", "elsewhere"] = run  # the watch never tells
    assert api.get("/api/backtest/elsewhere").json["uid"] == run["metadata"]["uid"]


def test_a_change_of_status_is_seen(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("one")
    cluster.set_status("one", ended("Failed", "DeadlineExceeded", completionTime="2026-01-01T00:01:00Z"))
    run = eventually(lambda: api.get("/api/backtest?status=failed").json["runs"])[0]
    assert (run["reason"], run["finishedAt"]) == ("DeadlineExceeded", 1767225660000)


def test_a_deleted_run_is_gone(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("one")
    shown(api, 1)
    cluster.remove("one")
    shown(api, 0)
    assert api.get("/api/backtest/one").status == 404


def test_detail_has_spec_results_and_links(api: Api, cluster: MemoryCluster) -> None:
    digest = "sha256:" + "0" * 64
    cluster.add("one", status=ended("Complete", digest=digest, summary={"sharpe": 1.5}))
    shown(api, 1)
    run = api.get("/api/backtest/one").json
    assert run["spec"]["data"]["uri"] == "sample://btcusdt-1h"
    assert (run["digest"], run["metrics"], run["status"]) == (digest, {"sharpe": 1.5}, "done")
    assert run["links"]["cancel"] == "/api/backtest/cancel/one?namespace=quant"


def test_status_without_an_id_counts_runs(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("a")
    cluster.add("b", status=conditions(("Reconciling", "True", "Running")))
    cluster.add("c", status=ended("Complete"))
    cluster.add("d", status=ended("Failed", "Cancelled"))
    cluster.add("e", namespace="other")
    shown(api, 4)
    body = api.get("/api/backtest/status?limit=2").json
    assert {word: body[word] for word in ("queued", "running", "done", "failed")} == {
        "queued": 1,
        "running": 1,
        "done": 1,
        "failed": 1,
    }
    assert [run["id"] for run in body["runs"]] == ["d", "c"]


def test_status_with_an_id_is_that_run(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("one")
    shown(api, 1)
    assert api.get("/api/backtest/status?id=one").json == api.get("/api/backtest/one").json
    assert api.get("/api/backtest/status?id=none").status == 404
    assert api.get("/api/backtest/status?id=../x").status == 404


def test_pages_continue_until_all_were_shown_once(api: Api, cluster: MemoryCluster) -> None:
    for number in range(7):
        cluster.add(f"run-{number}")
    shown(api, 7)
    seen, token = [], ""
    for _ in range(4):
        page = api.get(f"/api/backtest?limit=3&continue={token}")
        seen += names(page)
        token = page.json["continue"]
        if not token:
            break
        cluster.add(f"late-{len(seen)}")  # in front of what was shown
    assert seen == [f"run-{number}" for number in reversed(range(7))]


def test_filters_join(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("a", symbol="ETHUSDT", strategy="rsi", status=ended())
    cluster.add("b", symbol="ETHUSDT")
    cluster.add("c", symbol="BTCUSDT", strategy="rsi")
    shown(api, 3)
    assert names(api.get("/api/backtest?symbol=ETHUSDT")) == ["b", "a"]
    assert names(api.get("/api/backtest?strategy=rsi&symbol=ETHUSDT&status=done")) == ["a"]
    assert names(api.get("/api/backtest?status=running")) == []


def test_a_wrong_parameter_is_named(api: Api) -> None:
    for query, field in (
        ("status=finished", "status"),
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("limit=501", "limit"),
        ("continue=nonsense", "continue"),
        ("continue=WzEsMl0%3D", "continue"),
        (f"continue={urlsafe_b64encode(b'[' * 30_000).decode()}", "continue"),
        ("namespace=Not_One", "namespace"),
    ):
        answer = api.get(f"/api/backtest?{query}")
        assert (answer.status, answer.json["errors"][0]["field"]) == (422, field), query
    unknown = api.get("/api/backtest?strategi=rsi")
    assert unknown.status == 400
    assert "strategy" in unknown.json["detail"]


def test_an_unchanged_run_answers_304(api: Api, cluster: MemoryCluster) -> None:
    version = cluster.add("one")["metadata"]["resourceVersion"]
    shown(api, 1)
    answer = api.get("/api/backtest/one")
    assert answer.headers["etag"] == f'"{version}"'
    again = {"If-None-Match": answer.headers["etag"]}
    unchanged = api.get("/api/backtest/one", headers=again)
    assert (unchanged.status, unchanged.content) == (304, b"")
    cluster.set_status("one", ended())
    eventually(lambda: api.get("/api/backtest/one", headers=again).status == 200)


def test_an_unchanged_list_answers_304_to_the_same_question(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("one")
    shown(api, 1)
    tag = {"If-None-Match": api.get("/api/backtest?limit=5").headers["etag"]}
    assert api.get("/api/backtest?limit=5", headers=tag).status == 304
    assert api.get("/api/backtest?limit=6", headers=tag).status == 200
    cluster.remove("one")
    eventually(lambda: api.get("/api/backtest?limit=5", headers=tag).status == 200)


def test_names_of_fixed_paths_are_no_runs(api: Api, cluster: MemoryCluster) -> None:
    for name in ("start", "status", "stream", "cancel"):
        cluster.add(name)  # CEL would refuse them
    for path, status in (("start", 405), ("stream", 404), ("cancel", 404), ("cancel/stream", 404)):
        assert api.get(f"/api/backtest/{path}").status == status, path
    assert api.get("/api/backtest/status").json["runs"] is not None
    assert api.get("/api/backtest/stream/artifacts").status == 404
    cluster.add("starter")
    assert api.get("/api/backtest/starter").status == 200


def test_a_namespace_that_is_not_watched_is_told(cluster: MemoryCluster, configuration: object) -> None:
    from api.serving import serving

    watch = configuration.watch.model_copy(update={"namespaces": ["quant", "desk"]})
    cluster.add("one", namespace="desk")
    cluster.add("two", namespace="elsewhere")
    with serving(lambda: cluster, configuration.model_copy(update={"watch": watch})) as api:
        api.bearer = "alice-token"
        assert names(api.get("/api/backtest?namespace=desk")) == ["one"]
        assert api.get("/api/backtest?namespace=elsewhere").status == 404
        assert api.get("/api/backtest/two?namespace=elsewhere").status == 404
