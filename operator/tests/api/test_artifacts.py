"""What a run left in the artifact store, as downloads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from spark_operator.configuration.model import Configuration

from api.memory import MemoryCluster, ended
from api.serving import Api, eventually, serving

EVIDENCE = b'{"schema":"spark.trading/evidence/v1"}'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def stored(cluster: MemoryCluster, configuration: Configuration, root: Path) -> Iterator[Api]:
    """The API over a store on a volume, with one finished run, `one`."""
    root.mkdir()
    run = cluster.add("one")
    folder = evidence(root, run) / "job-uid"
    folder.mkdir(parents=True)
    (folder / "evidence.json").write_bytes(EVIDENCE)
    (folder / "equity.parquet").write_bytes(bytes(range(256)) * 4096)
    (folder / "report.html").write_text("<script>1</script>")
    artifact = {"uri": f"file://{folder}/", "sha256": "0" * 64, "bytes": len(EVIDENCE)}
    cluster.set_status("one", ended(artifact=artifact))
    store = configuration.store.model_copy(update={"uri": f"file://{root}"})
    with serving(lambda: cluster, configuration.model_copy(update={"store": store})) as running:
        running.bearer = "bob-token"
        yield running


def evidence(root: Path, run: dict) -> Path:
    metadata = run["metadata"]
    return root / "evidence/backtest" / metadata["namespace"] / f"{metadata['name']}-{metadata['uid']}"


def job_folder(root: Path, cluster: MemoryCluster) -> Path:
    return evidence(root, cluster.state.runs["quant", "one"]) / "job-uid"


def point(api: Api, cluster: MemoryCluster, uri: str) -> None:
    """Makes the status name another place, and waits until the API knows."""
    cluster.set_status("one", ended(artifact={"uri": uri, "sha256": "0" * 64, "bytes": 1}))
    eventually(lambda: api.get("/api/backtest/one").json["artifact"]["uri"] == uri)


def test_files_are_listed_with_their_sizes_and_addresses(stored: Api) -> None:
    listed = stored.get("/api/backtest/one/artifacts").json["artifacts"]
    assert [(file["name"], file["bytes"]) for file in listed] == [
        ("equity.parquet", 256 * 4096),
        ("evidence.json", len(EVIDENCE)),
        ("report.html", 18),
    ]
    assert stored.get(listed[1]["url"]).content == EVIDENCE


def test_a_file_comes_whole_with_its_type_length_and_etag(stored: Api) -> None:
    answer = stored.get("/api/backtest/one/artifacts/equity.parquet")
    assert answer.content == bytes(range(256)) * 4096
    assert answer.headers["content-length"] == str(256 * 4096)
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    tag = {"If-None-Match": answer.headers["etag"]}
    assert stored.get("/api/backtest/one/artifacts/equity.parquet", headers=tag).status == 304


def test_head_tells_the_length_and_sends_nothing(stored: Api) -> None:
    answer = stored.ask("HEAD", "/api/backtest/one/artifacts/equity.parquet")
    assert (answer.status, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(256 * 4096)


def test_a_report_runs_in_an_origin_of_its_own(stored: Api) -> None:
    policy = stored.get("/api/backtest/one/artifacts/report.html").headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts;")
    assert "allow-same-origin" not in policy


@pytest.mark.parametrize(
    "name",
    [
        "none.json",
        "..",
        "%2e%2e%2fevidence.json",
        "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "%2fetc%2fpasswd",
        "evidence.json%00",
        "evidence.json/",
        ".hidden",
        "a%0d%0aX-Injected: 1".replace(" ", "%20"),
    ],
)
def test_a_name_outside_the_directory_is_404(stored: Api, name: str) -> None:
    answer = stored.get(f"/api/backtest/one/artifacts/{name}")
    assert answer.status == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "x-injected" not in answer.headers


def test_links_that_a_pod_left_in_the_volume_are_not_followed(
    stored: Api, root: Path, cluster: MemoryCluster, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the API's own token")
    folder = job_folder(root, cluster)
    (folder / "link.json").symlink_to(secret)
    os.mkfifo(folder / "pipe.json")
    (folder / "folder.json").mkdir()
    for name in ("link.json", "pipe.json", "folder.json"):
        assert stored.get(f"/api/backtest/one/artifacts/{name}").status == 404, name
    listed = [file["name"] for file in stored.get("/api/backtest/one/artifacts").json["artifacts"]]
    assert listed == ["equity.parquet", "evidence.json", "report.html"]


def test_a_directory_that_became_a_link_is_not_followed(
    stored: Api, root: Path, cluster: MemoryCluster, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/evidence.json").write_text("of somebody else")
    folder = job_folder(root, cluster)
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "elsewhere")
    answer = stored.get("/api/backtest/one/artifacts/evidence.json")
    assert answer.status in (404, 503)
    assert b"somebody else" not in answer.content


@pytest.mark.parametrize(
    "place",
    [
        "{root}/evidence/backtest/quant/other-{uid}/job-uid/",
        "{root}/evidence/backtest/desk/one-{uid}/job-uid/",
        "{root}/evidence/backtest/quant/one-{uid}/../../../../",
        "{root}/evidence/backtest/quant/one-{uid}/%2e%2e/",
        "{root}-other/evidence/backtest/quant/one-{uid}/job-uid/",
        "/etc/",
    ],
)
def test_a_status_that_names_another_place_opens_nothing(
    stored: Api, root: Path, cluster: MemoryCluster, place: str
) -> None:
    uid = cluster.state.runs["quant", "one"]["metadata"]["uid"]
    point(stored, cluster, "file://" + place.format(root=root, uid=uid))
    for path in ("artifacts", "artifacts/evidence.json"):
        answer = stored.get(f"/api/backtest/one/{path}")
        assert (answer.status, answer.json["reason"]) == (404, "NoArtifact")


def test_a_run_without_an_artifact_says_so(stored: Api, cluster: MemoryCluster) -> None:
    cluster.add("two")
    answer = stored.get("/api/backtest/two/artifacts")
    assert (answer.status, answer.json["reason"]) == (404, "NoArtifact")


def test_without_a_store_the_answer_says_so(api: Api, cluster: MemoryCluster) -> None:
    cluster.add("one", status=ended())
    answer = api.get("/api/backtest/one/artifacts")
    assert answer.status == 404
    assert answer.json["detail"] == "no artifact store configured"


def test_a_store_that_does_not_answer_is_503(
    cluster: MemoryCluster, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):  # else a cloud's machine is asked for them
        monkeypatch.setenv(name, "of-a-test")
    run = cluster.add("one")
    place = f"evidence/backtest/quant/one-{run['metadata']['uid']}/job-uid/"
    cluster.set_status("one", ended(artifact={"uri": f"s3://bucket/{place}", "sha256": "0" * 64, "bytes": 1}))
    place = {"uri": "s3://bucket", "endpoint": "http://127.0.0.1:9", "region": "us-east-1"}
    store = configuration.store.model_copy(update=place)
    with serving(lambda: cluster, configuration.model_copy(update={"store": store})) as running:
        answer = running.get("/api/backtest/one/artifacts/evidence.json", bearer="alice-token")
        assert (answer.status, answer.json["reason"]) == (503, "StoreUnavailable")
        assert b"127.0.0.1:9" not in answer.content


def test_who_may_not_read_the_run_gets_no_file(stored: Api) -> None:
    assert stored.get("/api/backtest/one/artifacts/evidence.json", bearer="mallory-token").status == 403
