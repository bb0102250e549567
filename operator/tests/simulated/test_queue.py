"""`maxActiveRuns`: never more, first come first served, and a position that is written a few times only."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from simulated.client import Fault
from simulated.clock import Chance
from simulated.faults import Crash, Delivery, deaf, prompt, shuffled
from simulated.pod import has_condition
from simulated.script import Exit
from simulated.session import CONFIGURATION, Ending, Session
from simulated.store import Object
from simulated.world import World

RUNS = 20
LIMIT = 3
NAMES = [f"run-{number:02}" for number in range(RUNS)]
LIMITED = CONFIGURATION.model_copy(
    update={"limits": CONFIGURATION.limits.model_copy(update={"max_active_runs": LIMIT})}
)


class Line:
    """Many runs at a time, applied a second after one another; and who had a Job when."""

    def __init__(self, names: Sequence[str] = NAMES) -> None:
        self.names = names
        self.most = 0
        self.order: list[str] = []

    def prepare(self, world: World) -> None:
        chance = Chance(1)
        for number, name in enumerate(self.names):
            seconds = chance.between(5, 30, name)
            world.clock.after(number, lambda n=name, s=seconds: world.apply(n, [Exit(seconds=s)]))  # type: ignore[misc]
        world.store.watch(lambda type_, body: self._look(world, type_, body))

    def _look(self, world: World, type_: str, body: Object) -> None:
        if body.get("kind") != "Job":
            return
        if type_ == "ADDED":
            self.order.append(body["metadata"]["labels"]["spark.trading/run"])
        live = [job for job in world.store.all("jobs") if not _is_finished(job)]
        self.most = max(self.most, len(live))


def played(line: Line, *faults: Fault, deliver: Delivery = prompt) -> Ending:
    return Session(line.prepare, configuration=LIMITED, faults=faults, deliver=deliver).play()


def test_no_more_runs_than_allowed_hold_a_job_and_the_first_come_is_the_first_served() -> None:
    line = Line()
    ended = played(line)
    assert line.most == LIMIT
    assert line.order == list(line.names)
    phases = {ended.world.run(name)["status"]["phase"] for name in line.order}
    assert phases == {"Succeeded"}
    assert all("queuePosition" not in ended.world.run(name)["status"] for name in line.order)


def test_a_position_is_written_when_it_has_halved_and_not_at_every_step() -> None:
    line = Line()
    ended = played(line)
    writes = [call for call in ended.writes if call.key.plural == "backtestruns"]
    most = max(sum(call.key.name == name for call in writes) for name in line.order)
    assert most <= 4 + RUNS.bit_length()


@pytest.mark.parametrize("write", [5, 17, 40, 80])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("names", [NAMES, NAMES[::-1]], ids=["listed-first", "listed-last"])
def test_a_successor_knows_who_holds_a_job_and_who_is_next(
    write: int, moment: str, names: Sequence[str]
) -> None:
    line = Line(names)
    ended = played(line, Crash(write, moment))  # type: ignore[arg-type]
    assert len(ended.processes) == 2
    assert line.most == LIMIT
    # those who find room at once are admitted at once, in any order after a crash; the rest one by one
    assert set(line.order[:LIMIT]) == set(line.names[:LIMIT])
    assert line.order[LIMIT:] == list(line.names[LIMIT:])


@pytest.mark.parametrize("deliver", [deaf, shuffled(3, 5.0)])
def test_the_limit_holds_without_events(deliver: Delivery) -> None:
    line = Line()
    ended = played(line, deliver=deliver)
    assert line.most <= LIMIT
    assert {ended.world.run(name)["status"]["phase"] for name in line.order} == {"Succeeded"}
    assert len(line.order) == RUNS


def _is_finished(job: Object) -> bool:
    return has_condition(job["status"], "Complete") or has_condition(job["status"], "Failed")
