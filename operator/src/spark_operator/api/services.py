"""What a request can use, and the request itself with its caller."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from spark_operator.api.authentication import Authenticator
from spark_operator.api.authorization import Authorizer, Reading
from spark_operator.api.caller import Caller, Person
from spark_operator.api.metrics import Metrics
from spark_operator.api.query import namespace_of
from spark_operator.api.runs import Runs
from spark_operator.api.watching import WatchedCluster
from spark_operator.cluster.interface import Cluster
from spark_operator.cluster.resources import BACKTEST_RUNS
from spark_operator.configuration.model import Configuration


@dataclass(frozen=True, slots=True)
class Services:
    """`cluster` acts as the API's own service account. `configuration` gives what is in force now."""

    cluster: WatchedCluster
    configuration: Callable[[], Configuration]
    runs: Runs
    authenticator: Authenticator
    authorizer: Authorizer
    metrics: Metrics
    operator_metrics_url: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, authenticated as its route demands."""

    request: Request
    services: Services
    caller: Caller

    @property
    def namespace(self) -> str:
        """Of the query, else the configured one. Raises a 422 `Problem`."""
        default = self.services.configuration().api.default_namespace
        return namespace_of(self.request.query_params, default)

    @property
    def id(self) -> str:
        """Of the path."""
        return str(self.request.path_params["id"])

    def cluster(self) -> Cluster:
        """The API server as the caller: RBAC and admission decide."""
        own = self.services.cluster
        return own.with_token(self.caller.token) if isinstance(self.caller, Person) else own

    async def require_read(self, verb: str, name: str = "") -> str:
        """The namespace, once the caller may read its runs there. Raises `Problem`: 403, 404 or 503."""
        namespace = self.namespace
        await self.services.authorizer.require(self.caller, Reading(verb, BACKTEST_RUNS, namespace, name))
        self.services.runs.require_watched(namespace)
        return namespace
