# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# Arguments of the user are Any: Cython would turn True into 1.0 and complain in its own words.
# mypy: disable-error-code="import-untyped, valid-type, no-any-return, untyped-decorator"
"""What an event strategy sees and does at a close (compiled: it stands between the kernel and every bar)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import cython

from spark_engine.data.candles import COLUMNS, Candles
from spark_engine.strategies.order import TIMES_IN_FORCE, TYPES, Order, OrderError, number_of, submit

if TYPE_CHECKING:
    import numpy

    from spark_engine.simulation.exchange import Exchange

SIDES = {1: "buy", -1: "sell"}
TYPE_NAMES = {code: name for name, code in TYPES.items()}
TIF_NAMES = {code: name for name, code in TIMES_IN_FORCE.items()}
LIQUIDITY = ("taker", "maker")
REASONS = (
    "signal", "limit", "stop", "take-profit", "stop-loss", "trailing", "liquidation", "gate", "closeAtEnd",
)  # fmt: skip


@cython.final
@cython.cclass
class Bar:
    """One candle. index: of the window, 0 is the first that may trade. ts: open time, ms UTC."""

    index = cython.declare(cython.longlong, visibility="readonly")
    ts = cython.declare(cython.longlong, visibility="readonly")
    open = cython.declare(cython.double, visibility="readonly")
    high = cython.declare(cython.double, visibility="readonly")
    low = cython.declare(cython.double, visibility="readonly")
    close = cython.declare(cython.double, visibility="readonly")
    volume = cython.declare(cython.double, visibility="readonly")

    def __repr__(self) -> str:
        names = ("index", "ts", "open", "high", "low", "close", "volume")
        return f"Bar({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


class OpenOrder:
    """An order in the book. id: as `ctx.submit` gave it, or of a bracket's child. The fields are those of
    `Order`; prices that it does not have are None. stop: of a trailing stop, where it stands now.
    """

    __slots__ = ("id", "limit", "quantity", "reduce_only", "side", "stop", "tif", "type")

    def __init__(self, row: tuple[int, int, int, float, float, float, int, bool]) -> None:
        self.id, self.type, self.side = int(row[0]), TYPE_NAMES[row[1]], SIDES[row[2]]
        self.quantity, self.limit, self.stop = row[3], row[4] or None, row[5] or None
        self.tif, self.reduce_only = TIF_NAMES[row[6]], row[7]

    def __repr__(self) -> str:
        return f"OpenOrder({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class Fill:
    """A fill of this bar. side: "buy" or "sell". liquidity: "taker" or "maker". order: id, 0 the engine's."""

    __slots__ = ("bar", "fee", "liquidity", "order", "price", "quantity", "reason", "side")

    def __init__(self, row: tuple[int, int, int, int, int, float, float, float]) -> None:
        self.bar, self.order = int(row[0]), int(row[1])
        self.side, self.liquidity, self.reason = SIDES[row[2]], LIQUIDITY[row[3]], REASONS[row[4]]
        self.quantity, self.price, self.fee = row[5], row[6], row[7]

    def __repr__(self) -> str:
        return f"Fill({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


