"""What goes wrong: crashes, errors, lost answers, old views, lost Leases; and events that are not as sent."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from spark_operator.cluster.errors import ClusterError, Conflict, NotLeading, TooManyRequests, Unavailable

from simulated.client import Call, Caller, Fault, SimulatedCrash, Stage
from simulated.clock import Chance


@dataclass
class Crash(Fault):
    """SIGKILL before or after write `write` is carried out."""

    write: int
    moment: Literal["before", "after"]

    async def before(self, call: Call, caller: Caller) -> None:
        if call.write == self.write and self.moment == "before":
            caller.alive = False
            raise SimulatedCrash

    async def after(self, call: Call, caller: Caller) -> None:
        if call.write == self.write and self.moment == "after":
            caller.alive = False
            raise SimulatedCrash


@dataclass
class CrashAtCall(Fault):
    """SIGKILL while call `number`, read or write, is on its way."""

    number: int

    async def before(self, call: Call, caller: Caller) -> None:
        if call.number == self.number:
            caller.alive = False
            raise SimulatedCrash


@dataclass
class Refusal(Fault):
    """Call `number` is answered with an error, `times` calls long. A read cannot conflict."""

    number: int
    error: Callable[[], ClusterError]
    times: int = 1

    async def before(self, call: Call, caller: Caller) -> None:  # noqa: ARG002
        if not self.number <= call.number < self.number + self.times:
            return
        error = self.error()
        if call.write or not isinstance(error, Conflict):
            raise error


@dataclass
class LostAnswer(Fault):
    """Write `write` is carried out, and its answer gets lost."""

    write: int

    async def after(self, call: Call, caller: Caller) -> None:  # noqa: ARG002
        if call.write == self.write:
            await asyncio.sleep(5)
            raise Unavailable("no answer within 5 s")


@dataclass
class OldView(Fault):
    """From call `number` on, `calls` calls long, reads of `plurals` are answered as of `age` seconds ago."""

    number: int
    age: float
    calls: int
    plurals: frozenset[str]
    verbs: frozenset[str] = frozenset({"get", "list"})

    def enter(self, stage: Stage) -> None:
        self._stage = stage

    def revision(self, call: Call) -> int | None:
        affected = self.number <= call.number < self.number + self.calls
        if not affected or call.key.plural not in self.plurals or call.verb not in self.verbs:
            return None
        return self._stage.revision_before(self.age)


@dataclass
class Slow(Fault):
    """Call `number` is under way for `seconds`, while everything else goes on."""

    number: int
    seconds: float

    async def before(self, call: Call, caller: Caller) -> None:  # noqa: ARG002
        if call.number == self.number:
            await asyncio.sleep(self.seconds)


@dataclass
class LostLease(Fault):
    """At write `write` the process stands still, and another takes over. Then it ends.

    `lands`: the write, long past the fence, arrives all the same `pause` seconds later.
    """

    write: int
    pause: float
    lands: bool

    def enter(self, stage: Stage) -> None:
        self._stage = stage
        self._deposed: Caller | None = None

    async def before(self, call: Call, caller: Caller) -> None:
        if call.write != self.write or self._deposed is not None:
            return
        self._deposed = caller
        caller.leads = False
        self._stage.take_over()
        await asyncio.sleep(self.pause)
        if not self.lands:
            raise NotLeading("the Lease is not provably ours")

    async def after(self, call: Call, caller: Caller) -> None:  # noqa: ARG002
        if caller is self._deposed:
            caller.alive = False
            raise SimulatedCrash


def conflict() -> Conflict:
    return Conflict("the object has been modified", status=409, reason="Conflict")


def too_many_requests() -> TooManyRequests:
    return TooManyRequests("too many requests", status=429, reason="TooManyRequests")


def unavailable() -> Unavailable:
    return Unavailable("etcdserver: request timed out", status=500, reason="InternalError")


class Delivery(Protocol):
    """After how many seconds each copy of event `number` (from 1) arrives; none: it is missed."""

    def __call__(self, number: int) -> tuple[float, ...]: ...


def prompt(number: int) -> tuple[float, ...]:
    return (0.005,)


def missing(lost: int) -> Delivery:
    return lambda number: () if number == lost else prompt(number)


def deaf(number: int) -> tuple[float, ...]:
    """No event ever arrives: only resync and appointments tell what is new."""
    return ()


def doubled(number: int) -> tuple[float, ...]:
    return (0.005, 0.005, 1.0)


def shuffled(seed: int, longest: float) -> Delivery:
    """Later ones overtake earlier ones; some are missed, some come twice."""
    chance = Chance(seed)

    def delivery(number: int) -> tuple[float, ...]:
        copies = int(chance.between(0, 3, "copies", number)) or 1
        missed = chance.between(0, 1, "missed", number) < 0.1
        return () if missed else tuple(chance.between(0, longest, number, copy) for copy in range(copies))

    return delivery
