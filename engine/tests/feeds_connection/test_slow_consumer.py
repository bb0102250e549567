"""Whoever is slow makes the venue wait, and loses nothing."""

from __future__ import annotations

import asyncio
import socket

from spark_engine.feeds.connection.handover import Handover
from spark_engine.feeds.connection.state import CloseReason
from websockets.asyncio.server import ServerConnection, serve

from engine.tests.feeds_connection.observed import PATIENCE, Observed, address, quick


def test_a_slow_consumer_makes_reading_pause_and_loses_nothing() -> None:
    """80 MB are sent into a hand-over of 1 MB: what is in memory stays small, and all of it arrives."""

    async def scenario() -> None:
        frames, size = 2_000, 40_000
        sent = 0

        async def venue(peer: ServerConnection) -> None:
            nonlocal sent
            for n in range(frames):
                await peer.send(f"{n:05d}" + "x" * size)
                sent += 1
            await peer.wait_closed()

        handover = Handover(frames=1_000, size=1_000_000)
        async with serve(venue, "127.0.0.1", 0, compression=None) as server:
            for listening in server.sockets:  # or it would grow with what the machine allows
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
            observed = Observed(
                address(server), on_frame=handover.put, flow=handover, settings=quick(silence=1.0)
            )
            async with observed.running() as seen:
                async with asyncio.timeout(PATIENCE):
                    while not handover.full:
                        await asyncio.sleep(0.001)
                await asyncio.sleep(2.0)  # twice the silence that ends a connection: but this one is our own
                assert handover.bytes < 1_000_000 + 300_000 + size
                assert sent < frames / 2  # what it cannot get rid of waits in the sockets' own buffers
                taken = []
                async with asyncio.timeout(PATIENCE):
                    while len(taken) < frames:
                        taken += [int(frame[:5]) for frame, _ in await handover.take(20)]
                        assert handover.bytes < 1_000_000 + 300_000 + size
                        while handover.pauses < 3 and not handover.full:  # slower than any venue
                            await asyncio.sleep(0.0005)
        assert taken == list(range(frames))
        assert handover.pauses >= 3
        assert seen.reasons == [CloseReason.REQUESTED]

    asyncio.run(scenario())


def test_a_close_by_the_venue_after_a_pause_says_that_we_were_slow() -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            for _ in range(5):
                await peer.send("x")
            await peer.close()

        handover = Handover(frames=2)
        async with serve(venue, "127.0.0.1", 0) as server:
            observed = Observed(address(server), on_frame=handover.put, flow=handover)
            async with observed.running() as seen:
                while not seen.endings():
                    await asyncio.sleep(0.15)
                    await handover.take()
                ending = await seen.ending()
        assert ending.reason is CloseReason.CLOSED_BY_PEER
        assert "the consumer was slow: reading had been paused for " in ending.cause

    asyncio.run(scenario())


def test_a_message_is_stamped_when_it_is_read_not_when_there_is_room_for_it() -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            peer.transport.write(b"\x81\x01a\x81\x01b\x81\x01c")  # three frames in one piece
            await peer.wait_closed()

        handover = Handover(frames=1)
        async with serve(venue, "127.0.0.1", 0) as server:
            observed = Observed(address(server), on_frame=handover.put, flow=handover)
            async with observed.running():
                taken = []
                while len(taken) < 3:
                    taken += await handover.take()
                    await asyncio.sleep(1.0)
        assert [frame for frame, _ in taken] == [b"a", b"b", b"c"]
        assert taken[2][1] - taken[0][1] < 1_000_000_000

    asyncio.run(scenario())
