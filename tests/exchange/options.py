"""What can be set of the fake exchange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.exchange.market import Activity


@dataclass(frozen=True)
class Options:
    """All times are real seconds.

    `live` makes trades by itself as time goes on. `rates` are trades a minute by pair, over `activity`.
    `history_minutes` of trades are in the ledger from before the start. `period_scale` shortens the periods
    and blocks of every limit; `limits=False` switches them off. `sides` are REST's words for S 0 and S 1.
    `float_noise` gives klines a 32-bit float's noise. `klines_most` bars a request at most, the newest.
    """

    host: str = "127.0.0.1"
    port: int = 0
    rest_port: int = 0
    live: bool = True
    activity: Activity = field(default_factory=Activity)
    rates: Mapping[str, float] = field(default_factory=dict)
    history_minutes: int = 0
    ping_seconds: float = 15.0
    pong_timeout_seconds: float = 45.0
    ticker_seconds: float = 0.75
    book_seconds: float = 0.764
    limits: bool = True
    period_scale: float = 1.0
    edge_cache_seconds: float = 30.0
    rest_delay_seconds: tuple[float, float] = (0.0, 0.0)
    sides: tuple[str, str] = ("sell", "buy")
    float_noise: bool = False
    klines_most: int = 11_000
    newest_first: bool = True
    send_buffer_bytes: int = 64 * 2**20
