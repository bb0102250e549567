"""The two oracles: the end state, and how often each object was created and deleted."""

from __future__ import annotations

from functools import cache
from typing import Any

from simulated.scenarios import SCENARIOS
from simulated.session import Ending, Session


@cache
def undisturbed(name: str) -> Ending:
    """The reference run of a scenario."""
    return Session(SCENARIOS[name]).play()


def differences(reference: Ending, disturbed: Ending) -> list[str]:
    """What is not the same at the end; empty when the disturbance left no trace.

    An Event may be missing: a process can die between a status and its Event. None may be new or there twice.
    """
    found = [
        f"{key.plural}/{key.name}{path}: {was!r} became {is_!r}"
        for key in sorted({*reference.state, *disturbed.state})
        for path, was, is_ in _changes("", reference.state.get(key), disturbed.state.get(key))
        if key.plural != "events" or key in disturbed.state
    ]
    for what, before, after in (
        ("created", reference.births, disturbed.births),
        ("deleted by the operator", reference.deaths, disturbed.deaths),
    ):
        found += [
            f"{key.plural}/{key.name} was {what} {after[key]} times, not {before[key]}"
            for key in sorted({*before, *after})
            if after[key] > before[key] or (after[key] < before[key] and key.plural != "events")
        ]
    stuck = sorted(disturbed.world.jobs.stuck)
    return [*found, *(f"{key.name} was resumed while its startTime was set" for key in stuck)]


def lost_events(reference: Ending, disturbed: Ending) -> list[str]:
    """Reasons of the operator's Events that were not posted."""
    lost = sorted({*reference.state} - {*disturbed.state})
    return [reference.state[key]["reason"] for key in lost if key.plural == "events"]


def _changes(path: str, was: Any, is_: Any) -> list[tuple[str, Any, Any]]:
    if isinstance(was, dict) and isinstance(is_, dict):
        names = sorted({*was, *is_})
        return [
            change for name in names for change in _changes(f"{path}.{name}", was.get(name), is_.get(name))
        ]
    if isinstance(was, list) and isinstance(is_, list) and len(was) == len(is_):
        pairs = enumerate(zip(was, is_, strict=True))
        return [change for n, (one, other) in pairs for change in _changes(f"{path}[{n}]", one, other)]
    return [] if was == is_ else [(path, was, is_)]
