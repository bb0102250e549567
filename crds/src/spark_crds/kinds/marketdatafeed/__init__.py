"""MarketDataFeed (mdf): live market data of one venue, kept in an archive."""

from __future__ import annotations

from spark_crds.kinds.marketdatafeed.kind import MarketDataFeed
from spark_crds.kinds.marketdatafeed.spec import MarketDataFeedSpec
from spark_crds.kinds.marketdatafeed.status import MarketDataFeedStatus

__all__ = ["MarketDataFeed", "MarketDataFeedSpec", "MarketDataFeedStatus"]