@cython.final
@cython.cclass
class Context:
    """`ctx`: the present, the past, the account, and the orders of one run.

    params: the strategy's parameters. seed: `spec.seed`. random: a `random.Random` of that seed. warmup: rows
    before the window. timeframe_ms: length of a bar. Orders made at a close are live from the next open.
    """

    params = cython.declare(object, visibility="readonly")
    seed = cython.declare(object, visibility="readonly")
    random = cython.declare(object, visibility="readonly")
    warmup = cython.declare(cython.Py_ssize_t, visibility="readonly")
    timeframe_ms = cython.declare(cython.longlong, visibility="readonly")
    _row: cython.Py_ssize_t  # of the candles: the last that may be seen
    _live: cython.bint
    _bar: Bar | None
    _exchange: Exchange
    _candles: Candles
    _arrays: dict | None  # type: ignore[type-arg]
    _ts: cython.const[cython.longlong][::1]
    _open: cython.const[cython.double][::1]
    _high: cython.const[cython.double][::1]
    _low: cython.const[cython.double][::1]
    _close: cython.const[cython.double][::1]
    _volume: cython.const[cython.double][::1]

    def __init__(self, exchange: Exchange, candles: Candles, params: Any, seed: int) -> None:
        self.params = params
        self.seed = seed
        self.random = random.Random(seed)  # noqa: S311 - reproducible on purpose
        self.warmup = candles.warmup
        self.timeframe_ms = candles.timeframe_ms
        self._row = candles.warmup - 1
        self._live = False
        self._bar = None
        self._exchange = exchange
        self._candles = candles
        self._arrays = None
        self._ts = candles.ts
        self._open = candles.open
        self._high = candles.high
        self._low = candles.low
        self._close = candles.close
        self._volume = candles.volume

    @property
    def bar(self) -> Bar:
        """The bar that has just closed. In `on_start` the last one of the warm-up."""
        bar: Bar
        row: cython.Py_ssize_t = self._row
        if self._bar is None:
            if row < 0:
                raise OrderError("ctx.bar: there is no bar yet in on_start without spec.market.warmupBars")
            bar = Bar()
            bar.index = row - self.warmup
            bar.ts = self._ts[row]
            bar.open = self._open[row]
            bar.high = self._high[row]
            bar.low = self._low[row]
            bar.close = self._close[row]
            bar.volume = self._volume[row]
            self._bar = bar
        return self._bar

    def history(self, column: Any, n: cython.Py_ssize_t) -> numpy.ndarray[Any, Any]:
        """The last `n` rows of a column up to this bar, warm-up included: a read-only view, no copy.

        column: ts, open, high, low, close, volume, quality. Shorter than `n` where there are fewer rows.
        """
        end: cython.Py_ssize_t = self._row + 1
        if self._arrays is None:
            self._arrays = arrays_of(self._candles)
        array: object = self._arrays.get(column)
        if array is None:
            raise OrderError(f"ctx.history: column must be one of {', '.join(COLUMNS)}; is {column!r}")
        if n < 0:
            raise OrderError(f"ctx.history: n must be at least 0, is {n}")
        return array[end - n if n < end else 0 : end]  # type: ignore[index]

    @property
    def cash(self) -> float:
        """Cash at this close."""
        return self._exchange.cash

    @property
    def position(self) -> float:
        """Signed quantity held at this close."""
        return self._exchange.position

    @property
    def equity(self) -> float:
        """Cash and position at this close."""
        return self._exchange.equity

    @property
    def orders(self) -> list[OpenOrder]:
        """The orders in the book, by id, with those submitted at this close."""
        return [OpenOrder(row) for row in self._exchange.open_orders()]

    def submit(self, order: Any) -> int:
        """Submits `order`, live from the next open; its id. It may be rejected then: see events.jsonl."""
        if not self._live:
            raise OrderError("ctx.submit: orders can be submitted in on_bar and on_fill only")
        if not isinstance(order, Order):
            raise OrderError(f"ctx.submit takes an Order, is {order!r}")
        return submit(self._exchange, order)

    def cancel(self, id: Any) -> None:  # noqa: A002 - the field's own word
        """Cancels an order; one that is not open is let be."""
        if not self._live:
            raise OrderError("ctx.cancel: orders can be cancelled in on_bar and on_fill only")
        if isinstance(id, bool) or not hasattr(id, "__index__"):
            raise OrderError(f"ctx.cancel takes the id that ctx.submit gave, is {id!r}")
        self._exchange.cancel(id)

    def target(self, weight: Any) -> int:
        """Brings the position to `weight` of what sizing allows, in [-1, 1], at the next fill; its id.

        NaN keeps the position: nothing is submitted, and the id is 0.
        """
        value: cython.double = weight if type(weight) is float else number_of("ctx.target: weight", weight)
        if not self._live:
            raise OrderError("ctx.target can be called in on_bar and on_fill only")
        if value != value:
            return 0
        if not -1.0 <= value <= 1.0:
            raise OrderError(f"ctx.target: weight must be in [-1, 1], is {value!r}")
        return self._exchange.target(value)


@cython.final
@cython.cclass
class Runner:
    """Calls the strategy at every close: `on_fill` for the fills since the last one, then `on_bar`."""

    _context: Context
    _exchange: Exchange
    _on_bar: Callable[[Context], object]
    _on_fill: Callable[[Context, Fill], object] | None
    _fail: Callable[[BaseException, int], BaseException]
    _seen: cython.Py_ssize_t

    def __init__(
        self,
        context: Context,
        exchange: Exchange,
        on_bar: Callable[[Context], object],
        on_fill: Callable[[Context, Fill], object] | None,
        fail: Callable[[BaseException, int], BaseException],
    ) -> None:
        self._context = context
        self._exchange = exchange
        self._on_bar = on_bar
        self._on_fill = on_fill
        self._fail = fail
        self._seen = 0
        context._live = True

    def step(self, bar: cython.Py_ssize_t) -> None:
        """The close of window bar `bar`. Raises what `fail` makes of an exception of the strategy."""
        context: Context = self._context
        context._row = context.warmup + bar
        context._bar = None
        try:
            if self._on_fill is not None:
                self._tell_fills(self._on_fill)
            if self._on_bar(context) is not None:
                raise OrderError("on_bar must return nothing; call ctx.target or ctx.submit to act")
        except BaseException as error:
            raise self._fail(error, bar) from None

    @cython.cfunc
    def _tell_fills(self, on_fill: Callable[[Context, Fill], object]) -> None:
        fills: cython.Py_ssize_t = self._exchange.fills
        while self._seen < fills:
            row = self._exchange.fill(self._seen)
            self._seen += 1
            on_fill(self._context, Fill(row))


def arrays_of(candles: Candles) -> dict[str, numpy.ndarray[Any, Any]]:
    """The columns as numpy arrays that share their memory and cannot be written to. Imports numpy."""
    import numpy

    return {name: numpy.asarray(getattr(candles, name).toreadonly()) for name in COLUMNS}
