"""Downloads from a real S3 server. Credentials are in the environment, as in the API's pod."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from spark_operator.configuration.model import Configuration

from api.memory import MemoryCluster, ended
from api.serving import Api, serving

pytestmark = pytest.mark.s3

TABLE = bytes(range(256)) * 8192


@pytest.fixture
def stored(
    cluster: MemoryCluster,
    configuration: Configuration,
    s3: Any,
) -> Iterator[Api]:
    """The API over a bucket, with one finished run, `one`."""
    uid = cluster.add("one")["metadata"]["uid"]
    key = f"artifacts/evidence/backtest/quant/one-{uid}/job-uid"
    s3.put(f"{key}/evidence.json", b"{}")
    s3.put(f"{key}/equity.parquet", TABLE)
    s3.put(f"artifacts/evidence/backtest/quant/one-{uid}-other/job-uid/secret.json", b"{}")
    place = f"s3://{s3.bucket}/{key}/"
    cluster.set_status("one", ended(artifact={"uri": place, "sha256": "0" * 64, "bytes": 2}))
    where = {"uri": f"s3://{s3.bucket}/artifacts", "endpoint": s3.endpoint, "region": "us-east-1"}
    store = configuration.store.model_copy(update=where)
    with serving(lambda: cluster, configuration.model_copy(update={"store": store})) as running:
        running.bearer = "bob-token"
        yield running


def test_files_of_a_bucket_are_listed_and_streamed(stored: Api) -> None:
    listed = stored.get("/api/backtest/one/artifacts").json["artifacts"]
    assert [(file["name"], file["bytes"]) for file in listed] == [
        ("equity.parquet", len(TABLE)),
        ("evidence.json", 2),
    ]
    answer = stored.get(listed[0]["url"])
    assert answer.content == TABLE
    assert answer.headers["content-length"] == str(len(TABLE))
    tag = {"If-None-Match": answer.headers["etag"]}
    assert stored.get(listed[0]["url"], headers=tag).status == 304


def test_what_is_not_in_the_bucket_is_404(stored: Api) -> None:
    assert stored.get("/api/backtest/one/artifacts/none.json").status == 404
    assert stored.ask("HEAD", "/api/backtest/one/artifacts/equity.parquet").content == b""
