"""One leader at a time, and it knows by its own clock for how long."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from probe.memory import MemoryCluster
from prometheus_client import CollectorRegistry
from spark_operator.cluster import errors
from spark_operator.cluster.resources import LEASES
from spark_operator.runtime.lease import LeaderElection, LeaseLost, Timing

NOW = datetime(2026, 1, 2, tzinfo=UTC)
TIMING = Timing(lease=15, renew_deadline=10, retry=0.001)


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def candidate(cluster: MemoryCluster, name: str, clock: Clock) -> LeaderElection:
    return LeaderElection(
        cluster, "ns", "lease", name, TIMING, CollectorRegistry(), monotonic=clock, now=lambda: NOW
    )


def lease(cluster: MemoryCluster) -> dict[str, Any]:
    spec: dict[str, Any] = cluster.objects["leases", "ns", "lease"]["spec"]
    return spec


async def acquires(election: LeaderElection, seconds: float = 0.1) -> bool:
    try:
        await asyncio.wait_for(election.acquire(), seconds)
    except TimeoutError:
        return False
    return True


def test_a_lease_that_nobody_has_is_taken() -> None:
    cluster, clock = MemoryCluster(), Clock()
    election = candidate(cluster, "a", clock)
    assert not election.leads
    asyncio.run(election.acquire())
    assert election.leads
    assert lease(cluster) == {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-01-02T00:00:00.000000Z",
        "renewTime": "2026-01-02T00:00:00.000000Z",
        "leaseTransitions": 1,
    }


def test_a_lease_of_another_is_taken_only_after_it_looked_the_same_for_its_whole_length() -> None:
    async def test() -> None:
        cluster, clock = MemoryCluster(), Clock()
        await candidate(cluster, "a", clock).acquire()
        second = candidate(cluster, "b", clock)
        assert not await acquires(second)
        clock.seconds += 14.9
        assert not await acquires(second)
        cluster.put(LEASES, {**_body(cluster), "spec": {**lease(cluster), "renewTime": "later"}})
        clock.seconds += 14.9
        assert not await acquires(second)
        clock.seconds += 15
        assert await acquires(second)
        assert (lease(cluster)["holderIdentity"], lease(cluster)["leaseTransitions"]) == ("b", 2)

    asyncio.run(test())


def _body(cluster: MemoryCluster) -> dict[str, Any]:
    return cluster.objects["leases", "ns", "lease"]


def test_ownership_is_counted_from_the_request_not_from_the_answer() -> None:
    async def test() -> None:
        cluster, clock = MemoryCluster(), Clock()
        election = candidate(cluster, "a", clock)
        original = cluster.create

        async def slow(*arguments: Any, **more: Any) -> Any:
            answer = await original(*arguments, **more)
            clock.seconds += 9
            return answer

        cluster.create = slow  # type: ignore[method-assign]
        await election.acquire()
        assert election.leads
        clock.seconds += 1
        assert not election.leads

    asyncio.run(test())


def test_a_leader_that_cannot_renew_stops_before_others_may_begin() -> None:
    async def test() -> None:
        cluster, clock = MemoryCluster(), Clock()
        election = candidate(cluster, "a", clock)
        await election.acquire()
        cluster.fault = lambda *_: errors.Unavailable("down")
        holding = asyncio.create_task(election.hold())
        await asyncio.sleep(0.05)
        assert election.leads
        assert not holding.done()
        clock.seconds += 10
        assert not election.leads
        with pytest.raises(LeaseLost, match="not renewed for 10 s: down"):
            await asyncio.wait_for(holding, 30)

    asyncio.run(test())


def test_renewal_goes_on_and_keeps_the_time_of_acquisition() -> None:
    async def test() -> None:
        cluster, clock = MemoryCluster(), Clock()
        election = candidate(cluster, "a", clock)
        await election.acquire()
        holding = asyncio.create_task(election.hold())
        for _ in range(5):
            clock.seconds += 8
            await asyncio.sleep(0.02)
            assert election.leads
        assert lease(cluster)["leaseTransitions"] == 1
        holding.cancel()

    asyncio.run(test())


def test_a_renewal_whose_answer_got_lost_is_no_loss() -> None:
    async def test() -> None:
        cluster, clock = MemoryCluster(), Clock()
        election = candidate(cluster, "a", clock)
        await election.acquire()
        cluster.lost = {"replace"}
        holding = asyncio.create_task(election.hold())
        await asyncio.sleep(0.03)
        cluster.lost = set()
        await asyncio.sleep(0.03)
        clock.seconds += 8
        await asyncio.sleep(0.03)
        assert election.leads
        assert not holding.done()
        holding.cancel()

    asyncio.run(test())


@pytest.mark.parametrize("holder", ["b", ""])
def test_a_lease_that_another_has_or_had_is_lost_for_good(holder: str) -> None:
    """Also one that is free again: another may have led in between."""

    async def test() -> None:
        cluster, clock = MemoryCluster(), Clock()
        election = candidate(cluster, "a", clock)
        await election.acquire()
        cluster.put(LEASES, {**_body(cluster), "spec": {**lease(cluster), "holderIdentity": holder}})
        with pytest.raises(LeaseLost, match=f"lost to {holder or 'nobody'}"):
            await asyncio.wait_for(election.hold(), 30)
        assert not election.leads
        assert lease(cluster)["holderIdentity"] == holder

    asyncio.run(test())


def test_a_lease_that_was_given_back_is_taken_at_once() -> None:
    async def test() -> None:
        cluster, clock = MemoryCluster(), Clock()
        first, second = candidate(cluster, "a", clock), candidate(cluster, "b", clock)
        await first.acquire()
        assert not await acquires(second)
        await first.release()
        assert not first.leads
        assert await acquires(second)

    asyncio.run(test())


def test_a_lease_of_another_is_not_given_back() -> None:
    async def test() -> None:
        cluster, clock = MemoryCluster(), Clock()
        first, second = candidate(cluster, "a", clock), candidate(cluster, "b", clock)
        await first.acquire()
        await acquires(second)
        await second.release()
        assert lease(cluster)["holderIdentity"] == "a"

    asyncio.run(test())


def test_of_many_candidates_one_wins() -> None:
    async def test() -> None:
        cluster, clock = MemoryCluster(), Clock()
        elections = [candidate(cluster, str(number), clock) for number in range(8)]
        won = await asyncio.gather(*map(acquires, elections))
        assert sum(won) == 1
        assert [each.leads for each in elections] == won

    asyncio.run(test())


def test_a_lease_that_cannot_be_read_is_told_and_asked_for_again() -> None:
    async def test() -> None:
        cluster, clock = MemoryCluster(), Clock()
        election = candidate(cluster, "a", clock)
        cluster.fault = lambda *_: errors.Forbidden("leases.coordination.k8s.io is forbidden")
        assert not await acquires(election)
        assert election.problem == "leases.coordination.k8s.io is forbidden"
        assert election.answered_at is None
        cluster.fault = lambda *_: None
        assert await acquires(election)
        assert election.problem == ""

    asyncio.run(test())
