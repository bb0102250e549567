"""Connections over real sockets, with servers of the library and servers that write raw bytes."""

from __future__ import annotations

import asyncio

import pytest
from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.connection.budget import ConnectBudget
from spark_engine.feeds.connection.state import CloseReason, ConnectionState
from spark_engine.feeds.host_clock import local_ns
from spark_engine.feeds.provider import Subscription
from websockets.asyncio.server import ServerConnection, serve

from engine.tests.feeds_connection.observed import Observed, address, quick
from engine.tests.feeds_connection.raw_peer import RawPeer, frame_bytes, raw_server

JOINS = ["join ticker BTCTRY", "join trade BTCTRY"]


def test_it_connects_joins_and_hands_over_in_order() -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            joins = [await peer.recv(), await peer.recv()]
            for text in joins:
                await peer.send(f"ok {text}")
            await peer.send("ünïcode")
            await peer.send(b"\x00\xff binary")
            await peer.wait_closed()

        before = local_ns()
        async with serve(venue, "127.0.0.1", 0) as server, Observed(address(server)).running() as seen:
            await seen.until(lambda: len(seen.frames) == 4)
        assert seen.frames == [*(f"ok {j}".encode() for j in JOINS), "ünïcode".encode(), b"\x00\xff binary"]
        assert before < seen.stamps[0] <= seen.stamps[-1] < local_ns()
        assert seen.stamps == sorted(seen.stamps)
        assert [s.kind for s in seen.states] == ["connecting", "open", "closed"]
        assert (seen.states[-1].reason, seen.states[-1].retry_in) == (CloseReason.REQUESTED, None)

    asyncio.run(scenario())


def test_no_compression_is_offered_and_the_user_agent_is_ours() -> None:
    async def scenario() -> None:
        heard: dict[str, str | None] = {}

        async def venue(peer: ServerConnection) -> None:
            assert peer.request is not None
            for name in ("Sec-WebSocket-Extensions", "User-Agent"):
                heard[name] = peer.request.headers.get(name)
            await peer.send("x")
            await peer.wait_closed()

        async with (
            serve(venue, "127.0.0.1", 0) as server,
            Observed(address(server), settings=quick(user_agent="spark/1")).running() as seen,
        ):
            await seen.until(lambda: seen.frames)
        assert heard == {"Sec-WebSocket-Extensions": None, "User-Agent": "spark/1"}

    asyncio.run(scenario())


@pytest.mark.parametrize("how", ["cut", "reset"])
def test_a_connection_cut_in_the_middle_of_a_frame_gives_what_came_whole_and_comes_back(how: str) -> None:
    async def scenario() -> None:
        async def venue(peer: RawPeer) -> None:
            await peer.shake_hands()
            await peer.joins()  # what comes after a cut would reset the connection
            await peer.text(b"whole")
            await peer.write(frame_bytes(b"x" * 5_000)[:2_000])
            await asyncio.sleep(0.05)
            getattr(peer, how)()

        async with raw_server(venue) as url, Observed(url).running() as seen:
            await seen.until(lambda: seen.frames == [b"whole", b"whole"])
        assert seen.reasons[0] is CloseReason.DROPPED
        words = {"cut": "no close frame came", "reset": "it reset the connection"}[how]
        assert seen.endings()[0].cause == f"{url[5:-1]}: the connection was cut ({words})"

    asyncio.run(scenario())


def test_a_close_by_the_venue_is_told_with_its_code() -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            await peer.send("last words")
            await peer.close(1012, "maintenance")

        async with serve(venue, "127.0.0.1", 0) as server, Observed(address(server)).running() as seen:
            ending = await seen.ending()
        assert ending.reason is CloseReason.CLOSED_BY_PEER
        assert ending.cause.endswith("closed the connection: 1012 (service restart) maintenance")
        assert seen.frames[0] == b"last words"

    asyncio.run(scenario())


def test_what_a_venue_says_at_the_end_stays_one_line() -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            await peer.close(1008, "too\nmuch \x1b[2J")

        async with serve(venue, "127.0.0.1", 0) as server, Observed(address(server)).running() as seen:
            ending = await seen.ending()
        assert ending.cause.endswith("closed the connection: 1008 (policy violation) too much [2J")

    asyncio.run(scenario())


