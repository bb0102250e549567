"""Tables about a run's status and about the decisions, from the code that makes them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from spark_operator.core.backtestrun.decide import RULES
from spark_operator.core.backtestrun.reasons import Reason
from spark_operator.core.backtestrun.status import CONDITIONS, KEPT_CONDITIONS, State, status_of
from spark_operator.core.conditions import is_true
from spark_operator.core.vocabulary import standing

from docs.advice import ADVICE, STATES, TYPES

SLASHED = "\\|"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class IncompleteError(ValueError):
    """Something is in the code and not in `docs.advice`, or the other way round."""


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return f"| {' | '.join(cell.replace('|', SLASHED) for cell in cells)} |"

    return "\n".join([line(head), f"|{'---|' * len(head)}", *map(line, rows)])


def phases() -> str:
    """Every phase with its conditions, and how kstatus and the API read them."""
    _same("phases", STATES, State)
    rows = []
    for state, meaning in STATES.items():
        status = example(state)
        said = ", ".join(f"{type_}={truth}" for type_, truth in CONDITIONS[state])
        rows.append((f"`{state.phase}`", meaning, said, kstatus(status, 1), standing(status).word.value))
    return markdown(("phase", "meaning", "conditions", "kstatus", "API"), rows)


def conditions() -> str:
    """Every type of condition."""
    present = {type_ for pairs in CONDITIONS.values() for type_, _ in pairs}
    _same("conditions", TYPES, {*present, *KEPT_CONDITIONS})
    return markdown(("condition", "meaning"), ((f"`{type_}`", meaning) for type_, meaning in TYPES.items()))


def reasons() -> str:
    """Every reason, by where it stands, with its meaning and what to do."""
    _same("reasons", [reason for group in ADVICE.values() for reason in group], Reason)
    return "\n\n".join(
        f"### {title}\n\n" + markdown(("reason", "meaning", "what to do"), map(_row, group.items()))
        for title, group in ADVICE.items()
    )


def rules() -> str:
    """The rules of a decision in their order."""
    rows = (
        (str(number), f"`{rule.__name__}`", (inspect.getdoc(rule) or "").partition("\n")[0])
        for number, rule in enumerate(RULES, 1)
    )
    return markdown(("", "rule", "what it says"), rows)


def example(state: State) -> dict[str, Any]:
    """A status in that state, about generation 1."""
    run = {"metadata": {"generation": 1}}
    reason = Reason.RUNNING if state is State.RUNNING else Reason.STARTING
    return status_of(run, state, reason, "", LONG_AGO)


def kstatus(status: Mapping[str, Any], generation: int) -> str:
    """As `kstatus` of cli-utils reads it (status/generic.go), in its order."""
    if status["observedGeneration"] != generation or is_true(status, "Reconciling"):
        return "InProgress"
    if is_true(status, "Stalled"):
        return "Failed"
    ready = {condition["type"]: condition["status"] for condition in status["conditions"]}.get(
        "Ready", "True"
    )
    return "Current" if ready == "True" else "InProgress"


def _row(pair: tuple[Reason, str]) -> tuple[str, str, str]:
    reason, advice = pair
    return f"`{reason.value}`", reason.meaning, advice


def _same(what: str, told: Iterable[Any], there: Iterable[Any]) -> None:
    written, real = list(told), set(there)
    if len(written) != len(real) or set(written) != real:
        differing = sorted(map(str, set(written) ^ real)) or "one of them twice"
        raise IncompleteError(f"docs/advice.py, {what}: {differing}")
