"""Leader election by a `coordination.k8s.io` Lease.

`kubernetes.aio.leaderelection` does not do: it reckons by the wall clock, dates a renewal from its answer
instead of its request (so that ownership is not provable), puts no limit on a request, and never gives a
Lease back.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from spark_operator.cluster.errors import AlreadyExists, ClusterError, Conflict
from spark_operator.cluster.interface import Cluster, Object
from spark_operator.cluster.resources import LEASES
from spark_operator.runtime.emit import micro_time

LOG = logging.getLogger(__name__)
RELEASED_SECONDS = 1


class LeaseLost(Exception):
    """Another holds the Lease, or it could not be renewed in time. The process must end."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. A write that starts before `renew_deadline` is over ends before others may take the Lease."""

    lease: float
    renew_deadline: float
    retry: float


@dataclass(slots=True)
class _Seen:
    """The Lease as last read, and since when by our clock it has looked so: others' are not trusted."""

    lease: Object
    since: float


class LeaderElection:
    """One candidate. `monotonic` gives seconds that never jump, `now` the time that is written for people.

    Exports `leader_election_master_status{name}`: 1 while the Lease is ours.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        name: str,
        identity: str,
        timing: Timing,
        registry: CollectorRegistry,
        *,
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
    ) -> None:
        self.identity = identity
        self.answered_at: float | None = None
        """When the API server last answered about the Lease, by `monotonic`."""
        self.problem = "the Lease has not been read yet"
        """Why the last look at the Lease failed; empty when it did not."""
        self._cluster = cluster
        self._namespace = namespace
        self._name = name
        self._timing = timing
        self._monotonic = monotonic
        self._now = now
        self._seen: _Seen | None = None
        self._ours_since: float | None = None
        self._status = Gauge(
            "leader_election_master_status", "Whether this process leads.", ("name",), registry=registry
        ).labels(name)

    @property
    def leads(self) -> bool:
        """Whether the Lease is provably ours: its newest renewal was asked for within the deadline."""
        if self._ours_since is None:
            return False
        return self._monotonic() - self._ours_since < self._timing.renew_deadline

    @property
    def holder(self) -> str:
        """Who held the Lease when last looked at; empty: nobody."""
        return str(_spec_of(self._seen.lease).get("holderIdentity") or "") if self._seen else ""

    async def acquire(self) -> None:
        """Returns when the Lease is ours. A silent API server is asked again and again."""
        while True:
            await self._attempt(self._campaign, self._timing.renew_deadline)
            if self.leads:
                break
            await asyncio.sleep(self._timing.retry)
        LOG.info("leading", extra={"lease": f"{self._namespace}/{self._name}", "identity": self.identity})

    async def hold(self) -> None:
        """Renews for ever. Raises `LeaseLost`; a lost Lease is not taken back: others may have led."""
        while True:
            await asyncio.sleep(self._timing.retry)
            if self._ours_since is not None:
                await self._attempt(
                    self._renew, self._ours_since + self._timing.renew_deadline - self._monotonic()
                )
            if self._ours_since is None:
                raise LeaseLost(f"the Lease is lost to {self.holder or 'nobody'}")
            if not self.leads:
                seconds = self._timing.renew_deadline
                self._lose()
                raise LeaseLost(f"the Lease was not renewed for {seconds:g} s: {self.problem}")

    async def release(self) -> None:
        """Gives the Lease back, so that the next leader need not wait. We stop leading first."""
        if self._ours_since is None or self._seen is None:
            return
        self._lose()
        spec = {
            **_spec_of(self._seen.lease),
            "holderIdentity": "",
            "leaseDurationSeconds": RELEASED_SECONDS,
            "renewTime": micro_time(self._now()),
        }
        try:
            await self._cluster.replace(LEASES, {**self._seen.lease, "spec": spec})
        except ClusterError as error:
            LOG.warning("the Lease was not given back, it will expire: %s", error)

    async def _attempt(self, attempt: Callable[[], Awaitable[None]], seconds: float) -> None:
        """One request or two, in this time. What goes wrong becomes `problem`."""
        try:
            async with asyncio.timeout(seconds):
                await attempt()
        except (Conflict, AlreadyExists):
            pass  # somebody was faster
        except TimeoutError:
            self._note(self.problem or f"no answer within {seconds:.1f} s")
            return
        except ClusterError as error:
            self._note(str(error))
            return
        self.problem = ""
        self.answered_at = self._monotonic()

    async def _campaign(self) -> None:
        lease = await self._cluster.get(LEASES, self._namespace, self._name)
        if lease is None:
            await self._create()
            return
        self._look_at(lease)
        if self.holder == self.identity or self._expired():
            await self._write(lease)

    async def _renew(self) -> None:
        if self._seen is None:
            return
        try:
            await self._write(self._seen.lease)
            return
        except Conflict:
            # the answer to a former renewal got lost, or somebody else wrote
            lease = await self._cluster.get(LEASES, self._namespace, self._name)
        self._seen = None
        if lease is not None:
            self._look_at(lease)
        if lease is None or self.holder != self.identity:
            self._lose()
        else:
            await self._write(lease)

    async def _create(self) -> None:
        asked_at = self._monotonic()
        body = {
            "apiVersion": LEASES.api_version,
            "kind": LEASES.kind,
            "metadata": {"name": self._name, "namespace": self._namespace},
            "spec": self._spec({}),
        }
        self._win(await self._cluster.create(LEASES, self._namespace, body), asked_at)

    async def _write(self, lease: Object) -> None:
        """PUT over exactly the Lease that was read. Raises `Conflict`."""
        asked_at = self._monotonic()
        written = await self._cluster.replace(LEASES, {**lease, "spec": self._spec(_spec_of(lease))})
        self._win(written, asked_at)

    def _spec(self, old: Object) -> Object:
        now = micro_time(self._now())
        taken = old.get("holderIdentity") != self.identity
        return {
            **old,
            "holderIdentity": self.identity,
            "leaseDurationSeconds": math.ceil(self._timing.lease),
            "acquireTime": now if taken else old.get("acquireTime", now),
            "renewTime": now,
            "leaseTransitions": (old.get("leaseTransitions") or 0) + taken,
        }

    def _look_at(self, lease: Object) -> None:
        """Notes a Lease; its time begins when it was first seen in this state."""
        if self._seen is None or _spec_of(self._seen.lease) != _spec_of(lease):
            self._seen = _Seen(lease, self._monotonic())
        else:
            self._seen = _Seen(lease, self._seen.since)

    def _expired(self) -> bool:
        if not self.holder or self._seen is None:
            return True
        seconds = _spec_of(self._seen.lease).get("leaseDurationSeconds") or self._timing.lease
        return self._monotonic() - self._seen.since >= float(seconds)

    def _win(self, lease: Object, asked_at: float) -> None:
        self._seen = _Seen(lease, asked_at)
        self._ours_since = asked_at
        self._status.set(1)

    def _lose(self) -> None:
        self._ours_since = None
        self._status.set(0)

    def _note(self, problem: str) -> None:
        if problem != self.problem:
            LOG.warning("the Lease could not be read or renewed: %s", problem)
        self.problem = problem


def _spec_of(lease: Object) -> Object:
    spec: Object = lease.get("spec") or {}
    return spec
