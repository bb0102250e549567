"""The series of the operator's leader, so that one URL shows every series of the platform."""

from __future__ import annotations

import asyncio
import http.client
import logging
import socket
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

LOG = logging.getLogger(__name__)

TIMEOUT_SECONDS = 2.0
MOST_BYTES = 4 * 1024 * 1024
LEADER_SERIES = "leader_election_master_status"


async def with_leader(own: CollectorRegistry, url: str) -> bytes:
    """Our series and, where a replica behind `url` says that it leads, those of its that we lack."""
    leader = await asyncio.to_thread(leader_families, url) if url else []
    names = {family.name for family in own.collect()}
    return generate_latest(_Joined(own, [family for family in leader if family.name not in names]))


def leader_families(url: str) -> list[Metric]:
    """The series of the replica that leads; none where nobody says so. Blocking."""
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except OSError as error:
        LOG.warning("operator metrics: %s: %s", url, error)
        return []
    addresses = dict.fromkeys((str(address[0]), int(address[1])) for *_, address in found)
    for host, port in addresses:
        try:
            families = list(text_string_to_metric_families(_read(host, port, parts.path or "/metrics")))
        except (OSError, ValueError, http.client.HTTPException) as error:
            LOG.warning("operator metrics: %s: %s", host, error)
            continue
        if _leads(families):
            return families
    return []


def _read(host: str, port: int, path: str) -> str:
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path, headers={"Accept": "text/plain"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise http.client.HTTPException(f"status {answer.status}")
        content = answer.read(MOST_BYTES + 1)
    finally:
        connection.close()
    if len(content) > MOST_BYTES:
        raise ValueError("too many series")
    return content.decode()


def _leads(families: Iterable[Metric]) -> bool:
    return any(
        sample.value == 1 for family in families if family.name == LEADER_SERIES for sample in family.samples
    )


class _Joined(Collector):
    """What `generate_latest` reads: two sets of families as one."""

    def __init__(self, own: CollectorRegistry, others: Iterable[Metric]) -> None:
        self._own = own
        self._others = others

    def collect(self) -> Iterator[Metric]:
        yield from self._own.collect()
        yield from self._others
