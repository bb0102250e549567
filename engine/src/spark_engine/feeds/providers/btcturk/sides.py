"""Which side took, in BTCTurk's two spellings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from spark_engine.feeds.market import BUY, SELL

# Sources disagree on `S` of the socket. The documentation and staff (broker-api-docs #588, 2024-10) say: the
# taker's side, 0 buy, 1 sell. Observed in 2026-08: all of 15 live trades had 0 where REST says "sell" for the
# same id and 1 where it says "buy"; and of two captured trades 1 ms apart the one with 1 has the higher
# price, as if it had lifted the ask. So the observation rules: REST's word is taken for the taker's, and the
# socket agrees with it on every trade. Never turn one alone: a trade's side would depend on which of them
# came first. Candles do not depend on it.
SOCKET_SIDES: Final[Mapping[int, int]] = {0: SELL, 1: BUY}
REST_SIDES: Final[Mapping[str, int]] = {"sell": SELL, "buy": BUY}
