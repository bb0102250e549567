"""A pod's artifacts in a real object store."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.store import from_url
from spark_engine.errors import StoreUnavailable
from spark_engine.execute.carry_out import carry_out
from spark_engine.execute.manifest import resolve_run
from spark_engine.execute.store import put
from spark_engine.execute.wrap import wrap

pytestmark = pytest.mark.s3


def test_the_artifact_of_a_run_comes_back_whole_and_verifies(
    s3: Any, manifest: dict[str, Any], tmp_path: Path, backtest: Callable[..., Any]
) -> None:
    artifact = wrap(carry_out(resolve_run(manifest)))
    uri = f"s3://{s3.bucket}/evidence/{uuid.uuid4().hex}/job-1"
    put(uri, artifact.files)
    store = from_url(uri, client_options={"allow_http": True})
    stored = {entry["path"] for batch in obstore.list(store) for entry in batch}
    assert stored == set(artifact.files)
    (tmp_path / "back").mkdir()
    for name in stored:
        (tmp_path / "back" / name).write_bytes(bytes(obstore.get(store, name).bytes()))
    assert hashlib.sha256((tmp_path / "back" / "evidence.json").read_bytes()).hexdigest() == artifact.sha256
    assert backtest("verify", "back", "--rerun").returncode == 0


def test_a_bucket_that_is_not_there_is_an_unavailable_store(s3: Any) -> None:
    with pytest.raises(StoreUnavailable, match="s3://nowhere/x"):
        put("s3://nowhere/x", {"evidence.json": b"{}"})


def test_an_endpoint_that_is_no_url_is_an_unavailable_store(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:1")
    with pytest.raises(StoreUnavailable, match="http"):
        put(f"s3://{s3.bucket}/x", {"evidence.json": b"{}"})
