"""The status of a MarketDataFeed: written by the operator only, always as a whole."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from spark_crds.kinds.base import Count, Digest, Model, StatusTime
from spark_crds.kinds.status import ChildName, Conditions, Generation, ImageName, Uid


class MarketDataFeedStatus(Model):
    """What the operator observed: of the Deployment, and of what its pod says at /api/feeds/health."""

    observed_generation: Generation = -1
    """Generation of the spec that this status is about; -1 before the operator has seen the feed."""
    phase: Literal["Pending", "Running", "Degraded", "Suspended", "Failed"] = "Pending"
    """The conditions in one word, for people and selectors. Degraded: it runs, and its data are not fresh."""
    conditions: Conditions | None = None
    """Observations, one a type."""
    spec_hash: Digest | None = None
    """Digest of the resolved spec that the pod has."""
    deployment_name: ChildName | None = None
    """Deployment of the feed."""
    deployment_uid: Uid | None = Field(default=None, alias="deploymentUID")
    """Its uid, once created."""
    service_name: ChildName | None = None
    """Service of the pod's health endpoint."""
    image: ImageName | None = None
    """Image id of the feed's container, as the node reports it."""
    start_time: StatusTime | None = None
    """When the present pod started."""
    observed_time: StatusTime | None = None
    """When the pod last answered; the fields below are of this time."""
    symbols: Count | None = None
    """Symbols that are received."""
    fresh_symbols: Count | None = None
    """Those whose data are fresh."""
    ws_up: bool | None = None
    """Whether the socket to the venue is open."""
    last_tick: StatusTime | None = None
    """Time of the last trade, by the venue's clock."""
    lag_ms_p95: Count | None = Field(default=None, alias="lagMsP95")
    """P95 of the time from a trade to its receipt in ms, clock error taken out, rounded up."""
    reconnects: Count | None = None
    """Reconnects since the pod started."""
    gaps: Count | None = None
    """Gaps since the pod started, filled ones included."""
