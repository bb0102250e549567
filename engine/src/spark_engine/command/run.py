"""`backtest run`: a manifest becomes evidence."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from spark_crds.formats.evidence import REPORT_FILE

from spark_engine.command.console import output, progress
from spark_engine.command.inputs import DEFAULT_DIRECTORY, add_inputs
from spark_engine.command.manifest import load_guardrails, load_run
from spark_engine.command.result_table import result_table
from spark_engine.command.usage import Subparsers, add_command
from spark_engine.evidence.artifact import Artifact
from spark_engine.evidence.directory import refuse_foreign, write_directory
from spark_engine.execute.carry_out import carry_out
from spark_engine.execute.deadline import deadline
from spark_engine.execute.wrap import wrap

DETAILS = """\
examples:
  backtest run -f examples/btcusdt-1h-sma-cross.yaml
  backtest run -f run.yaml --data ./candles/BTCUSDT.csv.gz --set strategy.params.slow=34
  cat run.yaml | backtest run -f - --output json | jq .metrics.sharpe

Nothing is written unless the run succeeds, or guardrails with policy Fail stop it (exit 13).
An existing artifact directory is replaced in one step.
"""
FORMATS = ("table", "json", "yaml")


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "run", execute, "run a backtest and write its evidence", DETAILS)
    parser.add_argument(
        "-f", "--file", required=True, help="BacktestRun manifest (YAML or JSON) or run.json; - is stdin"
    )
    add_inputs(parser, "spec.data.uri")
    parser.add_argument(
        "--output", choices=FORMATS, default="table", help="how to print the result (default: table)"
    )
    parser.add_argument("--no-report", action="store_true", help="leave out the HTML report")
    parser.add_argument("-q", "--quiet", action="store_true", help="print the artifact directory only")


def execute(options: argparse.Namespace) -> int:
    if options.out is not None:
        refuse_foreign(Path(options.out))
    run = load_run(options.file, edits=options.edits, data=options.data)
    limits = None if options.guardrails is None else load_guardrails(options.guardrails)
    with progress(options.quiet) as show, deadline(run.deadline_seconds):
        outcome = carry_out(run, limits, probe=options.probe, on_stage=show)
        artifact = wrap(outcome, with_report=not options.no_report, on_stage=show)
        directory = Path(options.out or default_directory(run.run.name, artifact.digest))
        write_directory(directory, artifact.files)
    _print(artifact, directory, "quiet" if options.quiet and options.output == "table" else options.output)
    if outcome.execution.breach is not None:
        raise outcome.execution.breach
    return 0


def default_directory(name: str, digest: str) -> Path:
    return Path(DEFAULT_DIRECTORY) / f"{name}-{digest.removeprefix('sha256:')[:8]}"


def summary(artifact: Artifact, directory: Path) -> dict[str, Any]:
    """What scripts read: metric values are plain numbers or null."""
    result = artifact.evidence["result"]
    return {
        "digest": artifact.digest,
        "metrics": {name: metric["value"] for name, metric in result["metrics"].items()},
        "artifact": {"dir": str(directory), "sha256": artifact.sha256},
        "checks": result["checks"],
    }


def _print(artifact: Artifact, directory: Path, form: str) -> None:
    if form == "json":
        print(json.dumps(summary(artifact, directory), indent=2))
    elif form == "yaml":
        import yaml

        print(yaml.safe_dump(summary(artifact, directory), sort_keys=False), end="")
    elif form == "quiet":
        print(directory)
    else:
        report = directory / REPORT_FILE if REPORT_FILE in artifact.files else None
        output().print(result_table(artifact.evidence, directory, report))
