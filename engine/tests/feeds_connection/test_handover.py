from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from spark_engine.feeds.connection.handover import Handover


def test_frames_come_out_in_order_with_their_times() -> None:
    async def scenario() -> None:
        handover = Handover()
        for n in range(5):
            handover.put(b"%d" % n, n)
        assert await handover.take(3) == [(b"0", 0), (b"1", 1), (b"2", 2)]
        assert await handover.take() == [(b"3", 3), (b"4", 4)]
        assert (handover.depth, handover.bytes) == (0, 0)

    asyncio.run(scenario())


def test_it_is_full_by_count_or_by_size_and_has_room_again_at_half() -> None:
    async def scenario() -> None:
        by_count, by_size = Handover(frames=4), Handover(size=40)
        for handover in (by_count, by_size):
            for _ in range(3):
                handover.put(b"x" * 10, 0)
            assert not handover.full
            handover.put(b"x" * 10, 0)
            assert handover.full
            await handover.take(1)
            assert handover.full
            await handover.take(1)
            assert not handover.full
            await handover.room()
            assert handover.pauses == 1

    asyncio.run(scenario())


def test_what_is_put_while_it_is_full_is_kept_too() -> None:
    async def scenario() -> None:
        handover = Handover(frames=2)
        for n in range(10):
            handover.put(b"", n)
        assert [ns for _, ns in await handover.take()] == list(range(10))

    asyncio.run(scenario())


def test_after_closing_the_rest_can_be_taken_and_then_nothing() -> None:
    async def scenario() -> None:
        handover = Handover()
        handover.put(b"last", 1)
        handover.close()
        assert await handover.take() == [(b"last", 1)]
        assert await handover.take() == []
        assert await handover.take() == []

    asyncio.run(scenario())


def test_a_cancelled_take_loses_nothing() -> None:
    async def scenario() -> None:
        handover = Handover()
        taking = asyncio.create_task(handover.take())
        await asyncio.sleep(0)
        handover.put(b"x", 1)
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)
        assert await handover.take() == [(b"x", 1)]

    asyncio.run(scenario())


@given(
    st.lists(
        st.one_of(st.integers(1, 30).map(lambda n: ("put", n)), st.integers(1, 9).map(lambda n: ("take", n)))
    )
)
def test_its_account_of_depth_and_bytes_is_always_right(steps: list[tuple[str, int]]) -> None:
    async def scenario() -> None:
        handover = Handover(frames=8, size=100)
        inside: list[int] = []
        for step, n in steps:
            if step == "put":
                handover.put(b"x" * n, 0)
                inside.append(n)
            elif inside:
                taken = await handover.take(n)
                assert [len(frame) for frame, _ in taken] == inside[:n]
                del inside[:n]
            assert (handover.depth, handover.bytes) == (len(inside), sum(inside))
            if len(inside) >= 8 or sum(inside) >= 100:
                assert handover.full
            if len(inside) <= 4 and sum(inside) <= 50:
                assert not handover.full

    asyncio.run(scenario())
