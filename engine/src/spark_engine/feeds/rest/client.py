"""The one client of HTTP: within the venue's limits, patient with outages, exact about when."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, Generic, TypeVar

import httpx2

from spark_engine.feeds.provider import Malformed, RateLimit, Request
from spark_engine.feeds.rest.causes import READ, cause_of, said_in
from spark_engine.feeds.rest.errors import EventKind, RestError, RestMalformed, RestRefused, RestUnavailable
from spark_engine.feeds.rest.limits import Window
from spark_engine.feeds.rest.retries import full_jitter, http_date_ms, retry_after_seconds

T = TypeVar("T")

LIMITED: Final = frozenset({418, 429})  # 418: how Binance says that the address is banned for a while
STEADY_NS: Final = 1_000_000  # what the wall clock may differ from the monotonic one, beside a slew
STEADY_SLEW: Final = 1_000  # of a duration: 1000 ppm, twice what adjtime(3) slews
_END: Final[dict[type[RestError], EventKind]] = {
    RestUnavailable: "unavailable",
    RestRefused: "refused",
    RestMalformed: "malformed",
}


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a GET gave. `sent_ns` and `received_ns`: wall clock just before the request's first byte was
    written and when the head of the answer was read. `bytes`: of the body, unpacked. `steady` False: the
    wall clock stepped in between, so that the two times say nothing of each other. `modified_ms`: what the
    server says of when the content was written (Last-Modified), ms UTC."""

    value: T
    sent_ns: int
    received_ns: int
    bytes: int
    steady: bool
    modified_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RestSettings:
    """Seconds and bytes. `whole_seconds` bounds one attempt from connecting to the last byte."""

    connect_seconds: float = 5.0
    read_seconds: float = 10.0
    whole_seconds: float = 30.0
    most_bytes: int = 32 * 1024 * 1024
    attempts: int = 4
    first_delay: float = 0.5
    longest_delay: float = 10.0


