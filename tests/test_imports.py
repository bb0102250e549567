"""What a process may import: a pod pays for its imports, and the walls between rooms are real."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from spark_engine.execute.manifest import resolve_run

RUN_IN_POD = """
import json, sys
from spark_engine.pod import main
code = main()
print(json.dumps({"code": code, "modules": sorted({name.split(".")[0] for name in sys.modules})}))
"""


def modules_of_a_pod_run(manifest: dict[str, Any], directory: Path, **fields: object) -> set[str]:
    run_file = directory / "run.json"
    run_file.write_text(json.dumps(resolve_run(manifest).document() | fields))
    finished = subprocess.run(
        [sys.executable, "-c", RUN_IN_POD],
        env={"SPARK_RUN_FILE": str(run_file), "SPARK_TERMINATION_LOG": str(directory / "message")},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(finished.stdout.splitlines()[-1])
    assert told["code"] == 0, finished.stdout
    return set(told["modules"])


def test_a_pod_that_runs_a_built_in_strategy_imports_nothing_heavy(
    manifest: dict[str, Any], tmp_path: Path, heavy_packages: frozenset[str]
) -> None:
    assert modules_of_a_pod_run(manifest, tmp_path) & (heavy_packages | {"jinja2", "obstore"}) == set()


def test_a_pod_that_draws_a_report_imports_jinja2_and_still_nothing_heavy(
    manifest: dict[str, Any], tmp_path: Path, heavy_packages: frozenset[str]
) -> None:
    modules = modules_of_a_pod_run(manifest, tmp_path, artifact={"uri": (tmp_path / "artifact").as_uri()})
    assert "jinja2" in modules
    assert modules & heavy_packages == set()


def test_help_needs_neither_the_schema_nor_numpy() -> None:
    script = (
        "import sys; from spark_engine.command.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(finished.stderr.split()) & {"numpy", "polars", "pydantic", "pandas", "pyarrow"} == set()
