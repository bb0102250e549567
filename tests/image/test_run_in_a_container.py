"""The engine image at work: the same evidence as this checkout, by command and by pod entry point."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.image.conftest import Container

pytestmark = pytest.mark.image

CHECKOUT = Path(__file__).resolve().parents[2]
MOST_BYTES_OF_A_MESSAGE = 3500
HEAVY = {"numpy", "polars", "pandas", "pyarrow", "pydantic", "yaml", "rich", "jsonschema"}
# Runs the entry point, then tells which modules it took, and which of them had to be compiled at start.
PROBE = """
import json, os, sys
from spark_engine.pod import main
code = main()
taken = {name: getattr(module, "__spec__", None) for name, module in sys.modules.items()}
uncompiled = [n for n, s in taken.items() if s and s.cached and not os.path.exists(s.cached)]
print(json.dumps({"code": code, "modules": sorted(taken), "uncompiled": uncompiled}))
"""


@pytest.fixture(scope="session")
def laptop_evidence(laptop_artifact: Path) -> dict[str, Any]:
    return _json(laptop_artifact / "evidence.json")


@pytest.fixture
def run_file(laptop_artifact: Path, tmp_path: Path) -> Path:
    """The laptop's resolved run as the operator would mount it: with uid, deadline and artifact store."""
    document = _json(laptop_artifact / "spec.json")
    document["run"] |= {"namespace": "desk", "uid": "0f8b1c52-6a5e-4d0e-9f1c-3a2d2f7b9e11"}
    document |= {"artifact": {"uri": "file:///volume/artifact"}, "deadlineSeconds": 60}
    return _write(tmp_path / "run.json", document)


def test_the_command_gives_the_digest_of_this_checkout(
    container: Container, writable: Path, laptop_evidence: dict[str, Any]
) -> None:
    manifest = CHECKOUT / "examples/btcusdt-1h-sma-cross.yaml"
    ran = container.run(
        *("backtest", "run", "-f", "/run.yaml", "--out", "/volume/artifact", "--output", "json"),
        mounts={manifest: "/run.yaml:ro", writable: "/volume"},
    )
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["digest"] == laptop_evidence["digest"]
    assert _json(writable / "artifact/evidence.json")["result"] == laptop_evidence["result"]


def test_the_pod_entry_point_gives_the_digest_of_this_checkout(
    container: Container, writable: Path, run_file: Path, laptop_evidence: dict[str, Any]
) -> None:
    ran = _run_pod(container, run_file, writable)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    content = (writable / "message").read_bytes()
    message = json.loads(content)
    evidence = (writable / "artifact/job/evidence.json").read_bytes()
    metrics = laptop_evidence["result"]["metrics"]
    assert len(content) <= MOST_BYTES_OF_A_MESSAGE
    assert message["digest"] == json.loads(evidence)["digest"] == laptop_evidence["digest"]
    assert message["metrics"] == {name: m["value"] for name, m in metrics.items() if m["value"] is not None}
    assert message["runUID"] == "0f8b1c52-6a5e-4d0e-9f1c-3a2d2f7b9e11"
    assert message["artifact"] == {
        "uri": "file:///volume/artifact/job",
        "sha256": hashlib.sha256(evidence).hexdigest(),
        "bytes": len(evidence),
        "files": sorted(path.name for path in (writable / "artifact/job").iterdir()),
    }


def test_the_pod_runs_on_a_read_only_root(container: Container, writable: Path, run_file: Path) -> None:
    (writable / "run.json").write_bytes(run_file.read_bytes())
    (container.root / "volume").mkdir(exist_ok=True)
    script = """
        mount --bind "$1" "$1"; mount --rbind /dev "$1/dev"
        mount --bind "$2" "$1/volume"; mount -o remount,bind,ro "$1"
        root=$1; identity=$3; shift 3
        exec chroot --userspec="$identity" "$root" /usr/bin/env -i "$@"
    """
    environment = [
        *container.config["Env"],
        "SPARK_RUN_FILE=/volume/run.json",
        "SPARK_TERMINATION_LOG=/volume/message",
    ]
    arguments = [
        str(container.root),
        str(writable),
        container.config["User"],
        *environment,
        *container.entry_point,
    ]
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-ec", script, "sh", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "digest" in _json(writable / "message")


def test_the_image_accepts_and_repeats_the_artifact_of_a_laptop(
    container: Container, laptop_artifact: Path
) -> None:
    verified = container.run(
        *("backtest", "verify", "/artifact", "--rerun"), mounts={laptop_artifact: "/artifact:ro"}
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_kernel_is_compiled(container: Container, writable: Path, run_file: Path) -> None:
    _run_pod(container, run_file, writable)
    assert _json(writable / "artifact/job/evidence.json")["run"]["kernel"]["compiled"] is True


def test_a_run_imports_no_heavy_library_and_compiles_nothing_at_start(
    container: Container, writable: Path, run_file: Path
) -> None:
    ran = _run_pod(container, run_file, writable, command=["python", "-c", PROBE])
    told = json.loads(ran.stdout.splitlines()[-1])
    assert told["code"] == 0, ran.stdout
    assert "spark_engine.simulation.kernel" in told["modules"]
    assert HEAVY.intersection(told["modules"]) == set()
    assert told["uncompiled"] == []


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"{not json", None),
        (b'{"schema": "spark.trading/run/v0"}', "schema"),
        (b'{"schema": "spark.trading/run/v1", "run": {"name": "a"}, "specHash": "b"}', "spec"),
    ],
    ids=["not JSON", "unknown schema", "no spec"],
)
def test_a_bad_run_file_ends_with_10_and_says_why(
    container: Container, writable: Path, tmp_path: Path, content: bytes, field: str | None
) -> None:
    bad = tmp_path / "run.json"
    bad.write_bytes(content)
    ran = _run_pod(container, bad, writable)
    error = _json(writable / "message")["error"]
    assert ran.returncode == 10
    assert error["reason"] == "InvalidSpec"
    assert error.get("field") == field
    assert error["message"]
    assert "Traceback" not in ran.stdout + ran.stderr


def test_an_unknown_strategy_ends_with_10_and_leaves_no_artifact(
    container: Container, writable: Path, run_file: Path
) -> None:
    document = _json(run_file)
    document["spec"]["strategy"]["name"] = "oracle-of-delphi"
    ran = _run_pod(container, _write(run_file, document), writable)
    assert ran.returncode == 10, ran.stdout + ran.stderr
    assert _json(writable / "message")["error"]["field"] == "spec.strategy.name"
    assert [path.name for path in writable.iterdir()] == ["message"]


def _run_pod(
    container: Container, run_file: Path, volume: Path, command: list[str] | None = None
) -> subprocess.CompletedProcess[str]:
    return container.run(
        *(command or container.entry_point),
        mounts={run_file: "/etc/backtest/run.json:ro", volume: "/volume"},
        environment={"SPARK_TERMINATION_LOG": "/volume/message", "SPARK_JOB_UID": "job"},
    )


def _json(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_bytes())
    return document


def _write(path: Path, document: dict[str, Any]) -> Path:
    path.write_text(json.dumps(document))
    return path
