"""Everything that can go wrong. `FAULTS` lists it; each is a dataclass to be injected."""

from tests.exchange.faults.base import Fault, FaultRecord
from tests.exchange.faults.connection import (
    CleanClose,
    CutMidFrame,
    DropWithoutClose,
    HalfOpen,
    HandshakeTooMany,
    HandshakeUnavailable,
    Refused,
    Silence,
    SlowDrip,
    StopsReading,
)
from tests.exchange.faults.garbage import (
    BinaryFrame,
    GarbageText,
    GiantFrame,
    GiantTickerAll,
    InvalidUtf8,
    NotANumber,
    UnknownType,
    WrongPair,
)
from tests.exchange.faults.rest import (
    RestError,
    RestFailureWith200,
    RestHang,
    RestTooMany,
    RestTruncated,
    UnequalKlines,
)
from tests.exchange.faults.times import (
    ClockDrift,
    ClockStep,
    FutureTrades,
    Midnight,
    ReorderedTimes,
    WrongServerTime,
)
from tests.exchange.faults.trades import (
    BookDuplicate,
    BookSkip,
    DeadTradeChannel,
    DuplicateTrades,
    MissingTrades,
    ReorderedTrades,
)
from tests.exchange.faults.venue import Delisted, Maintenance, SubscriptionIgnored, SubscriptionRefused

FAULTS: tuple[type[Fault], ...] = (
    CutMidFrame, CleanClose, DropWithoutClose, Silence, HalfOpen, SlowDrip, StopsReading, HandshakeTooMany,
    HandshakeUnavailable, Refused, RestTooMany, RestError, RestFailureWith200, RestHang, RestTruncated,
    UnequalKlines, WrongServerTime, ClockStep, ClockDrift, FutureTrades, ReorderedTimes, Midnight,
    DuplicateTrades, ReorderedTrades, MissingTrades, DeadTradeChannel, BookSkip, BookDuplicate, GarbageText,
    InvalidUtf8, BinaryFrame, GiantTickerAll, GiantFrame, UnknownType, WrongPair, NotANumber, Delisted,
    Maintenance, SubscriptionIgnored, SubscriptionRefused,
)  # fmt: skip

__all__ = ["FAULTS", "Fault", "FaultRecord", *(fault.__name__ for fault in FAULTS)]
