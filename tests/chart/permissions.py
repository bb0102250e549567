"""What an account may do, from its roles; what it did, from the audit log; and where the two differ.

grants = granted(helm.render(), "spark-system", "spark-operator")
difference = compare(grants, requests(audit_lines, "system:serviceaccount:spark-system:spark-operator"))
assert not difference.refused and difference.unused == WITHOUT_REQUEST
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Object = Mapping[str, Any]
ROLES = ("Role", "ClusterRole")
BINDINGS = ("RoleBinding", "ClusterRoleBinding")


@dataclass(frozen=True, order=True)
class Grant:
    """One verb on one resource. Empty: every namespace, every name."""

    group: str
    resource: str
    verb: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        place = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.group}/{self.resource}{f'/{self.name}' if self.name else ''}{place}"


@dataclass(frozen=True, order=True)
class Request:
    """One request as the audit log tells it. The name of an object that is created may be empty."""

    group: str
    resource: str
    verb: str
    namespace: str
    name: str
    allowed: bool

    def needs(self, grant: Grant) -> bool:
        """Whether this grant is what allows it."""
        asked = (self.group, self.resource, self.verb)
        return (
            asked == (grant.group, grant.resource, grant.verb)
            and grant.namespace in ("", self.namespace)
            and grant.name in ("", self.name)
        )


@dataclass(frozen=True)
class Difference:
    """`unused`: granted and never asked for. `refused`: asked for, and granted by no role or denied."""

    unused: frozenset[Grant]
    refused: frozenset[Request]

    def __str__(self) -> str:
        unused = ", ".join(map(str, sorted(self.unused))) or "nothing"
        refused = ", ".join(map(str, sorted(self.refused))) or "nothing"
        return f"granted but unused: {unused}; asked for but not granted: {refused}"


def granted(objects: Iterable[Object], namespace: str, account: str) -> frozenset[Grant]:
    """All grants of a service account, by the roles and bindings among rendered objects.

    Raises `KeyError` for a binding to a role that is not among them.
    """
    every = list(objects)
    roles = {_identity(each): each for each in every if each["kind"] in ROLES}
    subject = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    return frozenset(
        grant
        for binding in every
        if binding["kind"] in BINDINGS and subject in binding["subjects"]
        for grant in _grants_of(binding, roles)
    )


def requests(audit_lines: Iterable[str], user: str) -> frozenset[Request]:
    """The distinct requests of a user for resources, from the lines of an audit log (JSON, any level)."""
    records = (json.loads(line) for line in audit_lines if line.strip())
    return frozenset(
        _request(record)
        for record in records
        if record["user"]["username"] == user and "objectRef" in record and _is_final(record)
    )


def compare(grants: Iterable[Grant], asked: Iterable[Request]) -> Difference:
    """Where what is granted and what was asked for differ."""
    every, wanted = frozenset(grants), frozenset(asked)
    used = {grant for grant in every for request in wanted if request.allowed and request.needs(grant)}
    refused = {each for each in wanted if not (each.allowed and any(each.needs(grant) for grant in every))}
    return Difference(every - used, frozenset(refused))


def _identity(role: Object) -> tuple[str, str, str]:
    return role["kind"], role["metadata"].get("namespace", ""), role["metadata"]["name"]


def _grants_of(binding: Object, roles: Mapping[tuple[str, str, str], Object]) -> Iterator[Grant]:
    place, reference = binding["metadata"].get("namespace", ""), binding["roleRef"]
    home = place if reference["kind"] == "Role" else ""
    for rule in roles[reference["kind"], home, reference["name"]]["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    for name in rule.get("resourceNames") or [""]:
                        yield Grant(group, resource, verb, place, name)


def _is_final(record: Object) -> bool:
    """A watch is logged when it starts and when it ends; what was only received is not decided."""
    return bool(record.get("stage") != "RequestReceived")


def _request(record: Object) -> Request:
    target = record["objectRef"]
    resource = "/".join(filter(None, (target["resource"], target.get("subresource"))))
    decision = record.get("annotations", {}).get("authorization.k8s.io/decision")
    return Request(
        group=target.get("apiGroup", ""),
        resource=resource,
        verb=record["verb"],
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        allowed=decision != "forbid",
    )
