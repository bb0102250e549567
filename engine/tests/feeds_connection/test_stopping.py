"""Every way in which a run ends: all that came is handed over, and nothing is left behind."""

from __future__ import annotations

import asyncio

import pytest
from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.connection.handover import Handover
from spark_engine.feeds.connection.state import CloseReason
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Opcode

from engine.tests.feeds_connection.observed import PATIENCE, Observed, address, quick, tasks_left
from engine.tests.feeds_connection.raw_peer import RawPeer, frame_bytes, raw_server


def test_a_stop_hands_over_all_that_the_venue_had_sent_even_to_a_full_consumer() -> None:
    async def scenario() -> None:
        sent = 0

        async def venue(peer: ServerConnection) -> None:
            nonlocal sent
            while True:
                await peer.send(f"{sent:06d}" + "x" * 1_000)
                sent += 1

        handover = Handover(frames=10)
        async with serve(venue, "127.0.0.1", 0, compression=None) as server:
            patient = quick(close_seconds=10.0)
            observed = Observed(address(server), on_frame=handover.put, flow=handover, settings=patient)
            async with observed.running():
                while not handover.full or sent < 1_000:
                    await asyncio.sleep(0.01)
                before_the_stop = sent
        handover.close()
        frames = []
        while batch := await handover.take():
            frames += [int(frame[:6]) for frame, _ in batch]
        assert frames == list(range(len(frames)))
        assert len(frames) >= before_the_stop

    asyncio.run(scenario())


def test_a_stop_ends_the_wait_for_the_next_attempt(refused_port: int) -> None:
    async def scenario() -> None:
        an_hour = Backoff(first=3_600, cap=3_600, jitter=lambda: 0.99)
        observed = Observed(f"ws://127.0.0.1:{refused_port}/", backoff=an_hour, sleep=asyncio.sleep)
        async with observed.running() as seen:
            await seen.ending()
        assert seen.reasons == [CloseReason.UNREACHABLE, CloseReason.REQUESTED]

    asyncio.run(scenario())


def test_a_stop_ends_a_handshake_that_nobody_answers() -> None:
    async def scenario() -> None:
        async with (
            raw_server(lambda peer: peer.silence()) as url,
            Observed(url, settings=quick(open_seconds=60)).running() as seen,
        ):
            await seen.until(lambda: seen.states)
        assert [(s.kind, s.reason) for s in seen.states] == [
            ("connecting", None),
            ("closed", CloseReason.REQUESTED),
        ]

    asyncio.run(scenario())


def test_cancelling_the_run_leaves_no_task_and_no_socket() -> None:
    async def scenario() -> None:
        gone = asyncio.Event()

        async def venue(peer: RawPeer) -> None:
            await peer.shake_hands()
            await peer.text(b"x")
            try:
                await peer.silence()
            finally:
                gone.set()

        async with raw_server(venue) as url:
            seen = Observed(url)
            before = asyncio.all_tasks()
            run = asyncio.create_task(seen.connection.run(seen.stop))
            await seen.until(lambda: seen.frames)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            await asyncio.wait_for(gone.wait(), PATIENCE)
            assert tasks_left(before) == []

    asyncio.run(scenario())


def test_what_the_receiver_of_frames_raises_ends_the_run_with_it() -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            await peer.send("x")
            await peer.wait_closed()

        def full_disk(frame: bytes, received_ns: int) -> None:
            raise OSError(28, "No space left on device")

        async with serve(venue, "127.0.0.1", 0) as server:
            seen = Observed(address(server), on_frame=full_disk)
            with pytest.raises(OSError, match="No space left"):
                await asyncio.wait_for(seen.connection.run(seen.stop), PATIENCE)

    asyncio.run(scenario())


@pytest.mark.parametrize("fails", [False, True])
def test_a_frame_that_comes_while_we_close_is_handed_over_and_its_failure_heard(fails: bool) -> None:
    async def scenario() -> None:
        frames: list[bytes] = []

        async def venue(peer: RawPeer) -> None:
            await peer.shake_hands()
            await peer.text(b"first")
            await peer.joins()
            assert await peer.opcode() == Opcode.CLOSE
            await peer.text(b"last")
            await peer.write(frame_bytes((1000).to_bytes(2, "big"), opcode=8))

        def hand_over(frame: bytes, received_ns: int) -> None:
            frames.append(frame)
            if fails and frame == b"last":
                raise OSError(28, "No space left on device")

        async with raw_server(venue) as url:
            patient = quick(close_seconds=PATIENCE)
            seen = Observed(url, on_frame=hand_over, settings=patient)
            run = asyncio.create_task(seen.connection.run(seen.stop))
            while not frames:
                await asyncio.sleep(0.001)
            seen.stop.set()
            ending = (await asyncio.gather(asyncio.wait_for(run, PATIENCE), return_exceptions=True))[0]
        assert frames == [b"first", b"last"]
        assert isinstance(ending, OSError) is fails

    asyncio.run(scenario())
