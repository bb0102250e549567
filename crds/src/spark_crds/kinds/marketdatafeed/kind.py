"""MarketDataFeed as a kind: its names and its columns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from spark_crds.kinds.base import Resource
from spark_crds.kinds.definition import Column, Definition, condition_reason
from spark_crds.kinds.marketdatafeed.spec import MarketDataFeedSpec
from spark_crds.kinds.marketdatafeed.status import MarketDataFeedStatus


class MarketDataFeed(Resource):
    """Market data of one venue: received, checked, made into candles, and kept in an archive."""

    kind: Annotated[Literal["MarketDataFeed"], WithJsonSchema({"type": "string"})]
    """Kind of the object."""
    spec: MarketDataFeedSpec
    """What to receive and where to keep it."""
    status: MarketDataFeedStatus = Field(default_factory=MarketDataFeedStatus)
    """What the operator observed."""


DEFINITION = Definition(
    model=MarketDataFeed,
    kind="MarketDataFeed",
    plural="marketdatafeeds",
    singular="marketdatafeed",
    short_names=("mdf",),
    status_default={"observedGeneration": -1, "phase": "Pending"},
    columns=(
        Column("Phase", ".status.phase"),
        Column("Provider", ".spec.provider"),
        Column("Symbols", ".status.symbols", type="integer"),
        Column("Up", ".status.wsUp", type="boolean", description="Whether the venue's socket is open"),
        Column("Fresh", '.status.conditions[?(@.type=="DataFresh")].status'),
        Column("Lag", ".status.lagMsP95", type="integer", description="P95 in ms, from trade to receipt"),
        Column("Tick", ".status.lastTick", type="date", description="Since the last trade"),
        Column("Age", ".metadata.creationTimestamp", type="date"),
        Column("Reconnects", ".status.reconnects", type="integer", wide=True),
        Column("Gaps", ".status.gaps", type="integer", wide=True),
        Column("Archive", ".spec.storage.uri", wide=True),
        Column("Deployment", ".status.deploymentName", wide=True),
        Column("Reason", condition_reason("Ready"), wide=True),
        Column("Message", '.status.conditions[?(@.type=="Ready")].message', wide=True),
    ),
    selectable=(
        ".status.phase",
        ".status.specHash",
        ".status.wsUp",
        ".spec.provider",
        ".spec.suspend",
        ".spec.storage.uri",
    ),
)
