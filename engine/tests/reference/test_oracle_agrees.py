"""The reference simulator gives what the oracle of orders expects, to the last bit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.tests.reference.simulator import simulate

CASES = sorted((Path(__file__).parents[1] / "oracle" / "orders").glob("*.json"))


def test_the_cases_are_there() -> None:
    assert len(CASES) == 8


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_the_reference_agrees_with_the_oracle(path: Path) -> None:
    case = json.loads(path.read_text())
    found, expected = simulate(case), case["expected"]
    for event in found["events"]:
        del event["value"]  # ours alone
    assert {name: found[name] for name in expected} == expected
