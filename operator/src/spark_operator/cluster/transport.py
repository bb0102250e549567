"""HTTP to the API server: the only module that imports `kubernetes.aio`, for configuration and sessions.

Its generated model classes are not used: they would cost memory and hide fields that they do not know.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import config
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject

from spark_operator.cluster.connection import Connection, NoConnection

load_incluster_config: Any = config.load_incluster_config
load_kube_config: Any = config.load_kube_config
CREDENTIALS_UNREADABLE = config.ConfigException


class Transport:
    """Two pools of connections at most: our own, and one for callers' tokens where ours has a certificate."""

    def __init__(self, configuration: Any) -> None:
        self._configuration = configuration
        self._own: Any = None
        self._callers: Any = None

    @classmethod
    def in_cluster(cls) -> Transport:
        """As the pod's service account; its token is read again every minute. Raises `NoConnection`."""
        configuration = Configuration()
        try:
            load_incluster_config(client_configuration=configuration)
        except (config.ConfigException, OSError) as error:
            raise NoConnection(f"no service account of a pod: {one_line(error)}") from error
        return cls(configuration)

    @classmethod
    async def of_process(cls, kubeconfig: Path | None) -> Transport:
        """By the service account of a pod, unless it is told a kubeconfig; else as kubectl."""
        if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ:
            return cls.in_cluster()
        return await cls.from_kubeconfig(kubeconfig)

    @classmethod
    async def from_kubeconfig(cls, path: Path | None) -> Transport:
        """As the current context of a kubeconfig; None: $KUBECONFIG or ~/.kube/config.

        Raises `NoConnection`."""
        if path and not path.is_file():
            raise NoConnection(f"{path}: there is no such kubeconfig")
        place = str(path) if path else config.KUBE_CONFIG_DEFAULT_LOCATION
        configuration = Configuration()
        try:
            await load_kube_config(
                config_file=place, client_configuration=configuration, persist_config=False
            )
        except Exception as error:  # the library lets errors of YAML, base64 and dictionaries through
            raise NoConnection(f"{place}: {one_line(error)}") from error
        return cls(configuration)

    @property
    def server(self) -> str:
        """The URL of the API server."""
        return str(self._configuration.host)

    async def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None,
        content_type: str,
        timeout: aiohttp.ClientTimeout,
        token: str,
    ) -> aiohttp.ClientResponse:
        """An answer, its body unread. Empty query values are left out. No token: our own credentials."""
        headers = {"Accept": "application/json", "Content-Type": content_type, "User-Agent": "spark-operator"}
        if authorization := f"Bearer {token}" if token else await self._authorization():
            headers["Authorization"] = authorization
        parameters = urlencode({name: value for name, value in query.items() if value})
        answer = await self._session(token).request(
            method,
            f"{self.server}{path}" + (f"?{parameters}" if parameters else ""),
            headers=headers,
            body=body,
            _request_timeout=timeout,
        )
        response: aiohttp.ClientResponse = answer.response
        return response

    async def connection(self) -> Connection:
        """Server and credentials as they are now."""
        configuration = self._configuration
        return Connection(
            server=self.server,
            authorization=await self._authorization(),
            ca_path=configuration.ssl_ca_cert,
            insecure=not configuration.verify_ssl,
            certificate_path=configuration.cert_file,
            private_key_path=configuration.key_file,
        )

    async def close(self) -> None:
        for session in {id(session): session for session in (self._own, self._callers) if session}.values():
            await session.close()

    async def _authorization(self) -> str:
        return await self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization") or ""

    def _session(self, token: str) -> Any:
        if self._own is None:
            self._own = self._callers = _session(self._configuration)
            if self._configuration.cert_file:
                # A certificate comes before a token: on our connections every caller would be us.
                without = copy.copy(self._configuration)
                without.cert_file = without.key_file = None
                self._callers = _session(without)
        return self._callers if token else self._own


def _session(configuration: Any) -> Any:
    # A cookie of a proxy must not travel from one caller to another.
    configuration.client_session_kwargs = {"cookie_jar": aiohttp.DummyCookieJar()}
    configuration.retries = None
    return RESTClientObject(configuration)


def one_line(error: BaseException) -> str:
    """The error's words, or its name where it has none."""
    return " ".join(str(error).split()) or type(error).__name__
