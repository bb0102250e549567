"""How often this process connects."""

from __future__ import annotations

from spark_engine.feeds.rest.limits import Window


class ConnectBudget(Window):
    """Shared by all connections of a process to one venue: at most `per_minute` handshakes in any minute."""

    def __init__(self, per_minute: int) -> None:
        super().__init__(per_minute, 60.0)
