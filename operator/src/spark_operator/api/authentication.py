"""Who calls: ADMIN_TOKEN first, so that it is never sent on; then the API server's TokenReview."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from typing import Any

from starlette.datastructures import Headers

from spark_operator.api.admin_token import AdminToken
from spark_operator.api.caller import Anonymous, BreakGlass, Caller, Person
from spark_operator.api.credentials import Credentials, Refusal, find_credentials
from spark_operator.api.expiring import Expiring
from spark_operator.api.problem import Problem, unauthorized, unavailable
from spark_operator.cluster.errors import ClusterError
from spark_operator.cluster.interface import Cluster
from spark_operator.cluster.resources import TOKEN_REVIEWS

LOG = logging.getLogger(__name__)

KEPT_SECONDS = 10.0
KEPT_TOKENS = 4096
WORDS = {
    Refusal.MISSING: "credentials are needed: Authorization: Bearer <a Kubernetes token>",
    Refusal.MALFORMED: "the Authorization header must be: Bearer <a Kubernetes token>",
    Refusal.INVALID: "these credentials are not valid",
    Refusal.AMBIGUOUS: "give credentials once: in Authorization, x-admin-token or the cookie admin-token",
}


class Authenticator:
    """`refused` is told every request that is not authenticated."""

    def __init__(self, cluster: Cluster, admin: AdminToken, refused: Callable[[Refusal], None]) -> None:
        self._cluster = cluster
        self._admin = admin
        self._refused = refused
        self._known: Expiring[bytes, Person | None] = Expiring(KEPT_SECONDS, KEPT_TOKENS)

    async def caller(self, headers: Headers, *, anonymous_allowed: bool) -> Caller:
        """Raises a `Problem`: 400 for two credentials, 401, or 503 where the API server cannot be asked."""
        found = find_credentials(headers)
        if found is Refusal.MISSING and anonymous_allowed:
            return Anonymous()
        if isinstance(found, Refusal):
            raise self._refusal(found)
        if self._admin.accepts(found.secret):
            return BreakGlass()
        person = None if found.admin_only else await self._person(found)
        if person is None:
            raise self._refusal(Refusal.INVALID)
        return person

    def _refusal(self, refusal: Refusal) -> Problem:
        self._refused(refusal)
        if refusal is Refusal.AMBIGUOUS:
            return Problem(400, "AmbiguousCredentials", WORDS[refusal])
        return unauthorized(WORDS[refusal])

    async def _person(self, credentials: Credentials) -> Person | None:
        key = hashlib.sha256(credentials.secret.encode()).digest()
        try:
            return await self._known.get(key, lambda: self._review(credentials.secret))
        except ClusterError as error:
            LOG.error("TokenReview failed: %s", error.message)
            raise unavailable(
                "credentials cannot be checked: the Kubernetes API server did not answer"
            ) from None

    async def _review(self, token: str) -> Person | None:
        review = {
            "apiVersion": TOKEN_REVIEWS.api_version,
            "kind": TOKEN_REVIEWS.kind,
            "spec": {"token": token},
        }
        answer = await self._cluster.create(TOKEN_REVIEWS, "", review)
        status: dict[str, Any] = answer.get("status") or {}
        user = status.get("user") or {}
        if not status.get("authenticated") or not user.get("username"):
            return None
        return Person(
            user=user["username"],
            token=token,
            uid=user.get("uid", ""),
            groups=tuple(user.get("groups") or ()),
            extra=user.get("extra") or {},
        )
