"""How silence is found, and what counts as a sign of life."""

from __future__ import annotations

import asyncio

from spark_engine.feeds.connection.state import CloseReason
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Opcode

from engine.tests.feeds_connection.observed import Observed, address, quick
from engine.tests.feeds_connection.raw_peer import RawPeer, frame_bytes, raw_server


def test_a_half_open_connection_is_found_by_its_silence() -> None:
    async def scenario() -> None:
        async def venue(peer: RawPeer) -> None:
            await peer.shake_hands()
            await peer.text(b"hello")
            await asyncio.sleep(60)

        async with raw_server(venue) as url, Observed(url, settings=quick(silence=0.3)).running() as seen:
            ending = await seen.ending()
            assert ending.reason is CloseReason.STALLED
            assert ending.cause == f"{url[5:-1]}: not a single frame for 0.3 s"
            await seen.until(lambda: len(seen.frames) == 2)

    asyncio.run(scenario())


def test_the_pings_of_a_venue_that_has_nothing_to_say_are_answered_and_keep_the_connection() -> None:
    async def scenario() -> None:
        answered = []

        async def venue(peer: RawPeer) -> None:
            await peer.shake_hands()
            await peer.joins()
            for n in range(9):
                await peer.write(frame_bytes(b"ping%d" % n, opcode=9))
                answered.append(await peer.opcode())
                await asyncio.sleep(0.3)
            await peer.text(b"still here")
            await peer.silence()

        async with raw_server(venue) as url, Observed(url, settings=quick(silence=2.0)).running() as seen:
            await seen.until(lambda: seen.frames)
        assert answered == [Opcode.PONG] * 9
        assert seen.reasons == [CloseReason.REQUESTED]

    asyncio.run(scenario())


def test_an_unanswered_ping_of_ours_ends_no_connection_that_delivers() -> None:
    async def scenario() -> None:
        heard = []

        async def venue(peer: RawPeer) -> None:
            await peer.shake_hands()
            await peer.joins()
            heard.append(await peer.opcode())
            for n in range(12):
                await peer.text(b"%d" % n)
                await asyncio.sleep(0.2)
            await peer.silence()

        settings = quick(silence=2.0, ping=0.05)
        async with raw_server(venue) as url, Observed(url, settings=settings).running() as seen:
            await seen.until(lambda: len(seen.frames) == 12)
        assert seen.reasons == [CloseReason.REQUESTED]
        assert heard == [Opcode.PING]

    asyncio.run(scenario())


def test_answered_pings_keep_a_quiet_connection() -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            await asyncio.sleep(2.5)
            await peer.send("at last")
            await peer.wait_closed()

        settings = quick(silence=2.0, ping=0.1)
        async with (
            serve(venue, "127.0.0.1", 0, ping_interval=None) as server,
            Observed(address(server), settings=settings).running() as seen,
        ):
            await seen.until(lambda: seen.frames)
        assert seen.reasons == [CloseReason.REQUESTED]

    asyncio.run(scenario())
