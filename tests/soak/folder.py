"""What a soak leaves on disk, written as it goes: a comparison needs nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.exchange.ledger import Trade

VENUE = "btcturk-spot"
TIMEFRAMES = {"1m": 60, "5m": 300}
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Settings:
    """ended_ms: by the exchange's clock, just before the feed was told to stop. settled_ms: a whole minute;
    up to there nothing is excused. Both are None as long as the soak has not come so far."""

    seed: str
    symbols: tuple[str, ...]
    seconds: float
    command: tuple[str, ...]
    settled_ms: int | None = None
    ended_ms: int | None = None
    feed_exit: int | None = None
    trouble: str = ""


class Folder:
    """Reads what is there; `append` and `replace` survive the end of the process at any moment."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archive = path / "archive"
        self.manifest = path / "feed.yaml"
        self.feed_log = path / "feed.log"
        self.exchange_log = path / "exchange.log"
        self._samples = path / "samples.jsonl"
        self._faults = path / "faults.json"
        self._settings = path / "soak.json"
        (path / "ledger").mkdir(parents=True, exist_ok=True)

    def settle(self, settings: Settings) -> None:
        _replace(self._settings, json.dumps(asdict(settings)))

    def settings(self) -> Settings:
        found = json.loads(self._settings.read_text())
        return Settings(**{**found, "symbols": tuple(found["symbols"]), "command": tuple(found["command"])})

    def add_sample(self, sample: dict[str, Any]) -> None:
        _append(self._samples, json.dumps(sample, separators=(",", ":")) + "\n")

    def samples(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._samples.read_text().splitlines() if line.endswith("}")]

    def keep_faults(self, faults: bytes) -> None:
        _replace(self._faults, faults.decode())

    def faults(self) -> list[dict[str, Any]]:
        return list(json.loads(self._faults.read_text())) if self._faults.exists() else []

    def add_trades(self, symbol: str, lines: bytes) -> None:
        _append(self.path / "ledger" / f"{symbol}.jsonl", lines.decode())

    def trades(self, symbol: str) -> Iterator[Trade]:
        with (self.path / "ledger" / f"{symbol}.jsonl").open() as lines:
            for line in lines:
                yield Trade(**json.loads(line))


def _append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.write_text(text)
    unfinished.replace(path)
