"""Every scripted fault of the exchange against the whole feed: alone, in sequences by chance, and outages
that no script has."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.exchange import FAULTS
from tests.feeds import faulty, outages
from tests.feeds.outcome import Outcome

EVERY = (*faulty.scenarios(), *outages.scenarios())
LONGEST_RECOVERY = 20.0  # seconds; of the faults here, with the pace of these tests
Found = Callable[[str], Outcome]

pytestmark = pytest.mark.timeout(1800)  # the first waits until all scenarios are played


def test_every_fault_of_the_exchange_has_its_scenario() -> None:
    assert {fault.__name__ for fault in FAULTS} <= set(EVERY)


@pytest.mark.parametrize("scenario", EVERY)
def test_no_trade_is_lost_or_doubled_and_nothing_is_claimed_that_is_not_so(
    scenario: str, outcome: Found
) -> None:
    found = outcome(scenario)
    assert not found.archive, "\n".join(found.archive)
    assert found.trades > 0


@pytest.mark.parametrize("scenario", EVERY)
def test_the_state_reported_is_the_true_one(scenario: str, outcome: Found) -> None:
    found = outcome(scenario)
    assert not found.state, "\n".join(found.state)


@pytest.mark.parametrize("scenario", [name for name in EVERY if name != "unknown symbol"])
def test_recovery_is_bounded(scenario: str, outcome: Found) -> None:
    recovery = outcome(scenario).recovery
    assert recovery is not None
    assert recovery <= LONGEST_RECOVERY
