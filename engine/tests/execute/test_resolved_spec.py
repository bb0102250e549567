"""A run.json that nobody resolved, or that was damaged: refused by field, never an engine error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from spark_crds.formats.run import RunDocument
from spark_engine.errors import BacktestError, EngineError
from spark_engine.execute.carry_out import carry_out
from spark_engine.execute.manifest import load_object, resolve_run
from spark_engine.execute.wrap import wrap

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "btcusdt-1d-sma-long-short.yaml"
WRONG: tuple[Any, ...] = (None, [], {}, -1, 0, 10**30, 1.5, True, "", "nonsense", "NaN", "-1", "9" * 400)
# Fields that are free text, or that a pod has no use for
FREE = {"notes", "account.currency", "retries", "activeDeadlineSeconds", "ttlSecondsAfterFinished"}


def run() -> RunDocument:
    return resolve_run(load_object(EXAMPLE.read_bytes(), str(EXAMPLE)))


def leaves(value: Mapping[str, Any], path: str = "") -> Iterator[str]:
    for name, child in value.items():
        place = f"{path}.{name}" if path else name
        yield place
        if isinstance(child, Mapping):
            yield from leaves(child, place)


PATHS = sorted(set(leaves(run().spec)) - FREE)


def spoilt(path: str, *value: Any) -> RunDocument:
    """The run with `path` set to the value, or without it."""
    original = run()
    spec: dict[str, Any] = deepcopy(dict(original.spec))
    *parents, last = path.split(".")
    node = spec
    for name in parents:
        node = node[name]
    if value:
        node[last] = value[0]
    else:
        del node[last]
    return replace(original, spec=spec)


def refusal(document: RunDocument) -> BacktestError | None:
    try:
        wrap(carry_out(document), with_report=False)
    except BacktestError as error:
        return error
    return None


@pytest.mark.parametrize("path", PATHS)
def test_a_run_without_one_of_its_fields_is_carried_out_or_refused_by_field(path: str) -> None:
    error = refusal(spoilt(path))
    assert not isinstance(error, EngineError)
    assert error is None or error.field is not None


@pytest.mark.parametrize("path", PATHS)
def test_a_field_of_a_wrong_kind_is_refused_by_field(path: str) -> None:
    for value in WRONG:
        error = refusal(spoilt(path, value))
        assert not isinstance(error, EngineError), value
        assert error is None or error.field is not None, value
