"""Who may read: the API server's SubjectAccessReview, kept for ten seconds. Writes meet RBAC itself."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from spark_operator.api.caller import Caller, Person
from spark_operator.api.expiring import Expiring
from spark_operator.api.problem import Problem, unavailable
from spark_operator.cluster.errors import ClusterError
from spark_operator.cluster.interface import Cluster
from spark_operator.cluster.resources import ACCESS_REVIEWS, Resource

LOG = logging.getLogger(__name__)

KEPT_SECONDS = 10.0
KEPT_ANSWERS = 8192


@dataclass(frozen=True, slots=True)
class Reading:
    """`verb` is get or list; an empty name: all of them."""

    verb: str
    resource: Resource
    namespace: str
    name: str = ""

    def attributes(self) -> dict[str, str]:
        return {
            "verb": self.verb,
            "group": self.resource.group,
            "version": self.resource.version,
            "resource": self.resource.plural,
            "namespace": self.namespace,
            "name": self.name,
        }

    def refusal(self, user: str) -> Problem:
        """In the words of the API server."""
        named = f' "{self.name}"' if self.name else ""
        detail = (
            f"{self.resource.plural}.{self.resource.group}{named} is forbidden: "
            f'User "{user}" cannot {self.verb} resource "{self.resource.plural}" '
            f'in API group "{self.resource.group}" in the namespace "{self.namespace}"'
        )
        return Problem(403, "Forbidden", detail)


class Authorizer:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: Expiring[tuple[object, ...], bool] = Expiring(KEPT_SECONDS, KEPT_ANSWERS)

    async def require(self, caller: Caller, reading: Reading) -> None:
        """Raises a `Problem`: 403, or 503 where the API server cannot be asked."""
        if not isinstance(caller, Person):
            return  # break-glass may read; Anonymous exists only where api.anonymousRead is on
        key = (caller.user, caller.uid, caller.groups, repr(caller.extra), reading)
        try:
            allowed = await self._known.get(key, lambda: self._review(caller, reading))
        except ClusterError as error:
            LOG.error("SubjectAccessReview failed: %s", error.message)
            raise unavailable("access cannot be checked: the Kubernetes API server did not answer") from None
        if not allowed:
            raise reading.refusal(caller.user)

    async def _review(self, person: Person, reading: Reading) -> bool:
        review = {
            "apiVersion": ACCESS_REVIEWS.api_version,
            "kind": ACCESS_REVIEWS.kind,
            "spec": {
                "user": person.user,
                "uid": person.uid,
                "groups": list(person.groups),
                "extra": dict(person.extra),
                "resourceAttributes": reading.attributes(),
            },
        }
        answer = await self._cluster.create(ACCESS_REVIEWS, "", review)
        return bool((answer.get("status") or {}).get("allowed"))
