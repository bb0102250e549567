"""The status of a GuardrailConfig: which revision is in effect, and what waits for votes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from spark_crds.kinds.base import Count, Digest, Model, StatusTime, Text
from spark_crds.kinds.guardrailconfig.spec import UserName
from spark_crds.kinds.status import Conditions, Generation, Revision

MAX_VOTES = 32
MAX_CHANGES = 32
MAX_PENDING = 8
ATOMIC = {"x-kubernetes-list-type": "atomic"}


class Vote(Model):
    """A vote as it was counted."""

    approval: Revision
    """Name of the GuardrailApproval."""
    approver: UserName
    """Who voted."""
    decision: Literal["Approve", "Deny"]
    """What they decided."""
    reason: Text
    """Why, in their words."""
    time: StatusTime
    """When the vote was made."""


Votes = Annotated[list[Vote], Field(max_length=MAX_VOTES, json_schema_extra=ATOMIC)]


class Change(Model):
    """One field in which a revision differs from the effective one."""

    field: Annotated[str, Field(max_length=128)]
    """Path of the field."""
    before: Annotated[str, Field(max_length=256)] | None = None
    """Value in effect, as JSON; absent: none."""
    after: Annotated[str, Field(max_length=256)] | None = None
    """Value proposed, as JSON; absent: none."""
    effect: Literal["Tightens", "Loosens"]
    """What it does; a change that is not understood loosens."""


class EffectiveRevision(Model):
    """The revision that runs are under, with the votes that made it so."""

    name: Revision
    """Its ControllerRevision."""
    hash: Digest
    """Digest of its content, the proposer apart."""
    generation: Count
    """Generation of the config that proposed it."""
    proposer: UserName
    """Who proposed it."""
    since: StatusTime
    """When it took effect."""
    votes: Votes | None = None
    """The votes, latched with the decision; none where it only tightened."""


class PendingRevision(Model):
    """A revision that waits for votes."""

    name: Revision
    """Its ControllerRevision."""
    hash: Digest
    """Digest of its content, which votes must name."""
    generation: Count
    """Generation of the config, which votes must name."""
    proposer: UserName
    """Who proposed it."""
    since: StatusTime
    """When it was first seen."""
    required: Count
    """Approvals that it needs."""
    changes: Annotated[list[Change], Field(max_length=MAX_CHANGES, json_schema_extra=ATOMIC)] | None = None
    """What it would change."""
    votes: Votes | None = None
    """Votes so far that count."""


class GuardrailConfigStatus(Model):
    """What the operator observed."""

    observed_generation: Generation = -1
    """Generation of the spec that this status is about; -1 before the operator has seen the config."""
    phase: Literal["Pending", "Effective", "AwaitingApproval", "Denied"] = "Pending"
    """The conditions in one word, for people and selectors."""
    conditions: Conditions | None = None
    """Observations, one a type."""
    gate: Literal["Open", "Closed"] | None = None
    """Whether new runs may start: Closed without an effective revision or with its kill switch set."""
    effective: EffectiveRevision | None = None
    """The revision in effect; absent before the first one is approved."""
    pending: (
        Annotated[list[PendingRevision], Field(max_length=MAX_PENDING, json_schema_extra=ATOMIC)] | None
    ) = None
    """Revisions that wait for votes; the last one is the spec."""