def test_a_venue_that_accuses_us_of_a_fault_has_closed_it_itself() -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            await peer.close(1009, "too much")

        async with serve(venue, "127.0.0.1", 0) as server, Observed(address(server)).running() as seen:
            ending = await seen.ending()
        assert ending.reason is CloseReason.CLOSED_BY_PEER
        assert ending.cause.endswith("1009 (message too big) too much")

    asyncio.run(scenario())


def test_a_venue_that_says_goodbye_and_never_hangs_up_does_not_hold_us() -> None:
    async def scenario() -> None:
        async def venue(peer: RawPeer) -> None:
            await peer.shake_hands()
            await peer.joins()  # nothing more to send
            await peer.write(frame_bytes((1000).to_bytes(2, "big"), opcode=8))
            await peer.silence()
            await asyncio.sleep(60)

        async with raw_server(venue) as url, Observed(url).running() as seen:
            ending = await seen.ending()
        assert ending.reason is CloseReason.CLOSED_BY_PEER

    asyncio.run(scenario())


def test_a_garbled_frame_is_handed_over_and_ends_nothing() -> None:
    async def scenario() -> None:
        async def venue(peer: RawPeer) -> None:
            await peer.shake_hands()
            await peer.text(b"\xff\xfe not utf-8")
            await peer.text(b"next")
            await peer.silence()

        async with raw_server(venue) as url, Observed(url).running() as seen:
            await seen.until(lambda: len(seen.frames) == 2)
        assert seen.frames == [b"\xff\xfe not utf-8", b"next"]

    asyncio.run(scenario())


def test_frames_of_nearly_four_mib_come_whole_even_in_pieces() -> None:
    async def scenario() -> None:
        giant = "g" * (4 * 1024 * 1024 - 1)

        async def venue(peer: ServerConnection) -> None:
            await peer.send(giant)
            await peer.send([giant[: 1024 * 1024], giant[1024 * 1024 :]])
            await peer.send("small")
            await peer.wait_closed()

        async with (
            serve(venue, "127.0.0.1", 0, compression=None) as server,
            Observed(address(server)).running() as seen,
        ):
            await seen.until(lambda: len(seen.frames) == 3)
        assert seen.frames == [giant.encode(), giant.encode(), b"small"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("sent", "cause"),
    [
        (b"\x81\x7f" + (2**40).to_bytes(8, "big") + b"x" * 100, "it sent a frame larger than 4 MiB"),
        (b"\x83\x01x", "it broke the WebSocket protocol"),
        (b"\xf1\x01x", "it broke the WebSocket protocol"),
    ],
)
def test_a_frame_against_the_rules_ends_the_connection_with_the_reason_protocol(
    sent: bytes, cause: str
) -> None:
    async def scenario() -> None:
        async def venue(peer: RawPeer) -> None:
            await peer.shake_hands()
            await peer.text(b"before")
            await peer.write(sent)
            await peer.silence()

        async with raw_server(venue) as url, Observed(url).running() as seen:
            ending = await seen.ending()
        assert ending.reason is CloseReason.PROTOCOL
        assert cause in ending.cause
        assert seen.frames[0] == b"before"

    asyncio.run(scenario())


def test_resubscribing_leaves_and_joins_over_the_same_connection() -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            async for text in peer:
                await peer.send(text)

        async with serve(venue, "127.0.0.1", 0) as server, Observed(address(server)).running() as seen:
            await seen.until(lambda: len(seen.frames) == 2)
            seen.connection.resubscribe([Subscription("trade", "BTCTRY")])
            await seen.until(lambda: len(seen.frames) == 4)
        assert seen.frames[2:] == [b"leave trade BTCTRY", b"join trade BTCTRY"]

    asyncio.run(scenario())


