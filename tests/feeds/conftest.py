"""All scenarios are played once a session, those asked for beside each other, in two processes: a minute of a
venue is a minute."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.feeds import faulty, outages
from tests.feeds.outcome import Outcome, play

PROCESSES = 2
TOLD: pytest.StashKey[list[Outcome]] = pytest.StashKey()


@pytest.fixture(scope="session")
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """Of every scenario that a selected test names in its parameter `scenario`."""
    wanted = sorted({name for item in request.session.items if (name := _scenario(item))})
    folder = tmp_path_factory.mktemp("feeds")
    spawn = multiprocessing.get_context("spawn")
    shares = [wanted[number::PROCESSES] for number in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, mp_context=spawn) as pool:
        played = list(pool.map(_played, [share for share in shares if share], [folder] * PROCESSES))
    found = [outcome for outcomes in played for outcome in outcomes]
    request.config.stash[TOLD] = found
    return {outcome.name: outcome for outcome in found}


def _scenario(item: pytest.Item) -> str:
    found = getattr(item, "callspec", None)
    return "" if found is None else str(found.params.get("scenario", ""))


def _played(names: list[str], folder: Path) -> list[Outcome]:
    every = faulty.scenarios() | outages.scenarios()
    return asyncio.run(play({name: every[name] for name in names}, folder))


@pytest.fixture
def outcome(outcomes: dict[str, Outcome]) -> Callable[[str], Outcome]:
    """Of a scenario that came to its end."""

    def find(scenario: str) -> Outcome:
        found = outcomes[scenario]
        if found.failed:
            pytest.fail(found.failed, pytrace=False)
        return found

    return find


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> Iterator[None]:
    yield
    told = config.stash.get(TOLD, [])
    if not told:
        return
    terminalreporter.section("recovery of the feed, from the fault's end until all is known again")
    for outcome in sorted(told, key=lambda outcome: outcome.recovery or 0.0, reverse=True):
        seconds = "-" if outcome.recovery is None else f"{outcome.recovery:6.2f} s"
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(outcome.reconnects.items()))
        terminalreporter.write_line(f"{outcome.name:<36} {seconds:>9}  {outcome.trades:>5} trades  {reasons}")
