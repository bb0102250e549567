"""From a user's first act to rest: processes one after the other over one world, and what came of it."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from spark_operator.configuration.model import Configuration

from simulated.client import Call, Fault, SimulatedCrash, Wire
from simulated.faults import Delivery, prompt
from simulated.loop import run
from simulated.process import Process
from simulated.store import Key
from simulated.world import World

CALM_SECONDS = 700.0
"""Longer than a resync: what only that notices has been noticed."""
LONGEST_SECONDS = 24 * 3600.0
TIMES = re.compile(r"(Time|Timestamp|startedAt|finishedAt)$")
WITHOUT = ("resourceVersion", "generation", "deprecatedCount", "reportingInstance")

CONFIGURATION = Configuration.model_validate(
    {"engine": {"image": "registry.example/spark-engine:1"}, "store": {"uri": "s3://evidence"}}
)


class NeverAtRest(AssertionError):
    """Something is written for ever."""


@dataclass(frozen=True)
class Ending:
    """`state`: every object without times and versions. `births` and `deaths`: how often each object was
    created, and how often the operator began to delete it. `writes`: what it asked for, in order."""

    world: World
    state: dict[Key, Any]
    births: Counter[Key]
    deaths: Counter[Key]
    writes: list[Call]
    calls: list[Call]
    processes: list[Process]


class Session:
    """`prepare`: what users apply, and when they change their minds. `world`: one that has a past."""

    def __init__(
        self,
        prepare: Callable[[World], None],
        *,
        configuration: Configuration = CONFIGURATION,
        faults: Sequence[Fault] = (),
        deliver: Delivery = prompt,
        downtime: float = 3.0,
        seed: int = 0,
        world: World | None = None,
    ) -> None:
        self.world = world or World(seed)
        self.wire = Wire(self.world.chance, tuple(faults))
        self.processes: list[Process] = []
        self._prepare = prepare
        self._configuration = configuration
        self._deliver = deliver
        self._downtime = downtime
        self._tasks: set[asyncio.Task[None]] = set()
        for fault in faults:
            fault.enter(self)

    def play(self) -> Ending:
        """Until nothing has been written for longer than a resync. Raises `NeverAtRest`."""
        run(self.world.clock, self._play())
        log = self.world.server.log
        deaths = (r.key for r in log if (r.actor, r.verb, r.changed) == ("operator", "delete", True))
        return Ending(
            self.world,
            state_of(self.world),
            Counter(self.world.store.created),
            Counter(deaths),
            self.wire.writes,
            self.wire.calls,
            self.processes,
        )

    def take_over(self) -> None:
        """A second process starts while the first still runs."""
        self._start()

    def revision_before(self, age: float) -> int:
        """The revision that was the newest `age` seconds ago."""
        return self.world.store.revision_before(age)

    async def _play(self) -> None:
        self._prepare(self.world)
        self._start()
        rest = asyncio.create_task(self._rest())
        try:
            while not rest.done():
                done, _ = await asyncio.wait({rest, *self._tasks}, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {rest}:
                    self._tasks.discard(task)
                    _check_crash(task)
                    await asyncio.sleep(self._downtime)
                    if not self._tasks:
                        self._start()
            rest.result()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(rest, *self._tasks, return_exceptions=True)

    def _start(self) -> None:
        process = Process(len(self.processes) + 1, self.world, self.wire, self._configuration, self._deliver)
        self.processes.append(process)
        self._tasks.add(asyncio.get_running_loop().create_task(process.run()))

    async def _rest(self) -> None:
        clock, store = self.world.clock, self.world.store
        while True:
            seen = store.revision
            await asyncio.sleep(CALM_SECONDS)
            if store.revision == seen:
                return
            if clock.seconds > LONGEST_SECONDS:
                raise NeverAtRest(f"the last writes were {self.wire.writes[-6:]}")


def state_of(world: World) -> dict[Key, Any]:
    """Every object but Events of others, without what differs between two equal histories."""
    state = {}
    for plural in ("backtestruns", "jobs", "pods", "events"):
        for key in world.store.keys(plural):
            body = world.store.get(key)
            if body is not None and (
                plural != "events" or body["reportingController"] == "spark.trading/operator"
            ):
                state[key] = _normalised(body)
    return state


def _normalised(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _normalised(child)
            for name, child in value.items()
            if name not in WITHOUT and not TIMES.search(name)
        }
    return [_normalised(item) for item in value] if isinstance(value, list) else value


def _check_crash(task: asyncio.Task[None]) -> None:
    """A process may only end by a simulated crash."""
    error = task.exception()
    crashes, others = error.split(SimulatedCrash) if isinstance(error, BaseExceptionGroup) else (error, None)
    if others is not None or not isinstance(crashes, SimulatedCrash | BaseExceptionGroup):
        raise AssertionError("the operator ended by itself") from error
