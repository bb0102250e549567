"""What `Suspended` promises, whenever the user comes."""

from __future__ import annotations

import pytest

from simulated.pod import is_terminal
from simulated.scenarios import LONG, RUN, exists, is_suspended, resume, suspend
from simulated.script import Exit
from simulated.session import Session
from simulated.store import Object
from simulated.world import World


@pytest.mark.parametrize("tenths", range(0, 45, 3))
def test_a_run_that_is_said_to_be_suspended_has_no_live_pod_and_resumes(tenths: int) -> None:
    live_while_suspended: list[str] = []

    def prepare(world: World) -> None:
        def look(type_: str, body: Object) -> None:
            if exists(world) and is_suspended(world):
                pods = (pod for pod in world.pods_of(RUN) if not is_terminal(pod))
                live_while_suspended.extend(pod["metadata"]["name"] for pod in pods)

        world.store.watch(look)
        world.clock.after(tenths / 10, lambda: suspend(world))
        world.when(lambda: is_suspended(world), lambda: world.clock.after(5.0, lambda: resume(world)))
        world.apply(RUN, [Exit(seconds=LONG), Exit()])

    ended = Session(prepare).play()
    assert live_while_suspended == []
    assert ended.world.jobs.stuck == set()
    assert ended.world.run(RUN)["status"]["phase"] == "Succeeded"
