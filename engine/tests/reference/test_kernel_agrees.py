"""The kernel and the reference, written apart from one text, agree in every bit on scripts of chance."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from engine.tests.reference.kernel import DETAILS, REASONS, run_kernel
from engine.tests.reference.scripts import cases, random_case
from engine.tests.reference.simulator import simulate

SEEDS, BATCH = 1000, 200


def assert_agree(document: dict[str, Any]) -> None:
    expected = simulate(document)
    found = run_kernel(document, expected.pop("submissions"))
    for name, value in expected.items():
        assert found[name] == value, (name, document)


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_the_kernel_agrees_with_the_reference_on_random_scripts(first: int) -> None:
    for seed in range(first, first + BATCH):
        assert_agree(random_case(Random(seed)))  # noqa: S311


def test_the_random_scripts_meet_every_reason_of_a_fill_and_every_event() -> None:
    fills, events = set(), set()
    for seed in range(SEEDS):
        outcome = simulate(random_case(Random(seed)))  # noqa: S311
        fills |= {fill["reason"] for fill in outcome["fills"]}
        events |= {(event["kind"], event["detail"]) for event in outcome["events"]}
    assert fills == set(REASONS)
    assert events == set(DETAILS.values())


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=cases())
def test_the_kernel_agrees_with_the_reference_on_scripts_that_hypothesis_finds(
    document: dict[str, Any],
) -> None:
    assert_agree(document)
