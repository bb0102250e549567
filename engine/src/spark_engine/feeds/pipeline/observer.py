"""What a pipeline tells of itself as it goes: metrics listen. Called often; nothing here may raise."""

from __future__ import annotations

from typing import Literal, Protocol

LateAction = Literal["amended", "ignored"]
GapReason = Literal["sequence", "snapshot", "missed"]


class Observer(Protocol):
    """Times are ms. `symbol` is canonical."""

    def on_tick(self, symbol: str, lag_ms: float) -> None:
        """A tick from the socket that was new."""

    def on_duplicates(self, symbol: str, count: int) -> None: ...

    def on_reordered(self, symbol: str, count: int) -> None: ...

    def on_gap(self, symbol: str, reason: GapReason, length_ms: int) -> None:
        """Time of which not every tick is known. `missed`: REST had a tick that a live socket never sent."""

    def on_recovered(self, symbol: str, ticks: int) -> None:
        """Ticks that only REST or the snapshot of a new connection had."""

    def on_late(self, symbol: str, action: LateAction) -> None: ...

    def on_sequence_break(self, symbol: str) -> None:
        """A book lost messages."""

    def on_malformed(self, kind: str) -> None: ...

    def on_notice(self, kind: str) -> None: ...

    def on_filled(self, symbol: str, bars: int) -> None:
        """Bars from the venue's history."""


class Silent:
    """Nobody listens."""

    def on_tick(self, symbol: str, lag_ms: float) -> None: ...

    def on_duplicates(self, symbol: str, count: int) -> None: ...

    def on_reordered(self, symbol: str, count: int) -> None: ...

    def on_gap(self, symbol: str, reason: GapReason, length_ms: int) -> None: ...

    def on_recovered(self, symbol: str, ticks: int) -> None: ...

    def on_late(self, symbol: str, action: LateAction) -> None: ...

    def on_sequence_break(self, symbol: str) -> None: ...

    def on_malformed(self, kind: str) -> None: ...

    def on_notice(self, kind: str) -> None: ...

    def on_filled(self, symbol: str, bars: int) -> None: ...
