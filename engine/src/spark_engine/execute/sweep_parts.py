"""The unfinished sweep on disk: one file a chunk of trials, and a marker that says whose they are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from spark_crds.canonical import canonical, digest

from spark_engine.errors import InvalidSpec, StoreUnavailable
from spark_engine.evidence.directory import NotOurs
from spark_engine.evidence.sweep_gather import Sources
from spark_engine.evidence.sweep_result import BLOCKS_FILE, RESULTS_FILE, TRAINING_FILE

MARKER = "sweep.json"
SCHEMA = "spark.trading/sweep-parts/v1"
WORDS = {
    "semantics": "under other semantics",
    "spec": "with another spec",
    "candles": "over other candles",
    "strategyCode": "with other strategy code",
    "shard": "of another shard",
    "engine": "with another engine version",
    "chunk": "in other chunks",
}


@dataclass(frozen=True, slots=True)
class Parts:
    """A folder of parts. Each is written whole; the results of a chunk come last and mean it is done."""

    folder: Path

    def done(self, number: int) -> bool:
        return self.path(RESULTS_FILE, number).exists()

    def path(self, file: str, number: int) -> Path:
        stem, _, ending = file.partition(".")
        return self.folder / f"{stem}-{number:06}.{ending}"

    def sources(self, count: int) -> Sources:
        """The first `count` parts."""

        def those(file: str) -> tuple[Path, ...]:
            paths = (self.path(file, number) for number in range(count))
            return tuple(path for path in paths if path.exists())

        return Sources(those(RESULTS_FILE), those(BLOCKS_FILE), those(TRAINING_FILE))

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def marker(identity: Mapping[str, Any], *, shard: tuple[int, int], chunk: int, engine: str) -> dict[str, Any]:
    """What all parts of one folder have in common."""
    return {
        "schema": SCHEMA,
        "semantics": identity["semantics"],
        "spec": digest(identity["spec"]),
        "strategyCode": identity["strategyCode"],
        "candles": identity["candles"],
        "shard": list(shard),
        "chunk": chunk,
        "engine": engine,
    }


def open_parts(folder: Path, mark: Mapping[str, Any], *, resume: bool) -> Parts:
    """The folder, new or as it was left. Raises `InvalidSpec` where another sweep was left there, `NotOurs`
    where it holds something else, `StoreUnavailable` where it cannot be written."""
    parts = Parts(folder)
    if folder.exists():
        found = _marker_in(folder)
        if resume:
            _require_same(folder, found, mark)
            return parts
        parts.remove()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARKER).write_bytes(canonical(mark))
    except OSError as error:
        raise StoreUnavailable(f"cannot write {folder}: {error.strerror or error}", field="--out") from None
    return parts


def _marker_in(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / MARKER).read_bytes())
        if found["schema"] == SCHEMA:
            return dict(found)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise NotOurs(f"{folder} holds files that are no unfinished sweep of ours; name another --out")


def _require_same(folder: Path, found: Mapping[str, Any], mark: Mapping[str, Any]) -> None:
    other = [words for name, words in WORDS.items() if found.get(name) != mark[name]]
    if other:
        raise InvalidSpec(
            f"{folder} was begun {' and '.join(other)}: finish that one, or start anew without --resume",
            field="--resume",
        )
