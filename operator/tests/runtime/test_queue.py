"""The work queue: once in it, one worker at a time, later after failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from simulated.clock import Clock
from simulated.loop import run
from spark_operator.runtime.metrics import QueueFamilies
from spark_operator.runtime.queue import Backoff, WorkQueue

Test = Callable[[WorkQueue[str], CollectorRegistry], Awaitable[None]]


def with_queue(test: Test, chance: float = 0.0, backoff: Backoff | None = None) -> None:
    """In simulated time: a busy machine puts no two appointments in another order."""

    async def with_a_queue() -> None:
        registry = CollectorRegistry()
        metrics = QueueFamilies(registry).queue("q")
        await test(WorkQueue[str](lambda: chance, metrics, backoff or Backoff(0.01, 0.05)), registry)

    run(Clock(), with_a_queue())


def sample(registry: CollectorRegistry, name: str) -> float:
    value = registry.get_sample_value(f"workqueue_{name}", {"name": "q"})
    assert value is not None
    return value


def test_a_key_that_waits_is_not_added_again() -> None:
    async def test(queue: WorkQueue[str], registry: CollectorRegistry) -> None:
        for key in "abaab":
            queue.add(key)
        assert len(queue) == 2
        assert [await queue.get(), await queue.get()] == ["a", "b"]
        assert sample(registry, "adds_total") == 2

    with_queue(test)


def test_a_key_in_hand_is_handed_out_again_only_when_it_is_done() -> None:
    async def test(queue: WorkQueue[str], registry: CollectorRegistry) -> None:
        queue.add("a")
        assert await queue.get() == "a"
        queue.add("a")
        queue.add("a")
        assert len(queue) == 0
        queue.done("a")
        assert await queue.get() == "a"
        queue.done("a")
        assert len(queue) == 0

    with_queue(test)


@given(st.lists(st.sampled_from("abc"), max_size=60), st.integers(1, 4))
def test_no_two_workers_ever_have_one_key_and_the_last_add_is_seen(adds: list[str], workers: int) -> None:
    async def test(queue: WorkQueue[str], registry: CollectorRegistry) -> None:
        in_hand: set[str] = set()
        seen: dict[str, int] = {}
        added: dict[str, int] = {}

        async def work() -> None:
            while (key := await queue.get()) is not None:
                assert key not in in_hand
                in_hand.add(key)
                seen[key] = added[key]
                await asyncio.sleep(0)
                in_hand.discard(key)
                queue.done(key)

        tasks = [asyncio.create_task(work()) for _ in range(workers)]
        for number, key in enumerate(adds):
            added[key] = number
            queue.add(key)
            if number % 3 == 0:
                await asyncio.sleep(0)
        while len(queue) or in_hand:
            await asyncio.sleep(0)
        assert seen == added
        queue.close()
        await asyncio.gather(*tasks)

    with_queue(test)


def test_an_appointment_is_kept_the_earliest_first() -> None:
    async def test(queue: WorkQueue[str], registry: CollectorRegistry) -> None:
        queue.add_after("late", 4)
        queue.add_after("early", 2)
        queue.add_after("now", 0)
        seen = [(await queue.get(), asyncio.get_running_loop().time()) for _ in range(3)]
        assert seen == [("now", 0), ("early", 2), ("late", 4)]

    with_queue(test)


def test_the_earlier_of_two_appointments_holds_and_is_kept_once() -> None:
    async def test(queue: WorkQueue[str], registry: CollectorRegistry) -> None:
        queue.add_after("a", 60)
        queue.add_after("a", 1)
        queue.add_after("a", 120)
        assert await queue.get() == "a"
        assert asyncio.get_running_loop().time() == 1
        queue.done("a")
        queue.add_after("b", 180)
        assert await queue.get() == "b"
        assert len(queue) == 0

    with_queue(test)


def test_a_look_in_the_meantime_cancels_the_appointment() -> None:
    async def test(queue: WorkQueue[str], registry: CollectorRegistry) -> None:
        queue.add_after("a", 2)
        queue.add("a")
        assert await queue.get() == "a"
        queue.done("a")
        queue.add_after("end", 6)
        assert await queue.get() == "end"

    with_queue(test)


@given(st.integers(1, 200), st.floats(0, 1, exclude_max=True))
def test_back_off_doubles_to_its_cap_and_jitter_only_shortens(failures: int, chance: float) -> None:
    backoff = Backoff(first=0.25, longest=60)
    whole = min(60.0, 0.25 * 2.0 ** (failures - 1))
    assert backoff.delay(failures, 0.0) == whole
    assert whole / 2 <= backoff.delay(failures, chance) <= whole


def test_each_failure_in_a_row_waits_longer_until_one_success() -> None:
    async def test(queue: WorkQueue[str], registry: CollectorRegistry) -> None:
        assert [queue.retry("a") for _ in range(4)] == [1, 2, 4, 5]
        assert queue.failures("a") == 4
        queue.forget("a")
        assert queue.retry("a") == 1
        assert queue.retry("b", at_least=9) == 9
        assert sample(registry, "retries_total") == 6

    with_queue(test, backoff=Backoff(1, 5))


def test_workers_of_a_closed_queue_end_after_what_they_have() -> None:
    async def test(queue: WorkQueue[str], registry: CollectorRegistry) -> None:
        idle = [asyncio.create_task(queue.get()) for _ in range(3)]
        await asyncio.sleep(0)
        queue.add("a")
        await asyncio.sleep(0)
        queue.add_after("later", 0.01)
        queue.close()
        assert sorted(map(str, await asyncio.gather(*idle))) == ["None", "None", "a"]
        queue.add("more")
        assert await queue.get() is None
        queue.done("a")

    with_queue(test)


def test_a_cancelled_worker_loses_no_key() -> None:
    async def test(queue: WorkQueue[str], registry: CollectorRegistry) -> None:
        first, second = asyncio.create_task(queue.get()), asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        queue.add("a")
        first.cancel()
        assert await second == "a"
        with pytest.raises(asyncio.CancelledError):
            await first

    with_queue(test)


def test_the_series_tell_depth_and_age_of_work() -> None:
    async def test(queue: WorkQueue[str], registry: CollectorRegistry) -> None:
        assert (sample(registry, "depth"), sample(registry, "unfinished_work_seconds")) == (0, 0)
        queue.add("a")
        queue.add("b")
        await queue.get()
        assert sample(registry, "depth") == 1
        await asyncio.sleep(3)
        assert sample(registry, "longest_running_processor_seconds") == 3
        assert sample(registry, "queue_duration_seconds_count") == 1
        assert sample(registry, "work_duration_seconds_count") == 0
        queue.done("a")
        assert sample(registry, "work_duration_seconds_count") == 1
        assert sample(registry, "unfinished_work_seconds") == 0

    with_queue(test)
