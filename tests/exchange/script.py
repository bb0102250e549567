"""Sequences of faults: written, or by chance from a seed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.exchange.chance import seeded
from tests.exchange.faults import FAULTS, Fault

Script = Sequence["Step"]


@dataclass(frozen=True)
class Step:
    """A fault so many seconds after the one before it began: faults may overlap."""

    after_seconds: float
    fault: Fault


def random_script(
    seed: object,
    count: int,
    symbols: Sequence[str] = (),
    *,
    pause_seconds: tuple[float, float] = (0.2, 1.5),
    faults: Sequence[type[Fault]] | None = None,
) -> tuple[Step, ...]:
    """So many faults. Without `faults`, all of FAULTS but those that change the venue for good
    (`Fault.random` is false: clock steps, midnight, delisting)."""
    chance = seeded("script", seed)
    chosen = [fault for fault in FAULTS if fault.random] if faults is None else list(faults)
    return tuple(
        Step(
            round(chance.uniform(*pause_seconds), 3),
            chance.choice(chosen).sample(chance, tuple(symbols)),
        )
        for _ in range(count)
    )


def fault_from(name: str, fields: dict[str, Any]) -> Fault:
    """ValueError where there is no such fault or it has no such field."""
    kinds = {kind.__name__: kind for kind in FAULTS}
    if name not in kinds:
        raise ValueError(f"fault: {name!r} is none of {', '.join(kinds)}")
    lists: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()
    }
    try:
        return kinds[name](**lists)
    except TypeError as error:
        raise ValueError(f"fault {name}: {error}") from error


def dumps(script: Script) -> str:
    """JSON: [{"after": seconds, "fault": name, "with": {field: value}}]."""
    steps = [
        {"after": step.after_seconds, "fault": step.fault.name, "with": asdict(step.fault)} for step in script
    ]
    return json.dumps(steps)


def loads(text: str) -> tuple[Step, ...]:
    return tuple(
        Step(float(step.get("after", 0)), fault_from(step["fault"], step.get("with", {})))
        for step in json.loads(text)
    )


def read(source: str, symbols: Sequence[str]) -> tuple[Step, ...]:
    """From `random:SEED:COUNT` or from a file of JSON."""
    if source.startswith("random:"):
        _, seed, count = source.split(":")
        return random_script(seed, int(count), symbols)
    return loads(Path(source).read_text())
