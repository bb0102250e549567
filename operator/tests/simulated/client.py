"""The simulated cluster behind the protocol that the control plane is written against."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from spark_operator.cluster.errors import Expired
from spark_operator.cluster.interface import Page
from spark_operator.cluster.resources import Resource

from simulated.clock import Chance
from simulated.selector import matches_fields, matches_labels
from simulated.server import ApiServer
from simulated.store import Key, Object

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """`number` counts all calls, `write` the writes, both from 1 over all processes; a read has write 0."""

    number: int
    write: int
    verb: str
    key: Key
    subresource: str = ""


class SimulatedCrash(BaseException):
    """SIGKILL: nothing of the process runs any more."""


class Caller(Protocol):
    """The process that calls."""

    alive: bool
    leads: bool


class Stage(Protocol):
    """What a fault can reach beside the call."""

    def take_over(self) -> None:
        """A second process starts while the first still runs."""

    def revision_before(self, age: float) -> int:
        """The revision that was the newest `age` seconds ago."""


class Fault:
    """Something that goes wrong between operator and API server. This one does not."""

    def enter(self, stage: Stage) -> None:
        """Called once, before anything happens."""

    async def before(self, call: Call, caller: Caller) -> None:
        """The request is on its way. Raising means that it does not arrive."""

    async def after(self, call: Call, caller: Caller) -> None:
        """The request has been carried out. Raising means that its answer does not arrive."""

    def revision(self, call: Call) -> int | None:  # noqa: ARG002
        """The revision that a read is answered from; None: the newest."""
        return None


class Wire:
    """What all processes' calls go through: counted, delayed, disturbed."""

    def __init__(self, chance: Chance, faults: tuple[Fault, ...] = ()) -> None:
        self.faults = faults
        self.calls: list[Call] = []
        self.writes: list[Call] = []
        self._chance = chance

    def register(self, verb: str, key: Key, subresource: str, *, writes: bool) -> Call:
        call = Call(len(self.calls) + 1, len(self.writes) + 1 if writes else 0, verb, key, subresource)
        self.calls.append(call)
        if writes:
            self.writes.append(call)
        return call

    async def carry(self, call: Call, caller: Caller, act: Callable[[], T]) -> T:
        for fault in self.faults:
            await fault.before(call, caller)
        await self._travel(call, "there")
        if not caller.alive:
            raise SimulatedCrash
        try:
            return act()
        finally:
            for fault in self.faults:
                await fault.after(call, caller)
            await self._travel(call, "back")

    def revision(self, call: Call) -> int | None:
        found = [revision for fault in self.faults if (revision := fault.revision(call)) is not None]
        return min(found, default=None)

    async def _travel(self, call: Call, way: str) -> None:
        await asyncio.sleep(self._chance.between(0.001, 0.004, way, call.verb, call.key, call.number))


class SimulatedCluster:
    """A `Cluster` for one process."""

    def __init__(self, server: ApiServer, wire: Wire, caller: Caller, actor: str = "operator") -> None:
        self._server = server
        self._wire = wire
        self._caller = caller
        self._actor = actor

    async def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        key = Key(resource.plural, namespace, name)
        call = self._wire.register("get", key, "", writes=False)
        return await self._wire.carry(
            call, self._caller, lambda: self._server.store.get(key, self._wire.revision(call))
        )

    async def list_page(
        self,
        resource: Resource,
        namespace: str = "",
        *,
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 500,
        continue_token: str = "",
    ) -> Page:
        call = self._wire.register("list", Key(resource.plural, namespace, ""), "", writes=False)

        def read() -> Page:
            position = json.loads(continue_token) if continue_token else None
            revision = position[0] if position else self._wire.revision(call) or self._server.store.revision
            if revision < self._server.oldest_revision:
                raise Expired("The provided continue parameter is too old", status=410, reason="Expired")
            items: list[Object] = []
            last = Key("", "", "")
            for key in self._server.store.keys(resource.plural, namespace, revision):
                body = self._server.store.get(key, revision)
                if body is None or (position and key <= Key(*position[1])):
                    continue
                if not (
                    matches_labels(body, label_selector)
                    and matches_fields(resource.plural, body, field_selector)
                ):
                    continue
                if limit and len(items) == limit:
                    return Page(items, str(revision), json.dumps([revision, last]))
                items.append(body)
                last = key
            return Page(items, str(revision), "")

        return await self._wire.carry(call, self._caller, read)

    async def create(
        self, resource: Resource, namespace: str, body: Mapping[str, Any], *, dry_run: bool = False
    ) -> Object:
        name = body["metadata"].get("name", "")
        return await self._write(
            "create",
            Key(resource.plural, namespace, name),
            lambda: self._server.create(self._actor, resource.plural, namespace, body, dry_run),
            writes=not dry_run,
        )

    async def replace_status(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        return await self._write(
            "update",
            _key(resource, body),
            lambda: self._server.replace(self._actor, resource.plural, body, "status"),
            "status",
        )

    async def replace(self, resource: Resource, body: Mapping[str, Any]) -> Object:
        return await self._write(
            "update", _key(resource, body), lambda: self._server.replace(self._actor, resource.plural, body)
        )

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        merge: Mapping[str, Any],
        *,
        subresource: str = "",
    ) -> Object:
        return await self._write(
            "patch",
            Key(resource.plural, namespace, name),
            lambda: self._server.patch(self._actor, resource.plural, namespace, name, merge, subresource),
            subresource,
        )

    async def delete(self, resource: Resource, namespace: str, name: str, *, uid: str) -> None:
        await self._write(
            "delete",
            Key(resource.plural, namespace, name),
            lambda: self._server.delete(
                self._actor, resource.plural, namespace, name, uid=uid, propagation="Foreground"
            ),
        )

    async def _write(
        self, verb: str, key: Key, act: Callable[[], T], subresource: str = "", *, writes: bool = True
    ) -> T:
        call = self._wire.register(verb, key, subresource, writes=writes)
        return await self._wire.carry(call, self._caller, act)


def _key(resource: Resource, body: Mapping[str, Any]) -> Key:
    return Key(resource.plural, body["metadata"].get("namespace", ""), body["metadata"]["name"])