class RestClient:
    """Shared by everything of a process that asks venues, so that the limits hold. Use on one event loop.

    `clock`: monotonic seconds; `wall`: ns since 1970; `jitter`: uniform in [0, 1). `on_event` counts.
    """

    def __init__(
        self,
        *,
        user_agent: str,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], int] = time.time_ns,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
        on_event: Callable[[EventKind], None] = lambda _: None,
        settings: RestSettings | None = None,
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._sleep = sleep
        self._jitter = jitter
        self._on_event = on_event
        self._settings = settings or RestSettings()
        self._windows: dict[str, Window] = {}
        self._http = httpx2.AsyncClient(
            headers={"user-agent": user_agent, "accept": "application/json"},
            timeout=httpx2.Timeout(self._settings.read_seconds, connect=self._settings.connect_seconds),
            limits=httpx2.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=60.0),
            follow_redirects=False,
        )

    async def get(self, request: Request[T], *, patience: float | None = None) -> Answer[T]:
        """Raises RestUnavailable, RestRefused, RestMalformed.

        `patience`: the most seconds to wait in all for limits and between attempts, None without end;
        a longer wait is RestUnavailable at once, with `retry_in`.
        """
        try:
            answer = await self._attempts(request, _Patience(patience))
        except RestError as error:
            self._on_event(_END[type(error)])
            raise
        self._on_event("answered")
        return answer

    async def close(self) -> None:
        await self._http.aclose()

    async def _attempts(self, request: Request[T], patience: _Patience) -> Answer[T]:
        for attempt in range(1, self._settings.attempts + 1):
            await self._room(request, patience)
            try:
                return await self._attempt(request)
            except _Again as again:
                if attempt == self._settings.attempts:
                    tries = f" ({attempt} attempts)" if attempt > 1 else ""
                    raise RestUnavailable(
                        request.url, again.cause + tries, retry_in=again.floor
                    ) from again.__cause__
                self._on_event("retried")
                if not again.blocked:  # the limit itself makes the next attempt wait
                    await self._rest(again, attempt, request.url, patience)
        raise AssertionError("every attempt returns or raises")

    async def _rest(self, again: _Again, attempt: int, url: str, patience: _Patience) -> None:
        settings = self._settings
        delay = (again.floor or 0.0) + full_jitter(
            attempt,
            first=settings.first_delay,
            factor=2.0,
            cap=settings.longest_delay,
            chance=self._jitter(),
        )
        patience.spend(delay, url, again.cause)
        await self._sleep(delay)

    async def _room(self, request: Request[Any], patience: _Patience) -> None:
        window = self._window(request.limit)
        told = False
        while (wait := window.wait(self._clock())) > 0:
            if not told:
                self._on_event("waited")
                told = True
            patience.spend(wait, request.url, f"the limit of requests ({request.limit.name}) is used up")
            await self._sleep(wait)

    def _window(self, limit: RateLimit) -> Window:
        if limit.name not in self._windows:
            self._windows[limit.name] = Window(limit.requests, limit.seconds)
        return self._windows[limit.name]

    async def _attempt(self, request: Request[T]) -> Answer[T]:
        window = self._window(request.limit)
        window.start(self._clock())
        self._on_event("sent")
        exchange = _Exchange(self._clock, self._wall)
        try:
            async with asyncio.timeout(self._settings.whole_seconds):
                response, body = await self._exchange(request, exchange)
        except TimeoutError:
            raise _Again(f"no whole answer within {self._settings.whole_seconds:g} s") from None
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise RestUnavailable(request.url, f"not an address of HTTP ({error})") from error
        except httpx2.DecodingError as error:
            raise RestMalformed(request.url, f"the packed body cannot be unpacked ({error})") from error
        except httpx2.TransportError as error:
            raise _Again(self._cause(error)) from error
        finally:
            window.end(self._clock())
        self._judge(request, response, body, window)
        try:
            value = request.parse(body)
        except Malformed as error:
            raise RestMalformed(request.url, str(error)) from error
        return Answer(
            value,
            exchange.sent_ns,
            exchange.received_ns,
            len(body),
            exchange.steady,
            http_date_ms(response.headers.get("last-modified")),
        )

    async def _exchange(self, request: Request[Any], exchange: _Exchange) -> tuple[httpx2.Response, bytes]:
        async with self._http.stream(
            "GET",
            request.url,
            params=dict(request.parameters) or None,
            headers=dict(request.headers),
            extensions={"trace": exchange.trace},
        ) as response:
            if response.status_code != 200:
                return response, await self._refusal(response)
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > self._settings.most_bytes:
                    most = self._settings.most_bytes
                    raise RestMalformed(request.url, f"the body is larger than {most:,} bytes")
            return response, bytes(body)

    async def _refusal(self, response: httpx2.Response) -> bytes:
        """What can be had of its body: the head has said what counts."""
        body = bytearray()
        with suppress(TimeoutError, httpx2.HTTPError):
            async with asyncio.timeout(self._settings.read_seconds):
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) >= READ:
                        break
        return bytes(body)

    def _judge(self, request: Request[Any], response: httpx2.Response, body: bytes, window: Window) -> None:
        status = response.status_code
        if status == 200:
            return
        said = said_in(body)
        floor = retry_after_seconds(
            response.headers.get("retry-after"),
            date=response.headers.get("date"),
            now=self._wall() / 1e9,
        )
        if status in LIMITED:
            blocked = request.limit.block_seconds if floor is None else floor
            window.block(self._clock() + blocked)
            self._on_event("limited")
            raise _Again(_answered(status, said), floor=blocked, blocked=blocked > 0)
        if status >= 500 or status == 408:
            raise _Again(_answered(status, said), floor=floor)
        if 300 <= status < 400:
            said = f"it redirects to {response.headers.get('location', 'nowhere')[:200]}; set that address"
        raise RestRefused(request.url, status, said or response.reason_phrase)

    def _cause(self, error: httpx2.TransportError) -> str:
        if isinstance(error, httpx2.ConnectTimeout):
            return f"no connection within {self._settings.connect_seconds:g} s"
        if isinstance(error, httpx2.TimeoutException):
            return f"no answer within {self._settings.read_seconds:g} s"
        return cause_of(error)


class _Again(Exception):
    """An attempt failed in a way that may pass. `blocked`: the limit makes the next one wait."""

    def __init__(self, cause: str, *, floor: float | None = None, blocked: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.floor = floor
        self.blocked = blocked


class _Patience:
    """Seconds that a caller is willing to wait beside the exchanges themselves."""

    def __init__(self, seconds: float | None) -> None:
        self._left = seconds

    def spend(self, seconds: float, url: str, cause: str) -> None:
        if self._left is None:
            return
        if seconds > self._left:
            raise RestUnavailable(url, f"{cause}; room in {_roughly(seconds)}", retry_in=seconds)
        self._left -= seconds


class _Exchange:
    """When the bytes of one exchange went and came, by two clocks."""

    def __init__(self, clock: Callable[[], float], wall: Callable[[], int]) -> None:
        self._clock = clock
        self._wall = wall
        self._sent = self._received = 0.0
        self.sent_ns = self.received_ns = 0

    async def trace(self, event: str, _: object) -> None:
        if event == "http11.send_request_headers.started":
            self._sent, self.sent_ns = self._clock(), self._wall()
        elif event == "http11.receive_response_headers.complete":
            self.received_ns, self._received = self._wall(), self._clock()

    @property
    def steady(self) -> bool:
        by_clock = round((self._received - self._sent) * 1e9)
        by_wall = self.received_ns - self.sent_ns
        return abs(by_wall - by_clock) <= STEADY_NS + by_clock // STEADY_SLEW


def _roughly(seconds: float) -> str:
    """The same text for a minute: it is reported as often as somebody asks in vain."""
    return "less than a minute" if seconds < 60 else f"{ceil(seconds / 60)} min"


def _answered(status: int, said: str) -> str:
    return f"answered {status}" + (f": {said}" if said else "")
