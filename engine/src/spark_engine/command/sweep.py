"""`backtest sweep`: many parameter sets become a ranked table, and evidence of what the best is worth."""

from __future__ import annotations

import argparse
import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from spark_crds.formats.evidence import REPORT_FILE
from spark_crds.formats.run import RunDocument

from spark_engine.command.console import note, output
from spark_engine.command.inputs import DEFAULT_DIRECTORY, add_inputs
from spark_engine.command.manifest import load_guardrails, load_sweep
from spark_engine.command.sweep_progress import watched
from spark_engine.command.usage import Subparsers, Usage, add_command
from spark_engine.errors import DeadlineExceeded, StoreUnavailable
from spark_engine.evidence.directory import refuse_foreign, write_directory
from spark_engine.evidence.sweep_artifact import SweepArtifact
from spark_engine.execute.deadline import deadline
from spark_engine.execute.sweep_carry_out import Options, carry_out_sweep
from spark_engine.execute.sweep_merge import merge_shards

DETAILS = """\
examples:
  backtest sweep -f examples/btcusdt-1h-sma-sweep.yaml
  backtest sweep -f sweep.yaml --data ./candles/BTCUSDT.csv.gz --set template.account.initialCash=5000
  backtest sweep -f sweep.yaml --shard 0/4 --out shards/0
  backtest sweep merge shards/* --out runs/whole

An interrupted sweep leaves what it has in <out>.partial; the same command with --resume goes on from there.
Neither threads nor shards nor an interruption change a number. A set that cannot be run is a row with an
error.
"""
MERGE_DETAILS = """\
example:
  backtest sweep merge shards/0 shards/1 shards/2 --out runs/whole

The shards must be all those of one sweep. The artifact has the digest that the whole sweep has.
Candles are read only for a sweep with walkForward; --data says where they are now.
"""
SHARD = re.compile(r"([0-9]{1,4})/([0-9]{1,4})", re.ASCII)
MAX_SHARDS = 1000
MAX_THREADS = 256


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "sweep", execute, "try many parameter sets and rank them", DETAILS)
    actions = parser.add_subparsers(title="actions", metavar="[merge]")
    merging = add_command(actions, "merge", merge, "put the shards of a sweep together", MERGE_DETAILS)
    merging.add_argument("directories", metavar="DIR", nargs="+", type=Path)
    merging.add_argument("--out", metavar="DIR", required=True, help="artifact directory")
    merging.add_argument("--data", metavar="URI", help="where the candles are, if not where they were")
    _add_output(merging)
    parser.add_argument("-f", "--file", help="ParameterSweep manifest (YAML or JSON); - is stdin")
    add_inputs(parser, "template.data.uri")
    parser.add_argument(
        "--threads", metavar="N", type=_threads, help="threads to use (default: the processors there are)"
    )
    parser.add_argument(
        "--shard", metavar="K/N", type=_shard, default=(0, 1), help="only shard K of N, from 0/N to N-1/N"
    )
    parser.add_argument("--resume", action="store_true", help="go on where this sweep was interrupted")
    _add_output(parser)


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--output",
        choices=("table", "json"),
        default="table",
        help="how to print the result (default: table)",
    )
    parser.add_argument("--no-report", action="store_true", help="leave out the HTML report")
    parser.add_argument("-q", "--quiet", action="store_true", help="print the artifact directory only")


def execute(options: argparse.Namespace) -> int:
    if options.file is None:
        raise Usage("-f FILE is required; `backtest sweep --help` has examples")
    if options.out is not None:
        refuse_foreign(Path(options.out))
    document = load_sweep(options.file, edits=options.edits, data=options.data)
    limits = None if options.guardrails is None else load_guardrails(options.guardrails)
    folder = _partial(options.out, document, options.shard)
    how = Options(
        threads=options.threads,
        shard=options.shard,
        resume=options.resume,
        with_report=not options.no_report,
        probe=options.probe,
    )
    with (
        _resumable(folder),
        watched(options.quiet) as progress,
        deadline(document.spec.get("activeDeadlineSeconds")),
    ):
        artifact = carry_out_sweep(document, limits, folder, how, progress)
        directory = Path(options.out or _default(document.run.name, options.shard, artifact.digest))
        write_directory(directory, artifact.files)
        _remove(folder)
    _print(artifact, directory, options)
    return 0


