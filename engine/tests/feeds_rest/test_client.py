from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from spark_engine.feeds.provider import RateLimit
from spark_engine.feeds.rest.errors import RestMalformed, RestRefused, RestUnavailable

from engine.tests.feeds_rest.conftest import PATIENT, reply_bytes

MS = 1_000_000
Reply = Callable[..., bytes]


def run(scenario: Callable[[], Any]) -> None:
    asyncio.run(asyncio.wait_for(scenario(), 120))


def test_an_answer_carries_its_value_its_size_and_when_the_bytes_went_and_came(
    serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        async with serving(reply(b"12345")) as server, asking() as ask:
            before = time.time_ns()
            answer = await ask.client.get(number(server.url, pairSymbol="BTC TRY"))
            after = time.time_ns()
        assert (answer.value, answer.bytes) == (12345, 5)
        assert before < answer.sent_ns < answer.received_ns < after
        head = server.requests[0].lower()
        assert head.startswith("get /api/v2/thing?pairsymbol=btc%20try http/1.1\r\n") or "btc+try" in head
        assert "user-agent: spark/1\r\n" in head
        assert "x-extra: yes\r\n" in head
        assert ask.events == {"sent": 1, "answered": 1}

    run(scenario)


def test_requests_share_one_connection(serving: Any, asking: Any, number: Any, reply: Reply) -> None:
    async def scenario() -> None:
        async with serving(reply(b"1")) as server, asking() as ask:
            for _ in range(5):
                await ask.client.get(number(server.url))
        assert (len(server.requests), server.connections) == (5, 1)

    run(scenario)


class Hands:
    """The two clocks of a client, which go on only when somebody moves them. read: how often the wall clock
    was. step: by how much it was set."""

    def __init__(self) -> None:
        self.ns = 1_700_000_000_000_000_000
        self.read = 0
        self.step = 0

    def clock(self) -> float:
        return (self.ns % 10**12) / 1e9

    def wall(self) -> int:
        self.read += 1
        return self.ns + self.step


def test_the_times_leave_out_connecting_and_a_slow_body(
    serving: Any, asking: Any, number: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands, resolve = Hands(), socket.getaddrinfo

    def slowly(host: Any, *arguments: Any, **options: Any) -> Any:
        hands.ns += 500 * MS
        return resolve("127.0.0.1", *arguments, **options)

    async def slow_body(writer: asyncio.StreamWriter) -> None:
        hands.ns += 40 * MS
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        while hands.read < 2:  # the client has read the head
            await asyncio.sleep(0)
        hands.ns += 300 * MS
        writer.write(b"123")

    async def scenario() -> None:
        monkeypatch.setattr(socket, "getaddrinfo", slowly)
        started = hands.ns
        async with serving(slow_body) as server, asking(clock=hands.clock, wall=hands.wall) as ask:
            answer = await ask.client.get(number(server.url.replace("127.0.0.1", "venue.invalid")))
        assert answer.value == 123
        assert (answer.sent_ns - started, answer.received_ns - started) == (500 * MS, 540 * MS)

    run(scenario)


def test_a_wall_clock_that_steps_during_the_request_makes_the_answer_unsteady(
    serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    hands = Hands()

    async def stepping(writer: asyncio.StreamWriter) -> None:
        hands.ns += 40 * MS
        hands.step = -1_270 * MS
        writer.write(reply(b"7"))

    async def scenario() -> None:
        async with serving(stepping) as server, asking(clock=hands.clock, wall=hands.wall) as ask:
            first = await ask.client.get(number(server.url))
            second = await ask.client.get(number(server.url))
        assert (first.value, first.steady, second.steady) == (7, False, True)

    run(scenario)


def test_the_limit_spreads_requests_and_says_that_it_waited(
    serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        limit = RateLimit("tight", requests=2, seconds=10, block_seconds=60)
        async with serving(reply()) as server, asking() as ask:
            await asyncio.gather(*(ask.client.get(number(server.url, limit)) for _ in range(5)))
        assert sum(ask.clock.slept) > 19  # 2 at once, 2 ten seconds later, 1 twenty seconds later
        assert ask.events["answered"] == 5
        assert ask.events["waited"] >= 1

    run(scenario)


def test_impatience_is_told_when_there_would_be_room(
    serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        limit = RateLimit("graph", requests=1, seconds=600, block_seconds=600)
        async with serving(reply()) as server, asking() as ask:
            await ask.client.get(number(server.url, limit))
            with pytest.raises(
                RestUnavailable, match=r"limit of requests \(graph\) is used up; room in"
            ) as told:
                await ask.client.get(number(server.url, limit), patience=30)
        assert told.value.retry_in == pytest.approx(600.6)
        assert (len(server.requests), ask.clock.slept) == (1, [])

    run(scenario)


def test_impatience_says_the_same_for_a_minute(serving: Any, asking: Any, number: Any, reply: Reply) -> None:
    """Whoever asks every few seconds reports it once."""

    async def scenario() -> None:
        limit = RateLimit("graph", requests=1, seconds=590, block_seconds=600)
        async with serving(reply()) as server, asking() as ask:
            await ask.client.get(number(server.url, limit))
            told = []
            for _ in range(10):
                ask.clock.slept.append(4.3)
                with pytest.raises(RestUnavailable) as impatient:
                    await ask.client.get(number(server.url, limit), patience=30)
                told.append(str(impatient.value))
        assert len(set(told)) == 1
        assert told[0].endswith("is used up; room in 10 min")

    run(scenario)


@pytest.mark.parametrize(("header", "waited"), [("\r\nRetry-After: 55", 55), ("", 600)])
@pytest.mark.parametrize("status", ["429 Too Many Requests", "418 I'm a teapot"])
def test_a_429_blocks_the_whole_limit_for_as_long_as_it_says_or_as_the_venue_is_known_to(
    header: str, waited: float, status: str, serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        limit = RateLimit("graph", requests=100, seconds=60, block_seconds=600)
        other = RateLimit("other", requests=100, seconds=60, block_seconds=600)
        async with serving(reply(b"", status + header), reply(b"5")) as server, asking() as ask:
            first = asyncio.create_task(ask.client.get(number(server.url, limit)))
            while ask.events["limited"] == 0:
                await asyncio.sleep(0.001)
            assert (await ask.client.get(number(server.url, other))).value == 5
            assert (await first).value == 5
        assert sum(ask.clock.slept) == pytest.approx(waited)
        assert ask.events["limited"] == 1

    run(scenario)


def test_a_venue_that_only_ever_says_429_is_unavailable_in_the_end(
    serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        body = b'{"message":"TOO_MANY_REQUESTS","success":false,"code":429}'
        busy = reply(body, "429 Too Many Requests\r\nRetry-After: 5")
        async with serving(busy) as server, asking() as ask:
            with pytest.raises(RestUnavailable, match="answered 429: TOO_MANY_REQUESTS") as told:
                await ask.client.get(number(server.url))
        assert (len(server.requests), told.value.retry_in) == (4, 5)
        assert sum(ask.clock.slept) == pytest.approx(15)

    run(scenario)


def test_a_429_that_names_no_time_to_wait_is_not_asked_again_at_once(
    serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        async with serving(reply(b"", "429 Too Many Requests\r\nRetry-After: 0")) as server, asking() as ask:
            with pytest.raises(RestUnavailable):
                await ask.client.get(number(server.url))
        assert ask.clock.slept == [0.25, 0.5, 1.0]

    run(scenario)


async def hang_in_the_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 55\r\nContent-Length: 1000\r\n\r\n123")
    await asyncio.sleep(5)


async def drip_in_the_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 55\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"1")
        await writer.drain()
        await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "refusal",
    [
        hang_in_the_body,
        drip_in_the_body,
        reply_bytes(b"x" * 200_000, "429 Too Many Requests\r\nRetry-After: 55"),
        reply_bytes(b"no gzip", "429 Too Many Requests\r\nRetry-After: 55\r\nContent-Encoding: gzip"),
        b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 55\r\nTransfer-Encoding: chunked\r\n\r\nno size",
    ],
    ids=["hangs", "drips", "giant", "badly packed", "no chunk"],
)
def test_a_429_is_heard_whatever_becomes_of_its_body(
    refusal: Any, serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        settings = replace(PATIENT, read_seconds=1.0)
        async with serving(refusal, reply(b"5")) as server, asking(settings=settings) as ask:
            assert (await ask.client.get(number(server.url))).value == 5
        assert ask.events["limited"] == 1
        assert sum(ask.clock.slept) == pytest.approx(55)

    run(scenario)


def test_a_5xx_is_asked_again_with_growing_delays(
    serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        bad = reply(b"<html><title>502 Bad Gateway</title></html>", "502 Bad Gateway")
        async with serving(bad, bad, bad, reply(b"9")) as server, asking() as ask:
            assert (await ask.client.get(number(server.url))).value == 9
        assert ask.clock.slept == [0.25, 0.5, 1.0]
        assert ask.events == {"sent": 4, "retried": 3, "answered": 1}

    run(scenario)


def test_a_5xx_that_stays_is_unavailable_with_host_path_and_what_it_said(
    serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        async with (
            serving(reply(b"<p>maintenance</p>", "503 Service Unavailable")) as server,
            asking() as ask,
        ):
            with pytest.raises(RestUnavailable) as told:
                await ask.client.get(number(server.url, key="secret"))
        where = server.url.removeprefix("http://")
        assert str(told.value) == f"{where}: answered 503: maintenance (4 attempts)"
        assert (told.value.host, told.value.path) == (where.split("/")[0], "/api/v2/thing")
        assert ask.events["unavailable"] == 1

    run(scenario)


def test_the_retry_after_of_a_5xx_is_a_floor(serving: Any, asking: Any, number: Any, reply: Reply) -> None:
    async def scenario() -> None:
        down = reply(b"", "503 Service Unavailable\r\nRetry-After: 20")
        async with serving(down, reply(b"1")) as server, asking() as ask:
            await ask.client.get(number(server.url))
            assert ask.clock.slept == [20.25]
        async with serving(down) as server, asking() as ask:
            with pytest.raises(RestUnavailable, match="answered 503; room in less than a minute"):
                await ask.client.get(number(server.url), patience=10)

    run(scenario)


async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(5)


async def drip(writer: asyncio.StreamWriter) -> None:
    """Always a byte within the time to read, never all of them."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"1")
        await writer.drain()
        await asyncio.sleep(0.1)


async def truncate(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n123")
    await writer.drain()
    writer.close()


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


@pytest.mark.parametrize(
    ("fault", "bounds", "cause"),
    [
        (hang, {"read_seconds": 1.0}, r"no answer within 1 s"),
        (drip, {"whole_seconds": 1.0}, r"no whole answer within 1 s"),
        (truncate, {}, r"peer closed connection without sending complete message body"),
        (hang_up, {}, r"(?i)server disconnected without sending a response"),
        (reset, {}, r"it reset the connection"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", {}, r"(?i)illegal status line"),
    ],
)
def test_a_fault_of_the_wire_is_asked_again_once_and_then_told(
    fault: Any, bounds: dict[str, float], cause: str, serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    twice, once = (replace(PATIENT, attempts=attempts, **bounds) for attempts in (2, 1))

    async def scenario() -> None:
        async with serving(fault, reply(b"4")) as server, asking(settings=twice) as ask:
            assert (await ask.client.get(number(server.url))).value == 4
        async with serving(fault) as server, asking(settings=once) as ask:
            with pytest.raises(RestUnavailable, match=cause) as told:
                await ask.client.get(number(server.url))
        assert "\n" not in str(told.value)

    run(scenario)


def test_a_port_where_nobody_listens_and_a_name_that_does_not_exist(
    refused_port: int, unknown_name: str, asking: Any, number: Any
) -> None:
    async def scenario() -> None:
        async with asking() as ask:
            with pytest.raises(RestUnavailable) as refused:
                await ask.client.get(number(f"http://127.0.0.1:{refused_port}/x"))
            with pytest.raises(RestUnavailable) as unknown:
                await ask.client.get(number(f"http://{unknown_name}/x"))
        assert str(refused.value) == f"127.0.0.1:{refused_port}/x: connection refused (4 attempts)"
        assert str(unknown.value) == f"{unknown_name}/x: its name cannot be resolved (4 attempts)"

    run(scenario)


@pytest.mark.parametrize("url", ["ftp://example.com/x", "nonsense", "http://[::1/x"])
def test_an_address_that_is_none_is_told_without_trying(url: str, asking: Any, number: Any) -> None:
    async def scenario() -> None:
        async with asking() as ask:
            with pytest.raises(RestUnavailable, match="not an address of HTTP"):
                await ask.client.get(number(url))
            assert ask.clock.slept == []

    run(scenario)


@pytest.mark.parametrize(
    ("head", "body", "message"),
    [
        (
            "400 Bad Request",
            b'{"message":"Pair NOPE does not exists.","code":1037}',
            "Pair NOPE does not exists.",
        ),
        ("404 Not Found", b"", "Not Found"),
        (
            "301 Moved\r\nLocation: https://elsewhere.example/",
            b"",
            "it redirects to https://elsewhere.example/",
        ),
    ],
)
def test_a_no_is_told_once_and_not_asked_again(
    head: str, body: bytes, message: str, serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        async with serving(reply(body, head)) as server, asking() as ask:
            with pytest.raises(RestRefused) as told:
                await ask.client.get(number(server.url))
        assert told.value.status == int(head[:3])
        assert message in told.value.message
        assert f"answered {head[:3]}: {message}" in str(told.value)
        assert (len(server.requests), ask.events["refused"]) == (1, 1)

    run(scenario)


def test_a_body_that_the_provider_cannot_read_is_malformed(
    serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        async with serving(reply(b"NaN")) as server, asking() as ask:
            with pytest.raises(RestMalformed, match="not a number"):
                await ask.client.get(number(server.url))
        assert ask.events == {"sent": 1, "malformed": 1}

    run(scenario)


def test_a_giant_body_is_given_up_also_when_it_comes_packed(
    serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        bomb = gzip.compress(b"1" * 50_000_000)
        for giant in (
            reply(b"1" * 200_000),
            reply(bomb, "200 OK\r\nContent-Encoding: gzip"),
        ):
            async with serving(giant) as server, asking() as ask:
                with pytest.raises(RestMalformed, match="larger than 100,000 bytes"):
                    await ask.client.get(number(server.url))

    run(scenario)


def test_a_packed_body_is_unpacked_and_one_that_cannot_be_is_malformed(
    serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        packed = "200 OK\r\nContent-Encoding: gzip"
        async with (
            serving(reply(gzip.compress(b"42"), packed), reply(b"42", packed)) as server,
            asking() as ask,
        ):
            assert (await ask.client.get(number(server.url))).value == 42
            with pytest.raises(RestMalformed, match="cannot be unpacked"):
                await ask.client.get(number(server.url))

    run(scenario)


def test_a_cancelled_request_gives_its_place_back_and_leaves_no_task(
    serving: Any, asking: Any, number: Any, reply: Reply
) -> None:
    async def scenario() -> None:
        limit = RateLimit("one", requests=1, seconds=1, block_seconds=60)
        async with serving(hang, reply(b"3")) as server, asking() as ask:
            before = asyncio.all_tasks()
            asked = asyncio.create_task(ask.client.get(number(server.url, limit)))
            while not server.requests:
                await asyncio.sleep(0.001)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            left = {task for task in asyncio.all_tasks() - before if "accept" not in repr(task)}
            assert left == set()
            server.replies = [reply(b"3")]
            assert (await ask.client.get(number(server.url, limit))).value == 3

    run(scenario)
