"""Offline verification of the artifact of a sweep or a shard: do its figures follow from its tables?"""

from __future__ import annotations

import json
import tempfile
from array import array
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from spark_crds.canonical import canonical
from spark_crds.formats.evidence import EVIDENCE_FILE, SPEC_FILE

from spark_engine.evidence import sweep_finish
from spark_engine.evidence.stored import Directory, require_intact
from spark_engine.evidence.sweep_gather import Gathered, Sources, gather
from spark_engine.evidence.sweep_result import (
    BLOCKS_FILE,
    CURVE_FILE,
    DIGESTED_FIELDS,
    RESULTS_FILE,
    SHARD_SCHEMA,
    SWEEP_EVIDENCE_SCHEMA,
    TOP_FILE,
    TRAINING_FILE,
    WINDOWS_FILE,
    curve_digest,
    digested_sweep,
    sweep_digest,
    windows_digest,
)
from spark_engine.evidence.sweep_tables import read_batches
from spark_engine.evidence.sweep_training import picks
from spark_engine.evidence.tables import decode

Evidence = Mapping[str, Any]
TOLERANCE = 1e-9
JUDGED = ("best", "selection", "checks")


def _digest_follows(_directory: Directory, evidence: Evidence) -> Iterator[str]:
    if sweep_digest(evidence["result"], evidence["schema"]) != evidence["digest"]:
        yield f"{EVIDENCE_FILE}: digest does not follow from {', '.join(DIGESTED_FIELDS)}"


def _spec_agrees(directory: Directory, evidence: Evidence) -> Iterator[str]:
    require_intact(directory, evidence, (SPEC_FILE,))
    result = evidence["result"]
    earlier = [each["digest"] for each in result["selectionContext"]]
    limits = result["spec"]["template"]["guardrails"]
    spec = digested_sweep(json.loads(directory.files[SPEC_FILE])["spec"], limits, earlier)
    if canonical(spec) != canonical(result["spec"]):
        yield f"{SPEC_FILE}: is not the spec that the evidence is about"


def _trials_follow(directory: Directory, evidence: Evidence) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as scratch:
        gathered = _gathered(directory, evidence, Path(scratch))
        if gathered.digest != evidence["result"]["trials"]:
            yield f"{RESULTS_FILE}: does not give the trials digest of the evidence"
        counts = evidence["result"]["counts"]
        if (len(gathered), gathered.errors) != (counts["trials"], counts["errors"]):
            found = f"{len(gathered)} trials, {gathered.errors} with an error"
            yield f"{RESULTS_FILE}: {found}, are not the counts of the evidence"


def _ranking_follows(directory: Directory, evidence: Evidence) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as scratch:
        rank = _gathered(directory, evidence, Path(scratch)).rank
        begin = 0
        for batch in read_batches(directory.path / RESULTS_FILE):
            stored = [place or 0 for place in batch.column("rank").to_pylist()]
            if stored != rank[begin : begin + len(stored)].tolist():
                yield f"{RESULTS_FILE}: the ranks do not follow from the objective"
                return
            begin += len(stored)


def _figures_follow(directory: Directory, evidence: Evidence) -> Iterator[str]:
    result, spec = evidence["result"], json.loads(directory.files[SPEC_FILE])["spec"]
    known = {**result, "lookAhead": result["checks"]["lookAhead"]}
    with tempfile.TemporaryDirectory() as scratch:
        sources = _sources(directory, evidence)
        again = sweep_finish.finish(known, spec, sources, Path(scratch) / "columns", None).result
    for name in JUDGED:
        yield from _differences(name, _in_one_order(result[name]), _in_one_order(again[name]))
    require_intact(directory, evidence, (TOP_FILE,))
    if json.loads(directory.files[TOP_FILE]) != again["top"]:
        yield f"{TOP_FILE}: is not the head of the ranking"