def merge(options: argparse.Namespace) -> int:
    target = Path(options.out)
    refuse_foreign(target)
    folder = target.with_name(f"{target.name}.merge")
    try:
        with watched(options.quiet) as progress:
            artifact = merge_shards(
                options.directories,
                folder,
                options.data,
                with_report=not options.no_report,
                progress=progress,
            )
            write_directory(target, artifact.files)
    finally:
        _remove(folder)
    _print(artifact, target, options)
    return 0


def summary(artifact: SweepArtifact, directory: Path) -> dict[str, Any]:
    """What scripts read: figures are plain numbers or null."""
    result = artifact.evidence["result"]
    found: dict[str, Any] = {
        "digest": artifact.digest,
        "counts": result["counts"],
        "artifact": {"dir": str(directory), "sha256": artifact.sha256},
    }
    if "shard" in result:
        return {**found, "shard": result["shard"]}
    figures = {
        name: each["value"]
        for name, each in result["selection"].items()
        if isinstance(each, dict) and "value" in each
    }
    return {
        **found,
        "objective": result["objective"],
        "best": result["best"],
        "selection": {**figures, "trials": result["selection"]["trials"]},
        "checks": result["checks"],
    }


@contextmanager
def _resumable(folder: Path) -> Iterator[None]:
    """Says what an interruption leaves. Raises `StoreUnavailable` where the disk is full or gone."""
    try:
        yield
    except OSError as error:
        _say_what_is_left(folder)
        raise StoreUnavailable(f"cannot write {folder}: {error.strerror or error}", field="--out") from None
    except BaseException as error:
        if not isinstance(error, Exception) or isinstance(error, DeadlineExceeded | StoreUnavailable):
            _say_what_is_left(folder)
        raise


def _say_what_is_left(folder: Path) -> None:
    if folder.exists():
        note(f"what is done so far is in {folder}; the same command with --resume goes on from there")


def _partial(out: str | None, document: RunDocument, shard: tuple[int, int]) -> Path:
    """Beside the artifact; without --out its name is not known yet, and the spec's hash stands for it."""
    if out is not None:
        target = Path(out)
        return target.with_name(f"{target.name}.partial")
    key = document.spec_hash.removeprefix("sha256:")[:8]
    return Path(DEFAULT_DIRECTORY) / f"{document.run.name}{_label(shard)}-{key}.partial"


def _default(name: str, shard: tuple[int, int], digest: str) -> Path:
    return Path(DEFAULT_DIRECTORY) / f"{name}{_label(shard)}-{digest.removeprefix('sha256:')[:8]}"


def _label(shard: tuple[int, int]) -> str:
    return "" if shard == (0, 1) else f"-shard-{shard[0]}-of-{shard[1]}"


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def _threads(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_THREADS):
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MAX_THREADS}, is {text!r}")
    return int(text)


def _shard(text: str) -> tuple[int, int]:
    match = SHARD.fullmatch(text)
    if match is not None and int(match[1]) < int(match[2]) <= MAX_SHARDS:
        return int(match[1]), int(match[2])
    raise argparse.ArgumentTypeError(
        f"must be K/N with N at most {MAX_SHARDS} and K from 0 to N-1, as 0/4; is {text!r}"
    )


def _print(artifact: SweepArtifact, directory: Path, options: argparse.Namespace) -> None:
    if options.output == "json":
        print(json.dumps(summary(artifact, directory), indent=2))
    elif options.quiet:
        print(directory)
    else:
        from spark_engine.command.sweep_table import sweep_table

        report = directory / REPORT_FILE if REPORT_FILE in artifact.files else None
        output().print(sweep_table(artifact.evidence, artifact.files, directory, report))