def test_a_wanted_reconnect_says_why_and_joins_everything_again() -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            async for text in peer:
                await peer.send(text)

        async with serve(venue, "127.0.0.1", 0) as server, Observed(address(server)).running() as seen:
            seen.connection.reconnect(CloseReason.REQUESTED)  # nothing is open yet: nothing to do
            await seen.until(lambda: len(seen.frames) == 2)
            seen.connection.reconnect(CloseReason.STALE_CHANNEL, "no trade of BTCTRY while its price moved")
            await seen.until(lambda: len(seen.frames) == 4)
        assert seen.reasons == [CloseReason.STALE_CHANNEL, CloseReason.REQUESTED]
        assert seen.endings()[0].cause == "no trade of BTCTRY while its price moved"
        assert seen.frames[2:] == [join.encode() for join in JOINS]

    asyncio.run(scenario())


def test_a_venue_that_accepts_and_drops_is_met_with_growing_delays_until_data_was_stable() -> None:
    async def scenario() -> None:
        now = 0.0
        accepted = 0

        async def venue(peer: RawPeer) -> None:
            nonlocal accepted
            accepted += 1
            await peer.shake_hands()
            await peer.text(b"snapshot")
            if accepted == 6:
                await peer.silence()

        async with raw_server(venue) as url:
            observed = Observed(url, backoff=Backoff(jitter=lambda: 1.0), clock=lambda: now)
            async with observed.running() as seen:
                await seen.until(lambda: len(seen.frames) == 6)
                assert [s.retry_in for s in seen.endings()] == [1, 2, 4, 8, 16]
                assert [s.attempt for s in seen.states if s.kind == "connecting"] == [1, 2, 3, 4, 5, 6]
                seen.connection.healthy()
                now = 29.9
                seen.connection.healthy()
                seen.connection.reconnect(CloseReason.REQUESTED)
                await seen.until(lambda: len(seen.frames) == 7)
                assert seen.endings()[5].retry_in == 32
                seen.connection.healthy()
                now += 30.0
                seen.connection.healthy()
                await seen.until(lambda: len(seen.endings()) >= 7)
        assert seen.waits[:6] == [1, 2, 4, 8, 16, 32]

    asyncio.run(scenario())


def test_what_is_read_only_after_the_end_is_no_healthy_connection() -> None:
    """Frames that waited for the consumer: between them and the next connection lies only our own waiting."""

    async def scenario() -> None:
        async def venue(peer: RawPeer) -> None:
            await peer.shake_hands()
            await peer.text(b"snapshot")

        def on_state(state: ConnectionState) -> None:
            seen.on_state(state)
            if state.kind == "closed":
                seen.connection.healthy()

        def on_frame(frame: bytes, received_ns: int) -> None:
            seen.on_frame(frame, received_ns)
            seen.connection.healthy()

        async with raw_server(venue) as url:
            seen = Observed(
                url,
                on_frame=on_frame,
                on_state=on_state,
                backoff=Backoff(jitter=lambda: 1.0),
                clock=lambda: sum(seen.waits),
            )
            async with seen.running():
                await seen.until(lambda: len(seen.endings()) >= 9)
        assert [s.retry_in for s in seen.endings()][:9] == [1, 2, 4, 8, 16, 32, 60, 60, 60]

    asyncio.run(scenario())


def test_connections_of_one_process_share_their_budget(refused_port: int) -> None:
    connects: list[float] = []

    class Recorded(ConnectBudget):
        def start(self, now: float) -> None:
            super().start(now)
            connects.append(now)

    async def scenario() -> None:
        now = 0.0
        budget = Recorded(4)

        async def sleep(seconds: float) -> None:
            nonlocal now
            await asyncio.sleep(0)
            now += seconds

        def connection() -> Observed:
            return Observed(
                f"ws://127.0.0.1:{refused_port}/",
                budget=budget,
                backoff=Backoff(cap=0.1, jitter=lambda: 0.5),
                sleep=sleep,
                clock=lambda: now,
            )

        one, other = connection(), connection()
        async with one.running(), other.running():
            for seen in (one, other):
                await seen.until(lambda seen=seen: len(seen.endings()) >= 6)
            waiting = [s for s in one.states + other.states if s.kind == "connecting" and s.retry_in]
            assert {s.cause for s in waiting} == {"the budget of connections is used up for now"}

    asyncio.run(scenario())
    assert len(connects) >= 12
    for first in connects:
        assert sum(1 for at in connects if first <= at < first + 60) <= 4
