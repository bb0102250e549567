"""What a connection says of itself: values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class CloseReason(StrEnum):
    """Why a connection ended or could not begin. Closed: it is the label of a metric."""

    DROPPED = "dropped"  # cut without a close frame
    CLOSED_BY_PEER = "closed_by_peer"  # with a close frame
    STALLED = "stalled"  # no frame of any kind for too long
    PROTOCOL = "protocol"  # the peer broke the rules of WebSocket, or a frame was too large
    STALE_CHANNEL = "stale_channel"  # open, yet a subscription gave nothing
    REQUESTED = "requested"  # we wanted it so
    REFUSED_429 = "refused_429"
    REFUSED_5XX = "refused_5xx"
    REFUSED_OTHER = "refused_other"
    UNREACHABLE = "unreachable"  # name, route, port, TLS, or no answer to the handshake


@dataclass(frozen=True, slots=True)
class Ending:
    """`cause`: one line for a user. `floor`: seconds that the venue wants us to stay away at least."""

    reason: CloseReason
    cause: str
    floor: float = 0.0


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """`since_ns`: wall clock. `attempt`: the how manieth in a row since data last flowed for long enough.

    connecting: `retry_in` is what the connect budget makes us wait. open: subscribe frames are on their way.
    closed, refused: it ended, or was never open; `retry_in` None: for good (we were told to stop).
    """

    kind: Literal["connecting", "open", "closed", "refused"]
    since_ns: int
    attempt: int
    reason: CloseReason | None = None
    retry_in: float | None = None
    cause: str = ""
