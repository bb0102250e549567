"""`backtest validate`: what the API server and the operator would say of a manifest, without either."""

from __future__ import annotations

import argparse

from spark_crds import GROUP
from spark_crds.formats.outcome import ExitCode

from spark_engine.command.console import complain, note
from spark_engine.command.usage import Subparsers, add_command, read_input
from spark_engine.errors import BacktestError
from spark_engine.execute.check import check
from spark_engine.execute.manifest import resolved_spec

DETAILS = """\
Exit code 0: every object would be accepted and run; 10: one would not, and the message says why.
"""


def configure(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = add_command(commands, "validate", execute, "check manifests as the API server would", DETAILS)
    parser.add_argument(
        "-f", "--file", dest="files", action="append", nargs="+", required=True, help="manifests; - is stdin"
    )


def execute(options: argparse.Namespace) -> int:
    from spark_crds.manifest import ManifestError, load_manifest
    from spark_crds.validate import verdict

    accepted = True
    for name in (name for group in options.files for name in group):
        try:
            manifests = load_manifest(read_input(name), name)
        except ManifestError as error:
            complain(str(error))
            accepted = False
            continue
        for manifest in manifests:
            if _is_foreign(manifest):
                note(f"{name}: {_title(manifest)} is not of {GROUP}: not checked")
                continue
            refusal = verdict(manifest, source=name) or _engine_refusal(manifest)
            accepted = accepted and not refusal
            if refusal:
                complain(f"{name}: {refusal.removeprefix('error: ')}")
            else:
                print(f"{name}: {_title(manifest)} is valid")
    return int(ExitCode.DONE if accepted else ExitCode.INVALID_SPEC)


def _engine_refusal(manifest: dict[str, object]) -> str:
    """What the engine would refuse of an object that the API server accepts; empty if nothing."""
    try:
        if manifest["kind"] == "BacktestRun":
            check(resolved_spec(manifest, "BacktestRun"))
        elif manifest["kind"] == "ParameterSweep":
            # imported here: every other command starts without it
            from spark_engine.execute.swept import check_sweep

            check_sweep(resolved_spec(manifest, "ParameterSweep"))
        elif manifest["kind"] == "MarketDataFeed":
            from spark_crds.metadata import with_name

            from spark_engine.feeds.manifest import feed_settings

            feed_settings(with_name(manifest))
    except BacktestError as error:
        return str(error)
    return ""


def _is_foreign(manifest: dict[str, object]) -> bool:
    """An object of another API, which may well stand beside a run in one file."""
    group, slash, _ = str(manifest.get("apiVersion", "")).partition("/")
    return "kind" in manifest and "apiVersion" in manifest and (not slash or group != GROUP)


def _title(manifest: dict[str, object]) -> str:
    metadata = manifest.get("metadata")
    known = metadata if isinstance(metadata, dict) else {}
    name = known.get("name") or known.get("generateName")
    return f"{manifest.get('kind')}/{name}"
