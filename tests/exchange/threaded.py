"""The exchange on an event loop and a thread of its own, for tests that are not asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar

from tests.exchange.faults.base import Fault, FaultRecord
from tests.exchange.ledger import Trade
from tests.exchange.server import FakeExchange

T = TypeVar("T")


class ExchangeThread:
    """`with ExchangeThread(symbols=..., seed=...) as running:`; takes what FakeExchange takes."""

    def __init__(self, **arguments: Any) -> None:
        self.exchange = FakeExchange(**arguments)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake exchange", daemon=True)

    def __enter__(self) -> ExchangeThread:
        self._thread.start()
        self.call(self.exchange.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.call(self.exchange.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, work: Coroutine[Any, Any, T], timeout: float = 30.0) -> T:
        """On the exchange's loop; waits for the result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout)

    def inject(self, fault: Fault) -> FaultRecord:
        return self.call(self.exchange.inject(fault))

    def trade(self, symbol: str, **values: Any) -> Trade:
        return self.call(self.exchange.trade(symbol, **values))
