"""A faithful fake of the BTCTurk spot exchange on real sockets. See README.md."""

from tests.exchange.clock import Clock
from tests.exchange.faults import FAULTS, Fault, FaultRecord
from tests.exchange.ledger import Ledger, Trade
from tests.exchange.listings import many_symbols
from tests.exchange.market import Activity
from tests.exchange.script import Step, random_script
from tests.exchange.server import FakeExchange

__all__ = [
    "FAULTS",
    "Activity",
    "Clock",
    "FakeExchange",
    "Fault",
    "FaultRecord",
    "Ledger",
    "Step",
    "Trade",
    "many_symbols",
    "random_script",
]
