"""Connections over real sockets, with servers of the library and servers that write raw bytes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from spark_engine.feeds.connection.backoff import Backoff
from spark_engine.feeds.connection.budget import ConnectBudget
from spark_engine.feeds.connection.handover import Handover
from spark_engine.feeds.connection.state import CloseReason
from spark_engine.feeds.provider import Subscription
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Opcode

JOINS = ["join ticker BTCTRY", "join trade BTCTRY"]


def address(server: Any) -> str:
    return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


def test_it_connects_joins_and_hands_over_in_order(observe: Any) -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            joins = [await peer.recv(), await peer.recv()]
            for text in joins:
                await peer.send(f"ok {text}")
            await peer.send("ünïcode")
            await peer.send(b"\x00\xff binary")
            await peer.wait_closed()

        before = time.time_ns()
        async with serve(venue, "127.0.0.1", 0) as server, observe(address(server)).running() as seen:
            await seen.until(lambda: len(seen.frames) == 4)
        assert seen.frames == [*(f"ok {j}".encode() for j in JOINS), "ünïcode".encode(), b"\x00\xff binary"]
        assert before < seen.stamps[0] <= seen.stamps[-1] < time.time_ns()
        assert seen.stamps == sorted(seen.stamps)
        assert [s.kind for s in seen.states] == ["connecting", "open", "closed"]
        assert (seen.states[-1].reason, seen.states[-1].retry_in) == (CloseReason.REQUESTED, None)

    asyncio.run(scenario())


def test_no_compression_is_offered_and_the_user_agent_is_ours(observe: Any, quick: Any) -> None:
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
            observe(address(server), settings=quick(user_agent="spark/1")).running() as seen,
        ):
            await seen.until(lambda: seen.frames)
        assert heard == {"Sec-WebSocket-Extensions": None, "User-Agent": "spark/1"}

    asyncio.run(scenario())


@pytest.mark.parametrize("how", ["cut", "reset"])
def test_a_connection_cut_in_the_middle_of_a_frame_gives_what_came_whole_and_comes_back(
    how: str, observe: Any, serve_raw: Any, one_frame: Callable[..., bytes]
) -> None:
    async def scenario() -> None:
        async def venue(peer: Any) -> None:
            await peer.shake_hands()
            await peer.text(b"whole")
            await asyncio.sleep(0.05)
            await peer.write(one_frame(b"x" * 5_000)[:2_000])
            await asyncio.sleep(0.05)
            getattr(peer, how)()

        async with serve_raw(venue) as url, observe(url).running() as seen:
            await seen.until(lambda: seen.frames == [b"whole", b"whole"])
        assert seen.reasons[0] is CloseReason.DROPPED
        words = {"cut": "no close frame came", "reset": "it reset the connection"}[how]
        assert seen.endings()[0].cause == f"{url[5:-1]}: the connection was cut ({words})"

    asyncio.run(scenario())


def test_a_close_by_the_venue_is_told_with_its_code(observe: Any) -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            await peer.send("last words")
            await peer.close(1012, "maintenance")

        async with serve(venue, "127.0.0.1", 0) as server, observe(address(server)).running() as seen:
            ending = await seen.ending()
        assert ending.reason is CloseReason.CLOSED_BY_PEER
        assert ending.cause.endswith("closed the connection: 1012 (service restart) maintenance")
        assert seen.frames[0] == b"last words"

    asyncio.run(scenario())


def test_a_venue_that_accuses_us_of_a_fault_has_closed_it_itself(observe: Any) -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            await peer.close(1009, "too much")

        async with serve(venue, "127.0.0.1", 0) as server, observe(address(server)).running() as seen:
            ending = await seen.ending()
        assert ending.reason is CloseReason.CLOSED_BY_PEER
        assert ending.cause.endswith("1009 (message too big) too much")

    asyncio.run(scenario())


def test_a_venue_that_says_goodbye_and_never_hangs_up_does_not_hold_us(
    observe: Any, serve_raw: Any, one_frame: Callable[..., bytes]
) -> None:
    async def scenario() -> None:
        async def venue(peer: Any) -> None:
            await peer.shake_hands()
            await peer.joins()  # nothing more to send
            await peer.write(one_frame((1000).to_bytes(2, "big"), opcode=8))
            await peer.silence()
            await asyncio.sleep(60)

        async with serve_raw(venue) as url, observe(url).running() as seen:
            ending = await seen.ending()
        assert ending.reason is CloseReason.CLOSED_BY_PEER

    asyncio.run(scenario())


def test_a_half_open_connection_is_found_by_its_silence(observe: Any, serve_raw: Any, quick: Any) -> None:
    async def scenario() -> None:
        async def venue(peer: Any) -> None:
            await peer.shake_hands()
            await peer.text(b"hello")
            await asyncio.sleep(60)

        async with serve_raw(venue) as url, observe(url, settings=quick(silence=0.3)).running() as seen:
            ending = await seen.ending()
            assert ending.reason is CloseReason.STALLED
            assert ending.cause == f"{url[5:-1]}: not a single frame for 0.3 s"
            await seen.until(lambda: len(seen.frames) == 2)

    asyncio.run(scenario())


def test_the_pings_of_a_venue_that_has_nothing_to_say_are_answered_and_keep_the_connection(
    observe: Any, serve_raw: Any, one_frame: Callable[..., bytes], quick: Any
) -> None:
    async def scenario() -> None:
        answered = []

        async def venue(peer: Any) -> None:
            await peer.shake_hands()
            await peer.joins()
            for n in range(9):
                await peer.write(one_frame(b"ping%d" % n, opcode=9))
                answered.append(await peer.opcode())
                await asyncio.sleep(0.3)
            await peer.text(b"still here")
            await peer.silence()

        async with serve_raw(venue) as url, observe(url, settings=quick(silence=2.0)).running() as seen:
            await seen.until(lambda: seen.frames)
        assert answered == [Opcode.PONG] * 9
        assert seen.reasons == [CloseReason.REQUESTED]

    asyncio.run(scenario())


def test_an_unanswered_ping_of_ours_ends_no_connection_that_delivers(
    observe: Any, serve_raw: Any, quick: Any
) -> None:
    async def scenario() -> None:
        heard = bytearray()

        async def venue(peer: Any) -> None:
            await peer.shake_hands()
            for n in range(12):
                await peer.text(b"%d" % n)
                await asyncio.sleep(0.2)
            heard.extend(await peer.reader.read(65_536))
            await peer.silence()

        settings = quick(silence=2.0, ping=0.05)
        async with serve_raw(venue) as url, observe(url, settings=settings).running() as seen:
            await seen.until(lambda: len(seen.frames) == 12)
        assert seen.reasons == [CloseReason.REQUESTED]
        assert heard.count(0x89) >= 1

    asyncio.run(scenario())


def test_answered_pings_keep_a_quiet_connection(observe: Any, quick: Any) -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            await asyncio.sleep(2.5)
            await peer.send("at last")
            await peer.wait_closed()

        settings = quick(silence=2.0, ping=0.1)
        async with (
            serve(venue, "127.0.0.1", 0, ping_interval=None) as server,
            observe(address(server), settings=settings).running() as seen,
        ):
            await seen.until(lambda: seen.frames)
        assert seen.reasons == [CloseReason.REQUESTED]

    asyncio.run(scenario())


def test_a_garbled_frame_is_handed_over_and_ends_nothing(observe: Any, serve_raw: Any) -> None:
    async def scenario() -> None:
        async def venue(peer: Any) -> None:
            await peer.shake_hands()
            await peer.text(b"\xff\xfe not utf-8")
            await peer.text(b"next")
            await peer.silence()

        async with serve_raw(venue) as url, observe(url).running() as seen:
            await seen.until(lambda: len(seen.frames) == 2)
        assert seen.frames == [b"\xff\xfe not utf-8", b"next"]

    asyncio.run(scenario())


def test_frames_of_nearly_four_mib_come_whole_even_in_pieces(observe: Any) -> None:
    async def scenario() -> None:
        giant = "g" * (4 * 1024 * 1024 - 1)

        async def venue(peer: ServerConnection) -> None:
            await peer.send(giant)
            await peer.send([giant[: 1024 * 1024], giant[1024 * 1024 :]])
            await peer.send("small")
            await peer.wait_closed()

        async with (
            serve(venue, "127.0.0.1", 0, compression=None) as server,
            observe(address(server)).running() as seen,
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
    sent: bytes, cause: str, observe: Any, serve_raw: Any
) -> None:
    async def scenario() -> None:
        async def venue(peer: Any) -> None:
            await peer.shake_hands()
            await peer.text(b"before")
            await peer.write(sent)
            await peer.silence()

        async with serve_raw(venue) as url, observe(url).running() as seen:
            ending = await seen.ending()
        assert ending.reason is CloseReason.PROTOCOL
        assert cause in ending.cause
        assert seen.frames[0] == b"before"

    asyncio.run(scenario())


def test_a_slow_consumer_makes_reading_pause_and_loses_nothing(observe: Any, quick: Any) -> None:
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
            observed = observe(
                address(server), on_frame=handover.put, flow=handover, settings=quick(silence=1.0)
            )
            async with observed.running() as seen:
                async with asyncio.timeout(5):
                    while not handover.full:
                        await asyncio.sleep(0.001)
                await asyncio.sleep(2.0)  # twice the silence that ends a connection: but this one is our own
                assert handover.bytes < 1_000_000 + 300_000 + size
                assert sent < frames / 2  # what it cannot get rid of waits in the sockets' own buffers
                taken = []
                async with asyncio.timeout(10):
                    while len(taken) < frames:
                        taken += [int(frame[:5]) for frame, _ in await handover.take(20)]
                        assert handover.bytes < 1_000_000 + 300_000 + size
                        await asyncio.sleep(0.0005)
        assert taken == list(range(frames))
        assert handover.pauses > 1
        assert seen.reasons == [CloseReason.REQUESTED]

    asyncio.run(scenario())


def test_a_close_by_the_venue_after_a_pause_says_that_we_were_slow(observe: Any) -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            for _ in range(5):
                await peer.send("x")
            await peer.close()

        handover = Handover(frames=2)
        async with serve(venue, "127.0.0.1", 0) as server:
            observed = observe(address(server), on_frame=handover.put, flow=handover)
            async with observed.running() as seen:
                while not seen.endings():
                    await asyncio.sleep(0.15)
                    await handover.take()
                ending = await seen.ending()
        assert ending.reason is CloseReason.CLOSED_BY_PEER
        assert "the consumer was slow: reading had been paused for " in ending.cause

    asyncio.run(scenario())


def test_a_message_is_stamped_when_it_is_read_not_when_there_is_room_for_it(observe: Any) -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            peer.transport.write(b"\x81\x01a\x81\x01b\x81\x01c")  # three frames in one piece
            await peer.wait_closed()

        handover = Handover(frames=1)
        async with serve(venue, "127.0.0.1", 0) as server:
            observed = observe(address(server), on_frame=handover.put, flow=handover)
            async with observed.running():
                taken = []
                while len(taken) < 3:
                    taken += await handover.take()
                    await asyncio.sleep(1.0)
        assert [frame for frame, _ in taken] == [b"a", b"b", b"c"]
        assert taken[2][1] - taken[0][1] < 1_000_000_000

    asyncio.run(scenario())


def test_a_stop_hands_over_all_that_the_venue_had_sent_even_to_a_full_consumer(observe: Any) -> None:
    async def scenario() -> None:
        sent = 0

        async def venue(peer: ServerConnection) -> None:
            nonlocal sent
            while True:
                await peer.send(f"{sent:06d}" + "x" * 1_000)
                sent += 1

        handover = Handover(frames=10)
        async with serve(venue, "127.0.0.1", 0, compression=None) as server:
            observed = observe(address(server), on_frame=handover.put, flow=handover)
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


def test_a_stop_ends_the_wait_for_the_next_attempt(observe: Any, refused_port: int) -> None:
    async def scenario() -> None:
        an_hour = Backoff(first=3_600, cap=3_600, jitter=lambda: 0.99)
        observed = observe(f"ws://127.0.0.1:{refused_port}/", backoff=an_hour, sleep=asyncio.sleep)
        async with observed.running() as seen:
            await seen.ending()
        assert seen.reasons == [CloseReason.UNREACHABLE, CloseReason.REQUESTED]

    asyncio.run(scenario())


def test_a_stop_ends_a_handshake_that_nobody_answers(observe: Any, serve_raw: Any, quick: Any) -> None:
    async def scenario() -> None:
        async with (
            serve_raw(lambda peer: peer.silence()) as url,
            observe(url, settings=quick(open_seconds=60)).running() as seen,
        ):
            await seen.until(lambda: seen.states)
        assert [(s.kind, s.reason) for s in seen.states] == [
            ("connecting", None),
            ("closed", CloseReason.REQUESTED),
        ]

    asyncio.run(scenario())


def test_cancelling_the_run_leaves_no_task_and_no_socket(
    observe: Any, serve_raw: Any, left_behind: Any
) -> None:
    async def scenario() -> None:
        gone = asyncio.Event()

        async def venue(peer: Any) -> None:
            await peer.shake_hands()
            await peer.text(b"x")
            try:
                await peer.silence()
            finally:
                gone.set()

        async with serve_raw(venue) as url:
            seen = observe(url)
            before = asyncio.all_tasks()
            run = asyncio.create_task(seen.connection.run(seen.stop))
            await seen.until(lambda: seen.frames)
            run.cancel()
            with pytest.raises(asyncio.CancelledError):
                await run
            await asyncio.wait_for(gone.wait(), 2)
            assert left_behind(before) == []

    asyncio.run(scenario())


def test_what_the_receiver_of_frames_raises_ends_the_run_with_it(observe: Any) -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            await peer.send("x")
            await peer.wait_closed()

        def full_disk(frame: bytes, received_ns: int) -> None:
            raise OSError(28, "No space left on device")

        async with serve(venue, "127.0.0.1", 0) as server:
            seen = observe(address(server), on_frame=full_disk)
            with pytest.raises(OSError, match="No space left"):
                await asyncio.wait_for(seen.connection.run(seen.stop), 5)

    asyncio.run(scenario())


@pytest.mark.parametrize("fails", [False, True])
def test_a_frame_that_comes_while_we_close_is_handed_over_and_its_failure_heard(
    fails: bool, observe: Any, serve_raw: Any, one_frame: Callable[..., bytes]
) -> None:
    async def scenario() -> None:
        frames: list[bytes] = []

        async def venue(peer: Any) -> None:
            await peer.shake_hands()
            await peer.text(b"first")
            await peer.joins()
            assert await peer.opcode() == Opcode.CLOSE
            await peer.text(b"last")
            await peer.write(one_frame((1000).to_bytes(2, "big"), opcode=8))

        def hand_over(frame: bytes, received_ns: int) -> None:
            frames.append(frame)
            if fails and frame == b"last":
                raise OSError(28, "No space left on device")

        async with serve_raw(venue) as url:
            seen = observe(url, on_frame=hand_over)
            run = asyncio.create_task(seen.connection.run(seen.stop))
            while not frames:
                await asyncio.sleep(0.001)
            seen.stop.set()
            ending = (await asyncio.gather(asyncio.wait_for(run, 5), return_exceptions=True))[0]
        assert frames == [b"first", b"last"]
        assert isinstance(ending, OSError) is fails

    asyncio.run(scenario())


def test_resubscribing_leaves_and_joins_over_the_same_connection(observe: Any) -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            async for text in peer:
                await peer.send(text)

        async with serve(venue, "127.0.0.1", 0) as server, observe(address(server)).running() as seen:
            await seen.until(lambda: len(seen.frames) == 2)
            seen.connection.resubscribe([Subscription("trade", "BTCTRY")])
            await seen.until(lambda: len(seen.frames) == 4)
        assert seen.frames[2:] == [b"leave trade BTCTRY", b"join trade BTCTRY"]

    asyncio.run(scenario())


def test_a_wanted_reconnect_says_why_and_joins_everything_again(observe: Any) -> None:
    async def scenario() -> None:
        async def venue(peer: ServerConnection) -> None:
            async for text in peer:
                await peer.send(text)

        async with serve(venue, "127.0.0.1", 0) as server, observe(address(server)).running() as seen:
            seen.connection.reconnect(CloseReason.REQUESTED)  # nothing is open yet: nothing to do
            await seen.until(lambda: len(seen.frames) == 2)
            seen.connection.reconnect(CloseReason.STALE_CHANNEL, "no trade of BTCTRY while its price moved")
            await seen.until(lambda: len(seen.frames) == 4)
        assert seen.reasons == [CloseReason.STALE_CHANNEL, CloseReason.REQUESTED]
        assert seen.endings()[0].cause == "no trade of BTCTRY while its price moved"
        assert seen.frames[2:] == [join.encode() for join in JOINS]

    asyncio.run(scenario())


def test_a_venue_that_accepts_and_drops_is_met_with_growing_delays_until_data_was_stable(
    observe: Any, serve_raw: Any
) -> None:
    async def scenario() -> None:
        now = 0.0
        accepted = 0

        async def venue(peer: Any) -> None:
            nonlocal accepted
            accepted += 1
            await peer.shake_hands()
            await peer.text(b"snapshot")
            if accepted == 6:
                await peer.silence()

        async with serve_raw(venue) as url:
            observed = observe(url, backoff=Backoff(jitter=lambda: 1.0), clock=lambda: now)
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


def test_connections_of_one_process_share_their_budget(observe: Any, refused_port: int) -> None:
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

        def connection() -> Any:
            return observe(
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
                waiting = [s for s in seen.states if s.kind == "connecting" and s.retry_in]
                assert waiting[0].cause == "the budget of connections is used up for now"

    asyncio.run(scenario())
    assert len(connects) >= 12
    for first in connects:
        assert sum(1 for at in connects if first <= at < first + 60) <= 4
