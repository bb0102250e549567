"""Any few faults at any moments, together."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulated.client import Fault
from simulated.faults import (
    Crash,
    CrashAtCall,
    LostAnswer,
    Refusal,
    Slow,
    conflict,
    prompt,
    shuffled,
    too_many_requests,
    unavailable,
)
from simulated.oracle import differences, undisturbed
from simulated.scenarios import SCENARIOS
from simulated.session import Session

CALLS = st.integers(1, 120)
WRITES = st.integers(1, 18)
FAULTS: st.SearchStrategy[Fault] = st.one_of(
    st.builds(Crash, WRITES, st.sampled_from(["before", "after"])),
    st.builds(CrashAtCall, CALLS),
    st.builds(LostAnswer, WRITES),
    st.builds(Slow, CALLS, st.floats(0.1, 30.0)),
    st.builds(
        Refusal, CALLS, st.sampled_from([conflict, too_many_requests, unavailable]), st.integers(1, 10)
    ),
)


@settings(max_examples=100, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(sorted(SCENARIOS)),
    faults=st.lists(FAULTS, min_size=1, max_size=4),
    seed=st.integers(0, 2**16),
    downtime=st.floats(0.1, 60.0),
    orderly=st.booleans(),
)
def test_no_sequence_of_faults_changes_the_end(
    name: str, faults: list[Fault], seed: int, downtime: float, orderly: bool
) -> None:
    deliver = prompt if orderly else shuffled(seed, 10.0)
    session = Session(SCENARIOS[name], faults=faults, downtime=downtime, deliver=deliver, seed=seed)
    assert differences(undisturbed(name), session.play()) == []