def _walk_follows(directory: Directory, evidence: Evidence) -> Iterator[str]:
    result = evidence["result"]
    if result["walkForward"] is None:
        return
    require_intact(directory, evidence, (WINDOWS_FILE, CURVE_FILE, TRAINING_FILE))
    windows = decode(directory.files[WINDOWS_FILE], WINDOWS_FILE)
    trials = [-1 if trial is None else trial for trial in windows["trial"]]
    chosen = picks(_sources(directory, evidence), len(trials), result["objective"]["direction"])
    if [pick.trial for pick in chosen] != trials:
        yield f"{WINDOWS_FILE}: the trials are not the best of {TRAINING_FILE}"
    tests = windows_digest(
        array("q", windows["window"]),
        array("q", trials),
        array("q", (-1 if trades is None else trades for trades in windows["trades"])),
        array("d", (equity or 0.0 for equity in windows["finalEquity"])),
    )
    if tests != result["windows"]:
        yield f"{WINDOWS_FILE}: does not give the windows digest of the evidence"
    curve = decode(directory.files[CURVE_FILE], CURVE_FILE)
    chained = curve_digest(array("q", curve["window"]), array("q", curve["bar"]), array("d", curve["equity"]))
    if chained != result["outOfSample"]:
        yield f"{CURVE_FILE}: does not give the outOfSample digest of the evidence"


def _in_one_order(judged: Any) -> Any:
    """Criteria by name: earlier engines listed them as their author's spec did, which nothing records."""
    if not isinstance(judged, Mapping) or not judged.get("verdict"):
        return judged
    verdict = judged["verdict"]
    criteria = sorted(verdict["criteria"], key=lambda row: row["criterion"])
    return {**judged, "verdict": {**verdict, "criteria": criteria}}


def _differences(path: str, stored: Any, again: Any) -> Iterator[str]:
    """Where two values differ by more than rounding."""
    if isinstance(stored, Mapping) and isinstance(again, Mapping) and stored.keys() == again.keys():
        for name in stored:
            yield from _differences(f"{path}.{name}", stored[name], again[name])
    elif isinstance(stored, int | float) and isinstance(again, int | float):
        if abs(stored - again) > TOLERANCE * max(1.0, abs(stored)):
            yield f"{EVIDENCE_FILE}: {path} is {stored}, the tables give {again}"
    elif stored != again:
        yield f"{EVIDENCE_FILE}: {path} is {stored}, the tables give {again}"


def _gathered(directory: Directory, evidence: Evidence, scratch: Path) -> Gathered:
    objective = _objective(evidence)
    return gather(_sources(directory, evidence), objective, 0, scratch / "columns")


def _objective(evidence: Evidence) -> Any:
    objective = evidence["result"]["spec"]["objective"]
    return objective["metric"], objective["direction"]


def _sources(directory: Directory, evidence: Evidence) -> Sources:
    """The tables of trials. Raises `InvalidData` unless they are the listed ones."""
    names = [name for name in (RESULTS_FILE, BLOCKS_FILE, TRAINING_FILE) if name in directory.files]
    require_intact(directory, evidence, (RESULTS_FILE, *names))

    def those(name: str) -> tuple[Path, ...]:
        return (directory.path / name,) if name in names else ()

    return Sources(those(RESULTS_FILE), those(BLOCKS_FILE), those(TRAINING_FILE))


_ALIKE = (
    ("the digest follows from the evidence", _digest_follows),
    ("the spec is the one that the evidence is about", _spec_agrees),
    ("the trials follow from their table", _trials_follow),
)
CHECKS_OF_SWEEPS = {
    SHARD_SCHEMA: _ALIKE,
    SWEEP_EVIDENCE_SCHEMA: (
        *_ALIKE,
        ("the ranking follows from the objective", _ranking_follows),
        ("the best trial and what it is worth follow from the tables", _figures_follow),
        ("the walk-forward follows from its tables", _walk_follows),
    ),
}
